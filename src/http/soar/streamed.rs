//! Answers a batch line by line. The batch goes on at its own pace, so that a client that reads slowly holds up no other: its
//! room is free when the work is done, and lines wait for the client for a while, as other answers do.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::rt::task::JoinHandle;
use actix_web::web::{Bytes, Data};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::batch::{NDJSON, Run, items, last_line, line};
use crate::app::App;
use crate::clock::{Clock, timeout_at};
use crate::http::principal;
use crate::http::problem::Problem;
use crate::http::request::{Entry, Line, RequestContext};

/// Lines that are handed to the connection before its client took those before.
const AHEAD: usize = 16;
/// Once all is scored, lines wait for their client so many times as long as it may take nothing.
const WHOLE: u32 = 5;

/// Lines wait this long where more wait already than may.
const SHORT: Duration = Duration::from_secs(2);
/// So many bytes of lines may wait for their clients, of all batches together.
const MOST_UNREAD: usize = 32 << 20;

/// Counts lines that wait for their client while it lives.
struct UnreadLines {
    all: Arc<AtomicUsize>,
    bytes: usize,
    /// Whether all that wait are no more than may.
    fits: bool,
}

impl UnreadLines {
    fn hold(all: &Arc<AtomicUsize>, bytes: usize) -> Self {
        let before = all.fetch_add(bytes, Ordering::Relaxed);
        Self {
            all: Arc::clone(all),
            bytes,
            fits: before.saturating_add(bytes) <= MOST_UNREAD,
        }
    }
}

impl Drop for UnreadLines {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Is a piece of an answer of lines.
enum StreamPart {
    Line(Bytes),
    /// The last line, with the outcome for the log.
    Last(Bytes, &'static str),
}

impl StreamPart {
    fn len(&self) -> usize {
        match self {
            Self::Line(text) | Self::Last(text, _) => text.len(),
        }
    }
}

/// Answers line by line. A client that goes away stops what was not asked yet.
pub(super) fn stream_lines(context: &RequestContext, run: Run) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .content_type(NDJSON)
        .insert_header(("x-request-id", run.requester.request_id.clone()));
    principal::rate_headers(&mut response, run.principal.rate());
    let (lines, taken) = mpsc::channel(AHEAD);
    let provider_time = Rc::default();
    let streamed = Streamed {
        app: run.app.clone(),
        client: Arc::clone(&run.principal.client),
        asked: format!("{} indicators", run.given.len()),
        line: context.take_line(),
        outcome: "abandoned",
        provider_time: Rc::clone(&provider_time),
        work: actix_web::rt::spawn(work(run, context.id(), lines, provider_time)),
    };
    let lines = stream::unfold((taken, streamed), |(mut taken, mut streamed)| async move {
        let text = match taken.recv().await? {
            StreamPart::Line(text) => text,
            StreamPart::Last(text, outcome) => {
                streamed.outcome = outcome;
                text
            }
        };
        Some((Ok::<_, actix_web::Error>(text), (taken, streamed)))
    });
    response.streaming(lines)
}

/// Scores all indicators of a batch, and hands over their lines as its client takes them.
async fn work(
    run: Run,
    request_id: Uuid,
    lines: mpsc::Sender<StreamPart>,
    provider_time: Rc<Cell<Duration>>,
) {
    let app = run.app.clone();
    let run = Rc::new(run);
    let mut summary = run.summary();
    let mut waiting = VecDeque::new();
    let mut items = Box::pin(items(Rc::clone(&run)));
    loop {
        tokio::select! {
            biased;
            place = lines.reserve(), if !waiting.is_empty() => {
                let (Ok(place), Some(line)) = (place, waiting.pop_front()) else { return };
                place.send(line);
            }
            item = items.next() => {
                let Some(item) = item else { break };
                summary.count(&item);
                provider_time.set(provider_time.get() + item.provider_time);
                waiting.push_back(StreamPart::Line(line(&item).into()));
            }
        }
    }
    summary.close(&app, run.principal.tenant());
    waiting.push_back(StreamPart::Last(last_line(&summary).into(), summary.outcome()));
    // Here the room of the batch is given back.
    drop((items, run));
    let clock = app.engine.clock();
    let bytes = waiting.iter().map(StreamPart::len).sum();
    let held = UnreadLines::hold(&app.unread_lines, bytes);
    // Where many lines wait for clients already, these wait as long as a client that reads needs.
    let patience = if held.fits {
        app.configured.load().settings().server.client_timeout * WHOLE
    } else {
        SHORT
    };
    let until = clock.elapsed() + patience;
    if !deliver(clock.as_ref(), until, &lines, waiting, request_id).await {
        app.engine.metrics().network().slow("answer");
    }
}

/// Hands lines over as the client takes them; after `until`, one that says so takes the place of all that it did not take.
/// Returns false where it comes to that.
async fn deliver(
    clock: &dyn Clock,
    until: Duration,
    lines: &mpsc::Sender<StreamPart>,
    waiting: VecDeque<StreamPart>,
    request_id: Uuid,
) -> bool {
    let all = async move {
        for line in waiting {
            if lines.send(line).await.is_err() {
                return;
            }
        }
    };
    if timeout_at(clock, until, all).await.is_some() {
        return true;
    }
    let detail = "the lines of this batch were not read in time, and those that are missing are given up; send it again, and read faster";
    let title = "The answer was not read in time";
    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", title, detail).of(request_id);
    let mut text = serde_json::json!({ "problem": problem }).to_string();
    text.push('\n');
    // A client that has gone needs none.
    drop(lines.send(StreamPart::Last(text.into(), "abandoned")).await);
    false
}

/// Is an answer of lines under way. Leaves its line in the log when it ends, also where its client goes away; then it stops
/// the work, too.
struct Streamed {
    app: Data<App>,
    client: Arc<str>,
    asked: String,
    line: Option<Line>,
    outcome: &'static str,
    provider_time: Rc<Cell<Duration>>,
    work: JoinHandle<()>,
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.work.abort();
        let Some(line) = self.line.take() else { return };
        let entry = Entry {
            outcome: self.outcome,
            status: 200,
            cache: "mixed",
            provider_time: self.provider_time.get(),
            client: Arc::clone(&self.client),
            operation: None,
            indicator: Some(self.asked.as_str().into()),
            decision: None,
        };
        line.write(&self.app, entry);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;
    use crate::clock::manual::ManualClock;

    fn lines() -> VecDeque<StreamPart> {
        let lines = (0..5).map(|at| StreamPart::Line(format!("{at}\n").into()));
        lines
            .chain([StreamPart::Last("{\"summary\": 1}\n".into(), "below")])
            .collect()
    }

    fn text(piece: StreamPart) -> (Bytes, Option<&'static str>) {
        match piece {
            StreamPart::Line(text) => (text, None),
            StreamPart::Last(text, outcome) => (text, Some(outcome)),
        }
    }

    #[test]
    fn lines_that_wait_are_counted_together() {
        let all = Arc::default();
        let first = UnreadLines::hold(&all, MOST_UNREAD);
        assert!(first.fits && !UnreadLines::hold(&all, 1).fits);
        drop(first);
        assert!(UnreadLines::hold(&all, MOST_UNREAD).fits);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[actix_web::test]
    async fn lines_that_are_not_read_in_time_are_given_up_and_that_is_told() {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let until = Duration::from_secs(300);
        let (sender, mut taken) = mpsc::channel(2);
        let mut delivering = Box::pin(deliver(&clock, until, &sender, lines(), Uuid::nil()));
        assert!(poll!(delivering.as_mut()).is_pending());
        clock.advance(until);
        assert!(poll!(delivering.as_mut()).is_pending());
        let mut read = Vec::new();
        while let Ok(piece) = taken.try_recv() {
            read.push(text(piece));
        }
        assert!(!delivering.await);
        read.push(text(taken.try_recv().unwrap()));
        assert!(taken.try_recv().is_err());
        assert_eq!(read.len(), 3, "{read:?}");
        let last: serde_json::Value = serde_json::from_slice(&read[2].0).unwrap();
        assert_eq!(last["problem"]["type"], "urn:pivotd:problem:too-slow");
        assert_eq!(read[2].1, Some("abandoned"));
    }

    #[actix_web::test]
    async fn whoever_reads_gets_every_line() {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let (sender, mut taken) = mpsc::channel(1);
        let delivering = actix_web::rt::spawn(async move {
            deliver(&clock, Duration::from_secs(300), &sender, lines(), Uuid::nil()).await
        });
        let mut read = Vec::new();
        while let Some(piece) = taken.recv().await {
            read.push(text(piece));
        }
        assert!(delivering.await.unwrap());
        assert_eq!((read.len(), read[5].1), (6, Some("below")));
    }
}
