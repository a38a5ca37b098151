//! Reads telephone numbers, with the extension behind them.

use crate::words::words;

/// How many digits a telephone number has. ITU-T E.164 ends at 15; private plans go further.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=20;
/// The most digits of an extension.
const MOST_OF_EXTENSION: usize = 8;

/// What stands between a number and its extension, in several languages.
const EXTENSION: &[&str] = &[
    "anexo",
    "anknytning",
    "dahili",
    "durchwahl",
    "dw",
    "ext",
    "extension",
    "extn",
    "int",
    "interne",
    "interno",
    "klapka",
    "linka",
    "lok",
    "nebenstelle",
    "nst",
    "poste",
    "ramal",
    "toestel",
    "wew",
    "x",
    "доб",
];

/// Splits a number as people write it from its extension: `+1.2025550143 [1234]`, `… ext. 12`, `… x12`.
pub fn split_extension(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let whole = (text, None);
    let closed = text.trim_end_matches([')', ']', ' ']);
    let head = closed.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let Some(extension) = closed.strip_prefix(head) else {
        return whole;
    };
    if !(1..=MOST_OF_EXTENSION).contains(&extension.len()) {
        return whole;
    }
    let marked = head.trim_end();
    let unmarked = marked.trim_end_matches(['.', ':', '(', '[', '#', '-', ' ']);
    let before = unmarked.trim_end_matches(char::is_alphabetic);
    let word = unmarked.strip_prefix(before).unwrap_or_default();
    let is_word = matches!(words(word).as_slice(), [word] if EXTENSION.contains(&word.as_str()));
    let number = if is_word {
        before
    } else if marked.ends_with(['[', '#']) && word.is_empty() {
        unmarked
    } else {
        return whole;
    };
    let number = number.trim_end_matches([' ', ',', '.', ';', '(', '[', '-', '/', ':', '#']);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits < *PHONE_DIGITS.start() {
        return whole;
    }
    (
        number,
        Some(extension).filter(|digits| digits.bytes().any(|digit| digit != b'0')),
    )
}

/// Returns a telephone number as digits, with `+` where it is written and `x` before an extension.
pub(super) fn phone(raw: &str) -> Option<String> {
    let lower = raw.to_ascii_lowercase();
    let number = lower.strip_prefix("tel:").unwrap_or(&lower).trim();
    let (number, extension) = split_extension(number);
    // The sign of an extension that is not told.
    let number = number.trim_end_matches(['x', ' ']);
    let (plus, number) = match number.strip_prefix('+') {
        // "+44 (0)20 …" shows the trunk prefix that is not dialled from abroad.
        Some(rest) => ("+", rest.replacen("(0)", "", 1)),
        None => ("", number.to_owned()),
    };
    let spaced = |c: char| {
        matches!(
            c,
            ' ' | '.' | '-' | '(' | ')' | '/' | '\u{a0}' | '\u{2010}'..='\u{2015}'
        )
    };
    if !number.chars().all(|c| c.is_ascii_digit() || spaced(c)) {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if !PHONE_DIGITS.contains(&digits.len()) {
        return None;
    }
    Some(match extension {
        None => format!("{plus}{digits}"),
        Some(extension) => format!("{plus}{digits}x{extension}"),
    })
}
