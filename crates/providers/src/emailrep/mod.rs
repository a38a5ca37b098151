//! Asks EmailRep.io what is known of an e-mail address.
//!
//! Facts are from the documentation of the EmailRep API. Measures of [`Capability::Reputation`]:
//!
//! * `reputation`: the vendor's word, `high`, `medium`, `low` or `none`; `none` means that there is too little to say.
//! * `flag`: one record for each of the vendor's flags that is true, under the vendor's name: `blacklisted`,
//!   `malicious_activity_recent`, `malicious_activity`, `suspicious`, `spam`, `disposable`, `new_domain`, `spoofable`,
//!   `free_provider`, `credentials_leaked`, `data_breach`, `suspicious_tld`.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::civil::Date;

use super::kit::common::{counted, key_header, object, offered, one, retry_after, segment};
use super::kit::dates;
use super::kit::errors::{by_status, said};
use super::kit::lenient;
use super::kit::tolerant::{Node, clean, json};
use super::{
    Call, Charge, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe,
    Product, Provider, ProviderError, Reply, ReplyClass, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind, Query, Record};

/// Name of its only origin.
pub const ORIGIN: &str = "api";
/// Name of its only product.
pub const QUERY: &str = "query";

/// Seconds after which a limit is asked about again where the vendor does not say: its day rolls, so that it opens at
/// any time.
pub const HOUR: u64 = 3600;

/// The flags that are told, the weightiest first. `suspicious` stands beside `details`, the others in it.
const FLAGS: [&str; 12] = [
    "blacklisted",
    "malicious_activity_recent",
    "malicious_activity",
    "suspicious",
    "spam",
    "disposable",
    "new_domain",
    "spoofable",
    FREE_PROVIDER,
    "credentials_leaked",
    "data_breach",
    "suspicious_tld",
];
/// The flag that tells of the domain alone, and nothing for or against it.
const FREE_PROVIDER: &str = "free_provider";

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://emailrep.io")],
        credentials: vec![CredentialField::secret("api_key", "API key")],
        offers: vec![Offer::of(
            Capability::Reputation,
            &[IndicatorKind::Email],
            &[Product::calls(QUERY)],
        )],
        // A free key has 10 questions a day and 250 a month, for which the default configuration has budgets.
        default_rate: names(&["1/s"]),
        probe: Some(Probe::of(
            Capability::Reputation,
            IndicatorKind::Email,
            "office@example.com",
        )),
        ..Descriptor::new("emailrep", "EmailRep.io")
    })
});

/// Answers questions through the EmailRep API.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmailRep;

impl Provider for EmailRep {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        let path = format!("/{}", segment(query.indicator.value()));
        Ok(one(Call::get(ORIGIN, QUERY, path), |reply| read(query, reply)))
    }

    /// Classifies one reply. Which ones the vendor counts is not published, so each is.
    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        Classification {
            class: class(reply),
            charge: Charge::Most,
        }
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        // The vendor also wants a User-Agent, which transport sends with every call.
        key_header(call, &DESCRIPTOR, "key", key)
    }
}

/// Says what a reply means. Errors are `{"status": "fail", "reason"}`.
fn class(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let said = said(root, |root| root.get("reason").text());
    let has = |name| root.is_some_and(|root| root.get(name).exists());
    if reply.status == 200 {
        return match said {
            Some(_) if has("reputation") || has("details") => ReplyClass::Good,
            Some(reason) if !reason.is_empty() => ReplyClass::Refused(reason),
            said => by_status(reply, said),
        };
    }
    match by_status(reply, said) {
        // Its words name the length of its day, of which some has passed.
        ReplyClass::Limited { message, .. } => ReplyClass::Limited {
            after: retry_after(reply).or(Some(HOUR)),
            message,
        },
        class => class,
    }
}

fn read(query: Query, reply: Option<Reply>) -> Result<Step, ProviderError> {
    let records = match reply {
        Some(reply) => records(Node::of(&json(&reply)?), query.indicator.value()),
        None => Vec::new(),
    };
    Ok(Step::Done(vec![object(&DESCRIPTOR, query, QUERY, records)]))
}

/// Makes the records of an address. One that was never reported, and that has no flag, is not known.
fn records(root: Node<'_>, asked: &str) -> Vec<Record> {
    let details = root.get("details");
    let link = format!("https://emailrep.io/{}", segment(asked));
    let is_true = |name: &&str| {
        [root, details]
            .iter()
            .any(|node| node.get(name).flag() == Some(true))
    };
    let flags: Vec<&str> = FLAGS.into_iter().filter(is_true).collect();
    let references = root.get("references").count().unwrap_or(0);
    let word = root
        .get("reputation")
        .text()
        .map(|word| clean(&word).to_lowercase());
    let word = word.filter(|word| !word.is_empty());
    let says_nothing = word.as_deref().is_none_or(|word| word == "none");
    if says_nothing && references == 0 && flags.iter().all(|flag| *flag == FREE_PROVIDER) {
        return Vec::new();
    }
    let reputation = word.map(|word| {
        Record::new()
            .with("measure", "reputation")
            .with("word", word)
            .with("reasons", reasons(references, details))
            .with_some("first_seen", day(details.get("first_seen")))
            .with_some("last_seen", day(details.get("last_seen")))
            .with("link", link.as_str())
    });
    let flagged = flags.iter().map(|flag| {
        let age = details.get("days_since_domain_creation").count();
        let age = age.filter(|_| *flag == "new_domain");
        let reasons = age.map(|days| vec![format!("the domain is {} old", counted(days, "day"))]);
        Record::new()
            .with("measure", "flag")
            .with("word", *flag)
            .with_some("reasons", reasons)
            .with("link", link.as_str())
    });
    reputation.into_iter().chain(flagged).collect()
}

/// Says what the word is made of.
fn reasons(references: u64, details: Node<'_>) -> Vec<String> {
    let mentions = (references > 0).then(|| counted(references, "reference"));
    let domain = details.get("domain_reputation").text().map(|word| clean(&word));
    let domain = domain.filter(|word| !word.eq_ignore_ascii_case("n/a"));
    let domain = domain.map(|word| format!("domain reputation: {word}"));
    let profiles: Vec<String> = details.get("profiles").texts().into_iter().take(10).collect();
    let profiles = (!profiles.is_empty()).then(|| format!("profiles: {}", clean(&profiles.join(", "))));
    [mentions, domain, profiles].into_iter().flatten().collect()
}

/// Reads a day, which the vendor writes as `MM/DD/YYYY`; `never` is none.
fn day(node: Node<'_>) -> Option<Date> {
    dates::month_first(&node.text()?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::kit::json::Json;
    use super::*;

    #[test]
    fn days_are_of_the_vendors_form() {
        let read = |text: &str| day(Node::of(&Json::from(&Value::from(text))));
        assert_eq!(read("02/16/2026"), Some(jiff::civil::date(2026, 2, 16)));
        for text in [
            "never",
            "16/02/2026",
            "02/16/2026/1",
            "2026-02-16",
            "02/30/2026",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
