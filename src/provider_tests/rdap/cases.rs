//! Classifies the failing cases: what each reply means.

use super::*;
use crate::providers::{Charge, Cost};

fn classified(domain: &str) -> ReplyClass {
    let call = Call::get("iana", "domain", format!("/domain/{domain}"));
    let reply = testing::play(&Rdap, &testing::vendor("rdap"), &call);
    let classification = Rdap.classify(&call, &reply);
    assert_eq!((classification.charge, call.max_cost), (Charge::Most, Cost::CALL));
    classification.class
}

#[test]
fn every_case_has_its_verdict() {
    let refused = |message: &str| ReplyClass::Refused(message.to_owned());
    for (domain, class) in [
        ("notfound.example", ReplyClass::NotFound),
        ("empty.example", ReplyClass::NotFound),
        ("wrapped.example", ReplyClass::NotFound),
        (
            "limited.example",
            ReplyClass::Limited {
                after: Some(30),
                message: "Rate limit exceeded".to_owned(),
            },
        ),
        // There is no key: a refusal is no reason to shut the provider.
        ("refused.example", refused("HTTP 403")),
        (
            "malformed.example",
            ReplyClass::Malformed("the answer is no JSON".to_owned()),
        ),
        (
            "cut.example",
            ReplyClass::Malformed("the answer is no JSON".to_owned()),
        ),
        ("failing.example", ReplyClass::Retry("HTTP 500".to_owned())),
        // Where it sends is looked at with the files at hand.
        ("moved.example", ReplyClass::Good),
        (
            "nowhere.example",
            refused("the server sends elsewhere, where it is not followed"),
        ),
        (
            "unsupported.example",
            refused("the server does not answer this kind of question"),
        ),
        ("wrongshape.example", ReplyClass::Good),
    ] {
        assert_eq!(classified(domain), class, "{domain}");
    }
}

#[test]
fn one_registrar_shuts_no_other() {
    let call = Call::get("iana", "registrar", "/domain/example.com");
    for (status, body) in [
        (200, "<html>"),
        (429, ""),
        (500, ""),
        (503, "{}"),
        (403, "no"),
        (302, ""),
    ] {
        let class = Rdap.classify(&call, &reply(status, body)).class;
        assert!(matches!(class, ReplyClass::Refused(_)), "{status}: {class:?}");
    }
    assert_eq!(Rdap.classify(&call, &reply(404, "")).class, ReplyClass::NotFound);
    assert_eq!(Rdap.classify(&call, &reply(200, "{}")).class, ReplyClass::Good);
}

#[test]
fn files_are_judged_by_their_status() {
    for file in &Rdap.descriptor().files {
        let call = Call::get(file.origin.clone(), file.name.as_str(), file.path.as_str());
        let class = |status| Rdap.classify(&call, &reply(status, "a,b\n")).class;
        assert_eq!(class(200), ReplyClass::Good, "{}", file.name);
        assert_eq!(class(404), ReplyClass::NotFound);
        assert!(matches!(class(503), ReplyClass::Retry(_)));
        assert!(matches!(class(301), ReplyClass::Refused(_)));
    }
}

#[test]
fn what_is_no_registration_is_malformed() {
    for domain in ["wrongshape.example", "another.example"] {
        let error = walk_fixtures(&of_domain(domain)).unwrap_err();
        assert!(matches!(error, ProviderError::Malformed(_)), "{domain}: {error}");
    }
    let number = of(IndicatorKind::Asn, "AS64499", "autnum");
    assert!(matches!(walk_fixtures(&number), Err(ProviderError::Malformed(_))));
    for body in [
        r#"{"startAddress":"198.51.100.0","endAddress":"198.51.100.255","name":"X"}"#,
        r#"{"startAddress":"2001:db8::","endAddress":"2001:db8::ff","name":"X"}"#,
        "{}",
    ] {
        let error = walk(&Rdap, &of(IndicatorKind::Ipv4, "192.0.2.44", "ip"), |_| {
            reply(200, body)
        });
        assert!(matches!(error, Err(ProviderError::Malformed(_))), "{body}");
    }
    for (kind, value, product) in [
        (IndicatorKind::Domain, "notfound.example", "domain"),
        (IndicatorKind::Ipv4, "192.0.2.99", "ip"),
    ] {
        let walked = walk_fixtures(&of(kind, value, product)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}");
    }
}
