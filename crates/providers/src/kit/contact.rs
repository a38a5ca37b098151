//! Makes the records of contacts, whichever provider tells them: the one place where a name becomes a person's or an
//! organization's.
//!
//! A provider adds what it was told, field by field. What is no name, mailbox, number or place is left out here, and a
//! contact that a privacy service hides gives no record. One contact can have several roles, mailboxes and numbers; each
//! gets a record, since a record holds one of each.

use std::collections::BTreeMap;

use super::facts::country_code;
use super::reach::{Phone, emails, phones};
use super::tolerant::{Node, public_text};
use pivotd_domain::Record;
use pivotd_domain::party::{Label, Party, is_address_line, is_desk, is_same_name, with_mailbox};
use pivotd_domain::privacy::{is_private_contact, is_proxy_name, is_service_mailbox};

mod withheld;

pub use withheld::{WithheldFields, untold};

/// Contacts of one registration at most.
const MOST_CONTACTS: usize = 100;
/// Values of one field, and roles of one contact at most.
const MOST_VALUES: usize = 12;
const MOST_ROLES: usize = 8;
/// The longest value that is read, in bytes.
const LONGEST: usize = 1024;

/// The parts that hold names, and what each calls them.
const LABELS: [(Part, Label); 4] = [
    (Part::Organization, Label::Organization),
    (Part::Group, Label::Group),
    (Part::Name, Label::Name),
    (Part::Unlabelled, Label::None),
];

/// Says what a value of a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A name, usually a person's.
    Name,
    /// An organization's name.
    Organization,
    /// A group's, a role's or an organization's name.
    Group,
    /// A name of which nothing says whose it is.
    Unlabelled,
    /// A mailbox.
    Email,
    /// A telephone number.
    Phone,
    /// A fax number.
    Fax,
    /// A line of an address.
    Street,
    /// A town.
    City,
    /// A state or province.
    State,
    /// A postal code.
    Postal,
    /// A country, by name or code.
    Country,
}

/// Gathers what is told of one contact.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    roles: Vec<String>,
    parts: BTreeMap<Part, Vec<String>>,
    /// Whether its address is that of a service which stands for the registrant, as another contact says.
    of_service: bool,
}

impl Contact {
    /// Makes a contact of one role.
    pub fn of(role: impl Into<String>) -> Self {
        let mut contact = Self::default();
        contact.add_role(role);
        contact
    }

    /// Adds a role, in the words that all providers share.
    pub fn add_role(&mut self, role: impl Into<String>) {
        let role = role.into();
        if !role.is_empty() && !self.roles.contains(&role) && self.roles.len() < MOST_ROLES {
            self.roles.push(role);
        }
    }

    /// Adds a value as it came, but for a mailbox behind a name.
    pub fn add(&mut self, part: Part, value: &str) {
        let is_name = matches!(
            part,
            Part::Name | Part::Organization | Part::Group | Part::Unlabelled
        );
        if let Some((name, mailbox)) = with_mailbox(value).filter(|_| is_name) {
            self.add(part, name);
            return self.add(Part::Email, mailbox);
        }
        let value = value.trim();
        let values = self.parts.entry(part).or_default();
        let known = values.iter().any(|known| known == value);
        if !value.is_empty() && value.len() <= LONGEST && values.len() < MOST_VALUES && !known {
            values.push(value.to_owned());
        }
    }

    /// Adds the texts of a value of JSON.
    pub fn add_all(&mut self, part: Part, node: Node<'_>) {
        for text in node.texts() {
            self.add(part, &text);
        }
    }

    /// Returns the roles.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Tells whether there is a value of this part.
    pub fn has(&self, part: Part) -> bool {
        !self.values(part).is_empty()
    }

    /// Tells whether nothing was added but roles.
    pub fn is_empty(&self) -> bool {
        self.parts.values().all(Vec::is_empty)
    }

    /// Takes over what another says that this one lacks, and its roles.
    pub fn absorb(&mut self, other: &Self) {
        for role in &other.roles {
            self.add_role(role.as_str());
        }
        for (part, values) in &other.parts {
            for value in values {
                self.add(*part, value);
            }
        }
    }

    /// Tells whether another contact is of the same roles and of a name that is here.
    pub fn is_of(&self, other: &Self) -> bool {
        let clash = |part| self.has(part) && other.has(part) && self.values(part) != other.values(part);
        let both = [Part::Email, Part::Phone, Part::Street, Part::Country];
        // Names are read last, since reading them costs the most.
        if self.roles != other.roles || both.into_iter().any(clash) {
            return false;
        }
        let names = |contact: &Self| {
            let (persons, organizations) = contact.parties();
            [persons, organizations].concat()
        };
        let (ours, theirs) = (names(self), names(other));
        theirs
            .iter()
            .any(|name| ours.iter().any(|known| is_same_name(known, name)))
    }

    /// Takes a name of which nothing says whose it is for an organization's, where it is one of these.
    pub fn name_organizations(&mut self, known: &[String]) {
        let Some(names) = self.parts.get_mut(&Part::Unlabelled) else {
            return;
        };
        let is_known = |name: &String| known.iter().any(|known| is_same_name(known, name));
        let (organizations, others): (Vec<String>, Vec<String>) =
            std::mem::take(names).into_iter().partition(is_known);
        *names = others;
        for name in organizations {
            self.add(Part::Organization, &name);
        }
    }

    /// Returns the values of a part as they came.
    pub fn told(&self, part: Part) -> &[String] {
        self.values(part)
    }

    /// Returns the mailboxes that can be told.
    pub fn emails(&self) -> Vec<String> {
        self.values(Part::Email)
            .iter()
            .flat_map(|value| emails(value))
            .collect()
    }

    fn values(&self, part: Part) -> &[String] {
        self.parts.get(&part).map_or(&[], Vec::as_slice)
    }

    /// Makes the records: none where no name is told and nothing can be reached.
    pub fn records(&self) -> Vec<Record> {
        if self.is_proxied() {
            return self.mailboxes().records();
        }
        if self.is_masked() {
            return self.names().records();
        }
        let (persons, organizations) = self.parties();
        let mut emails: Vec<String> = Vec::new();
        for email in self.emails() {
            if !emails.iter().any(|known| known.eq_ignore_ascii_case(&email)) {
                emails.push(email);
            }
        }
        let numbers = |part| -> Vec<Phone> {
            let mut kept: Vec<Phone> = Vec::new();
            for phone in self.values(part).iter().flat_map(|value| phones(value)) {
                if !kept.contains(&phone) {
                    kept.push(phone);
                }
            }
            kept
        };
        let phones = numbers(Part::Phone);
        let faxes: Vec<String> = numbers(Part::Fax).into_iter().map(Phone::text).collect();
        let count = [&persons, &organizations, &emails, &faxes]
            .iter()
            .map(|values| values.len())
            .max()
            .unwrap_or(0)
            .max(phones.len());
        // A privacy service's telephone and street belong to no contact either.
        let hidden =
            persons.is_empty() && organizations.is_empty() && emails.is_empty() && self.is_withheld();
        if count == 0 || hidden {
            return Vec::new();
        }
        let place = |part| self.values(part).iter().find_map(|value| place(value));
        let street: Vec<String> = self
            .values(Part::Street)
            .iter()
            .filter_map(|line| self::place(line))
            .collect();
        let body = |at: usize| {
            let nth = |values: &[String]| values.get(at).cloned();
            let nth_or_first = |values: &[String]| values.get(at).or(values.first()).cloned();
            Record::new()
                .with_some("name", nth_or_first(&persons))
                .with_some("organization", nth_or_first(&organizations))
                .with_some("email", nth(&emails))
                .with_some("phone", phones.get(at).map(|phone| phone.number.clone()))
                .with_some(
                    "extension",
                    phones.get(at).and_then(|phone| phone.extension.clone()),
                )
                .with_some("fax", nth(&faxes))
                .with("street", street.join(", "))
                .with_some("city", place(Part::City))
                .with_some("state", place(Part::State))
                .with_some("postal", place(Part::Postal))
                .with_some("country", place(Part::Country).map(country))
        };
        let of_role = |role: Option<&String>| {
            (0..count)
                .map(|at| body(at).with_some("role", role.cloned()))
                .collect::<Vec<_>>()
        };
        if self.roles.is_empty() {
            return of_role(None);
        }
        self.roles.iter().flat_map(|role| of_role(Some(role))).collect()
    }

    /// Tells whether letters of a name were lost on the way here: it is not withheld, but cannot be read.
    fn is_damaged(&self) -> bool {
        let names = [Part::Name, Part::Organization, Part::Group, Part::Unlabelled];
        let mut told = names.iter().flat_map(|part| self.values(*part));
        told.any(|name| name.contains(['?', '\u{fffd}']))
    }

    /// Tells whether a name is a service's that stands for the registrant.
    fn is_proxied(&self) -> bool {
        let names = [Part::Name, Part::Group, Part::Unlabelled];
        let mut told = names.iter().flat_map(|part| self.values(*part));
        told.any(|name| is_proxy_name(name))
    }

    /// Tells whether its only mailbox, or its address, is a service's that stands for the registrant: so is what else of it
    /// can be reached.
    fn is_masked(&self) -> bool {
        let mut words = self
            .values(Part::Email)
            .iter()
            .flat_map(|value| value.split([' ', ',', ';', '<', '>']));
        (self.of_service || words.any(is_service_mailbox)) && self.emails().is_empty()
    }

    /// Returns the contact with its roles and names alone.
    fn names(&self) -> Self {
        let names = [Part::Name, Part::Organization, Part::Group, Part::Unlabelled];
        let parts = names.iter().map(|part| (*part, self.values(*part).to_vec()));
        Self {
            roles: self.roles.clone(),
            parts: parts.collect(),
            of_service: false,
        }
    }

    /// Returns the contact with its roles and mailboxes alone.
    fn mailboxes(&self) -> Self {
        let emails = self.values(Part::Email).to_vec();
        Self {
            roles: self.roles.clone(),
            parts: BTreeMap::from([(Part::Email, emails)]),
            of_service: false,
        }
    }

    /// Reads the names. One that stands in two places is told once: as an organization's where the name, or what it is
    /// called, says so, and else as a person's.
    fn parties(&self) -> (Vec<String>, Vec<String>) {
        let (mut persons, mut organizations): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for (part, label) in LABELS {
            for party in self
                .values(part)
                .iter()
                .flat_map(|value| Party::each(value, label))
            {
                match party {
                    Party::Organization(name) => keep(&mut organizations, name.as_str()),
                    Party::Person(name) => keep(&mut persons, name.as_str()),
                }
            }
        }
        let is_group = |name: &str| {
            let mut groups = self.values(Part::Group).iter();
            let is_organization = match Party::read(name, Label::None) {
                Some(Party::Organization(_)) => true,
                Some(Party::Person(_)) => false,
                // One word without a capital is a trade name, too.
                None => !name.contains(' '),
            };
            is_organization || groups.any(|group| is_same_name(group, name))
        };
        // Written twice, a person's name is a person's.
        organizations.retain(|organization| {
            let read = Party::person(organization).filter(|_| !is_group(organization));
            let same = |name: &String| {
                read.as_ref()
                    .is_some_and(|read| is_same_name(&in_order(read), &in_order(name)))
            };
            let found = persons.iter_mut().find(|name| same(name));
            match (found, read.as_deref()) {
                (Some(name), Some(read)) => {
                    if is_shouted(name) && !is_shouted(read) {
                        read.clone_into(name);
                    }
                    false
                }
                _ => true,
            }
        });
        persons.retain(|name| {
            let same = organizations.iter().any(|other| is_same_name(name, other));
            if same {
                keep(&mut organizations, name);
            }
            !same
        });
        (persons, organizations)
    }

    /// Tells whether a name or a mailbox was told that belongs to no contact. A desk's name hides none, unless it is a
    /// placeholder.
    fn is_withheld(&self) -> bool {
        let parts = [
            Part::Name,
            Part::Organization,
            Part::Group,
            Part::Unlabelled,
            Part::Email,
        ];
        let mut told = parts.iter().flat_map(|part| self.values(*part)).peekable();
        told.peek().is_some() && !told.any(|value| is_desk(value) && !is_private_contact(value))
    }
}

/// Marks the contacts of a registration that have the address of one with a service's mailbox: a line of it with a number.
pub fn mark_services(contacts: &mut [Contact]) {
    let numbered = |line: &&String| line.bytes().any(|byte| byte.is_ascii_digit());
    let lines: Vec<String> = contacts
        .iter()
        .filter(|contact| contact.is_masked())
        .flat_map(|contact| contact.values(Part::Street).iter().filter(numbered).cloned())
        .collect();
    for contact in contacts {
        contact.of_service = contact
            .values(Part::Street)
            .iter()
            .any(|line| lines.contains(line));
    }
}

/// Makes the records of a registration's contacts, each record once.
pub fn records<'a>(contacts: impl IntoIterator<Item = &'a Contact>) -> Vec<Record> {
    let mut kept: Vec<Record> = Vec::new();
    for contact in contacts {
        for record in contact.records() {
            if kept.len() < MOST_CONTACTS && !kept.contains(&record) {
                kept.push(record);
            }
        }
    }
    kept
}

/// Returns the word that all providers share for a role.
pub fn role(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    match lower.as_str() {
        "administrative" | "administrator" | "admin" => "admin".to_owned(),
        "technical" | "tech" => "tech".to_owned(),
        "owner" | "holder" | "registrant" => "registrant".to_owned(),
        _ => lower,
    }
}

/// Keeps a name once; of two that differ in case, the one that is not all in capitals.
fn keep(names: &mut Vec<String>, name: &str) {
    match names.iter_mut().find(|known| is_same_name(known, name)) {
        Some(known) if is_shouted(known) && !is_shouted(name) => name.clone_into(known),
        Some(_) => {}
        None => names.push(name.to_owned()),
    }
}

fn is_shouted(text: &str) -> bool {
    !text.contains(char::is_lowercase)
}

/// Returns the words of a name in the order of the alphabet, since some write the surname first.
fn in_order(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> = lower.split([' ', ',']).collect();
    words.sort_unstable();
    words.concat()
}

fn place(text: &str) -> Option<String> {
    public_text(text.trim_matches(['\'', '"', ',', ' '])).filter(|text| is_address_line(text))
}

/// Brings a country's code to one form: vendors write `us` and `US`, `uk` and `GB`. A name stays a name.
fn country(text: String) -> String {
    if text.len() == 2 {
        country_code(&text)
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
