//! Knows every connection of a client, so that their number stays bounded: when it is reached, one of the address that has
//! most makes room, of these the one whose client has let the server wait longest.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::attempts::holder;
use super::connection::{Connection, HeadBytes, millis};
use crate::clock::SharedClock;
use crate::telemetry::network::NetworkMetrics;

/// Connections beyond the most, on which only health is answered.
pub(crate) const SPARE: usize = 32;
/// The share of the waiting connections that make room at once, one in so many: so that a flood does not cost a search for
/// each of its connections.
const SHARE: usize = 64;
/// Connections are looked through for those that are idle for too long at most once in so long.
const SWEEP: Duration = Duration::from_secs(1);
/// Heads that have not come whole take no more than this for each connection on average: no more than an idle one takes.
const HEAD: usize = 8 << 10;
/// All of them may have so many bytes, however few connections there may be.
const LEAST_HEADS: usize = 1 << 20;

/// Holds the open connections.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    metrics: NetworkMetrics,
    max: usize,
    /// How long a connection may be open without a byte while the server waits for its client.
    idle: Duration,
    heads: Arc<HeadBytes>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    /// How many connections each address has.
    by_holder: HashMap<IpAddr, Arc<AtomicUsize>>,
    next: u64,
    swept: Duration,
}

/// Keeps a connection counted while it lives.
#[derive(Debug)]
pub(crate) struct ConnectionGuard {
    connections: Connections,
    number: u64,
    pub(crate) connection: Arc<Connection>,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let shared = &self.connections.0;
        shared.open().remove(self.number);
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
    fn insert(
        &mut self,
        now: Duration,
        peer: Option<IpAddr>,
        spare: bool,
        heads: &Arc<HeadBytes>,
    ) -> (u64, Arc<Connection>) {
        let holder = peer.map(holder);
        let siblings = holder.map_or_else(Arc::default, |holder| {
            Arc::clone(self.by_holder.entry(holder).or_default())
        });
        siblings.fetch_add(1, Ordering::Relaxed);
        let connection = Connection::new(now, holder, siblings, spare, Arc::clone(heads));
        let connection = Arc::new(connection);
        let number = self.next;
        self.next += 1;
        self.by_number.insert(number, Arc::clone(&connection));
        (number, connection)
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Connection>> {
        let connection = self.by_number.remove(&number)?;
        if let Some(holder) = connection.holder()
            && let Some(count) = self.by_holder.get(&holder)
            && count.fetch_sub(1, Ordering::Relaxed) <= 1
        {
            self.by_holder.remove(&holder);
        }
        Some(connection)
    }

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
            if let Some(connection) = self.remove(number) {
                connection.close();
                count += 1;
            }
        }
        count
    }

    /// Closes those whose clients have let the server wait longest, of the addresses that have most. An address that has more
    /// than half of what the first one has counts like it.
    fn make_room(&mut self) -> u64 {
        let waiting = self.by_number.iter().filter_map(|(number, connection)| {
            Some((connection.waits_since()?, *number, connection.siblings()))
        });
        let mut waiting: Vec<(u64, u64, usize)> = waiting.collect();
        let room = waiting.len().div_ceil(SHARE);
        let max = waiting.iter().map(|(_, _, count)| *count).max().unwrap_or(0);
        waiting.retain(|(_, _, count)| count.saturating_mul(2) > max);
        if room < waiting.len() {
            waiting.select_nth_unstable(room);
            waiting.truncate(room);
        }
        self.close(waiting.into_iter().map(|(_, number, _)| number))
    }

    /// Closes those of whose heads most has come, until so many bytes are free.
    fn end_heads(&mut self, bytes: usize) -> u64 {
        let waiting = self.waiting().into_iter().filter_map(|(since, number)| {
            let head = self.by_number.get(&number)?.head();
            (head > 0).then_some((Reverse(head), since, number))
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable();
        let mut room = 0;
        let mut ended = Vec::new();
        for (Reverse(head), _, number) in waiting {
            if room >= bytes {
                break;
            }
            room += head;
            ended.push(number);
        }
        for connection in ended.iter().filter_map(|number| self.by_number.get(number)) {
            // They end a moment later, and are not to be counted until then.
            connection.head_ends();
        }
        self.close(ended)
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
    pub(crate) fn new(max: usize, idle: Duration, clock: SharedClock, metrics: NetworkMetrics) -> Self {
        let heads = HeadBytes::new(metrics.heads.clone());
        Self(Arc::new(Shared {
            clock,
            metrics,
            max,
            idle,
            heads,
            open: Mutex::default(),
        }))
    }

    /// Takes a new connection in. Where the server works on all that are open, it is a spare one; `None` where those are
    /// taken, too.
    pub(crate) fn enter(&self, peer: Option<IpAddr>) -> Option<ConnectionGuard> {
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
        if open.by_number.len() >= shared.max {
            shared.metrics.made_room.inc_by(open.make_room());
        }
        let count = open.by_number.len();
        if count >= shared.max + SPARE {
            shared.metrics.refused.inc();
            return None;
        }
        let (number, connection) = open.insert(now, peer, count >= shared.max, &shared.heads);
        shared.metrics.connections.inc();
        Some(ConnectionGuard {
            connections: self.clone(),
            number,
            connection,
        })
    }

    /// Ends connections where heads that have not come whole take too much together.
    pub(crate) fn bound_heads(&self) {
        let shared = &self.0;
        let max = shared.max.saturating_mul(HEAD).max(LEAST_HEADS);
        let held = shared.heads.held();
        if held > max {
            // Some more, so that this is not to be looked for at each piece.
            let ended = shared.open().end_heads(held - max + max / SHARE);
            shared.metrics.heads_refused("memory", ended);
        }
    }

    /// Returns the clock.
    pub(crate) fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// Returns the metrics.
    pub(crate) fn metrics(&self) -> &NetworkMetrics {
        &self.0.metrics
    }
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker;

    use super::*;
    use crate::clock::manual::ManualClock;
    use crate::net::connection::{Phase, PhaseGuard};

    const IDLE: Duration = Duration::from_secs(120);

    fn connections(max: usize) -> (Connections, ManualClock) {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::new(clock.clone());
        (
            Connections::new(max, IDLE, shared, NetworkMetrics::default()),
            clock,
        )
    }

    fn is_closed(place: &ConnectionGuard) -> bool {
        place.connection.is_closed(&noop_waker())
    }

    fn note_moved(place: &ConnectionGuard) {
        let now = place.connections.clock().elapsed();
        place.connection.sent(now);
    }

    #[test]
    fn the_connection_that_lets_the_server_wait_longest_makes_room() {
        let (connections, clock) = connections(2);
        let first = connections.enter(None).unwrap();
        clock.advance(Duration::from_secs(1));
        let second = connections.enter(None).unwrap();
        clock.advance(Duration::from_secs(1));
        note_moved(&first);
        let third = connections.enter(None).unwrap();
        assert!(!is_closed(&first), "it moved last");
        assert!(is_closed(&second));
        assert!(!is_closed(&third));
        assert_eq!(connections.metrics().made_room.get(), 1);
    }

    #[test]
    fn what_the_server_works_on_makes_no_room_and_what_it_waits_for_does() {
        let (connections, _clock) = connections(1);
        let only = connections.enter(None).unwrap();
        for phase in [Phase::Body, Phase::HeldBack] {
            let work = only.connection.enter(Phase::Working);
            assert!(
                connections.enter(None).unwrap().connection.is_spare(),
                "{phase:?}"
            );
            assert!(!is_closed(&only));
            let waits = only.connection.enter(phase);
            assert!(only.connection.waits_since().is_some());
            drop(waits);
            assert!(only.connection.waits_since().is_none());
            drop(work);
        }
        let work = only.connection.enter(Phase::Working);
        let _waits = only.connection.enter(Phase::Body);
        let next = connections.enter(None).unwrap();
        assert!(!next.connection.is_spare());
        assert!(is_closed(&only));
        drop(work);
    }

    #[test]
    fn a_few_connections_are_spare_while_the_server_works_on_all_others() {
        let (connections, _clock) = connections(1);
        let only = connections.enter(None).unwrap();
        let _work = only.connection.enter(Phase::Working);
        let spare = || {
            let place = connections.enter(None).unwrap();
            assert!(place.connection.is_spare());
            let working = place.connection.enter(Phase::Working);
            (place, working)
        };
        let (_places, working): (Vec<ConnectionGuard>, Vec<PhaseGuard>) = (0..SPARE).map(|_| spare()).unzip();
        assert!(connections.enter(None).is_none());
        assert_eq!(connections.metrics().refused.get(), 1);
        drop(working);
        assert!(
            connections.enter(None).unwrap().connection.is_spare(),
            "idle spare ones make room"
        );
    }

    #[test]
    fn a_connection_on_which_nothing_comes_is_not_kept() {
        let (connections, clock) = connections(8);
        let idle = connections.enter(None).unwrap();
        let worked_on = connections.enter(None).unwrap();
        let _work = worked_on.connection.enter(Phase::Working);
        let alive = connections.enter(None).unwrap();
        clock.advance(IDLE / 2);
        note_moved(&alive);
        clock.advance(IDLE / 2);
        let _next = connections.enter(None).unwrap();
        assert!(is_closed(&idle));
        assert!(!is_closed(&worked_on) && !is_closed(&alive));
        assert_eq!(connections.metrics().slow_count("head"), 1);
    }

    #[test]
    fn a_connection_that_ends_leaves_its_place() {
        let (connections, _clock) = connections(1);
        for _ in 0..3 {
            assert!(!connections.enter(None).unwrap().connection.is_spare());
        }
        assert_eq!(connections.metrics().connections.get(), 0);
        assert_eq!(connections.metrics().made_room.get(), 0);
    }

    #[test]
    fn an_address_that_has_most_connections_makes_room_for_others() {
        let (connections, clock) = connections(8);
        let address = |text: &str| Some(text.parse().unwrap());
        let quiet = connections.enter(address("192.0.2.1")).unwrap();
        let networked = connections.enter(address("2001:db8::1")).unwrap();
        let mut many = Vec::new();
        for at in 0..20 {
            clock.advance(Duration::from_secs(1));
            // One network of IPv6 is one client.
            many.push(connections.enter(address(&format!("2001:db8:1::{at}"))).unwrap());
            note_moved(many.last().unwrap());
        }
        assert!(!is_closed(&quiet), "it waited longest, and has one alone");
        assert!(!is_closed(&networked));
        assert_eq!(many.iter().filter(|place| is_closed(place)).count(), 14);
        assert!(
            is_closed(&many[0]) && !is_closed(&many[19]),
            "those that wait longest"
        );
        // Where what the address has is worked on, others that wait make room.
        let _work: Vec<PhaseGuard> = many
            .iter()
            .filter(|place| !is_closed(place))
            .map(|place| place.connection.enter(Phase::Working))
            .collect();
        assert!(
            !connections
                .enter(address("192.0.2.9"))
                .unwrap()
                .connection
                .is_spare()
        );
        assert!(is_closed(&quiet));
        assert_eq!(connections.0.open().by_holder.len(), 3 - 1);
    }

    #[test]
    fn behind_one_address_the_longest_wait_makes_room() {
        let (connections, clock) = connections(2);
        let proxy = Some("192.0.2.1".parse().unwrap());
        let first = connections.enter(proxy).unwrap();
        clock.advance(Duration::from_secs(1));
        let second = connections.enter(proxy).unwrap();
        let third = connections.enter(proxy).unwrap();
        assert!(is_closed(&first) && !is_closed(&second) && !is_closed(&third));
    }

    #[test]
    fn a_head_that_comes_drop_by_drop_is_not_waited_for_for_ever() {
        let (connections, clock) = connections(8);
        let slow = connections.enter(None).unwrap();
        for _ in 0..4 {
            clock.advance(IDLE / 4);
            slow.connection.received(connections.clock().elapsed());
        }
        let _next = connections.enter(None).unwrap();
        assert!(is_closed(&slow));
    }

    #[test]
    fn heads_take_no_more_than_their_memory_and_the_largest_make_room() {
        let (connections, _clock) = connections(256);
        let small = connections.enter(None).unwrap();
        small.connection.head_grows(100);
        let large: Vec<ConnectionGuard> = (0..100).map(|_| connections.enter(None).unwrap()).collect();
        for place in &large {
            place.connection.head_grows(30 << 10);
            connections.bound_heads();
        }
        let held = connections.0.heads.held();
        assert!(held <= 256 * HEAD, "{held}");
        let ended = large.iter().filter(|place| is_closed(place)).count();
        assert!((30..45).contains(&ended), "{ended}");
        assert!(!is_closed(&small));
        assert_eq!(connections.metrics().heads_refused_count("memory"), ended as u64);
        // A request that began has its head whole.
        for place in &large {
            place.connection.begins(false);
        }
        assert_eq!(connections.0.heads.held(), 100);
        drop((large, small));
        assert_eq!(connections.metrics().heads.get(), 0);
    }
}
