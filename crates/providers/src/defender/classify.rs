//! Says what a reply of Graph, or of the place that sells tokens, means.
//!
//! Graph's envelope is `{"error": {"code", "message"}}`; the other's is `{"error": "…", "error_description": "…"}`.
//! Errors of either can come as a web page, so the status goes first.

use super::LOGIN;
use crate::kit::common::limited;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Classification, Reply, ReplyClass};

/// Classifies one reply. Tokens are free; what else is free is not said.
pub(super) fn classify(call: &Call, reply: &Reply) -> Classification {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of).filter(|root| root.is_object());
    if call.origin == LOGIN {
        return Classification {
            class: token(reply, root),
            charge: Charge::Free,
        };
    }
    Classification {
        class: graph(reply, root),
        charge: Charge::Most,
    }
}

/// Classifies the answer to a call for a token.
fn token(reply: &Reply, root: Option<Node<'_>>) -> ReplyClass {
    let code = root.and_then(|root| root.get("error").text()).unwrap_or_default();
    // The description ends in numbers for the vendor's support.
    let said = root
        .and_then(|root| root.get("error_description").text())
        .map(|text| {
            let text = clean(&text);
            let end = text.find(" Trace ID").unwrap_or(text.len());
            text.get(..end).unwrap_or_default().to_owned()
        });
    let text = |otherwise: &str| said.clone().unwrap_or_else(|| otherwise.to_owned());
    let status = reply.status;
    match (status, code.as_str()) {
        (200, _) if root.is_some_and(|root| root.get("access_token").exists()) => ReplyClass::Good,
        (200, _) => ReplyClass::Malformed("the answer holds no token".to_owned()),
        (429, _) => limited(reply, text("too many tokens were asked for")),
        // RFC 6749, 4.1.2.1, which the vendor uses here too.
        (400..=499, "temporarily_unavailable" | "server_error") => ReplyClass::Retry(text(&code)),
        // Something in between, such as a proxy, says nothing of the key.
        (400 | 401 | 403, "") => {
            ReplyClass::Malformed(format!("HTTP {status} without the vendor's error body"))
        }
        // A wrong secret, client or tenant, or consent that was never given: nothing to be had until the key changes.
        (400 | 401 | 403, _) => ReplyClass::KeyRefused(text("tenant, client or secret are refused")),
        (500..=599, _) => ReplyClass::Retry(text(&format!("HTTP {status}"))),
        _ => ReplyClass::Malformed(format!(
            "HTTP {status} instead of a token: is the base URL right?"
        )),
    }
}

/// Classifies the answer to any other call.
fn graph(reply: &Reply, root: Option<Node<'_>>) -> ReplyClass {
    let error = root.map(|root| root.get("error"));
    let read = |name| {
        error
            .and_then(|error| error.get(name).text())
            .map(|text| clean(&text))
    };
    let (code, said) = (read("code"), read("message"));
    let text = |otherwise: &str| {
        let said = said.clone().or_else(|| code.clone());
        said.unwrap_or_else(|| otherwise.to_owned())
    };
    let status = reply.status;
    match status {
        200 if root.is_some() && !error.is_some_and(Node::exists) => ReplyClass::Good,
        200 => ReplyClass::Malformed("the answer is no JSON object of Graph's".to_owned()),
        204 => ReplyClass::NotFound,
        404 if root.is_some() || reply.body.is_empty() => ReplyClass::NotFound,
        404 => ReplyClass::Malformed("404 without Graph's error body: is the base URL right?".to_owned()),
        // Mostly InvalidAuthenticationToken; whether the key is at fault shows when the next token is refused, too.
        401 => ReplyClass::SessionEnded(text("the token is refused")),
        403 => ReplyClass::NotEntitled(forbidden(code.as_deref(), said.as_deref())),
        429 => limited(reply, text("Graph's limit was hit")),
        400..=499 => ReplyClass::Refused(text(&format!("HTTP {status}"))),
        500..=599 => ReplyClass::Retry(text(&format!("HTTP {status}"))),
        _ => ReplyClass::Malformed(format!("HTTP {status}")),
    }
}

/// Says what a 403 means. Which code stands for a missing licence is not published, so the words decide, and where
/// they do not, both are said.
fn forbidden(code: Option<&str>, said: Option<&str>) -> String {
    const LICENCE: &str = "the tenant has no licence for threat intelligence (Defender XDR or Sentinel)";
    const PERMISSION: &str = "the application lacks the permission ThreatIntelligence.Read.All, or an administrator's consent to it";
    let words = format!("{} {}", code.unwrap_or_default(), said.unwrap_or_default()).to_lowercase();
    let any = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let licence = any(&["licen", "subscription"]);
    let permission = any(&["permission", "scope", "role", "consent", "privilege"]);
    let reason = match (licence, permission) {
        (true, false) => LICENCE.to_owned(),
        (false, true) => PERMISSION.to_owned(),
        _ => format!("either {PERMISSION}, or {LICENCE}"),
    };
    match said.or(code) {
        Some(said) => format!("{reason} (\"{said}\")"),
        None => reason,
    }
}
