//! Finds the contacts in the raw text of a whois record.
//!
//! There is no standard. Four layouts are read: `Registrant Name: …` lines (ICANN, also ARIN's
//! `OrgAbuseEmail: …`), a `Registrant:` heading over an indented block, blocks of `person:` or `role:`
//! lines that are referred to by handle (RIPE), and headings over `Name: …` lines. Privacy services and
//! prose are no contacts. An address found nowhere else is a contact without a role.

use std::collections::BTreeMap;

use crate::domain::Record;
use crate::providers::tolerant::{distinct, public_email, public_name, public_phone, public_text};

/// Contacts, values of one field, and text read from one record at most; whois text is the registrant's.
const MOST_CONTACTS: usize = 60;
const MOST_VALUES: usize = 12;
const MOST_BYTES: usize = 256 * 1024;

/// Collects the values of one contact before they are checked.
#[derive(Debug, Clone, Default)]
struct Draft {
    role: Option<&'static str>,
    handle: Option<String>,
    values: BTreeMap<&'static str, Vec<String>>,
}

impl Draft {
    fn add(&mut self, field: &'static str, value: &str) {
        let values = self.values.entry(field).or_default();
        if values.len() < MOST_VALUES && !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
}

/// Makes a contact's record of checked values; `None` where nothing but a role and a place is left.
pub(super) fn contact(role: Option<&str>, values: &BTreeMap<&'static str, Vec<String>>) -> Option<Record> {
    let checked = |field: &str, check: fn(&str) -> Option<String>| {
        values
            .get(field)
            .and_then(|values| values.iter().find_map(|value| check(value)))
    };
    let street: Vec<String> = values
        .get("street")
        .into_iter()
        .flatten()
        .filter_map(|line| public_text(line))
        .collect();
    let mut record = Record::new()
        .with_some("name", checked("name", public_name))
        .with_some("organization", checked("organization", public_name))
        .with_some("email", checked("email", first_email))
        .with_some("phone", checked("phone", public_phone))
        .with_some("fax", checked("fax", public_phone));
    let identified = !record.is_empty();
    // A privacy service's telephone and street are nobody's either.
    let named = ["name", "organization"]
        .iter()
        .any(|field| values.contains_key(field));
    if named
        && ["name", "organization", "email"]
            .iter()
            .all(|field| record.get(field).is_none())
    {
        return None;
    }
    record = record
        .with("street", street.join(", "))
        .with_some("city", checked("city", public_text))
        .with_some("state", checked("state", public_text))
        .with_some("postal", checked("postal", public_text))
        .with_some("country", checked("country", country));
    identified.then(|| record.with_some("role", role))
}

/// Extracts the contacts of a raw record, in the order of the text.
pub(super) fn extract(record: &str) -> Vec<Record> {
    let mut end = record.len().min(MOST_BYTES);
    while !record.is_char_boundary(end) {
        end -= 1;
    }
    let record = record.get(..end).unwrap_or_default();
    let mut reader = Reader::default();
    for line in record.lines() {
        reader.line(line);
    }
    let mut contacts = reader.finish();
    let known: Vec<String> = contacts
        .iter()
        .filter_map(|contact| contact.text("email").map(|email| email.to_lowercase()))
        .collect();
    let others = emails(record).filter(|email| !known.contains(&email.to_lowercase()));
    let others: Vec<Record> = distinct(others)
        .into_iter()
        .map(|email| Record::new().with("email", email))
        .collect();
    contacts.extend(others);
    contacts.truncate(MOST_CONTACTS);
    contacts
}

/// Finds the e-mail addresses of a text that are no privacy service's.
fn emails(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| letter.is_whitespace() || "<>()[]{},;:\"'|".contains(letter))
        .filter(|word| word.contains('@') && word.len() <= 254)
        .filter_map(|word| public_email(word.trim_matches(|letter: char| ".*=/\\".contains(letter))))
}

/// Brings a country's code to one case: the vendor writes `us` and `US`.
fn country(text: &str) -> Option<String> {
    public_text(text).map(|text| {
        if text.len() == 2 {
            text.to_ascii_uppercase()
        } else {
            text
        }
    })
}

fn first_email(text: &str) -> Option<String> {
    emails(text).next()
}

#[derive(Debug, Default)]
struct Reader {
    /// Contacts of `Registrant Name:` lines, by role, in the order of their first line.
    by_role: Vec<Draft>,
    /// Contacts of blocks.
    blocks: Vec<Draft>,
    /// Roles by handle (RIPE's `admin-c`).
    handles: Vec<(String, &'static str)>,
    /// The heading that the current block stands under.
    open: Option<Draft>,
    /// Lines of a block without keys, in order.
    loose: Vec<String>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let indented = line.starts_with([' ', '\t']);
        let text = line.trim();
        if text.is_empty() {
            // A blank line ends RIPE's blocks and headed ones that have content.
            if self.open.as_ref().is_some_and(|open| !open.values.is_empty()) || !self.loose.is_empty() {
                self.close();
            }
            return;
        }
        if text.starts_with(['%', '#', '>']) {
            return;
        }
        let pair = text
            .split_once(':')
            .map(|(key, value)| (words(key), value.trim()));
        match pair {
            Some((key, value)) if key.len() <= 48 && !key.is_empty() => {
                self.pair(&key, value, indented, text);
            }
            _ => match heading(text.trim_end_matches(':')) {
                Some(role) if !indented => self.head(role),
                _ => self.loose_line(text, indented),
            },
        }
    }

    fn pair(&mut self, key: &str, value: &str, indented: bool, text: &str) {
        if let Some(role) = heading(key) {
            if value.is_empty() {
                return self.head(role);
            }
            // `Registrant: Example Ltd` names somebody; `admin-c: AB1-RIPE` refers to a block.
            if key.ends_with(" c") || looks_like_handle(value) {
                self.handles.push((value.to_lowercase(), role));
            } else if !indented {
                self.close();
                self.of_role(role).add("name", value);
            }
            return;
        }
        if let Some((role, field)) = qualified(key) {
            if !indented {
                self.close();
            }
            if !value.is_empty() {
                self.of_role(role).add(field, value);
            }
            return;
        }
        match key {
            "person" | "role" | "contact" if !value.is_empty() && !indented => {
                self.close();
                let mut draft = Draft::default();
                draft.add("name", value);
                self.open = Some(draft);
            }
            "nic hdl" | "nic hdl br" | "handle" => {
                if let Some(open) = &mut self.open {
                    open.handle = Some(value.to_lowercase());
                } else if !value.is_empty() {
                    // Some registries give the handle first.
                    self.open = Some(Draft {
                        handle: Some(value.to_lowercase()),
                        ..Draft::default()
                    });
                }
            }
            _ => match (field(key), &mut self.open) {
                (Some(field), Some(open)) if !value.is_empty() => open.add(field, value),
                (None, Some(_)) if indented => self.loose_line(text, indented),
                // An unknown key at the margin ends a headed block.
                (None, Some(open)) if open.role.is_some() => self.close(),
                _ => {}
            },
        }
    }

    fn head(&mut self, role: &'static str) {
        self.close();
        self.open = Some(Draft {
            role: Some(role),
            ..Draft::default()
        });
    }

    fn loose_line(&mut self, text: &str, indented: bool) {
        if !indented && self.open.as_ref().is_some_and(|open| open.role.is_some()) && !self.loose.is_empty() {
            // Text at the margin after an indented block is no part of it.
            self.close();
        } else if self.open.as_ref().is_some_and(|open| open.role.is_some()) && self.loose.len() < 12 {
            self.loose.push(text.to_owned());
        }
    }

    /// Ends the current block: reads its lines without keys, keeps it.
    fn close(&mut self) {
        let Some(mut open) = self.open.take() else {
            self.loose.clear();
            return;
        };
        for (index, line) in std::mem::take(&mut self.loose).iter().enumerate() {
            if let Some(email) = line.split_whitespace().find(|word| word.contains('@')) {
                open.add("email", email);
                let name = line.replace(email, "");
                if !open.values.contains_key("name") {
                    open.add("name", name.trim().trim_end_matches(['(', '<', ',']).trim());
                }
            } else if index == 0 && !open.values.contains_key("name") {
                open.add("name", line);
            } else if let Some((phone, fax)) = numbers(line) {
                let field = if open.values.contains_key("phone") {
                    "fax"
                } else {
                    "phone"
                };
                open.add(field, phone);
                fax.into_iter().for_each(|fax| open.add("fax", fax));
            } else {
                open.add("street", line);
            }
        }
        if !open.values.is_empty() && self.blocks.len() < MOST_CONTACTS {
            self.blocks.push(open);
        }
    }

    fn of_role(&mut self, role: &'static str) -> &mut Draft {
        let known = self.by_role.iter().position(|draft| draft.role == Some(role));
        let index = known.unwrap_or_else(|| {
            self.by_role.push(Draft {
                role: Some(role),
                ..Draft::default()
            });
            self.by_role.len() - 1
        });
        // The index was just found or made.
        #[expect(clippy::indexing_slicing, reason = "the index was found or made above")]
        &mut self.by_role[index]
    }

    fn finish(mut self) -> Vec<Record> {
        self.close();
        let mut contacts: Vec<Record> = Vec::new();
        let mut keep = |role: Option<&str>, draft: &Draft| {
            let Some(contact) = contact(role, &draft.values) else {
                return;
            };
            if !contacts.contains(&contact) {
                contacts.push(contact);
            }
        };
        for draft in &self.by_role {
            keep(draft.role, draft);
        }
        for draft in &self.blocks {
            let mut roles: Vec<&str> = self
                .handles
                .iter()
                .filter(|(handle, _)| draft.handle.as_ref() == Some(handle))
                .map(|(_, role)| *role)
                .collect();
            roles.dedup();
            match (draft.role, roles.as_slice()) {
                (Some(role), _) => keep(Some(role), draft),
                (None, []) => keep(None, draft),
                (None, roles) => roles.iter().for_each(|role| keep(Some(role), draft)),
            }
        }
        contacts
    }
}

/// Brings a key to lower-case words: `OrgAbuseEmail`, `admin-c` and `Registrant  Name` alike.
fn words(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 4);
    let mut before = ' ';
    for letter in key.chars() {
        if letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(if letter.is_alphanumeric() || letter == '/' {
            letter.to_ascii_lowercase()
        } else {
            ' '
        });
        before = letter;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Tells the role that a whole key or heading names.
fn heading(key: &str) -> Option<&'static str> {
    let key = words(key);
    let key = key
        .strip_suffix(" details")
        .or(key.strip_suffix(" information"))
        .unwrap_or(&key);
    Some(match key {
        "registrant" | "registrant contact" | "owner" | "owner contact" | "holder" | "domain holder"
        | "owner c" | "holder c" | "domain owner" => "registrant",
        "admin"
        | "admin c"
        | "admin contact"
        | "administrative contact"
        | "administrative contacts"
        | "administrative" => "admin",
        "tech"
        | "tech c"
        | "tech contact"
        | "technical contact"
        | "technical contacts"
        | "technical"
        | "technical contact zone contact"
        | "zone c"
        | "zone contact" => "tech",
        "billing" | "billing c" | "billing contact" => "billing",
        "abuse c" | "abuse contact" | "registrar abuse contact" => "abuse",
        _ => return None,
    })
}

/// Splits a key such as `registrant contact email` or `org tech phone` into role and field.
fn qualified(key: &str) -> Option<(&'static str, &'static str)> {
    const ROLES: &[(&str, &str)] = &[
        ("registrar abuse contact ", "abuse"),
        ("org abuse ", "abuse"),
        ("rabuse ", "abuse"),
        ("abuse contact ", "abuse"),
        ("abuse ", "abuse"),
        ("org tech ", "tech"),
        ("rtech ", "tech"),
        ("registrant contact ", "registrant"),
        ("registrant ", "registrant"),
        ("owner ", "registrant"),
        ("holder ", "registrant"),
        ("administrative contact ", "admin"),
        ("administrative ", "admin"),
        ("admin contact ", "admin"),
        ("admin ", "admin"),
        ("technical contact ", "tech"),
        ("technical ", "tech"),
        ("tech contact ", "tech"),
        ("tech ", "tech"),
        ("billing contact ", "billing"),
        ("billing ", "billing"),
    ];
    ROLES
        .iter()
        .find_map(|(prefix, role)| Some((*role, field(key.strip_prefix(prefix)?)?)))
}

/// Tells which field of a contact a key names.
fn field(key: &str) -> Option<&'static str> {
    Some(match key {
        "name" | "contact name" | "full name" => "name",
        "organization" | "organisation" | "org" | "company" | "company name" | "org name"
        | "organization name" | "organisation name" | "descr" => "organization",
        "email" | "e mail" | "mail" | "email address" | "mailbox" | "abuse mailbox" => "email",
        "phone" | "phone number" | "telephone" | "tel" | "phone no" | "voice" => "phone",
        "fax" | "fax number" | "fax no" | "facsimile" | "facsimile number" => "fax",
        "street" | "address" | "street address" | "address1" | "address2" | "address3" | "street1"
        | "street2" | "street3" | "street 1" | "street 2" => "street",
        "city" | "town" => "city",
        "state" | "state/province" | "province" | "state prov" | "region" => "state",
        "postal code" | "postal" | "zip" | "zip code" | "zipcode" | "postcode" | "postalcode" => "postal",
        "country" | "country code" | "country/economy" => "country",
        _ => return None,
    })
}

fn looks_like_handle(value: &str) -> bool {
    !value.contains([' ', '@', '.'])
        && value.contains('-')
        && value.len() <= 32
        && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Reads a line of telephone numbers: `+1.5550100`, `Phone: +1.5550100`, `+1.5550100 Fax: +1.5550101`.
fn numbers(line: &str) -> Option<(&str, Option<&str>)> {
    let is_number = |text: &str| {
        text.bytes().filter(u8::is_ascii_digit).count() >= 7
            && text
                .chars()
                .all(|letter| letter.is_ascii_digit() || "+-.() /x".contains(letter))
    };
    let bare = |text: &'static str| move |letter: char| letter.is_alphabetic() || text.contains(letter);
    let mut parts = line
        .split(['F', 'f'])
        .map(|part| part.trim_matches(bare(":, -")).trim());
    let phone = parts.next().filter(|part| is_number(part))?;
    Some((phone, parts.find(|part| is_number(part))))
}
