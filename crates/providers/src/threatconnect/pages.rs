//! Reads lists page by page.
//!
//! A list names its next page by an absolute URL. Only the index in it is read: the next call is made here, so that
//! no answer decides where a call goes.

use std::collections::HashSet;

use super::{DESCRIPTOR, MAX_PAGES, ORIGIN};
use crate::kit::common::{first, one, replied_good};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Call, Lookup, ProviderError, Replied, Reply, Step};
use pivotd_domain::{Query, Record};

/// The least and the most that a page may hold; the vendor's own most is 10 000 (ThreatConnect API documentation,
/// pagination). A page costs one call, however long it is.
const PAGE: std::ops::RangeInclusive<usize> = 100..=1000;

/// How what is missing begins where a later page could not be had.
const LATER: &str = "later pages: ";

/// Reads one item of a list.
pub(super) type Read = fn(Node<'_>) -> Option<Record>;

/// Says what to list, and how to read it.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// The vendor's kind of objects.
    pub(super) product: &'static str,
    /// Path below the base URL.
    pub(super) path: &'static str,
    /// The question, in the vendor's query language.
    pub(super) tql: Option<String>,
    /// Fields to be had beside those that always come.
    pub(super) fields: &'static [&'static str],
    /// Reads one item.
    pub(super) read: Read,
    /// What to ask where the list is empty; it says whether that of which it is a list exists.
    pub(super) of: Option<Owner>,
}

/// Asks for what a list belongs to.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    /// The call.
    pub(super) call: Call,
    /// What is told where it exists.
    pub(super) empty: &'static str,
}

/// Starts, or goes on with, a list until as many records came as are wanted.
pub(super) fn start(list: List, query: Query, lookup: &Lookup) -> Result<Step, ProviderError> {
    PageWalk::of(list, query, lookup).next()
}

/// Makes a list that is read until its end, and goes on with `missing` where the vendor does not have it.
pub(super) fn all_or(
    list: List,
    query: Query,
    lookup: &Lookup,
    missing: fn(Query) -> Step,
) -> Result<Step, ProviderError> {
    let mut walk = PageWalk::of(list, query, lookup);
    walk.wanted = usize::MAX;
    walk.missing = Some(missing);
    walk.next()
}

/// Holds a walk over pages.
struct PageWalk {
    list: List,
    query: Query,
    /// Records wanted in all.
    wanted: usize,
    /// What to do where there is no such list.
    missing: Option<fn(Query) -> Step>,
    rows: Rows,
    seen: HashSet<[String; 3]>,
    /// Index of the next item.
    at: u64,
    /// How many the vendor says that there are.
    total: Option<u64>,
    more: bool,
    calls: usize,
    fresh: usize,
    /// What an earlier part of the answer lacks.
    lacking: Vec<String>,
}

impl PageWalk {
    fn of(list: List, query: Query, lookup: &Lookup) -> Self {
        let held = lookup.earlier.clone();
        let more = held.as_ref().is_none_or(|held| held.more);
        let total = held.as_ref().and_then(|held| held.total);
        let mut rows = Rows::default();
        let (records, mut lacking, left_out) = held
            .map(|held| (held.records, held.missing, held.left_out))
            .unwrap_or_default();
        // They are about to be asked for again.
        lacking.retain(|missing| !missing.starts_with(LATER));
        rows.go_on(&left_out, &mut lacking);
        let seen = records.iter().map(identity).collect();
        rows.extend(records.into_iter().map(Row::Record));
        Self {
            list,
            query,
            wanted: lookup.wanted.max(1),
            missing: None,
            seen,
            at: (rows.records().len() + rows.unread()) as u64,
            rows,
            total,
            more,
            calls: 0,
            fresh: 0,
            lacking,
        }
    }

    fn next(self) -> Result<Step, ProviderError> {
        if !self.more || self.calls >= MAX_PAGES || self.rows.records().len() >= self.wanted {
            return self.done(None);
        }
        let wanting = self.wanted - self.rows.records().len();
        let call = self.page(wanting.clamp(*PAGE.start(), *PAGE.end()));
        Ok(Step::Calls {
            calls: vec![call],
            then: Box::new(move |replies| self.read(first(replies)?)),
        })
    }

    fn page(&self, limit: usize) -> Call {
        let mut call = Call::get(ORIGIN, self.list.product, self.list.path);
        if let Some(tql) = &self.list.tql {
            call.add("tql", tql.as_str());
        }
        for field in self.list.fields {
            call.add("fields", *field);
        }
        call.add("resultStart", self.at.to_string());
        call.add("resultLimit", limit.to_string());
        if self.at == 0 {
            // Elsewhere the vendor leaves the count out.
            call.add("count", "true");
        }
        call
    }

    fn read(mut self, replied: Replied) -> Result<Step, ProviderError> {
        self.calls += 1;
        let reply = match replied {
            Replied::Failed(failure) if self.fresh > 0 => {
                let missing = format!("{LATER}{}", failure.message);
                return self.done(Some(missing));
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            if let (Some(missing), true) = (self.missing, self.calls == 1) {
                return Ok(missing(self.query));
            }
            self.more = false;
            return self.done(None);
        };
        let body = json(&reply)?;
        let root = Node::of(&body);
        let data = root.get("data");
        if !data.exists() {
            return Err(malformed("data"));
        }
        let came = self.take(data);
        self.total = root.get("count").count().or(self.total);
        let next = root.get("next").text();
        self.more = next.is_some();
        if self.more && came == 0 {
            self.more = false;
            return self.done(Some(format!("{LATER}the vendor sent an empty one")));
        }
        let named = next.as_deref().and_then(index).filter(|named| *named > self.at);
        self.at = named.unwrap_or(self.at.saturating_add(came));
        self.next()
    }

    /// Reads the items of a page and returns how many came; one that a page before had is passed over.
    fn take(&mut self, data: Node<'_>) -> u64 {
        let mut came = 0;
        for item in data.rows() {
            came += 1;
            match (self.list.read)(item) {
                Some(record) if self.seen.insert(identity(&record)) => {
                    self.fresh += 1;
                    self.rows.extend([Row::Record(record)]);
                }
                Some(_) => self.rows.extend([Row::Same]),
                None => self.rows.lose(1),
            }
        }
        came
    }

    fn done(mut self, missing: Option<String>) -> Result<Step, ProviderError> {
        self.lacking.extend(missing);
        let of = self.list.of.take();
        if let Some(of) = of.filter(|_| self.is_empty()) {
            return Ok(one(of.call, move |reply| {
                // An owner that cannot be asked about is one of which nothing is known.
                let exists = reply.is_some_and(|reply| exists(&reply));
                if exists {
                    self.rows.if_empty(of.empty);
                }
                self.told()
            }));
        }
        self.told()
    }

    /// Tells whether nothing came, not even a row that was not understood.
    fn is_empty(&self) -> bool {
        let rows = self.rows.understood() + self.rows.unread();
        rows == 0 && self.lacking.is_empty() && !self.more
    }

    fn told(self) -> Result<Step, ProviderError> {
        let mut answer =
            self.rows
                .answer_lacking(&DESCRIPTOR, self.query, self.list.product, self.lacking)?;
        answer.more = self.more;
        if self.more {
            let held = answer.records.len() as u64;
            answer.total = self.total.map(|total| total.max(held));
        }
        Ok(Step::Done(vec![answer]))
    }
}

/// Tells whether a list has an item.
fn exists(reply: &Reply) -> bool {
    json(reply).is_ok_and(|body| Node::of(&body).get("data").rows().next().is_some())
}

/// Makes the answer of a list that came in one piece.
///
/// # Errors
/// [`ProviderError::Malformed`] where none of its rows was understood.
pub(super) fn whole(query: Query, product: &str, rows: Rows) -> Result<Step, ProviderError> {
    let answer = rows.answer(&DESCRIPTOR, query, product)?;
    Ok(Step::Done(vec![answer]))
}

/// Tells what makes an item the same as another: its id, or what it is, and whose.
fn identity(record: &Record) -> [String; 3] {
    let text = |name: &str| record.text(name).unwrap_or_default().into_owned();
    if record.get("id").is_some() {
        return [text("id"), String::new(), String::new()];
    }
    [text("type"), text("value"), text("owner")]
}

/// Reads the index of the next page from its URL.
fn index(next: &str) -> Option<u64> {
    let (_, query) = next.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "resultStart")
        .and_then(|(_, value)| value.parse().ok())
}
