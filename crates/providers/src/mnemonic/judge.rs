//! Says what a reply of mnemonic's API means. Each attempt is counted as one call.

use crate::kit::common::limited;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Charge, Judgement, Reply, Verdict};

/// Judges one reply.
pub(super) fn judge(reply: &Reply) -> Judgement {
    Judgement {
        verdict: verdict(reply),
        charge: Charge::Most,
    }
}

fn verdict(reply: &Reply) -> Verdict {
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
            Some(root) if root.get("data").is_list() => Verdict::Good,
            Some(_) => Verdict::Malformed("the answer has no `data`".to_owned()),
            None => Verdict::Malformed("the answer is no JSON object".to_owned()),
        },
        404 if root.is_some() => Verdict::NotFound,
        404 => Verdict::Malformed("404 without the vendor's envelope: is the base URL right?".to_owned()),
        401 => Verdict::KeyRefused(message),
        403 => Verdict::NotEntitled(message),
        // Not documented; other services say with 402 that what was bought is used up.
        402 | 429 => limited(reply, message),
        400..=499 => Verdict::Refused(message),
        500..=599 => Verdict::Retry(message),
        _ => Verdict::Malformed(message),
    }
}
