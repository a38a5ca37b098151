//! Writes a graph as JSON, for programs, and reads it back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Graph, GraphError, Link, Node, VERSION, known_version, wrong};
use crate::ask::report::Observation;

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(default)]
    steps: Vec<String>,
    entities: Vec<Entity>,
    #[serde(default)]
    links: Vec<JsonLink>,
}

#[derive(Serialize, Deserialize)]
struct Entity {
    /// What links call it.
    id: usize,
    #[serde(rename = "type")]
    type_id: String,
    value: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    strict: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    marks: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    observations: BTreeSet<Observation>,
    #[serde(default, skip_serializing_if = "is_zero")]
    added: usize,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    steps: BTreeSet<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    given: bool,
}

#[derive(Serialize, Deserialize)]
struct JsonLink {
    from: usize,
    to: usize,
    transform: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    observations: BTreeSet<Observation>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Writes a graph as JSON.
///
/// # Errors
/// Never, as far as is known: it is written into memory.
pub fn to_json(graph: &Graph) -> serde_json::Result<String> {
    let all: Vec<usize> = (0..graph.nodes().len()).collect();
    serde_json::to_string_pretty(&part(graph, &all)?)
}

/// Makes JSON of some of the entities, by index, and of the links between them.
///
/// # Errors
/// Never, as far as is known.
pub fn part(graph: &Graph, chosen: &[usize]) -> serde_json::Result<serde_json::Value> {
    let entities = chosen
        .iter()
        .filter_map(|at| Some((*at, graph.nodes().get(*at)?)));
    let is_chosen: BTreeSet<usize> = chosen.iter().copied().collect();
    let file = File {
        version: VERSION,
        steps: graph.steps().to_vec(),
        entities: entities
            .map(|(id, node)| {
                let node = node.clone();
                Entity {
                    id,
                    type_id: node.type_id,
                    value: node.value,
                    properties: node.properties,
                    strict: node.strict,
                    marks: node.marks,
                    observations: node.observations,
                    added: node.added,
                    steps: node.steps,
                    given: node.given,
                }
            })
            .collect(),
        links: graph
            .links()
            .filter(|link| is_chosen.contains(&link.from) && is_chosen.contains(&link.to))
            .map(|link| JsonLink {
                from: link.from,
                to: link.to,
                transform: link.transform,
                label: link.label,
                observations: link.observations,
            })
            .collect(),
    };
    serde_json::to_value(file)
}

/// Reads a graph that [`to_json`] wrote.
///
/// # Errors
/// [`GraphError`] where the text is no such graph.
pub fn read_json(text: &str) -> Result<Graph, GraphError> {
    let file: File = serde_json::from_str(text).map_err(wrong)?;
    known_version(file.version)?;
    let mut graph = Graph {
        steps: file.steps,
        ..Graph::default()
    };
    let mut places = BTreeMap::new();
    for entity in file.entities {
        let id = entity.id;
        let at = graph.add(Node {
            type_id: entity.type_id,
            value: entity.value,
            properties: entity.properties,
            strict: entity.strict,
            marks: entity.marks,
            observations: entity.observations,
            added: entity.added,
            steps: entity.steps,
            given: entity.given,
        });
        places.insert(id, at);
    }
    for link in file.links {
        let place = |id: usize| places.get(&id).copied().ok_or_else(|| wrong("a link has no end"));
        graph.link(Link {
            from: place(link.from)?,
            to: place(link.to)?,
            transform: link.transform,
            label: link.label,
            observations: link.observations,
        });
    }
    Ok(graph)
}
