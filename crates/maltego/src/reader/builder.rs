//! Puts a request together from its elements.

use std::borrow::Cow;

use super::{ReadErrorKind, ReadLimits};
use crate::request::{InputEntity, TransformRequest};

/// What an open element means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OpenElement {
    /// An element that only encloses others.
    Around,
    Entity,
    Genealogy,
    /// One `Type` of a genealogy.
    Kin,
    AdditionalFields,
    TransformFields,
    /// A field of an entity.
    Property,
    /// A field of the settings.
    Setting,
    Value,
    Weight,
    Limits,
    /// An element that is skipped with all it holds.
    Skipped,
}

/// The attributes of the element at hand, as far as they mean something.
#[derive(Debug, Default)]
struct Attributes {
    /// `Name` or `Type`.
    name: Option<String>,
    old_name: Option<String>,
    strict: bool,
    soft: Option<u32>,
    hard: Option<u32>,
}

/// Collects events into a request, within limits.
#[derive(Debug)]
pub(super) struct Builder {
    limits: ReadLimits,
    request: TransformRequest,
    entity: InputEntity,
    genealogy: Vec<(String, String)>,
    open: Vec<OpenElement>,
    attributes: Attributes,
    text: String,
    total_text: usize,
    settings_seen: usize,
    fields_seen: usize,
    root_closed: bool,
}

impl Builder {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self {
            limits,
            request: TransformRequest::default(),
            entity: InputEntity::default(),
            genealogy: Vec::new(),
            open: Vec::with_capacity(8),
            attributes: Attributes::default(),
            text: String::new(),
            total_text: 0,
            settings_seen: 0,
            fields_seen: 0,
            root_closed: false,
        }
    }

    fn place(&self) -> OpenElement {
        self.open.last().copied().unwrap_or(OpenElement::Around)
    }

    /// Takes a start tag's name; its attributes and [`Builder::opened`] follow.
    pub(super) fn open(&mut self, name: &str) -> Result<(), ReadErrorKind> {
        if self.open.is_empty() && self.root_closed {
            return Err(ReadErrorKind::Malformed("a second root element"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(ReadErrorKind::TooMany("nested elements"));
        }
        let place = match (self.place(), name) {
            (OpenElement::Around, "Entity") => OpenElement::Entity,
            (OpenElement::Around, "TransformFields") => OpenElement::TransformFields,
            (OpenElement::Around, "Limits") => OpenElement::Limits,
            (OpenElement::Around, _) => OpenElement::Around,
            (OpenElement::Entity, "Genealogy") => OpenElement::Genealogy,
            (OpenElement::Entity, "AdditionalFields") => OpenElement::AdditionalFields,
            (OpenElement::Entity, "Value") => OpenElement::Value,
            (OpenElement::Entity, "Weight") => OpenElement::Weight,
            (OpenElement::Genealogy, "Type") => OpenElement::Kin,
            (OpenElement::AdditionalFields, "Field") => OpenElement::Property,
            (OpenElement::TransformFields, "Field") => OpenElement::Setting,
            _ => OpenElement::Skipped,
        };
        match place {
            OpenElement::Entity if self.request.entities.len() >= self.limits.entities => {
                return Err(ReadErrorKind::TooMany("entities"));
            }
            OpenElement::Entity => self.fields_seen = 0,
            OpenElement::Property => {
                self.fields_seen += 1;
                if self.fields_seen > self.limits.fields {
                    return Err(ReadErrorKind::TooMany("fields"));
                }
            }
            OpenElement::Setting => {
                self.settings_seen += 1;
                if self.settings_seen > self.limits.fields {
                    return Err(ReadErrorKind::TooMany("settings"));
                }
            }
            OpenElement::Kin if self.genealogy.len() >= self.limits.fields => {
                return Err(ReadErrorKind::TooMany("genealogy entries"));
            }
            _ => {}
        }
        // A skipped element inside a value must not lose the text before it.
        if matches!(
            place,
            OpenElement::Property | OpenElement::Setting | OpenElement::Value | OpenElement::Weight
        ) {
            self.text.clear();
        }
        if place != OpenElement::Skipped {
            self.attributes = Attributes::default();
        }
        self.open.push(place);
        Ok(())
    }

    /// Tells whether an attribute of the element at hand means anything.
    pub(super) fn wants(&self, name: &str) -> bool {
        match self.place() {
            OpenElement::Entity => name == "Type",
            OpenElement::Kin => matches!(name, "Name" | "OldName"),
            OpenElement::Property => matches!(name, "Name" | "MatchingRule"),
            OpenElement::Setting => name == "Name",
            OpenElement::Limits => matches!(name, "SoftLimit" | "HardLimit"),
            _ => false,
        }
    }

    /// Takes an attribute that is wanted.
    pub(super) fn attribute(&mut self, name: &str, value: Cow<'_, str>) -> Result<(), ReadErrorKind> {
        self.count(value.len())?;
        let attributes = &mut self.attributes;
        match name {
            "Type" | "Name" => attributes.name = attributes.name.take().or_else(|| Some(value.into_owned())),
            "OldName" => {
                attributes.old_name = attributes.old_name.take().or_else(|| Some(value.into_owned()));
            }
            "MatchingRule" => attributes.strict = value == "strict",
            "SoftLimit" => attributes.soft = number(&value),
            "HardLimit" => attributes.hard = number(&value),
            _ => {}
        }
        Ok(())
    }

    /// Uses the attributes of elements that have nothing else.
    pub(super) fn opened(&mut self) -> Result<(), ReadErrorKind> {
        match self.place() {
            OpenElement::Entity => {
                self.entity.declared_type = self.attributes.name.take().unwrap_or_default();
            }
            OpenElement::Kin => {
                let name = self.attributes.name.take().unwrap_or_default();
                let old_name = self.attributes.old_name.take().unwrap_or_default();
                self.genealogy.push((name, old_name));
            }
            OpenElement::Limits => {
                self.request.soft_limit = self.attributes.soft;
                self.request.hard_limit = self.attributes.hard;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes text or CDATA; line ends become line feeds, as XML 1.0 section 2.11 has it.
    pub(super) fn text(&mut self, text: &str) -> Result<(), ReadErrorKind> {
        if self.reads_text(text)? {
            self.count(text.len())?;
            if text.contains('\r') {
                self.text
                    .push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
            } else {
                self.text.push_str(text);
            }
        }
        Ok(())
    }

    /// Takes a character that was written as a reference.
    pub(super) fn character(&mut self, c: char) -> Result<(), ReadErrorKind> {
        if self.reads_text(c.encode_utf8(&mut [0; 4]))? {
            self.count(c.len_utf8())?;
            self.text.push(c);
        }
        Ok(())
    }

    fn reads_text(&self, text: &str) -> Result<bool, ReadErrorKind> {
        if self.open.is_empty() && !text.trim().is_empty() {
            return Err(ReadErrorKind::Malformed("text outside the root element"));
        }
        Ok(matches!(
            self.place(),
            OpenElement::Property | OpenElement::Setting | OpenElement::Value | OpenElement::Weight
        ))
    }

    fn count(&mut self, bytes: usize) -> Result<(), ReadErrorKind> {
        self.total_text = self.total_text.saturating_add(bytes);
        if self.total_text > self.limits.text {
            Err(ReadErrorKind::TooMany("bytes of text"))
        } else {
            Ok(())
        }
    }

    /// Takes an end tag.
    pub(super) fn close(&mut self) {
        match self.open.pop().unwrap_or(OpenElement::Skipped) {
            OpenElement::Value => self.entity.value = std::mem::take(&mut self.text),
            OpenElement::Weight => self.entity.weight = number(&self.text).unwrap_or(0),
            OpenElement::Property => {
                if let Some(name) = self.attributes.name.take().filter(|name| !name.is_empty()) {
                    if self.attributes.strict && !self.entity.strict_fields.contains(&name) {
                        self.entity.strict_fields.push(name.clone());
                    }
                    put(&mut self.entity.fields, name, std::mem::take(&mut self.text));
                }
            }
            OpenElement::Setting => {
                if let Some(name) = self.attributes.name.take().filter(|name| !name.is_empty()) {
                    put(&mut self.request.settings, name, std::mem::take(&mut self.text));
                }
            }
            OpenElement::Entity => {
                let mut entity = std::mem::take(&mut self.entity);
                entity.resolve(std::mem::take(&mut self.genealogy));
                self.request.entities.push(entity);
            }
            _ => {}
        }
        self.root_closed |= self.open.is_empty();
    }

    /// Ends the document.
    pub(super) fn finish(self) -> Result<TransformRequest, ReadErrorKind> {
        if !self.open.is_empty() {
            return Err(ReadErrorKind::Malformed(
                "it ends before its last element is closed",
            ));
        }
        if self.request.entities.is_empty() {
            return Err(ReadErrorKind::NoEntity);
        }
        Ok(self.request)
    }
}

fn put(pairs: &mut Vec<(String, String)>, name: String, value: String) {
    match pairs.iter_mut().find(|(key, _)| *key == name) {
        Some(pair) => pair.1 = value,
        None => pairs.push((name, value)),
    }
}

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}
