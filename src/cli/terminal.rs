//! Writes to the terminal: results to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

/// Removes what could steer a terminal; provider text is hostile.
#[must_use]
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}

/// Prints a result; a reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    drop(writeln!(io::stdout().lock(), "{}", clean(text)));
}

/// Prints a note for people.
pub(crate) fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", clean(text)));
}

/// Prints an error.
pub(crate) fn error(text: &str) {
    note(&format!("pivotd: {text}"));
}

/// Prints data for other programs: unchanged, except on a terminal, where it is cleaned.
pub(crate) fn print_data(text: &str) {
    if io::stdout().is_terminal() {
        print(text);
    } else {
        drop(writeln!(io::stdout().lock(), "{text}"));
    }
}

/// Makes text fit for one cell or line: cleaned, and without line breaks.
#[must_use]
pub(crate) fn line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// Returns the columns of the terminal. Where standard output is none, `COLUMNS`, else so many that nothing is cut:
/// whoever reads a pipe wants it whole.
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
