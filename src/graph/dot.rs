//! Draws a graph in the DOT language, for Graphviz.
//!
//! Entities of one type that hang on one other entity alone are drawn as one box, or a picture of more than a hundred
//! could not be read. Those with a mark always have a box of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::period::{ends, hull, seen};
use super::{Graph, Link, Node};
use crate::ask::report::Observation;
use crate::domain::indicator::is_turning;

/// Colours by the last part of the type's id; what is not here is grey.
const COLOURS: [(&str, &str); 12] = [
    ("Domain", "#cfe8fc"),
    ("DNSName", "#e3f2fd"),
    ("IPv4Address", "#dcedc8"),
    ("IPv6Address", "#dcedc8"),
    ("URL", "#ede7f6"),
    ("EmailAddress", "#fff3c4"),
    ("Person", "#ffe0b2"),
    ("Organization", "#ffe0b2"),
    ("Hash", "#f8d7da"),
    ("Incident", "#f5b7b1"),
    ("UserAgent", "#e0f2f1"),
    ("NSRecord", "#e3f2fd"),
];
/// So many of a kind on one entity become one box.
const FEWEST: usize = 3;
/// The most values that a box of several shows.
const MOST_SHOWN: usize = 8;

/// Returns the colour of a type, by the last part of its id.
pub(super) fn colour(short_type: &str) -> &'static str {
    let found = COLOURS.iter().find(|(known, _)| *known == short_type);
    found.map_or("#eeeeee", |(_, colour)| *colour)
}

/// Is what entities that are drawn as one have in common: what they hang on, which way, and by which transforms.
type EdgeGroup = (usize, bool, String, BTreeSet<String>);

/// Writes the graph from left to right: a box for each entity, or for several that hang on one alone, an arrow for each
/// link.
#[must_use]
pub fn to_dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph pivotd {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n  edge [fontname=\"Helvetica\", fontsize=9, color=\"#888888\"];\n",
    );
    let groups = groups(graph);
    // The box in which an entity is drawn: that of the first of its group.
    let mut boxes: BTreeMap<usize, usize> = BTreeMap::new();
    for members in &groups {
        boxes.extend(members.iter().filter_map(|at| Some((*at, *members.first()?))));
    }
    for (at, node) in graph.nodes().iter().enumerate() {
        match boxes.get(&at) {
            None => single(&mut out, at, node),
            Some(first) if *first == at => {
                let members = groups.iter().find(|members| members.first() == Some(&at));
                several(&mut out, at, graph, members.map_or(&[], Vec::as_slice));
            }
            Some(_) => {}
        }
    }
    arrows(&mut out, graph, &boxes);
    out.push_str("}\n");
    out
}

/// Finds entities of one type that hang on one other alone, by equal transforms.
fn groups(graph: &Graph) -> Vec<Vec<usize>> {
    let mut links_of: BTreeMap<usize, Vec<Link>> = BTreeMap::new();
    for link in graph.links() {
        links_of.entry(link.from).or_default().push(link.clone());
        links_of.entry(link.to).or_default().push(link);
    }
    let mut by_hook: BTreeMap<EdgeGroup, Vec<usize>> = BTreeMap::new();
    for (at, node) in graph.nodes().iter().enumerate() {
        let links = links_of.get(&at).map_or(&[][..], Vec::as_slice);
        let ends: BTreeSet<(usize, bool)> = links
            .iter()
            .map(|link| {
                if link.from == at {
                    (link.to, false)
                } else {
                    (link.from, true)
                }
            })
            .collect();
        let mut ends = ends.into_iter();
        if let (Some((hub, is_found)), None, true) = (ends.next(), ends.next(), node.marks.is_empty()) {
            let transforms = links.iter().map(|link| link.transform.clone()).collect();
            let hook = (hub, is_found, node.type_id.clone(), transforms);
            by_hook.entry(hook).or_default().push(at);
        }
    }
    by_hook.into_values().filter(|all| all.len() >= FEWEST).collect()
}

fn single(out: &mut String, at: usize, node: &Node) {
    let short = node.short_type();
    let mut label = format!("{}\n{short}", shortened(&node.value));
    for mark in &node.marks {
        label.push_str("\n[");
        label.push_str(&shortened(mark));
        label.push(']');
    }
    let border = if node.marks.is_empty() {
        "#555555"
    } else {
        "#c62828"
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "  n{at} [label={}, fillcolor=\"{}\", color=\"{border}\"];",
        quoted(&label),
        colour(short)
    );
}

fn several(out: &mut String, at: usize, graph: &Graph, members: &[usize]) {
    let nodes: Vec<&Node> = members.iter().filter_map(|at| graph.nodes().get(*at)).collect();
    let short = nodes.first().map_or("", |node| node.short_type());
    let mut lines: Vec<String> = nodes
        .iter()
        .take(MOST_SHOWN)
        .map(|node| shortened(&node.value))
        .collect();
    if let Some(more) = nodes.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more"));
    }
    let all: Vec<&str> = nodes.iter().map(|node| node.value.as_str()).collect();
    let label = format!("{}\n{} × {short}", lines.join("\n"), nodes.len());
    let _ = writeln!(
        out,
        "  n{at} [label={}, tooltip={}, fillcolor=\"{}\", color=\"#555555\", peripheries=2];",
        quoted(&label),
        quoted(&all.join("\n")),
        colour(short)
    );
}

/// Holds what the links between two boxes by one transform say.
#[derive(Default)]
struct DrawnEdge {
    labels: BTreeSet<String>,
    observations: BTreeSet<Observation>,
}

fn arrows(out: &mut String, graph: &Graph, boxes: &BTreeMap<usize, usize>) {
    let box_of = |at: usize| boxes.get(&at).copied().unwrap_or(at);
    let mut all: BTreeMap<(usize, usize, String, Option<String>), DrawnEdge> = BTreeMap::new();
    for link in graph.links() {
        // Links of a box with several entities are one arrow; others keep their labels, and so their periods, apart.
        let is_group = boxes.contains_key(&link.from) || boxes.contains_key(&link.to);
        let apart = (!is_group).then(|| link.label.clone());
        let arrow = all
            .entry((box_of(link.from), box_of(link.to), link.transform, apart))
            .or_default();
        arrow.labels.insert(link.label);
        arrow.observations.extend(link.observations);
    }
    for ((from, to, transform, _), arrow) in all {
        let period = hull(seen(&arrow.observations));
        let label = match arrow.labels.first() {
            Some(only) if arrow.labels.len() == 1 => only.clone(),
            _ => period.map_or_else(String::new, |period| period.to_string()),
        };
        let mut attributes = format!(
            "label={}, tooltip={}",
            quoted(&shortened(&label)),
            quoted(&transform)
        );
        let (first, last) = ends(&arrow.observations);
        let days = [("first_seen", first), ("last_seen", last)];
        for (name, day) in days {
            if let Some(day) = day {
                let _ = write!(attributes, ", {name}=\"{day}\"");
            }
        }
        let _ = writeln!(out, "  n{from} -> n{to} [{attributes}];");
    }
}

/// Cuts long texts, which would make the picture as wide as they are.
fn shortened(text: &str) -> String {
    const MOST: usize = 48;
    let mut short: String = text.chars().take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}

/// Quotes a text: other people's, so that none of it can become part of the language.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || is_turning(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
