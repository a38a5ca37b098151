//! Reads contacts of cards: one of several values is never the only one that is kept, and a desk is no person.

use serde_json::{Value, json};

use super::*;

fn contacts(entities: &Value) -> Vec<Record> {
    let body = json!({"objectClassName": "domain", "handle": "x", "entities": entities}).to_string();
    let walked = walk(&Rdap, &of_domain("example.com"), |_| reply(200, &body)).unwrap();
    walked.records()[0].records("contacts").to_vec()
}

fn texts(contacts: &[Record], role: &str, field: &str) -> Vec<String> {
    contacts
        .iter()
        .filter(|contact| text(contact, "role") == role)
        .map(|contact| text(contact, field))
        .filter(|text| !text.is_empty())
        .collect()
}

#[test]
fn every_role_mailbox_and_number_of_an_entity_is_kept() {
    let found = contacts(
        &json!([{"roles": ["technical", "administrative", "abuse"], "vcardArray": ["vcard", [
            ["fn", {}, "text", "Kranz, Anton"],
            ["org", {}, "text", "Kranz Logistics"],
            ["email", {}, "text", "one@kranz.example"],
            ["email", {}, "text", "two@kranz.example"],
            ["email", {}, "text", ["three@kranz.example"]],
            ["tel", {"type": "voice"}, "uri", "tel:+1.5555550100"],
            ["tel", {"type": "voice"}, "uri", "tel:+1.5555550101"],
            ["adr", {}, "text", "9 Dock St\nPort Example"],
        ]]}]),
    );
    for role in ["tech", "admin", "abuse"] {
        let emails = ["one@kranz.example", "two@kranz.example", "three@kranz.example"];
        assert_eq!(texts(&found, role, "email"), emails);
        assert_eq!(texts(&found, role, "phone"), ["+1.5555550100", "+1.5555550101"]);
        assert_eq!(texts(&found, role, "name"), ["Anton Kranz"; 3]);
        assert_eq!(texts(&found, role, "street"), ["9 Dock St, Port Example"; 3]);
    }
}

#[test]
fn a_group_is_an_organization_and_a_desk_is_nobody() {
    let card = |kind: &str, name: &str, organization: &str| {
        json!([{"roles": ["technical"], "vcardArray": ["vcard", [
            ["kind", {}, "text", kind], ["fn", {}, "text", name], ["org", {}, "text", organization],
            ["email", {}, "text", "noc@example.net"],
        ]]}])
    };
    for kind in ["group", "org", "individual", ""] {
        for desk in [
            "Abuse",
            "ABUSE",
            "NOC",
            "Hostmaster",
            "Routing and Peering",
            "IP Admin",
            "Registry Services",
            "Support",
        ] {
            let found = contacts(&card(kind, desk, desk));
            assert_eq!(found.len(), 1, "{kind} {desk}");
            assert_eq!(
                testing::plain(&found[0]),
                json!({"role": "tech", "email": "noc@example.net"}),
                "{kind} {desk}"
            );
        }
        let found = contacts(&card(kind, "Example Nets", "EXAMPLE NETS"));
        assert_eq!(texts(&found, "tech", "organization"), ["Example Nets"], "{kind}");
        assert!(texts(&found, "tech", "name").is_empty(), "{kind}");
    }
    let found = contacts(&card("group", "Parkside Abuse Desk", "Parkside Hosting"));
    assert!(texts(&found, "tech", "name").is_empty());
}

#[test]
fn a_name_that_is_the_handle_is_none() {
    for (handle, name, told) in [
        ("DE-BEISPIEL-NOC", "DE-BEISPIEL-NOC", ""),
        ("de-beispiel", "DE-Beispiel", ""),
        ("ORG-EX", "Example Telecom", "Example Telecom"),
        ("Example Telecom", "Example Telecom", "Example Telecom"),
        ("", "IRT-EXAMPLE-HK", ""),
        ("", "fdcexample-mnt", ""),
    ] {
        let found = contacts(
            &json!([{"handle": handle, "roles": ["registrant"], "vcardArray": ["vcard", [
                ["kind", {}, "text", "org"], ["fn", {}, "text", name], ["email", {}, "text", "noc@example.net"],
            ]]}]),
        );
        assert_eq!(text(&found[0], "organization"), told, "{name}");
        assert_eq!(text(&found[0], "email"), "noc@example.net");
    }
}

#[test]
fn a_number_in_parts_is_one() {
    for value in [
        json!(["tel", {}, "text", "+7", "495", "5801111"]),
        json!(["tel", {}, "text", ["+7", "495", "5801111"]]),
    ] {
        let found = contacts(
            &json!([{"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "Anna Lind"], value]]}]),
        );
        assert_eq!(texts(&found, "registrant", "phone"), ["+7 495 5801111"]);
    }
    let two = json!(["tel", {}, "text", ["+1 555 555 0100", "+1 555 555 0101"]]);
    let found = contacts(&json!([{"roles": ["registrant"], "vcardArray": ["vcard", [two]]}]));
    assert_eq!(
        texts(&found, "registrant", "phone"),
        ["+1 555 555 0100", "+1 555 555 0101"]
    );
}

#[test]
fn padded_bounds_are_addresses() {
    let body = r#"{"startAddress":"192.000.002.000","endAddress":"192.000.002.255","name":"X"}"#;
    let lookup = of(IndicatorKind::Ipv4, "192.0.2.44", "ip");
    let walked = walk(&Rdap, &lookup, |_| reply(200, body)).unwrap();
    assert_eq!(text(&walked.records()[0], "netblock"), "192.0.2.0-192.0.2.255");
}
