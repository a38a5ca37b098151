//! What a v2 client asks: input entities, settings and limits.

use std::fmt;

use smol_str::SmolStr;

use super::response::Property;
use super::types;

pub use super::reader::{ReadError, ReadErrorKind, ReadLimits, read};

/// The type of an entity that came without one.
pub const UNKNOWN: &str = "maltego.Unknown";

/// Holds one transform run as the client sent it.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct TransformRequest {
    /// The entities to run on, in order; never empty when it comes from [`read`].
    pub entities: Vec<InputEntity>,
    /// The settings, in order of first appearance; of a repeated one the last value counts.
    pub settings: Vec<(String, String)>,
    /// The result slider.
    pub soft_limit: Option<u32>,
    /// The most the client takes; the samples known always equal the slider.
    pub hard_limit: Option<u32>,
}

impl fmt::Debug for TransformRequest {
    /// Leaves out the values of settings: keys and tokens are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<&str> = self.settings.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("TransformRequest")
            .field("entities", &self.entities)
            .field("settings", &settings)
            .field("soft_limit", &self.soft_limit)
            .field("hard_limit", &self.hard_limit)
            .finish()
    }
}

impl TransformRequest {
    /// Returns a setting by its id. A blank one counts as absent, since clients send every field of their form.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.setting_that(|id| id == name)
    }

    /// Returns the setting whose id this tells; a blank one counts as absent.
    pub fn setting_that(&self, is: impl Fn(&str) -> bool) -> Option<&str> {
        let mut settings = self.settings.iter();
        let (_, value) = settings.find(|(id, _)| is(id))?;
        Some(value.as_str()).filter(|value| !value.trim().is_empty())
    }
}

/// Holds one input entity.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InputEntity {
    /// The full id: the first one of the genealogy, else the declared type made full; custom ids stay as they are.
    pub type_id: String,
    /// The full ids of the type and all its ancestors, itself first.
    pub ancestors: Vec<String>,
    /// The text of `Value`, byte for byte after XML decoding; may be empty. [`InputEntity::value`] is what to ask.
    pub value: String,
    /// The weight; 0 if missing or no number.
    pub weight: u32,
    /// Property ids and values in order of first appearance, the last value of each; old v2 ids are followed by
    /// their copies under the current ids.
    pub fields: Vec<(String, String)>,
    /// The ids of fields that came with `MatchingRule="strict"`; the vendor's client sends none, canari's all.
    pub strict_fields: Vec<String>,
    /// The type attribute as it came.
    pub declared_type: String,
}

impl InputEntity {
    /// Returns a property by its id.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    /// Tells whether the entity is of this full type id or inherits from it.
    #[must_use]
    pub fn is_a(&self, type_id: &str) -> bool {
        self.ancestors.iter().any(|ancestor| ancestor == type_id)
    }

    /// Returns the entity's value: `Value`, or its value property where `Value` is blank.
    #[must_use]
    pub fn value(&self) -> &str {
        if !self.value.trim().is_empty() {
            return &self.value;
        }
        let known = self.known_types().find_map(|t| t.value_property);
        known.and_then(|name| self.field(name)).unwrap_or(&self.value)
    }

    /// Returns what to look up: the value, except for the types that draw something else than their value (the
    /// short title of a URL, the title of a Document), where the value property goes first.
    #[must_use]
    pub fn indicator(&self) -> &str {
        let drawn = self
            .known_types()
            .next()
            .filter(|t| t.value_property != t.display_property);
        let own = drawn
            .and_then(|t| t.value_property)
            .and_then(|name| self.field(name));
        own.filter(|value| !value.trim().is_empty())
            .unwrap_or_else(|| self.value())
    }

    /// Returns the properties an annotated copy of the entity has to carry, values byte for byte: every strict one,
    /// and for a custom type every one, because only the client knows which of those are strict. Equal values never
    /// part two entities, whatever their rule, while a missing strict one makes a second node.
    #[must_use]
    pub fn echo_fields(&self) -> Vec<Property> {
        let custom = types::lookup(&self.type_id).is_none();
        let echo = |(name, value): &(String, String)| {
            let declared = self.known_types().find_map(|t| types::property(t.id, name));
            let strict = declared.map_or_else(|| self.strict_fields.contains(name), |p| p.strict);
            (strict || custom).then(|| Property {
                name: name.into(),
                display_name: declared.map_or_else(|| name.into(), |p| SmolStr::new_static(p.display_name)),
                value: value.into(),
                strict,
            })
        };
        self.fields.iter().filter_map(echo).collect()
    }

    fn known_types(&self) -> impl Iterator<Item = &'static types::EntityType> {
        self.ancestors.iter().filter_map(|id| types::lookup(id))
    }

    /// Settles type and ancestry from the declared type and the genealogy (pairs of full id and v2 name), then
    /// copies fields with old ids to the current ones.
    pub(super) fn resolve(&mut self, genealogy: Vec<(String, String)>) {
        for (name, old_name) in genealogy {
            let id = if name.is_empty() {
                full(old_name)
            } else {
                full(name)
            };
            self.add_ancestor(id);
        }
        // An unknown at the end of a genealogy says nothing; alone it still gives way to a declared type.
        if self.ancestors.iter().any(|id| id != UNKNOWN) {
            self.ancestors.retain(|id| id != UNKNOWN);
        } else {
            self.ancestors.clear();
            self.add_ancestor(full(self.declared_type.trim().to_owned()));
        }
        if self.ancestors.is_empty() {
            self.ancestors.push(UNKNOWN.to_owned());
        }
        // Hand-made clients name the type alone, so the table fills in what it knows.
        let known: Vec<_> = self.known_types().flat_map(|t| t.bases).collect();
        for base in known {
            if !self.is_a(base) {
                self.ancestors.push((*base).to_owned());
            }
        }
        self.type_id = self.ancestors.first().cloned().unwrap_or_default();
        self.copy_legacy_fields();
    }

    fn add_ancestor(&mut self, id: String) {
        if !id.is_empty() && !self.ancestors.contains(&id) {
            self.ancestors.push(id);
        }
    }

    fn copy_legacy_fields(&mut self) {
        let sent = self.fields.len();
        let mut copies = Vec::new();
        for row in self.ancestors.iter().flat_map(|id| types::legacy_of(id)) {
            let old = self.fields.iter().take(sent).find(|(name, _)| name == row.old);
            if let Some((_, value)) = old
                && self.field(row.new).is_none()
            {
                copies.push((row.new.to_owned(), value.clone()));
            }
        }
        self.fields.append(&mut copies);
    }
}

/// Makes a v2 name full by the table; other names stay as they are.
fn full(name: String) -> String {
    if name.contains('.') {
        return name;
    }
    types::by_any_name(&name).map_or(name, |t| t.id.to_owned())
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}
