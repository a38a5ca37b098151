//! The pieces of a response, each written to the end of a buffer; and the beginnings that can be made once for many entities.

use std::fmt::Write as _;

use super::display::{ROW_MIDDLE, ROW_START, TABLE_START, push_html};
use super::response::{
    Bookmark, DEFAULT_WEIGHT, Entity, LinkProperty, Overlay, OverlayKind, OverlayPosition, Property,
};
use super::text::{is_plain_html, push_attribute};

pub use super::text::push_text;

/// The type of an entity that was given none, as the vendor's library has it.
const FALLBACK_TYPE: &str = "maltego.Phrase";

/// Ends a field.
pub const FIELD_END: &str = "</Field>";
const LINK: &str = "link#";

/// Stands between the value of an entity without a weight and what follows.
pub const AFTER_VALUE: &str = "</Value><Weight>100</Weight>";
const _: () = assert!(DEFAULT_WEIGHT == 100);

/// Begins the label of a link.
pub const LINK_LABEL: &str =
    "<Field Name=\"link#maltego.link.label\" DisplayName=\"Label\" MatchingRule=\"loose\">";

/// Ends what [`table_start`] began.
pub const TABLE_END: &str = "&lt;/table&gt;</Label></DisplayInformation>";

/// Begins an entity, up to its value.
pub fn entity_start(type_id: &str) -> String {
    let mut out = String::new();
    push_entity_start(&mut out, type_id);
    out
}

/// Begins a field.
pub fn field_start(prefix: &str, name: &str, label: &str, strict: bool) -> String {
    let mut out = String::new();
    push_field_start(&mut out, prefix, name, label, strict);
    out
}

/// Begins the only table of an entity's detail view.
pub fn table_start(title: &str) -> String {
    let mut out = String::from("<DisplayInformation>");
    push_label_start(&mut out, title);
    push_text(&mut out, TABLE_START);
    out
}

/// Begins a row of such a table.
pub fn row_start(title: &str) -> String {
    let (mut html, mut out) = (String::from(ROW_START), String::new());
    push_html(&mut html, title);
    html.push_str(ROW_MIDDLE);
    push_text(&mut out, &html);
    out
}

/// Writes a row after its beginning; nothing where the text is blank.
pub fn push_row(out: &mut String, start: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    out.push_str(start);
    if is_plain_html(text) {
        out.push_str(text);
    } else {
        let mut html = String::with_capacity(text.len() + 64);
        push_html(&mut html, text);
        push_text(out, &html);
    }
    out.push_str("&lt;/td&gt;&lt;/tr&gt;");
}

/// Writes a field after its beginning, or nothing at all if no character of the text can be written.
pub fn push_field(out: &mut String, start: &str, text: &str) {
    unless_empty(out, text, FIELD_END, |out| out.push_str(start));
}

/// Writes a field of a text that needs no escapes, such as a date; nothing where it is empty.
pub fn push_plain_field(out: &mut String, start: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(start);
        out.push_str(text);
        out.push_str(FIELD_END);
    }
}

/// Writes a property.
pub fn push_property(out: &mut String, property: &Property) {
    let Property {
        name,
        display_name,
        value,
        strict,
    } = property;
    field(out, "", name, display_name, *strict, value);
}

/// Writes a bookmark.
pub fn push_bookmark(out: &mut String, bookmark: Bookmark) {
    field(out, "", "bookmark#", "Bookmark", false, bookmark.as_str());
}

/// Writes an overlay.
pub fn push_overlay(out: &mut String, what: &str, position: OverlayPosition, kind: OverlayKind) {
    out.push_str("<Overlay propertyName=\"");
    push_attribute(out, what);
    out.push_str("\" position=\"");
    out.push_str(position.as_str());
    out.push_str("\" type=\"");
    out.push_str(kind.as_str());
    out.push_str("\"/>");
}

/// Writes an element with text, or nothing at all if no character of the text can be written.
pub(crate) fn unless_empty(out: &mut String, text: &str, end: &str, start: impl FnOnce(&mut String)) {
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
pub fn wrapped(out: &mut String, start: &str, end: &str, inner: impl FnOnce(&mut String)) {
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

/// Writes a number.
pub(crate) fn push_number(out: &mut String, number: u32) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
}

/// Writes an entity.
pub fn push_entity(out: &mut String, entity: &Entity) {
    push_entity_start(out, &entity.type_id);
    push_text(out, &entity.value);
    out.push_str("</Value><Weight>");
    push_number(out, entity.weight);
    out.push_str("</Weight>");
    wrapped(out, "<DisplayInformation>", "</DisplayInformation>", |out| {
        for section in &entity.display_information {
            unless_empty(out, &section.html, "</Label>", |out| {
                push_label_start(out, &section.name);
            });
        }
    });
    wrapped(out, "<AdditionalFields>", "</AdditionalFields>", |out| {
        for property in &entity.properties {
            push_property(out, property);
        }
        for property in &entity.link {
            push_link(out, property);
        }
        if let Some(bookmark) = entity.bookmark {
            push_bookmark(out, bookmark);
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
            push_overlay(out, property_name, *position, *kind);
        }
    });
    if let Some(url) = &entity.icon_url {
        unless_empty(out, url, "</IconURL>", |out| out.push_str("<IconURL>"));
    }
    out.push_str("</Entity>");
}

fn push_entity_start(out: &mut String, type_id: &str) {
    out.push_str("<Entity Type=\"");
    push_attribute(
        out,
        if type_id.is_empty() {
            FALLBACK_TYPE
        } else {
            type_id
        },
    );
    out.push_str("\"><Value>");
}

fn push_label_start(out: &mut String, name: &str) {
    out.push_str("<Label Name=\"");
    push_attribute(out, name);
    out.push_str("\" Type=\"text/html\">");
}

fn push_link(out: &mut String, property: &LinkProperty) {
    let mut known = |name, label, value: &str| field(out, LINK, name, label, false, value);
    match property {
        LinkProperty::Label(text) => known("maltego.link.label", "Label", text),
        LinkProperty::Color(color) => known("maltego.link.color", "LinkColor", color),
        LinkProperty::Style(style) => known("maltego.link.style", "LinkStyle", style.as_str()),
        LinkProperty::Thickness(thickness) => {
            known("maltego.link.thickness", "Thickness", &thickness.to_string());
        }
        LinkProperty::OutputToInput => known("maltego.link.direction", "Direction", "output-to-input"),
        LinkProperty::Custom(name, label, value) => known(name, label, value),
    }
}

fn field(out: &mut String, prefix: &str, name: &str, label: &str, strict: bool, value: &str) {
    unless_empty(out, value, FIELD_END, |out| {
        push_field_start(out, prefix, name, label, strict);
    });
}

fn push_field_start(out: &mut String, prefix: &str, name: &str, label: &str, strict: bool) {
    out.push_str("<Field Name=\"");
    out.push_str(prefix);
    push_attribute(out, name);
    out.push_str("\" DisplayName=\"");
    push_attribute(out, if label.is_empty() { name } else { label });
    out.push_str(if strict {
        "\" MatchingRule=\"strict\">"
    } else {
        "\" MatchingRule=\"loose\">"
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{ROW_END, TABLE_END as HTML_TABLE_END};
    use crate::response::DisplayInformation;

    #[test]
    fn what_is_made_once_is_what_an_entity_has() {
        let mut entity = Entity::new("maltego.Domain", "a.example");
        entity.link.push(LinkProperty::Label("x".into()));
        for text in ["plain", "a & b", "<i>'\"\r\n\u{1}\u{fffe}", "\u{2028}é", "&amp;"] {
            let table = DisplayInformation::table("A & <b>", [("Title '1'", text), ("Blank", " ")]);
            entity.display_information = vec![table];
            let mut whole = String::new();
            push_entity(&mut whole, &entity);
            let mut pieces = entity_start("maltego.Domain");
            pieces.push_str("a.example");
            pieces.push_str(AFTER_VALUE);
            pieces.push_str(&table_start("A & <b>"));
            push_row(&mut pieces, &row_start("Title '1'"), text);
            push_row(&mut pieces, &row_start("Blank"), " ");
            pieces.push_str(TABLE_END);
            pieces.push_str("<AdditionalFields>");
            push_field(&mut pieces, LINK_LABEL, "x");
            pieces.push_str("</AdditionalFields></Entity>");
            assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn the_ends_of_rows_and_tables_are_those_of_the_table() {
        let mut ends = String::new();
        push_text(&mut ends, ROW_END);
        assert_eq!(ends, "&lt;/td&gt;&lt;/tr&gt;");
        push_text(&mut ends, HTML_TABLE_END);
        assert!(ends.ends_with("&lt;/table&gt;"));
    }
}
