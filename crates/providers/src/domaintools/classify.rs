//! Says what a reply of the DomainTools API means, and what it cost.
//!
//! The vendor's envelope is `{"response": …}` or `{"error": {"code", "message"}}`. The status alone
//! does not tell: 503 is the rate limit *and* a report that is too large, 403 is a refused key *and* a
//! product outside the subscription. The recorded messages decide.

use crate::kit::common::{is_html, limited};
use crate::kit::lenient;
use crate::kit::tolerant::{Node, clean};
use crate::{Call, Charge, Classification, Cost, Reply, ReplyClass};

/// Seconds that the vendor's own client library waits when a per-minute limit was hit.
const MINUTE: u64 = 60;

/// Classifies one reply.
pub(super) fn classify(call: &Call, reply: &Reply) -> Classification {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let error = root
        .map(|root| root.get("error"))
        .filter(|error| error.is_object());
    if let (200 | 206, None) = (reply.status, error) {
        return good(call, reply, root);
    }
    // What came with a refusal of the rest is an answer, and asking again would be refused.
    if let Some(root) =
        root.filter(|root| (400..600).contains(&reply.status) && holds_a_part(root.get("response")))
    {
        return good(call, reply, Some(root));
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
    let class = failed(code, message.as_deref(), reply, root.is_some_and(Node::is_object));
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
    Classification { class, charge }
}

fn good(call: &Call, reply: &Reply, root: Option<Node<'_>>) -> Classification {
    let fault = |message: &str| Classification {
        class: ReplyClass::Malformed(message.to_owned()),
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
    Classification {
        class: ReplyClass::Good,
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
        i64::try_from(history.rows().count()).unwrap_or(i64::MAX),
    ))
}

fn failed(code: u16, message: Option<&str>, reply: &Reply, is_object: bool) -> ReplyClass {
    let said = message.unwrap_or_default().to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let text = |otherwise: &str| message.unwrap_or(otherwise).to_owned();
    match code {
        404 if is_object || reply.body.is_empty() => ReplyClass::NotFound,
        404 => {
            ReplyClass::Malformed("404 without the vendor's error body: is the base URL right?".to_owned())
        }
        401 | 403 => access(
            code,
            any(KEY_WORDS),
            any(PRODUCT_WORDS),
            text("access was denied"),
        ),
        429 => limited(reply, text("a rate limit was hit")),
        503 if any(&["exceeds the maximum", "size of this report", "too large"]) => {
            ReplyClass::Refused(text("the report is too large"))
        }
        503 if any(&["maintenance", "temporarily unavailable"]) => ReplyClass::Retry(text("HTTP 503")),
        503 if is_object => limited(reply, text("a rate limit was hit")).otherwise(Some(MINUTE)),
        400 | 405..=428 | 430..=499 | 402 => ReplyClass::Refused(text(&format!("HTTP {code}"))),
        500..=599 => ReplyClass::Retry(text(&format!("HTTP {code}"))),
        _ => ReplyClass::Malformed(format!("HTTP {code}")),
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
/// refused" would close the whole account until an administrator changes a key that may be right.
fn access(code: u16, of_key: bool, of_product: bool, message: String) -> ReplyClass {
    if of_product || (code == 403 && !of_key) {
        ReplyClass::NotEntitled(message)
    } else {
        ReplyClass::KeyRefused(message)
    }
}

/// Tells whether the response to a question that was refused holds rows all the same: any list or object that is not
/// empty.
fn holds_a_part(response: Node<'_>) -> bool {
    response.members().any(|(name, node)| {
        let is_part = node.raw().next().is_some() || node.members().next().is_some();
        is_part && !matches!(name, "error" | "message" | "errors")
    })
}

/// Says whether the vendor gave only a part: HTTP 206, `limit_exceeded` or an error beside what came, or a status that
/// refuses the rest, as 429 does where the service level was reached.
pub(super) fn partial(reply: &Reply, response: Node<'_>) -> Option<String> {
    let said = |name: &str| response.get(name).text().map(|text| clean(&text));
    if response.get("limit_exceeded").flag() == Some(true) {
        return Some(said("message").unwrap_or_else(|| "the vendor's limit was exceeded".to_owned()));
    }
    if let Some(error) = said("error").filter(|text| !text.is_empty()) {
        return Some(error);
    }
    (reply.status != 200).then(|| {
        let why = said("message").unwrap_or_else(|| format!("HTTP {}", reply.status));
        format!("the vendor gave a part of the answer ({why})")
    })
}
