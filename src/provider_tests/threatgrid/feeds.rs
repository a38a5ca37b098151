//! Reads the feeds of indicators, and what becomes of contacts that a feed says nothing of.

use serde_json::{Value, json};

use super::*;

/// Asks with thresholds; `feed` plays the feed of domains, the others are empty.
fn rated(feed: impl Fn(&Call) -> crate::providers::Reply) -> LookupTrace {
    let query = of_hash(Capability::Contacts, SHA256)
        .with("severity", "80")
        .with("confidence", "80");
    let vendor = testing::vendor("threatgrid");
    testing::walk(&ThreatGrid, &lookup(query), |call| {
        if call.path.ends_with("/iocs/feeds/domains") {
            feed(call)
        } else {
            testing::play(&ThreatGrid, &vendor, call)
        }
    })
    .unwrap()
}

fn row(domain: &str, sample: &str) -> Value {
    json!({ "domain": domain, "ioc": "network-beacon", "severity": 90, "confidence": 90, "sample_id": sample })
}

fn rows(rows: &[Value]) -> crate::providers::Reply {
    enveloped(&json!({ "items_per_page": 100, "current_item_count": rows.len(), "items": rows }))
}

fn ours() -> String {
    "a1".repeat(16)
}

#[test]
fn a_feed_is_read_page_by_page() {
    let paged = |call: &Call| match sent(call, "offset") {
        "" => rows(&vec![row("elsewhere.example", &ours()); 100]),
        "100" => rows(&[row("tendrit.example", &ours())]),
        other => panic!("{other}"),
    };
    let walked = rated(paged);
    assert_eq!(all(&walked, "host"), ["tendrit.example"]);
    assert!(
        walked.answer().missing.is_empty(),
        "{:?}",
        walked.answer().missing
    );

    let endless = |call: &Call| {
        let name = format!("x{}.example", sent(call, "offset"));
        rows(&vec![row(&name, &ours()); 100])
    };
    let walked = rated(endless);
    assert!(all(&walked, "host").is_empty());
    let part = "the feed of domains was read in part (the first 300 rows, there may be more)";
    assert!(
        walked.answer().missing.contains(&part.to_owned()),
        "{:?}",
        walked.answer().missing
    );
}

#[test]
fn a_feed_that_says_nothing_hides_nothing() {
    let unheld = |why: &str| format!("domains are not held against the thresholds: {why}");
    for (reply, missing) in [
        (failing(404), unheld("the vendor does not have it")),
        (failing(500), unheld("No.")),
        (
            enveloped(&json!({ "rows": [] })),
            unheld("the answer has no items"),
        ),
        (
            rows(&[row("tendrit.example", "ffff")]),
            unheld("the feed gave rows of other samples"),
        ),
        (
            rows(&[json!({ "name": "tendrit.example" })]),
            unheld("no row of the feed could be read"),
        ),
    ] {
        let walked = rated(|_| reply.clone());
        assert_eq!(all(&walked, "host").len(), 2, "{missing}");
        assert_eq!(walked.answer().missing, [missing]);
    }
    let walked = rated(|_| rows(&[]));
    assert!(all(&walked, "host").is_empty(), "an empty feed names nothing");
}

#[test]
fn rows_of_other_samples_name_nothing() {
    let mixed = |_: &Call| {
        rows(&[
            row("tendrit.example", &ours()),
            row("update.career-offers.example", "ffff"),
            json!({ "sample_id": ours() }),
        ])
    };
    let walked = rated(mixed);
    assert_eq!(all(&walked, "host"), ["tendrit.example"]);
    assert_eq!(
        walked.answer().missing,
        ["1 rows of the feed of domains could not be read"]
    );
}
