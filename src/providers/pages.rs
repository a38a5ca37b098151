//! Walks lists that come page by page, several of them side by side.

use std::collections::HashSet;

use bytes::Bytes;

use super::common::{answer, replied_good};
use super::{Call, Descriptor, ProviderError, Replied, Reply, Step};
use crate::domain::{Answer, Query, Record};

/// Holds what one page of a list gave.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// What was read from it.
    pub(super) records: Vec<Record>,
    /// How many rows it had, those that could not be read included.
    pub(super) rows: usize,
    /// How many rows the list has in all, where the vendor says.
    pub(super) total: Option<u64>,
    /// The call for the next page, where there is one.
    pub(super) next: Option<Call>,
    /// What of the list cannot be read, in plain words.
    pub(super) missing: Option<String>,
}

/// Reads the reply to a call as a page.
pub(super) type Read = Box<dyn Fn(&Query, &Call, &Reply) -> Result<Page, ProviderError> + Send>;

/// Is a list with pages to come.
struct Open {
    what: &'static str,
    call: Call,
    rows: usize,
    /// The page before, so that a vendor who gives the same page again is seen through.
    before: Option<Bytes>,
}

/// Holds a walk over the pages of one or several lists.
pub(super) struct Pages {
    descriptor: &'static Descriptor,
    product: &'static str,
    query: Query,
    /// How many records are enough.
    want: usize,
    /// The most calls.
    most: usize,
    read: Read,
    open: Vec<Open>,
    calls: usize,
    records: Vec<Record>,
    seen: HashSet<String>,
    totals: u64,
    missing: Vec<String>,
    error: Option<ProviderError>,
}

impl Pages {
    /// Begins a walk that ends when `want` records are read, or after `most` calls.
    pub(super) fn new(
        descriptor: &'static Descriptor,
        product: &'static str,
        query: Query,
        want: usize,
        most: usize,
        read: Read,
    ) -> Self {
        Self {
            descriptor,
            product,
            query,
            want,
            most,
            read,
            open: Vec::new(),
            calls: 0,
            records: Vec::new(),
            seen: HashSet::new(),
            totals: 0,
            missing: Vec::new(),
            error: None,
        }
    }

    /// Adds a list by the call for its first page; `what` names it where it is missing.
    pub(super) fn list(mut self, what: &'static str, call: Call) -> Self {
        self.open.push(Open {
            what,
            call,
            rows: 0,
            before: None,
        });
        self
    }

    /// Reads the next page of every list, or makes the answer.
    ///
    /// # Errors
    /// The first failure, where nothing came at all.
    pub(super) fn next(mut self) -> Result<Step, ProviderError> {
        let enough = self.calls > 0 && self.records.len() >= self.want;
        let used_up = self.calls + self.open.len() > self.most;
        if self.open.is_empty() || enough || used_up {
            if used_up && !enough && !self.open.is_empty() {
                self.missing
                    .push(format!("the vendor has more than these {} pages", self.calls));
                self.open.clear();
            }
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
        if open.before.is_none() {
            self.totals += page.total.unwrap_or(0);
        }
        open.rows += page.rows;
        for record in page.records {
            // Two lists may say the same, and so may two pages between which something was added.
            let written = serde_json::to_string(&record).unwrap_or_default();
            if self.seen.insert(written) {
                self.records.push(record);
            }
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

    fn done(self) -> Result<Answer, ProviderError> {
        if let Some(error) = self.error.filter(|_| self.records.is_empty()) {
            return Err(error);
        }
        let mut answer = answer(self.descriptor, self.query, self.product, self.records);
        answer.more = !self.open.is_empty();
        if answer.more || !self.missing.is_empty() {
            let held = answer.records.len() as u64;
            answer.total = (self.totals > 0).then_some(self.totals.max(held));
        }
        answer.missing = self.missing;
        Ok(answer)
    }
}
