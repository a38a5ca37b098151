//! What a server offers to Maltego clients: its transforms with inputs, outputs, settings and sets. Every face lists this one
//! value: classic discovery, protocol v3, the configuration file (`.mtz`) and the import of a distribution server.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::constraint::InputConstraint;
use crate::settings::SettingKind;
use crate::types;

/// Says who publishes the transforms, as clients show it.
pub const OWNER: &str = "pivotd";

/// Describes a setting of a transform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformSetting {
    /// Id, `global#` included where it is shared by all transforms.
    pub name: String,
    /// Type of its values.
    pub kind: SettingKind,
    /// Name for people.
    pub display: String,
    /// What stands in the form at first.
    pub default: Option<String>,
    /// Whether it may stay empty.
    pub optional: bool,
    /// Whether the client asks before each run.
    pub popup: bool,
    /// Whether its value must never be shown or logged.
    pub secret: bool,
}

/// Describes a transform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTransform {
    /// The name in URLs, of `[a-z0-9.-]`.
    pub name: String,
    /// The name in the client's menu.
    pub title: String,
    /// What it does, for people.
    pub about: String,
    /// The set in the client's menu.
    pub set: String,
    /// The entity types that it takes, full ids. Never empty.
    pub inputs: Vec<String>,
    /// What an input has to be beside its type, where that is said.
    pub constraint: Option<InputConstraint>,
    /// The entity types that it can give, full ids.
    pub outputs: Vec<String>,
    /// Its settings, global ones first.
    pub settings: Vec<TransformSetting>,
    /// Whether it can be offered: a provider has a key here. Others answer a client that brings a key.
    pub is_offered: bool,
}

/// Is a transform with one input type, as protocols list it that know one type each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingEntry<'a> {
    /// The name: of the transform, or with the type behind it.
    pub name: &'a str,
    /// The input type.
    pub input: &'a str,
    /// The transform.
    pub transform: &'a ListedTransform,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    transform: usize,
    input: usize,
}

/// Holds what a server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    transforms: Vec<ListedTransform>,
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
}

impl Listing {
    /// Lists transforms, each of which has a name of its own.
    ///
    /// A transform gets an entry for each input type that inherits from none of its others: a client offers a transform on a
    /// type's descendants, too. The first entry has the transform's name, the others have the type's behind it.
    #[must_use]
    pub fn new(transforms: Vec<ListedTransform>) -> Self {
        let mut taken: HashSet<String> = transforms.iter().map(|one| one.name.clone()).collect();
        let mut entries = Vec::new();
        for (at, transform) in transforms.iter().enumerate() {
            for (place, input) in roots(&transform.inputs).into_iter().enumerate() {
                let mut name = transform.name.clone();
                if place > 0 {
                    let type_id = transform.inputs.get(input).map_or("", String::as_str);
                    name = format!("{name}-{}", types::last_part(type_id).to_ascii_lowercase());
                    while !taken.insert(name.clone()) {
                        name.push_str("-input");
                    }
                }
                entries.push(Entry {
                    name,
                    transform: at,
                    input,
                });
            }
        }
        let by_name = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.name.clone(), at))
            .collect();
        Self {
            transforms,
            entries,
            by_name,
        }
    }

    /// Returns the transforms that are offered, in the order of the configuration.
    pub fn offered(&self) -> impl Iterator<Item = &ListedTransform> {
        self.transforms.iter().filter(|one| one.is_offered)
    }

    /// Returns all transforms.
    #[must_use]
    pub fn transforms(&self) -> &[ListedTransform] {
        &self.transforms
    }

    /// Lists all transforms, each with one input type.
    pub fn entries(&self) -> impl Iterator<Item = ListingEntry<'_>> {
        self.entries.iter().filter_map(|entry| self.entry(entry))
    }

    /// Lists the transforms that are offered, each with one input type.
    pub fn offered_entries(&self) -> impl Iterator<Item = ListingEntry<'_>> {
        self.entries().filter(|entry| entry.transform.is_offered)
    }

    /// Finds the transform that an entry of this name stands for, offered or not, in any case of letters.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ListingEntry<'_>> {
        let at = match self.by_name.get(name) {
            Some(at) => at,
            None => self.by_name.get(&name.to_ascii_lowercase())?,
        };
        self.entry(self.entries.get(*at)?)
    }

    /// Lists the sets of the transforms that are offered, in the order of the configuration, each with the entries in it.
    #[must_use]
    pub fn sets(&self) -> Vec<(&str, Vec<ListingEntry<'_>>)> {
        let mut sets: Vec<(&str, Vec<ListingEntry<'_>>)> = Vec::new();
        for entry in self.offered_entries() {
            let set = entry.transform.set.as_str();
            match sets.iter_mut().find(|(known, _)| *known == set) {
                Some((_, entries)) => entries.push(entry),
                None => sets.push((set, vec![entry])),
            }
        }
        sets
    }

    fn entry<'a>(&'a self, entry: &'a Entry) -> Option<ListingEntry<'a>> {
        let transform = self.transforms.get(entry.transform)?;
        Some(ListingEntry {
            name: &entry.name,
            input: transform.inputs.get(entry.input)?,
            transform,
        })
    }
}

/// Returns the places of those types that inherit from none of the others.
fn roots(inputs: &[String]) -> Vec<usize> {
    let is_root = |at: usize, input: &String| {
        let mut others = inputs.iter().enumerate().filter(|(other, _)| *other != at);
        !others.any(|(other, base)| {
            if base == input {
                other < at
            } else {
                types::is_a(input, base)
            }
        })
    };
    let places = inputs.iter().enumerate();
    places
        .filter(|(at, input)| is_root(*at, input))
        .map(|(at, _)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transform(name: &str, set: &str, inputs: &[&str], is_offered: bool) -> ListedTransform {
        ListedTransform {
            name: name.to_owned(),
            title: String::new(),
            about: String::new(),
            set: set.to_owned(),
            inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
            constraint: None,
            outputs: Vec::new(),
            settings: Vec::new(),
            is_offered,
        }
    }

    fn listing() -> Listing {
        Listing::new(vec![
            transform(
                "a.hosts",
                "One",
                &[
                    "maltego.Website",
                    "maltego.DNSName",
                    "maltego.Domain",
                    "maltego.Domain",
                ],
                true,
            ),
            transform("a.hosts-domain", "Two", &["maltego.Phrase", "acme.Own"], true),
            transform("b.keyless", "Two", &["maltego.Hash"], false),
        ])
    }

    #[test]
    fn each_input_that_inherits_from_no_other_has_an_entry_under_a_name_of_its_own() {
        let listing = listing();
        let named: Vec<_> = listing.entries().map(|entry| (entry.name, entry.input)).collect();
        assert_eq!(
            named,
            [
                ("a.hosts", "maltego.DNSName"),
                ("a.hosts-domain-input", "maltego.Domain"),
                ("a.hosts-domain", "maltego.Phrase"),
                ("a.hosts-domain-own", "acme.Own"),
                ("b.keyless", "maltego.Hash"),
            ]
        );
    }

    #[test]
    fn a_name_leads_back_to_its_transform_in_any_case_of_letters() {
        let listing = listing();
        for entry in listing.entries() {
            for name in [entry.name.to_owned(), entry.name.to_uppercase()] {
                let found = listing
                    .find(&name)
                    .map(|found| (found.name, found.transform.name.as_str()));
                assert_eq!(found, Some((entry.name, entry.transform.name.as_str())));
            }
        }
        assert_eq!(listing.find("a.hosts-website"), None);
    }

    #[test]
    fn sets_hold_what_is_offered() {
        let listing = listing();
        let sets: Vec<(&str, usize)> = listing
            .sets()
            .iter()
            .map(|(set, all)| (*set, all.len()))
            .collect();
        assert_eq!(sets, [("One", 2), ("Two", 2)]);
        assert_eq!(listing.offered().count(), 2);
    }
}
