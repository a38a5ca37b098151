//! A classic Maltego client: it is given a seed's URL and nothing else, finds the transforms, runs them, and merges what they
//! give into a graph as a client does. It keeps no connection.

use std::collections::BTreeMap;
use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::support::{Answer, Entity};

/// One element of a document: its name, attributes and own text.
#[derive(Debug, Clone, Default)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// Reads a document into its elements, in order. Panics where it is not well-formed, or something stands before the root.
pub fn elements(xml: &str) -> Vec<Element> {
    assert!(xml.starts_with('<'), "something stands before the root: {xml}");
    let mut reader = Reader::from_str(xml);
    let mut all: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let element = |start: &BytesStart<'_>| {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let value = quick_xml::escape::unescape(&attribute.value).unwrap();
            (attribute.key.as_ref().to_owned(), value.into_owned())
        });
        Element {
            name: start.name().as_ref().to_owned(),
            attributes: attributes.collect(),
            text: String::new(),
        }
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                all.push(element(&start));
                open.push(all.len() - 1);
            }
            Event::Empty(start) => all.push(element(&start)),
            Event::End(_) => _ = open.pop().unwrap(),
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    all[*at].text.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                let text = match name.resolve_char_ref().unwrap() {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)
                        .unwrap()
                        .to_owned(),
                };
                all[*open.last().unwrap()].text.push_str(&text);
            }
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty());
    all
}

/// A transform as the client keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub name: String,
    pub display: String,
    pub input: String,
    pub outputs: Vec<String>,
    /// Names of settings, each with its default.
    pub settings: Vec<(String, String)>,
}

/// What makes an entity another one: type, value and strict properties.
type Key = (String, String, Vec<(String, String)>);

/// A graph: equal entities are one, whose loose properties come together.
#[derive(Debug, Default)]
pub struct Graph {
    pub nodes: BTreeMap<Key, BTreeMap<String, String>>,
    /// How many entities came in.
    pub received: usize,
}

impl Graph {
    pub fn merge(&mut self, answer: &Answer) {
        let mut entity: Option<Element> = None;
        let mut value = String::new();
        let (mut strict, mut all) = (Vec::new(), BTreeMap::new());
        let mut put =
            |entity: &Element, value: &str, strict: &mut Vec<(String, String)>, all: &mut BTreeMap<_, _>| {
                strict.sort();
                let key = (
                    entity.attribute("Type").to_owned(),
                    value.to_owned(),
                    std::mem::take(strict),
                );
                self.nodes.entry(key).or_default().append(all);
                self.received += 1;
            };
        for element in elements(&answer.body) {
            match element.name.as_str() {
                "Entity" => {
                    if let Some(before) = entity.replace(element) {
                        put(&before, &value, &mut strict, &mut all);
                    }
                }
                "Value" => value = element.text,
                "Field" if entity.is_some() => {
                    let pair = (element.attribute("Name").to_owned(), element.text.clone());
                    if element.attribute("MatchingRule") == "strict" {
                        strict.push(pair.clone());
                    }
                    all.insert(pair.0, pair.1);
                }
                _ => {}
            }
        }
        if let Some(last) = entity {
            put(&last, &value, &mut strict, &mut all);
        }
    }
}

/// The client.
pub struct ClassicClient {
    http: reqwest::Client,
    pub application: String,
    pub transforms: Vec<Installed>,
    /// The members of the configuration file that belongs to the seed.
    pub configuration: BTreeMap<String, Vec<u8>>,
}

impl ClassicClient {
    /// Discovers a server from its seed.
    pub async fn discover(http: reqwest::Client, seed: &str) -> Self {
        let found = Answer::of(http.get(seed).send().await.unwrap()).await;
        assert_eq!(found.status, 200, "{}", found.body);
        let application = elements(&found.body)
            .iter()
            .find(|element| element.name == "TransformApplication")
            .map(|element| element.attribute("URL").to_owned())
            .unwrap();
        let list = http.get(format!("{application}?Command=_TRANSFORMS"));
        let listed = Answer::of(list.send().await.unwrap()).await;
        assert_eq!(listed.status, 200, "{}", listed.body);
        let mut transforms: Vec<Installed> = Vec::new();
        for element in elements(&listed.body) {
            match element.name.as_str() {
                "Transform" => transforms.push(Installed {
                    name: element.attribute("TransformName").to_owned(),
                    display: element.attribute("UIDisplayName").to_owned(),
                    input: String::new(),
                    outputs: Vec::new(),
                    settings: Vec::new(),
                }),
                "Input" => transforms.last_mut().unwrap().settings.push((
                    element.attribute("Name").to_owned(),
                    element.attribute("DefaultValue").to_owned(),
                )),
                "OutputEntity" => transforms.last_mut().unwrap().outputs.push(element.text),
                "InputEntity" => transforms.last_mut().unwrap().input = element.text,
                _ => {}
            }
        }
        let paired = http.get(format!("{application}?Command=_CONFIG"));
        let paired = paired.send().await.unwrap();
        assert_eq!(paired.status(), 200);
        let bytes = paired.bytes().await.unwrap();
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let configuration = (0..archive.len()).map(|at| {
            let mut member = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).unwrap();
            (member.name().unwrap().into_owned(), bytes)
        });
        let configuration = configuration.collect();
        Self {
            http,
            application,
            transforms,
            configuration,
        }
    }

    /// Runs a transform as the client does: with the settings of its form, of which most are empty.
    pub async fn run(&self, transform: &Installed, value: &str) -> Answer {
        let settings: Vec<(&str, &str)> = transform
            .settings
            .iter()
            .map(|(name, default)| (name.as_str(), default.as_str()))
            .collect();
        let body = Entity::new(&transform.input, value).with(&settings).request();
        let named: String = url::form_urlencoded::byte_serialize(transform.name.as_bytes()).collect();
        let url = format!("{}?Command=_RUN&TransformToRun={named}", self.application);
        let run = self.http.post(url).header("content-type", "text/xml").body(body);
        Answer::of(run.send().await.unwrap()).await
    }
}
