//! Reads whois text line by line: what is a key with its value, what is a comment, what is neither.

use super::{keys, places};

/// The longest line and key that are read, in bytes, and the most words of a key.
const LONGEST: usize = 2048;
const LONGEST_KEY: usize = 64;
const MOST_WORDS: usize = 6;
/// The width of a tabulator.
const TAB: usize = 8;

/// Holds a line with how far it is indented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) indent: usize,
    pub(super) text: Text<'a>,
}

/// Says what a line holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// Nothing, or rules of dashes.
    Blank,
    /// A remark of the server's operator.
    Comment(&'a str),
    /// A key as written, the same as words in lower case, and its value, perhaps empty.
    Pair {
        written: &'a str,
        key: String,
        value: &'a str,
    },
    /// Text without a key.
    Free(&'a str),
}

/// Reads the lines of a text.
pub(super) fn read(text: &str) -> Vec<Line<'_>> {
    text.split(['\n', '\r'])
        .map(|line| {
            let line = line.trim_start_matches('\u{feff}');
            if line.len() > LONGEST {
                return Line {
                    indent: 0,
                    text: Text::Comment(""),
                };
            }
            Line {
                indent: indent(line),
                text: kind(line.trim()),
            }
        })
        .collect()
}

fn indent(line: &str) -> usize {
    let mut width = 0;
    for letter in line.chars() {
        match letter {
            ' ' | '\u{a0}' => width += 1,
            '\t' => width = (width / TAB + 1) * TAB,
            _ => break,
        }
    }
    width
}

fn kind(text: &str) -> Text<'_> {
    if !text.chars().any(char::is_alphanumeric) {
        return Text::Blank;
    }
    if text.starts_with(['%', '#', '>', ';']) || text.starts_with("--") || text.starts_with("//") {
        return Text::Comment(text.trim_matches(|letter: char| "%#>;-=/ \t".contains(letter)));
    }
    // Some servers mark their headings with asterisks.
    let text = without_order(text.trim_start_matches(['*', ' ', '\t']));
    bracketed(text)
        .or_else(|| dotted(text))
        .or_else(|| with_colon(text))
        .or_else(|| in_columns(text))
        .unwrap_or(Text::Free(text))
}

/// Takes off what numbers the keys of some servers: `2a. registrant: …`.
fn without_order(text: &str) -> &str {
    let Some((order, rest)) = text.split_once(". ") else {
        return text;
    };
    let number = order.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let is_order = order.len() <= 3
        && order.len() - number.len() == 1
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_order && rest.contains(':') {
        rest.trim_start()
    } else {
        text
    }
}

/// Makes a pair of a key that can be one.
fn pair<'a>(key: &'a str, value: &'a str) -> Option<Text<'a>> {
    let written = key.trim();
    let key = keys::words(written);
    let fits = !key.is_empty() && key.len() <= LONGEST_KEY && key.split(' ').count() <= MOST_WORDS;
    // A number with a label behind it is no key.
    let dialled = written.starts_with('+') || written.bytes().filter(u8::is_ascii_digit).count() > 6;
    (fits && !dialled && !written.contains(['@', '<'])).then(|| Text::Pair {
        written,
        key,
        value: value.trim(),
    })
}

/// Reads `[Key]  value`, `a. [Key]  value` and `a [Key]  value`; `[Key][Key]`; and `[owner-c] key: value`.
fn bracketed(text: &str) -> Option<Text<'_>> {
    let text = match text.split_once(['.', ' ']) {
        Some((letter, rest)) if letter.len() == 1 => rest.trim_start(),
        _ => text,
    };
    let (key, value) = text.strip_prefix('[')?.split_once(']')?;
    let prose = key.starts_with(' ') || key.ends_with(' ');
    // What is in brackets and is no key is the server's own remark.
    if prose {
        return Some(Text::Comment(key));
    }
    if value.trim_start().starts_with('[') && value.ends_with(']') && !keys::roles(text).is_empty() {
        return pair(text, "");
    }
    // A role in brackets stands before each key of its contact.
    if !keys::roles(key).is_empty()
        && let Some((written, value)) = text.split_once(':')
        && let Some(Text::Pair { key: inner, .. }) = with_colon(text.strip_prefix('[')?.split_once(']')?.1)
        && (keys::field(&inner).is_some() || keys::is_reference(&keys::words(key)))
    {
        return pair(written, value);
    }
    let (written, value) = text.split_at_checked(text.find(']')? + 1)?;
    pair(written, value)
}

/// Reads `Key......: value` and `Key...... value`.
fn dotted(text: &str) -> Option<Text<'_>> {
    let (key, rest) = text.split_once("..")?;
    let value = rest.trim_start_matches('.');
    let led = rest.len() > value.len() || value.starts_with(':');
    let value = value.trim_start().strip_prefix(':').unwrap_or(value);
    let ends =
        value.is_empty() || value.starts_with([' ', '\t']) || !value.starts_with(char::is_alphanumeric);
    if !led || !ends || key.contains([':', '.']) {
        return None;
    }
    pair(key, value)
}

/// Reads `key: value`. A label within a street, such as "No: 12", is no key.
fn with_colon(text: &str) -> Option<Text<'_>> {
    let (key, value) = text.split_once(':')?;
    let time = key.ends_with(|letter: char| letter.is_ascii_digit())
        && value.starts_with(|letter: char| letter.is_ascii_digit());
    // The colon of an address on the web, or of an IPv6 address.
    if time || value.starts_with("//") || value.starts_with(':') {
        return None;
    }
    let pair = pair(without_number(key), value)?;
    match &pair {
        Text::Pair { key, value, .. } if keys::field(key).is_none() && places::is_label(key, value) => None,
        _ => Some(pair),
    }
}

/// Takes off the number of a contact that stands behind its heading: `Registrant [1234567]`, `Registrant #1234567`.
fn without_number(key: &str) -> &str {
    let key = key.trim_end();
    let before = match key.chars().next_back() {
        Some(']') => key.rsplit_once('['),
        Some(')') => key.rsplit_once('('),
        _ => key.rsplit_once(" #"),
    };
    match before {
        Some((before, number))
            if !before.trim().is_empty() && number.contains(|letter: char| letter.is_ascii_digit()) =>
        {
            before.trim_end()
        }
        _ => key,
    }
}

/// Reads `key    value`, where the key is one that contacts have.
fn in_columns(text: &str) -> Option<Text<'_>> {
    let end = text.find('\t').into_iter().chain(text.find("  ")).min()?;
    let (key, value) = text.split_at_checked(end)?;
    keys::field(&keys::words(key))?;
    pair(key, value)
}
