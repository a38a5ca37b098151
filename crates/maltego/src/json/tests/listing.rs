//! The listing of transforms, and the small documents.

use serde_json::{Value, json};

use crate::constraint::InputConstraint;
use crate::discovery::Seed;
use crate::json::client::{Client, ClientHeaders};
use crate::json::listing::{find, id, transform, transforms};
use crate::json::seed::seed;
use crate::listing::{ListedTransform, Listing, TransformSetting};
use crate::settings::SettingKind;

fn listed(name: &str, is_offered: bool) -> ListedTransform {
    ListedTransform {
        name: name.to_owned(),
        title: "To addresses".to_owned(),
        about: "Every address.".to_owned(),
        set: "Addresses".to_owned(),
        inputs: vec!["maltego.Domain".to_owned()],
        constraint: None,
        outputs: vec!["maltego.IPv4Address".to_owned()],
        settings: vec![
            TransformSetting {
                name: "global#acme.key".to_owned(),
                kind: SettingKind::Text,
                display: "Key".to_owned(),
                default: None,
                optional: true,
                popup: false,
                secret: true,
            },
            TransformSetting {
                name: "acme.buy".to_owned(),
                kind: SettingKind::Boolean,
                display: "Buy".to_owned(),
                default: Some("false".to_owned()),
                optional: true,
                popup: true,
                secret: false,
            },
        ],
        is_offered,
    }
}

fn client(capabilities: &str) -> Client {
    Client::of(&ClientHeaders {
        capabilities: Some(capabilities),
        ..ClientHeaders::default()
    })
}

#[test]
fn a_transform_is_described_in_full() {
    let written: Value =
        serde_json::from_slice(&transform(&listed("acme.ips", true), client(""), "1.2.3")).unwrap();
    assert_eq!(
        written,
        json!({
            "name": "acme.ips", "displayName": "To addresses",
            "input": {"type": "ENTITY", "typeIds": ["maltego.Domain"], "typeVersions": {"maltego.Domain": null}},
            "output": {
                "type": "ENTITIES", "typeIds": ["maltego.IPv4Address"], "typeVersions": {"maltego.IPv4Address": null}
            },
            "description": "Every address.", "author": "pivotd", "owner": "pivotd", "version": "1.2.3",
            "sets": ["Addresses"], "maxEntityInputCount": 0, "maxEntityOutputCount": 0,
            "transformSettings": [
                {
                    "displayName": "Key", "type": "string", "name": "global#acme.key", "optional": true, "popup": false,
                    "isGlobal": true, "auth": true
                },
                {
                    "displayName": "Buy", "type": "boolean", "name": "acme.buy", "defaultValue": false, "optional": true,
                    "popup": true, "isGlobal": false, "auth": false
                },
            ],
        })
    );
}

#[test]
fn a_client_that_can_be_asked_needs_no_form_for_a_purchase() {
    let popup = |capabilities: &str| {
        let written = transform(&listed("acme.ips", true), client(capabilities), "1");
        let written: Value = serde_json::from_slice(&written).unwrap();
        written["transformSettings"][1]["popup"].clone()
    };
    assert_eq!((popup(""), popup("promptBase")), (json!(true), json!(false)));
}

#[test]
fn what_is_offered_is_listed_and_all_is_found() {
    let listing = Listing::new(vec![
        listed("acme.ips", true),
        listed("merged", true),
        listed("acme.other", false),
    ]);
    let names = |wanted: Option<&str>| -> Vec<String> {
        let written: Value = serde_json::from_slice(&transforms(&listing, client(""), wanted, "1")).unwrap();
        assert_eq!(written["oauth"], json!([]));
        let all = written["transforms"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(None), ["acme.ips", "pivotd.merged"]);
    assert_eq!(names(Some("unknown")), ["acme.ips", "pivotd.merged"]);
    assert_eq!(names(Some("unknown, inputConstraints")), [""; 0]);
    for (name, found) in [
        ("acme.ips", Some("acme.ips")),
        (".acme.ips.", Some("acme.ips")),
        ("ACME.ips", Some("acme.ips")),
        ("pivotd.merged", Some("merged")),
        ("merged", Some("merged")),
        ("acme.other", Some("acme.other")),
        ("pivotd.acme.ips", Some("acme.ips")),
        ("nope", None),
    ] {
        assert_eq!(find(&listing, name).map(|one| one.name.as_str()), found, "{name}");
    }
    assert_eq!(id("merged"), "pivotd.merged");
}

#[test]
fn the_seed_names_one_address_twice() {
    let server = Seed {
        name: "pivotd".to_owned(),
        base_url: "https://pivot.example.org".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let written: Value = serde_json::from_slice(&seed(&server)).unwrap();
    let url = "https://pivot.example.org";
    assert_eq!(
        written,
        json!({"TransformApplications": [{
            "name": "pivotd", "requireAPIKey": false, "URL": url, "V3URL": url, "version": "0.1.0", "disclaimer": null
        }]})
    );
}

#[test]
fn a_constraint_is_listed_for_clients_that_know_constraints() {
    let constrained = ListedTransform {
        constraint: Some(InputConstraint::Type("maltego.Domain".to_owned())),
        ..listed("acme.constrained", true)
    };
    let one: Value = serde_json::from_slice(&transform(&constrained, client(""), "1")).unwrap();
    assert_eq!(
        one["input"]["inputConstraint"],
        json!({"type": "entity_type_constraint", "entity_type": "maltego.Domain"})
    );
    assert_eq!(one["transformCapabilities"], json!(["inputConstraints"]));
    let listing = Listing::new(vec![listed("acme.free", true), constrained]);
    let names = |client, wanted| -> Vec<String> {
        let all: Value = serde_json::from_slice(&transforms(&listing, client, wanted, "1")).unwrap();
        let all = all["transforms"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let agent = |agent| {
        Client::of(&ClientHeaders {
            user_agent: Some(agent),
            ..ClientHeaders::default()
        })
    };
    let both = ["acme.free", "acme.constrained"];
    assert_eq!(names(client("inputConstraints"), None), both);
    assert_eq!(names(client(""), None), ["acme.free"]);
    assert_eq!(names(agent("Maltego Desktop/4.9.9 (x)"), None), ["acme.free"]);
    assert_eq!(names(agent("Maltego Desktop/4.10.0 (x)"), None), both);
    assert_eq!(names(agent("curl"), None), both, "it says nothing of itself");
    assert_eq!(
        names(client("inputConstraints"), Some("inputConstraints")),
        ["acme.constrained"]
    );
    assert!(names(client("inputConstraints"), Some("inputConstraints,interactive")).is_empty());
}
