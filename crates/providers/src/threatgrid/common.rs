//! Holds the small steps that look-ups of this vendor share.

use std::net::IpAddr;

use jiff::Timestamp;

use super::ORIGIN;
use crate::Call;
use crate::kit::dates;
use crate::kit::tolerant::Node;
use pivotd_domain::special::is_inside;
use pivotd_domain::{Indicator, IndicatorKind, Query};

/// The most records that one answer holds; a sample that makes more is noise, and its report is bounded as well.
pub(super) const MOST_RECORDS: usize = 5000;

/// The longest text of a sample's own making, such as a mutex, that is kept, in octets.
const MOST_OCTETS: usize = 4096;

/// Makes a GET billed to `product`.
pub(super) fn call(product: &'static str, path: impl Into<String>) -> Call {
    Call::get(ORIGIN, product, path)
}

/// Returns a parameter of the question as a number; 0 where it is not there.
pub(super) fn number(query: &Query, name: &str) -> i64 {
    query.param(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Walks a map in the order of the numbers that are its keys, or a list in its place.
pub(super) fn entries(node: Node<'_>) -> Vec<Node<'_>> {
    if !node.is_object() {
        return node.rows().collect();
    }
    let mut members: Vec<(&str, Node<'_>)> = node.members().collect();
    members.sort_by_key(|(name, _)| name.parse::<u64>().unwrap_or(u64::MAX));
    members.into_iter().map(|(_, node)| node).collect()
}

/// Reads a time in ISO 8601, or the day that begins it.
pub(super) fn time(node: Node<'_>) -> Option<Timestamp> {
    let text = node.text()?;
    dates::time(&text).or_else(|| dates::start_of(dates::day(&text)?))
}

/// Returns a file hash in canonical form.
pub(super) fn hash(node: Node<'_>) -> Option<String> {
    canonical(IndicatorKind::Hash, &node.text()?)
}

/// Returns a text in the canonical form of a kind.
pub(super) fn canonical(kind: IndicatorKind, text: &str) -> Option<String> {
    Indicator::parse(kind, text)
        .ok()
        .map(|indicator| indicator.value().to_owned())
}

/// Returns a text of a sample's own making as it came, since it tells samples apart; `None` where it is too long.
pub(super) fn verbatim(text: String) -> Option<String> {
    (text.len() <= MOST_OCTETS).then_some(text)
}

/// Says how many texts were too long to be kept.
pub(super) fn left_out(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{count} texts longer than {MOST_OCTETS} octets are left out"))
}

/// Says that there were more records than an answer holds.
pub(super) fn cut(what: &str) -> String {
    format!("only the first {MOST_RECORDS} {what} are kept")
}

/// Tells whether an address can be one on the internet: every run also talks to its own network.
pub(super) fn is_outside(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| !is_inside(address))
}
