//! Properties that hold for any input; the fuzz target `trx_request` is the twin of the first.

use super::domain;
use crate::is_xml_char;
use crate::request::{ReadLimits, read};
use crate::response::{Entity, Property, TransformResponse, UiMessage, UiMessageKind, write};
use proptest::prelude::*;
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

fn cleaned(text: &str) -> String {
    text.chars().filter(|c| is_xml_char(*c)).collect()
}

/// Any characters, with those that matter to XML often.
fn any_text() -> impl Strategy<Value = String> {
    let common = prop::sample::select(
        "\0\u{1}\t\n\r &<>;#\"'x]\u{fffe}\u{ffff}\u{fffd}é日😀"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![common, any::<char>()], 0..24).prop_map(String::from_iter)
}

/// Scraps of requests in any order: far likelier than bytes to get past the first tag.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let scraps: &[&[u8]] = &[
        b"<r>",
        b"</r>",
        b"<Entity Type='Domain'>",
        b"</Entity>",
        b"<Value>",
        b"</Value>",
        b"<Weight>7</Weight>",
        b"<Genealogy>",
        b"</Genealogy>",
        b"<Type Name='maltego.Domain' OldName='D'/>",
        b"<AdditionalFields>",
        b"</AdditionalFields>",
        b"<Field Name='whois'>",
        b"</Field>",
        b"<Limits SoftLimit='1'/>",
        b"<TransformFields>",
        b"</TransformFields>",
        b"&amp;",
        b"&",
        b"&#1;",
        b"&x;",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"<!DOCTYPE a>",
        b"<?xml encoding='latin1'?>",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\0",
        b"\xe9",
        b"'",
        b"\"",
        b"/>",
        b"<",
        b"\n",
    ];
    prop::collection::vec(prop::sample::select(scraps.to_vec()), 0..24).prop_map(|parts| parts.concat())
}

fn element(writer: &mut Writer<Vec<u8>>, tag: BytesStart<'_>, text: &str) {
    let end = tag.to_end().into_owned();
    writer.write_event(Event::Start(tag)).unwrap();
    writer
        .write_event(Event::Text(BytesText::from_escaped(partial_escape(text))))
        .unwrap();
    writer.write_event(Event::End(end)).unwrap();
}

/// Writes the same response with quick-xml's own writer.
fn reference(response: &TransformResponse) -> String {
    let mut writer = Writer::new(Vec::new());
    let around = |writer: &mut Writer<Vec<u8>>, names: &[&'static str], open: bool| {
        for name in names {
            let event = if open {
                Event::Start(BytesStart::new(*name))
            } else {
                Event::End(BytesEnd::new(*name))
            };
            writer.write_event(event).unwrap();
        }
    };
    around(
        &mut writer,
        &["MaltegoMessage", "MaltegoTransformResponseMessage", "Entities"],
        true,
    );
    for entity in &response.entities {
        let type_id = cleaned(&entity.type_id);
        let tag = BytesStart::new("Entity").with_attributes([("Type", type_id.as_str())]);
        writer.write_event(Event::Start(tag)).unwrap();
        element(&mut writer, BytesStart::new("Value"), &cleaned(&entity.value));
        element(&mut writer, BytesStart::new("Weight"), &entity.weight.to_string());
        let fields: Vec<_> = entity
            .properties
            .iter()
            .filter(|p| !cleaned(&p.value).is_empty())
            .collect();
        if !fields.is_empty() {
            around(&mut writer, &["AdditionalFields"], true);
            for p in fields {
                let (name, label) = (cleaned(&p.name), cleaned(&p.display_name));
                let rule = if p.strict { "strict" } else { "loose" };
                let attributes = [
                    ("Name", name.as_str()),
                    ("DisplayName", label.as_str()),
                    ("MatchingRule", rule),
                ];
                element(
                    &mut writer,
                    BytesStart::new("Field").with_attributes(attributes),
                    &cleaned(&p.value),
                );
            }
            around(&mut writer, &["AdditionalFields"], false);
        }
        around(&mut writer, &["Entity"], false);
    }
    around(&mut writer, &["Entities"], false);
    around(&mut writer, &["UIMessages"], true);
    for message in response.messages.iter().filter(|m| !cleaned(&m.text).is_empty()) {
        let tag = BytesStart::new("UIMessage").with_attributes([("MessageType", message.kind.as_str())]);
        element(&mut writer, tag, &cleaned(&message.text));
    }
    around(
        &mut writer,
        &["UIMessages", "MaltegoTransformResponseMessage", "MaltegoMessage"],
        false,
    );
    String::from_utf8(writer.into_inner()).unwrap()
}

fn any_property() -> impl Strategy<Value = Property> {
    (any_text(), "[a-z<&]{1,5}", any_text(), any::<bool>()).prop_map(|(name, display_name, value, strict)| {
        Property {
            name: name.into(),
            display_name: display_name.into(),
            value: value.into(),
            strict,
        }
    })
}

fn any_response() -> impl Strategy<Value = TransformResponse> {
    let properties = prop::collection::vec(any_property(), 0..4);
    let entity = ("[a-z.&]{1,8}", any_text(), any::<u32>(), properties).prop_map(
        |(type_id, value, weight, properties)| Entity {
            weight,
            properties,
            ..Entity::new(type_id, value)
        },
    );
    let message = any_text().prop_map(|text| UiMessage::new(UiMessageKind::Inform, text));
    (
        prop::collection::vec(entity, 0..4),
        prop::collection::vec(message, 0..3),
    )
        .prop_map(|(entities, messages)| TransformResponse { entities, messages })
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..256), scraps()]) {
        if let Ok(request) = read(&bytes, &ReadLimits::default()) {
            prop_assert!(!request.entities.is_empty());
            for entity in &request.entities {
                let texts = entity.fields.iter().flat_map(|(name, value)| [name, value]).chain([&entity.value]);
                prop_assert!(texts.into_iter().all(|text| text.chars().all(is_xml_char)));
                prop_assert_eq!(entity.ancestors.first(), Some(&entity.type_id));
                prop_assert!(entity.echo_fields().len() <= entity.fields.len());
            }
        }
    }

    #[test]
    fn the_writer_agrees_with_quick_xml(response in any_response()) {
        prop_assert_eq!(write(&response), reference(&response));
    }

    #[test]
    fn what_is_written_is_read_back(value in any_text(), property in any_text(), name in any_text()) {
        let name = format!("n{name}");
        let entity = Entity {
            properties: vec![Property::strict(name.clone(), "", property.clone())],
            ..Entity::new("maltego.Phrase", value.clone())
        };
        let written = write(&TransformResponse { entities: vec![entity], messages: Vec::new() });
        let request = read(written.as_bytes(), &ReadLimits::default()).unwrap();
        let read_back = &request.entities[0];
        prop_assert_eq!(&read_back.value, &cleaned(&value));
        let expected = cleaned(&property);
        let expected = (!expected.is_empty()).then_some(expected.as_str());
        prop_assert_eq!(read_back.field(&cleaned(&name)), expected);
    }

    #[test]
    fn an_escaped_value_comes_through_a_request(value in any_text()) {
        let escaped = quick_xml::escape::escape(value.as_str()).into_owned();
        let request = read(domain(&format!("<Value>{escaped}</Value>")).as_bytes(), &ReadLimits::default()).unwrap();
        prop_assert_eq!(&request.entities[0].value, &cleaned(&value));
    }
}
