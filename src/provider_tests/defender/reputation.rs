//! Checks what is made of a reputation.

use super::*;

use Capability::Reputation;
use IndicatorKind::{Domain, Hostname, Ipv4, Ipv6};

#[test]
fn every_kind_is_read_as_it_is_written_beside_it() {
    for (name, kind, value) in [
        ("hosts/domain-reputation", Domain, "tendrit.example"),
        ("hosts/ruled-reputation", Hostname, "quay.tendrit.example"),
        ("hosts/scored-reputation", Ipv4, "203.0.113.66"),
    ] {
        testing::expect(&Defender, name, &about(Reputation, kind, value));
    }
}

#[test]
fn what_nobody_knows_is_not_found() {
    for (kind, value) in [
        (Ipv4, "192.0.2.44"),
        (Ipv4, "198.51.100.7"),
        (Ipv6, "2001:db8::9"),
        (Domain, "quiet.example"),
        (Hostname, "www.quiet.example"),
    ] {
        let walked = walk_fixtures(&about(Reputation, kind, value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}: {walked:?}");
        assert_eq!(walked.calls.len(), 1);
    }
}

#[test]
fn words_and_scores_are_told_as_they_are() {
    let of = |body: &str| walk(&about(Reputation, Ipv4, "203.0.113.66"), |_| reply(200, body)).unwrap();
    for (body, word, value) in [
        (
            r#"{"classification":"neutral","score":0,"rules":[]}"#,
            "neutral",
            Some(0),
        ),
        (
            r#"{"classification":"Suspicious","score":"64"}"#,
            "suspicious",
            Some(64),
        ),
        (r#"{"classification":"malicious"}"#, "malicious", None),
        (r#"{"classification":"malicious","score":700}"#, "malicious", None),
        // A score that is not 0 says something, whatever the class.
        (
            r#"{"classification":"unknownFutureValue","score":40}"#,
            "unknown",
            Some(40),
        ),
    ] {
        let walked = of(body);
        let record = &walked.records()[0];
        assert_eq!(record.text("word").as_deref(), Some(word), "{body}");
        assert_eq!(record.get("value"), value.map(Value::Integer).as_ref(), "{body}");
        assert_eq!(record.text("measure").as_deref(), Some("score"));
    }
    for nothing in [
        r#"{"classification":"unknown","score":0,"rules":[]}"#,
        r#"{"classification":"unknown"}"#,
        r#"{"score":0}"#,
    ] {
        assert!(of(nothing).answer().is_not_found(), "{nothing}");
    }
    let other = walk(&about(Reputation, Ipv4, "203.0.113.66"), |_| {
        reply(200, r#"{"id":"1"}"#)
    });
    assert!(matches!(other, Err(ProviderError::Malformed(_))), "{other:?}");
}

#[test]
fn the_input_is_marked() {
    let lookup = about(Reputation, Domain, "tendrit.example");
    assert_eq!(
        testing::mapped(&Defender, "defender.reputation", "maltego.Domain", &lookup),
        [
            "maltego.Domain tendrit.example; fqdn!=tendrit.example; defender.score=64; \
             defender.classification=suspicious; \
             defender.reasons=Name server: Its name servers serve many domains that were reported (medium), \
             Registrar: Many domains of this registrar are abused (low); [#fbc02d]; Yellow"
        ]
    );
}
