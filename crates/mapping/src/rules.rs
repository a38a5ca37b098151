//! Holds the mapping language of `transforms.toml` as data, already checked against the capability's schema.

use std::collections::BTreeMap;

use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use pivotd_domain::Value;
use pivotd_maltego::response::Bookmark;

/// Holds a template such as `{domain} {first_seen}[ to {last_seen}]`, parsed. Its fields are names, or what a compiled rule
/// has instead of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template<F = String> {
    /// The pieces in order.
    pub pieces: Vec<TemplatePart<F>>,
}

/// Is one piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart<F = String> {
    /// Literal text.
    Text(String),
    /// A field's text.
    Field(F),
    /// Vanishes if a field in it is missing.
    Optional(Vec<TemplatePart<F>>),
}

impl<F> TemplatePart<F> {
    /// Makes the piece with other fields.
    fn with_fields<G>(&self, of: &impl Fn(&F) -> G) -> TemplatePart<G> {
        match self {
            Self::Text(text) => TemplatePart::Text(text.clone()),
            Self::Field(field) => TemplatePart::Field(of(field)),
            Self::Optional(inner) => {
                TemplatePart::Optional(inner.iter().map(|piece| piece.with_fields(of)).collect())
            }
        }
    }
}

impl<F> Template<F> {
    /// Makes the template with other fields: with what names are compiled to.
    pub fn with_fields<G>(&self, of: impl Fn(&F) -> G) -> Template<G> {
        Template {
            pieces: self.pieces.iter().map(|piece| piece.with_fields(&of)).collect(),
        }
    }
}

/// Says what a field must be for a rule to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The field's text is one of these, in any case of letters.
    AnyOf(Vec<String>),
    /// The field is there (true) or not (false). A flag that is false counts as not there.
    Present(bool),
}

impl Condition {
    /// Tells whether a field's value meets it.
    #[must_use]
    pub fn is_met_by(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Present(wanted) => value.is_some_and(|value| *value != Value::Flag(false)) == *wanted,
            Self::AnyOf(wanted) => value.is_some_and(|value| {
                let is = |text: &str| wanted.iter().any(|one| one.eq_ignore_ascii_case(text));
                match value {
                    Value::Texts(texts) => texts.iter().any(|text| is(text)),
                    other => other.text().is_some_and(|text| is(&text)),
                }
            }),
        }
    }
}

/// Says which property a field becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyRule {
    /// The field.
    pub field: String,
    /// Property id; `None` makes `<provider>.<field>`.
    pub property: Option<String>,
    /// Display name.
    pub title: String,
    /// Whether it must agree for entities to merge.
    pub strict: bool,
}

impl PropertyRule {
    /// Returns the id of the property for what a provider says.
    #[must_use]
    pub fn id(&self, provider: &str) -> SmolStr {
        match &self.property {
            Some(name) => name.to_smolstr(),
            None => format_smolstr!("{provider}.{}", self.field),
        }
    }
}

/// Says when and how an entity is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRule {
    /// Fields and what they must be.
    pub when: BTreeMap<String, Condition>,
    /// Overlay text.
    pub overlay: Option<String>,
    /// Bookmark colour.
    pub bookmark: Option<Colour>,
}

/// Names the bookmark colours of a Maltego client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// 0
    Blue,
    /// 1
    Green,
    /// 2
    Yellow,
    /// 3
    Purple,
    /// 4
    Red,
}

impl Colour {
    /// Lists every colour in the order of their numbers on the wire.
    pub const ALL: [Self; 5] = [Self::Blue, Self::Green, Self::Yellow, Self::Purple, Self::Red];

    /// Returns the name used in `transforms.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Purple => "purple",
            Self::Red => "red",
        }
    }
}

impl From<Colour> for Bookmark {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Blue => Self::Blue,
            Colour::Green => Self::Green,
            Colour::Yellow => Self::Yellow,
            Colour::Purple => Self::Purple,
            Colour::Red => Self::Red,
        }
    }
}

/// Is one band of a scale: from `from` upward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The least value of the band.
    pub from: i64,
    /// Name of the band.
    pub name: String,
    /// Bookmark colour.
    pub bookmark: Option<Colour>,
    /// Overlay colour, `#rrggbb`.
    pub overlay: Option<String>,
}

/// Holds a named scale; bands ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// The bands.
    pub bands: Vec<Band>,
}

impl Scale {
    /// Returns the band that holds a number; `None` below the first.
    #[must_use]
    pub fn band(&self, number: i64) -> Option<&Band> {
        self.bands.iter().rev().find(|band| band.from <= number)
    }
}

/// Says how records become entities of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityRule {
    /// Entity type; `None` follows the kind of the value's field.
    pub type_id: Option<String>,
    /// What becomes the value.
    pub value: Template,
    /// Name of a list inside the record to walk; its names resolve first.
    pub each: Option<String>,
    /// When the rule applies.
    pub when: BTreeMap<String, Condition>,
    /// Label of the link.
    pub link: Option<Template>,
    /// Fields that become properties.
    pub fields: Vec<PropertyRule>,
    /// Fields shown as a table.
    pub show: Vec<String>,
    /// Field and scale for overlay and bookmark.
    pub band: Option<(String, String)>,
    /// Marks.
    pub marks: Vec<MarkRule>,
    /// Whether the input entity is annotated instead.
    pub on_input: bool,
}
