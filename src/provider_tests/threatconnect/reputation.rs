//! Checks what is made of an indicator's ratings.

use serde_json::json;

use super::*;

use Capability::Reputation;
use IndicatorKind::{Domain, Email, Hash, Hostname, Ipv4, Ipv6, Url};

const MD5: &str = "cda5a9218029aea40e0d81bddfa56c0f";

#[test]
fn every_kind_is_read_as_it_is_written_beside_it() {
    for (name, kind, value) in [
        ("indicators/rated", Hostname, "mail.parkside.example"),
        ("indicators/listed", Ipv4, "198.51.100.7"),
        ("indicators/email", Email, "a.kranz@mailbox.example"),
        ("indicators/file", Hash, MD5),
        ("indicators/url", Url, "http://tendrit.example/"),
    ] {
        testing::expect(&ThreatConnect, name, &of(Reputation, kind, value));
    }
}

#[test]
fn nothing_found_is_said_so() {
    for (kind, value) in [
        (Domain, "quiet.example"),
        (Hostname, "www.quiet.example"),
        (Ipv4, "192.0.2.44"),
        (Ipv6, "2001:db8::44"),
        (Url, "http://quiet.example/x"),
        (Email, "billing@career-offers.example"),
        (Hash, "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
    ] {
        let walked = walk_fixtures(&of(Reputation, kind, value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}: {walked:?}");
        assert_eq!(walked.calls.len(), 1);
    }
    let long = walk_fixtures(&of(Reputation, Hash, &"0f".repeat(64)));
    assert!(matches!(long, Err(ProviderError::Unsupported(_))), "{long:?}");
}

/// Answers with this row of the host `example.com`, and returns measure, value and first reason of each record.
fn told(row: serde_json::Value) -> Vec<String> {
    let mut row = row;
    row["type"] = json!("Host");
    row["summary"] = json!("example.com");
    row["ownerName"] = json!("O");
    let body = json!({"data": [row], "status": "Success"}).to_string();
    let walked = walk(&of(Reputation, Domain, "example.com"), |_| reply(200, &body)).unwrap();
    let records = walked.records().iter();
    let text = |record: &crate::domain::Record, name| record.text(name).unwrap_or_default().into_owned();
    let one = |record| {
        format!(
            "{} {}: {}",
            text(record, "measure"),
            text(record, "value"),
            text(record, "reasons")
        )
    };
    records.map(one).collect()
}

#[test]
fn a_rating_is_weighed_by_its_confidence() {
    for (row, expected) in [
        (
            json!({"rating": 4.0, "confidence": 85}),
            "rating 80: rating 4.0, confidence 85 by O",
        ),
        (
            json!({"rating": "5", "confidence": "100"}),
            "rating 100: rating 5.0, confidence 100 by O",
        ),
        (
            json!({"rating": 5.0, "confidence": 49}),
            "rating 79: rating 5.0, confidence 49 by O",
        ),
        (
            json!({"rating": 3.0, "confidence": 50}),
            "rating 60: rating 3.0, confidence 50 by O",
        ),
        (
            json!({"rating": 5.0, "confidence": 29}),
            "rating 29: rating 5.0, confidence 29 by O",
        ),
        (
            json!({"rating": 2.5, "confidence": 1}),
            "rating 1: rating 2.5, confidence 1 by O",
        ),
        (
            json!({"rating": 3}),
            "rating 60: rating 3.0 by O, without a confidence",
        ),
        // 0 is no rating, and a rating out of its range is none either.
        (
            json!({"rating": 0.0, "confidence": 60}),
            "listed : listed by O, confidence 60, not rated",
        ),
        (json!({"rating": 9.0}), "listed : listed by O, not rated"),
        (json!({}), "listed : listed by O, not rated"),
        (
            json!({"falsePositives": 2}),
            "listed : listed by O, not rated, reported as a false positive 2 times",
        ),
        (
            json!({"falsePositives": {"data": [{"id": 1}]}}),
            "listed : listed by O, not rated, reported as a false positive once",
        ),
    ] {
        assert_eq!(told(row.clone()), [expected], "{row}");
    }
    assert_eq!(
        told(json!({"threatAssessScore": "512"})),
        [
            "threat-assess 512: ThreatAssess score 512 of 1000",
            "listed : listed by O, not rated"
        ]
    );
}

#[test]
fn other_indicators_are_left_out_and_unread_ones_told() {
    let of_rows = |rows: serde_json::Value| {
        let body = json!({"data": rows, "status": "Success"}).to_string();
        walk(&of(Reputation, Domain, "example.com"), |_| reply(200, &body))
    };
    let other = json!({"type": "Host", "summary": "example.net", "rating": 5.0});
    let others = of_rows(json!([other])).unwrap();
    assert!(others.records().is_empty());
    assert_eq!(
        others.answer().left_out[0].text(),
        "1 row about something else than what was asked"
    );
    let own = json!({"type": "Host", "hostName": "EXAMPLE.com"});
    let walked = of_rows(json!([own, {"id": 1}])).unwrap();
    assert_eq!(walked.records().len(), 1);
    assert_eq!(walked.answer().missing, ["1 row could not be read"]);
    let nothing = of_rows(json!([{"id": 1}, 7]));
    assert!(matches!(nothing, Err(ProviderError::Malformed(_))), "{nothing:?}");
}

#[test]
fn only_so_many_owners_are_told() {
    let rows: Vec<_> = (0..9)
        .map(|n| json!({"type": "Host", "summary": "example.com", "ownerName": format!("O{n}"), "rating": f64::from(n) / 2.0, "confidence": 100}))
        .collect();
    let body =
        json!({"data": rows, "next": "https://x.example/?resultStart=100", "status": "Success"}).to_string();
    let walked = walk(&of(Reputation, Domain, "example.com"), |_| reply(200, &body)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (1, 5));
    let values: Vec<_> = walked
        .records()
        .iter()
        .map(|record| record.text("value").unwrap())
        .collect();
    assert_eq!(values, ["80", "70", "60", "50", "40"], "the weightiest first");
    assert_eq!(
        walked.answer().source.blind.as_deref(),
        Some("4 more owners have it. The first 100 owners; ThreatConnect has more.")
    );
}

#[test]
fn the_question_names_the_type() {
    let walked = walk_fixtures(&of(Reputation, Ipv6, "2001:db8::44")).unwrap();
    let (_, tql) = walked.calls[0]
        .query
        .iter()
        .find(|(name, _)| name == "tql")
        .unwrap();
    assert_eq!(
        tql,
        r#"typeName in ("Address") and (summary in ("2001:db8::44", "2001:db8:0:0:0:0:0:44"))"#
    );
}

#[test]
fn the_input_is_marked() {
    let lookup = of(Reputation, Hostname, "mail.parkside.example");
    let lines = testing::mapped(
        &ThreatConnect,
        "threatconnect.reputation",
        "maltego.DNSName",
        &lookup,
    );
    let [line] = &lines[..] else {
        panic!("the input alone: {lines:?}");
    };
    for part in [
        "maltego.DNSName mail.parkside.example; ",
        "threatconnect.threat-assess=873; ",
        "rating 4.0, confidence 85 by Common Community",
        "; Red",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}
