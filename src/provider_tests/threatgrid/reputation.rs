//! Checks what is made of the runs of a file, and of the samples that touched something.

use serde_json::json;

use super::*;

use IndicatorKind::{Domain, Hash, Hostname, Ipv4, Ipv6, Url};

fn reputation(kind: IndicatorKind, value: &str) -> Query {
    question(Capability::Reputation, kind, value)
}

#[test]
fn every_kind_is_read_as_it_is_written_beside_it() {
    for (name, kind, value) in [
        ("search/reputation-file", Hash, SHA256),
        ("search/reputation-domain", Domain, "tendrit.example"),
        ("search/reputation-address", Ipv4, "192.0.2.44"),
        ("search/reputation-address6", Ipv6, "2001:db8::25"),
        (
            "search/reputation-url",
            Url,
            "http://tendrit.example/gate.php?id=7",
        ),
    ] {
        testing::expect(&ThreatGrid, name, &lookup(reputation(kind, value)));
    }
}

#[test]
fn nothing_found_is_said_so() {
    for (kind, value) in [
        (Domain, "quiet.example"),
        (Hostname, "www.quiet.example"),
        (Ipv4, "203.0.113.9"),
        (Ipv6, "2001:db8::9"),
        (Url, "http://quiet.example/"),
        (Hash, "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
    ] {
        let walked = walk(reputation(kind, value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}: {walked:?}");
    }
    let long = walk(reputation(Hash, &"0f".repeat(64)));
    assert!(matches!(long, Err(ProviderError::Unsupported(_))), "{long:?}");
}

/// Answers a search with these runs: file, score and day of submission.
fn runs(kind: IndicatorKind, value: &str, rows: &[(&str, Option<i64>, &str)], total: usize) -> LookupTrace {
    let items: Vec<_> = rows
        .iter()
        .zip(1..)
        .map(|((md5, score, day), id)| {
            let analysis = score.map(|score| json!({"threat_score": score, "behaviors": [
                {"title": "Third", "threat": 10}, {"title": "First", "threat": 90},
                {"title": "Fourth", "threat": 5}, {"title": "Second", "threat": "50"}]}));
            json!({"sample": format!("a{id}"), "md5": md5.repeat(16), "submitted_at": day, "analysis": analysis, "tags": ["t"]})
        })
        .collect();
    let data = json!({"total": total, "items": items});
    let query = reputation(kind, value);
    testing::walk(&ThreatGrid, &lookup(query), |_| enveloped(&data)).unwrap()
}

#[test]
fn a_file_has_the_score_of_its_highest_run() {
    let rows = [
        ("0f", Some(40), "2013-03-03"),
        ("0f", Some(95), "2013-02-02"),
        ("0f", None, "2013-04-04"),
        ("0f", Some(95), "2013-01-01"),
    ];
    let walked = runs(Hash, &"0f".repeat(16), &rows, 4);
    let record = &walked.records()[0];
    for (name, value) in [
        ("measure", "threat-score"),
        ("value", "95"),
        (
            "reasons",
            "threat score 95, the highest of 3 runs, First, Second, Third",
        ),
        ("last_seen", "2013-02-02T00:00:00Z"),
        ("tags", "t"),
    ] {
        assert_eq!(text(record, name), value, "{name}");
    }
    // A run that is not done has no score, and that is none of 0.
    let pending = runs(Hash, &"0f".repeat(16), &[("0f", None, "2013-04-04")], 1);
    assert!(pending.records().is_empty(), "{pending:?}");
    let left_out = &pending.answer().left_out;
    assert_eq!(left_out[0].text(), "no run of it has a threat score");
    let harmless = runs(Hash, &"0f".repeat(16), &[("0f", Some(0), "2013-04-04")], 1);
    assert_eq!(text(&harmless.records()[0], "value"), "0");
}

#[test]
fn what_samples_touched_has_their_highest_score_and_nothing_else_of_theirs() {
    let rows = [
        ("0f", Some(40), "2013-03-03"),
        ("0f", Some(30), "2013-02-02"),
        ("1f", Some(90), "2012-02-02"),
        ("2f", None, "2013-01-01"),
    ];
    let walked = runs(Domain, "tendrit.example", &rows, 4);
    let record = &walked.records()[0];
    for (name, value) in [
        ("measure", "seen-in-samples"),
        ("value", "90"),
        (
            "reasons",
            "touched by 2 samples that ran; the highest threat score is 90",
        ),
        ("last_seen", "2012-02-02T00:00:00Z"),
        ("tags", ""),
    ] {
        assert_eq!(text(record, name), value, "{name}");
    }
    // Where there are more rows than a page holds, both numbers are lower bounds, and that is said.
    let part = runs(Domain, "tendrit.example", &rows, 400);
    assert!(text(&part.records()[0], "reasons").starts_with("touched by at least 2 samples"));
    assert!(part.answer().source.blind.is_some() && part.answer().missing.is_empty());
    let unscored = runs(Domain, "tendrit.example", &[("2f", None, "2013-01-01")], 400);
    assert!(unscored.records().is_empty() && !unscored.answer().is_not_found());
}

#[test]
fn the_input_is_marked() {
    let mapped = |query: Query, type_id: &str| {
        testing::mapped(&ThreatGrid, "threatgrid.reputation", type_id, &lookup(query))
    };
    let file = mapped(reputation(Hash, SHA256), "maltego.Hash");
    assert!(
        file[0].contains("threatgrid.threat-score=95") && file[0].ends_with("; Red"),
        "{file:?}"
    );
    // A name is not marked with the samples' score.
    let name = mapped(reputation(Domain, "tendrit.example"), "maltego.Domain");
    assert!(
        name[0].contains("threatgrid.sample-score=95") && !name[0].contains("[#"),
        "{name:?}"
    );
}
