//! Knows every connection of a client, so that their number stays bounded: when it is reached, the connection whose client
//! has let the server wait longest makes room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;

use crate::clock::SharedClock;
use crate::telemetry::network::NetworkMetrics;

/// Connections beyond the most, on which only health is answered.
pub(super) const SPARE: usize = 32;
/// The share of the waiting connections that make room at once, one in so many: so that a flood does not cost a search for
/// each of its connections.
const SHARE: usize = 64;
/// Connections are looked through for those that are idle for too long at most once in so long.
const SWEEP: Duration = Duration::from_secs(1);

/// Holds the open connections.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    metrics: NetworkMetrics,
    most: usize,
    /// How long a connection may be open without a byte while the server waits for its client.
    idle: Duration,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    next: u64,
    swept: Duration,
}

/// Says what the server does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
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

/// Is a connection of a client, as its stream, its requests and the others see it.
#[derive(Debug)]
pub struct Connection {
    /// When bytes last moved, in milliseconds of the clock.
    moved: AtomicU64,
    phase: AtomicU8,
    closed: AtomicBool,
    /// Whether the client takes nothing of its answer.
    stalled: AtomicBool,
    /// Whether bytes wait for their turn until the phase changes.
    paused: AtomicBool,
    /// Whether only health is answered on it.
    spare: bool,
    /// Wakes the task that reads and writes.
    task: AtomicWaker,
}

impl Connection {
    fn new(now: Duration, spare: bool) -> Self {
        Self {
            moved: AtomicU64::new(millis(now)),
            phase: AtomicU8::new(Phase::Between as u8),
            closed: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            spare,
            task: AtomicWaker::new(),
        }
    }

    /// Notes that bytes moved.
    pub(super) fn moved(&self, now: Duration) {
        self.moved.store(millis(now), Ordering::Relaxed);
    }

    /// Tells whether it has to make room; else the task is woken when it has to.
    pub(super) fn is_closed(&self, task: &Waker) -> bool {
        self.task.register(task);
        self.closed.load(Ordering::Acquire)
    }

    /// Tells whether only health is answered on it.
    pub(super) fn is_spare(&self) -> bool {
        self.spare
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.task.wake();
    }

    /// Enters a phase, until what is returned is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>, phase: Phase) -> InPhase {
        let before = self.phase.swap(phase as u8, Ordering::Relaxed);
        self.go_on();
        InPhase {
            connection: Arc::clone(self),
            before,
        }
    }

    fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// Tells whether what the client sends can be used now: a request, or a piece of a body.
    pub(super) fn takes_bytes(&self) -> bool {
        let in_turn = self.is(Phase::Between) || self.is(Phase::Body);
        in_turn && !self.stalled.load(Ordering::Relaxed)
    }

    /// Notes whether the client takes nothing of its answer.
    pub(super) fn stalls(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Notes that bytes wait for their turn; the task of the connection is woken when the phase changes.
    pub(super) fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    fn go_on(&self) {
        if self.paused.swap(false, Ordering::Relaxed) {
            self.task.wake();
        }
    }

    /// Says since when the server waits for the client; `None` while it works.
    fn waits_since(&self) -> Option<u64> {
        (!self.is(Phase::Working)).then(|| self.moved.load(Ordering::Relaxed))
    }
}

/// Keeps a connection in a phase while it lives.
#[derive(Debug)]
pub struct InPhase {
    connection: Arc<Connection>,
    before: u8,
}

impl Drop for InPhase {
    fn drop(&mut self) {
        self.connection.phase.store(self.before, Ordering::Relaxed);
        self.connection.go_on();
    }
}

/// Keeps a connection counted while it lives.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Connections,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let shared = &self.connections.0;
        shared.open().by_number.remove(&self.number);
        shared.metrics.connections.dec();
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it holds the lock; the map is whole in any case.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Lists the connections that wait for their clients, with since when.
    fn waiting(&self) -> Vec<(u64, u64)> {
        self.by_number
            .iter()
            .filter_map(|(number, connection)| Some((connection.waits_since()?, *number)))
            .collect()
    }

    /// Closes connections. They leave the map at once, the count as they end.
    fn close(&mut self, numbers: impl IntoIterator<Item = u64>) -> u64 {
        let mut count = 0;
        for number in numbers {
            if let Some(connection) = self.by_number.remove(&number) {
                connection.close();
                count += 1;
            }
        }
        count
    }

    /// Closes those whose clients have let the server wait longest.
    fn make_room(&mut self) -> u64 {
        let mut waiting = self.waiting();
        let room = waiting.len().div_ceil(SHARE);
        if room < waiting.len() {
            waiting.select_nth_unstable(room);
            waiting.truncate(room);
        }
        self.close(waiting.into_iter().map(|(_, number)| number))
    }

    /// Closes those that have been idle since `since`.
    fn sweep(&mut self, since: u64) -> u64 {
        let idle = self.waiting().into_iter().filter(|(moved, _)| *moved <= since);
        self.close(idle.map(|(_, number)| number))
    }
}

impl Connections {
    /// Holds at most so many, and those that are idle no longer than `idle`.
    #[must_use]
    pub(crate) fn new(most: usize, idle: Duration, clock: SharedClock, metrics: NetworkMetrics) -> Self {
        Self(Arc::new(Shared {
            clock,
            metrics,
            most,
            idle,
            open: Mutex::default(),
        }))
    }

    /// Takes a new connection in. Where the server works on all that are open, it is a spare one; `None` where those are
    /// taken, too.
    pub(crate) fn enter(&self) -> Option<Place> {
        let shared = &self.0;
        let now = shared.clock.elapsed();
        let mut open = shared.open();
        if now >= open.swept + SWEEP {
            open.swept = now;
            if let Some(since) = now.checked_sub(shared.idle) {
                for _ in 0..open.sweep(millis(since)) {
                    shared.metrics.slow("head");
                }
            }
        }
        if open.by_number.len() >= shared.most {
            shared.metrics.made_room.inc_by(open.make_room());
        }
        let count = open.by_number.len();
        if count >= shared.most + SPARE {
            shared.metrics.refused.inc();
            return None;
        }
        let connection = Arc::new(Connection::new(now, count >= shared.most));
        let number = open.next;
        open.next += 1;
        open.by_number.insert(number, Arc::clone(&connection));
        shared.metrics.connections.inc();
        Some(Place {
            connections: self.clone(),
            number,
            connection,
        })
    }

    /// Returns the clock.
    pub(super) fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// Returns the metrics.
    pub(super) fn metrics(&self) -> &NetworkMetrics {
        &self.0.metrics
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker;

    use super::*;
    use crate::clock::manual::ManualClock;

    const IDLE: Duration = Duration::from_secs(120);

    fn connections(most: usize) -> (Connections, ManualClock) {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::new(clock.clone());
        (
            Connections::new(most, IDLE, shared, NetworkMetrics::default()),
            clock,
        )
    }

    fn is_closed(place: &Place) -> bool {
        place.connection.is_closed(&noop_waker())
    }

    fn note_moved(place: &Place) {
        let now = place.connections.clock().elapsed();
        place.connection.moved(now);
    }

    #[test]
    fn the_connection_that_lets_the_server_wait_longest_makes_room() {
        let (connections, clock) = connections(2);
        let first = connections.enter().unwrap();
        clock.advance(Duration::from_secs(1));
        let second = connections.enter().unwrap();
        clock.advance(Duration::from_secs(1));
        note_moved(&first);
        let third = connections.enter().unwrap();
        assert!(!is_closed(&first), "it moved last");
        assert!(is_closed(&second));
        assert!(!is_closed(&third));
        assert_eq!(connections.metrics().made_room.get(), 1);
    }

    #[test]
    fn what_the_server_works_on_makes_no_room_and_what_it_waits_for_does() {
        let (connections, _clock) = connections(1);
        let only = connections.enter().unwrap();
        for phase in [Phase::Body, Phase::HeldBack] {
            let work = only.connection.enter(Phase::Working);
            assert!(connections.enter().unwrap().connection.is_spare(), "{phase:?}");
            assert!(!is_closed(&only));
            let waits = only.connection.enter(phase);
            assert!(only.connection.waits_since().is_some());
            drop(waits);
            assert!(only.connection.waits_since().is_none());
            drop(work);
        }
        let work = only.connection.enter(Phase::Working);
        let _waits = only.connection.enter(Phase::Body);
        let next = connections.enter().unwrap();
        assert!(!next.connection.is_spare());
        assert!(is_closed(&only));
        drop(work);
    }

    #[test]
    fn a_few_connections_are_spare_while_the_server_works_on_all_others() {
        let (connections, _clock) = connections(1);
        let only = connections.enter().unwrap();
        let _work = only.connection.enter(Phase::Working);
        let spare = || {
            let place = connections.enter().unwrap();
            assert!(place.connection.is_spare());
            let working = place.connection.enter(Phase::Working);
            (place, working)
        };
        let (_places, working): (Vec<Place>, Vec<InPhase>) = (0..SPARE).map(|_| spare()).unzip();
        assert!(connections.enter().is_none());
        assert_eq!(connections.metrics().refused.get(), 1);
        drop(working);
        assert!(
            connections.enter().unwrap().connection.is_spare(),
            "idle spare ones make room"
        );
    }

    #[test]
    fn a_connection_on_which_nothing_comes_is_not_kept() {
        let (connections, clock) = connections(8);
        let idle = connections.enter().unwrap();
        let worked_on = connections.enter().unwrap();
        let _work = worked_on.connection.enter(Phase::Working);
        let alive = connections.enter().unwrap();
        clock.advance(IDLE / 2);
        note_moved(&alive);
        clock.advance(IDLE / 2);
        let _next = connections.enter().unwrap();
        assert!(is_closed(&idle));
        assert!(!is_closed(&worked_on) && !is_closed(&alive));
        assert_eq!(connections.metrics().slow_count("head"), 1);
    }

    #[test]
    fn a_connection_that_ends_leaves_its_place() {
        let (connections, _clock) = connections(1);
        for _ in 0..3 {
            assert!(!connections.enter().unwrap().connection.is_spare());
        }
        assert_eq!(connections.metrics().connections.get(), 0);
        assert_eq!(connections.metrics().made_room.get(), 0);
    }
}
