//! From the bytes of a body to the text of an XML document, whatever the sender thought an encoding is.
//!
//! Clients send UTF-8 without a declaration, but the vendor's own server has always taken a byte-order mark, UTF-16
//! and declared Latin-1 too, and Windows clients have sent their local charset undeclared. Nothing here fails: what
//! cannot be decoded is replaced, and [`DecodedBody::guessed`] says so.

use super::text;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// How far into a body an XML declaration is looked for, in bytes.
const DECLARATION: usize = 256;

/// Holds a decoded body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodedBody<'a> {
    /// The document, without byte-order mark, leading blanks and characters that XML forbids. At most three times
    /// as long as the body, in bytes.
    pub text: Cow<'a, str>,
    /// The encoding that was used, by its WHATWG name.
    pub encoding: &'static str,
    /// Whether the bytes were invalid as what they claimed to be, so that windows-1252 or replacement characters
    /// stand in for what was meant.
    pub guessed: bool,
    /// How many line ends were stripped before the document, for positions in error messages.
    pub skipped_lines: u32,
}

/// Decodes a body: byte-order mark, else the zero bytes of UTF-16, else the declared encoding, else UTF-8. Bytes
/// that are neither declared nor valid UTF-8 are read as windows-1252, in which every byte means something.
#[must_use]
pub fn decode(bytes: &[u8]) -> DecodedBody<'_> {
    let (text, encoding, guessed) = to_text(bytes);
    let (text, skipped_lines) = strip_start(text);
    let text = if text::has_forbidden(&text) {
        Cow::Owned(text.chars().filter(|c| text::is_xml_char(*c)).collect())
    } else {
        text
    };
    DecodedBody {
        text,
        encoding: encoding.name(),
        guessed,
        skipped_lines,
    }
}

fn to_text(bytes: &[u8]) -> (Cow<'_, str>, &'static Encoding, bool) {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = marked
        .or_else(|| bare_utf16(bytes))
        .or_else(|| declared(bytes))
        .unwrap_or(UTF_8);
    if encoding == UTF_8 {
        let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        return match std::str::from_utf8(rest) {
            Ok(text) => (Cow::Borrowed(text), UTF_8, false),
            Err(_) => (
                WINDOWS_1252.decode_without_bom_handling(rest).0,
                WINDOWS_1252,
                true,
            ),
        };
    }
    let (text, replaced) = encoding.decode_with_bom_removal(bytes);
    (text, encoding, replaced)
}

/// Recognises UTF-16 without a mark: markup is ASCII, so every other byte of the start is zero.
fn bare_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [low, 0, next, 0, ..] if *low != 0 && *next != 0 => Some(UTF_16LE),
        [0, low, 0, next, ..] if *low != 0 && *next != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Reads the encoding of an XML declaration. A declaration that could be read as ASCII was not written in UTF-16,
/// whatever it says (senders re-encode bodies and leave the declaration as it was).
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..DECLARATION).unwrap_or(bytes).trim_ascii_start();
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let head = head.get(..end)?;
    let at = head.windows(8).position(|word| word == b"encoding")?;
    let rest = head
        .get(at + 8..)?
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let (quote, rest) = rest
        .split_first()
        .filter(|(quote, _)| matches!(**quote, b'"' | b'\''))?;
    let label = rest.split(|byte| byte == quote).next()?;
    Encoding::for_label_no_replacement(label).filter(|e| *e != UTF_16LE && *e != UTF_16BE)
}

fn strip_start(text: Cow<'_, str>) -> (Cow<'_, str>, u32) {
    let stray = |c: char| c.is_whitespace() || c == '\u{feff}' || !text::is_xml_char(c);
    let kept = text.trim_start_matches(stray).len();
    let cut = text.len() - kept;
    if cut == 0 {
        return (text, 0);
    }
    let lines = text.bytes().take(cut).filter(|byte| *byte == b'\n').count();
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(cut..).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.drain(..cut);
            Cow::Owned(text)
        }
    };
    (text, u32::try_from(lines).unwrap_or(u32::MAX))
}
