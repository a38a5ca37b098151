//! Sends answers piece by piece, as clients take them, and bounds the memory of those that are under way.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::connection::{Connection, Phase, PhaseGuard};
use crate::clock::SharedClock;
use crate::telemetry::network::NetworkMetrics;

/// The bytes of an answer that are copied for a client at once: what it does not take is held once, however many ask.
pub(crate) const PIECE: usize = 8 << 10;
/// No piece is added once so many bytes wait for the system to take them. With the last piece they fit 32 KiB.
pub(crate) const WRITTEN: usize = 3 * PIECE;
/// An answer makes room for others once it has been under way for so long.
const TURN: Duration = Duration::from_secs(2);
/// One whose client takes so many bytes a second makes none: it ends soon by itself.
const FAST: u128 = 256 << 10;

/// Holds the memory of the large answers that clients have not taken whole. What several clients are sent from one place in
/// memory counts once.
#[derive(Debug)]
pub(crate) struct SendBuffer {
    clock: SharedClock,
    metrics: NetworkMetrics,
    max: usize,
    under_way: Mutex<ActiveSends>,
}

#[derive(Debug, Default)]
struct ActiveSends {
    held: usize,
    by_place: HashMap<usize, BufferedBody>,
    next: u64,
}

/// Is an answer in memory.
#[derive(Debug)]
struct BufferedBody {
    bytes: usize,
    takers: HashMap<u64, Arc<Receiver>>,
}

/// Is a client that is sent an answer.
#[derive(Debug)]
struct Receiver {
    began: Duration,
    taken: AtomicUsize,
    connection: Option<Arc<Connection>>,
}

impl Receiver {
    /// Returns how many bytes a second the client takes.
    fn rate(&self, now: Duration) -> u128 {
        let taken = self.taken.load(Ordering::Relaxed) as u128;
        taken * 1000 / now.saturating_sub(self.began).as_millis().max(1)
    }
}

impl BufferedBody {
    /// Returns the rate of the client that takes it fastest; `None` where that is fast, or one has just begun.
    fn slow_rate(&self, now: Duration) -> Option<u128> {
        let mut takers = self.takers.values();
        if takers.clone().any(|taker| taker.began + TURN > now) {
            return None;
        }
        takers.try_fold(0, |max, taker| {
            let rate = taker.rate(now);
            (rate < FAST).then_some(rate.max(max))
        })
    }
}

impl ActiveSends {
    fn remove(&mut self, place: usize, metrics: &NetworkMetrics) -> Option<BufferedBody> {
        let whole = self.by_place.remove(&place)?;
        self.held -= whole.bytes;
        metrics.answers.dec_by(count(whole.bytes));
        Some(whole)
    }
}

fn count(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Says that there is no room for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl SendBuffer {
    pub(crate) fn new(max: usize, clock: SharedClock, metrics: NetworkMetrics) -> Arc<Self> {
        Arc::new(Self {
            clock,
            metrics,
            max,
            under_way: Mutex::default(),
        })
    }

    fn under_way(&self) -> MutexGuard<'_, ActiveSends> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds an answer until what is returned is dropped. Where there is no room, others end whose clients take slowest. An
    /// answer that is larger than all room is held alone.
    fn hold(
        self: &Arc<Self>,
        bytes: &Bytes,
        connection: Option<&Arc<Connection>>,
    ) -> Result<HeldAnswer, NoRoom> {
        let now = self.clock.elapsed();
        let place = bytes.as_ptr().addr();
        let mut under_way = self.under_way();
        if !under_way.by_place.contains_key(&place) {
            let max = self.max.saturating_sub(bytes.len());
            if under_way.held > max && !self.make_room(&mut under_way, max, now) {
                self.metrics.answers_refused.inc();
                return Err(NoRoom);
            }
            under_way.held += bytes.len();
            self.metrics.answers.inc_by(count(bytes.len()));
        }
        let taker = Arc::new(Receiver {
            began: now,
            taken: AtomicUsize::new(0),
            connection: connection.cloned(),
        });
        let number = under_way.next;
        under_way.next += 1;
        let whole = under_way.by_place.entry(place).or_insert_with(|| BufferedBody {
            bytes: bytes.len(),
            takers: HashMap::new(),
        });
        whole.takers.insert(number, Arc::clone(&taker));
        Ok(HeldAnswer {
            answers: Arc::clone(self),
            _bytes: bytes.clone(),
            place,
            number,
            taker,
        })
    }

    /// Ends answers that had their turn, those first whose clients take slowest, until no more than so many bytes are held.
    /// False where that does not suffice; then none ends.
    fn make_room(&self, under_way: &mut ActiveSends, max: usize, now: Duration) -> bool {
        let slow = under_way.by_place.iter();
        let mut slow: Vec<(u128, usize, usize)> = slow
            .filter_map(|(place, whole)| Some((whole.slow_rate(now)?, *place, whole.bytes)))
            .collect();
        slow.sort_unstable();
        let mut left = under_way.held;
        let mut ended = Vec::new();
        for (_, place, bytes) in slow {
            if left <= max {
                break;
            }
            left -= bytes;
            ended.push(place);
        }
        if left > max {
            return false;
        }
        for whole in ended
            .into_iter()
            .filter_map(|place| under_way.remove(place, &self.metrics))
        {
            for taker in whole.takers.values() {
                self.metrics.answers_made_room.inc();
                if let Some(connection) = &taker.connection {
                    connection.close();
                }
            }
        }
        true
    }
}

/// Keeps an answer counted while it lives.
#[derive(Debug)]
struct HeldAnswer {
    answers: Arc<SendBuffer>,
    /// Nothing else can lie in its place while it is counted.
    _bytes: Bytes,
    place: usize,
    number: u64,
    taker: Arc<Receiver>,
}

impl Drop for HeldAnswer {
    fn drop(&mut self) {
        let mut under_way = self.answers.under_way();
        // It is not there where it made room.
        if let Some(whole) = under_way.by_place.get_mut(&self.place)
            && whole.takers.remove(&self.number).is_some()
            && whole.takers.is_empty()
        {
            under_way.remove(self.place, &self.answers.metrics);
        }
    }
}

/// Sends a body in pieces where it is whole; one that is made as it is sent keeps `work` until then.
pub(crate) fn sent<W: Unpin + 'static>(
    body: impl MessageBody + 'static,
    connection: Option<&Arc<Connection>>,
    answers: Option<&Arc<SendBuffer>>,
    work: W,
) -> Result<BoxBody, NoRoom> {
    match body.try_into_bytes() {
        Ok(bytes) => {
            drop(work);
            if bytes.is_empty() {
                return Ok(BoxBody::new(bytes));
            }
            let held = match answers {
                Some(answers) if bytes.len() > WRITTEN => Some(answers.hold(&bytes, connection)?),
                _ => None,
            };
            Ok(BoxBody::new(ChunkedBody {
                bytes,
                held,
                _phase: connection.map(|connection| connection.enter(Phase::Sending)),
            }))
        }
        Err(body) => Ok(BoxBody::new(StreamedBody {
            body: BoxBody::new(body),
            _work: work,
        })),
    }
}

/// Is a body that is made as it is sent.
struct StreamedBody<W> {
    body: BoxBody,
    _work: W,
}

impl<W: Unpin> MessageBody for StreamedBody<W> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Is a body that is sent in pieces.
struct ChunkedBody {
    bytes: Bytes,
    held: Option<HeldAnswer>,
    _phase: Option<PhaseGuard>,
}

impl MessageBody for ChunkedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.bytes.len().min(PIECE);
        if let Some(held) = &self.held {
            held.taker.taken.fetch_add(piece, Ordering::Relaxed);
        }
        Poll::Ready(Some(Ok(self.bytes.split_to(piece))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;
    use crate::clock::manual::ManualClock;

    const MOST: usize = 10 * PIECE;

    fn answers() -> (Arc<SendBuffer>, ManualClock) {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::new(clock.clone());
        (SendBuffer::new(MOST, shared, NetworkMetrics::default()), clock)
    }

    fn connection() -> Arc<Connection> {
        let connection = Connection::new(Duration::ZERO, None, Arc::default(), false, Arc::default());
        Arc::new(connection)
    }

    fn is_closed(connection: &Connection) -> bool {
        connection.is_closed(std::task::Waker::noop())
    }

    fn of(length: usize) -> Bytes {
        Bytes::from(vec![7; length])
    }

    #[test]
    fn answers_take_no_more_than_their_room_and_the_slowest_make_room() {
        let (answers, clock) = answers();
        let connections: Vec<_> = (0..5).map(|_| connection()).collect();
        let hold = |connection| answers.hold(&of(2 * PIECE), Some(connection));
        let mut held: Vec<HeldAnswer> = connections.iter().map(|one| hold(one).unwrap()).collect();
        assert_eq!(answers.under_way().held, MOST);
        let next = connection();
        assert_eq!(hold(&next).unwrap_err(), NoRoom, "all of them have just begun");
        assert_eq!(answers.metrics.answers_refused.get(), 1);
        clock.advance(TURN);
        for (at, one) in held.iter().enumerate() {
            one.taker.taken.store(PIECE - 100 * at, Ordering::Relaxed);
        }
        held.push(hold(&next).unwrap());
        let closed: Vec<bool> = connections.iter().map(|one| is_closed(one)).collect();
        assert_eq!(closed, [false, false, false, false, true]);
        assert_eq!(answers.metrics.answers_made_room.get(), 1);
        assert_eq!(answers.metrics.answers.get(), MOST as i64);
        drop(held);
        assert_eq!(answers.under_way().held, 0);
        assert!(answers.under_way().by_place.is_empty());
        assert_eq!(answers.metrics.answers.get(), 0);
    }

    #[test]
    fn what_many_are_sent_counts_once_and_what_is_too_large_goes_alone() {
        let (answers, clock) = answers();
        let shared = of(6 * PIECE);
        let many: Vec<HeldAnswer> = (0..100).map(|_| answers.hold(&shared, None).unwrap()).collect();
        assert_eq!(answers.under_way().held, 6 * PIECE);
        let huge = of(20 * PIECE);
        assert_eq!(answers.hold(&huge, None).unwrap_err(), NoRoom);
        drop(many);
        let alone = answers.hold(&huge, None).unwrap();
        assert_eq!(answers.hold(&of(2 * PIECE), None).unwrap_err(), NoRoom);
        clock.advance(TURN);
        let next = answers.hold(&of(2 * PIECE), None).unwrap();
        drop((alone, next));
        assert_eq!(answers.under_way().held, 0);
    }

    #[test]
    fn where_ending_others_is_not_enough_none_ends() {
        let (answers, clock) = answers();
        let (old, new) = (connection(), connection());
        let _old = answers.hold(&of(2 * PIECE), Some(&old)).unwrap();
        clock.advance(TURN);
        let _new = answers.hold(&of(7 * PIECE), Some(&new)).unwrap();
        assert_eq!(answers.hold(&of(9 * PIECE), None).unwrap_err(), NoRoom);
        assert!(!is_closed(&old) && !is_closed(&new));
    }

    #[test]
    fn an_answer_that_is_taken_fast_makes_no_room() {
        let (answers, clock) = answers();
        let fast = connection();
        let held = answers.hold(&of(MOST), Some(&fast)).unwrap();
        clock.advance(TURN);
        held.taker.taken.store(2 * 256 * 1024, Ordering::Relaxed);
        assert_eq!(answers.hold(&of(2 * PIECE), None).unwrap_err(), NoRoom);
        assert!(!is_closed(&fast));
    }

    #[actix_web::test]
    async fn pieces_make_the_whole() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 5 * PIECE + 7] {
            let whole: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let body = sent(Bytes::from(whole.clone()), None, None, ()).unwrap();
            assert_eq!(body.size(), BodySize::Sized(length as u64));
            assert_eq!(to_bytes(body).await.unwrap(), whole);
        }
    }

    #[test]
    fn no_piece_is_larger_than_what_is_copied_at_once() {
        let mut body = ChunkedBody {
            bytes: Bytes::from(vec![0; 3 * PIECE + 1]),
            held: None,
            _phase: None,
        };
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut count = 0;
        while let Poll::Ready(Some(Ok(piece))) = Pin::new(&mut body).poll_next(&mut context) {
            assert!(piece.len() <= PIECE);
            count += 1;
        }
        assert_eq!(count, 4);
    }
}
