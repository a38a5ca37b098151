//! Reads the texts and links of calendars (RFC 5545).

use super::encodings::{Encoding, decode};
use super::links;
use super::parts::About;
use super::text::{LinkVisitor, find_in_piece};
use super::unicode::visible;

/// The properties that people read.
const PROSE: [&str; 6] = ["COMMENT", "CONTACT", "DESCRIPTION", "LOCATION", "SUMMARY", "URL"];

/// Is a file that stands in a calendar.
pub(super) struct File {
    pub(super) about: About,
    pub(super) bytes: Vec<u8>,
}

/// Tells of every link of a calendar; returns the files that stand in it.
pub(super) fn find(text: &str, found: &mut LinkVisitor<'_>) -> Vec<File> {
    let mut files = Vec::new();
    let unfolded = unfolded(text);
    for line in unfolded.lines() {
        let (name, value) = split(line);
        let upper = name.to_ascii_uppercase();
        let is_file = ["ENCODING=BASE64", "ENCODING=\"BASE64\"", "ENCODING=B;", ";BASE64"];
        if is_file.iter().any(|sign| upper.contains(sign)) || upper.ends_with("ENCODING=B") {
            let decoded = decode(value.as_bytes(), Encoding::Base64);
            if !decoded.is_broken && !decoded.bytes.is_empty() {
                let title = parameter(name, &["X-FILENAME", "FILENAME", "X-APPLE-FILENAME"]);
                let about = About::file(
                    &parameter(name, &["FMTTYPE"]).unwrap_or_default(),
                    title.map(|title| visible(&title)),
                );
                files.push(File {
                    about,
                    bytes: decoded.bytes.into_owned(),
                });
            }
            continue;
        }
        if !find_in_piece(name, found) {
            break;
        }
        // As vCalendar 1.0 writes texts.
        let plain = if upper.contains("QUOTED-PRINTABLE") {
            let decoded = decode(value.as_bytes(), Encoding::QuotedPrintable);
            String::from_utf8_lossy(&decoded.bytes).into_owned()
        } else {
            value.to_owned()
        };
        // A value may be a page itself.
        if upper.starts_with("ATTACH") && !links::in_value(&plain, found) {
            break;
        }
        let value = unescaped(&plain);
        let is_page = upper.contains("TEXT/HTML") || value.contains("href=") || value.contains("HREF=");
        // In what people write, a name by itself is a link; what programs write is full of names.
        let is_prose = PROSE.iter().any(|property| upper.starts_with(property));
        let goes_on = if is_prose || is_page {
            links::find(&value, is_page, found)
        } else {
            find_in_piece(&value, found)
        };
        if !goes_on {
            break;
        }
    }
    files
}

/// Returns the value of the first of a line's parameters that has one of these names.
fn parameter(line: &str, names: &[&str]) -> Option<String> {
    let mut is_quoted = false;
    let parts = line.split(|c| {
        is_quoted ^= c == '"';
        c == ';' && !is_quoted
    });
    let pairs = parts.filter_map(|part| part.split_once('='));
    let values = pairs.filter(|(key, _)| names.iter().any(|name| name.eq_ignore_ascii_case(key.trim())));
    let mut values = values.map(|(_, value)| value.trim().trim_matches('"').to_owned());
    values.find(|value| !value.is_empty())
}

/// Joins folded lines: a line end and one white space are no part of the text. In quoted-printable, as vCalendar 1.0 has it,
/// a line that ends with an equals sign goes on, too.
fn unfolded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.replace("\r\r\n", "\n").replace("\r\n", "\n");
    let mut start = 0;
    // Known as soon as the name of the line is.
    let mut is_quoted_printable = None;
    for line in text.split(['\r', '\n']) {
        let is_soft = is_quoted_printable == Some(true) && out.ends_with('=');
        if is_soft {
            out.pop();
        }
        if line.is_empty() {
            is_quoted_printable = is_quoted_printable.filter(|_| !is_soft);
            continue;
        }
        match line.strip_prefix([' ', '\t']) {
            Some(more) => out.push_str(more),
            None if is_soft => out.push_str(line),
            None => {
                if !out.is_empty() {
                    out.push('\n');
                }
                start = out.len();
                is_quoted_printable = None;
                out.push_str(line);
            }
        }
        if is_quoted_printable.is_none() && line.contains(':') {
            let (name, _) = split(out.get(start..).unwrap_or_default());
            is_quoted_printable = Some(name.to_ascii_uppercase().contains("QUOTED-PRINTABLE"));
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
