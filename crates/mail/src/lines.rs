//! Gives a message back the line ends that it lost on its way.

use std::borrow::Cow;

use super::headers::Field;
use super::mime::KNOWN;

/// How often a message is escaped at most.
const MOST: usize = 4;
/// Further headers that stand near the top of messages.
const COMMON: [&str; 4] = ["Cc", "Date", "Delivered-To", "MIME-Version"];

/// Gives a message its line ends that came with carriage returns alone.
pub(super) fn ended(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.contains(&b'\n') || !bytes.contains(&b'\r') {
        return Cow::Borrowed(bytes);
    }
    let line_end = |b: &u8| if *b == b'\r' { b'\n' } else { *b };
    Cow::Owned(bytes.iter().map(line_end).collect())
}

/// Undoes the escapes of JSON in a message whose first header has another behind an escaped line end: a template wrote it
/// as a string once too often.
pub(super) fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(bytes);
    for _ in 0..MOST {
        if !is_escaped(&out) {
            break;
        }
        out = Cow::Owned(undone(&out));
    }
    out
}

/// Tells a message in whose first line a header stands behind an escaped line end.
fn is_escaped(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next();
    let line = line.unwrap_or_default();
    let is_end = |two: &[u8]| matches!(two, [b'\\', b'n' | b'r']);
    let mut ends = line.windows(2).enumerate().filter(|(_, two)| is_end(two));
    ends.any(|(at, _)| line.get(at + 2..).is_some_and(begins_header))
}

/// Undoes each escape once.
fn undone(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(b) = rest.next() {
        let meant = match (b, rest.as_slice()) {
            (b'\\', [b'n', ..]) => b'\n',
            (b'\\', [b'r', ..]) => b'\r',
            (b'\\', [b't', ..]) => b'\t',
            (b'\\', [next @ (b'"' | b'\\' | b'/'), ..]) => *next,
            _ => {
                out.push(*b);
                continue;
            }
        };
        rest.next();
        out.push(meant);
    }
    out
}

/// Tells the start of a header of a name that is known.
fn begins_header(text: &[u8]) -> bool {
    KNOWN.iter().chain(&COMMON).any(|name| {
        let name = name.as_bytes();
        let head = text.get(..name.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(name)) && text.get(name.len()) == Some(&b':')
    })
}

/// Tells a message all of whose headers stand in one line, with spaces or tags where the lines ended: it has one header
/// only, and another stands in its value.
pub(super) fn is_glued(fields: &[Field<'_>]) -> bool {
    let [only] = fields else { return false };
    let is_border = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b';' | b'|');
    let line_end = |b: &u8| matches!(b, b'\r' | b'\n');
    let lines = only.value.split(line_end);
    lines.flat_map(|line| line.split(is_border)).any(begins_header)
}
