//! What a replayed vendor has received.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;
use url::form_urlencoded;

use super::answer::first;

/// Bounds the log, since a demo may run for weeks: at most so many requests …
const MAX_REQUESTS: usize = 65_536;
/// … and so many bytes of them; the oldest are dropped. The counter of all attempts goes on.
const MAX_BYTES: usize = 32 << 20;

/// Describes one request as the vendor got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Numbers the requests of one replay from 1 in the order in which their heads were read; never reused.
    pub at: u64,
    /// Gives the method as sent; of a DNS question the type.
    pub method: String,
    /// Gives the path as sent: still percent-encoded, without the query. This is what a signature covers. Of a DNS
    /// question it is the name, without the dot at its end.
    pub path: String,
    /// Gives the decoded pairs of the query in their order.
    pub query: Vec<(String, String)>,
    /// Gives the headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Gives the body without its framing; empty until all of it was read.
    pub body: Bytes,
    /// Tells whether the body was read to its end.
    pub whole: bool,
}

impl SeenRequest {
    /// Finds the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// Finds the first query parameter of that name.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(present, _)| present == name)
            .map(|(_, value)| value.as_str())
    }

    /// Decodes a body labelled `application/x-www-form-urlencoded`; any other has no pairs.
    pub fn form(&self) -> Vec<(String, String)> {
        let label = self
            .header("content-type")
            .unwrap_or("")
            .split(';')
            .next()
            .unwrap_or("")
            .trim();
        if !label.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Vec::new();
        }
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    fn weight(&self) -> usize {
        let pairs = self.query.iter().chain(&self.headers);
        self.body.len() + self.path.len() + pairs.map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

#[derive(Debug, Default)]
struct Entries {
    requests: VecDeque<SeenRequest>,
    bytes: usize,
    next: u64,
    attempts: u64,
    settled: u64,
    // Requests of lower numbers were forgotten: their bodies, should they still arrive, count for nothing.
    since: u64,
}

/// Keeps the requests and wakes those who wait for them.
#[derive(Debug)]
pub(super) struct Log {
    entries: Mutex<Entries>,
    settled: watch::Sender<u64>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            entries: Mutex::default(),
            settled: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request whose head was read, and returns it with its number.
    pub(super) fn begin(&self, mut request: SeenRequest) -> SeenRequest {
        let mut entries = self.lock();
        entries.next += 1;
        entries.attempts += 1;
        request.at = entries.next;
        entries.bytes += request.weight();
        entries.requests.push_back(request.clone());
        entries.trim();
        request
    }

    /// Notes how a request's body ended: whole, or cut short (`None`).
    pub(super) fn settle(&self, at: u64, body: Option<Bytes>) {
        let mut entries = self.lock();
        if at <= entries.since {
            return;
        }
        if let Some(body) = body {
            let length = body.len();
            if let Some(request) = entries.requests.iter_mut().rev().find(|request| request.at == at) {
                request.body = body;
                request.whole = true;
                entries.bytes += length;
            }
            entries.trim();
        }
        entries.settled += 1;
        // Sent under the lock, so that a `forget` cannot be overtaken by an older number.
        self.settled.send_replace(entries.settled);
    }

    pub(super) fn seen(&self) -> Vec<SeenRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(super) fn attempts(&self) -> u64 {
        self.lock().attempts
    }

    pub(super) fn attempts_to(&self, prefix: &str) -> u64 {
        self.lock()
            .requests
            .iter()
            .map(|request| u64::from(request.path.starts_with(prefix)))
            .sum()
    }

    pub(super) fn forget(&self) {
        let mut entries = self.lock();
        let next = entries.next;
        *entries = Entries {
            next,
            since: next,
            ..Entries::default()
        };
        self.settled.send_replace(0);
    }

    pub(super) async fn wait_for(&self, wanted: u64) {
        let mut counts = self.settled.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _reached = counts.wait_for(|settled| *settled >= wanted).await;
    }
}

impl Entries {
    fn trim(&mut self) {
        while self.requests.len() > MAX_REQUESTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.requests.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(oldest.weight());
        }
    }
}
