//! Writes to the terminal: results to standard output, everything else to standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::domain::indicator::is_turning;

/// Why standard output did not take a result, the first time.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Writes a line to standard output. A reader that has gone away has what it wanted; any other fault, such as a full disk,
/// is kept for the end of the command.
fn write_line(text: &str) {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        drop(UNWRITTEN.set(error));
    }
}

/// Returns why a result was not written whole.
pub(crate) fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}
/// How long a note of a server may take.
const NOTED: Duration = Duration::from_secs(1);

/// Removes what could steer a terminal; provider text is hostile.
#[must_use]
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() || is_turning(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Prints a result in sentences: on a terminal its lines end between words. A reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    let text = clean(text);
    let text = if io::stdout().is_terminal() {
        wrap(&text, width())
    } else {
        Cow::Borrowed(text.as_str())
    };
    write_line(&text);
}

/// Says how many of something were removed.
pub(crate) fn print_removed(count: usize, what: &str) {
    let plural = if count == 1 { "" } else { "s" };
    print(&format!("removed {count} {what}{plural}"));
}

/// Prints lines that stay as they are: those of a table, and commands to paste.
pub(crate) fn print_lines(text: &str) {
    write_line(&clean(text));
}

/// Prints a note for people; on a terminal its lines end between words.
pub(crate) fn note(text: &str) {
    let text = clean(text);
    let seen = comfy_table::Table::new().use_stderr().width().map(usize::from);
    let text = match seen.filter(|_| io::stderr().is_terminal()) {
        Some(width) => wrap(&text, width),
        None => Cow::Borrowed(text.as_str()),
    };
    say(&text);
}

/// Prints a line for people that must stay one, such as a command to paste.
pub(crate) fn note_line(text: &str) {
    say(&clean(text));
}

/// Writes to standard error in one piece: the log of a server may write there at the same time.
fn say(text: &str) {
    drop(io::stderr().lock().write_all(format!("{text}\n").as_bytes()));
}

/// Writes a command of this program as it is typed in a shell, with the configuration that was named on the command line:
/// without it, it would be about another.
#[must_use]
pub(crate) fn command(words: &str, config: Option<&Path>) -> String {
    let is_set =
        |config: &Path| std::env::var_os("PIVOTD_CONFIG").is_some_and(|set| set == config.as_os_str());
    match config.filter(|config| !is_set(config)) {
        Some(config) => format!(
            "pivotd {words} --config {}",
            quoted(&config.display().to_string())
        ),
        None => format!("pivotd {words}"),
    }
}

/// Quotes a word for a shell, where it needs that.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
}

/// Prints a note as [`note`] does, and goes on after a moment where standard error has no reader: a server must not wait for
/// a reader. The note is written once there is one, if ever.
pub(crate) fn note_in_time(text: &str) {
    let text = text.to_owned();
    in_time(move || note(&text));
}

/// Prints a line for a program that reads standard error, and goes on as [`note_in_time`] does.
pub(crate) fn line_in_time(text: &str) {
    let text = clean(text);
    in_time(move || say(&text));
}

fn in_time(write: impl FnOnce() + Send + 'static) {
    static IS_STUCK: AtomicBool = AtomicBool::new(false);
    let (done, written) = sync_channel(1);
    let writing = std::thread::Builder::new().name("pivotd-note".to_owned());
    let started = writing.spawn(move || {
        write();
        let _ = done.send(());
    });
    // A command that waited once in vain waits no more.
    if started.is_ok() && !IS_STUCK.load(Ordering::Relaxed) {
        IS_STUCK.store(written.recv_timeout(NOTED).is_err(), Ordering::Relaxed);
    }
}

/// Breaks lines that are wider than `width` at their blanks. What follows is indented as the line is, and a little more
/// where it is indented. A word that is wider stays whole.
#[must_use]
pub(crate) fn wrap(text: &str, width: usize) -> Cow<'_, str> {
    if text.lines().all(|line| line.width() <= width) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<String> = text.split('\n').map(|line| wrap_line(line, width)).collect();
    Cow::Owned(lines.join("\n"))
}

fn wrap_line(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let indent = match line.chars().take_while(|c| *c == ' ').count() {
        0 => 0,
        blanks => (blanks + 2).min(width / 2),
    };
    let mut out = String::new();
    let (mut used, mut blanks, mut has_word) = (0, 0, false);
    for (at, word) in line.split(' ').enumerate() {
        blanks += usize::from(at > 0);
        if word.is_empty() {
            continue;
        }
        if has_word && used + blanks + word.width() > width {
            out.push('\n');
            (used, blanks) = (0, indent);
        }
        out.extend(std::iter::repeat_n(' ', blanks));
        out.push_str(word);
        used += blanks + word.width();
        (blanks, has_word) = (0, true);
    }
    out
}

/// Prints an error.
pub(crate) fn error(text: &str) {
    note(&format!("pivotd: {text}"));
}

/// Prints data for other programs: unchanged, except on a terminal, where it is cleaned.
pub(crate) fn print_data(text: &str) {
    if io::stdout().is_terminal() {
        print_lines(text);
    } else {
        write_line(text);
    }
}

/// Makes text fit for one cell or line: cleaned, and without line breaks.
#[must_use]
pub(crate) fn line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// Returns the columns of the terminal. Where standard output is none, `COLUMNS`, else so many that nothing is cut:
/// the reader of a pipe wants it whole.
#[must_use]
pub(crate) fn width() -> usize {
    const DEFAULT: usize = 1000;
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let seen = comfy_table::Table::new().width().map(usize::from);
    let seen = seen.filter(|_| io::stdout().is_terminal());
    seen.or(columns).unwrap_or(DEFAULT).clamp(40, 1000)
}

/// Shows that something is waited for, on a terminal; nothing in a pipe. Goes away when it is dropped.
pub(crate) struct Progress(indicatif::ProgressBar);

impl Progress {
    /// Starts showing `what` is waited for, with the time it takes.
    pub(crate) fn start(what: &str) -> Self {
        // Drawn to standard error, and hidden by itself where that is no terminal.
        let bar = indicatif::ProgressBar::new_spinner();
        if let Ok(style) = indicatif::ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(line(what));
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_steers_the_terminal_or_turns_what_it_shows() {
        for c in "\u{1b}\u{7f}\u{9b}\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}".chars() {
            assert_eq!(clean(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
    }

    #[test]
    fn a_command_names_the_configuration_that_was_named() {
        assert_eq!(command("check", None), "pivotd check");
        let named = |path| command("check", Some(Path::new(path)));
        assert_eq!(
            named("/etc/pivotd/my.toml"),
            "pivotd check --config /etc/pivotd/my.toml"
        );
        assert_eq!(named("it's $1.toml"), "pivotd check --config 'it'\\''s $1.toml'");
    }

    #[test]
    fn lines_end_between_words() {
        assert_eq!(
            wrap("everything here is sample data", 20),
            "everything here is\nsample data"
        );
        assert_eq!(wrap("short\n\nalso short", 20), "short\n\nalso short");
        assert_eq!(
            wrap("see http://example.com/a/long/path now", 16),
            "see\nhttp://example.com/a/long/path\nnow",
            "a word stays whole"
        );
    }

    #[test]
    fn what_follows_an_indented_line_is_indented() {
        assert_eq!(
            wrap("  abuseipdb   no key  1000/day calls\n  rdap", 24),
            "  abuseipdb   no key\n    1000/day calls\n  rdap"
        );
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_word(text in "[a-z./ 例\n-]{0,80}", width in 1usize..40) {
            let wrapped = wrap(&text, width);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&wrapped), words(&text));
            for line in wrapped.lines().filter(|line| line.width() > width) {
                prop_assert_eq!(line.split_whitespace().count(), 1, "{}", line);
            }
        }
    }
}
