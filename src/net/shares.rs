//! Divides the requests under way among clients, so that one whose requests wait for a slow provider keeps no other out.
//!
//! A client may have as many under way as are free beside. So one alone gets a half of all, two get a third each, and so on: for
//! the next one there is always room. Clients that are not known share as one. A request that waits for its client to send more of
//! its body counts for nothing meanwhile: its connection makes room where there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A client may have so many under way in any case.
const FEW: usize = 8;

/// Counts the requests under way.
#[derive(Debug)]
pub(crate) struct ConcurrencyShares {
    max: usize,
    all: Arc<AtomicUsize>,
    unknown: Arc<AtomicUsize>,
}

/// Keeps a request counted while it lives.
#[derive(Debug)]
pub(crate) struct ShareGuard {
    all: Arc<AtomicUsize>,
    client: Arc<AtomicUsize>,
    counts: AtomicBool,
}

impl ConcurrencyShares {
    /// Divides so many.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            all: Arc::default(),
            unknown: Arc::default(),
        })
    }

    /// Takes a request of a client on, of which this counts the requests under way; `None` where it has its share.
    pub(crate) fn take(&self, client: Option<&Arc<AtomicUsize>>) -> Option<Arc<ShareGuard>> {
        let client = client.unwrap_or(&self.unknown);
        let others = self.all.load(Ordering::Relaxed);
        let own = client.load(Ordering::Relaxed);
        if own >= FEW && own >= self.max.saturating_sub(others) {
            return None;
        }
        let share = ShareGuard {
            all: Arc::clone(&self.all),
            client: Arc::clone(client),
            counts: AtomicBool::new(false),
        };
        share.resume();
        Some(Arc::new(share))
    }
}

impl ShareGuard {
    /// Counts it no longer, until it goes on.
    pub(crate) fn pause(&self) {
        if self.counts.swap(false, Ordering::Relaxed) {
            self.all.fetch_sub(1, Ordering::Relaxed);
            self.client.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Counts it again.
    pub(crate) fn resume(&self) {
        if !self.counts.swap(true, Ordering::Relaxed) {
            self.all.fetch_add(1, Ordering::Relaxed);
            self.client.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for ShareGuard {
    fn drop(&mut self) {
        self.pause();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(shares: &ConcurrencyShares, client: Option<&Arc<AtomicUsize>>) -> Vec<Arc<ShareGuard>> {
        std::iter::from_fn(|| shares.take(client)).collect()
    }

    #[test]
    fn each_client_leaves_room_for_the_next() {
        let shares = ConcurrencyShares::new(1200);
        let clients: Vec<Arc<AtomicUsize>> = (0..3).map(|_| Arc::default()).collect();
        let mut taken = Vec::new();
        for (client, share) in clients.iter().zip([600, 300, 150]) {
            taken.push(fill(&shares, Some(client)));
            assert_eq!(taken.last().unwrap().len(), share);
        }
        let unknown = fill(&shares, None);
        assert_eq!(unknown.len(), 75, "those who are not known share as one");
        // What ends makes room for those who have less.
        taken.remove(0);
        assert!(fill(&shares, Some(&clients[1])).len() > 150);
        drop((taken, unknown));
        assert_eq!(shares.all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_few_are_taken_of_every_client() {
        let shares = ConcurrencyShares::new(16);
        let clients: Vec<Arc<AtomicUsize>> = (0..10).map(|_| Arc::default()).collect();
        let taken = clients.iter().map(|client| fill(&shares, Some(client)).len());
        // What `fill` took is given back with it.
        assert!(taken.eq([8; 10]));
        let kept: Vec<Vec<Arc<ShareGuard>>> =
            clients.iter().map(|client| fill(&shares, Some(client))).collect();
        assert!(kept.iter().all(|shares| shares.len() == FEW));
    }

    #[test]
    fn what_waits_for_its_client_counts_for_nothing() {
        let shares = ConcurrencyShares::new(100);
        let slow = fill(&shares, None);
        assert_eq!(slow.len(), 50);
        slow.iter().for_each(|share| share.pause());
        let more = fill(&shares, None);
        assert_eq!(more.len(), 50);
        drop(more);
        slow.iter().for_each(|share| share.resume());
        assert!(fill(&shares, None).is_empty());
        drop(slow);
        assert_eq!(shares.all.load(Ordering::Relaxed), 0);
    }
}
