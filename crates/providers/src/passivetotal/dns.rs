//! Answers passive DNS and subdomains.

use std::collections::HashSet;

use super::{DNS, ENRICHMENT, answer_of, call, nothing};
use crate::kit::common::one;
use crate::kit::facts::resolution;
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, host, json, malformed};
use crate::{ProviderError, Step};
use pivotd_domain::{Query, Record};

/// Asks for everything that a name resolved to, or for all names that resolved to an address; there are no pages.
pub(super) fn resolutions(query: Query) -> Step {
    let call = call(DNS, "/dns/passive", query.indicator.value());
    one(call, move |reply| {
        let Some(reply) = reply else {
            return Ok(nothing(query, DNS));
        };
        let body = json(&reply)?;
        let rows = Rows::of(results(Node::of(&body))?, |row| read(&query, row));
        answer_of(query, DNS, rows)
    })
}

fn read(query: &Query, row: Node<'_>) -> Row {
    // `value` is what was asked about and `resolve` the other end, whichever of them is the address.
    let ends = [row.get("resolve").text(), row.get("value").text()];
    resolution(&query.indicator, ends, false, row.get("recordType").text()).map(|record| {
        record
            .with_some("first_seen", row.get("firstSeen").day())
            .with_some("last_seen", row.get("lastSeen").day())
            .with("collector", row.get("source").texts().join(", "))
    })
}

/// Asks for the names below a name. The vendor gives labels, not names.
pub(super) fn subdomains(query: Query) -> Step {
    let domain = query.indicator.value().to_owned();
    let call = call(ENRICHMENT, "/enrichment/subdomains", &format!("*.{domain}"));
    one(call, move |reply| {
        let Some(reply) = reply else {
            return Ok(nothing(query, ENRICHMENT));
        };
        let body = json(&reply)?;
        let labels = Node::of(&body).get("subdomains");
        if !labels.exists() {
            return Err(malformed("subdomains"));
        }
        let mut seen = HashSet::new();
        let name = |label: &str| host(&format!("{}.{domain}", label.trim_matches('.')));
        let rows = Rows::of(labels, |label| match label.text().as_deref().map(name) {
            // No label is the name that was asked about.
            None if label.is_text() => Row::ITSELF,
            Some(Some(name)) if seen.insert(name.clone()) => {
                Row::Record(Record::new().with("domain", domain.as_str()).with("host", name))
            }
            Some(Some(_)) => Row::Same,
            _ => Row::Unread,
        });
        answer_of(query, ENRICHMENT, rows)
    })
}

/// Returns the rows of an answer.
///
/// # Errors
/// [`ProviderError::Malformed`] where there are none to return, not even an empty list.
pub(super) fn results(root: Node<'_>) -> Result<Node<'_>, ProviderError> {
    let rows = root.get("results");
    if rows.is_list() {
        return Ok(rows);
    }
    Err(malformed("results"))
}
