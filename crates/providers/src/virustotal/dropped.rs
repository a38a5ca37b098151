//! Answers what files a file brought along when it ran in the vendor's sandboxes.

use super::common::{call, nothing};
use super::contacts::PAGE;
use super::file::{hash, kind, size};
use super::{DESCRIPTOR, DROPPED_FILES};
use crate::kit::common::{one, one_query, segment, uncovered};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::Record;

/// Starts a look-up of dropped files.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let id = segment(query.indicator.value());
    let call = call(DROPPED_FILES, format!("/api/v3/files/{id}/{DROPPED_FILES}"));
    Ok(one(call.with("limit", PAGE.to_string()), move |reply| {
        let Some(reply) = reply else {
            return Ok(Step::Done(vec![nothing(query, DROPPED_FILES)]));
        };
        let body = json(&reply)?;
        let root = Node::of(&body);
        let rows = root.get("data").rows().take(10 * PAGE);
        let rows: Rows = rows.map(|row| Row::from(dropped(row))).collect();
        let mut found = rows.answer(&DESCRIPTOR, query, DROPPED_FILES)?;
        if root.get("meta").get("cursor").text().is_some() {
            let held = found.records.len();
            let note = format!("The first {held} dropped files; VirusTotal has more.");
            found.total = None;
            uncovered(&mut found, &[note]);
        }
        Ok(Step::Done(vec![found]))
    }))
}

/// Reads a file; its id is its SHA-256, and everything else may be missing.
fn dropped(row: Node<'_>) -> Option<Record> {
    let attributes = row.get("attributes");
    let sha256 = hash(attributes.get("sha256")).or_else(|| hash(row.get("id")));
    let (sha1, md5) = (hash(attributes.get("sha1")), hash(attributes.get("md5")));
    let value = sha256.clone().or_else(|| sha1.clone()).or_else(|| md5.clone())?;
    Some(
        Record::new()
            .with("hash", value)
            .with_some("sha256", sha256)
            .with_some("sha1", sha1)
            .with_some("md5", md5)
            .with_some("path", attributes.get("meaningful_name").text())
            .with_some("kind", kind(attributes))
            .with_some("size", size(attributes)),
    )
}
