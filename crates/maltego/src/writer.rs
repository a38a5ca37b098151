//! Writes responses into one buffer.
//!
//! Written by hand for speed: a response is written for each run that the rendered cache does not hold. A test
//! compares it with `quick_xml::Writer`.

use std::borrow::Cow;

use super::response::{Entity, TransformException, TransformResponse, UiMessage};
use super::text::{push_text, visible};
use super::xml::{push_entity, push_number, unless_empty};

const START: &str = "<MaltegoMessage><MaltegoTransformResponseMessage><Entities>";

/// Writes a response. Nothing precedes the root element, since the client's parser refuses any stray byte there.
///
/// `Entities` and `UIMessages` are always there. Characters that XML forbids are removed; a carriage return is
/// written as `&#13;` and survives. Fields, messages, notes and sections that are empty after that are left out,
/// since strict parsers trip over empty elements.
#[must_use]
pub fn write(response: &TransformResponse) -> String {
    let mut out = String::with_capacity(256 + response.entities.iter().map(estimate).sum::<usize>());
    out.push_str(START);
    for entity in &response.entities {
        push_entity(&mut out, entity);
    }
    finish(&mut out, &response.messages);
    out
}

/// Begins a response whose entities are written one after the other, and which [`finish`] ends.
#[must_use]
pub fn begin() -> String {
    START.to_owned()
}

/// Ends a response after its entities.
pub fn finish(out: &mut String, messages: &[UiMessage]) {
    out.push_str("</Entities><UIMessages>");
    for UiMessage { kind, text } in messages {
        unless_empty(out, text, "</UIMessage>", |out| {
            out.push_str("<UIMessage MessageType=\"");
            out.push_str(kind.as_str());
            out.push_str("\">");
        });
    }
    out.push_str("</UIMessages></MaltegoTransformResponseMessage></MaltegoMessage>");
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
