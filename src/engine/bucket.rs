//! Counts tokens of one rate: a burst at once, then one after another, and never more than the limit in any window of the
//! rate's period.
//!
//! This is the generic cell rate algorithm. Of a limit of N in a period, B may go at once and N - B flow in over the
//! period: whatever a window of the period has seen before, it sees at most B + (N - B). A burst of one takes nothing
//! from the limit, since tokens then have an equal distance. When a timer rings late, the burst makes up for it.

use std::time::Duration;

use crate::config::settings::Rate;

/// Holds the tokens of one rate.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Time between two tokens that flow in.
    interval: Duration,
    /// How far ahead of its even pace the rate may run: the tokens of the burst but one.
    ahead: Duration,
    /// When the bucket is full again; what lies behind is full.
    full_at: Duration,
}

impl Bucket {
    /// Makes a full one.
    pub(crate) fn new(rate: &Rate) -> Self {
        let limit = rate.limit.get();
        let burst = rate.burst.get().min(limit.saturating_sub(1)).max(1);
        let flow = if burst == 1 { limit } else { limit - burst };
        // Rounded up: a nanosecond too early would be one token too many in some window.
        let nanos = rate.per.as_nanos().div_ceil(u128::from(flow));
        let interval = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Self {
            interval,
            ahead: interval.saturating_mul(burst - 1),
            full_at: Duration::ZERO,
        }
    }

    /// Says when a token is there after `before` others that are taken first.
    pub(crate) fn ready(&self, now: Duration, before: u32) -> Duration {
        let paced = self
            .full_at
            .max(now)
            .saturating_add(self.interval.saturating_mul(before));
        paced.saturating_sub(self.ahead).max(now)
    }

    /// Takes the token that is there.
    pub(crate) fn take(&mut self, now: Duration) {
        self.full_at = self.full_at.max(now).saturating_add(self.interval);
    }

    /// Returns the time between two tokens that flow in.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn rate(limit: u32, per: Duration, burst: u32) -> Rate {
        Rate {
            limit: NonZeroU32::new(limit).unwrap(),
            per,
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    /// Takes a token after each wait, as late as its timer rings, and returns when.
    fn taken(rate: &Rate, waits: &[(u64, u64)]) -> Vec<Duration> {
        let mut bucket = Bucket::new(rate);
        let mut now = Duration::ZERO;
        let mut times = Vec::new();
        for (wait, late) in waits {
            now += Duration::from_millis(*wait);
            let ready = bucket.ready(now, 0);
            if ready > now {
                now = ready + Duration::from_millis(*late);
            }
            bucket.take(now);
            times.push(now);
        }
        times
    }

    /// Returns the most tokens that a window of this length sees, whose end does not count.
    fn most_in(times: &[Duration], window: Duration) -> usize {
        let in_window = |(at, from): (usize, &Duration)| {
            let rest = times.iter().skip(at);
            rest.take_while(|time| **time < *from + window).count()
        };
        times.iter().enumerate().map(in_window).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn no_window_of_the_period_sees_more_than_the_limit(
            limit in 1_u32..60,
            seconds in 1_u64..90,
            burst in 1_u32..80,
            waits in proptest::collection::vec((prop_oneof![4 => Just(0_u64), 1 => 0_u64..40_000], 0_u64..300), 1..250),
        ) {
            let rate = rate(limit, Duration::from_secs(seconds), burst);
            let times = taken(&rate, &waits);
            prop_assert!(most_in(&times, rate.per) <= limit as usize, "{times:?}");
        }

        #[test]
        fn what_is_foretold_comes_true(
            limit in 1_u32..40,
            burst in 1_u32..40,
            used in proptest::collection::vec(0_u64..5_000, 0..30),
            before in 0_u32..50,
        ) {
            let rate = rate(limit, Duration::from_secs(20), burst);
            let mut bucket = Bucket::new(&rate);
            let mut now = Duration::ZERO;
            for wait in used {
                now = bucket.ready(now + Duration::from_millis(wait), 0);
                bucket.take(now);
            }
            let foretold = bucket.ready(now, before);
            let mut then = now;
            for _ in 0..before {
                then = bucket.ready(then, 0);
                bucket.take(then);
            }
            prop_assert_eq!(bucket.ready(then, 0), foretold);
        }
    }

    #[test]
    fn twenty_a_minute_are_five_at_once_and_fifteen_that_flow() {
        let rate = Rate::smooth(NonZeroU32::new(20).unwrap(), Duration::from_mins(1));
        let times = taken(&rate, &[(0, 0); 22]);
        let seconds: Vec<u64> = times.iter().map(Duration::as_secs).collect();
        assert_eq!(seconds[..8], [0, 0, 0, 0, 0, 4, 8, 12]);
        assert_eq!(seconds[19..], [60, 64, 68]);
        assert_eq!(most_in(&times, rate.per), 19);
        // Even where the end of the window counts.
        assert_eq!(most_in(&times, rate.per + Duration::from_nanos(1)), 20);
    }

    #[test]
    fn a_few_are_an_even_pace_and_no_burst_reaches_the_limit() {
        for (limit, burst, second) in [
            (1, 1, 60_000),
            (4, 1, 15_000),
            (7, 1, 8_571),
            (2, 9, 30_000),
            (4, 4, 0),
        ] {
            let times = taken(&rate(limit, Duration::from_mins(1), burst), &[(0, 0); 2]);
            assert_eq!(times[1].as_millis(), second, "{limit} {burst}");
        }
        let smooth = |limit: u32| {
            let limit = NonZeroU32::new(limit).unwrap();
            Rate::smooth(limit, Duration::from_mins(1)).burst.get()
        };
        assert_eq!([1, 3, 4, 7, 8, 20, 60].map(smooth), [1, 1, 1, 1, 2, 5, 15]);
    }

    #[test]
    fn a_timer_that_rings_late_takes_nothing_of_a_rate_with_a_burst() {
        let rate = Rate::smooth(NonZeroU32::new(100).unwrap(), Duration::from_secs(1));
        let late: Vec<(u64, u64)> = (0..1000).map(|at| (0, at % 12)).collect();
        let times = taken(&rate, &late);
        // 25 at once, then 75 a second.
        assert!(times[999] < Duration::from_millis(13_050), "{:?}", times[999]);
        assert!(most_in(&times, rate.per) <= 100);
    }
}
