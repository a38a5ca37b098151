//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

fn feed(status: u16, body: &[u8]) {
    for offer in &ThreatGrid.descriptor().offers {
        for (kind, value) in [
            (IndicatorKind::Hash, MD5),
            (IndicatorKind::Domain, "example.com"),
            (IndicatorKind::Url, "http://example.com/"),
        ] {
            if !offer.inputs.contains(&kind) {
                continue;
            }
            for strict in ["0", "1"] {
                let query = question(offer.capability, kind, value).with("severity", strict);
                // An error is as good as an answer; a panic or a misfit is not.
                let _ = testing::walk(&ThreatGrid, &lookup(query), testing::anything(status, body));
            }
        }
    }
}

/// Names that the vendor uses.
const NAMES: &[&str] = &[
    "data",
    "items",
    "0",
    "1",
    "item",
    "sample",
    "id",
    "md5",
    "sha1",
    "sha256",
    "state",
    "status",
    "submitted_at",
    "analysis",
    "threat_score",
    "behaviors",
    "title",
    "threat",
    "dst",
    "dst_port",
    "protocol",
    "decoded",
    "query",
    "query_data",
    "host",
    "url",
    "headers",
    "user-agent",
    "network",
    "192.0.2.44",
    "asn",
    "country",
    "domain",
    "ip",
    "severity",
    "confidence",
    "ioc",
    "path",
    "size",
    "origin",
    "mutants_created",
    "registry_keys_modified",
    "name",
    "process_name",
    "total",
    "tags",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(items in crate::providers::testing::shapes(NAMES), run in crate::providers::testing::shapes(NAMES)) {
        feed(200, serde_json::json!({ "data": { "items": items } }).to_string().as_bytes());
        // A run that is read, so that its report is reached as well.
        let known = serde_json::json!({ "sample": "a1", "md5": MD5, "analysis": run, "network": run });
        let items = serde_json::json!({ "0": known, "1": run, "item": known, "network": run });
        feed(200, serde_json::json!({ "data": { "items": [known, items] } }).to_string().as_bytes());
    }
}

#[test]
fn depth_and_size_are_survived() {
    feed(200, "[".repeat(100_000).as_bytes());
    let deep = format!(
        "{{\"data\":{{\"items\":{}{}}}}}",
        "[".repeat(120),
        "]".repeat(120)
    );
    feed(200, deep.as_bytes());
    let huge = "9".repeat(400);
    let body = format!(
        "{{\"data\":{{\"total\":{huge},\"items\":[{{\"sample\":\"a\",\"md5\":\"{MD5}\",\"analysis\":{{\"threat_score\":{huge}}}}}]}}}}"
    );
    feed(200, body.as_bytes());
}
