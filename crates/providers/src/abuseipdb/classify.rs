//! Says what a reply of the AbuseIPDB API means. Each attempt is counted as one call.
//!
//! Errors are `{"errors": [{"detail", "status"}]}` (AbuseIPDB API v2, error handling); a service that is down was seen
//! to say `{"errors": [{"code", "message"}]}`.

use super::{DATE, RESET};
use crate::kit::common::until_reset;
use crate::kit::errors::{by_status, said};
use crate::kit::lenient;
use crate::kit::tolerant::Node;
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
    let root = parsed.as_ref().map(Node::of);
    if reply.status == 200 && root.is_some_and(|root| root.get("data").is_object()) {
        return ReplyClass::Good;
    }
    let said = said(root, |root| {
        let text = |error: Node<'_>| error.get("detail").text().or_else(|| error.get("message").text());
        root.get("errors").many().find_map(text)
    });
    by_status(reply, said).otherwise(until_reset(reply, RESET, DATE))
}
