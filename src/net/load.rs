//! Takes as many requests as a worker can answer, and refuses the rest at once: a queue that grows helps no client.
//!
//! A worker's tasks take turns. A turn ends when all that was ready at its start was looked at, so a request that is looked
//! at now has waited no longer than since the turn before began. Where that is long for a while, more comes than the worker
//! can answer. From then on, it takes a request only in a turn after one in which it took none: what came while it worked is
//! refused, since it has waited. That ends when what comes would leave the worker idle for a part of the time.
//!
//! Where known clients alone would leave the worker idle for a part of the time, only the others are refused. What a request costs
//! is measured by the work on those that are taken, so that refusals, however many, leave the known ones their time. Where known
//! clients are too many themselves, they have all but an eighth of it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use crate::clock::SharedClock;

/// A request should wait for its worker no longer than this. Many clients that each wait for their answer before they ask
/// again keep a worker busy, and wait less.
const LONG: Duration = Duration::from_millis(100);
/// Fewer requests than this are no overload, however long they wait: the worker is busy with something else, such as batches.
const MANY: u32 = 20;
/// What comes is measured over this.
const SPAN: Duration = Duration::from_millis(500);
/// The share of a worker's time that what comes may take for it to take everything again, in percent.
const CALM: u32 = 80;
/// The share that a new measurement has in the time that a request takes, one in so many.
const NEW: u32 = 16;
/// The share of what is taken that clients have who are not known, while known ones are refused, one in so many.
const UNKNOWN: u32 = 8;

/// Is the gate of a worker.
#[derive(Debug)]
pub(crate) struct Load {
    clock: SharedClock,
    gate: RefCell<LoadPolicy>,
}

impl Load {
    /// Makes a gate. Waits that are long for as long as `patience` mean that more comes than can be answered.
    pub(crate) fn new(clock: SharedClock, patience: Duration) -> Rc<Self> {
        Rc::new(Self {
            clock,
            gate: RefCell::new(LoadPolicy::new(patience)),
        })
    }

    /// Decides about a request of a client that is known, or not. Must be called on the worker.
    pub(crate) fn takes(self: &Rc<Self>, is_known: bool) -> bool {
        let now = self.clock.elapsed();
        let (taken, is_first) = {
            let mut gate = self.gate.borrow_mut();
            let is_first = gate.wake(now);
            let was = gate.is_strict();
            let taken = gate.request(now, is_known);
            if gate.is_strict() && !was {
                tracing::warn!("more requests come than can be answered; some are refused at once");
            }
            (taken, is_first)
        };
        if is_first {
            actix_web::rt::spawn(turns(Rc::clone(self)));
        }
        taken
    }

    /// Works on a request that was taken, and measures for how long.
    pub(crate) async fn measured<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            let began = self.clock.elapsed();
            let polled = work.as_mut().poll(context);
            let lasted = self.clock.elapsed().saturating_sub(began);
            self.gate.borrow_mut().worked(lasted);
            polled
        })
        .await
    }
}

/// Ends turns as long as requests come.
async fn turns(load: Rc<Load>) {
    loop {
        // What is ready now is looked at before this goes on.
        tokio::task::yield_now().await;
        let mut gate = load.gate.borrow_mut();
        let was = gate.is_strict();
        let goes_on = gate.turn(load.clock.elapsed());
        if was && !gate.is_strict() {
            tracing::info!("every request is taken again");
        }
        if !goes_on {
            return;
        }
    }
}

/// Counts what came in a turn.
#[derive(Debug, Default, Clone, Copy)]
struct LoadWindow {
    began: Duration,
    came: u32,
    taken: u32,
    /// How long requests that were taken were worked on.
    worked: Duration,
}

/// Decides by times that it is told.
#[derive(Debug)]
struct LoadPolicy {
    patience: Duration,
    /// The turn under way and the one before; `None` where nothing is ready.
    turns: Option<(LoadWindow, LoadWindow)>,
    /// What came since requests wait for long.
    long_since: Option<Span>,
    /// Whether it refuses.
    strict: Option<Strict>,
    /// The time that a request takes on the worker.
    cost: Duration,
}

/// Counts what came since a time.
#[derive(Debug, Clone, Copy)]
struct Span {
    began: Duration,
    came: u32,
    /// How many of these were of clients that are not known.
    unknown: u32,
    /// How many were taken of all, and of clients that are not known.
    taken: u32,
    taken_unknown: u32,
}

impl Span {
    const fn new(began: Duration) -> Self {
        Self {
            began,
            came: 0,
            unknown: 0,
            taken: 0,
            taken_unknown: 0,
        }
    }

    fn count(&mut self, is_known: bool) {
        self.came = self.came.saturating_add(1);
        self.unknown = self.unknown.saturating_add(u32::from(!is_known));
    }

    fn take(&mut self, is_known: bool) {
        self.taken = self.taken.saturating_add(1);
        self.taken_unknown = self.taken_unknown.saturating_add(u32::from(!is_known));
    }
}

/// Says who is refused.
#[derive(Debug, Clone, Copy)]
struct Strict {
    /// What came since this was looked at.
    span: Span,
    /// Whether known clients are refused, too.
    everybody: bool,
}

impl LoadPolicy {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            turns: None,
            long_since: None,
            strict: None,
            cost: Duration::ZERO,
        }
    }

    fn is_strict(&self) -> bool {
        self.strict.is_some()
    }

    /// Begins a turn where none is under way; tells whether it did.
    fn wake(&mut self, now: Duration) -> bool {
        if self.turns.is_some() {
            return false;
        }
        let began = LoadWindow {
            began: now,
            ..LoadWindow::default()
        };
        self.turns = Some((began, began));
        true
    }

    /// Decides about a request.
    fn request(&mut self, now: Duration, is_known: bool) -> bool {
        self.measure(now);
        let Some((turn, before)) = &mut self.turns else {
            return true;
        };
        turn.came += 1;
        let is_long = now.saturating_sub(before.began) > LONG;
        if !is_long {
            self.long_since = None;
        }
        if is_long || self.strict.is_some() {
            if self.strict.is_none() {
                let since = self.long_since.get_or_insert(Span::new(now));
                since.count(is_known);
                let lasted = now.saturating_sub(since.began);
                if since.came >= MANY && lasted >= self.patience {
                    let known = since.came.saturating_sub(since.unknown);
                    self.strict = Some(Strict {
                        span: Span::new(now),
                        everybody: !leaves_time(self.cost, known, lasted),
                    });
                }
            }
            if let Some(strict) = &mut self.strict {
                strict.span.count(is_known);
                let has_worked = turn.taken > 0 || before.taken > 0;
                if has_worked && (strict.everybody || !is_known) {
                    return false;
                }
                let span = &mut strict.span;
                if strict.everybody && !is_known && span.taken_unknown.saturating_mul(UNKNOWN) > span.taken {
                    return false;
                }
                span.take(is_known);
            }
        }
        turn.taken += 1;
        true
    }

    /// Takes everything again where what came in a while leaves the worker idle for a part of it, and everything of known
    /// clients where that alone does.
    fn measure(&mut self, now: Duration) {
        let Some(strict) = self.strict else { return };
        let lasted = now.saturating_sub(strict.span.began);
        if lasted >= SPAN {
            let Span { came, unknown, .. } = strict.span;
            self.strict = (!leaves_time(self.cost, came, lasted)).then_some(Strict {
                span: Span::new(now),
                everybody: !leaves_time(self.cost, came.saturating_sub(unknown), lasted),
            });
            self.long_since = None;
        }
    }

    /// Notes for how long a request that was taken was worked on.
    fn worked(&mut self, lasted: Duration) {
        if let Some((turn, _)) = &mut self.turns {
            turn.worked += lasted;
        }
    }

    /// Ends a turn and begins the next; tells whether there is one.
    fn turn(&mut self, now: Duration) -> bool {
        let Some((turn, _)) = self.turns else { return false };
        let lasted = now.saturating_sub(turn.began);
        let worked = turn.worked.min(lasted);
        // What else there was to do is of all that came: a request that is refused is read and answered, too.
        let beside = (lasted - worked).checked_div(turn.came).unwrap_or_default();
        if let Some(each) = worked.checked_div(turn.taken) {
            let each = each + beside;
            self.cost = if self.cost.is_zero() {
                each
            } else {
                (self.cost * (NEW - 1) + each) / NEW
            };
        }
        self.measure(now);
        let next = LoadWindow {
            began: now,
            ..LoadWindow::default()
        };
        self.turns = (turn.came > 0).then_some((next, turn));
        self.turns.is_some()
    }
}

/// Tells whether so many requests would leave the worker idle for a part of the time.
fn leaves_time(cost: Duration, count: u32, lasted: Duration) -> bool {
    cost.saturating_mul(count).saturating_mul(100) < lasted * CALM
}

#[cfg(test)]
mod tests;
