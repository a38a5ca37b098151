//! Writes responses into one buffer.
//!
//! Written by hand for speed: a response is written for each run that the rendered cache does not hold. A test
//! compares it with `quick_xml::Writer`.

use super::response::{
    Entity, LinkProperty, Overlay, Property, TransformException, TransformResponse, UiMessage,
};
use super::text::{push_attribute, push_text, visible};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The type of an entity that was given none, as the vendor's library has it.
const FALLBACK_TYPE: &str = "maltego.Phrase";

/// Writes a response. Nothing precedes the root element, since the client's parser refuses any stray byte there.
///
/// `Entities` and `UIMessages` are always there. Characters that XML forbids are removed; a carriage return is
/// written as `&#13;` and survives. Fields, messages, notes and sections that are empty after that are left out,
/// since strict parsers trip over empty elements.
#[must_use]
pub fn write(response: &TransformResponse) -> String {
    let mut out = String::with_capacity(256 + response.entities.iter().map(estimate).sum::<usize>());
    out.push_str("<MaltegoMessage><MaltegoTransformResponseMessage><Entities>");
    for entity in &response.entities {
        write_entity(&mut out, entity);
    }
    out.push_str("</Entities><UIMessages>");
    for UiMessage { kind, text } in &response.messages {
        unless_empty(&mut out, text, "</UIMessage>", |out| {
            out.push_str("<UIMessage MessageType=\"");
            out.push_str(kind.as_str());
            out.push_str("\">");
        });
    }
    out.push_str("</UIMessages></MaltegoTransformResponseMessage></MaltegoMessage>");
    out
}

/// Writes an exception message, to be sent with status 200 like any other.
#[must_use]
pub fn write_exception(exceptions: &[TransformException]) -> String {
    let mut out = String::with_capacity(256);
    out.push_str("<MaltegoMessage><MaltegoTransformExceptionMessage><Exceptions>");
    for TransformException { code, text } in exceptions {
        out.push_str("<Exception");
        if let Some(code) = code {
            out.push_str(" code=\"");
            push_number(&mut out, *code);
            out.push('"');
        }
        out.push('>');
        push_text(&mut out, &visible(Cow::Borrowed(text)));
        out.push_str("</Exception>");
    }
    out.push_str("</Exceptions></MaltegoTransformExceptionMessage></MaltegoMessage>");
    out
}

/// Estimates an entity's length, so that the buffer rarely grows.
fn estimate(entity: &Entity) -> usize {
    let properties = entity
        .properties
        .iter()
        .map(|p| 75 + p.name.len() + p.display_name.len() + p.value.len());
    let sections = entity
        .display_information
        .iter()
        .map(|d| 60 + d.name.len() + d.html.len() * 3 / 2);
    220 + entity.value.len()
        + properties.sum::<usize>()
        + sections.sum::<usize>()
        + 110 * (entity.link.len() + entity.overlays.len())
}

fn write_entity(out: &mut String, entity: &Entity) {
    out.push_str("<Entity Type=\"");
    push_attribute(
        out,
        if entity.type_id.is_empty() {
            FALLBACK_TYPE
        } else {
            &entity.type_id
        },
    );
    out.push_str("\"><Value>");
    push_text(out, &entity.value);
    out.push_str("</Value><Weight>");
    push_number(out, entity.weight);
    out.push_str("</Weight>");
    wrapped(out, "<DisplayInformation>", "</DisplayInformation>", |out| {
        for section in &entity.display_information {
            unless_empty(out, &section.html, "</Label>", |out| {
                out.push_str("<Label Name=\"");
                push_attribute(out, &section.name);
                out.push_str("\" Type=\"text/html\">");
            });
        }
    });
    wrapped(out, "<AdditionalFields>", "</AdditionalFields>", |out| {
        for Property {
            name,
            display_name,
            value,
            strict,
        } in &entity.properties
        {
            let label = if display_name.is_empty() {
                name
            } else {
                display_name
            };
            field(out, "", name, label, *strict, value);
        }
        for property in &entity.link {
            link_field(out, property);
        }
        if let Some(bookmark) = entity.bookmark {
            field(out, "", "bookmark#", "Bookmark", false, bookmark.as_str());
        }
        if let Some(notes) = &entity.notes {
            field(out, "", "notes#", "Notes", false, notes);
        }
    });
    wrapped(out, "<Overlays>", "</Overlays>", |out| {
        for Overlay {
            property_name,
            position,
            kind,
        } in &entity.overlays
        {
            out.push_str("<Overlay propertyName=\"");
            push_attribute(out, property_name);
            out.push_str("\" position=\"");
            out.push_str(position.as_str());
            out.push_str("\" type=\"");
            out.push_str(kind.as_str());
            out.push_str("\"/>");
        }
    });
    if let Some(url) = &entity.icon_url {
        unless_empty(out, url, "</IconURL>", |out| out.push_str("<IconURL>"));
    }
    out.push_str("</Entity>");
}

fn link_field(out: &mut String, property: &LinkProperty) {
    let mut known = |name, label, value: &str| field(out, "link#", name, label, false, value);
    match property {
        LinkProperty::Label(text) => known("maltego.link.label", "Label", text),
        LinkProperty::Color(color) => known("maltego.link.color", "LinkColor", color),
        LinkProperty::Style(style) => known("maltego.link.style", "LinkStyle", style.as_str()),
        LinkProperty::Thickness(thickness) => {
            known("maltego.link.thickness", "Thickness", &thickness.to_string());
        }
        LinkProperty::OutputToInput => known("maltego.link.direction", "Direction", "output-to-input"),
        LinkProperty::Custom(name, label, value) => {
            known(name, if label.is_empty() { name } else { label }, value);
        }
    }
}

fn field(out: &mut String, prefix: &str, name: &str, label: &str, strict: bool, value: &str) {
    unless_empty(out, value, "</Field>", |out| {
        out.push_str("<Field Name=\"");
        out.push_str(prefix);
        push_attribute(out, name);
        out.push_str("\" DisplayName=\"");
        push_attribute(out, label);
        out.push_str(if strict {
            "\" MatchingRule=\"strict\">"
        } else {
            "\" MatchingRule=\"loose\">"
        });
    });
}

/// Writes an element with text, or nothing at all if no character of the text can be written.
fn unless_empty(out: &mut String, text: &str, end: &str, start: impl FnOnce(&mut String)) {
    if text.is_empty() {
        return;
    }
    let before = out.len();
    start(out);
    let inside = out.len();
    push_text(out, text);
    if out.len() == inside {
        out.truncate(before);
    } else {
        out.push_str(end);
    }
}

/// Writes an element around others, or nothing at all without any.
fn wrapped(out: &mut String, start: &str, end: &str, inner: impl FnOnce(&mut String)) {
    let before = out.len();
    out.push_str(start);
    let inside = out.len();
    inner(out);
    if out.len() == inside {
        out.truncate(before);
    } else {
        out.push_str(end);
    }
}

fn push_number(out: &mut String, number: u32) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
}
