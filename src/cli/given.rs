//! Takes values from the command line, or from standard input.

use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;

use super::terminal;

/// Stands for standard input.
const STDIN: &str = "-";
/// The most bytes that are read from standard input.
const MOST_BYTES: u64 = 1 << 20;

/// Returns the values: those that were given, and for `-` the lines of standard input.
pub(super) fn values(given: Vec<String>, command: &str) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::with_capacity(given.len());
    let mut is_read = false;
    for value in given {
        if value == STDIN {
            if !std::mem::replace(&mut is_read, true) {
                all.extend(read(io::stdin().lock())?);
            }
            continue;
        }
        if Path::new(&value).is_file() {
            terminal::note(&format!(
                "note: {0} is a file here, and is taken for a value; `{command} - < {0}` takes the values in it",
                terminal::line(&value)
            ));
        }
        all.push(value);
    }
    anyhow::ensure!(!is_read || !all.is_empty(), "there is no value on standard input");
    Ok(all)
}

/// Reads a value a line; empty lines, and those that begin with `#`, hold none.
fn read(input: impl Read) -> anyhow::Result<Vec<String>> {
    let mut bytes = Vec::new();
    input
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .context("standard input")?;
    anyhow::ensure!(
        bytes.len() as u64 <= MOST_BYTES,
        "standard input has more than {MOST_BYTES} bytes; give it in parts"
    );
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines();
    let values = lines
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(values.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_value() {
        let text = "\u{feff}example.com\r\n\r\n# a note\n 192.0.2.7 \nexample.org";
        assert_eq!(
            read(text.as_bytes()).unwrap(),
            ["example.com", "192.0.2.7", "example.org"]
        );
        let max = usize::try_from(MOST_BYTES).unwrap();
        assert!(read("a".repeat(max).as_bytes()).is_ok());
        assert!(read("a".repeat(max + 1).as_bytes()).is_err());
    }
}
