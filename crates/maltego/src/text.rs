//! What XML 1.0 can carry, and how it is escaped; and what people can see of a text.

use std::borrow::Cow;

/// Tells whether XML 1.0 allows the character (its production 2).
#[must_use]
pub fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Tells whether a character is taken out of a provider's text: it cannot be seen, and is no control character, which the
/// writer sees to.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    !c.is_control() && pivotd_domain::indicator::is_invisible(c)
}

/// Takes out of a provider's text what cannot be seen. All that providers say passes here before it reaches a graph;
/// what a client sent itself does not, since an entity has to come back byte for byte.
#[must_use]
pub fn visible(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_invisible) {
        return text;
    }
    Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect())
}

/// The first byte of U+FFFE and U+FFFF in UTF-8, and of many characters that are allowed.
const FIRST_OF_NONCHARACTER: u8 = 0xef;

/// What the writer does with a byte: most pass, a few are escaped, the forbidden go.
#[derive(Clone, Copy, Eq, PartialEq)]
enum ByteAction {
    Pass,
    Escape,
    /// Escaped in attributes only: quotes, and what a reader would turn into a blank.
    EscapeInAttribute,
    Drop,
    /// May start U+FFFE or U+FFFF.
    Look,
}

static ACTS: [ByteAction; 256] = {
    let mut acts = [ByteAction::Pass; 256];
    let mut c0 = 0;
    while c0 < 0x20 {
        acts[c0] = ByteAction::Drop;
        c0 += 1;
    }
    acts[b'\t' as usize] = ByteAction::EscapeInAttribute;
    acts[b'\n' as usize] = ByteAction::EscapeInAttribute;
    acts[b'"' as usize] = ByteAction::EscapeInAttribute;
    acts[b'\'' as usize] = ByteAction::EscapeInAttribute;
    acts[b'\r' as usize] = ByteAction::Escape;
    acts[b'&' as usize] = ByteAction::Escape;
    acts[b'<' as usize] = ByteAction::Escape;
    acts[b'>' as usize] = ByteAction::Escape;
    acts[FIRST_OF_NONCHARACTER as usize] = ByteAction::Look;
    acts
};

/// Returns the escape of a byte that has one.
const fn escape(byte: u8) -> &'static str {
    match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        b'\'' => "&apos;",
        b'\t' => "&#9;",
        b'\n' => "&#10;",
        b'\r' => "&#13;",
        _ => "",
    }
}

/// Appends `text` as element content. Forbidden characters vanish; a carriage return becomes a reference, so that
/// a reader's line-end normalisation does not change it.
pub fn push_text(out: &mut String, text: &str) {
    push(out, text, false);
}

/// Appends `text` as the inside of a double-quoted attribute.
pub(super) fn push_attribute(out: &mut String, text: &str) {
    push(out, text, true);
}

/// Tells eight bytes that all pass as they are. Each test is of all eight at once: of a word of eight bytes, it is known by
/// three operations whether one of them is 0, or is below a number of up to 128.
fn are_plain(eight: &[u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, least: u8| word.wrapping_sub(ONES * u64::from(least)) & !word & HIGHS;
    let word = u64::from_ne_bytes(*eight);
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    // Of each pair one bit is left out in which they differ: `<` and `>`, `&` and the apostrophe.
    let either = |byte: u8, bit: u8| below((word & (ONES * u64::from(!bit))) ^ (ONES * u64::from(byte)), 1);
    let escaped = either(b'<', 0x02) | either(b'&', 0x01) | is(b'"') | is(FIRST_OF_NONCHARACTER);
    below(word, b' ') | escaped == 0
}

/// Tells a text that stands in attributes as it is. Most do, which this finds out for eight bytes at a time.
fn is_plain(bytes: &[u8]) -> bool {
    let (eights, rest) = bytes.as_chunks::<8>();
    if !eights.iter().all(are_plain) {
        return false;
    }
    // What is left is tried with bytes before it, if there are any: one trial more.
    match bytes.last_chunk::<8>() {
        Some(last) => rest.is_empty() || are_plain(last),
        None => rest
            .iter()
            .all(|byte| matches!(ACTS.get(usize::from(*byte)), Some(ByteAction::Pass))),
    }
}

/// Tells a text that stands as it is in HTML that is written as XML.
pub(super) fn is_plain_html(text: &str) -> bool {
    is_plain(text.as_bytes())
}

fn push(out: &mut String, text: &str, attribute: bool) {
    let bytes = text.as_bytes();
    if is_plain(bytes) {
        out.push_str(text);
        return;
    }
    let mut from = 0;
    // Every cut below is next to an ASCII byte or around a whole three-byte character, so `get` always succeeds.
    for (at, byte) in bytes.iter().enumerate() {
        let (width, replacement) = match ACTS.get(usize::from(*byte)) {
            None | Some(ByteAction::Pass) => continue,
            Some(ByteAction::EscapeInAttribute) if !attribute => continue,
            Some(ByteAction::Escape | ByteAction::EscapeInAttribute) => (1, escape(*byte)),
            Some(ByteAction::Drop) => (1, ""),
            Some(ByteAction::Look) => match bytes.get(at..at + 3) {
                Some([_, 0xbf, 0xbe | 0xbf]) => (3, ""),
                _ => continue,
            },
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(replacement);
        from = at + width;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Tells whether any character is forbidden. Bodies rarely hold one, so the first pass, which compiles to vector
/// instructions, only asks for bytes that could belong to one.
pub(super) fn has_forbidden(text: &str) -> bool {
    let suspect = |byte: u8| {
        (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r') | (byte == FIRST_OF_NONCHARACTER)
    };
    text.bytes().fold(false, |found, byte| found | suspect(byte)) && !text.chars().all(is_xml_char)
}

/// Says what a reference (the part between `&` and `;`) stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reference<'a> {
    /// One character.
    Char(char),
    /// A number that is no character, or one that XML forbids.
    Forbidden,
    /// The name of an entity that only a DTD could declare.
    Unknown(&'a str),
    /// No reference: an ampersand that was not escaped.
    Literal,
}

/// Resolves predefined entities and character references.
pub(super) fn resolve(name: &str) -> Reference<'_> {
    if let Some(number) = name.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix('x') {
            Some(hex) => (hex, 16),
            None => (number, 10),
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return Reference::Literal;
        }
        let c = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        return c
            .filter(|c| is_xml_char(*c))
            .map_or(Reference::Forbidden, Reference::Char);
    }
    match name {
        "amp" => Reference::Char('&'),
        "lt" => Reference::Char('<'),
        "gt" => Reference::Char('>'),
        "quot" => Reference::Char('"'),
        "apos" => Reference::Char('\''),
        _ if is_name(name) => Reference::Unknown(name),
        _ => Reference::Literal,
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_' || c == ':')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_are_plain_where_each_of_them_is() {
        for byte in 0..=u8::MAX {
            let is_plain = ACTS[usize::from(byte)] == ByteAction::Pass;
            for at in 0..8 {
                for filler in [b' ', b'a', b'~', 0x7f, 0x80, 0xff, b'=', b'%', 0xee] {
                    let mut eight = [filler; 8];
                    eight[at] = byte;
                    assert_eq!(are_plain(&eight), is_plain, "{eight:?}");
                }
            }
        }
    }
}
