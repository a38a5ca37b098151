//! Answers what the vendor's engines say of a name, an address, a URL or a file: how many call it malicious, of how
//! many that gave a verdict.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::common::{Statistics, answer, call, time};
use super::file::{MOST_TEXTS, file};
use super::{DOMAINS, FILES, IP_ADDRESSES, URLS};
use crate::kit::common::{one, one_query, segment};
use crate::kit::tolerant::{Node, clean, json, malformed};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::{Answer, Capability, Indicator, IndicatorKind, Query, Record};

/// How many engines are named as reasons.
const MOST_ENGINES: usize = 3;

/// Starts a look-up: one call for the object. That of a file answers the question for the file, too.
///
/// # Errors
/// [`ProviderError::Unsupported`] where the product holds other objects than the indicator's.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let (product, id) = object(&query.indicator);
    if lookup.product != product {
        return Err(ProviderError::Unsupported(format!(
            "VirusTotal's {} do not hold a {}",
            lookup.product,
            query.indicator.kind()
        )));
    }
    let call = call(product, format!("/api/v3/{product}/{}", segment(&id)));
    Ok(one(call, move |reply| {
        let body = reply.map(|reply| json(&reply)).transpose()?;
        let attributes = match &body {
            Some(body) => Some(attributes(Node::of(body))?),
            None => None,
        };
        let mut answers = vec![told(&query, product, attributes)];
        if product == FILES {
            let sibling = Query::new(Capability::File, query.indicator);
            let records = attributes.map(file).into_iter().collect();
            answers.push(answer(sibling, FILES, records));
        }
        Ok(Step::Done(answers))
    }))
}

/// Returns the attributes of an object.
///
/// # Errors
/// [`ProviderError::Malformed`] where there are none.
pub(super) fn attributes(root: Node<'_>) -> Result<Node<'_>, ProviderError> {
    let attributes = root.get("data").get("attributes");
    if attributes.is_object() {
        Ok(attributes)
    } else {
        Err(malformed("attributes"))
    }
}

/// Makes the answer to the question for the reputation from an object's attributes, which others read on their way.
pub(super) fn told(asked: &Query, product: &str, attributes: Option<Node<'_>>) -> Answer {
    let query = Query::new(Capability::Reputation, asked.indicator.clone());
    answer(query, product, attributes.map(read).unwrap_or_default())
}

/// Returns the vendor's collection and the object's id in it. The id of a URL is the URL in base64url without padding
/// (VirusTotal API v3, URL identifiers).
fn object(indicator: &Indicator) -> (&'static str, String) {
    let value = indicator.value();
    match indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => (IP_ADDRESSES, value.to_owned()),
        IndicatorKind::Url => (URLS, URL_SAFE_NO_PAD.encode(value)),
        IndicatorKind::Hash => (FILES, value.to_owned()),
        _ => (DOMAINS, value.to_owned()),
    }
}

/// Reads what the engines say: a record `engines`, and one `suspicious-engines` where there are any. An object that no
/// engine gave a verdict on has none, which is not the same as "harmless"; where none calls it harmless either, the first
/// is `undetected`, which says nothing. Votes of users are left out.
fn read(attributes: Node<'_>) -> Vec<Record> {
    let Some(statistics) =
        Statistics::read(attributes.get("last_analysis_stats")).filter(|all| all.engines > 0)
    else {
        return Vec::new();
    };
    let engines = statistics.engines;
    let record = |measure: &str, word: &str, count: i64| {
        let mut reasons = vec![format!("{count} of {engines} engines: {word}")];
        if word == "malicious" {
            reasons.extend(label(attributes));
        }
        reasons.extend(names(attributes, word));
        Record::new()
            .with("measure", measure)
            .with("value", count)
            .with("scale", format!("engines of {engines}"))
            .with("reasons", reasons)
            .with_some("last_seen", time(attributes.get("last_analysis_date")))
    };
    let mut tags = attributes.get("tags").texts();
    tags.truncate(MOST_TEXTS);
    let silent = statistics.malicious + statistics.suspicious + statistics.harmless == 0;
    let measure = if silent { "undetected" } else { "engines" };
    let mut records = vec![record(measure, "malicious", statistics.malicious).with("tags", tags)];
    if statistics.suspicious > 0 {
        records.push(record("suspicious-engines", "suspicious", statistics.suspicious));
    }
    records
}

/// Names the threat that most engines see in a file.
fn label(attributes: Node<'_>) -> Option<String> {
    let threat = attributes.get("popular_threat_classification");
    let label = threat.get("suggested_threat_label").text()?;
    Some(format!("threat label {}", clean(&label)))
}

/// Names the first engines of this verdict, by the alphabet, with what they call it.
fn names(attributes: Node<'_>, word: &str) -> Vec<String> {
    let named = |(name, result): (&str, Node<'_>)| {
        let category = result.get("category").text()?;
        let verdict = result.get("result").text().unwrap_or_else(|| word.to_owned());
        let text = || clean(&format!("{name}: {verdict}"));
        (category == word).then(text)
    };
    let all = attributes.get("last_analysis_results");
    let mut names: Vec<String> = all.members().filter_map(named).collect();
    names.sort_by_cached_key(|name| name.to_lowercase());
    names.truncate(MOST_ENGINES);
    names
}
