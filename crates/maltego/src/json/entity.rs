//! Entities and links, as events carry them.

use std::borrow::Cow;

use serde::Serialize;

use super::values::{self, Written};
use crate::response::{Bookmark, Entity, LinkProperty, LinkStyle, Overlay, OverlayKind};
use crate::types;

/// The type of an entity that was given none.
const FALLBACK_TYPE: &str = "maltego.Phrase";
/// The property that holds the value of an entity of a type that is not known here.
const VALUE: &str = "value";
/// The property that holds the address of an icon.
const ICON: &str = "reserved-entity-icon-overlay-url";
const HTML: &str = "text/html";

/// Is an entity on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEntity<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Vec<WireProperty<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_information: Option<Vec<WireDisplay<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmark: Option<i8>,
    overlays: Vec<WireOverlay<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireProperty<'a> {
    name: &'a str,
    value: Written<'a>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matching_rule: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct WireDisplay<'a> {
    name: &'a str,
    value: &'a str,
    r#type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireOverlay<'a> {
    property_name: &'a str,
    position: &'static str,
    r#type: &'static str,
}

/// Is a link on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLink<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Vec<WireProperty<'a>>>,
}

/// Returns the full type id of an entity.
pub(super) fn type_id(entity: &Entity) -> &str {
    if entity.type_id.is_empty() {
        FALLBACK_TYPE
    } else {
        &entity.type_id
    }
}

/// Returns what makes an entity one with others for a client: type, value and all strict properties.
#[must_use]
pub fn identity(entity: &Entity) -> String {
    let strict = entity
        .properties
        .iter()
        .filter(|property| property.strict && !property.value.is_empty());
    let mut strict: Vec<(&str, &str)> = strict
        .map(|one| (one.name.as_str(), one.value.as_str()))
        .collect();
    strict.sort_unstable();
    let mut key = format!("{}\0{}", entity.type_id, entity.value);
    for (name, value) in strict {
        key.push('\0');
        key.push_str(name);
        key.push('\0');
        key.push_str(value);
    }
    key
}

impl<'a> WireEntity<'a> {
    /// Writes a whole entity.
    pub(super) fn new(id: &'a str, entity: &'a Entity) -> Self {
        let type_id = type_id(entity);
        let value_ref = types::value_property(type_id).unwrap_or(VALUE);
        let mut properties = Vec::with_capacity(entity.properties.len() + 2);
        if !has(entity, value_ref) {
            properties.push(value(type_id, value_ref, &entity.value));
        }
        properties.extend(given(entity, type_id));
        properties.extend(icon(entity));
        Self {
            id,
            value_ref: Some(value_ref),
            weight: Some(entity.weight),
            properties: Some(properties),
            display_information: Some(display(entity)),
            r#type: Some(type_id),
            bookmark: entity.bookmark.map(number),
            overlays: overlays(&entity.overlays),
            note: entity.notes.as_deref(),
        }
    }

    /// Writes what is said of an entity that the client has: all but what names it.
    pub(super) fn annotation(id: &'a str, entity: &'a Entity) -> Self {
        let type_id = type_id(entity);
        let own = types::value_property(type_id);
        let said = given(entity, type_id).filter(|property| Some(property.name) != own);
        let properties: Vec<_> = said.chain(icon(entity)).collect();
        let display = display(entity);
        Self {
            id,
            value_ref: None,
            weight: None,
            properties: (!properties.is_empty()).then_some(properties),
            display_information: (!display.is_empty()).then_some(display),
            r#type: None,
            bookmark: entity.bookmark.map(number),
            overlays: overlays(&entity.overlays),
            note: entity.notes.as_deref(),
        }
    }

    /// Writes what is new of an entity; `None` where nothing is.
    pub(super) fn difference(id: &'a str, before: &Entity, now: &'a Entity) -> Option<Self> {
        let type_id = type_id(now);
        let mut properties: Vec<_> = given(now, type_id)
            .zip(
                now.properties
                    .iter()
                    .filter(|property| !property.value.is_empty()),
            )
            .filter(|(_, property)| !before.properties.contains(property))
            .map(|(written, _)| written)
            .collect();
        if before.icon_url != now.icon_url {
            properties.extend(icon(now));
        }
        let is_same = properties.is_empty()
            && before.weight == now.weight
            && before.bookmark == now.bookmark
            && before.notes == now.notes
            && before.overlays == now.overlays
            && before.display_information == now.display_information;
        if is_same {
            return None;
        }
        let shows_else = before.display_information != now.display_information;
        Some(Self {
            id,
            value_ref: None,
            weight: (before.weight != now.weight).then_some(now.weight),
            properties: (!properties.is_empty()).then_some(properties),
            display_information: shows_else.then(|| display(now)),
            r#type: None,
            bookmark: now
                .bookmark
                .filter(|_| before.bookmark != now.bookmark)
                .map(number),
            overlays: overlays(&now.overlays),
            note: now.notes.as_deref().filter(|_| before.notes != now.notes),
        })
    }

    /// Names an entity and says nothing of it.
    pub(super) fn named(id: &'a str) -> Self {
        Self {
            id,
            value_ref: None,
            weight: None,
            properties: None,
            display_information: None,
            r#type: None,
            bookmark: None,
            overlays: Vec::new(),
            note: None,
        }
    }
}

fn has(entity: &Entity, name: &str) -> bool {
    entity
        .properties
        .iter()
        .any(|known| known.name == name && !known.value.is_empty())
}

fn value<'a>(type_id: &str, name: &'a str, text: &'a str) -> WireProperty<'a> {
    let declared = types::property(type_id, name);
    let (value, kind) = values::property(text, declared.map(|one| one.kind));
    WireProperty {
        name,
        value,
        r#type: kind,
        display_name: Some(declared.map_or(name, |one| one.display_name)),
        matching_rule: Some(rule(declared.is_none_or(|one| one.strict))),
    }
}

const fn rule(strict: bool) -> &'static str {
    if strict { "strict" } else { "loose" }
}

fn given<'a>(entity: &'a Entity, type_id: &str) -> impl Iterator<Item = WireProperty<'a>> {
    let said = entity
        .properties
        .iter()
        .filter(|property| !property.value.is_empty());
    said.map(move |property| {
        let declared = types::property(type_id, &property.name);
        let (value, kind) = values::property(&property.value, declared.map(|one| one.kind));
        let label = &property.display_name;
        WireProperty {
            name: &property.name,
            value,
            r#type: kind,
            display_name: Some(if label.is_empty() { &property.name } else { label }),
            matching_rule: Some(rule(property.strict)),
        }
    })
}

fn icon(entity: &Entity) -> Option<WireProperty<'_>> {
    entity.icon_url.as_deref().map(|url| WireProperty {
        name: ICON,
        value: Written::Text(url),
        r#type: "STRING",
        display_name: Some("Image"),
        matching_rule: Some(rule(false)),
    })
}

fn display(entity: &Entity) -> Vec<WireDisplay<'_>> {
    let sections = entity.display_information.iter();
    let written = sections.map(|section| WireDisplay {
        name: &section.name,
        value: &section.html,
        r#type: HTML,
    });
    written.collect()
}

fn overlays(overlays: &[Overlay]) -> Vec<WireOverlay<'_>> {
    let written = overlays.iter().map(|overlay| WireOverlay {
        property_name: &overlay.property_name,
        position: overlay.position.as_str(),
        r#type: match overlay.kind {
            OverlayKind::Colour => "color",
            kind => kind.as_str(),
        },
    });
    written.collect()
}

const fn number(bookmark: Bookmark) -> i8 {
    match bookmark {
        Bookmark::None => -1,
        Bookmark::Blue => 0,
        Bookmark::Green => 1,
        Bookmark::Yellow => 2,
        Bookmark::Purple => 3,
        Bookmark::Red => 4,
    }
}

impl<'a> WireLink<'a> {
    /// Writes the link from an input to an entity.
    pub(super) fn new(id: &'a str, source: &'a str, target: &'a str, link: &'a [LinkProperty]) -> Self {
        Self {
            id,
            source_id: Some(source),
            target_id: Some(target),
            properties: Some(link.iter().map(link_property).collect()),
        }
    }

    /// Writes what is new of a link; `None` where nothing is.
    pub(super) fn difference(id: &'a str, before: &[LinkProperty], now: &'a [LinkProperty]) -> Option<Self> {
        let new = now.iter().filter(|property| !before.contains(property));
        let properties: Vec<_> = new.map(link_property).collect();
        (!properties.is_empty()).then_some(Self {
            id,
            source_id: None,
            target_id: None,
            properties: Some(properties),
        })
    }
}

fn link_property(property: &LinkProperty) -> WireProperty<'_> {
    /// The thickest line that clients draw.
    const THICKEST: u8 = 4;
    let plain = |name, value, kind, label: Option<&'static str>| WireProperty {
        name,
        value,
        r#type: kind,
        display_name: label,
        matching_rule: None,
    };
    match property {
        LinkProperty::Label(text) => plain("maltego.link.label", Written::Text(text), "STRING", None),
        LinkProperty::Color(text) => plain(
            "maltego.link.color",
            Written::Text(text),
            "STRING",
            Some("Link Color"),
        ),
        LinkProperty::Style(style) => {
            let number = match style {
                LinkStyle::Normal => 0,
                LinkStyle::Dashed => 1,
                LinkStyle::Dotted => 2,
                LinkStyle::DashDot => 3,
            };
            plain(
                "maltego.link.style",
                Written::Int(number),
                "INT",
                Some("Link Style"),
            )
        }
        LinkProperty::Thickness(number) => {
            let number = (*number).clamp(1, THICKEST).into();
            plain(
                "maltego.link.thickness",
                Written::Int(number),
                "INT",
                Some("Link Thickness"),
            )
        }
        LinkProperty::OutputToInput => plain(
            "maltego.link.is_reversed",
            Written::Boolean(true),
            "BOOLEAN",
            None,
        ),
        LinkProperty::Custom(name, label, value) => WireProperty {
            name,
            value: Written::Text(value),
            r#type: "STRING",
            display_name: Some(if label.is_empty() { name } else { label }),
            matching_rule: None,
        },
    }
}

/// Takes out of words for people what cannot be seen.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    crate::text::visible(Cow::Borrowed(text))
}
