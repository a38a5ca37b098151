//! Says what a reply of the ThreatConnect API means, and what it cost.
//!
//! The envelope is `{"data": …, "status": "Success"}` or `{"status": "Failure" | "Error", "message": …}`; the second
//! comes with 200, too. Statuses mean what the vendor's documentation says, where the message does not say more.

use super::owners;
use crate::kit::common::{is_html, limited};
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Classification, Reply, ReplyClass};

/// How the messages begin that are about the signature and about the clock, whatever the status (ThreatConnect API
/// documentation, authentication). Only the beginning counts: a message may repeat what was searched.
const SIGNATURE: &str = "signature data did not match";
const CLOCK: &str = "timestamp out of acceptable time range";
/// Words that are about the key where access was denied. Other messages have them for other reasons.
const KEY_WORDS: &[&str] = &[
    "signature",
    "access id",
    "secret key",
    "credential",
    "authenticat",
    "token",
    "expired",
];
/// Words of messages about whose data was asked for.
const OWNER_WORDS: &[&str] = &["owner", "community", "organization", "organisation"];
/// Words of messages about what the API user may do, where access was denied.
const ACCESS_WORDS: &[&str] = &["license", "permission", "not authorized", "not allowed", "role"];
/// Words of messages about a query that is wrong or took too long: it would be so again.
const QUERY_WORDS: &[&str] = &["tql", "timeout", "timed out"];

/// Classifies one reply. Nothing of it is billed by the vendor; the call counts.
pub(super) fn classify(call: &Call, reply: &Reply) -> Classification {
    Classification {
        class: class(call, reply),
        charge: Charge::Most,
    }
}

fn class(call: &Call, reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of).filter(|root| root.is_object());
    let status = root.and_then(|root| root.get("status").text());
    let failed = status
        .as_deref()
        .is_some_and(|status| !status.eq_ignore_ascii_case("success"));
    let message = root
        .and_then(|root| root.get("message").text())
        .map(|text| clean(&text));
    match reply.status {
        200 | 201 if !failed => good(reply, root),
        200 | 201 => said(message.as_deref()).unwrap_or_else(|| {
            ReplyClass::Refused(
                message.unwrap_or_else(|| "ThreatConnect refused without a reason".to_owned()),
            )
        }),
        // An instance that is too old for a list has no body of the vendor's for it.
        404 if root.is_some() || reply.body.is_empty() || call.path == owners::PATH => ReplyClass::NotFound,
        404 => {
            ReplyClass::Malformed("404 without the vendor's error body: is the base URL right?".to_owned())
        }
        code => refused(code, message.as_deref(), reply, root.is_some()),
    }
}

fn good(reply: &Reply, root: Option<Node<'_>>) -> ReplyClass {
    match root {
        Some(root) if root.get("data").exists() => ReplyClass::Good,
        Some(_) => ReplyClass::Malformed("the answer has no `data`".to_owned()),
        None if is_html(reply) => ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        None => ReplyClass::Malformed("the answer is no JSON object".to_owned()),
    }
}

fn refused(code: u16, message: Option<&str>, reply: &Reply, is_object: bool) -> ReplyClass {
    let text = |otherwise: &str| message.unwrap_or(otherwise).to_owned();
    match code {
        429 => limited(reply, text("a rate limit was hit")),
        401 | 403 => said(message).unwrap_or_else(|| denied(code, message)),
        503 if is_object && !is_passing(message) => {
            ReplyClass::NotEntitled(text("the instance is not licensed for the API"))
        }
        // What else is wrong with a question is none of the key's, whatever words the message repeats.
        400..=499 => said(message).unwrap_or_else(|| ReplyClass::Refused(text(&format!("HTTP {code}")))),
        500 if has(message, QUERY_WORDS) || has(message, OWNER_WORDS) => {
            ReplyClass::Refused(text("HTTP 500"))
        }
        500 => said(message).unwrap_or_else(|| ReplyClass::Retry(text("HTTP 500"))),
        501..=599 => ReplyClass::Retry(text(&format!("HTTP {code}"))),
        _ => ReplyClass::Malformed(format!("HTTP {code}")),
    }
}

/// Reads the messages that the vendor's documentation quotes.
fn said(message: Option<&str>) -> Option<ReplyClass> {
    let text = message?;
    let lower = text.to_lowercase();
    if lower.starts_with(CLOCK) {
        // The key may be right: nothing is to be closed until an administrator changes it.
        return Some(ReplyClass::Refused(format!(
            "{text} (is this machine's clock right?)"
        )));
    }
    lower
        .starts_with(SIGNATURE)
        .then(|| ReplyClass::KeyRefused(text.to_owned()))
}

/// Says why access was denied. 403 is mostly about an owner, whose name the message may repeat, and so goes by that
/// first; 401 is about the key unless it says otherwise.
fn denied(code: u16, message: Option<&str>) -> ReplyClass {
    let text = |otherwise: &str| message.unwrap_or(otherwise).to_owned();
    let (is_key, is_owner) = (has(message, KEY_WORDS), has(message, OWNER_WORDS));
    if is_owner && (code == 403 || !is_key) {
        return ReplyClass::Refused(text("the owner is unknown, or not to be seen"));
    }
    if is_key {
        return ReplyClass::KeyRefused(text("access was denied"));
    }
    if has(message, ACCESS_WORDS) {
        return ReplyClass::NotEntitled(text("access was denied"));
    }
    match code {
        401 => ReplyClass::KeyRefused(text("access was denied")),
        // The owner does not exist or cannot be seen: that concerns this question only.
        _ => ReplyClass::Refused(text("the owner is unknown, or not to be seen")),
    }
}

/// Tells whether a message has one of these words.
fn has(message: Option<&str>, words: &[&str]) -> bool {
    let lower = message.unwrap_or_default().to_lowercase();
    words.iter().any(|word| lower.contains(word))
}

/// Tells whether a 503 is one that passes, as a gateway's.
fn is_passing(message: Option<&str>) -> bool {
    has(message, &["maintenance", "temporar", "try again", "overload"])
}
