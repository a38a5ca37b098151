//! Writes a graph as GraphML, which most tools for graphs read, and reads what it wrote.
//!
//! Every property is a `<data>` of a key with its id; keys of the graph's own begin with `pivotd:`.

use std::collections::BTreeMap;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::reader::Reader;

use super::{Graph, Link, Node};

const TYPE: &str = "pivotd:type";
const VALUE: &str = "pivotd:value";
const STRICT: &str = "pivotd:strict";
const MARKS: &str = "pivotd:marks";
const TRANSFORM: &str = "pivotd:transform";
const LABEL: &str = "pivotd:label";
/// Stands between several names in one text; none of them holds it.
const SEPARATOR: char = '\u{a0}';

/// Says what is wrong with a graph file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no graph that pivotd wrote: {0}")]
pub struct GraphError(String);

fn wrong<R: std::fmt::Display>(reason: R) -> GraphError {
    GraphError(reason.to_string())
}

/// Writes a graph as GraphML. Characters that XML cannot carry are left out.
///
/// # Errors
/// Never, as far as is known: it is written into memory.
pub fn to_graphml(graph: &Graph) -> std::io::Result<String> {
    let mut names: Vec<&str> = vec![TYPE, VALUE, STRICT, MARKS];
    let own = graph.nodes().iter().flat_map(|node| node.properties.keys());
    names.extend(own.map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let keys: BTreeMap<&str, String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (*name, format!("k{at}")))
        .collect();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root =
        BytesStart::new("graphml").with_attributes([("xmlns", "http://graphml.graphdrawing.org/xmlns")]);
    writer.write_event(Event::Start(root))?;
    for (name, id) in &keys {
        key(&mut writer, id, "node", name)?;
    }
    key(&mut writer, "e0", "edge", TRANSFORM)?;
    key(&mut writer, "e1", "edge", LABEL)?;
    let start = BytesStart::new("graph").with_attributes([("id", "pivotd"), ("edgedefault", "directed")]);
    writer.write_event(Event::Start(start))?;
    for (at, node) in graph.nodes().iter().enumerate() {
        let id = format!("n{at}");
        writer.write_event(Event::Start(
            BytesStart::new("node").with_attributes([("id", id.as_str())]),
        ))?;
        let joined = |names: &std::collections::BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.join(&SEPARATOR.to_string())
        };
        let mut data = |name: &str, text: &str| match keys.get(name) {
            Some(id) if !text.is_empty() => datum(&mut writer, id, text),
            _ => Ok(()),
        };
        data(TYPE, &node.type_id)?;
        data(VALUE, &node.value)?;
        data(STRICT, &joined(&node.strict))?;
        data(MARKS, &joined(&node.marks))?;
        for (name, value) in &node.properties {
            data(name, value)?;
        }
        writer.write_event(Event::End(BytesEnd::new("node")))?;
    }
    for link in graph.links() {
        let (from, to) = (format!("n{}", link.from), format!("n{}", link.to));
        let edge =
            BytesStart::new("edge").with_attributes([("source", from.as_str()), ("target", to.as_str())]);
        writer.write_event(Event::Start(edge))?;
        datum(&mut writer, "e0", &link.transform)?;
        if !link.label.is_empty() {
            datum(&mut writer, "e1", &link.label)?;
        }
        writer.write_event(Event::End(BytesEnd::new("edge")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("graph")))?;
    writer.write_event(Event::End(BytesEnd::new("graphml")))?;
    let mut text = String::from_utf8(writer.into_inner()).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(text)
}

fn key(writer: &mut Writer<Vec<u8>>, id: &str, of: &str, name: &str) -> std::io::Result<()> {
    let attributes = [
        ("id", id),
        ("for", of),
        ("attr.name", name),
        ("attr.type", "string"),
    ];
    writer.write_event(Event::Empty(BytesStart::new("key").with_attributes(attributes)))
}

fn datum(writer: &mut Writer<Vec<u8>>, key: &str, text: &str) -> std::io::Result<()> {
    let text: String = text.chars().filter(|c| crate::maltego::is_xml_char(*c)).collect();
    writer.write_event(Event::Start(
        BytesStart::new("data").with_attributes([("key", key)]),
    ))?;
    writer.write_event(Event::Text(BytesText::new(&text)))?;
    writer.write_event(Event::End(BytesEnd::new("data")))
}

/// Reads a graph that [`to_graphml`] wrote.
///
/// # Errors
/// [`GraphError`] where the text is no such graph.
pub fn read_graphml(text: &str) -> Result<Graph, GraphError> {
    let mut reading = Reading::default();
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Start(tag) => reading.open(&tag)?,
            Event::Empty(tag) => {
                reading.open(&tag)?;
                reading.close(tag.name().as_ref())?;
            }
            Event::End(tag) => reading.close(tag.name().as_ref())?,
            Event::Text(text) => reading.text.push_str(&text),
            Event::GeneralRef(name) => {
                let name = name.to_string();
                let resolved =
                    quick_xml::escape::unescape(&format!("&{name};")).map(std::borrow::Cow::into_owned);
                reading.text.push_str(&resolved.map_err(wrong)?);
            }
            Event::DocType(_) => return Err(wrong("a document type is not read")),
            Event::Eof => return reading.finish(),
            _ => {}
        }
    }
}

/// Holds what was read so far.
#[derive(Default)]
struct Reading {
    keys: BTreeMap<String, String>,
    nodes: Vec<Node>,
    ids: BTreeMap<String, usize>,
    links: Vec<(String, String, BTreeMap<String, String>)>,
    data: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
    key: String,
    text: String,
    is_graph: bool,
}

impl Reading {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), GraphError> {
        let mut attributes = BTreeMap::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(wrong)?;
            let name = attribute.key.as_ref().to_owned();
            let value = quick_xml::escape::unescape(&attribute.value)
                .map_err(wrong)?
                .into_owned();
            attributes.insert(name, value);
        }
        let mut take = |name: &str| attributes.remove(name).unwrap_or_default();
        match tag.name().as_ref() {
            "graphml" => self.is_graph = true,
            "key" => {
                self.keys.insert(take("id"), take("attr.name"));
            }
            "node" | "edge" => {
                self.data.clear();
                self.attributes = attributes;
            }
            "data" => {
                self.key = take("key");
                self.text.clear();
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), GraphError> {
        let several = |text: Option<String>| -> std::collections::BTreeSet<String> {
            let text = text.unwrap_or_default();
            text.split(SEPARATOR)
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect()
        };
        match name {
            "data" => {
                let name = self
                    .keys
                    .get(&self.key)
                    .ok_or_else(|| wrong("a key is not declared"))?;
                self.data.insert(name.clone(), std::mem::take(&mut self.text));
            }
            "node" => {
                let mut data = std::mem::take(&mut self.data);
                let node = Node {
                    type_id: data.remove(TYPE).ok_or_else(|| wrong("a node has no type"))?,
                    value: data.remove(VALUE).unwrap_or_default(),
                    strict: several(data.remove(STRICT)),
                    marks: several(data.remove(MARKS)),
                    properties: data,
                };
                let id = self.attributes.remove("id").unwrap_or_default();
                self.ids.insert(id, self.nodes.len());
                self.nodes.push(node);
            }
            "edge" => {
                let mut take = |name: &str| self.attributes.remove(name).unwrap_or_default();
                let (from, to) = (take("source"), take("target"));
                self.links.push((from, to, std::mem::take(&mut self.data)));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Graph, GraphError> {
        if !self.is_graph {
            return Err(wrong("there is no graphml element"));
        }
        let mut graph = Graph::default();
        let places: Vec<usize> = self.nodes.into_iter().map(|node| graph.add(node)).collect();
        for (from, to, mut data) in self.links {
            let place = |id: &str| {
                let at = self.ids.get(id).and_then(|at| places.get(*at)).copied();
                at.ok_or_else(|| wrong("a link has no end"))
            };
            graph.link(Link {
                from: place(&from)?,
                to: place(&to)?,
                transform: data.remove(TRANSFORM).unwrap_or_default(),
                label: data.remove(LABEL).unwrap_or_default(),
            });
        }
        Ok(graph)
    }
}
