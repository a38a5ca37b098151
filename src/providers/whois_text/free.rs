//! Reads the lines of a contact that have no labels: names first, then the address, with mailboxes and numbers anywhere.

use crate::domain::party::{Label, is_company, is_handle, is_sentence};
use crate::domain::{Country, Party};
use crate::providers::contact::{Contact, Part};

/// Lines of one contact that are read at most.
const MOST: usize = 16;

/// Words of addresses; a line that holds one is no name.
const PLACES: &[&str] = &[
    "apartment",
    "apt",
    "ave",
    "avenida",
    "avenue",
    "blvd",
    "boulevard",
    "box",
    "building",
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
    "plaza",
    "platz",
    "piazza",
    "road",
    "rd",
    "room",
    "rua",
    "rue",
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

/// Adds what free lines say to a contact. Returns handles that stand there in place of a name.
pub(super) fn read(lines: &[&str], contact: &mut Contact) -> Vec<String> {
    let mut handles = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    // The name beside a mailbox, and how many lines stood above it.
    let mut beside: Option<(String, usize)> = None;
    for line in lines.iter().take(MOST) {
        let line = line.trim();
        if line.contains('@') {
            if is_sentence(line) {
                continue;
            }
            let name = with_mailbox(line, contact);
            if let Some(name) = name.filter(|_| beside.is_none()) {
                beside = Some((name, texts.len()));
            }
        } else if let Some((phone, fax)) = numbers(line) {
            let is_fax = contact.has(Part::Phone) || line.to_lowercase().starts_with("fax");
            let part = if is_fax { Part::Fax } else { Part::Phone };
            contact.add(part, phone);
            fax.into_iter().for_each(|fax| contact.add(Part::Fax, fax));
        } else if is_handle(line)
            && !line.contains(' ')
            && line.bytes().any(|byte| byte.is_ascii_digit())
            && texts.is_empty()
        {
            handles.push(line.to_owned());
        } else {
            texts.push(line);
        }
    }
    let names = names(&texts, beside, contact);
    for line in texts.iter().skip(names) {
        contact.add(Part::Street, line);
    }
    handles
}

/// Takes the mailboxes of a line, and returns what else stands there.
fn with_mailbox(line: &str, contact: &mut Contact) -> Option<String> {
    let mut others: Vec<&str> = Vec::new();
    for word in line.split_whitespace() {
        if word.contains('@') {
            contact.add(
                Part::Email,
                word.trim_matches(|letter: char| "()<>[],;".contains(letter)),
            );
        } else {
            others.push(word);
        }
    }
    let text = others.join(" ");
    let text = text.trim_end_matches(|letter: char| "(<[,-".contains(letter) || letter.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}

/// Adds the names above the address, and returns how many lines they take.
fn names(texts: &[&str], beside: Option<(String, usize)>, contact: &mut Contact) -> usize {
    let is_organization = |text: &str| matches!(Party::read(text, Label::None), Some(Party::Organization(_)));
    let is_form = |text: &str| {
        matches!(Party::read(text, Label::Name), Some(Party::Organization(_)))
            && (is_company(text) || !is_place(text))
    };
    if let Some((name, above)) = beside {
        contact.add(Part::Unlabelled, &name);
        return match texts.first() {
            Some(first) if is_form(first) => {
                contact.add(Part::Organization, first);
                1
            }
            // Who stands above a person with a mailbox is the person's employer.
            Some(first) if above > 0 && !is_place(first) && Party::person(&name) != Party::person(first) => {
                contact.add(Part::Organization, first);
                1
            }
            Some(first) if above > 0 && !is_place(first) => 1,
            _ => 0,
        };
    }
    let Some(first) = texts.first() else { return 0 };
    if is_place(first) && !is_form(first) {
        return 0;
    }
    let second = texts.get(1).copied().unwrap_or_default();
    let is_street_next = texts.get(2).is_some_and(|third| is_street(third));
    if is_form(second) {
        contact.add(Part::Unlabelled, first);
        contact.add(Part::Organization, second);
        return 2;
    }
    let is_person_next =
        is_street_next && !is_place(second) && Party::person(second).is_some_and(|name| name.contains(' '));
    if is_person_next && !is_organization(second) {
        contact.add(Part::Organization, first);
        contact.add(Part::Name, second);
        return 2;
    }
    contact.add(Part::Unlabelled, first);
    1
}

/// Tells whether a line is of an address.
fn is_place(line: &str) -> bool {
    let lower = line.to_lowercase();
    let word_is_place = |word: &str| {
        PLACES.contains(&word)
            || ENDINGS
                .iter()
                .any(|end| word.len() > end.len() && word.ends_with(end))
    };
    line.bytes().any(|byte| byte.is_ascii_digit())
        || Country::find(line.trim_end_matches(['.', ','])).is_some()
        || WHOLE_PLACES.contains(&lower.trim_end_matches(['.', ',']))
        || lower
            .split(|letter: char| !letter.is_alphanumeric())
            .any(word_is_place)
}

/// Tells whether a line is a street with a number, or a post box; a postal code with its town is neither.
fn is_street(line: &str) -> bool {
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

/// Reads a line of telephone numbers: `+1.5550100`, `Phone: +1.5550100`, `+1.5550100 Fax: +1.5550101`.
fn numbers(line: &str) -> Option<(&str, Option<&str>)> {
    let is_number = |text: &str| {
        text.bytes().filter(u8::is_ascii_digit).count() >= 7
            && text
                .chars()
                .all(|letter| letter.is_ascii_digit() || "+-.() /x".contains(letter))
    };
    let bare = |letter: char| letter.is_alphabetic() || ":, -.".contains(letter);
    let mut parts = line
        .split(['F', 'f'])
        .map(|part| part.trim_matches(bare).trim())
        .filter(|part| is_number(part));
    let phone = parts.next()?;
    // Words beside the number say what it is of; a line that says more is no telephone's.
    let words = line
        .split(|letter: char| !letter.is_alphabetic())
        .filter(|word| !word.is_empty());
    (words.count() <= 4).then(|| (phone, parts.next()))
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
