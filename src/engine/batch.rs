//! Asks the questions of batches together that differ in their indicator alone, where the vendor's product takes many in
//! one call.
//!
//! A batch leaves when it is full, when no question joined it for a moment, or when a person at work joins one of its
//! flights. The caller that opened it makes the look-up for all, so that it is paid for once; each flight then ends with
//! the answer to its own question.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::batch_queue::{Batch, BatchKey, Member, OpenBatch};
use super::call::CallExecutor;
use super::waiters::{AllWaiters, FlightContext, Priority};
use crate::domain::{Answer, Failure, FailureKind, Query};
use crate::providers::{Lookup, Offer, Product, ProductId};

/// A batch that no question joined for this long leaves as it is.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest that a batch is open.
const LONGEST: Duration = Duration::from_secs(1);
/// So many refused look-ups of one batch are made in search of what the vendor does not take: enough for two among a
/// hundred. A vendor that takes none must not be asked about each.
const MAX_REFUSED: usize = 16;

impl CallExecutor {
    /// Tells whether a question without a price may wait for others of its kind: one of many, whole.
    pub(super) fn may_batch(&self, offer: &Offer, product: &Product) -> bool {
        product.max_batch > 1 && !offer.paged && self.flight.waiters.priority() != Priority::Interactive
    }

    /// Asks a product together with others who ask it the same of other indicators.
    ///
    /// # Errors
    /// The failure of the look-up, or that its answer says nothing of this question.
    pub(super) async fn ask_together(
        &self,
        query: &Query,
        offer: &Offer,
        product: &Product,
    ) -> Result<Answer, Failure> {
        let key = BatchKey {
            product: product.id.clone(),
            capability: query.capability,
            kind: query.indicator.kind(),
            params: query.params.clone(),
            scope: self.call.credential.scope.clone(),
        };
        let (result, mut answer) = oneshot::channel();
        let member = Member {
            query: query.clone(),
            spend: self.call.spend.clone(),
            waiters: Arc::clone(&self.flight.waiters),
            result,
        };
        let queue = &self.call.credential.account.batches;
        let (batch, opened) = queue.join(&key, member, product.max_batch);
        if opened {
            let open = OpenBatch { queue, key, batch };
            self.wait_for_others(&open.batch).await;
            self.ask_for_all(open.close(), offer, &product.id).await;
        } else {
            tokio::select! {
                biased;
                result = &mut answer => return result.unwrap_or_else(|_| Err(self.left_out(product))),
                () = self.flight.waiters.became_interactive() => batch.leave.notify_one(),
            }
        }
        answer.await.unwrap_or_else(|_| Err(self.left_out(product)))
    }

    /// Says that a batch left without a question, since no caller waited for it, or came to nothing.
    fn left_out(&self, product: &Product) -> Failure {
        let message = "the look-up of several questions that this one was part of left without it";
        Failure::new(
            FailureKind::Unavailable,
            &self.call.runtime.settings.name,
            message,
        )
        .of(&product.id)
    }

    async fn wait_for_others(&self, batch: &Batch) {
        let latest = self.services.clock.elapsed() + LONGEST;
        let mut seen = 0;
        loop {
            let (count, now) = (batch.len(), self.services.clock.elapsed());
            if count == seen || now >= latest {
                return;
            }
            seen = count;
            tokio::select! {
                () = batch.leave.notified() => return,
                () = self.flight.waiters.became_interactive() => return,
                () = self.services.clock.sleep_until(now + PAUSE) => {}
            }
        }
    }

    /// Asks for all members at once and tells each. Where the vendor refuses the whole, halves are asked, so that what it
    /// does not take spoils no other answer.
    async fn ask_for_all(&self, members: Vec<Member>, offer: &Offer, product: &ProductId) {
        let mut refused = 0;
        let mut parts = vec![members];
        while let Some(mut part) = parts.pop() {
            let Some(first) = part.first() else { continue };
            let executor = self.for_all(&part, first);
            let queries = part.iter().map(|member| member.query.clone()).collect();
            let found = executor.look_up_batch(queries, offer, product).await;
            self.adopt_state(&executor);
            match found {
                Ok(answers) => {
                    for Member { query, result, .. } in part {
                        let own = answers.iter().find(|answer| answer.query == query);
                        let answer = own.cloned().ok_or_else(|| {
                            let message = "the answer to several questions leaves this one out, or cannot be read there";
                            Failure::new(FailureKind::Malformed, &self.call.runtime.settings.name, message)
                                .of(product)
                        });
                        // A receiver that is gone is a task that ended; no caller is left to tell.
                        let _ = result.send(answer);
                    }
                }
                Err(failure)
                    if failure.kind == FailureKind::Refused && part.len() > 1 && refused < MAX_REFUSED =>
                {
                    refused += 1;
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                Err(failure) => {
                    for member in part {
                        let _ = member.result.send(Err(failure.clone()));
                    }
                }
            }
        }
    }

    async fn look_up_batch(
        &self,
        queries: Vec<Query>,
        offer: &Offer,
        product: &ProductId,
    ) -> Result<Vec<Answer>, Failure> {
        let lookup = Lookup {
            files: Arc::clone(&self.call.runtime.reference.load().files),
            options: self.call.runtime.settings.options.clone(),
            ..Lookup::of(queries, product)
        };
        let step = self.call.runtime.provider.start(&lookup);
        let step = step.map_err(|error| self.provider_failure(product, error))?;
        self.run(step, offer, product).await
    }

    /// Makes the executor of a part: the first of its members is charged, and the callers of all are waited for.
    fn for_all(&self, part: &[Member], first: &Member) -> Self {
        let mut spend = first.spend.clone();
        if part.len() > 1 {
            spend.question.push_str(&format!(" and {} more", part.len() - 1));
        }
        let waiters = part.iter().map(|member| Arc::clone(&member.waiters)).collect();
        let flight = FlightContext {
            waiters: Arc::new(AllWaiters(waiters)),
            // What is done for all counts for the caller that opened the batch.
            attempts: Arc::clone(&self.flight.attempts),
        };
        self.part(spend, flight)
    }
}
