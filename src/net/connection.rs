//! Is one connection of a client, as its stream, its requests and the other connections see it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use prometheus_client::metrics::gauge::Gauge;

use super::shares::ShareGuard;

/// Says what the server does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// It waits for a request, or for the client to take the end of an answer.
    Between,
    /// It works on an answer.
    Working,
    /// It waits for a piece of a body.
    Body,
    /// It holds an answer back.
    HeldBack,
    /// It sends an answer, as the client takes it.
    Sending,
}

/// Says what becomes of the interim answer to a request whose client asks for one before it sends the body
/// (`Expect: 100-continue`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Interim {
    /// The client waits for none.
    None,
    /// The client waits for one; the server has not asked for the body yet.
    Held,
    /// The server asked for the body before the interim answer was written.
    Wanted,
    /// It came to be written, and was kept back.
    Owed,
    /// It was kept back, and the server asked for the body since.
    Due,
}

/// Counts the bytes of all heads of requests that have not come whole.
#[derive(Debug, Default)]
pub(crate) struct HeadBytes {
    held: AtomicUsize,
    gauge: Gauge,
}

impl HeadBytes {
    pub(crate) fn new(gauge: Gauge) -> Arc<Self> {
        Arc::new(Self {
            held: AtomicUsize::new(0),
            gauge,
        })
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn grow(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        self.gauge.inc_by(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    fn shrink(&self, bytes: usize) {
        if bytes > 0 {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            self.gauge.dec_by(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}

/// Is a connection of a client.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The address of the client; `None` where the system does not tell it.
    holder: Option<IpAddr>,
    /// How many connections that address has.
    siblings: Arc<AtomicUsize>,
    /// When bytes last came, and when they last went, in milliseconds of the clock.
    received_at: AtomicU64,
    sent_at: AtomicU64,
    phase: AtomicU8,
    closed: AtomicBool,
    /// Whether the client takes nothing of its answer.
    stalled: AtomicBool,
    /// Whether bytes wait for their turn until the phase changes.
    paused: AtomicBool,
    /// Whether only health is answered on it.
    spare: bool,
    heads: Arc<HeadBytes>,
    /// The bytes that came while no request was under way, since the last one began.
    head: AtomicUsize,
    /// Whether the body of the last request was not read to its end.
    unread: AtomicBool,
    /// Whether nothing more is answered on it.
    leaving: AtomicBool,
    interim: AtomicU8,
    /// The share of the request under way.
    share: Mutex<Weak<ShareGuard>>,
    /// How often something was read, and how often when a request was refused last.
    reads: AtomicU64,
    refused_at: AtomicU64,
    /// The requests that were refused one after another without a read between them.
    refused: AtomicU32,
    /// Wakes the task that reads and writes.
    task: AtomicWaker,
}

impl Connection {
    pub(crate) fn new(
        now: Duration,
        holder: Option<IpAddr>,
        siblings: Arc<AtomicUsize>,
        spare: bool,
        heads: Arc<HeadBytes>,
    ) -> Self {
        Self {
            holder,
            siblings,
            received_at: AtomicU64::new(millis(now)),
            sent_at: AtomicU64::new(millis(now)),
            phase: AtomicU8::new(Phase::Between as u8),
            closed: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            spare,
            heads,
            head: AtomicUsize::new(0),
            unread: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            interim: AtomicU8::new(Interim::None as u8),
            share: Mutex::default(),
            reads: AtomicU64::new(0),
            refused_at: AtomicU64::new(0),
            refused: AtomicU32::new(0),
            task: AtomicWaker::new(),
        }
    }

    pub(crate) fn holder(&self) -> Option<IpAddr> {
        self.holder
    }

    /// Returns how many connections its address has.
    pub(crate) fn siblings(&self) -> usize {
        self.siblings.load(Ordering::Relaxed)
    }

    /// Notes that bytes came.
    pub(crate) fn received(&self, now: Duration) {
        self.received_at.store(millis(now), Ordering::Relaxed);
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that bytes went.
    pub(crate) fn sent(&self, now: Duration) {
        self.sent_at.store(millis(now), Ordering::Relaxed);
    }

    /// Tells whether it has to make room; else the task is woken when it has to.
    pub(crate) fn is_closed(&self, task: &Waker) -> bool {
        self.task.register(task);
        self.closed.load(Ordering::Acquire)
    }

    /// Tells whether only health is answered on it.
    pub(crate) fn is_spare(&self) -> bool {
        self.spare
    }

    /// Ends it at once.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.task.wake();
    }

    /// Enters a phase, until what is returned is dropped.
    #[must_use]
    pub(crate) fn enter(self: &Arc<Self>, phase: Phase) -> PhaseGuard {
        let before = self.phase.swap(phase as u8, Ordering::Relaxed);
        if phase == Phase::Body
            && let Some(share) = self.share()
        {
            share.pause();
        }
        self.go_on();
        PhaseGuard {
            connection: Arc::clone(self),
            phase,
            before,
        }
    }

    /// Takes the share of a request that is worked on.
    pub(crate) fn shares(&self, share: &Arc<ShareGuard>) {
        *self.share.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(share);
    }

    fn share(&self) -> Option<Arc<ShareGuard>> {
        self.share
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade()
    }

    pub(crate) fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// Tells whether what the client sends can be used now: a request, or a piece of a body.
    pub(crate) fn takes_bytes(&self) -> bool {
        let in_turn = self.is(Phase::Between) || self.is(Phase::Body);
        in_turn && !self.stalled.load(Ordering::Relaxed)
    }

    /// Notes whether the client takes nothing of its answer.
    pub(crate) fn stalls(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Notes that bytes wait for their turn; the task of the connection is woken when the phase changes.
    pub(crate) fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    fn go_on(&self) {
        if self.paused.swap(false, Ordering::Relaxed) {
            self.task.wake();
        }
    }

    /// Says since when the server waits for the client; `None` while it works. A head or the rest of a body that comes drop by
    /// drop is waited for since the last answer.
    pub(crate) fn waits_since(&self) -> Option<u64> {
        let went = self.sent_at.load(Ordering::Relaxed);
        if self.is(Phase::Working) {
            None
        } else if self.is(Phase::Between) {
            Some(went)
        } else {
            Some(self.received_at.load(Ordering::Relaxed).max(went))
        }
    }

    /// Notes that a request began, with a body or without.
    pub(crate) fn begins(&self, has_body: bool) {
        self.head_ends();
        self.unread.store(has_body, Ordering::Relaxed);
    }

    /// Notes that the body of the request was read to its end.
    pub(crate) fn body_ends(&self) {
        self.unread.store(false, Ordering::Relaxed);
    }

    /// Tells whether a body was not read to its end.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// Returns the bytes that came while no request was under way, since the last one began.
    pub(crate) fn head(&self) -> usize {
        self.head.load(Ordering::Relaxed)
    }

    /// Counts bytes that came while no request was under way.
    pub(crate) fn head_grows(&self, bytes: usize) {
        self.head.fetch_add(bytes, Ordering::Relaxed);
        self.heads.grow(bytes);
    }

    /// Counts these bytes no longer.
    pub(crate) fn head_ends(&self) {
        self.heads.shrink(self.head.swap(0, Ordering::Relaxed));
    }

    /// Answers nothing more on it; what still comes is thrown away for a while, so that the client can read its last answer.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        self.task.wake();
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Counts a refused request, and returns how many of them came in one piece, sent ahead of their answers.
    pub(crate) fn refuses(&self) -> u32 {
        let reads = self.reads.load(Ordering::Relaxed);
        if self.refused_at.swap(reads, Ordering::Relaxed) == reads {
            self.refused.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.refused.store(1, Ordering::Relaxed);
            1
        }
    }

    /// Notes that the client waits for an interim answer before it sends a body.
    pub(crate) fn expects(&self) {
        self.turn_interim(Interim::Held);
    }

    /// Tells whether the client waits for an interim answer.
    pub(crate) fn is_expecting(&self) -> bool {
        self.is_interim(Interim::Held) || self.is_interim(Interim::Owed)
    }

    /// Notes that the server asks for the body.
    pub(crate) fn asks_for_body(&self) {
        let change = |from: Interim, to: Interim| {
            let (from, to) = (from as u8, to as u8);
            self.interim
                .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        if !change(Interim::Held, Interim::Wanted) {
            change(Interim::Owed, Interim::Due);
        }
    }

    pub(crate) fn is_interim(&self, interim: Interim) -> bool {
        self.interim.load(Ordering::Relaxed) == interim as u8
    }

    pub(crate) fn turn_interim(&self, interim: Interim) {
        self.interim.store(interim as u8, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.head_ends();
    }
}

/// Keeps a connection in a phase while it lives.
#[derive(Debug)]
pub(crate) struct PhaseGuard {
    connection: Arc<Connection>,
    phase: Phase,
    before: u8,
}

impl Drop for PhaseGuard {
    fn drop(&mut self) {
        self.connection.phase.store(self.before, Ordering::Relaxed);
        if self.phase == Phase::Body
            && let Some(share) = self.connection.share()
        {
            share.resume();
        }
        self.connection.go_on();
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
