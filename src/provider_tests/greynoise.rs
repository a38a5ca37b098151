//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::provider_tests::testing::{self, mapped, question};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::{Capability, IndicatorKind};
use crate::providers::greynoise::*;
use crate::providers::*;

fn of(value: &str) -> Lookup {
    let query = question(Capability::Reputation, IndicatorKind::Ipv4, value);
    testing::lookup(&GreyNoise, query, COMMUNITY)
}

#[test]
fn fixtures() {
    for (name, value) in [
        ("community/found", "203.0.113.8"),
        ("community/malicious", "198.51.100.66"),
        ("community/unknown", "198.51.100.67"),
        ("community/riot", "203.0.113.53"),
    ] {
        testing::expect(&GreyNoise, name, &of(value));
    }
}

#[test]
fn what_was_never_seen_is_not_known() {
    for value in ["192.0.2.44", "203.0.113.100", "203.0.113.110"] {
        let walked = testing::walk_fixtures(&GreyNoise, &of(value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}");
    }
}

fn classified(value: &str) -> ReplyClass {
    let call = Call::get(ORIGIN, COMMUNITY, format!("/v3/community/{value}"));
    let reply = testing::play(&GreyNoise, &testing::vendor("greynoise"), &call);
    let classification = GreyNoise.classify(&call, &reply);
    assert_eq!(classification.charge, Charge::Most, "{value}");
    classification.class
}

#[test]
fn every_case_has_its_verdict() {
    for (value, class) in [
        ("203.0.113.100", ReplyClass::NotFound),
        (
            "203.0.113.101",
            ReplyClass::KeyRefused("Invalid API key".to_owned()),
        ),
        (
            "203.0.113.102",
            ReplyClass::Limited {
                after: Some(3600),
                message: "You have hit your daily rate limit.".to_owned(),
            },
        ),
        (
            "203.0.113.104",
            ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "203.0.113.105",
            ReplyClass::Refused("Request is not a valid routable IPv4 address".to_owned()),
        ),
        ("203.0.113.107", ReplyClass::Retry("HTTP 502".to_owned())),
        (
            "203.0.113.108",
            ReplyClass::Malformed("the answer has not the vendor's shape".to_owned()),
        ),
        (
            "203.0.113.109",
            ReplyClass::Malformed(
                "HTTP 404 without the vendor's error body: does a proxy or a firewall answer?".to_owned(),
            ),
        ),
    ] {
        assert_eq!(classified(value), class, "{value}");
    }
}

#[test]
fn the_key_is_optional() {
    let mut call = Call::get(ORIGIN, COMMUNITY, "/v3/community/203.0.113.8");
    let (none, options) = (Default::default(), Default::default());
    let fields = [("api_key".to_owned(), SecretString::from("secret-key"))].into();
    let now = Timestamp::UNIX_EPOCH;
    for _ in 0..2 {
        GreyNoise
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    assert_eq!(call.headers.len(), 1);
    assert_eq!(call.headers[0].0, "key");
    assert_eq!(call.headers[0].1.expose_secret(), "secret-key");
    GreyNoise
        .sign(&mut call, &ExposedKey::new(&none, &options), now)
        .unwrap();
    assert!(call.headers.is_empty(), "the last attempt's key does not stay");
}

#[test]
fn the_input_is_marked() {
    let marked = |value: &str| {
        let lookup = of(value);
        mapped(&GreyNoise, "greynoise.reputation", "maltego.IPv4Address", &lookup)
    };
    assert_eq!(
        marked("203.0.113.8"),
        [
            "maltego.IPv4Address 203.0.113.8; ipv4-address!=203.0.113.8; greynoise.classification=benign; greynoise.reasons=known as Wayfare Edge; greynoise.service=Wayfare Edge; greynoise.last_seen=2026-02-28; [Common service]; Green"
        ]
    );
    assert_eq!(
        marked("198.51.100.66"),
        [
            "maltego.IPv4Address 198.51.100.66; ipv4-address!=198.51.100.66; greynoise.classification=malicious; greynoise.reasons=scans the internet; greynoise.last_seen=2026-02-26; [Malicious]; Red"
        ]
    );
    testing::every_example_is_found(&GreyNoise);
}

#[test]
#[ignore = "needs recordings"]
fn recordings() {
    let folder = testing::recordings("PIVOTD_SAMPLES").join("wtfis_mixed");
    let cloudflare = "Cloudflare Public DNS";
    for (name, wanted) in [
        (
            "greynoise_1.1.1.1.json",
            vec![
                format!("classification benign 2023-02-18 known as {cloudflare}"),
                format!("riot riot 2023-02-18 {cloudflare}"),
            ],
        ),
        (
            "greynoise_1.1.1.1_malicious.json",
            vec![format!(
                "classification malicious 2023-02-18 scans the internet, known as {cloudflare}"
            )],
        ),
        (
            "greynoise_1.1.1.1_unknown.json",
            vec![format!("riot riot 2023-02-18 {cloudflare}")],
        ),
    ] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        // The file is a map from address to answer.
        let all: Value = serde_json::from_str(&text).unwrap();
        let body = all["1.1.1.1"].to_string();
        let walked = testing::walk(
            &GreyNoise,
            &of("1.1.1.1"),
            testing::anything(200, body.as_bytes()),
        );
        let walked = walked.unwrap();
        let told: Vec<String> = walked
            .records()
            .iter()
            .map(|record| {
                ["measure", "word", "last_seen", "reasons"]
                    .map(|field| record.text(field).unwrap_or_default().into_owned())
                    .join(" ")
            })
            .collect();
        assert_eq!(told, wanted, "{name}");
    }
}
