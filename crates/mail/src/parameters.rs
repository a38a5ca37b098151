//! Finds every value that programs for mail read of one parameter of a header (RFC 2045, 5.1, and RFC 2231).

use super::senders::without_comments;

/// How many values are kept; a header with more than one contradicts itself anyway.
const MAX_VALUES: usize = 16;

/// Holds the values of one parameter.
#[derive(Default)]
pub(super) struct ParameterValues {
    /// The values by the rules, each once: more than one, where the header contradicts itself.
    pub(super) values: Vec<String>,
    /// What programs read that take quotes, comments or escapes for a part of a value, or do not; the values among them.
    pub(super) all: Vec<String>,
}

impl ParameterValues {
    /// Reads a parameter of a header's value, which is given in one line.
    pub(super) fn of(header: &str, wanted: &str) -> Self {
        let mut found = Self::default();
        let mut pieces: Vec<(u64, String)> = Vec::new();
        for segment in segments(header).into_iter().skip(1) {
            let Some((name, raw)) = segment.split_once('=') else {
                continue;
            };
            let name = without_comments(name).trim().to_ascii_lowercase();
            let (name, form) = match name.split_once('*') {
                Some((name, form)) => (name.trim(), Some(form.trim())),
                None => (name.as_str(), None),
            };
            if name != wanted {
                continue;
            }
            let value = value(raw);
            match form {
                None => {
                    found.take(&value);
                    found.vary(raw.trim());
                }
                Some("") => found.take(&extended(&value)),
                Some(form) => {
                    // What is no number stands behind all that are.
                    let number = form.trim_end_matches('*').parse::<u32>();
                    let number = number.map_or(u64::MAX, u64::from);
                    let value = if form.ends_with('*') {
                        extended(&value)
                    } else {
                        value
                    };
                    pieces.push((number, value));
                }
            }
        }
        found.join(pieces);
        found
    }

    /// Tells a header that gives the parameter several values.
    pub(super) fn contradict(&self) -> bool {
        self.values.len() > 1
    }

    fn take(&mut self, value: &str) {
        let value = value.trim_end();
        let is_known = self.values.iter().any(|known| known == value);
        if !value.is_empty() && self.values.len() < MAX_VALUES && !is_known {
            self.values.push(value.to_owned());
        }
        self.add(value);
    }

    fn add(&mut self, value: &str) {
        let value = value.trim_end();
        let is_known = || self.all.iter().any(|known| known == value);
        if !value.is_empty() && self.all.len() < MAX_VALUES && !is_known() {
            self.all.push(value.to_owned());
        }
    }

    /// Adds what programs read that know less of the rules.
    fn vary(&mut self, raw: &str) {
        let inner = |mark: char| raw.strip_prefix(mark).and_then(|raw| raw.strip_suffix(mark));
        self.add(inner('"').unwrap_or(raw));
        self.add(inner('\'').unwrap_or_default());
        if !raw.starts_with('"') {
            self.add(without_comments(raw).trim());
        }
    }

    /// Joins the pieces of a value. Programs may stop where one is missing.
    fn join(&mut self, mut pieces: Vec<(u64, String)>) {
        pieces.sort();
        pieces.dedup();
        let first = pieces.first().map_or(0, |(number, _)| *number);
        let whole: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
        let mut expected = Some(first);
        let unbroken: String = pieces
            .iter()
            .take_while(|(number, _)| {
                let is_next = expected == Some(*number);
                expected = number.checked_add(1);
                is_next
            })
            .map(|(_, text)| text.as_str())
            .collect();
        self.take(&whole);
        self.take(&unbroken);
    }
}

/// Cuts a header's value at its semicolons. Those within quotes cut nothing, unless the quotes are never closed.
fn segments(header: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut start = 0;
    for (at, c) in header.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                found.extend(header.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    let rest = header.get(start..).unwrap_or_default();
    found.push(rest);
    if is_quoted {
        found.extend(rest.split(';').skip(1));
    }
    found
}

/// Reads a value: quoted, or up to white space or a comment.
fn value(raw: &str) -> String {
    let raw = raw.trim();
    let Some(quoted) = raw.strip_prefix('"') else {
        let end = raw.find(|c: char| c.is_whitespace() || c == '(');
        return raw.get(..end.unwrap_or(raw.len())).unwrap_or_default().to_owned();
    };
    let mut out = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// Reads an extended value: `charset'language'text`, where the text may be percent-encoded.
fn extended(value: &str) -> String {
    let mut fields = value.splitn(3, '\'');
    let text = match (fields.next(), fields.next(), fields.next()) {
        (Some(_), Some(_), Some(text)) => text,
        _ => value,
    };
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}
