//! Bounds the bytes that large answers take while they are decoded, mapped and written. What finds no room waits.
//!
//! A request that waits for room holds none, so that all who have some come to their end and give it back; should they ever wait for
//! each other, an answer goes without room after a minute. Bytes are estimated: what an answer takes in memory is a multiple
//! of what it takes on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::{SharedClock, timeout_at};

/// Room is given in pieces of so many bytes.
const PIECE: usize = 64 << 10;
/// Answers up to this go without room: there are many of them, and they are soon gone.
const SMALL: usize = 256 << 10;
/// An answer takes about so many times its bytes on the wire, while it is decoded and kept as records.
const GROWTH: usize = 6;
/// The longest that an answer waits for room.
const LONGEST: Duration = Duration::from_mins(1);

/// Has room for so many bytes.
#[derive(Debug)]
pub struct MemoryBudget {
    clock: SharedClock,
    free: Arc<Semaphore>,
    pieces: u32,
    waiting: AtomicI64,
}

/// Is room that was taken; given back when it is dropped.
#[derive(Debug)]
pub struct MemoryPermit {
    taken: OwnedSemaphorePermit,
}

/// Counts who waits, also where the wait is given up.
struct Waiting<'a>(&'a AtomicI64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl MemoryBudget {
    /// Makes room for so many bytes.
    #[must_use]
    pub fn new(bytes: usize, clock: SharedClock) -> Arc<Self> {
        let pieces = u32::try_from(bytes / PIECE).unwrap_or(u32::MAX).max(1);
        Arc::new(Self {
            clock,
            free: Arc::new(Semaphore::new(pieces as usize)),
            pieces,
            waiting: AtomicI64::new(0),
        })
    }

    /// Takes room for an answer of so many bytes on the wire, waiting until `until` at the latest (on the clock's
    /// `elapsed`); `None` for a small one, which needs none, and for one that waited too long.
    pub async fn for_answer(&self, length: usize, until: Duration) -> Option<Arc<MemoryPermit>> {
        if length <= SMALL {
            return None;
        }
        let until = until.min(self.clock.elapsed() + LONGEST);
        let place = self.take(length.saturating_mul(GROWTH), until).await;
        if place.is_none() {
            tracing::warn!(
                length,
                "an answer found no room in time and goes without; raise server.working_memory"
            );
        }
        place.map(Arc::new)
    }

    /// Takes room for so many bytes, all of it at most: first come, first served. `None` where there is none before `until`.
    pub async fn take(&self, bytes: usize, until: Duration) -> Option<MemoryPermit> {
        let wanted = u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX);
        let wanted = wanted.clamp(1, self.pieces);
        if let Ok(taken) = Arc::clone(&self.free).try_acquire_many_owned(wanted) {
            return Some(MemoryPermit { taken });
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        let taken = Arc::clone(&self.free).acquire_many_owned(wanted);
        // The semaphore is never closed.
        let taken = timeout_at(self.clock.as_ref(), until, taken).await?.ok()?;
        Some(MemoryPermit { taken })
    }

    /// Returns the bytes that are taken.
    #[must_use]
    pub fn taken(&self) -> i64 {
        let free = u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX);
        i64::from(self.pieces.saturating_sub(free)).saturating_mul(i64::try_from(PIECE).unwrap_or(i64::MAX))
    }

    /// Returns how many wait for room.
    #[must_use]
    pub fn waiting(&self) -> i64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl MemoryPermit {
    /// Returns the bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.taken.num_permits().saturating_mul(PIECE)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::clock::manual::ManualClock;

    const SOON: Duration = Duration::from_secs(5);

    fn room(bytes: usize) -> (Arc<MemoryBudget>, ManualClock) {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        (MemoryBudget::new(bytes, Arc::new(clock.clone())), clock)
    }

    #[tokio::test]
    async fn what_finds_no_room_waits_in_order_and_small_answers_never_do() {
        let (room, _clock) = room(64 << 20);
        let first = room.for_answer(8 << 20, SOON).await.unwrap();
        assert_eq!((room.taken(), first.bytes()), (48 << 20, 48 << 20));
        let second = room.for_answer(8 << 20, SOON);
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        // A smaller one that would fit does not pass the one that waits.
        let third = room.for_answer(1 << 20, SOON);
        tokio::pin!(third);
        assert!(third.as_mut().now_or_never().is_none());
        assert_eq!(room.waiting(), 2);
        assert!(room.for_answer(SMALL, SOON).now_or_never().unwrap().is_none());
        drop(first);
        let second = second.await.unwrap();
        let third = third.await.unwrap();
        assert_eq!((room.taken(), room.waiting()), (54 << 20, 0));
        drop((second, third));
        assert_eq!(room.taken(), 0);
    }

    #[tokio::test]
    async fn an_answer_that_is_larger_than_all_room_goes_alone() {
        let (room, _clock) = room(16 << 20);
        let place = room.for_answer(32 << 20, SOON).await.unwrap();
        assert_eq!(place.bytes(), 16 << 20);
        let other = room.take(1, SOON);
        tokio::pin!(other);
        assert!(other.as_mut().now_or_never().is_none());
        drop(place);
        assert_eq!(other.await.unwrap().bytes(), PIECE);
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_counts_no_longer() {
        let (room, _clock) = room(1 << 20);
        let place = room.take(1 << 20, SOON).await.unwrap();
        {
            let wait = room.take(1, SOON);
            tokio::pin!(wait);
            assert!(wait.as_mut().now_or_never().is_none());
            assert_eq!(room.waiting(), 1);
        }
        assert_eq!(room.waiting(), 0);
        drop(place);
        assert!(room.take(1, SOON).now_or_never().unwrap().is_some());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let (room, clock) = room(1 << 20);
        let _place = room.take(1 << 20, SOON).await.unwrap();
        let wait = room.for_answer(1 << 20, Duration::MAX);
        tokio::pin!(wait);
        assert!(wait.as_mut().now_or_never().is_none());
        clock.advance(LONGEST);
        assert!(wait.await.is_none());
        assert_eq!(room.waiting(), 0);
    }
}
