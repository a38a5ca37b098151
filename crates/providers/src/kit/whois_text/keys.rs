//! Knows the keys and headings of whois text: which roles they name, and which fields of a contact.

use super::tables::{AHEAD, BEHIND, DOMAINS, FIELDS, FOREIGN, NETWORKS, PROVIDERS, ROLES};
use crate::kit::contact::Part;
use pivotd_domain::words::plain;

/// Says what a key means within a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// A value of the contact.
    Part(Part),
    /// A given name, which stands apart from the surname.
    Given,
    /// A surname.
    Surname,
    /// What the contact is referred to by.
    Handle,
    /// Whether it is a person or an organization.
    Kind,
}

/// The field of the lines of an address.
pub(super) const ADDRESS: Field = Field::Part(Part::Street);

/// Brings a key to lower-case words without accents: `OrgNOCEmail`, `admin-c`, `Contacto Técnico` and `Registrant  Name`
/// alike. What is in round brackets is left out.
pub(super) fn words(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 8);
    let mut depth = 0_usize;
    let mut letters = key.chars().take(400).peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ => {
                let next_is_small = letters.peek().is_some_and(char::is_ascii_lowercase);
                let begins = before.is_ascii_lowercase() || before.is_ascii_uppercase() && next_is_small;
                if letter.is_ascii_uppercase() && begins {
                    words.push(' ');
                }
                if letter.is_alphanumeric() || letter == '/' {
                    words.extend(letter.to_lowercase());
                } else {
                    words.push(' ');
                }
            }
        }
        before = letter;
    }
    plain(&words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Tells which field of a contact a key names.
pub(super) fn field(key: &str) -> Option<Field> {
    FIELDS
        .iter()
        .find(|(_, names)| names.contains(&key))
        .map(|(field, _)| *field)
}

/// Tells the role that words name, with the words that may stand before and behind it.
fn role(key: &str) -> Option<&'static str> {
    let mut rest = key;
    loop {
        if let Some(role) = exact_role(rest) {
            return Some(role);
        }
        rest = match (rest.rsplit_once(' '), rest.split_once(' ')) {
            (Some((before, last)), _) if BEHIND.contains(&last) => before,
            (_, Some((first, after))) if AHEAD.contains(&first) => after,
            _ => return None,
        };
    }
}

/// Tells the role that words name by themselves, in the singular or the plural.
fn exact_role(words: &str) -> Option<&'static str> {
    let one = words.strip_suffix('s').unwrap_or(words);
    ROLES
        .iter()
        .find(|(_, names)| names.contains(&words) || names.contains(&one))
        .map(|(role, _)| *role)
}

/// Tells the roles that a heading or a key names: one, or several that share a contact.
pub(super) fn roles(written: &str) -> Vec<&'static str> {
    let whole = words(written);
    if let Some(role) = role(&whole) {
        return vec![role];
    }
    let mut found = Vec::new();
    for part in written
        .split([',', '/', '&', '+', '[', ']'])
        .flat_map(|part| part.split(" and "))
    {
        // A part whose letters were lost says the same in another language.
        if part.contains('\u{fffd}') {
            continue;
        }
        let part = words(part);
        match role(&part) {
            Some(role) if !found.contains(&role) => found.push(role),
            Some(_) => {}
            None if part
                .split(' ')
                .all(|word| word.is_empty() || BEHIND.contains(&word)) => {}
            None => return Vec::new(),
        }
    }
    found
}

/// Splits a key such as `registrant contact email` or `org tech phone` into the words of its role, the role, and the field.
pub(super) fn qualified(key: &str) -> Option<(&str, &'static str, Field)> {
    let ends = key.match_indices(' ').map(|(end, _)| end).collect::<Vec<_>>();
    if ends.is_empty() {
        return glued(key);
    }
    ends.into_iter().rev().find_map(|end| {
        let (before, after) = key.split_at_checked(end)?;
        Some((before, role(before)?, field(after.trim_start())?))
    })
}

/// Tells which field words name that have no blank between them: `postaladdress`.
fn glued_field(key: &str) -> Option<Field> {
    let is_named = |name: &str| {
        name.split(' ')
            .try_fold(key, |rest, word| rest.strip_prefix(word))
            == Some("")
    };
    FIELDS
        .iter()
        .find(|(_, names)| names.iter().any(|name| is_named(name)))
        .map(|(field, _)| *field)
}

/// Splits a key whose role and field have no blank between them: `registrantemail`.
fn glued(key: &str) -> Option<(&str, &'static str, Field)> {
    if field(key).is_some() || exact_role(key).is_some() {
        return None;
    }
    let names = ROLES
        .iter()
        .flat_map(|(role, names)| names.iter().map(move |name| (*role, *name)));
    names
        .filter_map(|(role, name)| {
            Some((
                key.get(..name.len())?,
                role,
                glued_field(key.strip_prefix(name)?)?,
            ))
        })
        .min_by_key(|(before, _, _)| before.len())
}

/// Tells whether a key refers to a contact by its handle: `admin-c`, `Registrant Code`.
pub(super) fn is_reference(key: &str) -> bool {
    key.ends_with(" c") || key.ends_with(" code") && role(key).is_some()
}

/// Tells whether a line without a colon is the label of the address below it, and returns its key.
pub(super) fn bare_label(text: &str) -> Option<&'static str> {
    let words = words(text);
    let (_, names) = FIELDS.iter().find(|(field, _)| *field == ADDRESS)?;
    names.iter().find(|name| **name == words).copied()
}

/// Tells whether nothing is known of a key: no field, no role, and nothing that is no contact's.
pub(super) fn is_unknown(written: &str, key: &str) -> bool {
    field(key).is_none() && qualified(key).is_none() && roles(written).is_empty() && !is_foreign(key)
}

/// Tells whether a heading or key is about something that is no contact: a registrar, name servers, the domain.
pub(super) fn is_foreign(key: &str) -> bool {
    is_bare_foreign(key) || key.starts_with("registrar ") && role(key).is_none()
}

/// Tells the same of a line that is no key, of which nothing but its words says that it is a heading.
pub(super) fn is_bare_foreign(words: &str) -> bool {
    let words = words.strip_suffix(" in listed order").unwrap_or(words);
    PROVIDERS.contains(&words) || FOREIGN.contains(&words)
}

/// Tells whether a heading is a contact's whose role is not said: "Contact Information:".
pub(super) fn is_contact(key: &str) -> bool {
    key.contains("contact") && key.split(' ').all(|word| BEHIND.contains(&word))
}

/// Tells whether a heading is over the object itself: "Domain Information:".
pub(super) fn is_of_object(key: &str) -> bool {
    matches!(
        key,
        "domain"
            | "domain name"
            | "domain information"
            | "domain details"
            | "domain name information"
            | "domain data"
            | "network information"
    )
}

/// Tells whether a key begins what is said of another party than a contact: `registrar`, `reseller`.
pub(super) fn is_provider(key: &str) -> bool {
    PROVIDERS.contains(&key)
}

/// Tells whether a key is of an object about a domain.
pub(super) fn is_of_domain(key: &str) -> bool {
    key.split(" / ").any(|name| DOMAINS.contains(&name))
}

/// Tells whether a key is of an object about a network.
pub(super) fn is_of_network(key: &str) -> bool {
    NETWORKS.contains(&key)
}

/// Tells whether a key makes an object a contact's: its handle, or its name in the way of RIPE's objects.
pub(super) fn is_identity(key: &str) -> bool {
    matches!(key, "person" | "personname" | "role" | "contact" | "irt")
        || field(key) == Some(Field::Handle) && key != "id"
}

#[cfg(test)]
mod tests {
    use super::super::tables::{AHEAD, BEHIND, DOMAINS, FIELDS, FOREIGN, NETWORKS, PROVIDERS, ROLES};
    use super::*;

    #[test]
    fn every_word_of_the_tables_is_written_as_keys_are_compared() {
        let fields = FIELDS.iter().flat_map(|(_, names)| *names);
        let roles = ROLES.iter().flat_map(|(_, names)| *names);
        let others = [AHEAD, BEHIND, DOMAINS, FOREIGN, NETWORKS, PROVIDERS];
        for name in fields.chain(roles).chain(others.into_iter().flatten()) {
            assert_eq!(words(name), *name);
        }
        // A key means one thing.
        let fields: Vec<&str> = FIELDS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut once = fields.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), fields.len());
    }
}
