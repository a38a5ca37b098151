//! Draws a graph in the DOT language, for Graphviz.

use std::fmt::Write as _;

use super::Graph;

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

/// Writes the graph from left to right: a box for each entity, an arrow for each link.
#[must_use]
pub fn to_dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph pivotd {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n  edge [fontname=\"Helvetica\", fontsize=9, color=\"#888888\"];\n",
    );
    for (at, node) in graph.nodes().iter().enumerate() {
        let short = node.type_id.rsplit('.').next().unwrap_or_default();
        let colour = COLOURS
            .iter()
            .find(|(known, _)| *known == short)
            .map_or("#eeeeee", |(_, colour)| colour);
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
            "  n{at} [label={}, fillcolor=\"{colour}\", color=\"{border}\"];",
            quoted(&label)
        );
    }
    for link in graph.links() {
        let _ = writeln!(
            out,
            "  n{} -> n{} [label={}, tooltip={}];",
            link.from,
            link.to,
            quoted(&shortened(&link.label)),
            quoted(&link.transform)
        );
    }
    out.push_str("}\n");
    out
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
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
