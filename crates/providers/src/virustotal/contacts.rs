//! Answers what a file contacted in the vendor's sandboxes: domains, addresses and URLs.
//!
//! Each is a relationship of its own. One that the key may not see is not covered, and the others are still told.

use super::common::{Statistics, call};
use super::{CONTACTED_DOMAINS, CONTACTED_IPS, CONTACTED_URLS, DESCRIPTOR};
use crate::kit::common::{one_query, segment, uncovered};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json};
use crate::{Lookup, ProviderError, Replied, Step};
use pivotd_domain::{Denial, FailureKind, Indicator, IndicatorKind, Query, Record};

/// The most rows that one call may ask for (VirusTotal API v3, relationships).
pub(super) const PAGE: usize = 40;

/// The relationships, with what people call them.
const ALL: [(&str, &str); 3] = [
    (CONTACTED_DOMAINS, "domains"),
    (CONTACTED_IPS, "addresses"),
    (CONTACTED_URLS, "URLs"),
];

/// Starts a look-up of contacts.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    // A product that is not entitled is passed over by the engine; the first look-up asks for all three.
    let asked: Vec<_> = ALL
        .into_iter()
        .skip_while(|(product, _)| lookup.product != *product)
        .collect();
    let id = segment(query.indicator.value());
    let calls = asked
        .iter()
        .map(|(product, _)| {
            call(product, format!("/api/v3/files/{id}/{product}")).with("limit", PAGE.to_string())
        })
        .collect();
    let product = lookup.product.clone();
    Ok(Step::Calls {
        calls,
        then: Box::new(move |replies| finish(query, &product, &asked, replies)),
    })
}

fn finish(
    query: Query,
    product: &str,
    asked: &[(&'static str, &'static str)],
    replies: Vec<Replied>,
) -> Result<Step, ProviderError> {
    let (mut gathered, mut missing, mut notes, mut first) = (Rows::default(), Vec::new(), Vec::new(), None);
    let mut good = false;
    // The relationships before this product are closed to the key.
    for (product, people) in ALL {
        if !asked.iter().any(|(known, _)| *known == product) {
            notes.push(format!("Contacted {people}: not in your subscription."));
        }
    }
    for ((product, people), replied) in asked.iter().zip(replies) {
        let reply = match replied {
            Replied::Good(reply) => reply,
            Replied::NotFound(_) => {
                good = true;
                continue;
            }
            // The normal state of a free key, which another try does not change.
            Replied::Failed(failure) if failure.kind == FailureKind::Denied(Denial::NotEntitled) => {
                notes.push(format!(
                    "Contacted {people}: {}.",
                    failure.message.trim_end_matches('.')
                ));
                first.get_or_insert(ProviderError::Failed(failure));
                continue;
            }
            Replied::Failed(failure) => {
                missing.push(format!("contacted {people}: {}", failure.message));
                first.get_or_insert(ProviderError::Failed(failure));
                continue;
            }
        };
        let body = match json(&reply) {
            Ok(body) => body,
            Err(error) => {
                missing.push(format!("contacted {people}: {error}"));
                first.get_or_insert(error);
                continue;
            }
        };
        good = true;
        let root = Node::of(&body);
        let rows = root.get("data").rows().take(10 * PAGE);
        let before = gathered.records().len();
        gathered.extend(rows.map(|row| Row::from(contact(product, row))));
        let count = gathered.records().len() - before;
        if root.get("meta").get("cursor").text().is_some() {
            notes.push(format!(
                "The first {count} contacted {people}; VirusTotal has more."
            ));
        }
    }
    if let Some(error) = first.filter(|_| !good) {
        return Err(error);
    }
    let mut found = gathered.answer_lacking(&DESCRIPTOR, query, product, missing)?;
    if !(found.missing.is_empty() && notes.is_empty()) {
        found.total = None;
    }
    uncovered(&mut found, &notes);
    Ok(Step::Done(vec![found]))
}

fn contact(product: &str, row: Node<'_>) -> Option<Record> {
    let attributes = row.get("attributes");
    let id = row.get("id");
    let (field, value) = match product {
        CONTACTED_DOMAINS => ("host", id.host()?),
        CONTACTED_IPS => ("ip", id.address()?),
        // The id of a URL is a digest.
        _ => ("url", url(attributes)?),
    };
    let statistics = Statistics::read(attributes.get("last_analysis_stats"));
    let asn = attributes.get("asn").count().filter(|asn| *asn > 0);
    let mut record = Record::new()
        .with(field, value)
        .with_some("malicious", statistics.as_ref().map(|all| all.malicious))
        .with_some("engines", statistics.as_ref().map(|all| all.engines));
    if field == "ip" {
        record = record
            .with_some("country", attributes.get("country").text())
            .with_some("asn", asn.map(|asn| asn.to_string()));
    }
    Some(record)
}

fn url(attributes: Node<'_>) -> Option<String> {
    let text = attributes.get("url").text()?;
    let url = Indicator::parse(IndicatorKind::Url, &text).ok()?;
    Some(url.value().to_owned())
}
