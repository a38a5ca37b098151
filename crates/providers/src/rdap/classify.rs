//! Says what a reply of an RDAP server means.
//!
//! Errors are statuses (RFC 7480, 5); their bodies are an error object, a page, or nothing. Nothing costs money; each
//! attempt is counted as one call.

use super::{DESCRIPTOR, LOCATION, REGISTRAR};
use crate::kit::common::limited;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Classification, Reply, ReplyClass};

/// Says that a server is not followed to where it sends.
pub(super) const NOT_FOLLOWED: &str = "the server sends elsewhere, where it is not followed";

/// Returns where a server sends that does not answer itself (RFC 7480, 5.2).
pub(super) fn elsewhere(reply: &Reply) -> Option<&str> {
    let redirects = matches!(reply.status, 301 | 302 | 303 | 307 | 308);
    let location = reply.headers.get(LOCATION).filter(|_| redirects)?.trim();
    (!location.is_empty()).then_some(location)
}

/// Classifies one reply.
pub(super) fn classify(call: &Call, reply: &Reply) -> Classification {
    let class = if DESCRIPTOR
        .files
        .iter()
        .any(|file| call.product == file.name.as_str())
    {
        of_file(reply.status)
    } else {
        match (call.product.as_str(), of_object(reply)) {
            // A registrar's server is one of thousands: that it fails says nothing of the others, and it is not worth
            // a second attempt, since the registry has answered.
            (
                REGISTRAR,
                ReplyClass::Retry(message)
                | ReplyClass::Malformed(message)
                | ReplyClass::Limited { message, .. },
            ) => ReplyClass::Refused(message),
            (_, class) => class,
        }
    };
    Classification {
        class,
        charge: Charge::Most,
    }
}

/// Classifies a file of IANA's; what is in it is checked before it is kept.
fn of_file(status: u16) -> ReplyClass {
    match status {
        200 => ReplyClass::Good,
        404 => ReplyClass::NotFound,
        429 | 500..=599 => ReplyClass::Retry(format!("HTTP {status}")),
        _ => ReplyClass::Refused(format!("HTTP {status}")),
    }
}

fn of_object(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of).filter(|root| root.is_object());
    // Some servers send their error object with 200.
    let code = root
        .and_then(|root| root.get("errorCode").count())
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| reply.status == 200 && *code >= 300)
        .unwrap_or(reply.status);
    let message = root.and_then(said).unwrap_or_else(|| format!("HTTP {code}"));
    match (code, root) {
        // Whether it is followed is decided with the files at hand.
        _ if elsewhere(reply).is_some() => ReplyClass::Good,
        (200, Some(_)) => ReplyClass::Good,
        (200, None) if parsed.is_some() => ReplyClass::Malformed("the answer is no object".to_owned()),
        (200, None) => ReplyClass::Malformed("the answer is no JSON".to_owned()),
        // The server is the one that answers for this name or number, so this means "not registered".
        (404, _) => ReplyClass::NotFound,
        (429, _) => limited(reply, message),
        (300..=399, _) => ReplyClass::Refused(NOT_FOLLOWED.to_owned()),
        (501, _) => ReplyClass::Refused("the server does not answer this kind of question".to_owned()),
        (500..=599, _) => ReplyClass::Retry(message),
        // There is no key that could be refused: 401 and 403 are the server's choice of whom it answers.
        (400..=499, _) => ReplyClass::Refused(message),
        _ => ReplyClass::Malformed(message),
    }
}

/// Returns what the error object says for people.
fn said(root: Node<'_>) -> Option<String> {
    let title = root.get("title").text();
    let description = root.get("description").many().find_map(Node::text);
    title
        .or(description)
        .map(|text| clean(&text))
        .filter(|text| !text.is_empty())
}
