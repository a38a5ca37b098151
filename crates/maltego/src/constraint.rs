//! Constraints of inputs: what an entity has to be beside its type, before a transform runs on it. Clients of protocol v3 hide a
//! transform where an entity does not satisfy its constraint; the server looks again, since other clients do not.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::request::{InputEntity, UNKNOWN};
use crate::types;

/// A subject of more characters matches no regular expression.
const MOST_MATCHED: usize = 1024;
/// The most bytes of a regular expression.
const MOST_PATTERN: usize = 1000;
/// The most bytes that a compiled regular expression takes.
const MOST_COMPILED: usize = 1 << 20;

/// Says how the parts of a composite constraint are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// All parts have to be satisfied.
    All,
    /// One part has to be satisfied.
    Any,
    /// No part may be satisfied.
    None,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::None => "none",
        }
    }

    /// Takes parts together, of which some may be unknown.
    fn of(self, parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
        // The first part that says this decides.
        let decisive = self != Self::All;
        let mut is_unknown = false;
        for part in parts {
            match part {
                Some(part) if part == decisive => return Some(self == Self::Any),
                Some(_) => {}
                None => is_unknown = true,
            }
        }
        (!is_unknown).then_some(self != Self::Any)
    }
}

/// Names a part of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropertyPart {
    /// Its value.
    Value,
    /// Its name for people.
    DisplayName,
    /// Its id.
    Name,
}

impl PropertyPart {
    fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::DisplayName => "display_name",
            Self::Name => "name",
        }
    }
}

/// Says where a text is looked for in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchPlace {
    /// Anywhere.
    Contains,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
}

impl MatchPlace {
    fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        }
    }
}

/// Is a regular expression of bounded size.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = String;

    /// Compiles it.
    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > MOST_PATTERN {
            return Err(format!(
                "a regular expression of at most {MOST_PATTERN} bytes is taken"
            ));
        }
        let built = RegexBuilder::new(&text).size_limit(MOST_COMPILED).build();
        built.map(Self).map_err(|error| {
            let text = error.to_string();
            // The last line says what is wrong; those before it draw the place.
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

/// Is a constraint of one property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropertyConstraint {
    /// A part is this text.
    Equals {
        /// The part.
        part: PropertyPart,
        /// The text.
        value: String,
        /// Whether upper and lower case are the same.
        ignore_case: bool,
    },
    /// The property is of this type: `STRING`, `INT`, `DATE` and so on.
    TypeEquals {
        /// The type.
        value: String,
        /// Whether upper and lower case are the same.
        ignore_case: bool,
    },
    /// A part holds this text.
    Matches {
        /// The part.
        part: PropertyPart,
        /// Where in it.
        place: MatchPlace,
        /// The text.
        value: String,
        /// Whether upper and lower case are the same.
        ignore_case: bool,
    },
    /// A regular expression is found in a part from its start on.
    Regex {
        /// The part.
        part: PropertyPart,
        /// The regular expression.
        pattern: Pattern,
    },
    /// Several constraints of the same property.
    Composite(Operation, Vec<PropertyConstraint>),
}

/// Is a constraint of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputConstraint {
    /// It is of this type, or of one that stands on it.
    Type(String),
    /// It has a property that satisfies this.
    Property(PropertyConstraint),
    /// Several constraints of the same entity.
    Composite(Operation, Vec<InputConstraint>),
}

/// Is what is known of a property. What is `None` is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownProperty<'a> {
    /// Its id.
    pub name: Option<&'a str>,
    /// Its name for people.
    pub display_name: Option<&'a str>,
    /// Its type.
    pub kind: Option<&'a str>,
    /// Its values: those of a list one by one, none where it is null.
    pub values: Option<Vec<String>>,
}

/// Lists what an entity of a classic client tells of its properties: names and values.
#[must_use]
pub fn known_properties(entity: &InputEntity) -> Vec<KnownProperty<'_>> {
    let property = |name, value: &str| KnownProperty {
        name,
        values: Some(vec![value.to_owned()]),
        ..KnownProperty::default()
    };
    let fields = entity.fields.iter();
    let mut all: Vec<_> = fields.map(|(name, value)| property(Some(name), value)).collect();
    // Classic clients send the value beside the properties.
    let named = entity.ancestors.iter().find_map(|id| types::value_property(id));
    if named.is_none_or(|name| entity.field(name).is_none()) {
        all.push(property(named, entity.value()));
    }
    all
}

impl InputConstraint {
    /// Tells whether an entity satisfies it; `None` where what is known of the entity does not decide that.
    #[must_use]
    pub fn check(&self, entity: &InputEntity, properties: &[KnownProperty<'_>]) -> Option<bool> {
        match self {
            Self::Type(id) => {
                let is_known = entity.ancestors.iter().any(|known| known != UNKNOWN);
                is_known.then(|| entity.is_a(id))
            }
            Self::Property(constraint) => {
                Operation::Any.of(properties.iter().map(|property| constraint.check(property)))
            }
            Self::Composite(operation, parts) => {
                operation.of(parts.iter().map(|part| part.check(entity, properties)))
            }
        }
    }

    /// Says why a transform does not run on an entity; `None` where it does, or where too little is known of the entity.
    #[must_use]
    pub fn rejection(
        &self,
        title: &str,
        entity: &InputEntity,
        properties: &[KnownProperty<'_>],
    ) -> Option<String> {
        let is_rejected = self.check(entity, properties) == Some(false);
        is_rejected.then(|| {
            format!(
                "Transform '{title}' rejected input: it takes an entity {}; nothing was looked up",
                self.text()
            )
        })
    }

    /// Writes it as protocol v3 has it.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Type(id) => json!({"type": "entity_type_constraint", "entity_type": id}),
            Self::Property(constraint) => match constraint {
                PropertyConstraint::Composite(..) => constraint.json(),
                // An entity has a property that satisfies a composite one.
                one => composite("property", Operation::All, std::iter::once(one.json())),
            },
            Self::Composite(operation, parts) => {
                composite("entity", *operation, parts.iter().map(Self::json))
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Type(id) => format!("of type {id}"),
            Self::Property(constraint) => format!("with a property whose {}", constraint.text()),
            Self::Composite(operation, parts) => joined(*operation, parts.iter().map(Self::text)),
        }
    }
}

impl PropertyConstraint {
    fn check(&self, property: &KnownProperty<'_>) -> Option<bool> {
        match self {
            Self::Equals {
                part,
                value,
                ignore_case,
            } => {
                let value = folded(value, *ignore_case);
                any(property, *part, |text| folded(text, *ignore_case) == value)
            }
            Self::TypeEquals { value, ignore_case } => {
                let kind = property.kind?;
                Some(folded(kind, *ignore_case) == folded(value, *ignore_case))
            }
            Self::Matches {
                part,
                place,
                value,
                ignore_case,
            } => {
                let value = folded(value, *ignore_case);
                any(property, *part, |text| {
                    let text = folded(text, *ignore_case);
                    match place {
                        MatchPlace::Contains => text.contains(&value),
                        MatchPlace::StartsWith => text.starts_with(&value),
                        MatchPlace::EndsWith => text.ends_with(&value),
                    }
                })
            }
            Self::Regex { part, pattern } => any(property, *part, |text| {
                // The leftmost match is the only one that can start where the text does.
                let found = || pattern.0.find(text).is_some_and(|found| found.start() == 0);
                text.chars().nth(MOST_MATCHED).is_none() && found()
            }),
            Self::Composite(operation, parts) => operation.of(parts.iter().map(|part| part.check(property))),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Equals {
                part,
                value,
                ignore_case,
            } => {
                json!({"type": format!("property_{}_equals", part.name()), "value": value, "ignore_case": ignore_case})
            }
            Self::TypeEquals { value, ignore_case } => {
                json!({"type": "property_type_equals", "value": value, "ignore_case": ignore_case})
            }
            Self::Matches {
                part,
                place,
                value,
                ignore_case,
            } => json!({
                "type": format!("property_{}_string_match", part.name()),
                "match_type": place.name(),
                "value": value,
                "ignore_case": ignore_case,
            }),
            Self::Regex { part, pattern } => {
                json!({"type": format!("property_{}_matches_regex", part.name()), "regex": pattern.0.as_str()})
            }
            Self::Composite(operation, parts) => {
                composite("property", *operation, parts.iter().map(Self::json))
            }
        }
    }

    fn text(&self) -> String {
        let part = |part: &PropertyPart| part.name().replace('_', " ");
        match self {
            Self::Equals { part: of, value, .. } => format!("{} is \"{value}\"", part(of)),
            Self::TypeEquals { value, .. } => format!("type is {value}"),
            Self::Matches {
                part: of,
                place,
                value,
                ..
            } => {
                let place = match place {
                    MatchPlace::Contains => "contains",
                    MatchPlace::StartsWith => "starts with",
                    MatchPlace::EndsWith => "ends with",
                };
                format!("{} {place} \"{value}\"", part(of))
            }
            Self::Regex { part: of, pattern } => {
                format!("{} matches \"{}\"", part(of), pattern.0.as_str())
            }
            Self::Composite(operation, parts) => joined(*operation, parts.iter().map(Self::text)),
        }
    }
}

/// Tells whether a part of a property is known to be so; one of several values suffices.
fn any(property: &KnownProperty<'_>, part: PropertyPart, is_so: impl Fn(&str) -> bool) -> Option<bool> {
    match part {
        PropertyPart::Value => Some(property.values.as_ref()?.iter().any(|value| is_so(value))),
        PropertyPart::DisplayName => property.display_name.map(is_so),
        PropertyPart::Name => property.name.map(is_so),
    }
}

fn folded(text: &str, ignore_case: bool) -> String {
    match ignore_case {
        true => text.to_lowercase(),
        false => text.to_owned(),
    }
}

fn composite(of: &str, operation: Operation, parts: impl Iterator<Item = Value>) -> Value {
    let (operation, constraints): (_, Vec<Value>) = (operation.name(), parts.collect());
    json!({"type": format!("{of}_satisfies_{operation}"), "operation": operation, "constraints": constraints})
}

fn joined(operation: Operation, parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    match (operation, parts.as_slice()) {
        (Operation::All | Operation::Any, [one]) => one.clone(),
        (Operation::All, parts) => format!("({})", parts.join(" and ")),
        (Operation::Any, parts) => format!("({})", parts.join(" or ")),
        (Operation::None, parts) => format!("(none of: {})", parts.join(", ")),
    }
}
