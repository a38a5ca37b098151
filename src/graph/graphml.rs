//! Writes a graph as GraphML, which most tools for graphs read, and reads what it wrote.
//!
//! Every property is a `<data>` of a key with its id; keys of the graph's own begin with `pivotd:`. Beside them stand the
//! keys that other tools look for: `label`, `first_seen` and `last_seen`, and the labels that yEd draws. These say nothing
//! more, so they are not read back.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::reader::Reader;

use super::period::ends;
use super::{Graph, GraphError, Link, Node, VERSION, dot, known_version, old, wrong};
use crate::ask::report::Observation;

const VERSION_KEY: &str = "pivotd:version";
const STEPS: &str = "pivotd:steps";
const TYPE: &str = "pivotd:type";
const VALUE: &str = "pivotd:value";
const STRICT: &str = "pivotd:strict";
const MARKS: &str = "pivotd:marks";
const SEEN: &str = "pivotd:seen";
const ADDED: &str = "pivotd:added";
const FOUND: &str = "pivotd:found";
const GIVEN: &str = "pivotd:given";
const TRANSFORM: &str = "pivotd:transform";
const LABEL: &str = "pivotd:label";
const NODE_KEYS: [&str; 8] = [TYPE, VALUE, STRICT, MARKS, SEEN, ADDED, FOUND, GIVEN];
/// What other tools look for.
const FOR_OTHERS: [&str; 3] = ["label", "first_seen", "last_seen"];
/// Stands before the id of a property that is spelt like a key of the graph's own.
const ESCAPE: &str = "pivotd:property:";
/// Stands between several names in one text; none of them holds it.
const SEPARATOR: char = '\u{a0}';

/// Returns the name of a property's key.
fn property_key(id: &str) -> String {
    if FOR_OTHERS.contains(&id) || id.starts_with("pivotd:") {
        format!("{ESCAPE}{id}")
    } else {
        id.to_owned()
    }
}

fn joined<I: IntoIterator<Item: Into<String>>>(texts: I) -> String {
    let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    texts.join(&SEPARATOR.to_string())
}

fn split(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    let parts = text.split(SEPARATOR).filter(|one| !one.is_empty());
    parts.map(str::to_owned).collect()
}

/// Writes observations: `passivetotal 2013-01-06..2013-05-15`, with nothing for an end that is not known.
fn observations_text(observations: &BTreeSet<Observation>) -> String {
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    joined(observations.iter().map(|one| {
        let source = one.source.replace(SEPARATOR, " ");
        format!("{source} {}..{}", day(one.first_seen), day(one.last_seen))
    }))
}

fn read_observations(text: Option<String>) -> Result<BTreeSet<Observation>, GraphError> {
    let read = |one: String| {
        let day = |text: &str| match text {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(wrong),
        };
        let (source, period) = one.rsplit_once(' ').unwrap_or_default();
        let (first, last) = period
            .split_once("..")
            .ok_or_else(|| wrong(format!("{one} is no observation")))?;
        Ok(Observation {
            source: source.to_owned(),
            first_seen: day(first)?,
            last_seen: day(last)?,
        })
    };
    split(text).into_iter().map(read).collect()
}

/// Writes a graph as GraphML. Characters that XML cannot carry are left out.
///
/// # Errors
/// Never, as far as is known: it is written into memory.
pub fn to_graphml(graph: &Graph) -> std::io::Result<String> {
    let mut names: BTreeSet<String> = NODE_KEYS
        .iter()
        .chain(&FOR_OTHERS)
        .map(|&name| name.to_owned())
        .collect();
    let properties = graph.nodes().iter().flat_map(|node| node.properties.keys());
    names.extend(properties.map(|id| property_key(id)));
    let keys: BTreeMap<String, String> = names
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name, format!("k{at}")))
        .collect();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = BytesStart::new("graphml").with_attributes([
        ("xmlns", "http://graphml.graphdrawing.org/xmlns"),
        ("xmlns:y", "http://www.yworks.com/xml/graphml"),
    ]);
    writer.write_event(Event::Start(root))?;
    key(&mut writer, "g0", "graph", VERSION_KEY)?;
    key(&mut writer, "g1", "graph", STEPS)?;
    for (name, id) in &keys {
        key(&mut writer, id, "node", name)?;
    }
    for (at, name) in [TRANSFORM, LABEL, SEEN].iter().chain(&FOR_OTHERS).enumerate() {
        key(&mut writer, &format!("e{at}"), "edge", name)?;
    }
    for (id, of) in [("y0", "node"), ("y1", "edge")] {
        let kind = format!("{of}graphics");
        let attributes = [("id", id), ("for", of), ("yfiles.type", kind.as_str())];
        writer.write_event(Event::Empty(BytesStart::new("key").with_attributes(attributes)))?;
    }
    let start = BytesStart::new("graph").with_attributes([("id", "pivotd"), ("edgedefault", "directed")]);
    writer.write_event(Event::Start(start))?;
    datum(&mut writer, "g0", &VERSION.to_string())?;
    datum(&mut writer, "g1", &joined(graph.steps()))?;
    for (at, one) in graph.nodes().iter().enumerate() {
        node(&mut writer, &keys, at, one)?;
    }
    for link in graph.links() {
        edge(&mut writer, &link)?;
    }
    writer.write_event(Event::End(BytesEnd::new("graph")))?;
    writer.write_event(Event::End(BytesEnd::new("graphml")))?;
    let mut text = String::from_utf8(writer.into_inner()).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(text)
}

fn node(
    writer: &mut Writer<Vec<u8>>,
    keys: &BTreeMap<String, String>,
    at: usize,
    node: &Node,
) -> std::io::Result<()> {
    let id = format!("n{at}");
    writer.write_event(Event::Start(
        BytesStart::new("node").with_attributes([("id", id.as_str())]),
    ))?;
    let mut data = |name: &str, text: &str| match keys.get(name) {
        Some(id) => datum(writer, id, text),
        None => Ok(()),
    };
    data(TYPE, &node.type_id)?;
    data(VALUE, &node.value)?;
    data(STRICT, &joined(&node.strict))?;
    data(MARKS, &joined(&node.marks))?;
    data(SEEN, &observations_text(&node.observations))?;
    if node.added > 0 {
        data(ADDED, &node.added.to_string())?;
    }
    data(FOUND, &joined(node.steps.iter().map(usize::to_string)))?;
    if node.given {
        data(GIVEN, "true")?;
    }
    data("label", &node.value)?;
    for (name, text) in days(&node.observations) {
        data(name, &text)?;
    }
    for (name, value) in &node.properties {
        data(&property_key(name), value)?;
    }
    let shape = [
        ("y:ShapeNode", None),
        ("y:Fill", Some(("color", dot::colour(node.short_type())))),
    ];
    drawn(writer, "y0", &shape, "y:NodeLabel", &node.value)?;
    writer.write_event(Event::End(BytesEnd::new("node")))
}

fn edge(writer: &mut Writer<Vec<u8>>, link: &Link) -> std::io::Result<()> {
    let (from, to) = (format!("n{}", link.from), format!("n{}", link.to));
    let edge = BytesStart::new("edge").with_attributes([("source", from.as_str()), ("target", to.as_str())]);
    writer.write_event(Event::Start(edge))?;
    datum(writer, "e0", &link.transform)?;
    datum(writer, "e1", &link.label)?;
    datum(writer, "e2", &observations_text(&link.observations))?;
    datum(writer, "e3", &link.label)?;
    for (id, (_, text)) in ["e4", "e5"].into_iter().zip(days(&link.observations)) {
        datum(writer, id, &text)?;
    }
    drawn(
        writer,
        "y1",
        &[("y:PolyLineEdge", None)],
        "y:EdgeLabel",
        &link.label,
    )?;
    writer.write_event(Event::End(BytesEnd::new("edge")))
}

/// Returns the first and the last day of all observations; nothing where it is not known.
fn days(observations: &BTreeSet<Observation>) -> [(&'static str, String); 2] {
    let (first, last) = ends(observations);
    let text = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    [("first_seen", text(first)), ("last_seen", text(last))]
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

/// Writes a text under a key, if there is any.
fn datum(writer: &mut Writer<Vec<u8>>, key: &str, text: &str) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    writer.write_event(Event::Start(
        BytesStart::new("data").with_attributes([("key", key)]),
    ))?;
    writer.write_event(Event::Text(BytesText::new(&allowed(text))))?;
    writer.write_event(Event::End(BytesEnd::new("data")))
}

/// Writes what yEd draws: it takes labels from no other key.
fn drawn(
    writer: &mut Writer<Vec<u8>>,
    key: &str,
    shape: &[(&str, Option<(&str, &str)>)],
    label: &str,
    text: &str,
) -> std::io::Result<()> {
    let Some(((outer, _), parts)) = shape.split_first().filter(|_| !text.is_empty()) else {
        return Ok(());
    };
    let data = BytesStart::new("data").with_attributes([("key", key)]);
    writer.write_event(Event::Start(data))?;
    writer.write_event(Event::Start(BytesStart::new(*outer)))?;
    for (name, attribute) in parts {
        let part = BytesStart::new(*name).with_attributes(attribute.iter().copied());
        writer.write_event(Event::Empty(part))?;
    }
    writer.write_event(Event::Start(BytesStart::new(label)))?;
    writer.write_event(Event::Text(BytesText::new(&allowed(text))))?;
    writer.write_event(Event::End(BytesEnd::new(label)))?;
    writer.write_event(Event::End(BytesEnd::new(*outer)))?;
    writer.write_event(Event::End(BytesEnd::new("data")))
}

fn allowed(text: &str) -> String {
    text.chars().filter(|c| crate::maltego::is_xml_char(*c)).collect()
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
    /// The names of keys by id; empty for what other tools draw.
    keys: BTreeMap<String, String>,
    version: u32,
    steps: Vec<String>,
    /// Whether a node or a link is open.
    is_inside: bool,
    nodes: Vec<Node>,
    ids: BTreeMap<String, usize>,
    links: Vec<(String, String, BTreeMap<String, String>)>,
    data: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
    key: String,
    text: String,
    /// Whether the graph's element has ended.
    is_whole: bool,
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
            "key" => {
                self.keys.insert(take("id"), take("attr.name"));
            }
            "node" | "edge" => {
                self.is_inside = true;
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
        match name {
            "data" => {
                let name = self
                    .keys
                    .get(&self.key)
                    .ok_or_else(|| wrong("a key is not declared"))?;
                let text = std::mem::take(&mut self.text);
                match name.as_str() {
                    "" => {}
                    name if self.is_inside => {
                        self.data.insert(name.to_owned(), text);
                    }
                    VERSION_KEY => self.version = known_version(text.trim().parse().map_err(wrong)?)?,
                    STEPS => self.steps = split(Some(text)),
                    _ => {}
                }
            }
            "node" => {
                self.is_inside = false;
                let data = std::mem::take(&mut self.data);
                let id = self.attributes.remove("id").unwrap_or_default();
                self.ids.insert(id, self.nodes.len());
                self.nodes.push(read_node(data)?);
            }
            "graphml" => self.is_whole = true,
            "edge" => {
                self.is_inside = false;
                let mut take = |name: &str| self.attributes.remove(name).unwrap_or_default();
                let (from, to) = (take("source"), take("target"));
                self.links.push((from, to, std::mem::take(&mut self.data)));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Graph, GraphError> {
        if !self.is_whole {
            return Err(wrong(
                "there is no whole graphml element; the file may be cut off",
            ));
        }
        let is_old = self.version < 2;
        let mut graph = Graph {
            steps: self.steps,
            ..Graph::default()
        };
        let mut places = Vec::new();
        for mut node in self.nodes {
            if is_old {
                old::date_node(&mut node);
            }
            places.push(graph.add(node));
        }
        for (from, to, mut data) in self.links {
            let place = |id: &str| {
                let at = self.ids.get(id).and_then(|at| places.get(*at)).copied();
                at.ok_or_else(|| wrong("a link has no end"))
            };
            let mut link = Link {
                from: place(&from)?,
                to: place(&to)?,
                transform: data.remove(TRANSFORM).unwrap_or_default(),
                label: data.remove(LABEL).unwrap_or_default(),
                observations: read_observations(data.remove(SEEN))?,
            };
            if is_old {
                old::date_link(&mut link, &graph);
            }
            graph.link(link);
        }
        Ok(graph)
    }
}

/// Makes a node of its data. What other tools look for says nothing more.
fn read_node(mut data: BTreeMap<String, String>) -> Result<Node, GraphError> {
    for name in FOR_OTHERS {
        data.remove(name);
    }
    let number = |text: String| text.trim().parse::<usize>().map_err(wrong);
    Ok(Node {
        type_id: data.remove(TYPE).ok_or_else(|| wrong("a node has no type"))?,
        value: data.remove(VALUE).unwrap_or_default(),
        strict: split(data.remove(STRICT)).into_iter().collect(),
        marks: split(data.remove(MARKS)).into_iter().collect(),
        observations: read_observations(data.remove(SEEN))?,
        added: data.remove(ADDED).map(number).transpose()?.unwrap_or(0),
        steps: split(data.remove(FOUND))
            .into_iter()
            .map(number)
            .collect::<Result<_, _>>()?,
        given: data.remove(GIVEN).is_some(),
        properties: data
            .into_iter()
            .map(|(name, value)| match name.strip_prefix(ESCAPE) {
                Some(id) => (id.to_owned(), value),
                None => (name, value),
            })
            .collect(),
    })
}
