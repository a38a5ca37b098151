//! Says what a reply of the VirusTotal API means, and what it cost.
//!
//! Errors are `{"error": {"code", "message"}}` with a word as code (VirusTotal API v3, errors); the word decides where
//! it is known, else the status.

use crate::kit::common::limited;
use crate::kit::errors::by_data;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Classification, Reply, ReplyClass};

/// Seconds to wait where a limit was hit and the vendor does not say: its limits are by the minute, and a daily one
/// is asked about again.
const MINUTE: u64 = 60;

/// Classifies one reply. Which calls the vendor counts is not published for errors, so each is.
pub(super) fn classify(_call: &Call, reply: &Reply) -> Classification {
    Classification {
        class: class(reply),
        charge: Charge::Most,
    }
}

fn class(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let error = root
        .map(|root| root.get("error"))
        .filter(|error| error.is_object());
    if let (200, None) = (reply.status, error) {
        return by_data(root, reply);
    }
    let code = error
        .and_then(|error| error.get("code").text())
        .unwrap_or_default();
    let said = error
        .and_then(|error| error.get("message").text())
        .map(|text| clean(&text));
    let text = |otherwise: &str| said.clone().unwrap_or_else(|| otherwise.to_owned());
    match (reply.status, code.as_str()) {
        (_, "NotFoundError") => ReplyClass::NotFound,
        // What stands between refuses by pages of its own, which say nothing of the key.
        (status @ (401 | 403), _) if error.is_none() => ReplyClass::Malformed(format!(
            "HTTP {status} without the vendor's error body: does a proxy or a firewall answer?"
        )),
        (_, "AuthenticationRequiredError" | "UserNotActiveError" | "WrongCredentialsError") | (401, _) => {
            ReplyClass::KeyRefused(text("the key was refused"))
        }
        (_, "ForbiddenError") | (403, _) => {
            ReplyClass::NotEntitled(text("the key may not see this; it may need a premium one"))
        }
        (_, "QuotaExceededError" | "TooManyRequestsError") | (429, _) => {
            limited(reply, text("the quota is used up")).otherwise(Some(MINUTE))
        }
        (404, _) if error.is_some() || reply.body.is_empty() => ReplyClass::NotFound,
        (404, _) => {
            ReplyClass::Malformed("404 without the vendor's error body: is the base URL right?".to_owned())
        }
        (status @ (424 | 500..=599), _) => ReplyClass::Retry(text(&format!("HTTP {status}"))),
        (status @ 400..=499, _) => ReplyClass::Refused(text(&format!("HTTP {status}"))),
        (200, "TransientError" | "DeadlineExceededError") => {
            ReplyClass::Retry(text("HTTP 200 with an error"))
        }
        (200, _) => ReplyClass::Refused(text("the vendor refused the question")),
        (status, _) => ReplyClass::Malformed(format!("HTTP {status}")),
    }
}
