//! Says what a reply of the AbuseIPDB API means. Each attempt is counted as one call.
//!
//! Errors are `{"errors": [{"detail", "status"}]}` (AbuseIPDB API v2, error handling); a service that is down was seen
//! to say `{"errors": [{"code", "message"}]}`.

use super::{DATE, RESET};
use crate::kit::common::until_reset;
use crate::kit::errors::{by_status, said};
use crate::kit::lenient;
use crate::kit::tolerant::Node;
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
    let root = parsed.as_ref().map(Node::of);
    if reply.status == 200 && root.is_some_and(|root| root.get("data").is_object()) {
        return Verdict::Good;
    }
    let said = said(root, |root| {
        let text = |error: Node<'_>| error.get("detail").text().or_else(|| error.get("message").text());
        root.get("errors").many().find_map(text)
    });
    by_status(reply, said).otherwise(until_reset(reply, RESET, DATE))
}
