//! Events, as they are written.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::json::entity::identity;
use crate::json::event::{Event, MessageType, Prompt, PromptOption, Stamp, StatusMessage, time};
use crate::json::ids::Ids;
use crate::json::run::{Standing, State, page, summary};
use crate::response::{
    Bookmark, DisplayInformation, LinkProperty, LinkStyle, Overlay, OverlayKind, OverlayPosition,
};
use crate::{Entity, Property};

const AT: &str = "1970-01-01 00:00:00.000000";

fn written(event: &Event<'_>) -> Value {
    let mut out = b"before".to_vec();
    assert!(event.write(AT, &mut out));
    let value: Value = serde_json::from_slice(out.strip_prefix(b"before").unwrap()).unwrap();
    assert_eq!(value["timestamp"], AT);
    value["data"].clone()
}

fn says_nothing(event: &Event<'_>) {
    let mut out = b"before".to_vec();
    assert!(!event.write(AT, &mut out));
    assert_eq!(out, b"before");
}

fn full() -> Entity {
    let mut entity = Entity::new("maltego.IPv4Address", "192.0.2.1");
    entity.properties = vec![
        Property::loose("ipaddress.internal", "Internal", "false"),
        Property::loose("acme.first_seen", "First seen", "2024-01-02"),
        Property::loose("empty", "Empty", ""),
    ];
    entity.bookmark = Some(Bookmark::Purple);
    entity.notes = Some("a note".to_owned());
    entity.overlays = vec![Overlay {
        property_name: "#ff0000".to_owned(),
        position: OverlayPosition::NorthWest,
        kind: OverlayKind::Colour,
    }];
    entity.display_information = vec![DisplayInformation::table("Table", [("a", "<b>")])];
    entity.icon_url = Some("https://example.org/i.png".to_owned());
    entity
}

#[test]
fn a_found_entity_is_written_whole() {
    assert_eq!(
        written(&Event::Found("x1", &full())),
        json!({"eventType": "ADD", "inputType": "ENTITY", "entity": {
            "id": "x1", "valueRef": "ipv4-address", "weight": 100,
            "properties": [
                {"name": "ipv4-address", "value": "192.0.2.1", "type": "STRING", "displayName": "IP Address",
                    "matchingRule": "strict"},
                {"name": "ipaddress.internal", "value": false, "type": "BOOLEAN", "displayName": "Internal",
                    "matchingRule": "loose"},
                {"name": "acme.first_seen", "value": "2024-01-02", "type": "STRING", "displayName": "First seen",
                    "matchingRule": "loose"},
                {"name": "reserved-entity-icon-overlay-url", "value": "https://example.org/i.png", "type": "STRING",
                    "displayName": "Image", "matchingRule": "loose"},
            ],
            "displayInformation": [{
                "name": "Table", "value": "<table><tr><td><b>a</b></td><td>&lt;b&gt;</td></tr></table>",
                "type": "text/html"
            }],
            "type": "maltego.IPv4Address", "bookmark": 3,
            "overlays": [{"propertyName": "#ff0000", "position": "NW", "type": "color"}], "note": "a note",
        }})
    );
}

#[test]
fn an_annotated_input_keeps_what_names_it() {
    let mut entity = Entity::new("maltego.IPv4Address", "192.0.2.1");
    entity.properties = vec![
        Property::strict("ipv4-address", "IP Address", "192.0.2.1"),
        Property::loose("acme.score", "Score", "7"),
    ];
    assert_eq!(
        written(&Event::Annotated("e1", &entity)),
        json!({"eventType": "UPDATE", "inputType": "ENTITY", "entity": {
            "id": "e1",
            "properties": [{"name": "acme.score", "value": "7", "type": "STRING", "displayName": "Score",
                "matchingRule": "loose"}],
            "overlays": [],
        }})
    );
}

#[test]
fn a_change_says_what_is_new_alone() {
    let before = full();
    says_nothing(&Event::Changed("x1", &before, &before));
    let mut now = full();
    now.properties[1] = Property::loose("acme.first_seen", "First seen", "2020-01-01");
    now.properties
        .push(Property::loose("other.source", "Source", "other"));
    assert_eq!(
        written(&Event::Changed("x1", &before, &now)),
        json!({"eventType": "UPDATE", "inputType": "ENTITY", "entity": {
            "id": "x1",
            "properties": [
                {"name": "acme.first_seen", "value": "2020-01-01", "type": "STRING", "displayName": "First seen",
                    "matchingRule": "loose"},
                {"name": "other.source", "value": "other", "type": "STRING", "displayName": "Source",
                    "matchingRule": "loose"},
            ],
            "overlays": [{"propertyName": "#ff0000", "position": "NW", "type": "color"}],
        }})
    );
    assert_eq!(
        written(&Event::Gone("x1")),
        json!({"eventType": "DELETE", "inputType": "ENTITY", "entity": {"id": "x1", "overlays": []}})
    );
}

#[test]
fn links_have_the_properties_that_clients_draw() {
    let link = [
        LinkProperty::Label("A record".into()),
        LinkProperty::Color("#FF0000".to_owned()),
        LinkProperty::Style(LinkStyle::Dashed),
        LinkProperty::Thickness(5),
        LinkProperty::OutputToInput,
        LinkProperty::Custom("acme.since".into(), "Since".into(), "2024".into()),
    ];
    assert_eq!(
        written(&Event::Linked("l1", "e1", "x1", &link)),
        json!({"eventType": "ADD", "inputType": "LINK", "link": {
            "id": "l1", "sourceId": "e1", "targetId": "x1",
            "properties": [
                {"name": "maltego.link.label", "value": "A record", "type": "STRING"},
                {"name": "maltego.link.color", "value": "#FF0000", "type": "STRING", "displayName": "Link Color"},
                {"name": "maltego.link.style", "value": 1, "type": "INT", "displayName": "Link Style"},
                {"name": "maltego.link.thickness", "value": 4, "type": "INT", "displayName": "Link Thickness"},
                {"name": "maltego.link.is_reversed", "value": true, "type": "BOOLEAN"},
                {"name": "acme.since", "value": "2024", "type": "STRING", "displayName": "Since"},
            ],
        }})
    );
    says_nothing(&Event::LinkChanged("l1", &link, &link));
    let longer = [LinkProperty::Label("2020 to 2024".into())];
    assert_eq!(
        written(&Event::LinkChanged("l1", &link, &longer))["link"],
        json!({"id": "l1", "properties": [{"name": "maltego.link.label", "value": "2020 to 2024", "type": "STRING"}]})
    );
}

#[test]
fn messages_and_prompts_are_events() {
    let message = StatusMessage {
        kind: MessageType::Warning,
        state: State::Running,
        text: "one\u{200b} was slow",
        progress: 0.0,
    };
    assert_eq!(
        written(&Event::Message(message)),
        json!({"eventType": "ADD", "inputType": "STATUS_MESSAGE", "statusMessage": {
            "type": "WARNING", "state": "RUNNING", "text": "one was slow", "code": 0, "progress": 0.0
        }})
    );
    let options = [PromptOption {
        id: "buy",
        display_name: "Buy",
    }];
    let prompt = Prompt {
        id: "p1",
        message: "Buy?",
        options: &options,
        default: "buy",
        timeout: 300,
    };
    assert_eq!(
        written(&Event::Asked(prompt)),
        json!({"eventType": "ADD", "inputType": "CHOICE_PROMPT", "id": "p1", "message": "Buy?",
            "options": [{"id": "buy", "displayName": "Buy"}], "defaultOptionId": "buy", "timeout": 300})
    );
}

#[test]
fn a_page_holds_events_as_they_were_written() {
    let standing = Standing {
        id: "ddf1dd94-f6a0-46ce-b21c-99f19a835fe8",
        state: State::TimedOut,
        started: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        events: 9,
        found: 3,
    };
    let written: Value = serde_json::from_slice(&page(&standing, -2, b"{\"a\":1},{\"b\":2}")).unwrap();
    assert_eq!(
        written,
        json!({
            "result": {
                "eventPointer": -2, "eventCount": 9, "atomicEntityCount": 3, "compositeEntityCount": 0,
                "incompleteCompositeEntity": false, "events": [{"a": 1}, {"b": 2}],
                "runId": "ddf1dd94-f6a0-46ce-b21c-99f19a835fe8", "state": "FAILED",
                "startTime": "1970-01-01 00:00:00.000000", "updateTime": "1970-01-01 00:00:00.000000"
            },
            "status": {"uiMessages": [], "code": 200}
        })
    );
    let added = BTreeMap::from([("maltego.Domain".into(), 3)]);
    let written: Value = serde_json::from_slice(&summary(&standing, &added, 27)).unwrap();
    assert_eq!(
        written,
        json!({
            "entities": {"added": {"maltego.Domain": 3}}, "runId": "ddf1dd94-f6a0-46ce-b21c-99f19a835fe8",
            "state": "FAILED", "duration": 27, "atomicEntityCount": 3, "compositeEntityCount": 0
        })
    );
}

#[test]
fn ids_are_many_and_none_repeats() {
    let mut ids = Ids::new(7);
    let drawn: HashSet<String> = (0..10_000).map(|_| ids.make()).collect();
    assert_eq!(drawn.len(), 10_000);
    assert!(drawn.iter().all(|id| {
        id.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    }));
    assert_ne!(Ids::new(7).make(), Ids::new(8).make());
}

#[test]
fn strict_properties_tell_entities_apart_and_loose_ones_do_not() {
    let mut other = full();
    other.properties.push(Property::loose("acme.note", "Note", "x"));
    assert_eq!(identity(&full()), identity(&other));
    other.properties.push(Property::strict("acme.id", "ID", "7"));
    assert_ne!(identity(&full()), identity(&other));
}

#[test]
fn a_time_is_written_in_microseconds_of_utc() {
    for (at, text) in [
        ("2026-11-21T22:22:46.643674999Z", "2026-11-21 22:22:46.643674"),
        ("2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000000"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"),
    ] {
        assert_eq!(time(at.parse().unwrap()), text);
    }
}

proptest! {
    #[test]
    fn times_that_follow_each_other_are_written_as_each_alone(
        times in proptest::collection::vec((-3_i64..3, 0_i32..1_000_000_000), 1..20)
    ) {
        let mut stamp = Stamp::default();
        for (second, nanosecond) in times {
            let at = Timestamp::new(second, nanosecond).unwrap();
            prop_assert_eq!(stamp.at(at), time(at));
        }
    }
}
