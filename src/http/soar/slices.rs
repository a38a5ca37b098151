//! Works on many things in one task for a slice of time at once, so that the worker's other tasks have their turns.
//!
//! A thousand things that wait for nothing would keep their worker for as long as all of them take. Where a slice is over,
//! those that did not have their turn wait until the worker has looked at everything else.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::LocalBoxFuture;

use crate::clock::SharedClock;

/// The longest that things are worked on at once.
const SLICE: Duration = Duration::from_millis(2);

/// Tells when a slice is over.
#[derive(Debug)]
pub(super) struct TimeSlice {
    clock: SharedClock,
    /// When the slice began; `None` between two.
    began: Cell<Option<Duration>>,
    /// Those whose turn comes in the next slice.
    waiting: RefCell<Vec<Waker>>,
}

impl TimeSlice {
    /// Makes slices of a clock's time.
    pub(super) fn new(clock: SharedClock) -> Rc<Self> {
        Rc::new(Self {
            clock,
            began: Cell::new(None),
            waiting: RefCell::default(),
        })
    }

    /// Works on a thing, where a slice is not over.
    pub(super) fn work<F: Future>(self: &Rc<Self>, thing: F) -> impl Future<Output = F::Output> + use<F> {
        let slices = Rc::clone(self);
        let mut thing = Box::pin(thing);
        std::future::poll_fn(move |context| {
            if slices.is_over() {
                slices.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            thing.as_mut().poll(context)
        })
    }

    /// Yields what a stream of such things does, slice by slice.
    pub(super) fn of<S: Stream>(self: Rc<Self>, stream: S) -> SlicedStream<S> {
        SlicedStream {
            slices: self,
            stream: Box::pin(stream),
            pause: None,
        }
    }

    fn is_over(&self) -> bool {
        let now = self.clock.elapsed();
        match self.began.get() {
            Some(began) => now.saturating_sub(began) >= SLICE,
            None => {
                self.began.set(Some(now));
                false
            }
        }
    }

    /// Ends a slice; those that wait have their turn in the next one.
    fn end(&self) {
        self.began.set(None);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }
}

/// Is a stream that works in slices.
pub(super) struct SlicedStream<S> {
    slices: Rc<TimeSlice>,
    stream: Pin<Box<S>>,
    /// Ends when the worker has looked at everything else.
    pause: Option<LocalBoxFuture<'static, ()>>,
}

impl<S: Stream> Stream for SlicedStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(context));
                self.pause = None;
                self.slices.end();
            }
            if !self.slices.is_over() {
                let next = self.stream.as_mut().poll_next(context);
                if next.is_ready() {
                    return next;
                }
                if self.slices.waiting.borrow().is_empty() {
                    // All wait for others.
                    self.slices.end();
                    return Poll::Pending;
                }
            }
            self.pause = Some(Box::pin(tokio::task::yield_now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::clock::Clock;
    use crate::clock::manual::ManualClock;

    /// Works on things that take a millisecond each; returns in what order these and another task had their turns.
    async fn turns(count: u8, at_once: usize) -> Vec<Option<u8>> {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let slices = TimeSlice::new(std::sync::Arc::new(clock.clone()));
        let seen = Rc::new(RefCell::new(Vec::new()));
        let things = stream::iter(0..count).map(|number| {
            let (clock, seen) = (clock.clone(), Rc::clone(&seen));
            slices.work(async move {
                clock.advance(Duration::from_millis(1));
                seen.borrow_mut().push(Some(number));
                number
            })
        });
        let things = Rc::clone(&slices).of(things.buffer_unordered(at_once));
        let other = {
            let seen = Rc::clone(&seen);
            actix_web::rt::spawn(async move {
                loop {
                    seen.borrow_mut().push(None);
                    tokio::task::yield_now().await;
                }
            })
        };
        let mut done: Vec<u8> = things.collect().await;
        other.abort();
        done.sort_unstable();
        assert_eq!(done, (0..count).collect::<Vec<_>>());
        seen.take()
    }

    #[actix_web::test]
    async fn others_have_their_turns_between_slices() {
        for at_once in [1, 7, 100] {
            let turns = turns(40, at_once).await;
            let longest = turns.split(Option::is_none).map(<[_]>::len).max();
            assert_eq!(longest, Some(2), "{turns:?}");
        }
    }

    #[actix_web::test]
    async fn what_waits_for_others_is_woken_by_them() {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let slices = TimeSlice::new(std::sync::Arc::new(clock.clone()));
        let (tell, told) = tokio::sync::oneshot::channel();
        let things = vec![slices.work(async move { told.await.unwrap_or(0) })];
        let sum = Rc::clone(&slices).of(stream::iter(things).buffer_unordered(8));
        let sum = actix_web::rt::spawn(sum.fold(0, async |sum, one| sum + one));
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(9));
        tell.send(5).unwrap();
        assert_eq!(sum.await.unwrap(), 5);
        assert_eq!(clock.elapsed(), Duration::from_secs(9));
    }
}
