//! Says what a reply of the VirusTotal API means, and what it cost.
//!
//! Errors are `{"error": {"code", "message"}}` with a word as code (VirusTotal API v3, errors); the word decides where
//! it is known, else the status.

use crate::kit::common::limited;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Judgement, Reply, Verdict};

/// Seconds to wait where a limit was hit and the vendor does not say: its limits are by the minute, and a daily one
/// is asked about again.
const MINUTE: u64 = 60;

/// Judges one reply. Which calls the vendor counts is not published for errors, so each is.
pub(super) fn judge(_call: &Call, reply: &Reply) -> Judgement {
    Judgement {
        verdict: verdict(reply),
        charge: Charge::Most,
    }
}

fn verdict(reply: &Reply) -> Verdict {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let error = root
        .map(|root| root.get("error"))
        .filter(|error| error.is_object());
    if let (200, None) = (reply.status, error) {
        return good(root, reply);
    }
    let code = error
        .and_then(|error| error.get("code").text())
        .unwrap_or_default();
    let said = error
        .and_then(|error| error.get("message").text())
        .map(|text| clean(&text));
    let text = |otherwise: &str| said.clone().unwrap_or_else(|| otherwise.to_owned());
    match (reply.status, code.as_str()) {
        (_, "NotFoundError") => Verdict::NotFound,
        // What stands between refuses by pages of its own, which say nothing of the key.
        (status @ (401 | 403), _) if error.is_none() => Verdict::Malformed(format!(
            "HTTP {status} without the vendor's error body: does a proxy or a firewall answer?"
        )),
        (_, "AuthenticationRequiredError" | "UserNotActiveError" | "WrongCredentialsError") | (401, _) => {
            Verdict::KeyRefused(text("the key was refused"))
        }
        (_, "ForbiddenError") | (403, _) => {
            Verdict::NotEntitled(text("the key may not see this; it may need a premium one"))
        }
        (_, "QuotaExceededError" | "TooManyRequestsError") | (429, _) => {
            limited(reply, text("the quota is used up")).otherwise(Some(MINUTE))
        }
        (404, _) if error.is_some() || reply.body.is_empty() => Verdict::NotFound,
        (404, _) => {
            Verdict::Malformed("404 without the vendor's error body: is the base URL right?".to_owned())
        }
        (status @ (424 | 500..=599), _) => Verdict::Retry(text(&format!("HTTP {status}"))),
        (status @ 400..=499, _) => Verdict::Refused(text(&format!("HTTP {status}"))),
        (200, "TransientError" | "DeadlineExceededError") => Verdict::Retry(text("HTTP 200 with an error")),
        (200, _) => Verdict::Refused(text("the vendor refused the question")),
        (status, _) => Verdict::Malformed(format!("HTTP {status}")),
    }
}

fn good(root: Option<Node<'_>>, reply: &Reply) -> Verdict {
    let Some(root) = root else {
        let page = reply.content_type.contains("html");
        return Verdict::Malformed(if page {
            "a web page came instead of JSON".to_owned()
        } else {
            "the answer is no JSON".to_owned()
        });
    };
    let data = root.get("data");
    if data.is_object() || data.is_list() {
        Verdict::Good
    } else {
        Verdict::Malformed("the answer has no `data`".to_owned())
    }
}
