//! Says what a reply of the ThreatConnect API means, and what it cost.
//!
//! The envelope is `{"data": …, "status": "Success"}` or `{"status": "Failure" | "Error", "message": …}`; the second
//! comes with 200, too. Statuses mean what the vendor's documentation says, where the message does not say more.

use serde_json::Value;

use super::owners;
use crate::providers::common::{is_html, retry_after};
use crate::providers::tolerant::{Node, clean};
use crate::providers::{Call, Charge, Judgement, Reply, Verdict};

/// Words of messages about the key itself, whatever the status.
const KEY_WORDS: &[&str] = &[
    "signature data",
    "access id",
    "secret key",
    "credential",
    "authenticat",
];
/// Words that are about the key where access was denied; elsewhere a query may have a wrong token, too.
const DENIED_WORDS: &[&str] = &["signature", "token", "expired"];
/// Words of messages about whose data was asked for.
const OWNER_WORDS: &[&str] = &["owner", "community", "organization", "organisation"];
/// Words of messages about what the API user may do.
const ACCESS_WORDS: &[&str] = &["permission", "not authorized", "not allowed", "role"];

/// Judges one reply. Nothing of it is billed by the vendor; the call counts.
pub(super) fn judge(call: &Call, reply: &Reply) -> Judgement {
    Judgement {
        verdict: verdict(call, reply),
        charge: Charge::Most,
    }
}

fn verdict(call: &Call, reply: &Reply) -> Verdict {
    let parsed = serde_json::from_slice::<Value>(&reply.body).ok();
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
        200 | 201 => said(200, message.as_deref()).unwrap_or_else(|| {
            Verdict::Refused(message.unwrap_or_else(|| "ThreatConnect refused without a reason".to_owned()))
        }),
        // An instance that is too old for a list has no body of the vendor's for it.
        404 if root.is_some() || reply.body.is_empty() || call.path == owners::PATH => Verdict::NotFound,
        404 => Verdict::Malformed("404 without the vendor's error body: is the base URL right?".to_owned()),
        code => refused(code, message.as_deref(), reply, root.is_some()),
    }
}

fn good(reply: &Reply, root: Option<Node<'_>>) -> Verdict {
    match root {
        Some(root) if root.get("data").exists() => Verdict::Good,
        Some(_) => Verdict::Malformed("the answer has no `data`".to_owned()),
        None if is_html(reply) => Verdict::Malformed("a web page came instead of JSON".to_owned()),
        None => Verdict::Malformed("the answer is no JSON object".to_owned()),
    }
}

fn refused(code: u16, message: Option<&str>, reply: &Reply, is_object: bool) -> Verdict {
    let known = said(code, message);
    let text = |otherwise: &str| message.unwrap_or(otherwise).to_owned();
    match code {
        429 => Verdict::Limited {
            after: retry_after(reply),
            message: text("a rate limit was hit"),
        },
        401 => known.unwrap_or_else(|| Verdict::KeyRefused(text("access was denied"))),
        // The owner does not exist or cannot be seen: that concerns this question only.
        403 => known.unwrap_or_else(|| Verdict::Refused(text("the owner is unknown, or not to be seen"))),
        503 if is_object && !is_passing(message) => {
            Verdict::NotEntitled(text("the instance is not licensed for the API"))
        }
        400..=499 => known.unwrap_or_else(|| Verdict::Refused(text(&format!("HTTP {code}")))),
        500 => match known {
            Some(known @ Verdict::Refused(_)) => known,
            _ => Verdict::Retry(text("HTTP 500")),
        },
        501..=599 => Verdict::Retry(text(&format!("HTTP {code}"))),
        _ => Verdict::Malformed(format!("HTTP {code}")),
    }
}

/// Reads what a message says, where it says what is known.
fn said(code: u16, message: Option<&str>) -> Option<Verdict> {
    let text = message?.to_owned();
    let lower = text.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if any(&["timestamp"]) {
        // The key may be right: nothing is to be closed until somebody changes it.
        return Some(Verdict::Refused(format!(
            "{text} (is this machine's clock right?)"
        )));
    }
    if any(&["tql", "timeout", "timed out"]) {
        // A long query would only be long again.
        return Some(Verdict::Refused(text));
    }
    if any(KEY_WORDS) || (matches!(code, 401 | 403) && any(DENIED_WORDS)) {
        return Some(Verdict::KeyRefused(text));
    }
    if any(OWNER_WORDS) {
        return Some(Verdict::Refused(text));
    }
    if any(&["license"]) || any(ACCESS_WORDS) {
        return Some(Verdict::NotEntitled(text));
    }
    None
}

/// Tells whether a 503 is one that passes, as a gateway's.
fn is_passing(message: Option<&str>) -> bool {
    let lower = message.unwrap_or_default().to_lowercase();
    ["maintenance", "temporar", "try again", "overload"]
        .iter()
        .any(|word| lower.contains(word))
}
