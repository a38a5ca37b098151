//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

/// Every offer of the descriptor with each input, as look-ups.
fn lookups() -> Vec<Lookup> {
    let value = |kind: IndicatorKind| match kind {
        IndicatorKind::Ipv4 => "192.0.2.44".to_owned(),
        IndicatorKind::Ipv6 => "2001:db8::44".to_owned(),
        IndicatorKind::Email => "office@parkside.example".to_owned(),
        IndicatorKind::Url => "http://example.com/x".to_owned(),
        IndicatorKind::Hash => "3f".repeat(20),
        IndicatorKind::Incident => "1184230".to_owned(),
        IndicatorKind::Domain | IndicatorKind::Hostname => "example.com".to_owned(),
        _ => "Parkside".to_owned(),
    };
    let offers = ThreatConnect.descriptor().offers.iter();
    offers
        .flat_map(|offer| offer.inputs.iter().map(|kind| (offer.capability, *kind)))
        .map(|(capability, kind)| Lookup {
            want: 500,
            ..of(capability, kind, &value(kind))
        })
        .collect()
}

fn feed(status: u16, body: &[u8]) {
    testing::feed(&ThreatConnect, &lookups(), status, body);
}

/// Names that the vendor uses.
const NAMES: &[&str] = &[
    "Host",
    "Address",
    "File",
    "URL",
    "ASN",
    "CIDR",
    "EmailAddress",
    "Incident",
    "Campaign",
    "2013-05-20T00:00:00Z2014-01-01T00:00:00Z",
    "192.0.2.44",
    "192.0.2.0/24",
    "ASN1",
    "https://app.example/#/x",
    "?resultStart=3",
    " : : ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), Just(404), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_items(items in proptest::collection::vec(crate::providers::testing::shapes(NAMES), 0..5), next in crate::providers::testing::shapes(NAMES), count in crate::providers::testing::shapes(NAMES)) {
        feed(200, serde_json::json!({"data": items, "next": next, "count": count}).to_string().as_bytes());
    }

    #[test]
    fn any_rating(rating in crate::providers::testing::shapes(NAMES), other in crate::providers::testing::shapes(NAMES)) {
        let row = serde_json::json!({
            "type": "Host", "summary": "example.com", "rating": rating, "confidence": other,
            "threatAssessScore": rating, "falsePositives": other, "tags": rating, "ownerName": other,
        });
        feed(200, serde_json::json!({"data": [row], "next": other}).to_string().as_bytes());
    }

    #[test]
    fn any_shape(body in crate::providers::testing::shapes(NAMES)) {
        feed(200, body.to_string().as_bytes());
    }
}

#[test]
fn depth_and_size_are_survived() {
    feed(200, "[".repeat(200_000).as_bytes());
    feed(
        200,
        format!("{{\"data\":{}{}}}", "[".repeat(120), "]".repeat(120)).as_bytes(),
    );
    let huge = "9".repeat(400);
    feed(
        200,
        format!("{{\"data\":[{{\"type\":\"Host\",\"summary\":\"a.example.com\",\"rating\":{huge}}}],\"count\":{huge}}}")
            .as_bytes(),
    );
}
