//! Says what a reply of the DNSDB API means, and what it cost.
//!
//! Every query counts against the quota; whether one that is refused does is not said, so it is counted.

use super::{DATE, RATE_LIMIT, REMAINING, RESET, stream};
use crate::kit::common::{limited, until_reset};
use crate::kit::tolerant::{Node, clean, json};
use crate::{Call, Charge, Classification, Reply, ReplyClass};

/// Seconds to wait where too many connections are open and the vendor does not say how long.
const CONNECTIONS: u64 = 5;

/// Classifies one reply.
pub(super) fn classify(call: &Call, reply: &Reply) -> Classification {
    Classification {
        class: class(call, reply),
        charge: Charge::Most,
    }
}

fn class(call: &Call, reply: &Reply) -> ReplyClass {
    // Errors are plain text, and pages where a gateway writes them.
    let said = || {
        let text = clean(&String::from_utf8_lossy(&reply.body));
        if text.is_empty() {
            format!("HTTP {}", reply.status)
        } else {
            text
        }
    };
    match reply.status {
        200 if call.product == RATE_LIMIT => match json(reply) {
            Ok(body) if Node::of(&body).get("rate").is_object() => ReplyClass::Good,
            _ => ReplyClass::Malformed("the answer has no `rate`".to_owned()),
        },
        200 if stream::is_one(reply) => ReplyClass::Good,
        200 => ReplyClass::Malformed("the answer is no stream of results".to_owned()),
        // Version 2 answers an unknown name with an empty stream; 404 is a path that does not exist.
        404 => ReplyClass::Malformed("404: is the base URL right?".to_owned()),
        // The key is right, and what it was sold for is over or another version of the API.
        401 => ReplyClass::NotEntitled(said()),
        403 => ReplyClass::KeyRefused(said()),
        429 => limited(reply, said()).otherwise(until_open(reply)),
        503 => limited(reply, said()).otherwise(Some(CONNECTIONS)),
        415 => ReplyClass::Malformed(said()),
        400..=499 => ReplyClass::Refused(said()),
        500..=599 => ReplyClass::Retry(format!("HTTP {}", reply.status)),
        status => ReplyClass::Malformed(format!("HTTP {status}")),
    }
}

/// Returns the seconds until the quota opens again.
///
/// A quota of which something remains is not the one that was hit: that is a burst, whose window is shorter.
fn until_open(reply: &Reply) -> Option<u64> {
    let remaining = reply.headers.get(REMAINING).map(|text| text.trim());
    (remaining == Some("0"))
        .then(|| until_reset(reply, RESET, DATE))
        .flatten()
}
