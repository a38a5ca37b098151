//! Reads `log.level`: levels, alone or behind the part of the program whose lines they hold for.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::problem::did_you_mean;

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];
/// The target of our own lines; those below it are its modules.
const OWN: &str = "pivotd";
const MODULES: [&str; 28] = [
    "admin",
    "app",
    "ask",
    "catalogue",
    "cli",
    "clock",
    "config",
    "control",
    "decisions",
    "domain",
    "engine",
    "graph",
    "hex",
    "http",
    "issuers",
    "mail",
    "maltego",
    "mapping",
    "net",
    "openapi",
    "providers",
    "replay",
    "reputation",
    "runs",
    "server",
    "spend",
    "storage",
    "telemetry",
];
/// Parts under the name that they had before, with today's.
const FORMER: [(&str, &str); 9] = [
    ("pivotd::startup", "pivotd::app"),
    ("pivotd::alert", "pivotd::mail"),
    ("pivotd::engine::store", "pivotd::storage::redb"),
    (
        "pivotd::engine::cache::learnt",
        "pivotd::engine::cache::learned_marks",
    ),
    ("pivotd::engine::room", "pivotd::engine::memory_budget"),
    ("pivotd::server::attempts", "pivotd::net::attempts"),
    ("pivotd::server::descriptors", "pivotd::net::descriptors"),
    ("pivotd::server::load", "pivotd::net::load"),
    ("pivotd::server::pipeline", "pivotd::http::pipeline"),
];
/// A part whose lines come from another, too, which was a part of it before.
const DIVIDED: (&str, &str) = ("pivotd::server", "pivotd::net");
/// Targets of our own lines that are no modules.
const OTHERS: [&str; 2] = ["request", "tokens"];

/// Reads a filter such as `info`, or `warn,pivotd::engine=debug`. A misspelt one would silence the log, so each word of it
/// must be known.
///
/// # Errors
/// A text for people that names the word and what may stand there.
pub fn level(text: &str) -> Result<Targets, String> {
    let mut filter = Targets::new();
    for directive in text.split(',').map(str::trim) {
        filter = match directive.split_once('=') {
            None => filter.with_default(one(directive)?),
            Some((target, level)) => {
                let target = renamed(target.trim());
                known(&target)?;
                let level = one(level.trim())?;
                let (former, part) = DIVIDED;
                let names_part = text.split(',').any(|other| {
                    let target = other.split_once('=').map(|(target, _)| target.trim());
                    target == Some(part)
                });
                let takes_part = target == former && !names_part;
                let filter = if takes_part {
                    filter.with_target(part, level)
                } else {
                    filter
                };
                filter.with_target(target, level)
            }
        };
    }
    Ok(filter)
}

fn one(word: &str) -> Result<LevelFilter, String> {
    let found = LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, level)| *level).ok_or_else(|| {
        let names = LEVELS.map(|(name, _)| name);
        let hint = did_you_mean(word, names);
        let end = if hint.is_empty() { ";" } else { "" };
        format!(
            "unknown level \"{word}\"{hint}{end} levels are {}, alone or behind a target, as in \"warn,pivotd=debug\"",
            names.join(", ")
        )
    })
}

/// Returns a target under its name of today.
fn renamed(target: &str) -> String {
    let rest = |former: &str| {
        let rest = target.strip_prefix(former)?;
        (rest.is_empty() || rest.starts_with("::")).then_some(rest)
    };
    let mut names = FORMER.iter();
    let found = names.find_map(|(former, name)| Some(format!("{name}{}", rest(former)?)));
    found.unwrap_or_else(|| target.to_owned())
}

/// Refuses a target that nothing is logged under. Which ones libraries have is not known here, but ours is.
fn known(target: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    if target.is_empty() || !target.chars().all(is_plain) {
        return Err(format!(
            "expected a target such as pivotd or pivotd::engine before \"=\", found \"{target}\""
        ));
    }
    let mut steps = target.split("::");
    let root = steps.next().unwrap_or_default();
    if root != OWN {
        let hint = did_you_mean(root, [OWN]);
        return if hint.is_empty() {
            Ok(())
        } else {
            Err(format!("unknown target \"{target}\"{hint}"))
        };
    }
    let modules = || MODULES.into_iter().chain(OTHERS);
    match steps.next() {
        Some(step) if !modules().any(|module| module == step) => {
            let hint = did_you_mean(step, modules());
            Err(format!(
                "unknown target \"{target}\": pivotd has no part \"{step}\"{hint}"
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn every_part_of_the_program_may_be_named() {
        let lib = include_str!("../lib.rs");
        // Modules, and the crates that are parts: `pub use pivotd_domain as domain;`.
        let declared = lib.lines().filter_map(|line| {
            let line = line.strip_suffix(';')?;
            line.strip_prefix("pub mod ")
                .or_else(|| line.strip_prefix("pub use ")?.rsplit([' ', ':']).next())
        });
        let mut declared: Vec<&str> = declared.collect();
        declared.sort_unstable();
        let mut known: Vec<&str> = MODULES.into_iter().chain(["tokens"]).collect();
        known.sort_unstable();
        assert_eq!(declared, known);
    }

    #[test]
    fn levels_and_targets_are_read() {
        let filter = level("warn, pivotd=INFO,pivotd::engine=debug,h2=off").unwrap();
        assert!(filter.would_enable("pivotd::request", &Level::INFO));
        assert!(filter.would_enable("pivotd::engine::call", &Level::DEBUG));
        assert!(!filter.would_enable("reqwest", &Level::INFO));
        assert!(filter.would_enable("reqwest", &Level::WARN));
        assert!(!filter.would_enable("h2", &Level::ERROR));
    }

    #[test]
    fn a_part_may_be_named_as_it_was_before() {
        let filter = level("warn,pivotd::startup=debug,pivotd::startup::reload=trace").unwrap();
        assert!(filter.would_enable("pivotd::app", &Level::DEBUG));
        assert!(!filter.would_enable("pivotd::app", &Level::TRACE));
        assert!(filter.would_enable("pivotd::app::reload", &Level::TRACE));
        assert!(level("pivotd::startups=debug").is_err());
        let filter = level("warn,pivotd::server=debug").unwrap();
        assert!(filter.would_enable("pivotd::net::load", &Level::DEBUG));
        let filter = level("warn,pivotd::server=debug,pivotd::net=off").unwrap();
        assert!(!filter.would_enable("pivotd::net::load", &Level::ERROR));
        let filter = level("warn,pivotd::server=debug,pivotd::net::load=off").unwrap();
        assert!(filter.would_enable("pivotd::net::attempts", &Level::DEBUG));
        assert!(!filter.would_enable("pivotd::net::load", &Level::ERROR));
    }

    #[test]
    fn what_would_silence_the_log_is_refused_with_what_may_stand_there() {
        const LEVELS: &str = "levels are off, error, warn, info, debug, trace, alone or behind a target, as in \"warn,pivotd=debug\"";
        for (given, said) in [
            ("loud", format!("unknown level \"loud\"; {LEVELS}")),
            ("", format!("unknown level \"\"; {LEVELS}")),
            ("info,", format!("unknown level \"\"; {LEVELS}")),
            ("pivotd", format!("unknown level \"pivotd\"; {LEVELS}")),
            (
                "pivotd=debgu",
                format!("unknown level \"debgu\", did you mean \"debug\"? {LEVELS}"),
            ),
            (
                "info,pivtod=debug",
                "unknown target \"pivtod\", did you mean \"pivotd\"?".to_owned(),
            ),
            (
                "pivotd::enigne=debug",
                "unknown target \"pivotd::enigne\": pivotd has no part \"enigne\", did you mean \"engine\"?"
                    .to_owned(),
            ),
            (
                "[span]=debug",
                "expected a target such as pivotd or pivotd::engine before \"=\", found \"[span]\""
                    .to_owned(),
            ),
        ] {
            assert_eq!(level(given).unwrap_err(), said, "{given}");
        }
    }
}
