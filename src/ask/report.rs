//! Shows a run to people and to JSON: what the terminal prints and what the control socket carries.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::transform::{Body, Ran};
use crate::maltego::response::{LinkProperty, OverlayKind, write, write_exception};

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
    pub fn of(transform: &str, input_type: &str, ran: &Ran) -> Self {
        let (entities, messages, xml) = match &ran.body {
            Body::Response(response) => {
                let entities = response
                    .entities
                    .iter()
                    .map(|entity| EntityView {
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
                            .map(|overlay| overlay.property_name.clone())
                            .collect(),
                        link: entity.link.iter().find_map(|link| match link {
                            LinkProperty::Label(label) => Some(label.to_string()),
                            _ => None,
                        }),
                    })
                    .collect();
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
            outcome: ran.outcome.to_owned(),
            cache: ran.cache.to_owned(),
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
