//! Classifies the failing cases, and what becomes of a look-up of which parts fail.

use super::*;
use crate::domain::FailureKind;
use crate::provider_tests::testing::{play, reply, vendor};
use crate::providers::{Charge, Classification, ReplyClass};

/// Names a file with three runs: one report fails, one is private to others, one can be read.
const PARTLY: &str = "0e87c1212a698494dcdb198af3e0eb2f";
const PENDING: &str = "62a2fed3d6e08c44835fce71f02210b1ddabfb066e39edf1e6c261988f824dd3";

fn classified(domain: &str) -> Classification {
    let call = Call::get("api", "search", "/api/v2/search/submissions").with("q", domain);
    ThreatGrid.classify(&call, &play(&ThreatGrid, &vendor("threatgrid"), &call))
}

#[test]
fn every_case_has_its_verdict() {
    for (domain, class) in [
        (
            "limited.example",
            ReplyClass::Limited {
                after: Some(17),
                message: "Too many requests.".to_owned(),
            },
        ),
        (
            "badkey.example",
            ReplyClass::KeyRefused("The API key is not valid.".to_owned()),
        ),
        (
            "notentitled.example",
            ReplyClass::NotEntitled("Access denied.".to_owned()),
        ),
        (
            "badrequest.example",
            ReplyClass::Refused("Invalid parameter: limit".to_owned()),
        ),
        ("failing.example", ReplyClass::Retry("Internal error".to_owned())),
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
        ("nobody-has-this.example", ReplyClass::Good),
    ] {
        let classification = classified(domain);
        assert_eq!(classification.class, class, "{domain}");
        assert_eq!(classification.charge, Charge::Most, "{domain}");
    }
}

#[test]
fn a_private_sample_closes_nothing() {
    let of = |product, status, message: &str| {
        let call = Call::get("api", product, "/api/v2/samples/1/analysis/artifacts");
        let body = serde_json::json!({"error": {"message": message, "code": status}}).to_string();
        ThreatGrid.classify(&call, &reply(status, &body)).class
    };
    assert!(matches!(of("analysis", 403, "Forbidden"), ReplyClass::Refused(_)));
    assert!(matches!(
        of("search", 403, "Forbidden"),
        ReplyClass::NotEntitled(_)
    ));
    assert!(matches!(
        of("analysis", 403, "Invalid API key"),
        ReplyClass::KeyRefused(_)
    ));
    assert!(matches!(of("analysis", 401, ""), ReplyClass::KeyRefused(_)));
    // A gateway may wrap the vendor's error in a 200.
    assert!(matches!(of("search", 200, "x"), ReplyClass::Retry(_)));
    let wrapped = reply(200, r#"{"error":{"code":404,"message":"nothing"}}"#);
    let call = Call::get("api", "search", "/");
    assert_eq!(ThreatGrid.classify(&call, &wrapped).class, ReplyClass::NotFound);
}

#[test]
fn nothing_known_is_not_found() {
    for query in [
        question(
            Capability::Samples,
            IndicatorKind::Domain,
            "nobody-has-this.example",
        ),
        question(Capability::Samples, IndicatorKind::Domain, "notfound.example"),
        of_hash(Capability::Contacts, &"0f".repeat(32)),
        of_hash(Capability::SandboxFiles, &"0f".repeat(20)),
        of_hash(Capability::SandboxTraces, &"0f".repeat(16)),
    ] {
        let walked = walk(query).unwrap();
        assert!(walked.answer().is_not_found(), "{walked:?}");
        assert_eq!(walked.calls.len(), 1);
    }
}

#[test]
fn a_search_that_fails_fails() {
    for (domain, kind) in [
        ("limited.example", FailureKind::Limited),
        ("failing.example", FailureKind::Unavailable),
        ("malformed.example", FailureKind::Malformed),
    ] {
        let query = question(Capability::Samples, IndicatorKind::Domain, domain);
        let Err(ProviderError::Failed(failure)) = walk(query) else {
            panic!("{domain} fails");
        };
        assert_eq!(failure.kind, kind, "{domain}");
    }
    let query = question(Capability::Samples, IndicatorKind::Domain, "timedout.example");
    let walked = walk(query).unwrap();
    assert_eq!(walked.answer().missing, ["the vendor's search ran out of time"]);
}

#[test]
fn runs_that_fail_leave_the_others() {
    let walked = walk(of_hash(Capability::Contacts, PARTLY)).unwrap();
    assert_eq!(all(&walked, "ip"), ["203.0.113.9"]);
    assert_eq!(
        walked.answer().missing,
        [
            format!("run {}: Internal error", "11".repeat(16)),
            format!("run {}: Access denied.", "22".repeat(16)),
            "country and network of addresses: Internal error".to_owned(),
        ]
    );
    let only = of_hash(Capability::SandboxFiles, PARTLY).with("min-score", "60");
    let Err(ProviderError::Failed(failure)) = walk(only) else {
        panic!("no run could be read");
    };
    assert_eq!(failure.kind, FailureKind::Unavailable);
}

#[test]
fn a_run_that_is_not_done_is_told() {
    let walked = walk(of_hash(Capability::Contacts, PENDING)).unwrap();
    assert_eq!(
        walked.answer().missing,
        ["1 of 1 runs have no analysis: wait (pending)"]
    );
    let samples = walk(of_hash(Capability::Samples, PENDING)).unwrap();
    assert_eq!(all(&samples, "state"), ["wait (pending)"]);
    assert_eq!(all(&samples, "score"), [""; 0], "unknown is not 0");
}

#[test]
fn a_sha512_is_not_asked() {
    for capability in [Capability::Samples, Capability::Contacts] {
        let error = walk(of_hash(capability, &"0f".repeat(64))).unwrap_err();
        assert!(matches!(error, ProviderError::Unsupported(_)), "{error}");
    }
}
