//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

fn feed(status: u16, body: &[u8]) {
    for offer in &VirusTotal.descriptor().offers {
        for product in &offer.products {
            for (kind, value) in [
                (IndicatorKind::Hash, SHA256),
                (IndicatorKind::Domain, "example.com"),
                (IndicatorKind::Ipv6, "2001:db8::25"),
                (IndicatorKind::Url, "http://example.com/x"),
            ] {
                if !offer.inputs.contains(&kind) {
                    continue;
                }
                let query = question(offer.capability, kind, value);
                let lookup = testing::lookup(&VirusTotal, query, &product.id);
                // An error is as good as an answer; a panic or a misfit is not.
                let _ = testing::walk(&VirusTotal, &lookup, testing::anything(status, body));
            }
        }
    }
}

/// Names that the vendor uses.
const NAMES: &[&str] = &[
    "id",
    "attributes",
    "url",
    "date",
    "host_name",
    "ip_address",
    "resolver",
    "md5",
    "sha1",
    "sha256",
    "names",
    "meaningful_name",
    "size",
    "last_analysis_stats",
    "last_analysis_results",
    "category",
    "result",
    "malicious",
    "suspicious",
    "harmless",
    "undetected",
    "popular_threat_classification",
    "suggested_threat_label",
    "first_submission_date",
    "last_analysis_date",
    "asn",
    "country",
    "cursor",
    "count",
    "tags",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(data in crate::providers::testing::shapes(NAMES), meta in crate::providers::testing::shapes(NAMES)) {
        feed(200, serde_json::json!({ "data": data, "meta": meta }).to_string().as_bytes());
        let rows = serde_json::json!([{ "id": meta, "attributes": data }]);
        feed(200, serde_json::json!({ "data": rows, "meta": { "cursor": "x" } }).to_string().as_bytes());
        let one = serde_json::json!({ "attributes": { "last_analysis_stats": data, "names": meta } });
        feed(200, serde_json::json!({ "data": one }).to_string().as_bytes());
        // Engines gave verdicts, so that these are read.
        let judged = serde_json::json!({
            "last_analysis_stats": { "malicious": 3, "suspicious": meta },
            "last_analysis_results": data,
            "last_analysis_date": meta,
            "popular_threat_classification": data,
            "tags": data,
        });
        feed(200, serde_json::json!({ "data": { "attributes": judged } }).to_string().as_bytes());
    }
}

#[test]
fn depth_and_size_are_survived() {
    feed(200, "[".repeat(100_000).as_bytes());
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(120), "]".repeat(120));
    feed(200, deep.as_bytes());
    let huge = "9".repeat(400);
    let body = format!("{{\"meta\":{{\"count\":{huge}}},\"data\":[{{\"attributes\":{{\"date\":{huge}}}}}]}}");
    feed(200, body.as_bytes());
}

#[test]
fn a_vendor_that_never_ends_is_left() {
    let row = r#"{"attributes":{"date":1371000000,"host_name":"tendrit.example","ip_address":"192.0.2.44"}}"#;
    let body = format!(r#"{{"meta":{{"count":200,"cursor":"again"}},"data":[{row}]}}"#);
    let walked = testing::walk(&VirusTotal, &resolutions("tendrit.example"), |_| {
        testing::reply(200, &body)
    })
    .unwrap();
    assert_eq!(walked.calls.len(), 10);
    assert!(!walked.answer().more && walked.answer().source.blind.is_some());
}
