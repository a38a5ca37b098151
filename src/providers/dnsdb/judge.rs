//! Says what a reply of the DNSDB API means, and what it cost.
//!
//! Every query counts against the quota; whether one that is refused does is not said, so it is counted.

use jiff::fmt::rfc2822;

use super::{DATE, RATE_LIMIT, REMAINING, RESET, stream};
use crate::providers::common::retry_after;
use crate::providers::tolerant::{Node, clean, json};
use crate::providers::{Call, Charge, Judgement, Reply, Verdict};

/// Seconds to wait where too many connections are open and the vendor does not say how long.
const CONNECTIONS: u64 = 5;
/// The seconds of a day.
const DAY: u64 = 24 * 3600;

/// Judges one reply.
pub(super) fn judge(call: &Call, reply: &Reply) -> Judgement {
    Judgement {
        verdict: verdict(call, reply),
        charge: Charge::Most,
    }
}

fn verdict(call: &Call, reply: &Reply) -> Verdict {
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
            Ok(body) if Node::of(&body).get("rate").is_object() => Verdict::Good,
            _ => Verdict::Malformed("the answer has no `rate`".to_owned()),
        },
        200 if stream::is_one(reply) => Verdict::Good,
        200 => Verdict::Malformed("the answer is no stream of results".to_owned()),
        // Version 2 answers an unknown name with an empty stream; 404 is a path that does not exist.
        404 => Verdict::Malformed("404: is the base URL right?".to_owned()),
        // The key is right, and what it was sold for is over or another version of the API.
        401 => Verdict::NotEntitled(said()),
        403 => Verdict::KeyRefused(said()),
        429 => Verdict::Limited {
            after: retry_after(reply).or_else(|| until_reset(reply)),
            message: said(),
        },
        503 => Verdict::Limited {
            after: retry_after(reply).or(Some(CONNECTIONS)),
            message: said(),
        },
        415 => Verdict::Malformed(said()),
        400..=499 => Verdict::Refused(said()),
        500..=599 => Verdict::Retry(format!("HTTP {}", reply.status)),
        status => Verdict::Malformed(format!("HTTP {status}")),
    }
}

/// Returns the seconds from the vendor's own time to that at which the quota opens again.
///
/// A quota of which something remains is not the one that was hit: that is a burst, whose window is shorter.
fn until_reset(reply: &Reply) -> Option<u64> {
    let header = |name| reply.headers.get(name).map(|text| text.trim());
    let reset: i64 = header(RESET)
        .filter(|_| header(REMAINING) == Some("0"))?
        .parse()
        .ok()?;
    let now = rfc2822::parse(header(DATE)?).ok()?.timestamp();
    // Quotas are of a day; what is further away is no such time.
    let seconds = u64::try_from(reset.checked_sub(now.as_second())?).ok()?;
    (1..=DAY).contains(&seconds).then_some(seconds)
}
