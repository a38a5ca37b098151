//! Finds samples by what they touched, and the runs of a file.
//!
//! One file is submitted many times; its runs become one record with the highest score and the newest date. A sample
//! found by a domain merely contacted it, so a hit says nothing about the domain.

use std::collections::HashSet;

use jiff::Timestamp;

use super::common::{call, hash, number, time};
use super::list::List;
use super::{DESCRIPTOR, SEARCH};
use crate::kit::common::{first, one_query, replied_good};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::{Node, distinct, json};
use crate::{Call, Lookup, ProviderError, Replied, Step};
use pivotd_domain::indicator::HashType;
use pivotd_domain::{Answer, Capability, IndicatorKind, Query, Record, Value};

/// How many pages of a search for a hash are read. It also finds samples that merely brought the file along, and these
/// may come first.
pub(super) const MOST_PAGES: usize = 5;
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
    /// Whether the vendor says who submitted it, which it does not of what others keep private.
    owned: bool,
    filename: Option<String>,
    pub(super) tags: Vec<String>,
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
            score: analysis.get("threat_score").score(100),
            at: time(item.get("submitted_at")),
            state: item.get("state").text(),
            status: item.get("status").text(),
            analysed: analysis.is_object(),
            private: item.get("private").flag() == Some(true),
            owned: item.get("login").exists() || item.get("organization_id").exists(),
            filename: item.get("filename").text(),
            tags: item.get("tags").texts(),
            behaviors: analysis.get("behaviors").many().filter_map(behavior).collect(),
        })
    }

    /// Tells whether it is a run of the file with this hash; `None` where the row lacks a hash of that length.
    fn is_or_is_not(&self, hash: &str) -> Option<bool> {
        let known = match HashType::of(hash)? {
            HashType::Md5 => &self.md5,
            HashType::Sha1 => &self.sha1,
            HashType::Sha256 => &self.sha256,
            HashType::Sha512 => return None,
        };
        known.as_deref().map(|known| known == hash)
    }

    /// Returns the hash that stands for the file: SHA-256, else SHA-1, else MD5.
    pub(super) fn file(&self) -> Option<&String> {
        self.sha256.as_ref().or(self.sha1.as_ref()).or(self.md5.as_ref())
    }

    /// Names the behaviors of the highest threat, at most so many.
    pub(super) fn weightiest(&self, max: usize) -> impl Iterator<Item = &str> {
        let mut behaviors: Vec<_> = self.behaviors.iter().collect();
        behaviors.sort_by_key(|(threat, _)| std::cmp::Reverse(*threat));
        behaviors.into_iter().take(max).map(|(_, title)| title.as_str())
    }

    /// Tells whether it is a run of the file with this hash.
    pub(super) fn is_of(&self, hash: &str) -> bool {
        [&self.md5, &self.sha1, &self.sha256]
            .into_iter()
            .any(|known| known.as_deref() == Some(hash))
    }

    /// Tells whether another organisation keeps it private, so that its report can most likely not be read.
    pub(super) fn is_private_to_others(&self) -> bool {
        self.private && !self.owned
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
#[derive(Default)]
pub(super) struct SearchResult {
    /// The runs, newest first; of a hash, those of the file itself.
    pub(super) runs: Vec<Run>,
    /// How many rows the vendor gave.
    rows: usize,
    /// How many of them could not be read.
    unreadable: usize,
    /// How many are samples that merely brought the file along.
    brought: usize,
    /// Which runs were read, to see through rows that come twice.
    ids: HashSet<String>,
    /// How many rows came again on a later page.
    repeated: usize,
    /// How much was read, where that is not all.
    unread: Option<String>,
    /// What failed.
    failed: Vec<String>,
}

impl SearchResult {
    /// Says what is missing.
    pub(super) fn missing(&self, query: &Query) -> Vec<String> {
        let mut missing = self.failed.clone();
        if self.repeated > 0 {
            let count = self.repeated;
            missing.push(format!(
                "{count} rows came twice, so that others may not have been read"
            ));
        }
        let unread = self.unread.as_ref().filter(|_| !self.is_fair(query));
        missing.extend(unread.map(|unread| format!("the search was read in part: {unread}")));
        missing
    }

    /// Returns what the search found beside the runs that are told.
    pub(super) fn others(&self) -> Rows {
        let brought = (0..self.brought).map(|_| Row::LeftOut(SkipReason::Brought, None));
        let mut rows: Rows = brought.collect();
        rows.lose(self.unreadable);
        rows
    }

    /// Says what the search could not see, where that spoils nothing.
    pub(super) fn blind(&self, query: &Query) -> Option<String> {
        let unread = self.unread.as_ref().filter(|_| self.is_fair(query))?;
        Some(format!("The search was read in part: {unread}."))
    }

    /// Tells whether a part of the rows is an answer: the newest runs that touched a name are, but a file's own runs may
    /// all be among the rows that were not read.
    fn is_fair(&self, query: &Query) -> bool {
        !self.runs.is_empty() && query.indicator.kind() != IndicatorKind::Hash
    }

    /// Takes a page of rows in.
    fn take(&mut self, rows: &[Node<'_>], query: &Query) {
        let asked = (query.indicator.kind() == IndicatorKind::Hash).then(|| query.indicator.value());
        self.rows += rows.len();
        for row in rows {
            match (Run::read(*row), asked) {
                (Some(run), Some(hash)) => match run.is_or_is_not(hash) {
                    Some(true) => self.add(run),
                    // It merely brought the file along.
                    Some(false) => self.brought += 1,
                    None => self.unreadable += 1,
                },
                (Some(run), None) => self.add(run),
                (None, _) => self.unreadable += 1,
            }
        }
    }

    fn add(&mut self, run: Run) {
        if self.ids.insert(run.id.clone()) {
            self.runs.push(run);
        } else {
            self.repeated += 1;
        }
    }
}

/// Goes on when the search is done.
pub(super) type AfterSearch = Box<dyn FnOnce(SearchResult) -> Result<Step, ProviderError> + Send>;

/// Holds a search on its way.
struct Search {
    query: Query,
    list: List,
    /// The same search in another form, for where the first finds nothing.
    other: Option<List>,
    found: SearchResult,
}

/// Starts a search for samples.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let asked = query.clone();
    find(
        &asked,
        Box::new(move |found| {
            let found = samples(&query, &found)?;
            Ok(Step::Done(vec![Answer { query, ..found }]))
        }),
    )
}

/// Searches for a question's indicator.
///
/// # Errors
/// [`ProviderError::Unsupported`] for a SHA-512, which the vendor does not keep.
pub(super) fn find(query: &Query, then: AfterSearch) -> Result<Step, ProviderError> {
    let (kind, value) = (query.indicator.kind(), query.indicator.value());
    let list = |text: &str, pages| List::new(call_for(query, text), pages);
    let (list, other) = match kind {
        IndicatorKind::Hash if HashType::of(value) == Some(HashType::Sha512) => {
            return Err(ProviderError::Unsupported(
                "Secure Malware Analytics knows files by MD5, SHA-1 or SHA-256".to_owned(),
            ));
        }
        IndicatorKind::Hash => (list(value, MOST_PAGES), None),
        // The vendor's normal form of a URL names its port; whether searches know another one is not published.
        IndicatorKind::Url => match with_port(value) {
            Some(normal) => (list(&normal, 1), Some(list(value, 1))),
            None => (list(value, 1), None),
        },
        _ => (list(value, 1), None),
    };
    let search = Search {
        query: query.clone(),
        list,
        other,
        found: SearchResult::default(),
    };
    search.next(then)
}

/// Makes the search for a text.
fn call_for(query: &Query, text: &str) -> Call {
    let kind = query.indicator.kind();
    let mut call = call(SEARCH, "/api/v2/search/submissions").with("q", text);
    match kind {
        IndicatorKind::Domain | IndicatorKind::Hostname => call.add("term", "domain"),
        IndicatorKind::Url => call.add("term", "url"),
        _ => {}
    }
    // The vendor puts what fits best first, which of a hash is the file itself. Of others the newest are wanted.
    if kind != IndicatorKind::Hash {
        call.add("sort_by", "submitted_at");
        call.add("sort_order", "desc");
    }
    // Both ends belong to the window.
    if let Some(since) = query.param("since") {
        call.add("after", format!("{since}T00:00:00Z"));
    }
    if let Some(until) = query.param("until") {
        call.add("before", format!("{until}T23:59:59Z"));
    }
    call
}

/// Returns a URL with its port written out: `http://host:80/`; `None` where it is already, or has none.
fn with_port(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    if parsed.port().is_some() {
        return None;
    }
    let port = parsed.port_or_known_default()?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    let path = rest.get(host.len()..)?;
    Some(format!("{scheme}://{host}:{port}{path}"))
}

impl Search {
    /// Asks for the next page, or goes on with what was found.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where there were rows, and none could be read.
    fn next(mut self, then: AfterSearch) -> Result<Step, ProviderError> {
        if self.list.next().is_none()
            && self.found.rows == 0
            && let Some(other) = self.other.take()
        {
            self.list = other;
        }
        if let Some(call) = self.list.next() {
            return Ok(Step::Calls {
                calls: vec![call],
                then: Box::new(move |replies| {
                    self.take(first(replies)?)?;
                    self.next(then)
                }),
            });
        }
        if self.found.unreadable == self.found.rows {
            // Nothing else was read: that is no "not found".
            self.found
                .others()
                .answer(&DESCRIPTOR, self.query.clone(), SEARCH)?;
        }
        self.found.unread = self.list.unread("rows");
        self.found.runs.sort_by_key(|run| std::cmp::Reverse(run.at));
        then(self.found)
    }

    /// Takes a page in. A later one that fails leaves what was read.
    ///
    /// # Errors
    /// The failure of the first page.
    fn take(&mut self, replied: Replied) -> Result<(), ProviderError> {
        match self.page(replied) {
            Err(error) if self.found.rows > 0 => {
                self.list.stop();
                self.found.failed.push(format!("a page of the search: {error}"));
                Ok(())
            }
            other => other,
        }
    }

    fn page(&mut self, replied: Replied) -> Result<(), ProviderError> {
        let Some(reply) = replied_good(replied)? else {
            self.list.stop();
            return Ok(());
        };
        let body = json(&reply)?;
        let rows = self.list.take(&body)?;
        if Node::of(&body).get("data").get("timed_out").flag() == Some(true) {
            let text = "the vendor's search ran out of time".to_owned();
            if !self.found.failed.contains(&text) {
                self.found.failed.push(text);
            }
        }
        self.found.take(&rows, &self.query);
        Ok(())
    }
}

/// Makes the answer to the question for samples, which every look-up of a file answers on its way.
pub(super) fn samples(asked: &Query, found: &SearchResult) -> Result<Answer, ProviderError> {
    let mut query = Query::new(Capability::Samples, asked.indicator.clone());
    for name in ["min-score", "since", "until"] {
        if let Some(value) = asked.param(name) {
            query = query.with(name, value);
        }
    }
    let least = number(asked, "min-score");
    let is_one = asked.indicator.kind() == IndicatorKind::Hash;
    let known = found.runs.iter().find_map(|run| run.sha256.as_ref());
    let mut files: Vec<Vec<&Run>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for run in &found.runs {
        // Runs found by a hash are of one file, whichever other hashes their rows have; only a second SHA-256 (of an
        // MD5 that collides) tells of another one.
        let file = if is_one {
            run.sha256.as_ref().or(known)
        } else {
            Some(run.file().unwrap_or(&run.id))
        };
        let place = *places.entry(file).or_insert_with(|| files.len());
        match files.get_mut(place) {
            Some(runs) => runs.push(run),
            None => files.push(vec![run]),
        }
    }
    let all = files.len();
    files.retain(|runs| least == 0 || top_score(runs) >= Some(least));
    let below = all - files.len();
    let mut rows: Rows = files.iter().map(|runs| Row::Record(record(runs))).collect();
    rows.join(found.others());
    let mut answer = rows.answer_lacking(&DESCRIPTOR, query, SEARCH, found.missing(asked))?;
    answer.source.blind = found.blind(asked);
    if answer.records.is_empty() && below > 0 {
        answer
            .missing
            .push(format!("{below} files have no score of {least} or more"));
    }
    Ok(answer)
}

fn top_score(runs: &[&Run]) -> Option<i64> {
    runs.iter().filter_map(|run| run.score).max()
}

/// Makes one record of the runs of a file, newest first.
fn record(runs: &[&Run]) -> Record {
    let newest = |read: fn(&Run) -> Option<&String>| runs.iter().find_map(|run| read(run)).cloned();
    let times = || runs.iter().filter_map(|run| run.at);
    let file = newest(|run| run.sha256.as_ref())
        .or_else(|| newest(|run| run.sha1.as_ref()))
        .or_else(|| newest(|run| run.md5.as_ref()));
    // A run with a report goes before newer ones without.
    let told = runs.iter().find(|run| run.is_done()).or(runs.first());
    let mut behaviors: Vec<&(i64, String)> = runs.iter().flat_map(|run| &run.behaviors).collect();
    behaviors.sort_by_key(|(threat, _)| std::cmp::Reverse(*threat));
    Record::new()
        .with_some("hash", file)
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
