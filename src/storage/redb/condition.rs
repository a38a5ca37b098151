//! Says how the store stands: whether it takes writes, why not, and how often it did not.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use super::Store;
use super::job::Job;
use crate::storage::{StoreError, StoreHealth};

/// A proof of writing holds this long, so that asking again and again does not keep the disk busy.
const PROVED: Duration = Duration::from_secs(1);

/// Is what the store can do at the moment.
#[derive(Debug, Clone, Default)]
pub(super) enum State {
    /// It reads and writes.
    #[default]
    Well,
    /// Its disk is nearly full: what takes room is refused.
    Full(StoreError),
    /// It cannot be written, and is opened again as soon as that works.
    Down(StoreError),
    /// It cannot be opened again by this process.
    Broken(StoreError),
}

impl State {
    pub(super) fn error(&self) -> Option<&StoreError> {
        match self {
            Self::Well => None,
            Self::Full(error) | Self::Down(error) | Self::Broken(error) => Some(error),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Full(_) => "full",
            Self::Down(_) => "down",
            Self::Broken(_) => "broken",
        }
    }
}

/// Is shared by the writer, which sets it, and everybody who asks.
#[derive(Debug)]
pub(super) struct Condition {
    state: RwLock<State>,
    min_free: AtomicU64,
    failed: AtomicU64,
    reopened: AtomicU64,
    written_anew: AtomicU64,
    /// Grows with every failure, so that an older proof does not count.
    failures: AtomicU64,
    proved: RwLock<Option<(Duration, u64)>>,
    broken: watch::Sender<Option<StoreError>>,
    is_closed: AtomicBool,
}

impl Default for Condition {
    fn default() -> Self {
        Self {
            state: RwLock::default(),
            min_free: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            reopened: AtomicU64::new(0),
            written_anew: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            proved: RwLock::default(),
            broken: watch::channel(None).0,
            is_closed: AtomicBool::new(false),
        }
    }
}

impl Condition {
    /// Returns how many bytes of the disk stay free.
    pub(super) fn min_free(&self) -> u64 {
        self.min_free.load(Ordering::Relaxed)
    }

    /// Keeps so many bytes of the disk free from now on.
    pub(super) fn keep_free(&self, bytes: u64) {
        self.min_free.store(bytes, Ordering::Relaxed);
    }

    /// Notes that the store is being closed.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Tells whether the store is being closed.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Tells whether everything can be written.
    pub(super) fn is_well(&self) -> bool {
        self.state().error().is_none()
    }

    pub(super) fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over a state, and logs it where it is another than before.
    pub(super) fn set(&self, state: State) {
        let mut held = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.error().is_some() {
            self.failures.fetch_add(1, Ordering::AcqRel);
        }
        let is_news = held.name() != state.name();
        match &state {
            State::Well if is_news => tracing::info!("the store is written again"),
            State::Full(error) if is_news => {
                tracing::error!(%error, "nothing is spent and no decision is kept until the disk has room");
            }
            State::Down(error) if is_news => {
                tracing::error!(%error, "nothing is spent and no decision is kept until the store can be written again");
            }
            State::Broken(error) => {
                tracing::error!(%error, "the store cannot be opened again; the server ends");
                self.broken.send_replace(Some(error.clone()));
            }
            _ => {}
        }
        *held = state;
    }

    pub(super) fn standing(&self, free: Option<u64>) -> StoreHealth {
        StoreHealth {
            free,
            failed: self.failed.load(Ordering::Relaxed),
            reopened: self.reopened.load(Ordering::Relaxed),
            written_anew: self.written_anew.load(Ordering::Relaxed),
            is_well: self.is_well(),
        }
    }

    pub(super) fn count_failed(&self, jobs: usize) {
        self.failures.fetch_add(1, Ordering::AcqRel);
        self.failed.fetch_add(jobs as u64, Ordering::Relaxed);
    }

    pub(super) fn count_written_anew(&self) {
        self.written_anew.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_reopened(&self) {
        self.reopened.fetch_add(1, Ordering::Relaxed);
    }
}

/// Does for the store what [`Upkeep`](crate::storage::Upkeep) says of its condition.
impl Store {
    pub(super) fn look_at_condition(&self) -> StoreHealth {
        let free = self.inner.location.disk.free(&self.inner.location.folder);
        self.inner.condition.standing(free.ok())
    }

    pub(super) async fn prove_writing(&self, now: Duration) -> Result<(), StoreError> {
        let condition = &self.inner.condition;
        let before = condition.failures.load(Ordering::Acquire);
        let proved = *condition.proved.read().unwrap_or_else(PoisonError::into_inner);
        if proved.is_some_and(|(at, failures)| failures == before && now.saturating_sub(at) < PROVED) {
            return Ok(());
        }
        self.write(|done| Job::Prove { done }).await?;
        *condition.proved.write().unwrap_or_else(PoisonError::into_inner) = Some((now, before));
        Ok(())
    }

    pub(super) async fn until_broken(&self) -> StoreError {
        let mut watched = self.inner.condition.broken.subscribe();
        // The sender lives as long as this store.
        let found = watched.wait_for(Option::is_some).await;
        found
            .ok()
            .and_then(|found| found.clone())
            .unwrap_or(StoreError::Closed)
    }
}
