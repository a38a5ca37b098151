//! Finds samples by what they touched, and the runs of a file.
//!
//! One file is submitted many times; its runs become one record with the highest score and the newest date. A sample
//! found by a domain merely contacted it, so a hit says nothing about the domain.

use jiff::Timestamp;

use super::SEARCH;
use super::common::{answer, call, hash, number, time};
use crate::domain::indicator::HashType;
use crate::domain::{Answer, Capability, IndicatorKind, Query, Record, Value};
use crate::providers::common::one;
use crate::providers::tolerant::{Node, distinct, json, malformed};
use crate::providers::{Call, Lookup, ProviderError, Reply, Step};

/// How many runs one search returns; the vendor's default (recorded answers).
const PAGE: usize = 100;
/// How many ids and titles one record holds.
const MOST_TEXTS: usize = 50;

/// Holds one run of a file.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) md5: Option<String>,
    pub(super) sha1: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) score: Option<i64>,
    /// When it was submitted.
    pub(super) at: Option<Timestamp>,
    state: Option<String>,
    status: Option<String>,
    analysed: bool,
    private: bool,
    filename: Option<String>,
    tags: Vec<String>,
    behaviors: Vec<(i64, String)>,
}

impl Run {
    fn read(row: Node<'_>) -> Option<Self> {
        let item = row.get("item");
        let item = if item.is_object() { item } else { row };
        // The id goes into paths.
        let id = item.get("sample").text().or_else(|| item.get("id").text())?;
        if id.len() > 64
            || !id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return None;
        }
        let analysis = item.get("analysis");
        let behavior = |row: Node<'_>| {
            let title = row.get("title").text().or_else(|| row.get("name").text())?;
            Some((row.get("threat").integer().unwrap_or(0), title))
        };
        Some(Self {
            id,
            md5: hash(item.get("md5")),
            sha1: hash(item.get("sha1")),
            sha256: hash(item.get("sha256")),
            score: analysis
                .get("threat_score")
                .integer()
                .filter(|score| (0..=100).contains(score)),
            at: time(item.get("submitted_at")),
            state: item.get("state").text(),
            status: item.get("status").text(),
            analysed: analysis.is_object(),
            private: item.get("private").flag() == Some(true),
            filename: item.get("filename").text(),
            tags: item.get("tags").texts(),
            behaviors: analysis.get("behaviors").many().filter_map(behavior).collect(),
        })
    }

    /// Returns the hash that stands for the file: SHA-256, else SHA-1, else MD5.
    fn file(&self) -> Option<&String> {
        self.sha256.as_ref().or(self.sha1.as_ref()).or(self.md5.as_ref())
    }

    /// Tells whether it is a run of the file with this hash.
    pub(super) fn is_of(&self, hash: &str) -> bool {
        [&self.md5, &self.sha1, &self.sha256]
            .into_iter()
            .any(|known| known.as_deref() == Some(hash))
    }

    /// Tells whether there is an analysis to read.
    pub(super) fn is_done(&self) -> bool {
        let state = self.state.as_deref();
        self.analysed || state.is_none_or(|state| state.eq_ignore_ascii_case("succ"))
    }

    /// Returns how far it came in the vendor's words: `succ`, `run`, `fail (rejected_whitelist)`.
    pub(super) fn state(&self) -> Option<String> {
        let state = self.state.clone()?;
        match self.status.as_deref().filter(|_| !self.is_done()) {
            Some(status) => Some(format!("{state} ({status})")),
            None => Some(state),
        }
    }
}

/// Holds what a search found.
pub(super) struct Found {
    /// The runs, newest first; of a hash, those of the file itself.
    pub(super) runs: Vec<Run>,
    /// How many rows the vendor gave, and how many it says that there are.
    given: usize,
    total: Option<u64>,
    timed_out: bool,
}

impl Found {
    /// Says what the search could not see.
    pub(super) fn blind(&self) -> Option<String> {
        let given = self.given;
        self.total
            .filter(|total| *total > given as u64)
            .map(|total| format!("The vendor listed {given} of {total} runs."))
    }

    /// Says what is missing.
    pub(super) fn missing(&self) -> Vec<String> {
        let cut = self
            .timed_out
            .then(|| "the vendor's search ran out of time".to_owned());
        cut.into_iter().collect()
    }
}

/// Starts a search for samples.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = crate::providers::common::one_query(lookup)?.clone();
    let search = search(&query)?;
    Ok(one(search, move |reply| {
        let found = read(reply, &query)?;
        let found = samples(&query, &found);
        Ok(Step::Done(vec![Answer { query, ..found }]))
    }))
}

/// Makes the search for a question's indicator.
///
/// # Errors
/// [`ProviderError::Unsupported`] for a SHA-512, which the vendor does not keep.
pub(super) fn search(query: &Query) -> Result<Call, ProviderError> {
    let (kind, value) = (query.indicator.kind(), query.indicator.value());
    let mut call = call(SEARCH, "/api/v2/search/submissions").with("q", value);
    match kind {
        IndicatorKind::Domain | IndicatorKind::Hostname => call.add("term", "domain"),
        IndicatorKind::Url => call.add("term", "url"),
        IndicatorKind::Hash if HashType::of(value) == Some(HashType::Sha512) => {
            return Err(ProviderError::Unsupported(
                "Secure Malware Analytics knows files by MD5, SHA-1 or SHA-256".to_owned(),
            ));
        }
        _ => {}
    }
    call.add("limit", PAGE.to_string());
    // Both ends belong to the window.
    if let Some(since) = query.param("since") {
        call.add("after", format!("{since}T00:00:00Z"));
    }
    if let Some(until) = query.param("until") {
        call.add("before", format!("{until}T23:59:59Z"));
    }
    Ok(call)
}

/// Reads what a search found.
///
/// # Errors
/// [`ProviderError::Malformed`] where the answer has no list.
pub(super) fn read(reply: Option<Reply>, query: &Query) -> Result<Found, ProviderError> {
    let mut found = Found {
        runs: Vec::new(),
        given: 0,
        total: None,
        timed_out: false,
    };
    let Some(reply) = reply else {
        return Ok(found);
    };
    let body = json(&reply)?;
    let data = Node::of(&body).get("data");
    let items = data.get("items");
    let is_empty = data.get("current_item_count").count().unwrap_or(0) == 0;
    if !items.is_list() && !items.is_object() && !is_empty {
        return Err(malformed("items"));
    }
    found.total = data.get("total").count();
    found.timed_out = data.get("timed_out").flag() == Some(true);
    let of_hash = (query.indicator.kind() == IndicatorKind::Hash).then(|| query.indicator.value());
    for row in items.many().take(10 * PAGE) {
        found.given += 1;
        // The search also finds samples that merely brought the file along.
        let run = Run::read(row).filter(|run| of_hash.is_none_or(|hash| run.is_of(hash)));
        found.runs.extend(run);
    }
    found.runs.sort_by_key(|run| std::cmp::Reverse(run.at));
    Ok(found)
}

/// Makes the answer to the question for samples, which every look-up of a file answers on its way.
pub(super) fn samples(asked: &Query, found: &Found) -> Answer {
    let mut query = Query::new(Capability::Samples, asked.indicator.clone());
    for name in ["min-score", "since", "until"] {
        if let Some(value) = asked.param(name) {
            query = query.with(name, value);
        }
    }
    let least = number(asked, "min-score");
    let mut files: Vec<Vec<&Run>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for run in &found.runs {
        let place = *places
            .entry(run.file().unwrap_or(&run.id))
            .or_insert_with(|| files.len());
        match files.get_mut(place) {
            Some(runs) => runs.push(run),
            None => files.push(vec![run]),
        }
    }
    let all = files.len();
    files.retain(|runs| least == 0 || top_score(runs) >= Some(least));
    let below = all - files.len();
    let records: Vec<Record> = files.iter().map(|runs| record(runs)).collect();
    let mut answer = answer(query, SEARCH, records);
    answer.source.blind = found.blind();
    answer.missing = found.missing();
    if answer.records.is_empty() && below > 0 {
        answer
            .missing
            .push(format!("{below} files have no score of {least} or more"));
    }
    answer
}

fn top_score(runs: &[&Run]) -> Option<i64> {
    runs.iter().filter_map(|run| run.score).max()
}

/// Makes one record of the runs of a file, newest first.
fn record(runs: &[&Run]) -> Record {
    let newest = |read: fn(&Run) -> Option<&String>| runs.iter().find_map(|run| read(run)).cloned();
    let times = || runs.iter().filter_map(|run| run.at);
    // A run with a report goes before newer ones without.
    let told = runs.iter().find(|run| run.is_done()).or(runs.first());
    let mut behaviors: Vec<&(i64, String)> = runs.iter().flat_map(|run| &run.behaviors).collect();
    behaviors.sort_by_key(|(threat, _)| std::cmp::Reverse(*threat));
    Record::new()
        .with_some("hash", newest(Run::file))
        .with_some("md5", newest(|run| run.md5.as_ref()))
        .with_some("sha1", newest(|run| run.sha1.as_ref()))
        .with_some("sha256", newest(|run| run.sha256.as_ref()))
        .with_some("filename", newest(|run| run.filename.as_ref()))
        .with_some("score", top_score(runs))
        .with_some("state", told.and_then(|run| run.state()))
        .with_some(
            "private",
            runs.iter().all(|run| run.private).then_some(Value::Flag(true)),
        )
        .with_some("first_seen", times().min())
        .with_some("last_seen", times().max())
        .with("runs", i64::try_from(runs.len()).unwrap_or(i64::MAX))
        .with("samples", texts(runs.iter().map(|run| run.id.clone())))
        .with(
            "behaviors",
            texts(behaviors.into_iter().map(|(_, title)| title.clone())),
        )
        .with(
            "tags",
            texts(runs.iter().flat_map(|run| run.tags.iter().cloned())),
        )
}

/// Returns distinct texts, bounded in number.
pub(super) fn texts(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = distinct(texts);
    kept.truncate(MOST_TEXTS);
    kept
}
