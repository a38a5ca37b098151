//! Plays Spamhaus against its fixtures and against what it should never say.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::provider_tests::testing::{
    every_example_is_found, expect, lookup, mapped, question, walk, walk_fixtures,
};
use jiff::Timestamp;

use crate::domain::{Capability, Denial, FailureKind, IndicatorKind, Record};
use crate::providers::kit::resource::{NXDOMAIN, Resource};
use crate::providers::spamhaus::*;
use crate::providers::*;

const KEY: &str = "a1b2c3d4e5f6g7h8";

fn of(product: &'static str, kind: IndicatorKind, value: &str) -> Lookup {
    lookup(&Spamhaus, question(Capability::Reputation, kind, value), product)
}

fn address(value: &str) -> Lookup {
    of("zen", IndicatorKind::Ipv4, value)
}

fn name(value: &str) -> Lookup {
    of("dbl", IndicatorKind::Hostname, value)
}

fn a(codes: &[[u8; 4]]) -> Reply {
    let records: Vec<Resource> = codes.iter().map(|code| Resource::A((*code).into())).collect();
    Reply::of_dns(0, &records)
}

fn words(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .filter_map(|record| record.text("word").map(std::borrow::Cow::into_owned))
        .collect()
}

#[test]
fn fixtures_give_these_records() {
    expect(&Spamhaus, "zen/found", &address("198.51.100.23"));
    expect(&Spamhaus, "zen/every", &address("203.0.113.201"));
    expect(
        &Spamhaus,
        "zen/six",
        &of("zen", IndicatorKind::Ipv6, "2001:db8::44"),
    );
    expect(&Spamhaus, "zen/unknown-code", &address("203.0.113.202"));
    expect(
        &Spamhaus,
        "dbl/found",
        &of("dbl", IndicatorKind::Domain, "career-offers.example"),
    );
    expect(&Spamhaus, "dbl/host", &name("login.example.net"));
    expect(&Spamhaus, "zrd/found", &name("www.fresh.example"));
}

#[test]
fn what_is_on_no_list_has_no_record() {
    for lookup in [address("192.0.2.44"), name("example.com")] {
        let walked = walk_fixtures(&Spamhaus, &lookup).unwrap();
        assert!(walked.answer().is_not_found());
    }
}

#[test]
fn an_error_or_a_foreign_answer_is_never_a_listing() {
    for (code, kind) in [
        ([127, 255, 255, 255], FailureKind::Limited),
        ([127, 255, 255, 254], FailureKind::Denied(Denial::ServerKey)),
        ([127, 255, 255, 252], FailureKind::Denied(Denial::ServerKey)),
        ([127, 255, 255, 250], FailureKind::Refused),
        ([127, 0, 1, 255], FailureKind::Refused),
        ([198, 51, 100, 80], FailureKind::Malformed),
        ([0, 0, 0, 0], FailureKind::Malformed),
    ] {
        for lookup in [address("192.0.2.44"), name("example.com")] {
            // Beside a listing it is as wrong.
            let answers = [a(&[code]), a(&[[127, 0, 0, 2], code]), a(&[[127, 0, 1, 2], code])];
            for reply in answers {
                match walk(&Spamhaus, &lookup, |_| reply.clone()) {
                    Err(ProviderError::Failed(failure)) => assert_eq!(failure.kind, kind, "{code:?}"),
                    other => panic!("{code:?}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_code_that_is_not_known_is_told_and_never_reads_as_not_found() {
    let walked = walk(&Spamhaus, &address("192.0.2.44"), |_| a(&[[127, 0, 0, 77]])).unwrap();
    assert!(walked.records().is_empty() && !walked.answer().is_not_found());
    assert!(
        walked.answer().missing[0].contains("127.0.0.77"),
        "{:?}",
        walked.answer()
    );
    // A code of another list is none of this one.
    let walked = walk(&Spamhaus, &address("192.0.2.44"), |_| a(&[[127, 0, 1, 4]])).unwrap();
    assert!(walked.records().is_empty() && !walked.answer().missing.is_empty());
}

#[test]
fn the_test_point_that_is_not_listed_speaks_of_the_key() {
    let walked = walk(&Spamhaus, &address(TEST_POINT), |_| Reply::of_dns(NXDOMAIN, &[]));
    let Err(ProviderError::Failed(failure)) = walked else {
        panic!("{walked:?}");
    };
    assert_eq!(failure.kind, FailureKind::Denied(Denial::ServerKey));
    assert!(
        failure.message.contains("DQS key is wrong"),
        "{}",
        failure.message
    );
    let walked = walk_fixtures(&Spamhaus, &address(TEST_POINT)).unwrap();
    assert_eq!(words(walked.records()), ["sbl", "xbl", "pbl"]);
}

#[test]
fn the_age_of_a_domain_is_asked_of_the_paid_service_and_is_no_need() {
    let zrd = |reply: fn() -> Reply| {
        walk(&Spamhaus, &name("www.example.com"), move |call| {
            if call.product == "zrd" {
                reply()
            } else {
                a(&[[127, 0, 1, 4]])
            }
        })
        .unwrap()
    };
    let walked = zrd(|| Reply::of_dns(2, &[]));
    assert_eq!(words(walked.records()), ["phish"]);
    assert!(walked.answer().missing[0].starts_with("the age of the domain: "));
    assert!(walked.calls[1].optional && walked.calls[1].path == "example.com");
    // A key without it is asked in vain, and nothing is missing.
    let walked = zrd(|| a(&[[127, 255, 255, 252]]));
    assert!(walked.answer().missing.is_empty());
    let mut public = name("www.example.com");
    public.options.insert(SERVICE.to_owned(), PUBLIC.to_owned());
    let walked = walk(&Spamhaus, &public, |_| Reply::of_dns(NXDOMAIN, &[])).unwrap();
    assert_eq!(walked.calls.len(), 1);
}

/// Signs a call; the key and the service as they are configured.
fn signed(call: &Call, service: &str, key: &str) -> Result<String, ProviderError> {
    let fields = BTreeMap::from([("key".to_owned(), SecretString::from(key))]);
    let options = BTreeMap::from([(SERVICE.to_owned(), service.to_owned())]);
    let mut call = call.clone();
    Spamhaus.sign(
        &mut call,
        &ExposedKey::new(&fields, &options),
        Timestamp::UNIX_EPOCH,
    )?;
    Ok(call.path)
}

fn first_call(lookup: &Lookup) -> Call {
    let Step::Calls { calls, .. } = Spamhaus.start(lookup).unwrap() else {
        panic!("it asks nobody");
    };
    calls[0].clone()
}

#[test]
fn names_are_asked_as_documented() {
    let v4 = first_call(&address("192.0.2.44"));
    let v6 = first_call(&of("zen", IndicatorKind::Ipv6, "2001:db8::44"));
    let host = first_call(&name("login.example.net"));
    for (call, service, asked) in [
        (&v4, PUBLIC, "44.2.0.192.zen.spamhaus.org"),
        (&v4, DQS, "44.2.0.192.a1b2c3d4e5f6g7h8.zen.dq.spamhaus.net"),
        (
            &v6,
            PUBLIC,
            "4.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.spamhaus.org",
        ),
        (&host, PUBLIC, "login.example.net.dbl.spamhaus.org"),
        (
            &host,
            DQS,
            "login.example.net.a1b2c3d4e5f6g7h8.dbl.dq.spamhaus.net",
        ),
    ] {
        assert_eq!(signed(call, service, KEY).unwrap(), asked);
        assert!(!format!("{call:?}").contains(KEY));
    }
    for key in ["", "a.b", "a b", "k".repeat(64).as_str()] {
        let error = signed(&v4, DQS, key).unwrap_err().to_string();
        assert!(error.contains("no label"), "{error}");
    }
}

#[test]
fn a_list_is_asked_only_what_it_holds() {
    let long = format!("{}.example.com", vec!["a".repeat(60); 3].join("."));
    for lookup in [
        of("dbl", IndicatorKind::Ipv4, "192.0.2.44"),
        of("zen", IndicatorKind::Domain, "example.com"),
        of("zrd", IndicatorKind::Domain, "example.com"),
        name(&long),
    ] {
        assert!(matches!(
            Spamhaus.start(&lookup),
            Err(ProviderError::Unsupported(_))
        ));
    }
}

#[test]
fn listings_mark_the_input() {
    every_example_is_found(&Spamhaus);
    let found = mapped(
        &Spamhaus,
        "spamhaus.listings",
        "maltego.IPv4Address",
        &address("198.51.100.23"),
    );
    assert_eq!(
        found,
        [
            "maltego.IPv4Address 198.51.100.23; ipv4-address!=198.51.100.23; spamhaus.word=xbl, pbl; \
             spamhaus.reasons=Hijacked or infected machine (XBL), Range from which no mail should come directly, by \
             policy; not malicious by itself (PBL); [Blocklist]; Red"
        ]
    );
    let domain = of("dbl", IndicatorKind::Domain, "career-offers.example");
    let found = mapped(&Spamhaus, "spamhaus.listings", "maltego.Domain", &domain);
    assert!(found[0].contains("spamhaus.word=phish"), "{found:?}");
}
