//! Says what a reply of the Secure Malware Analytics API means, and what it cost.
//!
//! The envelope is `{"api_version", "id", "data"}` or `{"api_version", "id", "error": {"message", "code", "errors":
//! [{"code", "message"}]}}`. The exact bodies of refusals are not published; the status decides, and words only tell
//! a refused key from something that the key may not see.

use super::SEARCH;
use crate::kit::common::limited;
use crate::kit::errors::by_data;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Classification, Reply, ReplyClass};

/// Classifies one reply. Nothing is billed apart from calls, and nothing is said to be free.
pub(super) fn classify(call: &Call, reply: &Reply) -> Classification {
    Classification {
        class: class(call, reply),
        charge: Charge::Most,
    }
}

fn class(call: &Call, reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let error = root.map(|root| root.get("error")).filter(|error| error.exists());
    let code = match (reply.status, error) {
        (200, None) => return by_data(root, reply),
        // A gateway that answers 200 with the vendor's error envelope still carries the vendor's code.
        (200, Some(error)) => error
            .get("code")
            .count()
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| (300..600).contains(code))
            .unwrap_or(500),
        (status, _) => status,
    };
    let said = error.and_then(message).map(|text| clean(&text));
    failed(
        call,
        code,
        said.as_deref(),
        reply,
        root.is_some_and(Node::is_object),
    )
}

/// Reads the error's text: of its own, or of the first of its list.
fn message(error: Node<'_>) -> Option<String> {
    error
        .get("message")
        .text()
        .or_else(|| {
            error
                .get("errors")
                .many()
                .find_map(|one| one.get("message").text())
        })
        .or_else(|| error.text())
}

fn failed(call: &Call, code: u16, said: Option<&str>, reply: &Reply, is_object: bool) -> ReplyClass {
    let lower = said.unwrap_or_default().to_lowercase();
    let text = |otherwise: &str| said.unwrap_or(otherwise).to_owned();
    match code {
        404 if is_object || reply.body.is_empty() => ReplyClass::NotFound,
        404 => {
            ReplyClass::Malformed("404 without the vendor's error body: is the base URL right?".to_owned())
        }
        401 => ReplyClass::KeyRefused(text("the key was refused")),
        403 if KEY_WORDS.iter().any(|word| lower.contains(word)) => {
            ReplyClass::KeyRefused(text("the key was refused"))
        }
        // One sample that another user keeps private says nothing of the others.
        403 if call.product != SEARCH => ReplyClass::Refused(text("this sample may not be seen")),
        403 => ReplyClass::NotEntitled(text("access was denied")),
        429 => limited(reply, text("a rate limit was hit")),
        500..=599 => ReplyClass::Retry(text(&format!("HTTP {code}"))),
        400..=499 => ReplyClass::Refused(text(&format!("HTTP {code}"))),
        _ => ReplyClass::Malformed(format!("HTTP {code}")),
    }
}

/// Words of messages about the key itself.
const KEY_WORDS: &[&str] = &[
    "api key",
    "api_key",
    "api-key",
    "apikey",
    "credential",
    "authenticat",
    "bearer",
    "token",
];
