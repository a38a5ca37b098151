//! Keeps the short-lived token that a key buys. In memory only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::providers::Admission;

/// A token is not used in its last minute: it may end on the way.
const MARGIN_S: u64 = 60;

/// Holds a token while it is good.
#[derive(Debug)]
pub struct Session {
    /// The token.
    pub token: SecretString,
    from: Timestamp,
    until: Timestamp,
    proven: AtomicBool,
}

impl Session {
    /// Remembers that the vendor took the token.
    pub fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// Tells whether its time is; one of a time that is far ahead was bought under a wrong clock.
    fn is_good(&self, now: Timestamp) -> bool {
        now < self.until && self.from.duration_since(now) < SignedDuration::from_hours(24)
    }

    /// Tells whether the vendor ever took it: one that was refused at once says that the key is of no use.
    pub fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }
}

/// Holds the session of one key. The call that finds none buys one, while the others wait.
#[derive(Debug, Default)]
pub struct SessionSlot(Mutex<Option<Arc<Session>>>);

impl SessionSlot {
    /// Returns the session that is good at `now`, or the one that `buy` brings.
    ///
    /// # Errors
    /// Those of `buy`.
    pub async fn get_or<E>(
        &self,
        now: Timestamp,
        buy: impl Future<Output = Result<Admission, E>>,
    ) -> Result<Arc<Session>, E> {
        let mut slot = self.0.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| session.is_good(now)) {
            return Ok(Arc::clone(session));
        }
        let bought = buy.await?;
        let lifetime = i64::try_from(bought.lifetime_s.saturating_sub(MARGIN_S)).unwrap_or(i64::MAX);
        let session = Arc::new(Session {
            token: bought.token,
            from: now,
            until: now
                .checked_add(SignedDuration::from_secs(lifetime))
                .unwrap_or(Timestamp::MAX),
            proven: AtomicBool::new(false),
        });
        *slot = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Forgets a session that ended, unless another one has taken its place.
    pub async fn forget(&self, ended: &Arc<Session>) {
        let mut slot = self.0.lock().await;
        if slot.as_ref().is_some_and(|held| Arc::ptr_eq(held, ended)) {
            *slot = None;
        }
    }
}
