//! Holds the transforms of `transforms.toml`, checked against what providers can do.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{Capability, IndicatorKind};
use crate::mapping::EntityRule;

/// Names an input type of a transform, with how its query is found and what is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// Maltego entity type, full id.
    pub type_id: String,
    /// Property that holds the query; `None` takes the entity's value.
    pub query: Option<String>,
    /// What the value is read as, in the order tried.
    pub kinds: Vec<IndicatorKind>,
    /// Whether the registrable domain of the value is asked for (a host name, URL or e-mail address
    /// given to a transform on domains); the answer then says so.
    pub registrable: bool,
}

/// Says who answers a transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answerer {
    /// A provider, by name.
    Provider(String),
    /// pivotd itself; nobody is asked.
    Own,
}

/// Describes a transform.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformSpec {
    /// Name in URLs: lower case, dots and dashes.
    pub name: String,
    /// Name in the client's menu.
    pub title: String,
    /// What it does, for people.
    pub about: String,
    /// Who answers.
    pub answerer: Answerer,
    /// What is asked.
    pub capability: Capability,
    /// Inputs.
    pub inputs: Vec<InputSpec>,
    /// Transform set in the client's menu.
    pub set: String,
    /// An example value for the demo and for docs.
    pub example: String,
    /// Fixed parameters that the vendor sees, over the offer's defaults.
    pub params: BTreeMap<String, String>,
    /// The time that answers are kept, where it differs from the provider's.
    pub ttl: Option<Duration>,
    /// How records become entities.
    pub entities: Vec<EntityRule>,
    /// Line in the file.
    pub line: usize,
}
