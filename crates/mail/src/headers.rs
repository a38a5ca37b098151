//! Cuts a block of headers into fields. What reads a field gets its octets as they stand, so that nothing is lost
//! before it is looked at.

use mail_parser::parsers::MessageStream;

use super::unicode::plain;

/// How many octets of a field are decoded: the time that `mail-parser` takes for encoded words grows with the square
/// of their number.
const MAX_DECODED: usize = 8 * 1024;

/// Is one header field.
pub(super) struct Field<'x> {
    name: &'x [u8],
    /// What stands behind the colon, line ends of folding included.
    pub(super) value: &'x [u8],
}

impl Field<'_> {
    /// Tells the field by its name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Returns the value in one line.
    pub(super) fn unfolded(&self) -> String {
        unfolded(self.value)
    }
}

/// Joins the lines of a value.
fn unfolded(value: &[u8]) -> String {
    let kept: Vec<u8> = value
        .iter()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .copied()
        .collect();
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Returns the fields of a block from the top. Lines without a name and a colon are none.
pub(super) fn fields(block: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in block.split_inclusive(|b| *b == b'\n') {
        let continues = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        if !continues {
            fields.extend(block.get(start..at).and_then(field));
            start = at;
        }
        at += line.len();
    }
    fields.extend(block.get(start..at).and_then(field));
    fields
}

/// Reads a field; a link (`https://…`) or a tag is none.
pub(super) fn field(text: &[u8]) -> Option<Field<'_>> {
    let colon = text.iter().position(|b| *b == b':')?;
    let name = text.get(..colon)?.trim_ascii_end();
    let value = text.get(colon + 1..)?;
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    (is_name && !name.starts_with(b"<") && !value.starts_with(b"//")).then_some(Field { name, value })
}

/// Reads a comment (RFC 5322, 3.2.2) from behind its bracket: its text, nested brackets left out, and what follows it.
pub(super) fn comment(text: &str) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut depth = 1_usize;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => inner.extend(chars.next()),
            '(' => {
                depth += 1;
                inner.push(' ');
            }
            ')' if depth == 1 => return Some((inner, chars.as_str())),
            ')' => {
                depth -= 1;
                inner.push(' ');
            }
            c => inner.push(c),
        }
    }
    None
}

/// Decodes the encoded words (RFC 2047) of a value, and keeps at most so many characters.
pub(super) fn decoded(value: &str, max: usize) -> String {
    let mut end = value.len().min(MAX_DECODED);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let cut = value.get(..end).unwrap_or_default();
    if !cut.contains("=?") {
        return plain(cut, max);
    }
    // The parser wants the line end that a header has.
    let line = format!("{cut}\n");
    let text = MessageStream::new(line.as_bytes()).parse_unstructured();
    plain(text.as_text().unwrap_or_default(), max)
}

/// Returns the characters of a line up to a bound, without the marks of quotes before it and what cannot be seen.
pub(super) fn plain_line(line: &str, max: usize) -> String {
    let bare = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '>' | '|' | '\u{2502}'));
    plain(bare, max)
}
