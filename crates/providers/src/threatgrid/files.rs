//! Answers which files a file brought along or made: the artifacts of its runs.

use std::collections::HashMap;

use super::common::{MOST_RECORDS, cut, entries, hash};
use super::reports::{self, Reports};
use super::search::{Run, texts};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::Node;
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::Record;

/// Starts a look-up of files.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    reports::start(lookup, "artifacts", finish)
}

fn finish(mut reports: Reports) -> Result<Step, ProviderError> {
    let mut gathered = GroupedRuns::default();
    let mut others = Rows::default();
    for (run, body) in &reports.read {
        for row in entries(Node::of(body).get("data").get("items")) {
            match artifact(row, run) {
                Ok((hash, record)) => gathered.add(hash, run, || record),
                Err(other) => others.extend([other]),
            }
        }
    }
    let mut missing = Vec::new();
    others.extend(
        gathered
            .records("files", &mut missing)
            .into_iter()
            .map(Row::Record),
    );
    reports.missing.extend(missing);
    reports.done(others)
}

/// Gathers what several runs show under the same key, in the order of the first.
#[derive(Default)]
pub(super) struct GroupedRuns<'a> {
    found: Vec<(Record, Vec<&'a Run>)>,
    places: HashMap<String, usize>,
    is_cut: bool,
}

impl<'a> GroupedRuns<'a> {
    /// Adds what a run shows; the record is that of the first run.
    pub(super) fn add(&mut self, key: String, run: &'a Run, make: impl FnOnce() -> Record) {
        let place = self.places.get(&key).copied();
        if let Some((_, runs)) = place.and_then(|place| self.found.get_mut(place)) {
            if runs.last().is_none_or(|last| last.id != run.id) {
                runs.push(run);
            }
        } else if self.found.len() < MOST_RECORDS {
            self.places.insert(key, self.found.len());
            self.found.push((make(), vec![run]));
        } else {
            self.is_cut = true;
        }
    }

    /// Returns the records, with what the runs say that showed them; `missing` is told where there were more.
    pub(super) fn records(self, what: &str, missing: &mut Vec<String>) -> Vec<Record> {
        missing.extend(self.is_cut.then(|| cut(what)));
        let found = self.found.into_iter();
        found.map(|(record, runs)| told(record, &runs)).collect()
    }
}

/// Reads one artifact.
///
/// # Errors
/// What else it is: the submitted file itself, or nothing that is understood.
fn artifact(row: Node<'_>, run: &Run) -> Result<(String, Record), Row> {
    let [sha256, sha1, md5] = ["sha256", "sha1", "md5"].map(|name| hash(row.get(name)));
    let value = sha256.clone().or(sha1.clone()).or(md5.clone());
    let value = value.ok_or(Row::Unread)?;
    if [&sha256, &sha1, &md5]
        .into_iter()
        .flatten()
        .any(|hash| run.is_of(hash))
    {
        return Err(Row::LeftOut(SkipReason::OwnFile, None));
    }
    let kind = ["magic-type", "mime-type", "type"];
    let record = Record::new()
        .with("hash", value.as_str())
        .with_some("md5", md5)
        .with_some("sha1", sha1)
        .with_some("sha256", sha256)
        .with_some("path", row.get("path").text())
        .with_some("kind", kind.iter().find_map(|name| row.get(name).text()))
        .with_some("size", row.get("size").integer().filter(|size| *size >= 0))
        .with_some("origin", row.get("origin").text());
    Ok((value, record))
}

/// Adds what the runs say that showed it: highest score, times, ids.
pub(super) fn told(record: Record, runs: &[&Run]) -> Record {
    let times = || runs.iter().filter_map(|run| run.at);
    record
        .with_some("score", runs.iter().filter_map(|run| run.score).max())
        .with_some("first_seen", times().min())
        .with_some("last_seen", times().max())
        .with("samples", texts(runs.iter().map(|run| run.id.clone())))
}
