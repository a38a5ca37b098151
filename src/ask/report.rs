//! Shows a run to people and to JSON: what the terminal prints and what the control socket carries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::transform::{Body, RunResult};
use crate::maltego::Entity;
use crate::maltego::response::{LinkProperty, OverlayKind, write, write_exception};

/// Says when one source saw something, as far as it says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// The provider.
    pub source: String,
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Date>,
    /// The last day; none also where it was still so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Date>,
}

impl Observation {
    /// Takes what the properties of an entity say under the name of a provider; a vendor may turn the two days around.
    #[must_use]
    pub fn read<'a>(source: &str, property: impl Fn(&str) -> Option<&'a str>) -> Self {
        let day = |what: &str| property(&format!("{source}.{what}")).and_then(|text| text.parse().ok());
        let (first_seen, last_seen): (Option<Date>, Option<Date>) = (day("first_seen"), day("last_seen"));
        let turned = matches!((first_seen, last_seen), (Some(first), Some(last)) if first > last);
        Self {
            source: source.to_owned(),
            first_seen: if turned { last_seen } else { first_seen },
            last_seen: if turned { first_seen } else { last_seen },
        }
    }

    /// Returns the provider that a property names as the source of an entity.
    #[must_use]
    pub fn source_of(property: &str) -> Option<&str> {
        property
            .strip_suffix(".source")
            .filter(|source| !source.is_empty())
    }
}

/// Shows one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityView {
    /// Full type id.
    #[serde(rename = "type")]
    pub type_id: String,
    /// The value.
    pub value: String,
    /// Properties by id.
    pub properties: BTreeMap<String, String>,
    /// The ids of those that have to agree for entities to merge.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub strict: BTreeSet<String>,
    /// What is marked on it, such as `Sinkhole`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<String>,
    /// Label of the link to the input.
    pub link: Option<String>,
    /// Which sources say so, and when each saw it. An annotated input of a type that pivotd does not know repeats what it
    /// came with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Observation>,
}

impl From<&Entity> for EntityView {
    fn from(entity: &Entity) -> Self {
        let property = |name: &str| {
            let found = entity.properties.iter().find(|property| property.name == name);
            found.map(|property| property.value.as_str())
        };
        let exact = entity.seen.iter().map(|seen| Observation {
            source: seen.source.to_string(),
            first_seen: seen.first,
            last_seen: seen.last,
        });
        // What an annotated input came with.
        let sources = entity
            .properties
            .iter()
            .filter_map(|property| Observation::source_of(&property.name))
            .filter(|source| !entity.seen.iter().any(|seen| seen.source == **source));
        Self {
            type_id: entity.type_id.to_string(),
            value: entity.value.to_string(),
            properties: entity
                .properties
                .iter()
                .map(|property| (property.name.to_string(), property.value.to_string()))
                .collect(),
            strict: entity
                .properties
                .iter()
                .filter(|property| property.strict)
                .map(|property| property.name.to_string())
                .collect(),
            marks: entity
                .overlays
                .iter()
                .filter(|overlay| overlay.kind == OverlayKind::Text)
                // A property that is drawn is shown among the others.
                .filter(|overlay| property(&overlay.property_name).is_none())
                .map(|overlay| overlay.property_name.clone())
                .collect(),
            link: entity.link.iter().find_map(|link| match link {
                LinkProperty::Label(label) => Some(label.to_string()),
                _ => None,
            }),
            observations: exact
                .chain(sources.map(|source| Observation::read(source, property)))
                .collect(),
        }
    }
}

/// Shows one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// `Inform`, `PartialError`, `FatalError`, `Debug` or `Exception`.
    pub kind: String,
    /// The text.
    pub text: String,
}

/// Shows a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The transform.
    pub transform: String,
    /// The type of the entity that it ran on, full id.
    pub input_type: String,
    /// The value of that entity: where it came without properties, in the form in which entities have it.
    pub input_value: String,
    /// The outcome.
    pub outcome: String,
    /// Where the answers came from.
    pub cache: String,
    /// The entities.
    pub entities: Vec<EntityView>,
    /// The messages.
    pub messages: Vec<MessageView>,
    /// The answer as a Maltego client gets it.
    pub xml: String,
}

impl Report {
    /// Shows what a run came to.
    #[must_use]
    pub fn of(transform: &str, (input_type, input_value): (&str, String), result: &RunResult) -> Self {
        let (entities, messages, xml) = match &result.body {
            Body::Response(response) => {
                let entities = response.entities.iter().map(EntityView::from).collect();
                let messages = response
                    .messages
                    .iter()
                    .map(|message| MessageView {
                        kind: message.kind.to_string(),
                        text: message.text.clone(),
                    })
                    .collect();
                (entities, messages, write(response))
            }
            Body::Exception(exception) => {
                let message = MessageView {
                    kind: "Exception".to_owned(),
                    text: exception.text.clone(),
                };
                (
                    Vec::new(),
                    vec![message],
                    write_exception(std::slice::from_ref(exception)),
                )
            }
        };
        Self {
            transform: transform.to_owned(),
            input_type: input_type.to_owned(),
            input_value,
            outcome: result.outcome.to_owned(),
            cache: result.cache.to_owned(),
            entities,
            messages,
            xml,
        }
    }

    /// Tells whether the run ended in an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.messages
            .iter()
            .any(|message| matches!(message.kind.as_str(), "PartialError" | "FatalError" | "Exception"))
    }
}
