//! Walks lists that come page by page, several of them side by side.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::common::replied_good;
use super::rows::{Row, Rows};
use crate::{Call, Descriptor, ProductId, ProviderError, Replied, Reply, Step};
use pivotd_domain::{Answer, NextPage, Query, Record};

/// Holds what one page of a list gave.
#[derive(Debug, Default)]
pub struct Page {
    /// What its rows gave.
    pub rows: Rows,
    /// How many rows the list has in all, where the vendor says.
    pub total: Option<u64>,
    /// The call for the next page, where there is one.
    pub next: Option<Call>,
    /// What of the list cannot be read, in plain words.
    pub missing: Option<String>,
}

/// Reads the reply to a call as a page.
pub type Read = Box<dyn Fn(&Query, &Call, &Reply) -> Result<Page, ProviderError> + Send>;

/// Is a list with pages to come.
struct Open {
    what: &'static str,
    call: Call,
    rows: usize,
    /// Whether its total is among those that were summed.
    counted: bool,
    /// The page before, so that a vendor who gives the same page again is seen through.
    before: Option<Bytes>,
}

/// Holds a walk over the pages of one or several lists.
pub struct Pages {
    descriptor: Arc<Descriptor>,
    product: ProductId,
    query: Query,
    /// How many records are enough.
    wanted: usize,
    /// The most calls.
    max_calls: usize,
    read: Read,
    open: Vec<Open>,
    calls: usize,
    /// Where the lists go on that an earlier part of the answer left open; `None` where there is none.
    rest: Option<Vec<NextPage>>,
    seen: HashSet<String>,
    rows: Rows,
    totals: u64,
    missing: Vec<String>,
    error: Option<ProviderError>,
}

impl Pages {
    /// Begins a walk that ends when `wanted` records are read, or after `max` calls.
    pub fn new(
        descriptor: &Arc<Descriptor>,
        product: impl Into<ProductId>,
        query: Query,
        wanted: usize,
        max_calls: usize,
        read: Read,
    ) -> Self {
        Self {
            descriptor: Arc::clone(descriptor),
            product: product.into(),
            query,
            wanted,
            max_calls,
            read,
            open: Vec::new(),
            calls: 0,
            rest: None,
            seen: HashSet::new(),
            rows: Rows::default(),
            totals: 0,
            missing: Vec::new(),
            error: None,
        }
    }

    /// Goes on from an earlier part of the answer, where that says how its lists go on; comes before the lists.
    pub fn after(mut self, held: Option<Answer>) -> Self {
        if let Some(held) = held.filter(|held| !held.rest.is_empty()) {
            self.totals = held.total.unwrap_or(0);
            self.missing = held.missing;
            self.rows.go_on(&held.left_out, &mut self.missing);
            self.rest = Some(held.rest);
            for record in held.records {
                self.keep(record);
            }
        }
        self
    }

    /// Adds a list by the call for its first page; `what` names it where it is missing. One that an earlier part of
    /// the answer has whole is not read again.
    pub fn list(mut self, what: &'static str, mut call: Call) -> Self {
        let rest = self.rest.as_ref();
        let left = rest.map(|rest| rest.iter().find(|rest| rest.list == what));
        let (rows, counted) = match left {
            None => (0, false),
            Some(None) => return self,
            Some(Some(left)) => {
                call.query.clone_from(&left.query);
                (left.rows, true)
            }
        };
        self.open.push(Open {
            what,
            call,
            rows,
            counted,
            before: None,
        });
        self
    }

    /// Reads the next page of every list, or makes the answer.
    ///
    /// # Errors
    /// The first failure, where nothing came at all.
    pub fn next(mut self) -> Result<Step, ProviderError> {
        let enough = self.calls > 0 && self.rows.records().len() >= self.wanted;
        let used_up = self.calls + self.open.len() > self.max_calls;
        if self.open.is_empty() || enough || used_up {
            return self.done().map(|answer| Step::Done(vec![answer]));
        }
        self.calls += self.open.len();
        Ok(Step::Calls {
            calls: self.open.iter().map(|open| open.call.clone()).collect(),
            then: Box::new(move |replies| self.take(replies)),
        })
    }

    fn take(mut self, replies: Vec<Replied>) -> Result<Step, ProviderError> {
        let asked = std::mem::take(&mut self.open);
        for (open, replied) in asked.into_iter().zip(replies) {
            let what = open.what;
            if let Err(error) = self.one(open, replied) {
                self.missing.push(format!("{what}: {error}"));
                self.error.get_or_insert(error);
            }
        }
        self.next()
    }

    fn one(&mut self, mut open: Open, replied: Replied) -> Result<(), ProviderError> {
        let Some(reply) = replied_good(replied)? else {
            return Ok(());
        };
        if open.before.as_ref() == Some(&reply.body) {
            return Err(ProviderError::Malformed("the same page came twice".to_owned()));
        }
        let page = (self.read)(&self.query, &open.call, &reply)?;
        if let Some(total) = page.total.filter(|_| !open.counted) {
            self.totals += total;
            open.counted = true;
        }
        open.rows += page.rows.understood() + page.rows.unread();
        for record in self.rows.take(page.rows) {
            self.keep(record);
        }
        self.missing.extend(page.missing);
        let all = page.total.is_some_and(|total| open.rows as u64 >= total);
        if let Some(call) = page.next.filter(|_| !all) {
            open.call = call;
            open.before = Some(reply.body);
            self.open.push(open);
        }
        Ok(())
    }

    /// Keeps a record unless it is known: two lists may say the same, and so may two pages between which something
    /// was added.
    fn keep(&mut self, record: Record) {
        let written = serde_json::to_string(&record).unwrap_or_default();
        if self.seen.insert(written) {
            self.rows.extend([Row::Record(record)]);
        }
    }

    fn done(self) -> Result<Answer, ProviderError> {
        if let Some(error) = self.error.filter(|_| self.rows.records().is_empty()) {
            return Err(error);
        }
        let rows = self.rows;
        let mut answer = rows.answer_lacking(&self.descriptor, self.query, &self.product, self.missing)?;
        answer.more = !self.open.is_empty();
        if answer.more || !answer.missing.is_empty() {
            let held = answer.records.len() as u64;
            answer.total = (self.totals > 0).then_some(self.totals.max(held));
        }
        let rest = self.open.into_iter().map(|open| NextPage {
            list: open.what.to_owned(),
            rows: open.rows,
            query: open.call.query,
        });
        answer.rest = rest.collect();
        Ok(answer)
    }
}
