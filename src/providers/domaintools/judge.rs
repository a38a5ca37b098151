//! Says what a reply of the DomainTools API means, and what it cost.
//!
//! The vendor's envelope is `{"response": …}` or `{"error": {"code", "message"}}`. The status alone
//! does not tell: 503 is the rate limit *and* a report that is too large, 403 is a refused key *and* a
//! product outside the subscription. The recorded messages decide.

use serde_json::Value;

use crate::providers::common::{is_html, retry_after};
use crate::providers::tolerant::{Node, clean};
use crate::providers::{Call, Charge, Cost, Judgement, Reply, Verdict};

/// Seconds that the vendor's own client library waits when a per-minute limit was hit.
const MINUTE: u64 = 60;

/// Judges one reply.
pub(super) fn judge(call: &Call, reply: &Reply) -> Judgement {
    let parsed = serde_json::from_slice::<Value>(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let error = root
        .map(|root| root.get("error"))
        .filter(|error| error.is_object());
    if let (200 | 206, None) = (reply.status, error) {
        return good(call, reply, root);
    }
    // A gateway that answers 200 with the vendor's error envelope still carries the vendor's code.
    let code = match reply.status {
        200 | 206 => error
            .and_then(|error| error.get("code").count())
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| *code >= 300)
            .unwrap_or(500),
        status => status,
    };
    let message = error
        .and_then(|error| error.get("message").text())
        .map(|text| clean(&text));
    let verdict = failed(code, message.as_deref(), reply, root.is_some_and(Node::is_object));
    // Records are billed as they are returned (DomainTools API, whois history), and the vendor's error
    // envelope returns none. A purchase that failed is not said to be free.
    let charge = if error.is_some() {
        Charge::Known(Cost {
            records: 0,
            ..call.max_cost
        })
    } else {
        Charge::Most
    };
    Judgement { verdict, charge }
}

fn good(call: &Call, reply: &Reply, root: Option<Node<'_>>) -> Judgement {
    let fault = |message: &str| Judgement {
        verdict: Verdict::Malformed(message.to_owned()),
        charge: Charge::Most,
    };
    let Some(root) = root else {
        return fault(if is_html(reply) {
            "a web page came instead of JSON"
        } else {
            "the answer is no JSON"
        });
    };
    let response = root.get("response");
    if !response.is_object() {
        return fault("the answer has no `response`");
    }
    Judgement {
        verdict: Verdict::Good,
        charge: cost(call, response),
    }
}

/// Tells what a good reply cost: captures are counted, everything else was known before.
fn cost(call: &Call, response: Node<'_>) -> Charge {
    if call.product != super::WHOIS_HISTORY {
        return Charge::Most;
    }
    let history = response.get("history");
    if !history.is_list() {
        return Charge::Most;
    }
    Charge::Known(Cost::records(
        i64::try_from(history.many().count()).unwrap_or(i64::MAX),
    ))
}

fn failed(code: u16, message: Option<&str>, reply: &Reply, is_object: bool) -> Verdict {
    let said = message.unwrap_or_default().to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let text = |otherwise: &str| message.unwrap_or(otherwise).to_owned();
    match code {
        404 if is_object || reply.body.is_empty() => Verdict::NotFound,
        404 => Verdict::Malformed("404 without the vendor's error body: is the base URL right?".to_owned()),
        401 | 403 => access(
            code,
            any(KEY_WORDS),
            any(PRODUCT_WORDS),
            text("access was denied"),
        ),
        429 => Verdict::Limited {
            after: retry_after(reply),
            message: text("a rate limit was hit"),
        },
        503 if any(&["exceeds the maximum", "size of this report", "too large"]) => {
            Verdict::Refused(text("the report is too large"))
        }
        503 if any(&["maintenance", "temporarily unavailable"]) => Verdict::Retry(text("HTTP 503")),
        503 if is_object => Verdict::Limited {
            after: retry_after(reply).or(Some(MINUTE)),
            message: text("a rate limit was hit"),
        },
        400 | 405..=428 | 430..=499 | 402 => Verdict::Refused(text(&format!("HTTP {code}"))),
        500..=599 => Verdict::Retry(text(&format!("HTTP {code}"))),
        _ => Verdict::Malformed(format!("HTTP {code}")),
    }
}

/// Words of messages about the key itself, from the recorded refusal and the vendor's client.
const KEY_WORDS: &[&str] = &[
    "credential",
    "active account",
    "signature",
    "timestamp",
    "api key",
    "api_key",
    "username",
    "authenticat",
];

/// Words of messages about what the key may use.
const PRODUCT_WORDS: &[&str] = &[
    "subscription",
    "product",
    "not have access",
    "permission",
    "entitle",
    "upgrade",
    "not enabled",
];

/// Tells a refused key from a product outside the subscription.
///
/// A 403 whose message is neither is taken as "not entitled": that closes one product, where "key
/// refused" would close the whole account until somebody changes a key that may be right.
fn access(code: u16, of_key: bool, of_product: bool, message: String) -> Verdict {
    if of_product || (code == 403 && !of_key) {
        Verdict::NotEntitled(message)
    } else {
        Verdict::KeyRefused(message)
    }
}

/// Says whether the vendor gave only a part: HTTP 206, or `limit_exceeded` in a 200.
pub(super) fn partial(reply: &Reply, response: Node<'_>) -> Option<String> {
    let message = || response.get("message").text().map(|text| clean(&text));
    if response.get("limit_exceeded").flag() == Some(true) {
        return Some(message().unwrap_or_else(|| "the vendor's limit was exceeded".to_owned()));
    }
    (reply.status == 206).then(|| "the vendor gave a part of the answer (HTTP 206)".to_owned())
}
