//! Classifies the failing cases, and signs.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::provider_tests::testing::{play, reply, vendor};
use crate::providers::{Charge, ExposedKey, ReplyClass};

fn classified(domain: &str) -> ReplyClass {
    let path = format!("/api/v3/domains/{domain}/resolutions");
    let call = Call::get("api", "resolutions", path);
    let classification = VirusTotal.classify(&call, &play(&VirusTotal, &vendor("virustotal"), &call));
    assert_eq!(classification.charge, Charge::Most, "{domain}");
    classification.class
}

#[test]
fn every_case_has_its_verdict() {
    for (domain, class) in [
        (
            "limited.example",
            ReplyClass::Limited {
                after: Some(60),
                message: "Quota exceeded".to_owned(),
            },
        ),
        (
            "badkey.example",
            ReplyClass::KeyRefused("Wrong API key".to_owned()),
        ),
        (
            "notentitled.example",
            ReplyClass::NotEntitled("You are not authorized to perform the requested operation".to_owned()),
        ),
        (
            "blocked.example",
            ReplyClass::Malformed(
                "HTTP 403 without the vendor's error body: does a proxy or a firewall answer?".to_owned(),
            ),
        ),
        (
            "badrequest.example",
            ReplyClass::Refused("Invalid limit".to_owned()),
        ),
        (
            "failing.example",
            ReplyClass::Retry("Transient error, try again".to_owned()),
        ),
        ("notfound.example", ReplyClass::NotFound),
        (
            "malformed.example",
            ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "cut.example",
            ReplyClass::Malformed("the answer is no JSON".to_owned()),
        ),
        (
            "wrongshape.example",
            ReplyClass::Malformed("the answer has no `data`".to_owned()),
        ),
        ("quiet.example", ReplyClass::Good),
    ] {
        assert_eq!(classified(domain), class, "{domain}");
    }
}

#[test]
fn the_code_goes_before_the_status() {
    let class = |status, code: &str| {
        let body = serde_json::json!({"error": {"code": code, "message": "m"}}).to_string();
        let call = Call::get("api", "files", "/");
        VirusTotal.classify(&call, &reply(status, &body)).class
    };
    assert_eq!(class(200, "NotFoundError"), ReplyClass::NotFound);
    assert!(matches!(
        class(200, "QuotaExceededError"),
        ReplyClass::Limited { .. }
    ));
    assert!(matches!(class(400, "NotAvailableYet"), ReplyClass::Refused(_)));
    assert!(matches!(
        class(401, "UserNotActiveError"),
        ReplyClass::KeyRefused(_)
    ));
    assert!(matches!(
        class(424, "FailedDependencyError"),
        ReplyClass::Retry(_)
    ));
    assert!(matches!(
        class(504, "DeadlineExceededError"),
        ReplyClass::Retry(_)
    ));
    let call = Call::get("api", "files", "/");
    for (status, body) in [
        (404, "<html>"),
        (401, "<html>"),
        (403, "<html>"),
        (403, ""),
        (403, r#"{"message":"blocked"}"#),
        (401, r#"{"error":"no"}"#),
    ] {
        let class = VirusTotal.classify(&call, &reply(status, body)).class;
        assert!(
            matches!(class, ReplyClass::Malformed(_)),
            "{status} {body}: {class:?}"
        );
    }
}

#[test]
fn nothing_known_is_not_found() {
    for lookup in [
        resolutions("quiet.example"),
        resolutions("nobody-has-this.example"),
        lookup(of_hash(Capability::File, &"0f".repeat(32))),
        lookup(of_hash(Capability::Contacts, &"0f".repeat(32))),
    ] {
        let walked = walk(&lookup).unwrap();
        assert!(walked.answer().is_not_found(), "{walked:?}");
    }
    let long = lookup(of_hash(Capability::File, &"0f".repeat(64)));
    assert!(matches!(walk(&long), Err(ProviderError::Unsupported(_))));
}

#[test]
fn the_key_is_a_header() {
    let fields = BTreeMap::from([("api_key".to_owned(), SecretString::from("k3y-of-nobody"))]);
    let (options, none) = (BTreeMap::new(), BTreeMap::new());
    let now = "2013-05-20T08:15:00Z".parse().unwrap();
    let mut call = Call::get("api", "files", "/api/v3/files/x");
    for _ in 0..2 {
        VirusTotal
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    assert!(call.query.is_empty());
    assert_eq!(call.headers.len(), 1, "nothing of the last attempt stays");
    assert_eq!(call.headers[0].0, "x-apikey");
    assert_eq!(call.headers[0].1.expose_secret(), "k3y-of-nobody");
    assert!(
        VirusTotal
            .sign(&mut call, &ExposedKey::new(&none, &options), now)
            .is_err()
    );
}
