//! Reads reports: which runs are read, what is kept of them, and what is told of the rest.

use serde_json::{Value, json};

use super::*;

fn run(id: &str, at: &str, private: bool) -> Value {
    json!({ "item": {
        "sample": id, "sha256": SHA256, "state": "succ", "submitted_at": at, "private": private, "login": null,
    } })
}

/// Plays a vendor that has these runs; `report` answers for each part of an analysis.
fn reported(
    query: Query,
    runs: &[Value],
    report: impl Fn(&Call) -> crate::providers::Reply,
) -> Result<Walked, ProviderError> {
    testing::walk(&ThreatGrid, &lookup(query), |call| {
        if call.path.ends_with("/search/submissions") {
            enveloped(&json!({ "total": runs.len(), "items": runs }))
        } else {
            report(call)
        }
    })
}

fn one_run() -> [Value; 1] {
    [run("a1", "2013-05-01T00:00:00Z", false)]
}

#[test]
fn what_others_keep_private_is_read_last() {
    let runs = [
        run("a3", "2013-07-01T00:00:00Z", true),
        run("a2", "2013-06-01T00:00:00Z", true),
        run("a1", "2013-05-01T00:00:00Z", false),
    ];
    let report = |call: &Call| match call.path.contains("/a1/") {
        true => enveloped(&json!({ "items": { "1": { "sha256": "0f".repeat(32) } } })),
        false => failing(403),
    };
    let of = |runs_read: &str| of_hash(Capability::SandboxFiles, SHA256).with("runs", runs_read);
    let walked = reported(of("1"), &runs, report).unwrap();
    assert_eq!(walked.calls.len(), 2);
    assert_eq!((walked.records().len(), walked.answer().missing.len()), (1, 0));
    let blind = walked.answer().source.blind.as_deref();
    assert_eq!(
        blind,
        Some("Read from the newest 1 of 3 runs, those that others keep private last.")
    );
    let walked = reported(of("2"), &runs, report).unwrap();
    assert_eq!(
        walked.answer().missing,
        ["run a3: No."],
        "the newer of the private ones"
    );
}

#[test]
fn runs_that_are_all_refused_are_missing() {
    let walked = reported(of_hash(Capability::Contacts, SHA256), &one_run(), |_| {
        failing(403)
    })
    .unwrap();
    assert!(!walked.answer().is_not_found());
    assert_eq!(walked.answer().missing, ["run a1: No."]);
    assert_eq!(
        walked.answers[1].records.len(),
        1,
        "that there is a sample is known"
    );
    let failed = reported(of_hash(Capability::Contacts, SHA256), &one_run(), |_| {
        failing(500)
    });
    assert!(failed.is_err(), "another time it may be read");
}
