//! Says what a reply of mnemonic's API means. Each attempt is counted as one call.

use crate::kit::common::limited;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Charge, Classification, Reply, ReplyClass};

/// Classifies one reply.
pub(super) fn classify(reply: &Reply) -> Classification {
    Classification {
        class: class(reply),
        charge: Charge::Most,
    }
}

fn class(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of).filter(|root| root.is_object());
    // The envelope repeats the status, and may say more than HTTP does.
    let code = root
        .and_then(|root| root.get("responseCode").count())
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| reply.status == 200 && *code >= 300)
        .unwrap_or(reply.status);
    let message = root
        .and_then(|root| {
            root.get("messages")
                .many()
                .find_map(|one| one.get("message").text())
        })
        .map_or_else(|| format!("HTTP {code}"), |text| clean(&text));
    match code {
        200 => match root {
            Some(root) if root.get("data").is_list() => ReplyClass::Good,
            Some(_) => ReplyClass::Malformed("the answer has no `data`".to_owned()),
            None => ReplyClass::Malformed("the answer is no JSON object".to_owned()),
        },
        404 if root.is_some() => ReplyClass::NotFound,
        404 => ReplyClass::Malformed("404 without the vendor's envelope: is the base URL right?".to_owned()),
        401 => ReplyClass::KeyRefused(message),
        403 => ReplyClass::NotEntitled(message),
        // Not documented; other services say with 402 that what was bought is used up.
        402 | 429 => limited(reply, message),
        400..=499 => ReplyClass::Refused(message),
        500..=599 => ReplyClass::Retry(message),
        _ => ReplyClass::Malformed(message),
    }
}
