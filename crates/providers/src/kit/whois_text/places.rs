//! Knows how the lines of an address look.

use pivotd_domain::Country;
use pivotd_domain::words::plain;

/// Words of addresses; a line that holds one is no name.
const PLACES: &[&str] = &[
    "apartment",
    "apt",
    "ave",
    "avenida",
    "avenue",
    "blok",
    "blvd",
    "boulevard",
    "box",
    "bulvari",
    "building",
    "cad",
    "cadde",
    "caddesi",
    "calle",
    "city",
    "drive",
    "floor",
    "gasse",
    "gata",
    "highway",
    "hwy",
    "house",
    "katu",
    "lane",
    "mah",
    "mahalle",
    "mahallesi",
    "plaza",
    "platz",
    "piazza",
    "road",
    "rd",
    "room",
    "rua",
    "rue",
    "sok",
    "sokagi",
    "sokak",
    "square",
    "st",
    "str",
    "strasse",
    "straße",
    "street",
    "suite",
    "tower",
    "ul",
    "ulica",
    "via",
    "weg",
];

/// Ends of words of addresses, as in "Beispielstrasse".
const ENDINGS: &[&str] = &[
    "gasse", "gata", "gatan", "gade", "katu", "laan", "platz", "straat", "strasse", "straße", "vej", "veien",
    "weg",
];

/// Towns and states of several words that stand alone on a line; countries are known elsewhere.
const WHOLE_PLACES: &[&str] = &[
    "buenos aires",
    "kuala lumpur",
    "los angeles",
    "mexico city",
    "new delhi",
    "new jersey",
    "new york",
    "nuevo leon",
    "rio de janeiro",
    "san diego",
    "san francisco",
    "san jose",
    "sao paulo",
    "são paulo",
    "st petersburg",
    "tel aviv",
];

/// Labels of numbers within an address.
const NUMBERED: &[&str] = &[
    "ap",
    "apartment",
    "apt",
    "apto",
    "bl",
    "bloc",
    "block",
    "bloco",
    "box",
    "casa",
    "d",
    "daire",
    "et",
    "etaj",
    "flat",
    "floor",
    "house",
    "k",
    "kat",
    "km",
    "kv",
    "level",
    "lot",
    "no",
    "nr",
    "office",
    "p o box",
    "piso",
    "planta",
    "plot",
    "po box",
    "postfach",
    "puerta",
    "room",
    "sc",
    "suite",
    "unit",
    "д",
    "кв",
    "корп",
    "оф",
    "стр",
];

/// Labels of names within an address.
const NAMED: &[&str] = &[
    "blok",
    "c/o",
    "cad",
    "cadde",
    "caddesi",
    "mah",
    "mahalle",
    "mahallesi",
    "sok",
    "sokak",
    "ул",
];

/// Words that stand before the label of a number, besides those of streets.
const BEFORE_NUMBER: &[&str] = &["bina", "daire", "kapi"];

/// Tells whether a key is a label within a street: "No: 12", "Kat: 3", "c/o: …". A number has a label of its own, or one
/// behind a street's name; "Company No" is none.
pub(super) fn is_label(key: &str, value: &str) -> bool {
    let (before, label) = key.rsplit_once(' ').unwrap_or(("", key));
    let number = value.split([' ', ',', '/']).next().unwrap_or_default();
    let numbered = number.len() <= 5
        && (number.len() == 1 || number.bytes().any(|byte| byte.is_ascii_digit()))
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let street = before.is_empty()
        || before
            .split(' ')
            .any(|word| is_place_word(word) || BEFORE_NUMBER.contains(&word) || NAMED.contains(&word));
    NAMED.contains(&label) && (street || label != "c/o")
        || numbered && (NUMBERED.contains(&key) || NUMBERED.contains(&label) && street)
}

/// Tells whether a line holds the name or the address of a host, as in a list of name servers.
pub(super) fn names_host(line: &str) -> bool {
    let label = |label: &str| {
        label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    line.split_whitespace().any(|word| {
        let word = word.trim_end_matches('.');
        let labels = || word.split('.');
        let last = labels().next_back().unwrap_or_default();
        let ends = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
            || labels().count() == 4 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        labels().count() >= 3 && ends && labels().all(|part| !part.is_empty() && label(part))
    })
}

/// Tells whether a line is of an address.
pub(super) fn is_place(line: &str) -> bool {
    let lower = plain(&line.to_lowercase());
    line.bytes().any(|byte| byte.is_ascii_digit())
        || Country::find(line.trim_end_matches(['.', ','])).is_some()
        || WHOLE_PLACES.contains(&lower.trim_end_matches(['.', ',']))
        || lower
            .split(|letter: char| !letter.is_alphanumeric())
            .any(is_place_word)
}

/// Tells whether a word is one of addresses.
fn is_place_word(word: &str) -> bool {
    PLACES.contains(&word)
        || ENDINGS
            .iter()
            .any(|end| word.len() > end.len() && word.ends_with(end))
}

/// Tells whether a line is a street with a number, or a post box; a postal code with its town is neither.
pub(super) fn is_street(line: &str) -> bool {
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let number = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        (1..=4).contains(&digits) && word.len() <= 6
    };
    let numbered = words.first().is_some_and(number) || words.last().is_some_and(number);
    let named = words.iter().any(|word| {
        let word = word.trim_end_matches('.');
        PLACES.contains(&word) || ENDINGS.iter().any(|end| word.ends_with(end))
    });
    let has_digit = line.bytes().any(|byte| byte.is_ascii_digit());
    let state = words
        .first()
        .is_some_and(|word| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    words.len() > 1 && (numbered && !state || named && has_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_and_towns_are_places() {
        for place in WHOLE_PLACES {
            assert!(is_place(place) && Country::find(place).is_none(), "{place}");
        }
        for country in ["The Netherlands", "RUSSIAN FEDERATION", "Hong Kong.", "Viet Nam,"] {
            assert!(is_place(country), "{country}");
        }
        assert!(!is_place("Jane Doe"));
    }
}
