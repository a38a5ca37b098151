//! Judges the failing cases, and signs.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::provider_tests::testing::{play, reply, vendor};
use crate::providers::{Charge, Exposed, Verdict};

fn judged(domain: &str) -> Verdict {
    let path = format!("/api/v3/domains/{domain}/resolutions");
    let call = Call::get("api", "resolutions", path);
    let judgement = VirusTotal.judge(&call, &play(&VirusTotal, &vendor("virustotal"), &call));
    assert_eq!(judgement.charge, Charge::Most, "{domain}");
    judgement.verdict
}

#[test]
fn every_case_has_its_verdict() {
    for (domain, verdict) in [
        (
            "limited.example",
            Verdict::Limited {
                after: Some(60),
                message: "Quota exceeded".to_owned(),
            },
        ),
        ("badkey.example", Verdict::KeyRefused("Wrong API key".to_owned())),
        (
            "notentitled.example",
            Verdict::NotEntitled("You are not authorized to perform the requested operation".to_owned()),
        ),
        (
            "blocked.example",
            Verdict::Malformed(
                "HTTP 403 without the vendor's error body: does a proxy or a firewall answer?".to_owned(),
            ),
        ),
        ("badrequest.example", Verdict::Refused("Invalid limit".to_owned())),
        (
            "failing.example",
            Verdict::Retry("Transient error, try again".to_owned()),
        ),
        ("notfound.example", Verdict::NotFound),
        (
            "malformed.example",
            Verdict::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "cut.example",
            Verdict::Malformed("the answer is no JSON".to_owned()),
        ),
        (
            "wrongshape.example",
            Verdict::Malformed("the answer has no `data`".to_owned()),
        ),
        ("quiet.example", Verdict::Good),
    ] {
        assert_eq!(judged(domain), verdict, "{domain}");
    }
}

#[test]
fn the_code_goes_before_the_status() {
    let verdict = |status, code: &str| {
        let body = serde_json::json!({"error": {"code": code, "message": "m"}}).to_string();
        let call = Call::get("api", "files", "/");
        VirusTotal.judge(&call, &reply(status, &body)).verdict
    };
    assert_eq!(verdict(200, "NotFoundError"), Verdict::NotFound);
    assert!(matches!(
        verdict(200, "QuotaExceededError"),
        Verdict::Limited { .. }
    ));
    assert!(matches!(verdict(400, "NotAvailableYet"), Verdict::Refused(_)));
    assert!(matches!(
        verdict(401, "UserNotActiveError"),
        Verdict::KeyRefused(_)
    ));
    assert!(matches!(verdict(424, "FailedDependencyError"), Verdict::Retry(_)));
    assert!(matches!(verdict(504, "DeadlineExceededError"), Verdict::Retry(_)));
    let call = Call::get("api", "files", "/");
    for (status, body) in [
        (404, "<html>"),
        (401, "<html>"),
        (403, "<html>"),
        (403, ""),
        (403, r#"{"message":"blocked"}"#),
        (401, r#"{"error":"no"}"#),
    ] {
        let verdict = VirusTotal.judge(&call, &reply(status, body)).verdict;
        assert!(
            matches!(verdict, Verdict::Malformed(_)),
            "{status} {body}: {verdict:?}"
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
            .sign(&mut call, &Exposed::new(&fields, &options), now)
            .unwrap();
    }
    assert!(call.query.is_empty());
    assert_eq!(call.headers.len(), 1, "nothing of the last attempt stays");
    assert_eq!(call.headers[0].0, "x-apikey");
    assert_eq!(call.headers[0].1.expose_secret(), "k3y-of-nobody");
    assert!(
        VirusTotal
            .sign(&mut call, &Exposed::new(&none, &options), now)
            .is_err()
    );
}
