//! Slows down addresses that try wrong tokens, and says so in the log at a bounded rate.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::clock::SharedClock;
use crate::config::settings::Rate;
use crate::engine::bucket::Bucket;

/// An answer waits at most so long; attempts beyond are refused at once.
const LONGEST: Duration = Duration::from_secs(5);
/// So many addresses are remembered; those that were seen longest ago are forgotten first.
const ADDRESSES: u64 = 10_000;
/// An address is told of in the log at most once in so long.
const LOGGED_EVERY: Duration = Duration::from_secs(60);
/// All addresses together, at most once in so long.
const LINES_EVERY: Duration = Duration::from_secs(1);

/// Remembers who tried wrong tokens.
#[derive(Debug)]
pub struct Attempts {
    clock: SharedClock,
    rate: Rate,
    by_address: Cache<IpAddr, Arc<Mutex<Tried>>>,
    /// When the next line may be written, in milliseconds of the clock.
    next_line: AtomicU64,
}

#[derive(Debug)]
struct Tried {
    bucket: Bucket,
    /// The attempts that no line has told of.
    unreported: u64,
    reported: Option<Duration>,
}

/// Says what becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// It is answered at once.
    None,
    /// It is answered when the clock has come to this time.
    Until(Duration),
    /// It is refused; another makes sense after this time.
    Refuse(Duration),
}

impl Attempts {
    /// Remembers nothing yet; each address may try wrong tokens at this rate.
    #[must_use]
    pub fn new(rate: Rate, clock: SharedClock) -> Self {
        let by_address = Cache::builder()
            .max_capacity(ADDRESSES)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self {
            clock,
            rate,
            by_address,
            next_line: AtomicU64::new(0),
        }
    }

    /// Notes an attempt, and says what becomes of it.
    pub fn note(&self, peer: Option<IpAddr>, route: &str, reason: &str) -> Delay {
        let address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), holder);
        let tried = self.by_address.get_with(address, || {
            Arc::new(Mutex::new(Tried {
                bucket: Bucket::new(&self.rate),
                unreported: 0,
                reported: None,
            }))
        });
        let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed();
        tried.unreported += 1;
        if tried.reported.is_none_or(|told| told + LOGGED_EVERY <= now) && self.may_tell(now) {
            tracing::warn!(peer = %address, route, reason, attempts = tried.unreported, "a token is refused");
            tried.unreported = 0;
            tried.reported = Some(now);
        }
        let wait = tried.bucket.ready(now, 0).saturating_sub(now);
        if wait > LONGEST {
            return Delay::Refuse(wait);
        }
        tried.bucket.take(now);
        if wait.is_zero() {
            Delay::None
        } else {
            Delay::Until(now + wait)
        }
    }

    fn may_tell(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let next = self.next_line.load(Ordering::Relaxed);
        let after = now.saturating_add(u64::try_from(LINES_EVERY.as_millis()).unwrap_or(u64::MAX));
        now >= next
            && self
                .next_line
                .compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// Returns what one client holds: an IPv4 address, or the /64 of an IPv6 address.
pub(crate) fn holder(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::clock::manual::ManualClock;

    /// So many attempts go at once, then one in a second.
    const AT_ONCE: u32 = 20;

    fn attempts() -> (Attempts, ManualClock) {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::new(clock.clone());
        let rate = Rate {
            limit: NonZeroU32::new(80).unwrap(),
            per: Duration::from_secs(60),
            burst: NonZeroU32::new(AT_ONCE).unwrap(),
        };
        (Attempts::new(rate, shared), clock)
    }

    fn peer(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_is_slowed_down_and_then_refused_and_others_are_not() {
        let (attempts, clock) = attempts();
        let try_from = |text: &str| attempts.note(peer(text), "/v1/enrich", "unknown");
        for _ in 0..AT_ONCE {
            assert_eq!(try_from("192.0.2.1"), Delay::None);
        }
        for seconds in 1..=5 {
            assert_eq!(try_from("192.0.2.1"), Delay::Until(Duration::from_secs(seconds)));
        }
        assert_eq!(try_from("192.0.2.1"), Delay::Refuse(Duration::from_secs(6)));
        assert_eq!(
            try_from("192.0.2.1"),
            Delay::Refuse(Duration::from_secs(6)),
            "a refusal costs nothing"
        );
        assert_eq!(try_from("192.0.2.2"), Delay::None);
        clock.advance(Duration::from_secs(2));
        assert_eq!(try_from("192.0.2.1"), Delay::Until(Duration::from_secs(6)));
        clock.advance(Duration::from_secs(3600));
        assert_eq!(try_from("192.0.2.1"), Delay::None);
    }

    #[test]
    fn lines_are_written_at_a_bounded_rate() {
        let (attempts, clock) = attempts();
        let told = |address: &str| {
            let address = holder(address.parse().unwrap());
            attempts.note(Some(address), "/", "unknown");
            let tried = attempts.by_address.get(&address).unwrap();
            let unreported = tried.lock().unwrap().unreported;
            unreported == 0
        };
        assert!(told("192.0.2.1"));
        assert!(!told("192.0.2.1"), "one line for an address");
        assert!(!told("192.0.2.2"), "one line in a second");
        clock.advance(LINES_EVERY);
        assert!(told("192.0.2.2"));
        clock.advance(LOGGED_EVERY);
        assert!(told("192.0.2.1"));
        assert!(!told("192.0.2.2"));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let (attempts, _clock) = attempts();
        for number in 0..AT_ONCE {
            let address = format!("2001:db8::{number:x}");
            assert_eq!(attempts.note(peer(&address), "/", "unknown"), Delay::None);
        }
        assert_ne!(attempts.note(peer("2001:db8::ffff"), "/", "unknown"), Delay::None);
        assert_eq!(
            attempts.note(peer("2001:db8:0:1::1"), "/", "unknown"),
            Delay::None
        );
        assert_eq!(
            holder("::ffff:192.0.2.1".parse().unwrap()),
            peer("192.0.2.1").unwrap()
        );
    }
}
