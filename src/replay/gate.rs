//! A gate that a test opens: the replacement for every sleep.

use tokio::sync::watch;

#[derive(Debug, Clone, Copy, Default)]
struct State {
    released: bool,
    steps: u64,
}

/// Holds answers until a test lets them go. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<State>);

impl Gate {
    /// Makes a closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Opens the gate for good; everything held behind it goes on.
    pub fn release(&self) {
        self.0.send_modify(|state| state.released = true);
    }

    /// Lets one more byte of a [`SlowDrip`](super::Fault::SlowDrip) out. Steps made before the answer has begun count too.
    pub fn step(&self) {
        self.0
            .send_modify(|state| state.steps = state.steps.saturating_add(1));
    }

    /// Waits until the gate is released.
    pub(super) async fn released(&self) {
        self.passed(u64::MAX).await;
    }

    /// Waits until that many steps were made in all, or until the gate is released.
    pub(super) async fn passed(&self, steps: u64) {
        let mut states = self.0.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _open = states
            .wait_for(|state| state.released || state.steps >= steps)
            .await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
