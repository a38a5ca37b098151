//! One run: its events as they are sent, and how it stands. What is told of it is always whole: its end never comes before the
//! messages that say why.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use smol_str::SmolStr;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::memory::Memory;
use super::{IDLE, Owner};
use crate::clock::SharedClock;
use crate::maltego::Entity;
use crate::maltego::json::event::{Event, MessageType, Stamp, StatusMessage};
use crate::maltego::json::finding::WrittenFinding;
use crate::maltego::json::run::{PromptAnswer, Standing, State, page, summary};

/// The most bytes of events of a run. Messages have some room beyond: that something is missing is said in any case.
const MOST_BYTES: usize = 8 << 20;
const MESSAGES: usize = 256 << 10;
/// What the last events say has room beyond that.
const LAST: usize = 16 << 10;
/// Room for the events of an ordinary run, taken with the first one.
const FIRST: usize = 4 << 10;

/// Is a run of a transform.
#[derive(Debug)]
pub struct Run {
    /// The id.
    pub id: Uuid,
    text: String,
    /// The transform.
    pub transform: Arc<str>,
    /// Whose it is.
    pub owner: Owner,
    /// When it was created, on the clock's `elapsed`.
    pub created: Duration,
    started: Timestamp,
    clock: SharedClock,
    inner: Mutex<Inner>,
    /// Counts the bytes of events.
    memory: Memory,
}

#[derive(Debug)]
struct Inner {
    state: State,
    updated: Timestamp,
    /// When something happened, or the client asked, on the clock's `elapsed`.
    touched: Duration,
    ended: Option<Duration>,
    stamp: Stamp,
    /// The events, with a comma behind each.
    bytes: Vec<u8>,
    /// Where each event ends, its comma included.
    ends: Vec<usize>,
    found: usize,
    added: BTreeMap<SmolStr, usize>,
    /// Up to which event the client has read.
    read: usize,
    progress: f64,
    prompt: Option<(String, oneshot::Sender<PromptAnswer>)>,
    task: Option<AbortHandle>,
}

/// Is an answer about a run.
#[derive(Debug)]
pub struct RunPage {
    /// The body.
    pub body: Vec<u8>,
    /// How the run stands.
    pub state: State,
    /// How long it has taken, in milliseconds.
    pub duration_ms: u64,
    /// How many entities of each type it found.
    pub added: BTreeMap<SmolStr, usize>,
}

/// Says what became of an answer to a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptOutcome {
    /// It was taken, or came for no prompt that is open.
    Taken(State),
    /// The run had ended before.
    Expired,
}

impl Inner {
    /// Counts what an event tells.
    fn count(&mut self, event: &Event<'_>) {
        match event {
            Event::Found(_, Entity { type_id, .. })
            | Event::FoundAgain(_, WrittenFinding { type_id, .. }) => {
                self.found += 1;
                match self.added.get_mut(type_id) {
                    Some(count) => *count += 1,
                    None => {
                        self.added.insert(type_id.clone(), 1);
                    }
                }
            }
            Event::Message(message) => self.progress = self.progress.max(message.progress),
            _ => {}
        }
    }
}

impl Run {
    pub(super) fn new(
        id: Uuid,
        transform: Arc<str>,
        owner: Owner,
        clock: &SharedClock,
        memory: Memory,
    ) -> Self {
        let (now, elapsed) = (clock.now(), clock.elapsed());
        Self {
            id,
            text: id.to_string(),
            transform,
            owner,
            created: elapsed,
            started: now,
            clock: Arc::clone(clock),
            inner: Mutex::new(Inner {
                state: State::Initialized,
                updated: now,
                touched: elapsed,
                ended: None,
                stamp: Stamp::default(),
                bytes: Vec::new(),
                ends: Vec::new(),
                found: 0,
                added: BTreeMap::new(),
                read: 0,
                progress: 0.0,
                prompt: None,
                task: None,
            }),
            memory,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the task that works on it, which ends with it.
    pub fn worked_on_by(&self, task: AbortHandle) {
        let mut inner = self.inner();
        if inner.state.is_end() {
            return;
        }
        inner.task = Some(task);
    }

    /// Says that work has begun.
    pub fn begin(&self) {
        let mut inner = self.inner();
        if inner.state == State::Initialized {
            inner.state = State::Running;
        }
    }

    /// Tells how it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.inner().state
    }

    /// Tells whether it has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state().is_end()
    }

    /// Tells whether it has ended and its client has read all of it.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let inner = self.inner();
        inner.state.is_end() && inner.read >= inner.ends.len()
    }

    /// Returns when it is due to be ended or removed, on the clock's `elapsed`.
    #[must_use]
    pub fn due(&self) -> Duration {
        let inner = self.inner();
        let patience = match &inner.prompt {
            // A user who is asked may take their time, which the prompt bounds.
            Some(_) => IDLE * 10,
            None if inner.state.is_end() => IDLE * 2,
            None => IDLE,
        };
        inner.touched + patience
    }

    /// Adds an event; false where there is no room for it any more, or the run has ended.
    pub fn add(&self, event: &Event<'_>) -> bool {
        self.add_whole(std::slice::from_ref(event))
    }

    /// Adds events of which none means anything without the others, such as an entity and its link: all of them, or none where
    /// there is no room for all.
    pub fn add_whole(&self, events: &[Event<'_>]) -> bool {
        let is_message = |event: &Event<'_>| matches!(event, Event::Message(_) | Event::Asked(_));
        let is_message = events.iter().all(is_message);
        let room = MOST_BYTES + if is_message { MESSAGES } else { 0 };
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let mut inner = self.inner();
        !inner.state.is_end() && self.push(&mut inner, events, (room, is_message), (now, elapsed))
    }

    /// Writes events where they lie, if there is room for all of them.
    fn push(
        &self,
        inner: &mut Inner,
        events: &[Event<'_>],
        (room, is_message): (usize, bool),
        (now, elapsed): (Timestamp, Duration),
    ) -> bool {
        let (bytes, ends) = (inner.bytes.len(), inner.ends.len());
        if inner.bytes.capacity() == 0 {
            inner.bytes.reserve(FIRST);
        }
        for event in events {
            if event.write(inner.stamp.at(now), &mut inner.bytes) {
                inner.bytes.push(b',');
                inner.ends.push(inner.bytes.len());
            }
        }
        let end = inner.bytes.len();
        if end == bytes {
            // Nothing is new.
            return true;
        }
        if end > room || !self.memory.take(end - bytes, is_message) {
            inner.bytes.truncate(bytes);
            inner.ends.truncate(ends);
            return false;
        }
        for event in events {
            inner.count(event);
        }
        inner.updated = now;
        inner.touched = elapsed;
        true
    }

    /// Returns how far it is, from 0 to 1, as its messages told.
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.inner().progress
    }

    /// Ends it, with these last events. Of several ends the first one counts.
    pub fn end(&self, state: State, last: &[Event<'_>]) {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let task = {
            let mut inner = self.inner();
            if inner.state.is_end() {
                return;
            }
            let room = MOST_BYTES + MESSAGES + LAST;
            for event in last {
                self.push(
                    &mut inner,
                    std::slice::from_ref(event),
                    (room, true),
                    (now, elapsed),
                );
            }
            inner.state = state;
            inner.updated = now;
            inner.ended = Some(elapsed);
            inner.prompt = None;
            inner.task.take()
        };
        // What it asks for is given up where it comes to nothing else.
        if state != State::Completed
            && let Some(task) = task
        {
            task.abort();
        }
    }

    /// Ends it since it took too long, or its client no longer asks.
    pub fn time_out(&self, text: &str) {
        self.end(State::TimedOut, &[self.failure(text)]);
    }

    /// Ends it since it cannot go on.
    pub fn fail(&self, text: &str) {
        self.end(State::Failed, &[self.failure(text)]);
    }

    fn failure<'a>(&self, text: &'a str) -> Event<'a> {
        Event::Message(StatusMessage {
            kind: MessageType::Error,
            state: State::Failed,
            text,
            progress: self.progress(),
        })
    }

    fn standing(&self, inner: &Inner) -> Standing<'_> {
        Standing {
            id: &self.text,
            state: inner.state,
            started: self.started,
            updated: inner.updated,
            events: inner.ends.len(),
            found: inner.found,
        }
    }

    fn duration_ms(&self, inner: &Inner) -> u64 {
        let until = inner.ended.unwrap_or_else(|| self.clock.elapsed());
        u64::try_from(until.saturating_sub(self.created).as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns what is told of a run that was just created: no event yet.
    #[must_use]
    pub fn created(&self) -> RunPage {
        self.told(&self.inner(), 0, 0..0)
    }

    /// Returns up to `limit` events from `pointer` on. A pointer below zero counts from the end.
    #[must_use]
    pub fn page(&self, pointer: i64, limit: usize) -> RunPage {
        let mut inner = self.inner();
        inner.touched = self.clock.elapsed();
        let count = inner.ends.len();
        let from = match usize::try_from(pointer) {
            Ok(from) => from.min(count),
            Err(_) => count.saturating_sub(usize::try_from(pointer.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        let to = from.saturating_add(limit).min(count);
        inner.read = inner.read.max(to);
        self.told(&inner, pointer, from..to)
    }

    fn told(&self, inner: &Inner, pointer: i64, events: Range<usize>) -> RunPage {
        let end = |count: usize| {
            count
                .checked_sub(1)
                .and_then(|at| inner.ends.get(at))
                .copied()
                .unwrap_or(0)
        };
        let (from, to) = (end(events.start), end(events.end));
        let events = inner.bytes.get(from..to.saturating_sub(1)).unwrap_or_default();
        RunPage {
            body: page(&self.standing(inner), pointer, events),
            state: inner.state,
            duration_ms: self.duration_ms(inner),
            added: BTreeMap::new(),
        }
    }

    /// Returns what it came to.
    #[must_use]
    pub fn summary(&self) -> RunPage {
        let mut inner = self.inner();
        inner.touched = self.clock.elapsed();
        let duration_ms = self.duration_ms(&inner);
        RunPage {
            body: summary(&self.standing(&inner), &inner.added, duration_ms),
            state: inner.state,
            duration_ms,
            added: inner.added.clone(),
        }
    }

    /// Says that its client wants nothing of it any more, whether it had ended or not.
    pub fn canceled_after_all(&self) {
        self.end(State::Canceled, &[]);
        self.inner().state = State::Canceled;
    }

    /// Opens a prompt: the answer comes over the channel that is returned, or the channel is closed when the run ends.
    #[must_use]
    pub fn ask(&self, id: String) -> oneshot::Receiver<PromptAnswer> {
        let (answer, answered) = oneshot::channel();
        let mut inner = self.inner();
        if !inner.state.is_end() {
            inner.prompt = Some((id, answer));
        }
        answered
    }

    /// Closes a prompt that was not answered in time.
    pub fn close_prompt(&self) {
        let mut inner = self.inner();
        inner.prompt = None;
        inner.touched = self.clock.elapsed();
    }

    /// Takes the answer to a prompt.
    pub fn answer(&self, id: &str, answer: PromptAnswer) -> PromptOutcome {
        let mut inner = self.inner();
        if inner.state == State::TimedOut {
            return PromptOutcome::Expired;
        }
        inner.touched = self.clock.elapsed();
        if let Some((_, waiting)) = inner.prompt.take_if(|(open, _)| open == id) {
            // The run may have ended in the meantime.
            let _ = waiting.send(answer);
        }
        PromptOutcome::Taken(inner.state)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.memory.give_back(inner.bytes.len());
        if let Some(task) = inner.task.take() {
            task.abort();
        }
    }
}
