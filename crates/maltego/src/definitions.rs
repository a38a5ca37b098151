//! Definitions of our own entity types, as clients import them: what they are called, drawn as and recognized by.
//!
//! The type table ([`crate::types`]) says what a type is for merging and for look-ups; a definition adds what people see. A
//! standard type has none here: every client brings it along. The overlays that transforms put on entities stand in their
//! answers, so no definition has any.

mod table;

use crate::types::{EntityType, PropertyType};

/// Names the category of our types in the palette of a client.
pub const CATEGORY: &str = "pivotd";

/// Is the order of a type for which no text is tried: the last.
pub const LAST_IN_ORDER: u32 = 2_147_483_647;

/// Says which pasted texts become an entity of a type. The expression is written in what Java and Rust share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Converter {
    /// The expression, for the whole text.
    pub regex: &'static str,
    /// The property that each group of it becomes.
    pub groups: &'static [&'static str],
}

/// Describes a property of a type for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    /// The property.
    pub property: &'static PropertyType,
    /// What it says.
    pub about: &'static str,
    /// A value, as an example.
    pub sample: &'static str,
}

/// Defines an entity type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntityDefinition {
    /// The type.
    pub entity: &'static EntityType,
    /// The label of many of them.
    pub plural: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Where it stands in the palette.
    pub category: &'static str,
    /// The name of its icon, which [`crate::icons::icons`] lists.
    pub icon: &'static str,
    /// What is recognized when it is pasted. `None` where a text does not tell the type.
    pub converter: Option<Converter>,
    /// When the converter is tried: those with lower numbers first. `None` is [`LAST_IN_ORDER`].
    pub conversion_order: Option<u32>,
    /// A value, as an example.
    pub sample: &'static str,
    /// What its own properties say: name, description and sample of each.
    notes: &'static [(&'static str, &'static str, &'static str)],
}

impl EntityDefinition {
    /// Lists the full ids of the types that it stands on directly.
    #[must_use]
    pub fn parents(&self) -> &'static [&'static str] {
        self.entity.bases.get(..1).unwrap_or_default()
    }

    /// Lists the properties that the type itself declares. Others are inherited, that of the value among them.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.entity.properties.iter().map(|property| {
            let note = self.notes.iter().find(|(name, ..)| *name == property.name);
            let (_, about, sample) = note.copied().unwrap_or_default();
            Field {
                property,
                about,
                sample,
            }
        })
    }
}

/// Lists the definitions of all our types.
pub fn definitions() -> impl Iterator<Item = &'static EntityDefinition> {
    table::DEFINITIONS.iter()
}

/// Finds the definition of a type by its full id.
#[must_use]
pub fn definition(id: &str) -> Option<&'static EntityDefinition> {
    definitions().find(|one| one.entity.id == id)
}
