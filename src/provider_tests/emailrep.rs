//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

use secrecy::{ExposeSecret, SecretString};

use crate::provider_tests::testing::{self, mapped, question};
use jiff::Timestamp;

use crate::domain::{Capability, IndicatorKind, Record};
use crate::providers::emailrep::*;
use crate::providers::*;

fn of(value: &str) -> Lookup {
    let query = question(Capability::Reputation, IndicatorKind::Email, value);
    testing::lookup(&EmailRep, query, QUERY)
}

fn told(body: &str) -> Vec<Record> {
    let walked = testing::walk(
        &EmailRep,
        &of("office@example.com"),
        testing::anything(200, body.as_bytes()),
    );
    walked.unwrap().records().to_vec()
}

#[test]
fn fixtures() {
    for (name, value) in [
        ("query/found", "billing@career-offers.example"),
        ("query/bad", "offers@blocked.example"),
        ("query/good", "office@example.com"),
    ] {
        testing::expect(&EmailRep, name, &of(value));
    }
}

#[test]
fn an_address_of_which_nobody_spoke_is_not_known() {
    for value in ["nobody@nowhere.example", "notfound@postbox.example"] {
        let walked = testing::walk_fixtures(&EmailRep, &of(value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}");
    }
    // Each of these says something.
    for body in [
        r#"{"reputation":"low","references":0,"details":{}}"#,
        r#"{"reputation":"none","references":1,"details":{}}"#,
        r#"{"reputation":"none","references":0,"suspicious":true}"#,
        r#"{"reputation":"none","references":0,"details":{"new_domain":"true"}}"#,
        r#"{"details":{"blacklisted":1}}"#,
    ] {
        assert!(!told(body).is_empty(), "{body}");
    }
    assert!(told(r#"{"reputation":"none","references":0,"details":{"free_provider":true}}"#).is_empty());
}

fn classified(value: &str) -> ReplyClass {
    let call = Call::get(
        ORIGIN,
        QUERY,
        format!("/{}", crate::providers::kit::common::segment(value)),
    );
    let reply = testing::play(&EmailRep, &testing::vendor("emailrep"), &call);
    let classification = EmailRep.classify(&call, &reply);
    assert_eq!(classification.charge, Charge::Most, "{value}");
    classification.class
}

#[test]
fn every_case_has_its_verdict() {
    for (value, class) in [
        ("notfound@postbox.example", ReplyClass::Good),
        (
            "badkey@example.com",
            ReplyClass::KeyRefused("invalid api key".to_owned()),
        ),
        (
            "limited@example.com",
            ReplyClass::Limited {
                after: Some(HOUR),
                message:
                    "exceeded daily limit. please wait 24 hrs or visit emailrep.example/key for an api key."
                        .to_owned(),
            },
        ),
        (
            "malformed@example.com",
            ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "invalid@example.com",
            ReplyClass::Refused("invalid email".to_owned()),
        ),
        (
            "failed@example.com",
            ReplyClass::Refused("cannot look that up".to_owned()),
        ),
        ("failing@example.com", ReplyClass::Retry("HTTP 502".to_owned())),
        (
            "wrongshape@example.com",
            ReplyClass::Malformed("the answer has not the vendor's shape".to_owned()),
        ),
        (
            "blocked@example.com",
            ReplyClass::Malformed(
                "HTTP 403 without the vendor's error body: does a proxy or a firewall answer?".to_owned(),
            ),
        ),
    ] {
        assert_eq!(classified(value), class, "{value}");
    }
    let call = Call::get(ORIGIN, QUERY, "/x");
    let waiting = Reply {
        retry_after: Some("30".to_owned()),
        ..testing::reply(429, "{}")
    };
    let limited = EmailRep.classify(&call, &waiting).class;
    assert!(matches!(limited, ReplyClass::Limited { after: Some(30), .. }));
}

#[test]
fn the_key_is_a_header() {
    let mut call = Call::get(ORIGIN, QUERY, "/office%40example.com");
    let (none, options) = (Default::default(), Default::default());
    let now = Timestamp::UNIX_EPOCH;
    assert!(
        EmailRep
            .sign(&mut call, &ExposedKey::new(&none, &options), now)
            .is_err()
    );
    let fields = [("api_key".to_owned(), SecretString::from("secret-key"))].into();
    for _ in 0..2 {
        EmailRep
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    assert_eq!(call.headers.len(), 1);
    assert_eq!(call.headers[0].0, "key");
    assert_eq!(call.headers[0].1.expose_secret(), "secret-key");
}

#[test]
fn the_input_is_marked() {
    let marked = |value: &str| {
        let lookup = of(value);
        mapped(&EmailRep, "emailrep.reputation", "maltego.EmailAddress", &lookup)
    };
    assert_eq!(
        marked("billing@career-offers.example"),
        [
            "maltego.EmailAddress billing@career-offers.example; email!=billing@career-offers.example; emailrep.reputation=low; emailrep.reasons=3 references, domain reputation: low; emailrep.flags=suspicious, new_domain; emailrep.first_seen=2026-02-16; emailrep.last_seen=2026-02-27; [Suspicious]; Red"
        ]
    );
    assert_eq!(
        marked("office@example.com"),
        [
            "maltego.EmailAddress office@example.com; email!=office@example.com; emailrep.reputation=high; emailrep.reasons=58 references, domain reputation: high, profiles: facepage, tooter; emailrep.first_seen=2008-07-01; emailrep.last_seen=2026-02-20"
        ]
    );
    testing::every_example_is_found(&EmailRep);
}

#[test]
#[ignore = "needs recordings"]
fn recordings() {
    let path = testing::recordings("PIVOTD_SAMPLES").join("emailrep/reputation_get_results_demisto.json");
    let records = told(&std::fs::read_to_string(path).unwrap());
    let words: Vec<_> = records
        .iter()
        .map(|record| record.text("word").unwrap_or_default().into_owned())
        .collect();
    assert_eq!(
        words,
        [
            "none",
            "blacklisted",
            "malicious_activity_recent",
            "malicious_activity",
            "suspicious",
            "spam",
            "spoofable",
            "free_provider",
            "credentials_leaked",
            "data_breach",
        ]
    );
    let text = |name| records[0].text(name).unwrap_or_default().into_owned();
    assert_eq!(text("reasons"), "143 references, profiles: twitter");
    assert_eq!(
        (text("first_seen"), text("last_seen")),
        ("2008-07-01".to_owned(), "2020-10-18".to_owned())
    );
}
