//! Says what a reply of CIRCL's passive DNS means. Each attempt is counted as one call.

use crate::kit::cof;
use crate::kit::common::limited;
use crate::kit::tolerant::clean;
use crate::{Charge, Classification, Reply, ReplyClass};

/// Classifies one reply.
pub(super) fn classify(reply: &Reply) -> Classification {
    Classification {
        class: class(reply),
        charge: Charge::Most,
    }
}

fn class(reply: &Reply) -> ReplyClass {
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
                ReplyClass::Malformed("the answer has no rows of JSON".to_owned())
            } else {
                ReplyClass::Good
            }
        }
        404 if is_page => ReplyClass::Malformed("404: is the base URL right?".to_owned()),
        404 => ReplyClass::NotFound,
        401 | 403 => ReplyClass::KeyRefused(said()),
        429 => limited(reply, said()),
        400..=499 => ReplyClass::Refused(said()),
        500..=599 => ReplyClass::Retry(format!("HTTP {}", reply.status)),
        status => ReplyClass::Malformed(format!("HTTP {status}")),
    }
}
