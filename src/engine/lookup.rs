//! Looks a question up at a provider: chooses the product, and keeps what came.

use std::sync::Arc;
use std::time::Duration;

use super::cache::{AnswerKey, Cache, Entry, Retention};
use super::call::CallExecutor;
use crate::domain::{Answer, Denial, Failure, FailureKind, Query};
use crate::providers::{Lookup, ProductId};

/// Describes what a look-up is to bring.
#[derive(Debug, Clone)]
pub struct LookupPlan {
    /// The question.
    pub query: Query,
    /// How many records are wanted.
    pub wanted: usize,
    /// The most that may be paid, in hundredths.
    pub buy: Option<i64>,
    /// What is held already.
    pub earlier: Option<Arc<Entry>>,
    /// The version of what the caller saw in the cache: anything else there came since.
    pub seen_version: Option<u64>,
    /// Where the answer is kept.
    pub key: AnswerKey,
    /// The provider's origin, for the keys of sibling answers.
    pub origin: String,
    /// How long the answer is kept, where the transform says.
    pub ttl: Option<Duration>,
}

impl CallExecutor {
    /// Looks a question up and keeps all answers that came.
    ///
    /// # Errors
    /// The failure that the callers are told.
    pub async fn look_up(&self, plan: &LookupPlan, cache: &Cache) -> Result<Arc<Entry>, Failure> {
        let found = self.ask_products(plan, cache).await;
        found.map_err(|failure| Failure {
            charged: self.charged_text(),
            ..failure
        })
    }

    async fn ask_products(&self, plan: &LookupPlan, cache: &Cache) -> Result<Arc<Entry>, Failure> {
        let descriptor = self.call.runtime.provider.descriptor();
        let capability = plan.query.capability;
        let fail = |kind, message: String| Failure::new(kind, &self.call.runtime.settings.name, message);
        let offer = descriptor.offer(capability).ok_or_else(|| {
            fail(
                FailureKind::Refused,
                format!("{} does not offer {capability}", descriptor.title),
            )
        })?;
        // A choice of products needs to know them; what was learnt once is kept up to date, since it bounds spending.
        if descriptor.account.is_some()
            && (offer.products.len() > 1 || self.call.credential.account.entitled().is_some())
            && let Err(failure) = self.learn_entitlements().await
        {
            tracing::warn!(
                provider = %self.call.runtime.settings.name,
                reason = %failure.message,
                "the account could not be asked what it is entitled to; every product is tried"
            );
        }
        let now = self.services.clock.now();
        let mut first: Option<Failure> = None;
        let mut inapplicable: Option<Failure> = None;
        for product in &offer.products {
            if !self.call.credential.account.is_open(&product.id, now) {
                continue;
            }
            let lookup = self.lookup(plan, &product.id);
            let step = match self.call.runtime.provider.start(&lookup) {
                Ok(step) => step,
                // A product that cannot be asked this says nothing of the others, and is none to name.
                Err(error) => {
                    inapplicable.get_or_insert_with(|| Failure {
                        product: None,
                        ..self.provider_failure(&product.id, error)
                    });
                    continue;
                }
            };
            let is_batched = plan.buy.is_none() && self.may_batch(offer, product);
            let found = if is_batched {
                let answer = self.ask_together(&plan.query, offer, product).await;
                answer.map(|answer| vec![answer])
            } else {
                self.run(step, offer, &product.id).await
            };
            match found {
                Ok(answers) => {
                    // A question that went along made no attempt of its own.
                    let vendor_asked = is_batched || self.flight.attempts.count() > 0;
                    return self.keep(plan, answers, vendor_asked, cache).await;
                }
                Err(failure) => {
                    let another = matches!(
                        failure.kind,
                        FailureKind::Denied(Denial::NotEntitled)
                            | FailureKind::Limited
                            | FailureKind::Refused
                    );
                    // What is known of the better product tells more than that a lesser one is not bought.
                    if first
                        .as_ref()
                        .is_none_or(|kept| kept.kind == FailureKind::Denied(Denial::NotEntitled))
                    {
                        first = Some(failure);
                    }
                    if !another || self.is_unrepeatable() {
                        break;
                    }
                }
            }
        }
        Err(first.or(inapplicable).unwrap_or_else(|| {
            let names: Vec<&str> = offer.products.iter().map(|product| product.id.as_str()).collect();
            let message = format!(
                "{} is not in your {} subscription (it needs {})",
                capability,
                descriptor.title,
                names.join(" or ")
            );
            fail(FailureKind::Denied(Denial::NotEntitled), message)
        }))
    }

    fn lookup(&self, plan: &LookupPlan, product: &ProductId) -> Lookup {
        // Only the same product can go on from what it gave.
        let held = plan
            .earlier
            .as_ref()
            .filter(|entry| entry.answer.source.product == product.as_str());
        Lookup {
            wanted: plan.wanted,
            earlier: held.map(|entry| entry.answer.as_ref().clone()),
            buy: plan.buy,
            files: Arc::clone(&self.call.runtime.reference.load().files),
            options: self.call.runtime.settings.options.clone(),
            ..Lookup::new(plan.query.clone(), product)
        }
    }

    /// Keeps every answer under its own question; returns the one asked for. What is held may have come back unless the
    /// vendor was asked.
    async fn keep(
        &self,
        plan: &LookupPlan,
        answers: Vec<Answer>,
        vendor_asked: bool,
        cache: &Cache,
    ) -> Result<Arc<Entry>, Failure> {
        let now = self.services.clock.now();
        let settings = &self.call.runtime.settings;
        let mut asked = None;
        for answer in answers {
            if asked.is_none() {
                // A held answer that came back without a call is as old as it was.
                if let Some(held) = plan
                    .earlier
                    .as_ref()
                    .filter(|held| !vendor_asked && *held.answer == answer)
                {
                    asked = Some(Arc::clone(held));
                    continue;
                }
                let retention = Retention {
                    wanted: plan.wanted,
                    ttl: &settings.ttl,
                    own: plan.ttl,
                };
                let put = cache.put(&plan.key, answer, retention, now).await;
                asked = Some(put);
                continue;
            }
            let key = AnswerKey::new(
                &settings.name,
                &plan.origin,
                &answer.query,
                &self.call.credential.scope,
            );
            // What is known of a sibling question was paid for by itself, and may hold more.
            if cache.get(&key).await.is_none_or(|known| !known.is_fresh(now)) {
                let retention = Retention {
                    wanted: 0,
                    ttl: &settings.ttl,
                    own: None,
                };
                cache.put(&key, answer, retention, now).await;
            }
        }
        asked.ok_or_else(|| {
            Failure::new(
                FailureKind::Malformed,
                &settings.name,
                "the look-up ended without an answer",
            )
        })
    }
}
