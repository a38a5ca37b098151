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
) -> Result<LookupTrace, ProviderError> {
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

#[test]
fn repeats_do_not_crowd_out_a_contact() {
    let stream = |dst: &str, port: usize| json!({ "dst": dst, "dst_port": port, "protocol": "HTTP" });
    let contacts = |streams: Vec<Value>| {
        let query = of_hash(Capability::Contacts, SHA256);
        reported(query, &one_run(), |call| {
            match call.path.ends_with("/network_streams") {
                true => enveloped(&json!({ "items": streams })),
                false => failing(404),
            }
        })
        .unwrap()
    };
    let mut streams = vec![stream("203.0.113.7", 80); 6000];
    streams.push(stream("203.0.113.8", 80));
    let walked = contacts(streams);
    assert_eq!(all(&walked, "ip"), ["203.0.113.7", "203.0.113.8"]);
    assert!(walked.answer().missing.is_empty());
    let walked = contacts((1..=5001).map(|port| stream("203.0.113.7", port)).collect());
    assert_eq!(walked.records().len(), 5000);
    assert_eq!(walked.answer().missing, ["only the first 5000 contacts are kept"]);
}

#[test]
fn more_files_than_are_kept_are_told() {
    let files = |count: usize| {
        let items: Vec<Value> = (0..count)
            .map(|n| json!({ "sha256": format!("{n:064x}") }))
            .collect();
        let query = of_hash(Capability::SandboxFiles, SHA256);
        reported(query, &one_run(), |_| enveloped(&json!({ "items": items }))).unwrap()
    };
    assert!(files(5000).answer().missing.is_empty());
    let walked = files(5001);
    assert_eq!(walked.records().len(), 5000);
    assert_eq!(walked.answer().missing, ["only the first 5000 files are kept"]);
}

#[test]
fn names_that_a_sample_made_are_kept_as_they_are() {
    let key = format!("MACHINE\\{}", "K".repeat(600));
    let process = json!({
        "mutants_created": [" Two  blanks\tand a tab ", "m".repeat(4097)],
        "registry_keys_created": [{ "name": key }],
    });
    let query = of_hash(Capability::SandboxTraces, SHA256);
    let walked = reported(query, &one_run(), |_| {
        enveloped(&json!({ "items": { "1": process } }))
    })
    .unwrap();
    assert_eq!(all(&walked, "mutex"), ["Two  blanks\tand a tab"]);
    assert_eq!(all(&walked, "registry_key"), [key]);
    assert_eq!(
        walked.answer().missing,
        ["1 texts longer than 4096 octets are left out"]
    );

    let agent = format!("Agent  {}", "x".repeat(600));
    let request = json!({ "method": "GET", "host": "tendrit.example", "headers": {
        "User-Agent": [agent, "y".repeat(5000)],
    } });
    let streams = json!({ "items": { "1": { "dst": "203.0.113.7", "decoded": [request] } } });
    let query = of_hash(Capability::Contacts, SHA256);
    let walked = reported(query, &one_run(), |call| {
        match call.path.ends_with("/network_streams") {
            true => enveloped(&streams),
            false => failing(404),
        }
    })
    .unwrap();
    assert_eq!(all(&walked, "user_agent"), [agent]);
    assert_eq!(
        walked.answer().missing,
        ["1 texts longer than 4096 octets are left out"]
    );
}
