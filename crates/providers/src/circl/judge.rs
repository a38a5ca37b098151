//! Says what a reply of CIRCL's passive DNS means. Each attempt is counted as one call.

use crate::kit::cof;
use crate::kit::common::limited;
use crate::kit::tolerant::clean;
use crate::{Charge, Judgement, Reply, Verdict};

/// Judges one reply.
pub(super) fn judge(reply: &Reply) -> Judgement {
    Judgement {
        verdict: verdict(reply),
        charge: Charge::Most,
    }
}

fn verdict(reply: &Reply) -> Verdict {
    let is_page = reply.content_type.contains("html");
    let said = || {
        let text = clean(&String::from_utf8_lossy(&reply.body));
        if text.is_empty() || is_page {
            format!("HTTP {}", reply.status)
        } else {
            text
        }
    };
    match reply.status {
        200 => {
            let lines = cof::lines(reply);
            // No line at all is how "nothing is known" is told.
            if (lines.broken || lines.unread > 0) && lines.objects.is_empty() {
                Verdict::Malformed("the answer has no rows of JSON".to_owned())
            } else {
                Verdict::Good
            }
        }
        404 if is_page => Verdict::Malformed("404: is the base URL right?".to_owned()),
        404 => Verdict::NotFound,
        401 | 403 => Verdict::KeyRefused(said()),
        429 => limited(reply, said()),
        400..=499 => Verdict::Refused(said()),
        500..=599 => Verdict::Retry(format!("HTTP {}", reply.status)),
        status => Verdict::Malformed(format!("HTTP {status}")),
    }
}
