//! Says what a failed reply means by its status, for vendors that document little else.

use super::common::{is_html, limited};
use super::tolerant::{Node, clean};
use crate::{Reply, ReplyClass};

/// Returns what an error's JSON object says, cleaned for people; empty where `text` finds nothing in it, `None` where
/// the body is no JSON object.
pub fn said<'a>(root: Option<Node<'a>>, text: impl FnOnce(Node<'a>) -> Option<String>) -> Option<String> {
    let root = root.filter(|root| root.is_object())?;
    Some(text(root).map(|text| clean(&text)).unwrap_or_default())
}

/// Classifies a reply that is no answer; `said` is what the vendor's own error says, `None` where the body is none.
///
/// What stands between refuses by pages of its own, which say nothing of the key.
pub fn by_status(reply: &Reply, said: Option<String>) -> ReplyClass {
    let status = reply.status;
    if said.is_none() && matches!(status, 401..=404) {
        return ReplyClass::Malformed(format!(
            "HTTP {status} without the vendor's error body: does a proxy or a firewall answer?"
        ));
    }
    let message = said
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("HTTP {status}"));
    match status {
        200..=299 if is_html(reply) => ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        200..=299 => ReplyClass::Malformed("the answer has not the vendor's shape".to_owned()),
        401 => ReplyClass::KeyRefused(message),
        402 | 403 => ReplyClass::NotEntitled(message),
        404 => ReplyClass::Malformed(format!("{message}: is the base URL right?")),
        429 => limited(reply, message),
        400..=499 => ReplyClass::Refused(message),
        500..=599 => ReplyClass::Retry(message),
        _ => ReplyClass::Malformed(message),
    }
}

/// Classifies a reply of status 200 whose answer stands in `data`, an object or a list.
pub fn by_data(root: Option<Node<'_>>, reply: &Reply) -> ReplyClass {
    let Some(root) = root else {
        return ReplyClass::Malformed(if is_html(reply) {
            "a web page came instead of JSON".to_owned()
        } else {
            "the answer is no JSON".to_owned()
        });
    };
    let data = root.get("data");
    if data.is_object() || data.is_list() {
        ReplyClass::Good
    } else {
        ReplyClass::Malformed("the answer has no `data`".to_owned())
    }
}
