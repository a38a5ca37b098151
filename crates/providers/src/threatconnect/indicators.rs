//! Lists the indicators of an incident.

use super::groups::{link, owner, tags};
use super::{GROUPS, INDICATORS, ORIGIN, pages, tql};
use crate::kit::common::one_query;
use crate::kit::facts::network;
use crate::kit::tolerant::{Node, address, clean, host};
use crate::{Call, Lookup, ProviderError, Step};
use pivotd_domain::indicator::HashType;
use pivotd_domain::{Indicator, IndicatorKind, Record};

/// Starts a list of the indicators of a group.
///
/// # Errors
/// [`ProviderError::Unsupported`] where the incident is not named by the vendor's id, a number.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?;
    let group: u64 = query.indicator.value().parse().map_err(|_| {
        ProviderError::Unsupported("ThreatConnect asks about an incident by its id, a number".to_owned())
    })?;
    let list = pages::List {
        product: INDICATORS,
        path: "/v3/indicators",
        tql: Some(tql::held_by(group)),
        fields: &["tags", "threatAssess"],
        read: indicator,
        of: Some(pages::Owner {
            call: Call::get(ORIGIN, GROUPS, "/v3/groups").with("tql", tql::group(group)),
            empty: "it exists and has no indicators",
        }),
    };
    pages::start(list, query.clone(), lookup)
}

/// Reads an indicator: what the vendor says of it, and the value as what it is.
pub(super) fn indicator(node: Node<'_>) -> Option<Record> {
    let kind = node.get("type").text()?;
    let summary = node.get("summary").text().or_else(|| named(node, &kind))?;
    let rating = node.get("rating").decimal();
    let day = |name: &str| node.get(name).day();
    let record = Record::new()
        .with_some(
            "rating",
            rating
                .filter(|rating| (0.0..=5.0).contains(rating))
                .map(|rating| rating.to_string()),
        )
        .with_some("confidence", node.get("confidence").score(100))
        .with_some("score", node.get("threatAssessScore").score(1000))
        .with_some("owner", owner(node))
        .with_some("first_seen", day("firstSeen").or_else(|| day("dateAdded")))
        .with_some("last_seen", day("lastSeen").or_else(|| day("lastModified")))
        .with("tags", tags(node))
        .with_some(
            "description",
            node.get("description").text().map(|text| clean(&text)),
        )
        .with_some("link", link(node));
    let record = typed(record, node, &kind, &summary);
    Some(record.with("type", kind).with("value", summary))
}

/// Returns the vendor's name of a type without what differs between its interfaces: case and spaces.
fn plain(kind: &str) -> String {
    kind.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Returns the value from the field of its type, where there is no summary.
fn named(node: Node<'_>, kind: &str) -> Option<String> {
    let name = match plain(kind).as_str() {
        "address" => "ip",
        "emailaddress" => "address",
        "host" => "hostName",
        "url" => "text",
        "asn" => "AS Number",
        "cidr" => "Block",
        "file" => {
            return ["sha256", "sha1", "md5"]
                .iter()
                .find_map(|name| node.get(name).text());
        }
        _ => return None,
    };
    node.get(name).text()
}

/// Adds the value in the field of its type, canonical; one that is none of that type stays text.
fn typed(record: Record, node: Node<'_>, kind: &str, summary: &str) -> Record {
    let parsed = |kind| {
        let parsed = Indicator::parse(kind, summary).ok();
        parsed.map(|parsed| parsed.value().to_owned())
    };
    match plain(kind).as_str() {
        "address" => record.with_some("ip", address(summary)),
        "host" => record.with_some("host", host(summary)),
        "url" => record.with_some("url", parsed(IndicatorKind::Url)),
        "emailaddress" => {
            let read = Indicator::read_as(&[IndicatorKind::Email], summary).ok();
            record.with_some("email", read.map(|taken| taken.indicator.value().to_owned()))
        }
        "asn" => record.with_some("asn", number(summary)),
        "cidr" => record.with_some("cidr", network(summary).map(|(range, _)| range)),
        "useragent" => record.with("user_agent", summary),
        "mutex" => record.with("mutex", summary),
        "registrykey" => record.with("registry_key", summary),
        "file" => hashes(record, node, summary),
        _ => record,
    }
}

/// Adds a file's hashes: from their fields, else from the summary, which joins them by " : ".
fn hashes(mut record: Record, node: Node<'_>, summary: &str) -> Record {
    let named = ["md5", "sha1", "sha256"]
        .iter()
        .filter_map(|name| node.get(name).text());
    for text in named.chain(summary.split(':').map(|part| part.trim().to_owned())) {
        let name = match HashType::of(&text) {
            Some(HashType::Md5) => "md5",
            Some(HashType::Sha1) => "sha1",
            Some(HashType::Sha256) => "sha256",
            Some(HashType::Sha512) | None => continue,
        };
        if record.get(name).is_none() {
            record.set(name, text.to_ascii_lowercase());
        }
    }
    let best = ["sha256", "sha1", "md5"]
        .iter()
        .find_map(|name| record.text(name).map(std::borrow::Cow::into_owned));
    record.with_some("hash", best)
}

/// Returns the number of an autonomous system, which the vendor writes as `ASN12345`.
fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let known = ["", "AS", "ASN"].iter().any(|prefix| {
        text.len() - digits.len() == prefix.len() && text.to_ascii_uppercase().starts_with(prefix)
    });
    digits
        .parse::<u32>()
        .ok()
        .filter(|_| known)
        .map(|number| number.to_string())
}
