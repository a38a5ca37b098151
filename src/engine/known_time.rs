//! Knows which time spending and removing go by: the machine's clock, unless it jumped.
//!
//! A clock that differs by more than a day from the last known time, which is on disk, is not believed at once: one wrong
//! reading would open budgets or shut them, and remove what is to be kept. Until the jump has lasted, or an operator
//! confirms it, what is spent counts in the windows of both times, nothing is removed, and the known time goes on by the
//! clock that never jumps. An hour that the machine slept, or a small correction, is no jump.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::SharedClock;
use crate::storage::RecordStore;

/// A difference up to this is no jump.
const NO_JUMP: SignedDuration = SignedDuration::from_hours(24);
/// Where the last known time is kept.
const LATEST: &str = "latest";
/// Where the first reading of a clock that is not believed is kept, so that it can last from one start to the next.
const DOUBTED: &str = "doubted";

/// Holds both times of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time that is known.
    pub known: Timestamp,
    /// What the machine's clock says.
    pub reading: Timestamp,
    /// When the machine's clock is believed at the latest, by its own time; `None` where it is believed.
    pub believed_at: Option<Timestamp>,
}

impl Moment {
    /// Returns the times that windows are taken of: one, or two where the clock is not believed.
    pub fn times(self) -> impl Iterator<Item = Timestamp> {
        [Some(self.known), self.believed_at.map(|_| self.reading)]
            .into_iter()
            .flatten()
    }
}

/// Shows how the clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockView {
    /// The time that spending goes by.
    pub known: Timestamp,
    /// What the machine's clock says.
    pub reading: Timestamp,
    /// When the machine's clock is believed, by its own time; `None` where it is.
    pub believed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct ClockDoubt {
    /// What the clock said when it was last looked at.
    reading: Timestamp,
    /// When that was, on the clock's `elapsed`.
    at: Duration,
    /// How long the jump had lasted by then.
    lasted: Duration,
}

#[derive(Debug)]
struct State {
    /// The latest time that was believed.
    known: Timestamp,
    /// When it was looked at, on the clock's `elapsed`.
    at: Duration,
    doubt: Option<ClockDoubt>,
    /// Whether a reading that is not believed is on disk.
    noted: bool,
}

/// Knows the time.
#[derive(Debug)]
pub struct KnownTime {
    store: Arc<dyn RecordStore>,
    clock: SharedClock,
    /// How long a jump lasts before it is believed, in nanoseconds.
    lasts: AtomicU64,
    state: Mutex<State>,
}

fn at(bytes: Vec<u8>) -> Option<Timestamp> {
    let micros = i64::from_le_bytes(bytes.try_into().ok()?);
    Timestamp::from_microsecond(micros).ok()
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl KnownTime {
    /// Reads the last known time of a store. A jump that lasts `lasts` is believed.
    #[must_use]
    pub async fn open(store: Arc<dyn RecordStore>, clock: SharedClock, lasts: Duration) -> Arc<Self> {
        let (reading, elapsed) = (clock.now(), clock.elapsed());
        let [known, doubted] = [
            store.meta(LATEST).await.ok().flatten().and_then(at),
            store.meta(DOUBTED).await.ok().flatten().and_then(at),
        ];
        let known = known.unwrap_or(reading);
        // A jump that was not believed before has lasted by as much as the clock went on since.
        let doubt = doubted
            .filter(|first| (*first > known) == (reading > known))
            .and_then(|first| Duration::try_from(reading.duration_since(first)).ok())
            .map(|lasted| ClockDoubt {
                reading,
                at: elapsed,
                lasted,
            });
        let carried = doubt.is_some();
        let time = Self {
            store,
            clock,
            lasts: AtomicU64::new(0),
            state: Mutex::new(State {
                known,
                at: elapsed,
                doubt,
                noted: doubted.is_some(),
            }),
        };
        time.set_lasts(lasts);
        let moment = time.look();
        if carried && moment.believed_at.is_some() {
            time.warn(reading, known);
        }
        Arc::new(time)
    }

    /// Takes over how long a jump lasts before it is believed.
    pub fn set_lasts(&self, lasts: Duration) {
        let nanos = u64::try_from(lasts.as_nanos()).unwrap_or(u64::MAX);
        self.lasts.store(nanos, Ordering::Relaxed);
    }

    /// Returns the machine's clock.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Looks at the clock.
    pub fn look(&self) -> Moment {
        let (reading, elapsed) = (self.clock.now(), self.clock.elapsed());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = after(state.known, elapsed.saturating_sub(state.at));
        let is_jump =
            reading.duration_since(expected) > NO_JUMP || state.known.duration_since(reading) > NO_JUMP;
        if !is_jump {
            if state.doubt.take().is_some() {
                tracing::info!(%reading, "the clock agrees with the last known time");
            }
            if std::mem::take(&mut state.noted) {
                self.store.note(DOUBTED, Vec::new());
            }
            // A clock that goes back a little opens no window.
            state.known = state.known.max(reading);
            state.at = elapsed;
            return Moment {
                known: state.known,
                reading,
                believed_at: None,
            };
        }
        let lasts = Duration::from_nanos(self.lasts.load(Ordering::Relaxed));
        let doubt = match state.doubt {
            Some(doubt) if goes_on(&doubt, reading, elapsed) => ClockDoubt {
                reading,
                at: elapsed,
                lasted: doubt.lasted.saturating_add(elapsed.saturating_sub(doubt.at)),
            },
            _ => {
                self.warn(reading, expected);
                self.store
                    .note(DOUBTED, reading.as_microsecond().to_le_bytes().to_vec());
                state.noted = true;
                ClockDoubt {
                    reading,
                    at: elapsed,
                    lasted: Duration::ZERO,
                }
            }
        };
        if doubt.lasted >= lasts {
            tracing::warn!(clock = %reading, known = %expected, "the clock's jump has lasted and is believed from now on");
            self.believe(&mut state, reading, elapsed);
            return Moment {
                known: reading,
                reading,
                believed_at: None,
            };
        }
        state.doubt = Some(doubt);
        Moment {
            known: expected,
            reading,
            believed_at: Some(after(reading, lasts.saturating_sub(doubt.lasted))),
        }
    }

    fn warn(&self, reading: Timestamp, known: Timestamp) {
        let lasts = Duration::from_nanos(self.lasts.load(Ordering::Relaxed));
        tracing::warn!(
            clock = %reading,
            %known,
            "the clock jumped and is not believed until that has lasted {} s or `pivotd clock --confirm` says that it is right; \
             spending counts in the windows of both times, and nothing is removed",
            lasts.as_secs()
        );
    }

    fn believe(&self, state: &mut State, reading: Timestamp, elapsed: Duration) {
        *state = State {
            known: reading,
            at: elapsed,
            doubt: None,
            noted: false,
        };
        self.store
            .note(LATEST, reading.as_microsecond().to_le_bytes().to_vec());
        self.store.note(DOUBTED, Vec::new());
    }

    /// Believes the clock, since an operator says that it is right.
    pub fn confirm(&self) -> ClockView {
        {
            let (reading, elapsed) = (self.clock.now(), self.clock.elapsed());
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.doubt.is_some() {
                tracing::warn!(clock = %reading, "the clock is believed, since an operator confirmed it");
                self.believe(&mut state, reading, elapsed);
            }
        }
        self.view()
    }

    /// Shows how the clock stands.
    #[must_use]
    pub fn view(&self) -> ClockView {
        let Moment {
            known,
            reading,
            believed_at,
        } = self.look();
        ClockView {
            known,
            reading,
            believed_at,
        }
    }

    /// Returns the known time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.look().known
    }

    /// Returns the earlier of both times: what has ended by then has ended, whichever is right.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        let moment = self.look();
        moment.times().min().unwrap_or(moment.known)
    }

    /// Returns the later of both times: what is kept from then on is kept long enough, whichever is right.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        let moment = self.look();
        moment.times().max().unwrap_or(moment.known)
    }

    /// Puts the known time on disk, unless the clock is not believed.
    pub fn keep(&self) {
        let moment = self.look();
        if moment.believed_at.is_none() {
            self.store
                .note(LATEST, moment.known.as_microsecond().to_le_bytes().to_vec());
        }
    }
}

/// Tells whether a clock that was not believed has gone on as clocks do since.
fn goes_on(doubt: &ClockDoubt, reading: Timestamp, elapsed: Duration) -> bool {
    let expected = after(doubt.reading, elapsed.saturating_sub(doubt.at));
    reading.duration_since(expected).abs() <= NO_JUMP
}

#[cfg(test)]
#[path = "known_time_tests.rs"]
mod tests;
