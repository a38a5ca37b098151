//! Reads the lines of a contact that have no labels: names first, then the address, with mailboxes and numbers anywhere.

use super::keys::{self, Field};
use super::places::{is_place, is_street};
use crate::kit::contact::{Contact, Part};
use pivotd_domain::Party;
use pivotd_domain::party::{
    Label, is_company, is_desk, is_handle, is_same_name, is_sentence, says_organization,
};

/// Lines of one contact that are read at most.
const MOST: usize = 16;

/// Words that stand beside a telephone number, with those that are keys of one.
const LABELS: &[&str] = &[
    "ext", "f", "m", "mob", "mobile", "no", "number", "office", "p", "ph", "t", "x",
];

/// Adds what free lines say to a contact; they hold no name where a label named it. Returns handles that stand there in
/// place of a name.
pub(super) fn read(lines: &[&str], named: bool, contact: &mut Contact) -> Vec<String> {
    let mut handles = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    // The name beside a mailbox, and how many lines stood above it.
    let mut beside: Option<(String, usize)> = None;
    for line in lines.iter().take(MOST) {
        let line = line.trim();
        if is_number_of_register(line) {
            continue;
        }
        if line.contains('@') {
            if is_sentence(line) {
                continue;
            }
            let name = with_mailbox(line, contact);
            if let Some(name) = name.filter(|_| beside.is_none()) {
                beside = Some((name, texts.len()));
            }
        } else if let Some((phone, fax)) = numbers(line) {
            let is_fax =
                contact.has(Part::Phone) || line.trim_start_matches('(').to_lowercase().starts_with("fax");
            let part = if is_fax { Part::Fax } else { Part::Phone };
            contact.add(part, phone);
            fax.into_iter().for_each(|fax| contact.add(Part::Fax, fax));
        } else if is_handle(line)
            && !line.contains(' ')
            && line.bytes().any(|byte| byte.is_ascii_digit())
            && texts.is_empty()
        {
            handles.push(line.to_owned());
        } else if texts.is_empty() || !is_desk(line) {
            texts.push(line);
        }
    }
    let names = if named { 0 } else { names(&texts, beside, contact) };
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
    let is_form = |text: &str| says_organization(text) && (is_company(text) || !is_place(text));
    let is_street_at = |at: usize| texts.get(at).is_some_and(|line| is_street(line));
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
            // Below "Surname, Given" with the mailbox and above the street stands the company.
            Some(first) if name.contains(',') && !is_place(first) && is_street_at(1) => {
                let is_person = Party::person(&name).is_some_and(|name| is_same_name(&name, first));
                let is_organization = !is_person && Party::organization(first).is_some();
                if is_organization {
                    contact.add(Part::Organization, first);
                }
                usize::from(is_person || is_organization)
            }
            _ => 0,
        };
    }
    let Some(first) = texts.first() else { return 0 };
    if is_place(first) && !is_form(first) {
        return 0;
    }
    let second = texts.get(1).copied().unwrap_or_default();
    if is_form(second) {
        contact.add(Part::Unlabelled, first);
        contact.add(Part::Organization, second);
        return 2;
    }
    let is_person_next =
        is_street_at(2) && !is_place(second) && Party::person(second).is_some_and(|name| name.contains(' '));
    if is_person_next && !is_organization(second) {
        contact.add(Part::Organization, first);
        contact.add(Part::Name, second);
        return 2;
    }
    contact.add(Part::Unlabelled, first);
    1
}

/// Tells whether a line is a number in brackets, such as a company's in its register: "(532745-U)".
fn is_number_of_register(line: &str) -> bool {
    line.strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .is_some_and(|inner| !inner.contains(' ') && inner.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Reads a line of telephone numbers: `+1.5550100`, `Phone: +1.5550100`, `+1.5550100 Fax: +1.5550101`.
fn numbers(line: &str) -> Option<(&str, Option<&str>)> {
    // A label in brackets, as in "(Tel) 603-5550100".
    let line = match line.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((label, rest)) if label.chars().all(char::is_alphabetic) => rest,
        _ => line,
    };
    let label = |word: &str| {
        let key = keys::words(word);
        let field = keys::field(&key);
        matches!(field, Some(Field::Part(Part::Phone | Part::Fax))) || LABELS.contains(&key.as_str())
    };
    let mut words = line
        .split(|letter: char| !letter.is_alphabetic())
        .filter(|word| !word.is_empty())
        .peekable();
    // Without a label or the sign of a country, a short number is a postal code rather.
    let least = if words.peek().is_some() || line.contains('+') {
        7
    } else {
        9
    };
    // Words beside the number say what it is of; a line that says more is no telephone's.
    if !words.all(label) {
        return None;
    }
    let is_number = |text: &str| {
        text.bytes().filter(u8::is_ascii_digit).count() >= least
            && text
                .chars()
                .all(|letter| letter.is_ascii_digit() || "+-.() /x".contains(letter))
    };
    let bare = |letter: char| letter.is_alphabetic() || ":, -.".contains(letter);
    // A label behind its number may stand in brackets.
    let behind = |letter: char| bare(letter) || matches!(letter, '(' | ')');
    let mut parts = line
        .split(['F', 'f'])
        .map(|part| part.trim_start_matches(bare).trim_end_matches(behind).trim())
        .filter(|part| is_number(part));
    Some((parts.next()?, parts.next()))
}
