//! Says what contacts hold that their records do not.

use super::{Contact, LABELS, Part};
use pivotd_domain::Record;
use pivotd_domain::party::{Party, is_desk, is_handle, is_sentence};
use pivotd_domain::privacy::is_private_contact;

/// Names that were not read, of one registration, and the letters of each at most.
const MOST_NAMES: usize = 20;
const MOST_LETTERS: usize = 100;

/// Holds what is not told of a registration's contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WithheldFields {
    /// The roles whose contacts are withheld, as redactions or a privacy service's, so that they give no record.
    pub withheld: Vec<String>,
    /// The roles of contacts that are named, and whose mailbox, telephone and address are a privacy service's.
    pub masked: Vec<String>,
    /// Names that could not be read as a person's or an organization's.
    pub unread: Vec<String>,
}

impl WithheldFields {
    /// Adds this to a registration's record.
    pub fn put(self, record: Record) -> Record {
        record
            .with("withheld", self.withheld)
            .with("masked", self.masked)
            .with("unread", self.unread)
    }
}

/// Says what is not told of contacts.
pub fn untold<'a>(contacts: impl IntoIterator<Item = &'a Contact>) -> WithheldFields {
    let mut untold = WithheldFields::default();
    for contact in contacts {
        let is_told = !contact.records().is_empty();
        let is_private = || {
            let mut told = contact.parts.values().flatten();
            told.any(|text| is_private_contact(text))
        };
        let roles = if is_told && contact.is_masked() {
            Some(&mut untold.masked)
        } else if !is_told && !contact.is_damaged() && is_private() {
            Some(&mut untold.withheld)
        } else {
            None
        };
        if let Some(roles) = roles {
            for role in &contact.roles {
                if !roles.contains(role) {
                    roles.push(role.clone());
                }
            }
        }
        for name in unread(contact) {
            if untold.unread.len() < MOST_NAMES && !untold.unread.contains(&name) {
                untold.unread.push(name);
            }
        }
    }
    untold
}

/// Returns the names of a contact that name a person or an organization, and could not be read.
fn unread(contact: &Contact) -> Vec<String> {
    if contact.is_proxied() {
        return Vec::new();
    }
    let told = LABELS.iter().flat_map(|(part, label)| {
        let values = contact.values(*part).iter();
        values.filter(move |value| names_somebody(value, *part) && Party::read(value, *label).is_none())
    });
    told.map(|name| name.chars().take(MOST_LETTERS).collect())
        .collect()
}

/// Tells whether a text that is no name that can be read names a person all the same. A redaction, a desk, a notice, a
/// mailbox and a handle do not, and neither does a line among others of which nothing says that it is a name.
fn names_somebody(text: &str, part: Part) -> bool {
    let is_code = is_handle(text) && (text.contains(['-', '_']) || !text.contains(char::is_lowercase));
    part != Part::Unlabelled
        && text.chars().filter(|letter| letter.is_alphabetic()).count() > 1
        && !text.contains('@')
        && !text.contains("//")
        && !is_code
        && !is_private_contact(text)
        && !is_desk(text)
        && !is_sentence(text)
}
