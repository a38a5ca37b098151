//! Asks GreyNoise's community API whether an IPv4 address scans the internet, or belongs to a service that many use.
//!
//! A key is optional. Facts are from the documentation of the GreyNoise community API, `/v3/community/{ip}`. Measures of
//! [`Capability::Reputation`]:
//!
//! * `classification`: the vendor's word, `malicious`, `benign` or `unknown`, of an address that scans the internet or
//!   is a common service's. `unknown` is there only of an address that scans.
//! * `riot`: the word `riot`, where the address belongs to a common business service; its name is the reason.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::common::{object, offered, one, segment};
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
pub const COMMUNITY: &str = "community";
const KEY_HEADER: &str = "key";

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
    origins: vec![Origin::new(ORIGIN, "https://api.greynoise.io")],
    credentials: vec![CredentialField::secret("api_key", "API key").optional()],
    offers: vec![Offer::of(
        Capability::Reputation,
        &[IndicatorKind::Ipv4],
        &[Product::calls(COMMUNITY)],
    )],
    // No rate is published; what is left of the quota bounds it, for which the default configuration has a budget.
    default_rate: names(&["1/s"]),
    // A root server of the DNS: private and reserved addresses are refused.
    probe: Some(Probe::of(Capability::Reputation, IndicatorKind::Ipv4, "198.41.0.4")),
    enabled: false,
    notice: Some("The community API answers few questions without a key, and whether its terms allow commercial use is not known here; read them first.".into()),
    ..Descriptor::new("greynoise", "GreyNoise")
    })
});

/// Answers questions through GreyNoise's community API.
#[derive(Debug, Clone, Copy, Default)]
pub struct GreyNoise;

impl Provider for GreyNoise {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        let path = format!("/v3/community/{}", segment(query.indicator.value()));
        Ok(one(Call::get(ORIGIN, COMMUNITY, path), |reply| {
            read(query, reply)
        }))
    }

    /// Classifies one reply. Which ones the vendor counts is not published, so each is.
    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        Classification {
            class: class(reply),
            charge: Charge::Most,
        }
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        let api_key = key.field("api_key");
        call.headers.retain(|(name, _)| *name != KEY_HEADER);
        if !api_key.is_empty() {
            call.set_header(KEY_HEADER, SecretString::from(api_key));
        }
        Ok(())
    }
}

/// Says what a reply means. 404 is the usual answer about an address that was never seen, and has its shape.
fn class(reply: &Reply) -> ReplyClass {
    let parsed = lenient::value(&reply.body).ok();
    let root = parsed.as_ref().map(Node::of);
    let has = |name| root.is_some_and(|root| root.get(name).exists());
    match reply.status {
        200 if has("noise") || has("riot") || has("classification") => ReplyClass::Good,
        404 if has("noise") || has("riot") || has("ip") => ReplyClass::NotFound,
        _ => by_status(reply, said(root, |root| root.get("message").text())),
    }
}

fn read(query: Query, reply: Option<Reply>) -> Result<Step, ProviderError> {
    let records = match reply {
        Some(reply) => records(Node::of(&json(&reply)?)),
        None => Vec::new(),
    };
    Ok(Step::Done(vec![object(&DESCRIPTOR, query, COMMUNITY, records)]))
}

/// Makes the records of an address.
fn records(root: Node<'_>) -> Vec<Record> {
    let is = |name| root.get(name).flag() == Some(true);
    let (scans, riot) = (is("noise"), is("riot"));
    let name = root.get("name").text().map(|name| clean(&name));
    let name = name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("unknown"));
    let link = root.get("link").text().and_then(|text| page(&text));
    let record = |measure: &str, word: &str, reasons: Vec<String>| {
        Record::new()
            .with("measure", measure)
            .with("word", word)
            .with("reasons", reasons)
            .with_some("last_seen", root.get("last_seen").day())
            .with_some("link", link.clone())
    };
    let mut records = Vec::new();
    let word = root
        .get("classification")
        .text()
        .map_or_else(|| "unknown".to_owned(), |word| clean(&word).to_lowercase());
    if scans || word != "unknown" {
        let scanning = scans.then(|| "scans the internet".to_owned());
        let known = name.as_ref().map(|name| format!("known as {name}"));
        records.push(record(
            "classification",
            &word,
            scanning.into_iter().chain(known).collect(),
        ));
    }
    if riot {
        let reason = name.unwrap_or_else(|| "a common business service".to_owned());
        records.push(record("riot", "riot", vec![reason]));
    }
    records
}

/// Returns the address of a page for people.
fn page(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|_| text.len() <= 2048)?;
    (matches!(url.scheme(), "http" | "https") && url.username().is_empty()).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_page() {
        for (text, is_page) in [
            ("https://viz.greynoise.io/ip/203.0.113.8", true),
            ("javascript:alert(1)", false),
            ("https://user@viz.greynoise.io/", false),
            ("", false),
        ] {
            assert_eq!(page(text).is_some(), is_page, "{text}");
        }
    }

    #[test]
    fn it_is_off_until_somebody_read_the_terms() {
        assert!(!DESCRIPTOR.enabled && DESCRIPTOR.notice.as_ref().unwrap().contains("commercial use"));
    }
}
