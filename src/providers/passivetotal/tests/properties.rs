//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

fn feed(status: u16, body: &[u8]) {
    for offer in &PassiveTotal.descriptor().offers {
        for kind in &offer.inputs {
            let value = match kind {
                IndicatorKind::Ipv4 => "192.0.2.44",
                IndicatorKind::Ipv6 => "2001:db8::44",
                IndicatorKind::Email => "a.kranz@mailbox.example",
                IndicatorKind::Phone => "+1 555 0100",
                _ => "example.com",
            };
            // An error is as good as an answer; a panic or a misfit is not.
            let _ = walk(
                &about(offer.capability, *kind, value),
                testing::anything(status, body),
            );
        }
    }
}

const NAMES: &[&str] = &[
    "results",
    "totalRecords",
    "resolve",
    "value",
    "source",
    "firstSeen",
    "lastSeen",
    "recordType",
    "subdomains",
    "network",
    "country",
    "autonomousSystemNumber",
    "sinkhole",
    "tags",
    "label",
    "attributeValue",
    "parent",
    "child",
    "hostname",
    "domain",
    "registrar",
    "registrant",
    "email",
    "telephone",
    "nameServers",
    "contactEmail",
    "name",
    "error",
    "message",
    "street",
    "registered",
    "classification",
    "score",
    "rules",
    "severity",
    "description",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(body in testing::shapes(NAMES)) {
        feed(200, body.to_string().as_bytes());
        feed(200, serde_json::json!({ "results": body, "totalRecords": 900 }).to_string().as_bytes());
    }
}
