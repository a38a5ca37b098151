//! Tells every flight when the server begins to stop.

use std::time::Duration;

use tokio::sync::watch;

/// Tells when the server began to stop.
#[derive(Debug, Default)]
pub struct ShutdownSignal(watch::Sender<Option<Duration>>);

impl ShutdownSignal {
    /// Says that the server stops, at `now` on the clock's `elapsed`; the first time counts.
    pub fn begin(&self, now: Duration) {
        self.0.send_if_modified(|since| {
            let first = since.is_none();
            since.get_or_insert(now);
            first
        });
    }

    /// Returns when the server began to stop.
    #[must_use]
    pub fn since(&self) -> Option<Duration> {
        *self.0.borrow()
    }

    /// Resolves when the server begins to stop.
    pub async fn begun(&self) {
        let mut since = self.0.subscribe();
        // The sender lives as long as this.
        let _ = since.wait_for(Option::is_some).await;
    }
}
