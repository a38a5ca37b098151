//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

use secrecy::ExposeSecret;

use crate::provider_tests::testing::{self, LookupTrace, mapped, question, reply};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::{Capability, IndicatorKind};
use crate::providers::abuseipdb::*;
use crate::providers::*;
use crate::providers::{Charge, ReplyClass};

fn of(value: &str) -> Lookup {
    let kind = if value.contains(':') {
        IndicatorKind::Ipv6
    } else {
        IndicatorKind::Ipv4
    };
    testing::lookup(&AbuseIpDb, question(Capability::Reputation, kind, value), CHECK)
}

#[test]
fn fixtures() {
    for (name, value) in [
        ("check/found", "198.51.100.23"),
        ("check/tor", "2001:db8::23"),
        ("check/whitelisted", "203.0.113.8"),
        ("check/trusted", "203.0.113.9"),
    ] {
        testing::expect(&AbuseIpDb, name, &of(value));
    }
}

#[test]
fn an_address_that_nobody_reported_is_not_known() {
    for value in ["192.0.2.44", "203.0.113.100"] {
        let walked = testing::walk_fixtures(&AbuseIpDb, &of(value)).unwrap();
        assert!(walked.answer().is_not_found(), "{value}");
    }
}

#[test]
fn reports_that_convince_nobody_are_told_with_their_zero() {
    let body = r#"{"data":{"abuseConfidenceScore":"0","totalReports":"567","numDistinctUsers":1,"lastReportedAt":"2018-12-20"}}"#;
    let walked = testing::walk(
        &AbuseIpDb,
        &of("198.51.100.23"),
        testing::anything(200, body.as_bytes()),
    );
    let walked = walked.unwrap();
    let record = &walked.records()[0];
    assert_eq!(record.text("value").as_deref(), Some("0"));
    assert_eq!(
        record.text("reasons").as_deref(),
        Some("567 reports by 1 reporter in 90 days")
    );
    assert_eq!(record.text("last_seen").as_deref(), Some("2018-12-20"));
}

#[test]
fn a_score_off_the_scale_is_no_score() {
    for score in ["-1", "101", "null", "\"high\""] {
        let body = format!(r#"{{"data":{{"abuseConfidenceScore":{score},"totalReports":5}}}}"#);
        let walked = testing::walk(
            &AbuseIpDb,
            &of("198.51.100.23"),
            testing::anything(200, body.as_bytes()),
        );
        assert!(matches!(walked, Err(ProviderError::Malformed(_))), "{score}");
    }
}

fn classified(value: &str) -> ReplyClass {
    let call = Call::get(ORIGIN, CHECK, "/api/v2/check")
        .with("ipAddress", value)
        .with("maxAgeInDays", DAYS);
    let reply = testing::play(&AbuseIpDb, &testing::vendor("abuseipdb"), &call);
    let classification = AbuseIpDb.classify(&call, &reply);
    assert_eq!(classification.charge, Charge::Most, "{value}");
    classification.class
}

#[test]
fn every_case_has_its_verdict() {
    let limited = |after| ReplyClass::Limited {
        after: Some(after),
        message: "The daily limit of 1000 requests is exceeded for this endpoint.".to_owned(),
    };
    for (value, class) in [
        ("203.0.113.100", ReplyClass::Good),
        (
            "203.0.113.101",
            ReplyClass::KeyRefused("Authentication failed: the API key is missing or wrong.".to_owned()),
        ),
        ("203.0.113.102", limited(29241)),
        ("203.0.113.103", limited(3600)),
        (
            "203.0.113.104",
            ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "203.0.113.105",
            ReplyClass::Refused("The address is not valid.".to_owned()),
        ),
        (
            "203.0.113.106",
            ReplyClass::NotEntitled("This feature requires a subscription.".to_owned()),
        ),
        (
            "203.0.113.107",
            ReplyClass::Retry("AbuseIPDB is down; try again later.".to_owned()),
        ),
        (
            "203.0.113.109",
            ReplyClass::Malformed(
                "HTTP 403 without the vendor's error body: does a proxy or a firewall answer?".to_owned(),
            ),
        ),
    ] {
        assert_eq!(classified(value), class, "{value}");
    }
    // An answer without a score is found out when it is read.
    assert_eq!(classified("203.0.113.108"), ReplyClass::Good);
    let walked = testing::walk_fixtures(&AbuseIpDb, &of("203.0.113.108"));
    assert!(matches!(walked, Err(ProviderError::Malformed(_))));
}

#[test]
fn statuses_without_a_message_speak_for_themselves() {
    let class = |status, body| {
        let call = Call::get(ORIGIN, CHECK, "/api/v2/check");
        AbuseIpDb.classify(&call, &reply(status, body)).class
    };
    let said = "HTTP 404: is the base URL right?".to_owned();
    assert_eq!(class(404, "{}"), ReplyClass::Malformed(said));
    assert_eq!(class(401, "{}"), ReplyClass::KeyRefused("HTTP 401".to_owned()));
    assert_eq!(class(500, ""), ReplyClass::Retry("HTTP 500".to_owned()));
    let shape = "the answer has not the vendor's shape".to_owned();
    assert_eq!(class(200, r#"{"data":[]}"#), ReplyClass::Malformed(shape));
    assert_eq!(class(302, ""), ReplyClass::Malformed("HTTP 302".to_owned()));
    let after = None;
    let message = "HTTP 429".to_owned();
    assert_eq!(class(429, ""), ReplyClass::Limited { after, message });
}

#[test]
fn calls_are_signed_anew() {
    let mut call = Call::get(ORIGIN, CHECK, "/api/v2/check");
    let (none, options) = (Default::default(), Default::default());
    let now = Timestamp::UNIX_EPOCH;
    assert!(
        AbuseIpDb
            .sign(&mut call, &ExposedKey::new(&none, &options), now)
            .is_err()
    );
    let fields = [("api_key".to_owned(), SecretString::from("secret-key"))].into();
    for _ in 0..2 {
        AbuseIpDb
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    let mut headers: Vec<_> = call
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    headers.sort_unstable();
    assert_eq!(headers, [("accept", "application/json"), ("key", "secret-key")]);
    assert!(!call.target("").contains("secret-key"));
}

#[test]
fn the_input_is_marked() {
    let marked = |type_id, value: &str| mapped(&AbuseIpDb, "abuseipdb.reputation", type_id, &of(value));
    assert_eq!(
        marked("maltego.IPv4Address", "198.51.100.23"),
        [
            "maltego.IPv4Address 198.51.100.23; ipv4-address!=198.51.100.23; abuseipdb.confidence=92; abuseipdb.reasons=87 reports by 30 reporters in 90 days, usage type: Data Center/Web Hosting/Transit, ISP: Lowland Hosting B.V., domain: lowland-hosting.example, host names: mx23.lowland-hosting.example, country: NL; abuseipdb.last_seen=2026-02-27; [#d32f2f]; Red"
        ]
    );
    assert_eq!(
        marked("maltego.IPv6Address", "2001:db8::23"),
        [
            "maltego.IPv6Address 2001:db8::23; ipv6-address!=2001:db8::23; abuseipdb.confidence=0; abuseipdb.reasons=1 report by 1 reporter in 90 days, usage type: Fixed Line ISP, ISP: Norrsken Nat, country: SE; abuseipdb.tags=tor; abuseipdb.last_seen=2026-01-11; [Tor]; Yellow"
        ]
    );
    assert_eq!(
        marked("maltego.IPv4Address", "203.0.113.9"),
        [
            "maltego.IPv4Address 203.0.113.9; ipv4-address!=203.0.113.9; abuseipdb.list=whitelisted; [Whitelisted]; Green"
        ]
    );
    testing::every_example_is_found(&AbuseIpDb);
}

/// Reads a recorded answer, from the folder that `PIVOTD_SAMPLES` names.
fn recorded(folder: &str, name: &str, value: &str) -> LookupTrace {
    let path = testing::recordings("PIVOTD_SAMPLES").join(folder).join(name);
    let body = std::fs::read(path).unwrap();
    testing::walk(&AbuseIpDb, &of(value), testing::anything(200, &body)).unwrap()
}

#[test]
#[ignore = "needs recordings"]
fn recordings() {
    let walked = recorded("abuseipdb", "abuse_response_mock.json", "180.126.219.126");
    let record = &walked.records()[0];
    let text = |name| record.text(name).unwrap_or_default().into_owned();
    assert_eq!((walked.records().len(), text("value").as_str()), (1, "21"));
    assert_eq!(text("last_seen"), "2020-03-10T23:11:57Z");
    assert!(text("reasons").starts_with("2 reports by 2 reporters in 90 days, ISP: ChinaNet"));
    let walked = recorded("wtfis_mixed", "abuseipdb_1.1.1.1_raw.json", "1.1.1.1");
    let reasons = walked.records()[0]
        .text("reasons")
        .unwrap_or_default()
        .into_owned();
    assert!(reasons.starts_with("567 reports by 123 reporters in 90 days, usage type: Data Center"));
    assert_eq!(walked.records()[0].text("value").as_deref(), Some("100"));
}
