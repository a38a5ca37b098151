//! Asks IPQualityScore how likely an e-mail address is a fraud.
//!
//! Facts are from the documentation of IPQualityScore's Email Verification API, and from clients that others published.
//! Measures of [`Capability::Reputation`]:
//!
//! * `fraud-score`: a value from 0 to 100. It is there where it is above 0 or a flag is: the vendor computes a number
//!   for any address, and 0 of one that it never met says nothing.
//! * `flag`: one record for each of these that the vendor sets: `honeypot`, `frequent_complainer`, `recent_abuse`,
//!   `leaked`, `disposable`, `suspect`, `spam_trap_high`, `spam_trap_medium` (its `spam_trap_score`) and `invalid` (its
//!   `valid` is false).

mod classify;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::kit::common::{key_header, object, offered, one};
use super::kit::tolerant::{Node, clean, json, malformed};
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind, Query, Record};

/// Name of its only origin.
pub const ORIGIN: &str = "api";
/// Name of its only product.
pub const EMAIL: &str = "email";

/// The vendor's flags, the weightiest first.
const FLAGS: [&str; 6] = [
    "honeypot",
    "frequent_complainer",
    "recent_abuse",
    "leaked",
    "disposable",
    "suspect",
];

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://www.ipqualityscore.com")],
        credentials: vec![CredentialField::secret("api_key", "API key")],
        offers: vec![Offer::of(
            Capability::Reputation,
            &[IndicatorKind::Email],
            &[Product::calls(EMAIL)],
        )],
        // No rate is published; plans have questions by the day and month.
        default_rate: names(&["1/s"]),
        probe: Some(Probe::of(
            Capability::Reputation,
            IndicatorKind::Email,
            "office@example.com",
        )),
        ..Descriptor::new("ipqs", "IPQualityScore")
    })
});

/// Answers questions through IPQualityScore's Email Verification API.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ipqs;

impl Provider for Ipqs {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        let call = Call::get(ORIGIN, EMAIL, "/api/json/email")
            .with("email", query.indicator.value())
            // Without it the vendor calls the address' mail server, whose owner could notice.
            .with("fast", "true");
        Ok(one(call, |reply| read(query, reply)))
    }

    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        classify::classify(reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        // The other way puts the key into the path, where logs have it.
        key_header(call, &DESCRIPTOR, "ipqs-key", key)
    }
}

fn read(query: Query, reply: Option<Reply>) -> Result<Step, ProviderError> {
    let Some(reply) = reply else {
        return Ok(Step::Done(vec![object(&DESCRIPTOR, query, EMAIL, Vec::new())]));
    };
    let body = json(&reply)?;
    let root = Node::of(&body);
    let mut made = object(&DESCRIPTOR, query, EMAIL, records(root)?);
    if root.get("timed_out").flag() == Some(true) {
        made.missing
            .push("what the mail server says: it did not answer in time".to_owned());
    }
    Ok(Step::Done(vec![made]))
}

/// Makes the records of an address.
fn records(root: Node<'_>) -> Result<Vec<Record>, ProviderError> {
    let score = root
        .get("fraud_score")
        .score(100)
        .ok_or_else(|| malformed("fraud_score"))?;
    let mut flags: Vec<&str> = FLAGS
        .into_iter()
        .filter(|name| root.get(name).flag() == Some(true))
        .collect();
    let trap = root.get("spam_trap_score").text().map(|word| word.to_lowercase());
    flags.extend(match trap.as_deref() {
        Some("high") => Some("spam_trap_high"),
        Some("medium") => Some("spam_trap_medium"),
        _ => None,
    });
    if root.get("valid").flag() == Some(false) {
        flags.push("invalid");
    }
    if score == 0 && flags.is_empty() {
        return Ok(Vec::new());
    }
    let first = root.get("first_seen").get("iso");
    let scored = Record::new()
        .with("measure", "fraud-score")
        .with("value", score)
        .with("scale", "0-100")
        .with("reasons", reasons(root))
        .with_some("first_seen", first.when());
    let flagged = flags
        .into_iter()
        .map(|flag| Record::new().with("measure", "flag").with("word", flag));
    Ok(std::iter::once(scored).chain(flagged).collect())
}

/// Says what the vendor tells of the address beside its flags.
fn reasons(root: Node<'_>) -> Vec<String> {
    [
        ("deliverability", root.get("deliverability").text()),
        ("domain age", root.get("domain_age").get("human").text()),
        ("first seen", root.get("first_seen").get("human").text()),
        ("user activity", root.get("user_activity").text()),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name, clean(&text?))))
    .filter(|(_, text)| !["none", "n/a"].contains(&text.to_lowercase().as_str()))
    .map(|(name, text)| format!("{name}: {text}"))
    .collect()
}
