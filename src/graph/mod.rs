//! Merges what transforms found into one graph, as a Maltego client does, and reads out of it what agrees. Pure.
//!
//! `graphml` and `json` write a graph for other tools and read it back, `dot` draws it. `period` unites when something
//! was seen, `select` chooses entities, `overlap` compares two sides, `standing` says what an entity rests on, `news`
//! what a step brought.

pub mod changes;
mod dot;
mod graphml;
mod json;
mod old;
pub mod overlap;
pub mod period;
pub mod select;
pub mod support;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::ask::report::{EntityView, Observation};
use crate::domain::indicator::without;
use crate::maltego::types;
use crate::mapping::canonical::name_key;
use period::Period;

pub use dot::to_dot;
pub use graphml::{read_graphml, to_graphml};
pub use json::{part, read_json, to_json};

/// The version of the files. Version 1 had no dates on links and no steps.
pub const VERSION: u32 = 2;

/// Says what is wrong with a graph file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no graph that pivotd wrote: {0}")]
pub struct GraphError(String);

fn wrong<R: std::fmt::Display>(reason: R) -> GraphError {
    GraphError(reason.to_string())
}

/// Refuses a file of a version that is not known yet.
fn known_version(version: u32) -> Result<u32, GraphError> {
    if version > VERSION {
        return Err(wrong(format!(
            "it has version {version}, and this program knows versions up to {VERSION}; use a newer pivotd"
        )));
    }
    Ok(version)
}

/// Reads a graph in either format.
///
/// # Errors
/// [`GraphError`] where the text is no graph that pivotd wrote.
pub fn read(text: &str) -> Result<Graph, GraphError> {
    if text.trim_start().starts_with('{') {
        read_json(text)
    } else {
        read_graphml(text)
    }
}

/// Says what an entity is: type, value, and the strict properties.
pub type EntityKey = (String, String, BTreeMap<String, String>);

/// Holds one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Full type id.
    #[serde(rename = "type")]
    pub type_id: String,
    /// The value.
    pub value: String,
    /// Properties by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// The ids of the strict properties.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub strict: BTreeSet<String>,
    /// What is marked on it, such as `Sinkhole`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<String>,
    /// Which sources tell of it, and when each saw it: all that its links say, and what annotates it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub observations: BTreeSet<Observation>,
    /// The step in which it came onto the graph; 0 where that is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub added: usize,
    /// The steps that found it or told more of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub steps: BTreeSet<usize>,
    /// Whether a transform was run on it before anything had found it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given: bool,
}

/// Tells types whose values are names of persons and organizations.
fn is_named(type_id: &str) -> bool {
    matches!(
        type_id,
        "maltego.Person" | "maltego.Organization" | "maltego.Company"
    )
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Node {
    /// Returns what tells it from other entities.
    #[must_use]
    pub fn identity(&self) -> EntityKey {
        let strict = self.strict.iter();
        let strict = strict.filter_map(|name| Some((name.clone(), self.properties.get(name)?.clone())));
        (self.type_id.clone(), self.value.clone(), strict.collect())
    }

    /// Returns what tells it from other entities: its identity, of which a name counts regardless of case and
    /// punctuation.
    fn key(&self) -> EntityKey {
        let (type_id, mut value, mut strict) = self.identity();
        if is_named(&type_id) {
            value = name_key(&value);
            if let Some(name) = types::value_property(&type_id) {
                strict.remove(name);
            }
        }
        (type_id, value, strict)
    }

    /// Returns the last part of the type's id.
    #[must_use]
    pub fn short_type(&self) -> &str {
        types::last_part(&self.type_id)
    }

    /// Lists the sources that tell of it, without those of pivotd itself.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<&str> {
        self.observations
            .iter()
            .map(|one| one.source.as_str())
            .filter(|source| *source != crate::catalogue::OWN)
            .collect()
    }

    /// Tells whether a step brought it; what a transform was run on in that step was there before.
    #[must_use]
    pub fn is_new_in(&self, step: usize) -> bool {
        step > 0 && self.added == step && !self.given
    }

    /// Unites the periods in which it was seen.
    #[must_use]
    pub fn seen(&self) -> Vec<Period> {
        period::seen(&self.observations)
    }

    /// Takes what is new of observations, and keeps its date properties the hull of what each source says.
    fn observe(&mut self, observations: impl IntoIterator<Item = Observation>) {
        self.observations.extend(observations);
        let sources: BTreeSet<&String> = self.observations.iter().map(|one| &one.source).collect();
        for source in sources {
            let of_source = self.observations.iter().filter(|one| one.source == *source);
            let (first, last) = period::ends(of_source);
            if first.is_none() && last.is_none() {
                continue;
            }
            for (what, day) in [("first_seen", first), ("last_seen", last)] {
                let name = format!("{source}.{what}");
                match day {
                    Some(day) => self.properties.insert(name, day.to_string()),
                    None => self.properties.remove(&name),
                };
            }
        }
    }
}

impl From<EntityView> for Node {
    fn from(entity: EntityView) -> Self {
        Self {
            type_id: entity.type_id,
            value: entity.value,
            properties: entity.properties,
            strict: entity.strict,
            marks: entity.marks,
            observations: entity.observations.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// Holds one link, from the entity that a transform ran on to one that it found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The index of the node that the transform ran on.
    pub from: usize,
    /// The index of the node that was found.
    pub to: usize,
    /// The transform.
    pub transform: String,
    /// The label; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Which sources say so, and when each saw it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub observations: BTreeSet<Observation>,
}

/// Tells links apart.
type LinkIdentity = (usize, usize, String, String);

/// Holds entities and links, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
    links: BTreeMap<LinkIdentity, BTreeSet<Observation>>,
    known: HashMap<EntityKey, usize>,
    steps: Vec<String>,
}

impl Graph {
    /// Returns the entities.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Walks the links, in a stable order.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.links
            .iter()
            .map(|((from, to, transform, label), observations)| Link {
                from: *from,
                to: *to,
                transform: transform.clone(),
                label: label.clone(),
                observations: observations.clone(),
            })
    }

    /// Returns the transform of each step; the first step is number 1.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// Finds the entity that would merge with another.
    #[must_use]
    pub fn find(&self, node: &Node) -> Option<usize> {
        self.known.get(&plain_node(node.clone()).key()).copied()
    }

    /// Begins a step; what is found until the next one belongs to it. Returns its number.
    pub fn begin(&mut self, transform: &str) -> usize {
        self.steps.push(transform.to_owned());
        self.steps.len()
    }

    /// Adds an entity, or merges it into its equal: properties with other ids are added, those with equal ids take the
    /// newer value, periods are united. Returns its index.
    pub fn add(&mut self, node: Node) -> usize {
        let mut node = plain_node(node);
        let key = node.key();
        if let Some(&at) = self.known.get(&key) {
            if let Some(kept) = self.nodes.get_mut(at) {
                if kept.value != node.value {
                    // The first spelling stays, and so do the properties that repeat it.
                    node.properties.retain(|name, _| {
                        types::property(&kept.type_id, name).is_none() || !kept.properties.contains_key(name)
                    });
                }
                kept.properties.extend(node.properties);
                kept.marks.extend(node.marks);
                kept.steps.extend(node.steps);
                kept.given |= node.given;
                kept.observe(node.observations);
            }
            return at;
        }
        let observations = std::mem::take(&mut node.observations);
        node.observe(observations);
        self.known.insert(key, self.nodes.len());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds the entity that a transform is run on. Returns its index.
    pub fn give(&mut self, node: Node) -> usize {
        let node = plain_node(node);
        let is_new = self.find(&node).is_none();
        let step = self.steps.len();
        let at = self.add(node);
        if let Some(kept) = self.nodes.get_mut(at).filter(|_| is_new) {
            kept.given = true;
            kept.added = step;
        }
        at
    }

    /// Links two entities; a link that is there takes what is new of the observations, and so does the entity that was
    /// found.
    pub fn link(&mut self, mut link: Link) {
        link.label = plain(link.label);
        if link.from == link.to || link.from >= self.nodes.len() {
            return;
        }
        let Some(found) = self.nodes.get_mut(link.to) else {
            return;
        };
        found.observe(link.observations.iter().cloned());
        self.links
            .entry((link.from, link.to, link.transform, link.label))
            .or_default()
            .extend(link.observations);
    }

    /// Adds what a transform found for an entity. What annotates the entity itself is merged into it.
    pub fn found(&mut self, input: usize, transform: &str, entities: Vec<EntityView>) {
        let step = self.steps.len();
        for entity in entities.into_iter().map(plain_entity) {
            let label = entity.link.clone().unwrap_or_default();
            let is_input = self.nodes.get(input).is_some_and(|node| is_copy(&entity, node));
            if is_input {
                if let Some(node) = self.nodes.get_mut(input) {
                    annotate(node, entity);
                    node.steps.extend((step > 0).then_some(step));
                }
                continue;
            }
            let observations: BTreeSet<Observation> = entity.observations.iter().cloned().collect();
            let mut node = Node::from(entity);
            let is_new = self.find(&node).is_none();
            node.steps.extend((step > 0).then_some(step));
            node.added = if is_new { step } else { 0 };
            let to = self.add(node);
            self.link(Link {
                from: input,
                to,
                transform: transform.to_owned(),
                label,
                observations,
            });
        }
    }
}

/// Takes out of a text what cannot be seen and what turns its direction, but for what can mean something inside a word.
fn plain(text: String) -> String {
    match without(&text, false) {
        Cow::Owned(plain) => plain,
        Cow::Borrowed(_) => text,
    }
}

fn plain_values(values: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let values = values.into_iter();
    values.map(|(name, value)| (name, plain(value))).collect()
}

fn plain_node(node: Node) -> Node {
    Node {
        value: plain(node.value),
        properties: plain_values(node.properties),
        marks: node.marks.into_iter().map(plain).collect(),
        ..node
    }
}

fn plain_entity(entity: EntityView) -> EntityView {
    EntityView {
        value: plain(entity.value),
        properties: plain_values(entity.properties),
        marks: entity.marks.into_iter().map(plain).collect(),
        link: entity.link.map(plain),
        ..entity
    }
}

/// Tells whether an entity is a copy of a node: type, value and all strict properties of the entity agree.
fn is_copy(entity: &EntityView, node: &Node) -> bool {
    let mut strict = entity.strict.iter();
    node.type_id == entity.type_id
        && node.value == entity.value
        && strict.all(|name| node.properties.get(name) == entity.properties.get(name))
}

/// Merges what was learnt of the input into it.
///
/// The copy of an entity of a known type repeats the strict properties only, so that all its dates are new. The copy of
/// an entity of another type repeats every property, the dates of the node among them.
fn annotate(node: &mut Node, entity: EntityView) {
    let repeats_dates = types::lookup(&entity.type_id).is_none();
    node.properties.extend(entity.properties);
    node.marks.extend(entity.marks);
    let told: Vec<Observation> = if repeats_dates {
        let known = |one| only_new(&node.observations, one);
        entity.observations.into_iter().flat_map(known).collect()
    } else {
        entity.observations
    };
    node.observe(told);
}

/// Takes what is new of an observation that spans the known ones of its source, too.
///
/// Only the new ends were seen then; what lies between them and the known days was not.
fn only_new(known: &BTreeSet<Observation>, one: Observation) -> Vec<Observation> {
    let of_source = known.iter().filter(|known| known.source == one.source);
    let Some(known) = period::hull(of_source.filter_map(Period::of)) else {
        return vec![one];
    };
    let earlier = one
        .first_seen
        .filter(|day| known.first().is_some_and(|first| *day < first));
    let later = one
        .last_seen
        .filter(|day| known.last().is_some_and(|last| *day > last));
    let ends = [earlier, later].into_iter().flatten();
    ends.map(|day| Observation {
        source: one.source.clone(),
        first_seen: Some(day),
        last_seen: Some(day),
    })
    .collect()
}
