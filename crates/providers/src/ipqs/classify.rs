//! Says what a reply of IPQualityScore means. Each attempt is counted as one call.
//!
//! Errors come with HTTP 200 and `{"success": false, "message"}`; what went wrong stands in the message alone.

use crate::kit::common::limited;
use crate::kit::errors::{by_status, said};
use crate::kit::lenient;
use crate::kit::tolerant::Node;
use crate::{Charge, Classification, Reply, ReplyClass};

/// Seconds after which a plan that is used up is asked about again: the vendor does not say when it opens, and its
/// plans are by the day and month.
const HOUR: u64 = 3600;

/// Classifies one reply.
pub(super) fn classify(reply: &Reply) -> Classification {
    Classification {
        class: class(reply),
        charge: Charge::Most,
    }
}

fn class(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let said = said(root, |root| root.get("message").text());
    let success = root.and_then(|root| root.get("success").flag());
    match (reply.status, success) {
        (200, Some(true)) => ReplyClass::Good,
        (200, Some(false)) => refusal(reply, said.unwrap_or_default()),
        _ => by_status(reply, said),
    }
}

/// Tells refusals apart by their words, as clients that others published do.
fn refusal(reply: &Reply, message: String) -> ReplyClass {
    let words = message.to_lowercase();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    if has(&["credit", "quota", "exceeded", "too many", "rate limit"]) {
        return limited(reply, message).otherwise(Some(HOUR));
    }
    if has(&["unauthorized key", "invalid key", "api key"]) {
        return ReplyClass::KeyRefused(message);
    }
    if has(&["permission", "upgrade", "your plan"]) {
        return ReplyClass::NotEntitled(message);
    }
    if message.is_empty() {
        return ReplyClass::Refused("the vendor refused the question and does not say why".to_owned());
    }
    ReplyClass::Refused(message)
}
