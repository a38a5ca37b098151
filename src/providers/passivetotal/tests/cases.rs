//! Judges the failing cases, and checks how calls are signed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::providers::{Charge, Exposed};

#[test]
fn every_case_has_its_verdict() {
    let vendor = testing::vendor("passivetotal");
    let limited = |after, message: &str| Verdict::Limited {
        after,
        message: message.to_owned(),
    };
    for (domain, verdict) in [
        ("notfound.example", Verdict::NotFound),
        ("nocontent.example", Verdict::NotFound),
        ("limited.example", limited(Some(17), "Slow down.")),
        (
            "quota.example",
            limited(None, "The quota of your organization has been exceeded."),
        ),
        (
            "badkey.example",
            Verdict::KeyRefused("invalid credentials".to_owned()),
        ),
        (
            "notentitled.example",
            Verdict::NotEntitled("Your account may not search here.".to_owned()),
        ),
        (
            "badrequest.example",
            Verdict::Refused("Missing query.".to_owned()),
        ),
        ("failing.example", Verdict::Retry("HTTP 500".to_owned())),
        (
            "malformed.example",
            Verdict::Malformed("the answer is no JSON object".to_owned()),
        ),
        (
            "retired.example",
            Verdict::Malformed("404 without a body of PassiveTotal's: is the base URL right?".to_owned()),
        ),
        ("nobody-has-this.example", Verdict::NotFound),
    ] {
        let call = Call::get("api", "dns", "/dns/passive").with("query", domain);
        let judged = PassiveTotal.judge(&call, &testing::play(&PassiveTotal, &vendor, &call));
        assert_eq!(
            (judged.verdict, judged.charge),
            (verdict, Charge::Most),
            "{domain}"
        );
    }
}

#[test]
fn an_answer_without_its_list_is_malformed() {
    for (capability, kind, value) in [
        (
            Capability::Resolutions,
            IndicatorKind::Domain,
            "wrongshape.example",
        ),
        (Capability::Subdomains, IndicatorKind::Domain, "example.com"),
        (Capability::Components, IndicatorKind::Domain, "example.com"),
        (Capability::HostPairs, IndicatorKind::Domain, "example.com"),
        (Capability::Whois, IndicatorKind::Domain, "example.com"),
        (Capability::ReverseWhois, IndicatorKind::Person, "Anton Kranz"),
    ] {
        let told = walk(&about(capability, kind, value), |_| {
            reply(200, r#"{"success":true}"#)
        });
        assert!(
            matches!(told, Err(ProviderError::Malformed(_))),
            "{capability}: {told:?}"
        );
    }
}

#[test]
fn calls_are_signed_by_user_name_and_key_as_often_as_need_be() {
    let fields = |username: &str| -> BTreeMap<String, SecretString> {
        [("username", username), ("api_key", "open sesame")]
            .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
            .into()
    };
    let (options, at) = (BTreeMap::new(), Timestamp::UNIX_EPOCH);
    let right = fields("aladdin@example.org");
    let mut call = Call::get("api", "dns", "/dns/passive");
    for _ in 0..2 {
        PassiveTotal
            .sign(&mut call, &Exposed::new(&right, &options), at)
            .unwrap();
    }
    let [(name, value)] = call.headers.as_slice() else {
        panic!("one header, however often it is signed");
    };
    assert_eq!(*name, "authorization");
    assert_eq!(
        value.expose_secret(),
        "Basic YWxhZGRpbkBleGFtcGxlLm9yZzpvcGVuIHNlc2FtZQ=="
    );
    for wrong in ["", "a:b"] {
        let wrong = fields(wrong);
        let told = PassiveTotal.sign(&mut call, &Exposed::new(&wrong, &options), at);
        assert!(matches!(told, Err(ProviderError::Unsupported(_))));
    }
}

#[test]
fn it_is_off_and_says_why() {
    let descriptor = PassiveTotal.descriptor();
    assert!(!descriptor.enabled && descriptor.notice.unwrap().contains("retired"));
}
