//! Writes to the terminal: results to standard output, everything else to standard error.

use std::io::{self, Write};

/// Removes what could steer a terminal; provider text is hostile.
#[must_use]
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
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
