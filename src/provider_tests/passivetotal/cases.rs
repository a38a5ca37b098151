//! Classifies the failing cases, and checks how calls are signed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::providers::{Charge, ExposedKey};

#[test]
fn every_case_has_its_verdict() {
    let vendor = testing::vendor("passivetotal");
    let limited = |after, message: &str| ReplyClass::Limited {
        after,
        message: message.to_owned(),
    };
    for (domain, class) in [
        ("notfound.example", ReplyClass::NotFound),
        ("nocontent.example", ReplyClass::NotFound),
        ("limited.example", limited(Some(17), "Slow down.")),
        (
            "quota.example",
            limited(None, "The quota of your organization has been exceeded."),
        ),
        (
            "badkey.example",
            ReplyClass::KeyRefused("invalid credentials".to_owned()),
        ),
        (
            "notentitled.example",
            ReplyClass::NotEntitled("Your account may not search here.".to_owned()),
        ),
        (
            "badrequest.example",
            ReplyClass::Refused("Missing query.".to_owned()),
        ),
        ("failing.example", ReplyClass::Retry("HTTP 500".to_owned())),
        (
            "malformed.example",
            ReplyClass::Malformed("the answer is no JSON object".to_owned()),
        ),
        (
            "retired.example",
            ReplyClass::Malformed("404 without a body of PassiveTotal's: is the base URL right?".to_owned()),
        ),
        ("nobody-has-this.example", ReplyClass::NotFound),
    ] {
        let call = Call::get("api", "dns", "/dns/passive").with("query", domain);
        let classified = PassiveTotal.classify(&call, &testing::play(&PassiveTotal, &vendor, &call));
        assert_eq!(
            (classified.class, classified.charge),
            (class, Charge::Most),
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
fn data_is_read_by_the_type_of_its_record() {
    let lookup = about(Capability::Resolutions, IndicatorKind::Domain, "example.com");
    let told = |kind: &str, resolve: &str| {
        let row = serde_json::json!({"recordType": kind, "resolve": resolve, "value": "example.com"});
        let good = serde_json::json!({"recordType": "A", "resolve": "192.0.2.1", "value": "example.com"});
        let body = serde_json::json!({"success": true, "results": [good, row]}).to_string();
        walk(&lookup, |_| reply(200, &body)).unwrap().answer().clone()
    };
    for (kind, resolve, host) in [
        ("MX", "10\tmx.example.net", "mx.example.net"),
        ("mx", "10 MX.example.net.", "mx.example.net"),
        ("SRV", "0 5 443 h.example.", "h.example"),
        ("ns", "NS1.example.net. ", "ns1.example.net"),
    ] {
        let answer = told(kind, resolve);
        let record = answer.records.last().unwrap();
        assert_eq!(record.text("host").as_deref(), Some(host), "{kind} {resolve}");
        assert_eq!(record.text("type").unwrap(), kind.to_uppercase());
        assert!(answer.missing.is_empty(), "{kind} {resolve}");
    }
    for (kind, resolve) in [
        ("CNAME", "bad host!"),
        ("A", "300.1.2.3"),
        ("MX", "see mx.example.net"),
        ("NS", "ns1.example.net, ns2.example.net"),
    ] {
        let answer = told(kind, resolve);
        assert_eq!(answer.records.len(), 1, "{kind} {resolve}");
        assert_eq!(answer.missing, ["1 row could not be read"], "{kind} {resolve}");
    }
    // Texts name no host, whatever they look like; the root is no host; a domain's own mail server is the domain.
    assert!(told("TXT", "www.example.net").records[1].text("host").is_none());
    assert_eq!(
        told("MX", "0 .").left_out[0].text(),
        "1 record that names no host (MX)"
    );
    assert_eq!(
        told("MX", "10 example.com.").left_out[0].text(),
        "1 row about nothing but what was asked"
    );
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
            .sign(&mut call, &ExposedKey::new(&right, &options), at)
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
        let told = PassiveTotal.sign(&mut call, &ExposedKey::new(&wrong, &options), at);
        assert!(matches!(told, Err(ProviderError::Unsupported(_))));
    }
}

#[test]
fn it_is_off_and_says_why() {
    let descriptor = PassiveTotal.descriptor();
    assert!(!descriptor.enabled && descriptor.notice.as_ref().unwrap().contains("retired"));
}
