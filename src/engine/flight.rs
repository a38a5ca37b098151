//! Joins equal questions into one flight, detached from the callers.
//!
//! A flight stops before it spends when no caller is left, and never stops once its bytes have left.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::waiters::Priority;

/// Carries what a flight's callers want, as it changes.
#[derive(Debug)]
pub struct Flight<T> {
    result: watch::Sender<Option<T>>,
    callers: watch::Sender<usize>,
    deadline: AtomicU64,
    priority: watch::Sender<Priority>,
}

impl<T> Flight<T> {
    /// Returns the latest deadline of its callers, on the clock's `elapsed`.
    pub fn deadline(&self) -> Duration {
        Duration::from_nanos(self.deadline.load(Ordering::Acquire))
    }

    /// Tells whether every caller has gone.
    pub fn is_abandoned(&self) -> bool {
        *self.callers.borrow() == 0
    }

    /// Resolves when every caller has gone.
    pub async fn all_gone(&self) {
        let mut callers = self.callers.subscribe();
        // The sender lives as long as the flight.
        let _ = callers.wait_for(|callers| *callers == 0).await;
    }

    /// Returns the highest priority of its callers, past ones included.
    pub fn priority(&self) -> Priority {
        *self.priority.borrow()
    }

    /// Resolves when a person who waits at a screen is, or was, among its callers.
    pub async fn became_interactive(&self) {
        let mut priority = self.priority.subscribe();
        // The sender lives as long as the flight.
        let _ = priority
            .wait_for(|priority| *priority == Priority::Interactive)
            .await;
    }

    fn join(&self, deadline: Duration, priority: Priority) {
        self.callers.send_modify(|callers| *callers += 1);
        let nanos = u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX);
        self.deadline.fetch_max(nanos, Ordering::AcqRel);
        self.priority.send_if_modified(|highest| {
            let higher = priority < *highest;
            *highest = priority.min(*highest);
            higher
        });
    }
}

/// Waits for a flight's result; dropping it leaves the flight.
#[derive(Debug)]
pub struct WaiterHandle<T> {
    flight: Arc<Flight<T>>,
    result: watch::Receiver<Option<T>>,
    /// Whether this caller started the flight.
    pub leads: bool,
}

impl<T: Clone> WaiterHandle<T> {
    /// Returns the result; `None` where the flight ended without one.
    pub async fn finished(&mut self) -> Option<T> {
        self.result
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|result| result.clone())
    }
}

impl<T> Drop for WaiterHandle<T> {
    fn drop(&mut self) {
        self.flight
            .callers
            .send_modify(|callers| *callers = callers.saturating_sub(1));
    }
}

/// Holds the flights that are under way.
#[derive(Debug)]
pub struct Flights<K, T> {
    by_key: Mutex<HashMap<K, Arc<Flight<T>>>>,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self {
            by_key: Mutex::new(HashMap::new()),
        }
    }
}

impl<K: Hash + Eq + Clone, T: Clone> Flights<K, T> {
    /// Joins the flight of `key`, or makes one and hands it to `start`, which runs it elsewhere.
    pub fn join(
        &self,
        key: &K,
        deadline: Duration,
        priority: Priority,
        start: impl FnOnce(Arc<Flight<T>>),
    ) -> WaiterHandle<T> {
        let mut air = self
            .by_key
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(flight) = air.get(key) {
            flight.join(deadline, priority);
            return WaiterHandle {
                result: flight.result.subscribe(),
                flight: Arc::clone(flight),
                leads: false,
            };
        }
        let flight = Arc::new(Flight {
            result: watch::Sender::new(None),
            callers: watch::Sender::new(0),
            deadline: AtomicU64::new(0),
            priority: watch::Sender::new(Priority::Batch),
        });
        flight.join(deadline, priority);
        air.insert(key.clone(), Arc::clone(&flight));
        drop(air);
        let handle = WaiterHandle {
            result: flight.result.subscribe(),
            flight: Arc::clone(&flight),
            leads: true,
        };
        start(flight);
        handle
    }

    /// Ends a flight and gives its callers the result. No caller joins it any more.
    pub fn finish(&self, key: &K, flight: &Flight<T>, result: T) {
        self.leave(key, flight);
        flight.result.send_replace(Some(result));
    }

    fn leave(&self, key: &K, flight: &Flight<T>) {
        let mut air = self
            .by_key
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if air
            .get(key)
            .is_some_and(|known| std::ptr::eq(known.as_ref(), flight))
        {
            air.remove(key);
        }
    }

    /// Returns how many callers wait for flights.
    pub fn callers(&self) -> usize {
        let air = self
            .by_key
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        air.values().map(|flight| *flight.callers.borrow()).sum()
    }

    /// Gives up a flight without callers; `false` where one joined in the meantime.
    pub fn give_up(&self, key: &K, flight: &Flight<T>) -> bool {
        let mut air = self
            .by_key
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !flight.is_abandoned() {
            return false;
        }
        if air
            .get(key)
            .is_some_and(|known| std::ptr::eq(known.as_ref(), flight))
        {
            air.remove(key);
        }
        true
    }

    /// Returns how many are under way.
    pub fn len(&self) -> usize {
        self.by_key.lock().map_or(0, |air| air.len())
    }

    /// Tells whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(1);
    const LATER: Duration = Duration::from_secs(9);

    #[tokio::test]
    async fn equal_questions_share_one_flight_and_its_latest_deadline() {
        let flights: Flights<&str, u32> = Flights::default();
        let mut kept = None;
        let mut first = flights.join(&"q", SOON, Priority::Batch, |flight| kept = Some(flight));
        let flight = kept.unwrap();
        assert_eq!((flight.deadline(), flight.priority()), (SOON, Priority::Batch));
        let mut second = flights.join(&"q", LATER, Priority::Interactive, |_| {
            panic!("one flight is enough")
        });
        assert_eq!(
            (flight.deadline(), flight.priority()),
            (LATER, Priority::Interactive)
        );
        assert!(first.leads && !second.leads);
        flights.finish(&"q", &flight, 7);
        assert_eq!(
            (first.finished().await, second.finished().await),
            (Some(7), Some(7))
        );
        assert!(flights.is_empty());
    }

    #[test]
    fn a_flight_without_callers_is_given_up_and_a_late_joiner_saves_it() {
        let flights: Flights<&str, u32> = Flights::default();
        let mut kept = None;
        let handle = flights.join(&"q", SOON, Priority::Batch, |flight| kept = Some(flight));
        let flight = kept.unwrap();
        assert!(!flights.give_up(&"q", &flight), "somebody waits");
        drop(handle);
        assert!(flight.is_abandoned());
        let late = flights.join(&"q", LATER, Priority::Batch, |_| panic!("still under way"));
        assert!(!flights.give_up(&"q", &flight));
        drop(late);
        assert!(flights.give_up(&"q", &flight));
        assert!(flights.is_empty());
    }
}
