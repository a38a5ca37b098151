//! Reads documented answers of the real API, from the folder that `PIVOTD_SAMPLES` names.

use super::*;

fn sample(name: &str) -> String {
    let path = testing::recordings("PIVOTD_SAMPLES")
        .join("threatgrid")
        .join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
#[ignore = "needs recordings"]
fn a_submission_search() {
    let body = sample("ciscodocs_query_01.json");
    let query = of_hash(Capability::Samples, "a92ddbbaf6c9a50a7125595a4119ca38");
    let walked = testing::walk(&ThreatGrid, &lookup(query), |_| testing::reply(200, &body)).unwrap();
    assert_eq!(walked.records().len(), 1);
    let record = &walked.records()[0];
    for (name, value) in [
        (
            "hash",
            "76b523017eb04dc56b48e4c0585ded8746c11646238484e35710289e8a385af3",
        ),
        ("sha1", "2f9bc5c64eeca8c0504fd852032be29442f11ace"),
        ("filename", "sample.url"),
        ("score", "60"),
        ("state", "succ"),
        ("last_seen", "2020-09-29T15:12:27Z"),
        ("runs", "1"),
        ("samples", "2163cc93b5daa51861397402eb94b6e3"),
        ("private", ""),
    ] {
        assert_eq!(text(record, name), value, "{name}");
    }
    assert!(text(record, "behaviors").starts_with("Script Contains URL"));
    assert!(walked.answer().missing.is_empty() && walked.answer().source.blind.is_none());
    let query = of_hash(Capability::Reputation, "a92ddbbaf6c9a50a7125595a4119ca38");
    let walked = testing::walk(&ThreatGrid, &lookup(query), |_| testing::reply(200, &body)).unwrap();
    let record = &walked.records()[0];
    assert_eq!(
        (text(record, "measure"), text(record, "value")),
        ("threat-score".to_owned(), "60".to_owned())
    );
    assert_eq!(text(record, "last_seen"), "2020-09-29T15:12:27Z");
    assert!(text(record, "reasons").starts_with("threat score 60, in 1 run, "));
}
