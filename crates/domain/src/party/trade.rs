//! Knows what a name can be that is no person's: a trade name with digits, signs or quotation marks.

use super::shape;
use crate::words::words;

/// Words of addresses: with a number beside them, they are no name.
const STREETS: &[&str] = &[
    "apartment",
    "apt",
    "av",
    "ave",
    "avenida",
    "avenue",
    "blvd",
    "boulevard",
    "box",
    "calle",
    "cad",
    "drive",
    "floor",
    "highway",
    "hwy",
    "lane",
    "mah",
    "piazza",
    "platz",
    "plaza",
    "postfach",
    "rd",
    "road",
    "room",
    "rua",
    "rue",
    "sok",
    "st",
    "str",
    "strasse",
    "straße",
    "street",
    "suite",
    "ul",
    "ulica",
    "unit",
    "via",
    "weg",
];
const ENDINGS: &[&str] = &["gasse", "platz", "straat", "strasse", "straße", "vej", "weg"];

/// The fewest letters of a trade name.
const FEWEST: usize = 2;

/// Tells whether a text that can be a name, and is no person's, is a trade name.
pub(super) fn is_trade_name(text: &str) -> bool {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let digits = text.chars().any(|letter| letter.is_ascii_digit());
    let signs = text.contains(['+', '/', '!', '"', '“', '”', '„', '«', '»', '(', '（']);
    letters >= FEWEST
        && (digits || signs)
        && !(digits && is_of_address(text))
        && !is_user(text)
        && !is_of_codes(text)
}

/// Tells whether a word of the text is one of addresses.
fn is_of_address(text: &str) -> bool {
    words(text).iter().any(|word| {
        let ends = |end: &&str| word.len() > end.len() && word.ends_with(end);
        STREETS.contains(&word.as_str()) || ENDINGS.iter().any(ends)
    })
}

/// Tells the name of a user, such as `jdoe75`: one word in small letters with its number behind it.
fn is_user(text: &str) -> bool {
    let before = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    before.len() < text.len() && !before.is_empty() && before.chars().all(char::is_lowercase)
}

/// Tells whether each word is a code, or shorter than a word: `AB-1 / CD-2`.
fn is_of_codes(text: &str) -> bool {
    text.split(' ').all(|word| {
        let letters = word.chars().filter(|letter| letter.is_alphabetic()).count();
        letters < FEWEST || shape::is_handle(word)
    })
}
