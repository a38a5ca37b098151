//! Reads the texts and links of calendars (RFC 5545).

use super::encodings::{Encoding, decode};
use super::links;
use super::text::Found;

/// Tells of every link of a calendar, and of every file that stands in it.
pub(super) fn find(text: &str, found: &mut Found<'_>, file: &mut dyn FnMut(&[u8])) {
    let unfolded = unfolded(text);
    for line in unfolded.lines() {
        let (name, value) = split(line);
        let upper = name.to_ascii_uppercase();
        if upper.starts_with("ATTACH") && upper.contains("ENCODING=BASE64") {
            let decoded = decode(value.as_bytes(), Encoding::Base64);
            if !decoded.is_broken && !decoded.bytes.is_empty() {
                file(&decoded.bytes);
            }
            continue;
        }
        if !links::find(name, false, found) {
            return;
        }
        // As vCalendar 1.0 writes texts.
        let plain = if upper.contains("QUOTED-PRINTABLE") {
            let decoded = decode(value.as_bytes(), Encoding::QuotedPrintable);
            String::from_utf8_lossy(&decoded.bytes).into_owned()
        } else {
            value.to_owned()
        };
        let value = unescaped(&plain);
        let is_page = upper.contains("TEXT/HTML") || value.contains("href=") || value.contains("HREF=");
        if !links::find(&value, is_page, found) {
            return;
        }
    }
}

/// Joins folded lines: a line end and one white space are no part of the text.
fn unfolded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        match line.strip_prefix([' ', '\t']) {
            Some(more) => out.push_str(more),
            None => {
                if at > 0 {
                    out.push('\n');
                }
                out.push_str(line);
            }
        }
    }
    out
}

/// Cuts a line into its name with parameters, and its value. A colon within quotes cuts nothing.
fn split(line: &str) -> (&str, &str) {
    let mut is_quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            ':' if !is_quoted => {
                let (name, rest) = line.split_at(at);
                return (name, rest.strip_prefix(':').unwrap_or(rest));
            }
            _ => {}
        }
    }
    ("", line)
}

/// Takes the escapes of a text back: `\n`, `\,`, `\;`, `\\`.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(c) => out.push(c),
            None => out.push('\\'),
        }
    }
    out
}
