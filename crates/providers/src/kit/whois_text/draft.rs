//! Gathers what a record says of one contact, field by field.

use std::collections::HashMap;

use super::keys::Field;
use crate::kit::contact::{Contact, Part};

/// Is a contact while it is read.
#[derive(Debug, Default)]
pub(super) struct ContactDraft {
    pub(super) contact: Contact,
    pub(super) handles: Vec<String>,
    /// The words before the field in its keys, where these name its role.
    pub(super) prefix: Option<String>,
    pub(super) given: Option<String>,
    surname: Option<String>,
    /// Names that stand under a key which says nothing of whose they are.
    pub(super) names: Vec<String>,
    /// Keys of which it has one value.
    single: HashMap<String, String>,
    /// Whether it says that it is an organization.
    is_organization: bool,
    /// Whether it is one that refuses to be told.
    pub(super) is_hidden: bool,
}

impl ContactDraft {
    /// Makes a contact of these roles.
    pub(super) fn of(roles: &[&'static str]) -> Self {
        let mut draft = Self::default();
        for role in roles {
            draft.contact.add_role(*role);
        }
        draft
    }

    /// Adds a value with the lines that continue it.
    pub(super) fn add(&mut self, field: Field, value: &str, more: &[&str]) {
        // A label with nothing beside it has its value below.
        let (value, more) = match (value, more) {
            ("", []) => return,
            ("", [first, rest @ ..]) => (*first, rest),
            both => both,
        };
        match field {
            Field::Part(Part::Name) => self.names.push(value.to_owned()),
            Field::Part(part) => {
                self.contact.add(part, value);
                // Only addresses, mailboxes and numbers go over several lines.
                if !matches!(
                    part,
                    Part::Organization | Part::Group | Part::City | Part::Country
                ) {
                    more.iter().for_each(|line| self.contact.add(part, line));
                }
            }
            Field::Given => self.given = Some(value.to_owned()),
            Field::Surname => self.surname = Some(value.to_owned()),
            Field::Handle => self.handles.push(handle(value)),
            Field::Kind => {
                let kind = value.to_lowercase();
                self.is_organization = ["org", "legal", "compan", "corp"]
                    .iter()
                    .any(|word| kind.contains(word));
            }
        }
    }

    /// Tells whether a value begins another contact: it has another one under this key already.
    pub(super) fn is_full(&self, field: Field, key: &str, value: &str) -> bool {
        let single = matches!(field, Field::Part(Part::Name) | Field::Given | Field::Handle);
        single && self.single.get(key).is_some_and(|known| known != value)
    }

    /// Notes the value of a key that a contact has once.
    pub(super) fn note(&mut self, key: &str, value: &str) {
        if !value.is_empty() && self.single.len() < 100 {
            self.single.insert(key.to_owned(), value.to_owned());
        }
    }

    /// Makes the contact, where it has anything to tell and lets it be told.
    pub(super) fn finish(mut self) -> Option<Contact> {
        match (self.given.take(), self.surname.take()) {
            // Who has a given name and a surname is a person, in an organization's contact, too.
            (Some(given), Some(surname)) => self.contact.add(Part::Name, &format!("{given} {surname}")),
            // "Name" with "First name" beside it is the surname.
            (Some(given), None) => match self.names.first_mut() {
                Some(name) => *name = format!("{given} {name}"),
                None => self.names.push(given),
            },
            // ... and with "Surname" beside it the given name.
            (None, Some(surname)) => match self.names.first_mut() {
                Some(name) if !name.contains(' ') => *name = format!("{name} {surname}"),
                Some(_) => {}
                None => self.names.push(surname),
            },
            (None, None) => {}
        }
        let part = if self.is_organization {
            Part::Group
        } else {
            Part::Name
        };
        for name in &self.names {
            self.contact.add(part, name);
        }
        (!self.is_hidden && !self.contact.is_empty()).then_some(self.contact)
    }
}

/// Returns a handle as it is compared: its first word, in lower case.
pub(super) fn handle(value: &str) -> String {
    value
        .split([' ', ',', '#'])
        .next()
        .unwrap_or_default()
        .to_lowercase()
}
