//! Writes a graph as JSON, for programs, and reads it back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Graph, GraphError, Link, Node, VERSION, known_version, wrong};

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(default)]
    steps: Vec<String>,
    entities: Vec<Entity>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Serialize, Deserialize)]
struct Entity {
    /// What links call it.
    id: usize,
    #[serde(flatten)]
    node: Node,
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
            .map(|(id, node)| Entity {
                id,
                node: node.clone(),
            })
            .collect(),
        links: graph
            .links()
            .filter(|link| is_chosen.contains(&link.from) && is_chosen.contains(&link.to))
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
        places.insert(entity.id, graph.add(entity.node));
    }
    for link in file.links {
        let place = |id: usize| places.get(&id).copied().ok_or_else(|| wrong("a link has no end"));
        graph.link(Link {
            from: place(link.from)?,
            to: place(link.to)?,
            ..link
        });
    }
    Ok(graph)
}
