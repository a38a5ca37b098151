//! Drives the machine against fixtures and made-up bodies, without a socket.

use secrecy::{ExposeSecret, SecretString};

use crate::provider_tests::testing::{self, LookupTrace, mapped, question};
use jiff::Timestamp;

use crate::domain::{Capability, IndicatorKind};
use crate::providers::ipqs::*;
use crate::providers::*;
use crate::providers::{Charge, ReplyClass};

fn of(value: &str) -> Lookup {
    let query = question(Capability::Reputation, IndicatorKind::Email, value);
    testing::lookup(&Ipqs, query, EMAIL)
}

fn told(body: &str) -> Result<LookupTrace, ProviderError> {
    let body = body.as_bytes();
    testing::walk(&Ipqs, &of("office@example.com"), testing::anything(200, body))
}

#[test]
fn fixtures() {
    testing::expect(&Ipqs, "email/found", &of("billing@career-offers.example"));
    testing::expect(&Ipqs, "email/trap", &of("offers@blocked.example"));
}

#[test]
fn a_zero_without_a_flag_says_nothing() {
    for value in ["nobody@nowhere.example", "notfound@example.com"] {
        let walked = testing::walk_fixtures(&Ipqs, &of(value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}");
    }
    let one = told(r#"{"success":true,"fraud_score":0,"valid":false}"#).unwrap();
    assert_eq!(one.records().len(), 2);
    // What the vendor had no time for is missing, so that it is not taken for "not found".
    let late = told(r#"{"success":true,"fraud_score":0,"timed_out":true}"#).unwrap();
    assert!(late.records().is_empty() && !late.answer().is_not_found());
    assert_eq!(
        late.answer().missing,
        ["what the mail server says: it did not answer in time"]
    );
}

#[test]
fn a_score_is_a_number_of_the_scale() {
    let value = |score: &str| {
        let walked = told(&format!(r#"{{"success":true,"fraud_score":{score}}}"#)).ok()?;
        Some(walked.records().first()?.text("value")?.into_owned())
    };
    assert_eq!(value("75").as_deref(), Some("75"));
    assert_eq!(value("\"75\"").as_deref(), Some("75"));
    assert_eq!(value("74.5").as_deref(), Some("75"), "no score is rounded down");
    for score in ["-1", "101", "null", "\"high\"", "[]"] {
        assert_eq!(value(score), None, "{score}");
    }
}

#[test]
fn traps_have_their_word() {
    for (word, flag) in [
        ("high", Some("spam_trap_high")),
        ("medium", Some("spam_trap_medium")),
        ("low", None),
        ("none", None),
    ] {
        let body = format!(r#"{{"success":true,"fraud_score":9,"spam_trap_score":"{word}"}}"#);
        let walked = told(&body).unwrap();
        let second = walked.records().get(1).and_then(|record| record.text("word"));
        assert_eq!(second.as_deref(), flag, "{word}");
    }
}

fn classified(value: &str) -> ReplyClass {
    let call = Call::get(ORIGIN, EMAIL, "/api/json/email")
        .with("email", value)
        .with("fast", "true");
    let reply = testing::play(&Ipqs, &testing::vendor("ipqs"), &call);
    let classification = Ipqs.classify(&call, &reply);
    assert_eq!(classification.charge, Charge::Most, "{value}");
    classification.class
}

#[test]
fn every_case_has_its_verdict() {
    let limited = |after, message: &str| ReplyClass::Limited {
        after: Some(after),
        message: message.to_owned(),
    };
    for (value, class) in [
        ("notfound@example.com", ReplyClass::Good),
        (
            "badkey@example.com",
            ReplyClass::KeyRefused("Invalid or unauthorized key. Check the API key.".to_owned()),
        ),
        (
            "limited@example.com",
            limited(3600, "You have insufficient credits to make this query."),
        ),
        ("limited429@example.com", limited(30, "Too many requests.")),
        (
            "overquota@example.com",
            limited(3600, "You have exceeded your request quota of 200 per day."),
        ),
        (
            "malformed@example.com",
            ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "invalid@example.com",
            ReplyClass::Refused("Please enter a valid email address.".to_owned()),
        ),
        (
            "notentitled@example.com",
            ReplyClass::NotEntitled("You do not have permission to access this endpoint.".to_owned()),
        ),
        (
            "silent@example.com",
            ReplyClass::Refused("the vendor refused the question and does not say why".to_owned()),
        ),
        ("failing@example.com", ReplyClass::Retry("HTTP 503".to_owned())),
    ] {
        assert_eq!(classified(value), class, "{value}");
    }
    let walked = testing::walk_fixtures(&Ipqs, &of("wrongshape@example.com"));
    assert!(matches!(walked, Err(ProviderError::Malformed(_))));
}

#[test]
fn the_key_stays_out_of_the_address() {
    let mut call = Call::get(ORIGIN, EMAIL, "/api/json/email").with("email", "office@example.com");
    let (none, options) = (Default::default(), Default::default());
    let now = Timestamp::UNIX_EPOCH;
    assert!(
        Ipqs.sign(&mut call, &ExposedKey::new(&none, &options), now)
            .is_err()
    );
    let fields = [("api_key".to_owned(), SecretString::from("secret-key"))].into();
    for _ in 0..2 {
        Ipqs.sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    assert_eq!(call.headers.len(), 1);
    assert_eq!(call.headers[0].0, "ipqs-key");
    assert_eq!(call.headers[0].1.expose_secret(), "secret-key");
    assert!(!call.target("").contains("secret-key"));
}

#[test]
fn the_input_is_marked() {
    let marked = |value: &str| {
        let lookup = of(value);
        mapped(&Ipqs, "ipqs.reputation", "maltego.EmailAddress", &lookup)
    };
    assert_eq!(
        marked("billing@career-offers.example"),
        [
            "maltego.EmailAddress billing@career-offers.example; email!=billing@career-offers.example; ipqs.score=88; ipqs.reasons=deliverability: low, domain age: 3 weeks ago, first seen: 2 weeks ago; ipqs.flags=recent_abuse, suspect; ipqs.first_seen=2026-02-16; [#d32f2f]; Red"
        ]
    );
    testing::every_example_is_found(&Ipqs);
}
