//! Gathers the questions of batches that differ in their indicator alone, where the vendor's product takes many in one
//! call.
//!
//! A gathering leaves when it is full, when nobody joined it for a moment, or when somebody at work joins one of its
//! flights. Whoever opened it makes the look-up for all, so that it is paid for once; each flight then lands with the
//! answer to its own question.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};

use super::call::{Carrier, Passengers};
use super::ledger::{Priority, Spend};
use super::lookup::Errand;
use crate::domain::{Answer, Capability, Failure, FailureKind, IndicatorKind, Query};
use crate::providers::{Lookup, Offer, Product, ProductId};

/// A gathering that nobody joined for this long leaves as it is.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest that a gathering is open.
const LONGEST: Duration = Duration::from_secs(1);
/// So many refused look-ups of one gathering are made in search of what the vendor does not take: enough for two among a
/// hundred. A vendor that takes none must not be asked about each.
const MOST_REFUSED: usize = 16;

/// Is what became of one question.
type Told = Result<Answer, Failure>;

/// Names what questions of one look-up have in common. The scope is part of it, so that nobody pays for another tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shape {
    product: ProductId,
    capability: Capability,
    kind: IndicatorKind,
    params: BTreeMap<String, String>,
    scope: String,
}

/// Holds a question of a gathering, who asked it, who waits for it, and where its flight is told.
struct Member {
    query: Query,
    spend: Spend,
    passengers: Arc<dyn Passengers>,
    told: oneshot::Sender<Told>,
}

/// Holds who goes together.
#[derive(Default)]
struct Gathering {
    members: Mutex<Vec<Member>>,
    leave: Notify,
}

/// Holds an account's open gatherings.
#[derive(Default)]
pub(super) struct Gatherings(Mutex<HashMap<Shape, Arc<Gathering>>>);

impl std::fmt::Debug for Gatherings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Gatherings")
            .field(&self.waiting())
            .finish()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gatherings {
    /// Returns how many questions wait.
    pub(super) fn waiting(&self) -> usize {
        let open = locked(&self.0);
        open.values().map(|one| locked(&one.members).len()).sum()
    }

    /// Joins the open gathering of a shape, or opens one, and then is `true`. A full one is nobody's to join.
    fn join(&self, shape: &Shape, member: Member, most: usize) -> (Arc<Gathering>, bool) {
        let mut open = locked(&self.0);
        let known = open.get(shape).cloned();
        let opened = known.is_none();
        let gathering = known.unwrap_or_else(|| Arc::clone(open.entry(shape.clone()).or_default()));
        let mut members = locked(&gathering.members);
        members.push(member);
        if members.len() >= most {
            open.remove(shape);
            gathering.leave.notify_one();
        }
        drop(members);
        (gathering, opened)
    }
}

/// Closes a gathering, also where the task that opened it ends early: nobody may join what never leaves.
struct Opened<'a> {
    gatherings: &'a Gatherings,
    shape: Shape,
    gathering: Arc<Gathering>,
}

impl Opened<'_> {
    /// Closes it and returns its members, without those for whom nobody waits any more.
    fn close(self) -> Vec<Member> {
        self.shut();
        let mut members = std::mem::take(&mut *locked(&self.gathering.members));
        members.retain(|member| !member.passengers.gone());
        members
    }

    fn shut(&self) {
        let mut open = locked(&self.gatherings.0);
        if open
            .get(&self.shape)
            .is_some_and(|known| Arc::ptr_eq(known, &self.gathering))
        {
            open.remove(&self.shape);
        }
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.shut();
        locked(&self.gathering.members).clear();
    }
}

/// Waits for all that go together.
struct Together(Vec<Arc<dyn Passengers>>);

impl Passengers for Together {
    fn deadline(&self) -> Duration {
        self.0.iter().map(|one| one.deadline()).max().unwrap_or_default()
    }

    fn abandoned(&self) -> bool {
        self.0.iter().all(|one| one.abandoned())
    }

    fn gone(&self) -> bool {
        // Asked one by one only where all are abandoned: a flight that is given up is not joined again.
        self.abandoned() && self.0.iter().all(|one| one.gone())
    }

    fn left(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            while !self.abandoned() {
                for one in &self.0 {
                    one.left().await;
                }
            }
        })
    }

    fn priority(&self) -> Priority {
        let highest = self.0.iter().map(|one| one.priority()).min();
        highest.unwrap_or(Priority::Batch)
    }

    fn hurried(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

impl Carrier {
    /// Tells whether a question may wait for others of its shape: one of many, whole and without a price.
    pub(super) fn may_gather(&self, errand: &Errand, offer: &Offer, product: &Product) -> bool {
        product.max_batch > 1
            && !offer.paged
            && errand.buy.is_none()
            && self.passengers.priority() != Priority::Interactive
    }

    /// Asks a product together with others who ask it the same of other indicators.
    ///
    /// # Errors
    /// The failure of the look-up, or that its answer says nothing of this question.
    pub(super) async fn ask_together(&self, errand: &Errand, offer: &Offer, product: &Product) -> Told {
        let shape = Shape {
            product: product.id.clone(),
            capability: errand.query.capability,
            kind: errand.query.indicator.kind(),
            params: errand.query.params.clone(),
            scope: errand.scope.clone(),
        };
        let (told, mut answer) = oneshot::channel();
        let member = Member {
            query: errand.query.clone(),
            spend: self.spend.clone(),
            passengers: Arc::clone(&self.passengers),
            told,
        };
        let gatherings = &self.state.gatherings;
        let (gathering, opened) = gatherings.join(&shape, member, product.max_batch);
        if opened {
            let opened = Opened {
                gatherings,
                shape,
                gathering,
            };
            self.wait_for_others(&opened.gathering).await;
            self.ask_for_all(opened.close(), offer, &product.id).await;
        } else {
            tokio::select! {
                biased;
                told = &mut answer => return told.unwrap_or_else(|_| Err(self.forsaken(product))),
                () = self.passengers.hurried() => gathering.leave.notify_one(),
            }
        }
        answer.await.unwrap_or_else(|_| Err(self.forsaken(product)))
    }

    /// Says that a gathering left without a question, since nobody waited for it, or came to nothing.
    fn forsaken(&self, product: &Product) -> Failure {
        let message = "the look-up of several questions that this one was part of left without it";
        Failure::new(FailureKind::Unavailable, &self.runtime.settings.name, message).of(&product.id)
    }

    async fn wait_for_others(&self, gathering: &Gathering) {
        let latest = self.clock.elapsed() + LONGEST;
        let mut seen = 0;
        loop {
            let (count, now) = (locked(&gathering.members).len(), self.clock.elapsed());
            if count == seen || now >= latest {
                return;
            }
            seen = count;
            tokio::select! {
                () = gathering.leave.notified() => return,
                () = self.passengers.hurried() => return,
                () = self.clock.sleep_until(now + PAUSE) => {}
            }
        }
    }

    /// Asks for all members at once and tells each. Where the vendor refuses the whole, halves are asked, so that what it
    /// does not take spoils nobody else's answer.
    async fn ask_for_all(&self, members: Vec<Member>, offer: &Offer, product: &ProductId) {
        let mut refused = 0;
        let mut parts = vec![members];
        while let Some(mut part) = parts.pop() {
            let Some(first) = part.first() else { continue };
            let carrier = self.for_all(&part, first);
            let asked = part.iter().map(|member| member.query.clone()).collect();
            let told = carrier.look_up(asked, offer, product).await;
            self.take_over(&carrier);
            match told {
                Ok(answers) => {
                    for Member { query, told, .. } in part {
                        let own = answers.iter().find(|answer| answer.query == query);
                        let answer = own.cloned().ok_or_else(|| {
                            let message = "the answer to several questions leaves this one out, or cannot be read there";
                            Failure::new(FailureKind::Malformed, &self.runtime.settings.name, message)
                                .of(product)
                        });
                        // A receiver that is gone is a task that ended; nobody is left to tell.
                        let _ = told.send(answer);
                    }
                }
                Err(failure)
                    if failure.kind == FailureKind::Refused && part.len() > 1 && refused < MOST_REFUSED =>
                {
                    refused += 1;
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                Err(failure) => {
                    for member in part {
                        let _ = member.told.send(Err(failure.clone()));
                    }
                }
            }
        }
    }

    async fn look_up(
        &self,
        queries: Vec<Query>,
        offer: &Offer,
        product: &ProductId,
    ) -> Result<Vec<Answer>, Failure> {
        let lookup = Lookup {
            files: Arc::clone(&self.runtime.reference.load().files),
            options: self.runtime.settings.options.clone(),
            ..Lookup::of(queries, product)
        };
        let step = self.runtime.provider.start(&lookup);
        let step = step.map_err(|error| self.told(product, error))?;
        self.run(step, offer, product).await
    }

    /// Makes the carrier of a part: the first of its members is charged, and everybody's wishes count.
    fn for_all(&self, part: &[Member], first: &Member) -> Self {
        let mut spend = first.spend.clone();
        if part.len() > 1 {
            spend.question.push_str(&format!(" and {} more", part.len() - 1));
        }
        Self {
            runtime: Arc::clone(&self.runtime),
            state: Arc::clone(&self.state),
            key: self.key.clone(),
            ledger: Arc::clone(&self.ledger),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            passengers: Arc::new(Together(
                part.iter().map(|member| Arc::clone(&member.passengers)).collect(),
            )),
            client: spend.client.clone(),
            spend,
            // What is done for all counts for whoever opened the gathering.
            wire: Arc::clone(&self.wire),
            unrepeatable: false.into(),
            charged: Mutex::default(),
            room: Arc::clone(&self.room),
            place: Mutex::default(),
            closing: Arc::clone(&self.closing),
        }
    }

    /// Adds what another carrier was charged, and whether it may be repeated.
    fn take_over(&self, other: &Self) {
        self.unrepeatable
            .fetch_or(other.unrepeatable.load(Ordering::Relaxed), Ordering::Relaxed);
        let (cost, currency) = locked(&other.charged).clone();
        self.add_charge(cost, &currency);
    }
}

#[cfg(test)]
mod tests;
