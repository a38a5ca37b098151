//! Counts what a token asks about against its rate: one for each indicator, whatever number of them a request holds.
//!
//! A minute's items can be taken at once, and flow in evenly. A request of more than a minute's items goes when all of
//! them are there, and leaves a debt that flows in before the next one goes.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::RateStanding;

const MINUTE: Duration = Duration::from_mins(1);

/// Holds the items of one token.
#[derive(Debug)]
pub(super) struct Allowance {
    limit: u32,
    /// Time in which one item flows in.
    interval: Duration,
    /// When all are there, on the clock's `elapsed`.
    full_at: Mutex<Duration>,
}

impl Allowance {
    /// Makes a full one.
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limit: per_minute.get(),
            interval: MINUTE / per_minute.get(),
            full_at: Mutex::default(),
        }
    }

    /// Takes `items` if so many are there, or all of them where there can never be so many.
    ///
    /// # Errors
    /// How long to wait, where they are not.
    pub(super) fn take(&self, now: Duration, items: u32) -> Result<RateStanding, Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.take_from(&mut full_at, now, items)
    }

    /// Takes the others of a request's `items`, of which one was taken when the request came. A request that has to wait
    /// gives that one back, so that asking too early costs nothing.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take_rest(&self, now: Duration, items: u32) -> Result<RateStanding, Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        *full_at = full_at.saturating_sub(self.interval);
        self.take_from(&mut full_at, now, items)
    }

    fn take_from(&self, full_at: &mut Duration, now: Duration, items: u32) -> Result<RateStanding, Duration> {
        let missing = full_at.saturating_sub(now);
        let spare = self.limit - items.min(self.limit);
        let wait = missing.saturating_sub(self.interval.saturating_mul(spare));
        if !wait.is_zero() {
            return Err(wait);
        }
        *full_at = now
            .saturating_add(missing)
            .saturating_add(self.interval.saturating_mul(items));
        Ok(self.standing(full_at.saturating_sub(now)))
    }

    fn standing(&self, missing: Duration) -> RateStanding {
        let used = missing.as_nanos().div_ceil(self.interval.as_nanos().max(1));
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        let second = u64::from(missing.subsec_nanos() > 0);
        RateStanding {
            limit: self.limit,
            remaining: self.limit.saturating_sub(used),
            reset_s: missing.as_secs() + second,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn per_minute(limit: u32) -> Allowance {
        Allowance::new(NonZeroU32::new(limit).unwrap())
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn many_items_go_when_all_are_there_and_leave_a_debt() {
        let rate = per_minute(60);
        let full = rate.take(at(0), 1000).unwrap();
        assert_eq!((full.remaining, full.reset_s), (0, 1000));
        // One item flows in when the debt is paid but for 59.
        assert_eq!(rate.take(at(0), 1), Err(at(941)));
        assert_eq!(rate.take(at(941), 1).unwrap().remaining, 0);
        // The next many wait for all.
        assert_eq!(rate.take(at(941), 1000), Err(at(60)));
        assert!(rate.take(at(1001), 1000).is_ok());
    }

    #[test]
    fn a_request_that_comes_too_early_costs_nothing_however_often_it_comes() {
        let rate = per_minute(10);
        rate.take(at(0), 10).unwrap();
        for second in 6..60 {
            // One is there when the request comes, and ten are not when it is read.
            assert!(rate.take(at(second), 1).is_ok(), "{second}");
            assert_eq!(rate.take_rest(at(second), 10), Err(at(60 - second)), "{second}");
        }
        rate.take(at(60), 1).unwrap();
        assert_eq!(rate.take_rest(at(60), 10).unwrap().remaining, 0);
    }

    #[test]
    fn a_request_of_one_item_has_no_rest() {
        let rate = per_minute(1);
        let first = rate.take(at(0), 1).unwrap();
        assert_eq!(rate.take_rest(at(0), 1), Ok(first));
        assert_eq!(rate.take(at(0), 1), Err(at(60)));
    }

    proptest! {
        #[test]
        fn what_flows_in_bounds_what_goes_whatever_the_sizes_are(
            limit in 1_u32..100,
            requests in proptest::collection::vec((0_u64..90, 1_u32..300), 1..60),
        ) {
            let rate = per_minute(limit);
            let (mut now, mut taken) = (Duration::ZERO, 0_u64);
            let mut last = 0;
            for (wait, items) in requests {
                now += Duration::from_secs(wait);
                if rate.take(now, items).is_ok() {
                    taken += u64::from(items);
                    last = items;
                }
            }
            // A minute's items at the start, what flowed in since, and the debt that the last one may leave.
            let flowed = now.as_secs() * u64::from(limit) / 60 + 1;
            prop_assert!(taken <= u64::from(limit) + flowed + u64::from(last), "{taken}");
        }
    }
}
