use crate::response::{
    ASK_AGAIN, Bookmark, DisplayInformation, Entity, LinkProperty, LinkStyle, Overlay, OverlayKind,
    OverlayPosition, Property, TransformException, TransformResponse, UiMessage, UiMessageKind, write,
    write_exception,
};

fn inside(entity: Entity) -> String {
    let whole = write(&TransformResponse {
        entities: vec![entity],
        messages: Vec::new(),
    });
    let whole = whole
        .strip_prefix("<MaltegoMessage><MaltegoTransformResponseMessage><Entities>")
        .unwrap();
    let end = "</Entities><UIMessages></UIMessages></MaltegoTransformResponseMessage></MaltegoMessage>";
    whole.strip_suffix(end).unwrap().to_owned()
}

#[test]
fn an_empty_response_has_both_parents() {
    assert_eq!(
        write(&TransformResponse::default()),
        "<MaltegoMessage><MaltegoTransformResponseMessage><Entities></Entities><UIMessages></UIMessages>\
         </MaltegoTransformResponseMessage></MaltegoMessage>"
    );
}

#[test]
fn everything_an_entity_can_have_is_written() {
    let entity = Entity {
        weight: 5,
        properties: vec![
            Property::strict("p.strict", "P", "v"),
            Property::loose("p.loose", "", "a & b"),
        ],
        link: vec![
            LinkProperty::Label("2013 to 2014".into()),
            LinkProperty::Color("#ff0000".into()),
            LinkProperty::Style(LinkStyle::Dashed),
            LinkProperty::Thickness(2),
            LinkProperty::OutputToInput,
            LinkProperty::Custom("acme.seen".into(), "Seen".into(), "2013".into()),
        ],
        bookmark: Some(Bookmark::Red),
        notes: Some("n".into()),
        overlays: vec![Overlay {
            property_name: "p.strict".into(),
            position: OverlayPosition::NorthWest,
            kind: OverlayKind::Colour,
        }],
        display_information: vec![DisplayInformation::table(
            "Details",
            [("k", "<script>"), ("gone", "")],
        )],
        icon_url: Some("https://icons.example/i.png".into()),
        ..Entity::new("maltego.Phrase", "x")
    };
    assert_eq!(
        inside(entity),
        "<Entity Type=\"maltego.Phrase\"><Value>x</Value><Weight>5</Weight>\
         <DisplayInformation><Label Name=\"Details\" Type=\"text/html\">&lt;table&gt;&lt;tr&gt;&lt;td&gt;&lt;b&gt;k\
         &lt;/b&gt;&lt;/td&gt;&lt;td&gt;&amp;lt;script&amp;gt;&lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;</Label></DisplayInformation>\
         <AdditionalFields>\
         <Field Name=\"p.strict\" DisplayName=\"P\" MatchingRule=\"strict\">v</Field>\
         <Field Name=\"p.loose\" DisplayName=\"p.loose\" MatchingRule=\"loose\">a &amp; b</Field>\
         <Field Name=\"link#maltego.link.label\" DisplayName=\"Label\" MatchingRule=\"loose\">2013 to 2014</Field>\
         <Field Name=\"link#maltego.link.color\" DisplayName=\"LinkColor\" MatchingRule=\"loose\">#ff0000</Field>\
         <Field Name=\"link#maltego.link.style\" DisplayName=\"LinkStyle\" MatchingRule=\"loose\">1</Field>\
         <Field Name=\"link#maltego.link.thickness\" DisplayName=\"Thickness\" MatchingRule=\"loose\">2</Field>\
         <Field Name=\"link#maltego.link.direction\" DisplayName=\"Direction\" MatchingRule=\"loose\">output-to-input</Field>\
         <Field Name=\"link#acme.seen\" DisplayName=\"Seen\" MatchingRule=\"loose\">2013</Field>\
         <Field Name=\"bookmark#\" DisplayName=\"Bookmark\" MatchingRule=\"loose\">4</Field>\
         <Field Name=\"notes#\" DisplayName=\"Notes\" MatchingRule=\"loose\">n</Field></AdditionalFields>\
         <Overlays><Overlay propertyName=\"p.strict\" position=\"NW\" type=\"colour\"/></Overlays>\
         <IconURL>https://icons.example/i.png</IconURL></Entity>"
    );
}

#[test]
fn what_is_empty_is_left_out_and_a_type_is_never_missing() {
    let entity = Entity {
        properties: vec![
            Property::loose("a", "A", ""),
            Property::strict("b", "B", "\u{1}\u{ffff}"),
        ],
        notes: Some(String::new()),
        icon_url: Some(String::new()),
        ..Entity::new("", "v")
    };
    assert_eq!(
        inside(entity),
        "<Entity Type=\"maltego.Phrase\"><Value>v</Value><Weight>100</Weight></Entity>"
    );
    let silent = vec![UiMessage::new(UiMessageKind::Inform, "\0")];
    assert_eq!(
        write(&TransformResponse {
            messages: silent,
            ..Default::default()
        }),
        write(&Default::default())
    );
}

#[test]
fn one_bad_character_costs_only_itself() {
    for (value, written) in [
        ("a\0b\u{8}\u{1f}c", "abc"),
        ("a\u{fffe}b\u{ffff}c\u{fffd}\u{f000}", "abc\u{fffd}\u{f000}"),
        ("a\u{7f}\u{85}b", "a\u{7f}\u{85}b"),
        ("a ]]> & < > \" ' b", "a ]]&gt; &amp; &lt; &gt; \" ' b"),
        ("a\r\n\tb", "a&#13;\n\tb"),
        ("a😀b", "a😀b"),
    ] {
        let expected = format!("<Entity Type=\"t\"><Value>{written}</Value><Weight>100</Weight></Entity>");
        assert_eq!(inside(Entity::new("t", value)), expected);
    }
    let named = Entity {
        properties: vec![Property::loose("a\"\n\0", "<'\t>", "v")],
        ..Entity::new("t", "v")
    };
    assert!(inside(named).contains("Name=\"a&quot;&#10;\" DisplayName=\"&lt;&apos;&#9;&gt;\""));
}

#[test]
fn messages_and_exceptions_are_written() {
    let kinds = [
        UiMessageKind::Inform,
        UiMessageKind::PartialError,
        UiMessageKind::FatalError,
        UiMessageKind::Debug,
    ];
    let messages = kinds
        .map(|kind| UiMessage::new(kind, format!("<{kind}>")))
        .to_vec();
    let written = write(&TransformResponse {
        messages,
        ..Default::default()
    });
    for kind in ["Inform", "PartialError", "FatalError", "Debug"] {
        assert!(written.contains(&format!(
            "<UIMessage MessageType=\"{kind}\">&lt;{kind}&gt;</UIMessage>"
        )));
    }
    let exceptions = [
        TransformException {
            code: Some(ASK_AGAIN),
            text: "key & co".into(),
        },
        TransformException {
            code: None,
            text: "other".into(),
        },
    ];
    assert_eq!(
        write_exception(&exceptions),
        "<MaltegoMessage><MaltegoTransformExceptionMessage><Exceptions><Exception code=\"600\">key &amp; co</Exception>\
         <Exception>other</Exception></Exceptions></MaltegoTransformExceptionMessage></MaltegoMessage>"
    );
}

#[test]
fn table_cells_are_escaped_and_titles_cannot_leave_their_attribute() {
    let table = DisplayInformation::table("T\" x=\"", [("a&b", "'<img src=x>\r\nsecond")]);
    assert_eq!(
        table.html,
        "<table><tr><td><b>a&amp;b</b></td><td>&#39;&lt;img src=x&gt;<br>second</td></tr></table>"
    );
    let entity = Entity {
        display_information: vec![table],
        ..Entity::new("t", "v")
    };
    assert!(inside(entity).contains("<Label Name=\"T&quot; x=&quot;\" Type=\"text/html\">"));
}
