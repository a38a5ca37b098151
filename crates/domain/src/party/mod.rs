//! Tells people from organizations, and both from desks, handles, sentences and redactions.
//!
//! A registration holds names that its registrant, its registrar and its registry wrote. A value becomes the name of a
//! person or an organization only through [`Party::read`], whichever provider told it.

mod desks;
mod forms;
mod relation;
mod shape;
mod signs;
mod trade;

#[cfg(test)]
mod tests;

pub use shape::{is_address_line, is_handle, is_sentence, with_mailbox};

use super::privacy;

/// Says what a source calls a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The name of a contact: a person's, unless the name itself says that it is an organization's.
    Name,
    /// The name of an organization.
    Organization,
    /// The name of a group, a role or an organization; never a person's.
    Group,
    /// Nothing: the name stands in a block of lines.
    None,
}

/// Holds the name of a person, given name first. Only [`Party::read`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName(String);

/// Holds the name of an organization. Only [`Party::read`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationName(String);

impl PersonName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OrganizationName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says whose name a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A person's.
    Person(PersonName),
    /// An organization's.
    Organization(OrganizationName),
}

impl Party {
    /// Reads a name; `None` where the text names neither a person nor an organization.
    #[must_use]
    pub fn read(text: &str, label: Label) -> Option<Self> {
        let text = shape::tidy(text)?;
        if privacy::is_private_contact(&text) {
            return None;
        }
        let company = forms::is_company(&text);
        if !company && let Some(read) = Self::related(&text, label) {
            return read;
        }
        if !shape::can_be_name(&text, company) || signs::is_desk(&text) {
            return None;
        }
        if let Some((name, unit)) = text.split_once(',').filter(|(_, after)| !after.contains(','))
            && desks::is_desk(unit)
            && !desks::names_desk(name)
        {
            // "Jane Doe, Operations": the part behind the comma says where she works.
            return Self::read(name, label);
        }
        if company {
            return Some(organization(&text));
        }
        if desks::is_desk(&text) {
            return None;
        }
        if matches!(label, Label::Name | Label::None)
            && let Some(person) = Self::remarked(&text, label)
        {
            return Some(person);
        }
        match label {
            Label::Organization | Label::Group => Some(organization(&text)),
            Label::Name => named(&text),
            Label::None => unlabelled(&text),
        }
    }

    /// Reads the name of a person with a remark: `Jane Doe (Owner)`.
    fn remarked(text: &str, label: Label) -> Option<Self> {
        let bare = shape::without_remark(text)?;
        Self::read(&bare, label).filter(Self::is_full_person)
    }

    /// Reads the part of a text that is the name, where the text says in what relation another one stands to it. `None` where
    /// it says nothing of that, or is all one organization's name.
    fn related(text: &str, label: Label) -> Option<Option<Self>> {
        let is_name = matches!(label, Label::Name | Label::None);
        let is_organization = |party: &Self| matches!(party, Self::Organization(_));
        match relation::own(text)? {
            relation::NamePart::Before(name) if is_name => Some(Self::read(&name, label)),
            relation::NamePart::Trade(name) if is_name => {
                Some(Self::read(&name, label).filter(is_organization))
            }
            // Where letters go is no organization.
            relation::NamePart::Reader(name) => Some(
                Self::read(&name, label)
                    .filter(|_| is_name)
                    .filter(Self::is_full_person),
            ),
            _ => None,
        }
    }

    /// Tells whether it is a person whose name has more than one word.
    fn is_full_person(&self) -> bool {
        match self {
            Self::Person(name) => name.0.contains(' ') || signs::is_of_signs(&name.0),
            Self::Organization(_) => false,
        }
    }

    /// Reads the names of a text that holds those of two persons, such as `Jane Doe/John Roe`; of any other text, its one name.
    #[must_use]
    pub fn each(text: &str, label: Label) -> Vec<Self> {
        let read = Self::read(text, label);
        match Self::couple(text, label) {
            Some([one, other]) if read.as_ref() == Some(&one) => vec![one, other],
            _ => read.into_iter().collect(),
        }
    }

    /// Reads the names of two persons with a slash between them.
    fn couple(text: &str, label: Label) -> Option<[Self; 2]> {
        let (one, other) = text.split_once('/').filter(|(_, rest)| !rest.contains('/'))?;
        let person = |text: &str| Self::read(text, label).filter(Self::is_full_person);
        let (one, other) = (person(one)?, person(other)?);
        Some([one, other])
    }

    /// Reads the name of a person.
    #[must_use]
    pub fn person(text: &str) -> Option<String> {
        match Self::read(text, Label::Name)? {
            Self::Person(name) => Some(name.0),
            Self::Organization(_) => None,
        }
    }

    /// Reads the name of an organization.
    #[must_use]
    pub fn organization(text: &str) -> Option<String> {
        match Self::read(text, Label::Organization)? {
            Self::Organization(name) => Some(name.0),
            Self::Person(_) => None,
        }
    }

    /// Reads the name of a holder, of whichever kind, as one text.
    #[must_use]
    pub fn holder(text: &str) -> Option<String> {
        Self::read(text, Label::Name)
            .or_else(|| Self::read(text, Label::Organization))
            .map(Self::into_text)
    }

    /// Returns the name as text.
    #[must_use]
    pub fn into_text(self) -> String {
        match self {
            Self::Person(name) => name.0,
            Self::Organization(name) => name.0,
        }
    }
}

/// Tells whether a name is a desk's, such as "Abuse" or "Network Operations": it names no person, and hides none.
#[must_use]
pub fn is_desk(text: &str) -> bool {
    desks::is_desk(text) || signs::is_desk(text)
}

/// Tells whether a name carries the legal form of a company.
#[must_use]
pub fn is_company(text: &str) -> bool {
    forms::is_company(text)
}

/// Tells whether a name says by a word or a sign of its own that it is an organization's: a legal form, a body, a desk.
#[must_use]
pub fn says_organization(text: &str) -> bool {
    let says = |text: &str| {
        forms::is_company(text)
            || desks::names_desk(text)
            || forms::is_institution(text)
            || text.contains('&')
    };
    matches!(Party::read(text, Label::Name), Some(Party::Organization(name)) if says(&name.0))
}

/// Tells whether words are the legal form of a company, and nothing else.
pub(super) fn is_form(words: &[&str]) -> bool {
    forms::is_form(words)
}

/// Tells whether two names differ in case, signs and spaces alone.
#[must_use]
pub fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (one, other) = (letters(one), letters(other));
    !one.is_empty() && one == other
}

fn organization(text: &str) -> Party {
    Party::Organization(OrganizationName(text.to_owned()))
}

/// Reads what a source calls a name: a person's, where it can be one.
fn named(text: &str) -> Option<Party> {
    if desks::names_desk(text) || forms::is_institution(text) || text.contains('&') || signs::is_long(text) {
        return Some(organization(text));
    }
    if let Some([one, _]) = Party::couple(text, Label::Name) {
        return Some(one);
    }
    match shape::person(text) {
        Some(name) => Some(Party::Person(PersonName(name))),
        None => trade::is_trade_name(text).then(|| organization(text)),
    }
}

/// Reads a name of which nothing says what it is.
fn unlabelled(text: &str) -> Option<Party> {
    if let Some([one, _]) = Party::couple(text, Label::None) {
        return Some(one);
    }
    if desks::names_desk(text) || forms::is_institution(text) || forms::is_likely_organization(text) {
        return Some(organization(text));
    }
    if signs::is_of_signs(text) {
        // Names of persons are short in these scripts; of a longer one, nothing says what it is.
        return signs::is_persons_of_signs(text).then(|| Party::Person(PersonName(text.to_owned())));
    }
    match shape::person(text).filter(|_| shape::is_capitalised(text)) {
        Some(name) if name.split(' ').count() > 1 => Some(Party::Person(PersonName(name))),
        // One word is a trade name rather than a person's.
        _ => shape::is_capitalised(text).then(|| organization(text)),
    }
}
