//! Messages written for this project, read; and what comes of anything else.

mod attachments;
mod authentication;
mod bases;
mod bodies;
mod boundaries;
mod charsets;
mod cost;
mod generated;
mod heads;
mod hidden;
mod legitimate;
mod limits;
mod names;
mod pages;
mod parts;
mod pictures;
mod reports;
mod seen;
mod senders;
mod texts;
mod traces;
mod wrappers;

use super::*;
use pivotd_domain::indicator::IndicatorKind;

const PHISH: &[u8] = include_bytes!("../../../../tests/messages/phish.eml");
const REPORT: &[u8] = include_bytes!("../../../../tests/messages/report.eml");
const BROKEN: &[u8] = include_bytes!("../../../../tests/messages/broken.eml");
/// SHA-256 of the attachment of `PHISH`, by sha256sum.
const OFFER: &str = "9e575845f3f6b5eb81c4a3b31cdea7849f02bcbb4cd832ad82866be2f1b43e0d";

/// Calls corp.example one's own.
fn own(indicator: &Indicator) -> Option<String> {
    let domain = indicator.registrable()?;
    (domain.value() == "corp.example").then(|| "own domain".to_owned())
}

fn relays() -> Vec<Relay> {
    vec![
        "corp.example".parse().unwrap(),
        "198.51.100.0/28".parse().unwrap(),
    ]
}

/// Reads with the relays of corp.example, without queries.
fn reading(bytes: &[u8]) -> Result<Read, MessageError> {
    let relays = relays();
    read(
        bytes,
        &TrustPolicy {
            relays: &relays,
            is_own: &own,
            is_popular: &|_, _| None,
            is_inside: &|indicator| own(indicator).is_some(),
            keep_query: false,
        },
    )
}

fn values(found: &[FoundIndicator]) -> Vec<(&'static str, &str)> {
    found
        .iter()
        .map(|one| (one.role, one.indicator.value()))
        .collect()
}

/// Returns the values of one role.
fn of<'r>(read: &'r Read, role: &str) -> Vec<&'r str> {
    let found = read.indicators.iter().filter(|one| one.role == role);
    found.map(|one| one.indicator.value()).collect()
}

/// Reads a message of one plain text.
fn read_text(text: &str) -> Read {
    let head = "From: a@sender.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    reading(format!("{head}{text}\r\n").as_bytes()).unwrap()
}

fn ignored(read: &Read) -> Vec<(&'static str, &str, &str)> {
    let list = read.ignored.iter();
    list.map(|one| (one.role, one.value.as_str(), one.reason.as_str()))
        .collect()
}

/// What `PHISH` says, alone or reported.
const STORY: [(&str, &str); 6] = [
    ("sender", "billing@career-offers.example"),
    ("reply_to", "desk@recruit-mail.example"),
    ("return_path", "bounce@mailer.career-offers.example"),
    ("relay", "192.0.2.44"),
    ("attachment", OFFER),
    ("url", "http://career-offers.example/apply"),
];

#[test]
fn the_phishing_story_gives_its_indicators_in_order() {
    let read = reading(PHISH).unwrap();
    assert_eq!(values(&read.indicators), STORY);
    assert!(read.excess.is_empty());
    assert_eq!(
        ignored(&read),
        [
            ("url", "http://portal.corp.example/rules", "own domain"),
            ("url", "http://10.1.2.3/login", "a private or reserved address"),
        ]
    );
    assert_eq!(
        read.notes,
        [
            "1 authentication results were not counted: no trusted relay wrote them",
            "1 links were taken out of the wrapper of a mail gateway",
        ]
    );
    let results: Vec<_> = read
        .authentication
        .iter()
        .map(|found| (found.method, found.result.as_str(), found.domain.as_deref()))
        .collect();
    assert_eq!(
        results,
        [
            ("spf", "pass", Some("mailer.career-offers.example")),
            ("dkim", "none", None),
            ("dmarc", "fail", Some("career-offers.example")),
        ]
    );
    assert!(
        read.authentication
            .iter()
            .all(|found| found.relay == "mx1.corp.example")
    );
}

#[test]
fn a_query_stays_only_where_policy_allows() {
    let trust = TrustPolicy {
        relays: &[],
        is_own: &|_| None,
        is_popular: &|_, _| None,
        is_inside: &|_| false,
        keep_query: true,
    };
    let found = read(PHISH, &trust).unwrap();
    let url = values(&found.indicators)
        .into_iter()
        .find(|(role, _)| *role == "url");
    assert_eq!(url, Some(("url", "http://career-offers.example/apply?id=77")));
}

#[test]
fn a_report_from_inside_is_read_as_the_message_it_carries() {
    let read = reading(REPORT).unwrap();
    assert_eq!(values(&read.indicators), STORY);
    assert!(
        read.notes
            .iter()
            .any(|note| note.starts_with("the message reports another"))
    );
    // From outside, it is a message that has another attached: both senders count.
    let trust = TrustPolicy {
        relays: &[],
        is_own: &|_| None,
        is_popular: &|_, _| None,
        is_inside: &|_| false,
        keep_query: false,
    };
    let outside = super::read(REPORT, &trust).unwrap();
    assert_eq!(
        values(&outside.indicators),
        [
            ("sender", "jane@corp.example"),
            ("attached_sender", "billing@career-offers.example"),
            ("attached_sender", "desk@recruit-mail.example"),
            ("return_path", "bounce@mailer.career-offers.example"),
            ("attachment", OFFER),
            ("url", "https://signature-vendor.example/jane"),
            ("url", "http://career-offers.example/apply"),
            ("url", "http://portal.corp.example/rules"),
        ]
    );
}

#[test]
fn nothing_prints_text_of_a_message() {
    let message = b"From: \"Very Secret Name\" <a@sender.example>\r\nSubject: private matter\r\n\r\nconfidential words http://[broken/ x\r\n";
    let read = reading(message).unwrap();
    let printed = format!("{read:?}");
    for text in ["Secret", "private matter", "confidential", "broken"] {
        assert!(!printed.contains(text), "{printed}");
    }
    assert!(
        read.notes
            .iter()
            .any(|note| note == "1 links cannot be read as URLs")
    );
    let error = reading(b"confidential words\r\n\r\nmore").unwrap_err();
    assert_eq!(error, MessageError::NoHeader);
    assert!(!format!("{error} {error:?}").contains("confidential"));
}

#[test]
fn an_address_in_the_display_name_is_named_and_not_asked_about() {
    let message =
        b"From: =?UTF-8?B?Ym9zc0BiYW5rLmV4YW1wbGU=?= <x@mailer.example>, Two <two@mailer.example>\r\n\r\n";
    let read = reading(message).unwrap();
    assert_eq!(
        values(&read.indicators),
        [("sender", "x@mailer.example"), ("sender", "two@mailer.example")]
    );
    assert_eq!(
        ignored(&read),
        [("sender", "boss@bank.example", "shown as the sender's name only")]
    );
}
