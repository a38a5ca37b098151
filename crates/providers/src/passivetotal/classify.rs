//! Says what a reply means. Errors are told by the status; the text stands under `error` or `message`.

use crate::kit::common::limited;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Charge, Classification, Reply, ReplyClass};

/// Classifies one reply. The vendor counts searches and does not say which of them are free, so all were charged.
pub(super) fn classify(reply: &Reply) -> Classification {
    Classification {
        class: class(reply),
        charge: Charge::Most,
    }
}

fn class(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of).filter(|root| root.is_object());
    let said = root.and_then(|root| {
        let error = root.get("error");
        error
            .get("message")
            .text()
            .or_else(|| error.text())
            .or_else(|| root.get("message").text())
            .map(|text| clean(&text))
    });
    let text = |otherwise: &str| said.clone().unwrap_or_else(|| otherwise.to_owned());
    let status = reply.status;
    match status {
        200 if root.is_some() => ReplyClass::Good,
        200 => ReplyClass::Malformed("the answer is no JSON object".to_owned()),
        // No content.
        204 => ReplyClass::NotFound,
        404 if root.is_some() || reply.body.is_empty() => ReplyClass::NotFound,
        // What stands at the retired service's name answers so.
        404 => {
            ReplyClass::Malformed("404 without a body of PassiveTotal's: is the base URL right?".to_owned())
        }
        401 => ReplyClass::KeyRefused(text("user name or key are refused")),
        403 => ReplyClass::NotEntitled(text("access was denied")),
        // The search quota is told by either; when it opens is not said.
        402 | 429 => limited(reply, text("a quota or a rate limit was hit")),
        400..=499 => ReplyClass::Refused(text(&format!("HTTP {status}"))),
        500..=599 => ReplyClass::Retry(text(&format!("HTTP {status}"))),
        _ => ReplyClass::Malformed(format!("HTTP {status}")),
    }
}
