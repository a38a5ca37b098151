//! Notes when and from where tokens are used: by the minute, in memory, and beside the replies to clients on disk.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A use is noted once in so many seconds.
const NOTED_EVERY_S: i64 = 60;
/// Addresses are kept as networks of so many bits.
const BITS_V4: u8 = 24;
const BITS_V6: u8 = 48;

/// Says when a token was last used, to the minute, and from which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From which network: the first 24 bits of an IPv4 address, 48 of an IPv6 address. None for this machine's own socket.
    pub network: Option<IpNet>,
}

/// Holds the last use of one token.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// When it was last noted, in seconds since the epoch.
    noted: AtomicI64,
    last: Mutex<Last>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Last {
    used: Option<LastUse>,
    is_kept: bool,
}

impl Uses {
    /// Begins with what was kept before.
    pub(super) fn of(kept: Option<LastUse>) -> Self {
        Self {
            noted: AtomicI64::new(kept.map_or(0, |kept| kept.at.as_second())),
            last: Mutex::new(Last {
                used: kept,
                is_kept: true,
            }),
        }
    }

    /// Notes a use.
    pub(super) fn note(&self, at: Timestamp, address: Option<IpAddr>) {
        let second = at.as_second();
        let before = self.noted.load(Ordering::Relaxed);
        if second.saturating_sub(before) < NOTED_EVERY_S
            || self
                .noted
                .compare_exchange(before, second, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let used = LastUse {
            at: Timestamp::from_second(second).unwrap_or(at),
            network: address.and_then(network),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last {
            used: Some(used),
            is_kept: false,
        };
    }

    /// Returns the last use.
    pub(super) fn last(&self) -> Option<LastUse> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).used
    }

    /// Takes the last use where it is not kept yet.
    pub(super) fn take_new(&self) -> Option<LastUse> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let new = last.used.filter(|_| !last.is_kept)?;
        last.is_kept = true;
        Some(new)
    }

    /// Says that what was taken is not kept after all.
    pub(super) fn put_back(&self) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).is_kept = false;
    }
}

fn network(address: IpAddr) -> Option<IpNet> {
    let address = address.to_canonical();
    // What a proxy did not say is no network.
    if address.is_unspecified() {
        return None;
    }
    let bits = if address.is_ipv4() { BITS_V4 } else { BITS_V6 };
    IpNet::new(address, bits).ok().map(|network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute_as_a_network() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let uses = Uses::of(None);
        assert_eq!(uses.last(), None);
        assert_eq!(uses.take_new(), None);
        uses.note(at(0), Some("192.0.2.77".parse().unwrap()));
        let first = LastUse {
            at: at(0),
            network: Some("192.0.2.0/24".parse().unwrap()),
        };
        assert_eq!(uses.take_new(), Some(first));
        uses.note(at(59), Some("198.51.100.1".parse().unwrap()));
        assert_eq!(uses.last(), Some(first));
        assert_eq!(uses.take_new(), None, "it is kept");
        uses.put_back();
        assert_eq!(uses.take_new(), Some(first));
        uses.note(at(60), Some("2001:db8:1:2::3".parse().unwrap()));
        let second = LastUse {
            at: at(60),
            network: Some("2001:db8:1::/48".parse().unwrap()),
        };
        assert_eq!(uses.take_new(), Some(second));
        assert_eq!(Uses::of(Some(second)).last(), Some(second));
        assert_eq!(Uses::of(Some(second)).take_new(), None);
    }
}
