//! Merges what transforms found into one graph, as a Maltego client does. Pure.
//!
//! `graphml` writes a graph for other tools and reads it back, `dot` draws it.

mod dot;
mod graphml;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ask::report::EntityView;

pub use dot::to_dot;
pub use graphml::{GraphError, read_graphml, to_graphml};

/// Tells entities apart: type, value, and the strict properties.
type Identity = (String, String, BTreeMap<String, String>);

/// Holds one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Full type id.
    pub type_id: String,
    /// The value.
    pub value: String,
    /// Properties by id.
    pub properties: BTreeMap<String, String>,
    /// The ids of the strict properties.
    pub strict: BTreeSet<String>,
    /// What is marked on it, such as `Sinkhole`.
    pub marks: BTreeSet<String>,
}

impl Node {
    fn identity(&self) -> Identity {
        let strict = self.strict.iter();
        let strict = strict.filter_map(|name| Some((name.clone(), self.properties.get(name)?.clone())));
        (self.type_id.clone(), self.value.clone(), strict.collect())
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
        }
    }
}

/// Holds one link, from the entity that a transform ran on to one that it found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The index of the node that the transform ran on.
    pub from: usize,
    /// The index of the node that was found.
    pub to: usize,
    /// The transform.
    pub transform: String,
    /// The label; may be empty.
    pub label: String,
}

/// Holds entities and links, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
    links: BTreeSet<Link>,
    known: HashMap<Identity, usize>,
}

impl Graph {
    /// Returns the entities.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Walks the links, in a stable order.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter()
    }

    /// Adds an entity, or merges it into its equal: properties with other ids are added, those with equal ids take the
    /// newer value. Returns its index.
    pub fn add(&mut self, node: Node) -> usize {
        let identity = node.identity();
        if let Some(&at) = self.known.get(&identity) {
            if let Some(kept) = self.nodes.get_mut(at) {
                kept.properties.extend(node.properties);
                kept.marks.extend(node.marks);
            }
            return at;
        }
        self.known.insert(identity, self.nodes.len());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Links two entities.
    pub fn link(&mut self, link: Link) {
        if link.from != link.to {
            self.links.insert(link);
        }
    }

    /// Adds what a transform found for an entity. What annotates the entity itself is merged into it.
    pub fn found(&mut self, input: usize, transform: &str, entities: Vec<EntityView>) {
        for entity in entities {
            let label = entity.link.clone().unwrap_or_default();
            let is_input = self
                .nodes
                .get(input)
                .is_some_and(|node| node.type_id == entity.type_id && node.value == entity.value);
            let to = if is_input {
                if let Some(node) = self.nodes.get_mut(input) {
                    node.properties.extend(entity.properties);
                    node.marks.extend(entity.marks);
                }
                input
            } else {
                self.add(entity.into())
            };
            self.link(Link {
                from: input,
                to,
                transform: transform.to_owned(),
                label,
            });
        }
    }
}
