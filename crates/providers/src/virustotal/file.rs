//! Answers what a file is known as: its other hashes, names, and what the engines say of it.

use super::FILES;
use super::common::{Statistics, answer, call, time};
use super::reputation;
use crate::kit::common::{one, one_query, segment};
use crate::kit::tolerant::{Node, json};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::{Indicator, IndicatorKind, Record};

/// How many names and tags are told.
pub(super) const MOST_TEXTS: usize = 30;

/// Starts a look-up of a file. What the engines say of it is the answer to the question for its reputation, too.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let call = call(
        FILES,
        format!("/api/v3/files/{}", segment(query.indicator.value())),
    );
    Ok(one(call, move |reply| {
        let body = reply.map(|reply| json(&reply)).transpose()?;
        let attributes = match &body {
            Some(body) => Some(reputation::attributes(Node::of(body))?),
            None => None,
        };
        let records = attributes.map(file).into_iter().collect();
        let sibling = reputation::told(&query, FILES, attributes);
        Ok(Step::Done(vec![answer(query, FILES, records), sibling]))
    }))
}

/// Reads a file's hash.
pub(super) fn hash(node: Node<'_>) -> Option<String> {
    let hash = Indicator::parse(IndicatorKind::Hash, &node.text()?).ok()?;
    Some(hash.value().to_owned())
}

/// Reads what a file is, in words.
pub(super) fn kind(attributes: Node<'_>) -> Option<String> {
    attributes.get("type_description").text()
}

/// Reads a file's size in bytes.
pub(super) fn size(attributes: Node<'_>) -> Option<i64> {
    attributes.get("size").integer().filter(|size| *size >= 0)
}

/// Reads what a file is known as.
pub(super) fn file(attributes: Node<'_>) -> Record {
    let texts = |name: &str| {
        let mut texts = attributes.get(name).texts();
        texts.truncate(MOST_TEXTS);
        texts
    };
    let mut names = texts("names");
    if let Some(name) = attributes.get("meaningful_name").text() {
        names.retain(|known| *known != name);
        names.insert(0, name);
    }
    let statistics = Statistics::read(attributes.get("last_analysis_stats"));
    let threat = attributes.get("popular_threat_classification");
    let times = ["last_submission_date", "last_analysis_date"];
    Record::new()
        .with_some("md5", hash(attributes.get("md5")))
        .with_some("sha1", hash(attributes.get("sha1")))
        .with_some("sha256", hash(attributes.get("sha256")))
        .with("names", names)
        .with_some("kind", kind(attributes))
        .with_some("size", size(attributes))
        .with_some("threat", threat.get("suggested_threat_label").text())
        .with_some("malicious", statistics.as_ref().map(|all| all.malicious))
        .with_some("suspicious", statistics.as_ref().map(|all| all.suspicious))
        .with_some("engines", statistics.as_ref().map(|all| all.engines))
        .with_some(
            "detections",
            statistics
                .as_ref()
                .map(|all| format!("{} of {}", all.malicious, all.engines)),
        )
        .with_some("first_seen", time(attributes.get("first_submission_date")))
        .with_some(
            "last_seen",
            times.iter().find_map(|name| time(attributes.get(name))),
        )
        .with("tags", texts("tags"))
}
