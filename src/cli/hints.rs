//! Tests that every command named in a message, a comment or a document is one that this program takes.

use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use super::Cli;
use crate::admin::AdminCommand;

/// Lists all commands of the terminal that do something, by their words.
fn all_commands(command: &clap::Command, words: &str, found: &mut Vec<String>) {
    for below in command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
    {
        let words = format!("{words} {}", below.get_name());
        found.push(words.trim().to_owned());
        all_commands(below, &words, found);
    }
}

#[test]
fn each_command_of_administration_is_one_of_the_terminal_and_the_other_way_round() {
    let mut found = Vec::new();
    all_commands(&Cli::command(), "", &mut found);
    let given: Vec<&str> = AdminCommand::ALL
        .iter()
        .filter_map(|one| one.spec().terminal)
        .collect();
    for words in &given {
        assert!(
            found.iter().any(|known| known == words),
            "the terminal has no {words}"
        );
    }
    // What a group of commands administers is given by commands alone; these work on files of this machine.
    let own = ["spend report", "policy"];
    let groups = [
        "tokens",
        "keys",
        "cache",
        "decisions",
        "spend",
        "clock",
        "reload",
        "backup",
    ];
    for words in found
        .iter()
        .filter(|words| groups.iter().any(|group| words.split(' ').next() == Some(group)))
    {
        let is_group = found.iter().any(|known| known.starts_with(&format!("{words} ")));
        let is_given = given.contains(&words.as_str()) || own.contains(&words.as_str());
        assert!(is_group || is_given, "{words} is no command of administration");
    }
}

/// Lists the files below a folder whose names end in one of `ends`.
fn files(folder: &Path, ends: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, ends, found);
        } else if ends.iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}

/// Puts what stands on several lines on one: strings of Rust, comments, and commands of a shell.
fn joined(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let bare = line.trim_start();
        let bare = bare
            .strip_prefix("///")
            .or_else(|| bare.strip_prefix("//!"))
            .or_else(|| bare.strip_prefix("//"))
            .or_else(|| bare.strip_prefix("# "))
            .unwrap_or(bare);
        match bare.strip_suffix('\\') {
            Some(begun) => out.push_str(begun.trim_start()),
            None => {
                out.push_str(bare.trim_start());
                out.push('\n');
            }
        }
    }
    out
}

/// Cuts a line into words as a shell does, up to where another command or a comment begins.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut is_word) = (None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => (quote, is_word) = (Some(c), true),
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if !is_word => break,
            (None, ' ') => {
                if is_word {
                    words.push(String::new());
                }
                is_word = false;
            }
            (_, c) => {
                words.last_mut().unwrap().push(c);
                is_word = true;
            }
        }
    }
    words.retain(|word| !word.is_empty() && word != "…");
    words
}

/// Lists the commands within back quotes.
fn mentioned(text: &str) -> Vec<String> {
    let text = joined(text).replace('\n', " ");
    let quoted = text.split('`').skip(1).step_by(2);
    let begun = quoted.filter(|span| span.starts_with("pivotd "));
    begun
        .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// Lists the commands that stand on lines of their own, to be pasted.
fn pasted(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut found = Vec::new();
    for line in joined(text).lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            let line = line.strip_prefix("$ ").unwrap_or(line);
            let command = line.starts_with("pivotd ")
                && !line.starts_with("pivotd demo:")
                && !line.starts_with("pivotd demo on");
            found.extend(command.then(|| line.to_owned()));
        }
    }
    found
}

/// Says why a command is not taken. A placeholder in capitals may stand for a value; in prose the rest may be left out.
fn refusal(command: &str, is_prose: bool) -> Option<String> {
    let error = Cli::try_parse_from(words(command)).err()?;
    let is_short = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let stands_for_one = |value: &str| {
        let is_placeholder = |c: char| c.is_ascii_uppercase() || c == '_';
        !value.is_empty() && (value.chars().all(is_placeholder) || value.starts_with('{'))
    };
    let is_placeholder = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => stands_for_one(value),
        _ => false,
    };
    let is_fine = (is_short && is_prose) || is_placeholder || error.kind() == ErrorKind::DisplayHelp;
    (!is_fine).then(|| error.to_string())
}

#[test]
fn every_command_that_is_named_anywhere_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = vec![
        root.join("transforms.toml"),
        root.join("docs/deploy/compose.yaml"),
    ];
    files(&root.join("src"), &[".rs"], &mut sources);
    let mut documents = vec![
        root.join("README.md"),
        root.join("CHANGELOG.md"),
        root.join("ARCHITECTURE.md"),
    ];
    files(&root.join("docs"), &[".md"], &mut documents);
    let mut seen = 0;
    let mut wrong = Vec::new();
    for path in sources.iter().chain(&documents) {
        let text = std::fs::read_to_string(path).unwrap();
        let mut commands: Vec<(String, bool)> = mentioned(&text).into_iter().map(|one| (one, true)).collect();
        if documents.contains(path) {
            commands.extend(pasted(&text).into_iter().map(|one| (one, false)));
        }
        seen += commands.len();
        for (command, is_prose) in commands {
            if let Some(reason) = refusal(&command, is_prose) {
                wrong.push(format!("{}: {command}\n{reason}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "{seen} commands were found");
}

#[test]
fn a_command_that_is_none_is_found() {
    for wrong in [
        "pivotd token list",
        "pivotd serve --fresh",
        "pivotd demo --listen",
        "pivotd tokens create soar --scope nothing",
    ] {
        assert!(refusal(wrong, true).is_some(), "{wrong}");
    }
    for right in [
        "pivotd run",
        "pivotd demo --listen ADDRESS",
        "pivotd tokens create NAME",
    ] {
        assert_eq!(refusal(right, true), None, "{right}");
    }
    assert!(refusal("pivotd run", false).is_some(), "what is pasted is whole");
    assert_eq!(
        words("pivotd run 'a b' \"c\" > out # d"),
        ["pivotd", "run", "a b", "c"]
    );
    Cli::command().debug_assert();
}
