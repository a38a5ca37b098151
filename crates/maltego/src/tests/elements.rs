//! Reads documents into their elements.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element: the names of those around it and its own, its attributes, and the text in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    pub(crate) path: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Element {
    /// Its own name.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// Reads XML to its elements in order.
pub(crate) fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    let (mut all, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let event = reader
            .read_event()
            .unwrap_or_else(|error| panic!("{error}: {xml}"));
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                let path = match open.last() {
                    Some(at) => format!("{}/{name}", all[*at].path),
                    None => name,
                };
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                let attributes = attributes.collect();
                if matches!(event, Event::Start(_)) {
                    open.push(all.len());
                }
                all.push(Element {
                    path,
                    attributes,
                    text: String::new(),
                });
            }
            Event::End(_) => {
                open.pop().unwrap();
            }
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    all[*at].text.push_str(text);
                }
            }
            Event::CData(text) => all[*open.last().unwrap()].text.push_str(text),
            Event::GeneralRef(name) => {
                let resolved = format!("&{};", &**name);
                let text = quick_xml::escape::unescape(&resolved).unwrap().into_owned();
                all[*open.last().unwrap()].text.push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    all
}
