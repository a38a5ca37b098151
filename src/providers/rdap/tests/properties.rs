//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

fn feed(status: u16, body: &[u8]) {
    for (kind, value, product) in [
        (IndicatorKind::Domain, "example.com", "domain"),
        (IndicatorKind::Ipv4, "192.0.2.44", "ip"),
        (IndicatorKind::Ipv6, "2001:db8::44", "ip"),
        (IndicatorKind::Asn, "AS64500", "autnum"),
    ] {
        // An error is as good as an answer; a panic or a misfit is not.
        let _ = walk(&Rdap, &of(kind, value, product), testing::anything(status, body));
    }
    let query = question(Capability::Reputation, IndicatorKind::Domain, "example.com");
    let registered = Lookup {
        files: files(),
        ..testing::lookup(&Rdap, query, "domain")
    };
    let _ = walk(&Rdap, &registered, testing::anything(status, body));
}

/// Names that the vendor uses.
const NAMES: &[&str] = &[
    "vcard",
    "fn",
    "org",
    "kind",
    "adr",
    "tel",
    "email",
    "registrar",
    "registrant",
    "abuse",
    "192.0.2.0",
    "192.0.2.255",
    "registration",
    "2013-05-20T00:00:00Z",
    "related",
    "application/rdap+json",
    "https://rdap.registrar.example/v1/x",
    "tel:+1.5555550100",
    "a.kranz@mailbox.example",
    "64500",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(body in crate::providers::testing::shapes(NAMES)) {
        feed(200, body.to_string().as_bytes());
    }

    #[test]
    fn any_file(body: Vec<u8>, text in "(\\PC{0,12}[,\n\"]){0,8}") {
        for file in &Rdap.descriptor().files {
            let _ = (file.check)(&body);
            let _ = (file.check)(format!("ID,RDAP Base URL\n{text}").as_bytes());
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let mut entity = serde_json::json!({"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "Anton Kranz"]]]});
    for _ in 0..20 {
        entity = serde_json::json!({"roles": ["technical"], "entities": [entity]});
    }
    feed(200, entity.to_string().as_bytes());
    let many: Vec<_> = (0..u8::MAX)
        .map(|number| {
            let letter = |number: u8| char::from(b'a' + number);
            let name = format!("Person X{}{}", letter(number / 26), letter(number % 26));
            serde_json::json!({"roles": ["technical"], "vcardArray": ["vcard", [["fn", {}, "text", name]]]})
        })
        .collect();
    let body = serde_json::json!({"objectClassName": "domain", "handle": "x", "entities": many}).to_string();
    let walked = walk(&Rdap, &of_domain("example.com"), |_| reply(200, &body)).unwrap();
    assert_eq!(walked.records()[0].records("contacts").len(), 60);
}
