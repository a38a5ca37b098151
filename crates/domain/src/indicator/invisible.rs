//! Finds the characters that cannot be seen, takes them out of values, and shows them to people.

use std::borrow::Cow;

/// Tells characters that cannot be seen, or that turn the direction of what stands around them: control characters,
/// direction marks, and what the Unicode Character Database calls default ignorable (`DerivedCoreProperties.txt` of
/// Unicode 16.0). They would make two values look like one, or one look like another.
///
/// White space other than control characters is not counted.
#[must_use]
#[inline]
pub fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Tells a text of ASCII's printable characters, as most values are: nothing in it is invisible.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Tells the characters that turn the direction of what stands around them (UAX #9): a value or a line with one of them is
/// shown as another than it is.
#[must_use]
pub fn is_turning(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Shows the characters that turn the direction as `\u202e`, as JSON and most languages write them.
#[must_use]
pub fn unturned(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_turning) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_turning(c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Tells the invisible characters that can mean something inside a word: joiners of scripts and of emoji, and the
/// selectors of a character's variants.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Shows a text to people: invisible characters as `U+200E`, and an ellipsis after at most `max` characters of it.
#[must_use]
pub fn visible(text: &str, max: usize) -> String {
    if text.len() <= max && is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len().min(max));
    for (at, c) in text.chars().enumerate() {
        if at >= max {
            shown.push('…');
            break;
        }
        if is_invisible(c) {
            shown.push_str(&format!("U+{:04X}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Leaves out the invisible characters that are no white space; with `joiners`, those that can mean something, too.
pub fn without(text: &str, joiners: bool) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let goes = |c: char| is_invisible(c) && !c.is_whitespace() && (joiners || !is_joiner(c));
    if text.chars().any(goes) {
        Cow::Owned(text.chars().filter(|c| !goes(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}
