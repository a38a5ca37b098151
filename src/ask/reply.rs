//! Holds what a client is told of one entity: entities or a message, and never nothing.

use crate::maltego::{Entity, TransformResponse, UiMessage};
use crate::mapping::MappingResult;

/// Is what a client is told of one entity. The only way to make one is [`Reply::of`], so that "found" without an
/// entity and without a message cannot be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    entities: Vec<Entity>,
    messages: Vec<UiMessage>,
}

impl Reply {
    /// Takes what was mapped and what is said of it; where that is nothing at all, `otherwise` says why.
    #[must_use]
    pub fn of(
        mapped: MappingResult,
        messages: Vec<UiMessage>,
        otherwise: impl FnOnce() -> UiMessage,
    ) -> Self {
        let mut messages = messages;
        // An empty one is not written.
        messages.retain(|message| !message.text.trim().is_empty());
        if mapped.is_empty() && messages.is_empty() {
            messages.push(otherwise());
        }
        Self {
            entities: mapped.entities,
            messages,
        }
    }

    /// Adds it to a response.
    pub fn add_to(self, response: &mut TransformResponse) {
        response.entities.extend(self.entities);
        response.messages.extend(self.messages);
    }

    /// Returns the entities.
    #[must_use]
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// Returns the messages.
    #[must_use]
    pub fn messages(&self) -> &[UiMessage] {
        &self.messages
    }
}
