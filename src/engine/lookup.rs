//! Flies a question: chooses the product, runs the provider's step machine, keeps what came.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;

use super::account::AccountState;
use super::cache::{AnswerKey, Cache, Entry};
use super::call::Carrier;
use crate::domain::{Answer, Capability, Denial, Failure, FailureKind, Indicator, IndicatorKind, Query};
use crate::providers::{Lookup, Offer, ProductId, ProviderError, Step};

/// Describes what a flight is to bring.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The question.
    pub query: Query,
    /// How many records are wanted.
    pub want: usize,
    /// The most that may be paid, in hundredths.
    pub buy: Option<i64>,
    /// What is held already.
    pub held: Option<Arc<Entry>>,
    /// The version of what the asker saw in the cache: anything else there landed since.
    pub seen: Option<u64>,
    /// Where the answer is kept.
    pub key: AnswerKey,
    /// Provider origin and scope, for the keys of sibling answers.
    pub origin: String,
    /// See `origin`.
    pub scope: String,
    /// How long the answer is kept, where the transform says.
    pub ttl: Option<Duration>,
}

impl Carrier {
    /// Flies an errand and keeps all answers that came.
    ///
    /// # Errors
    /// The failure that the callers are told.
    pub async fn fly(&self, errand: &Errand, cache: &Cache) -> Result<Arc<Entry>, Failure> {
        let flown = self.ask_products(errand, cache).await;
        flown.map_err(|failure| Failure {
            charged: self.charged_text(),
            ..failure
        })
    }

    async fn ask_products(&self, errand: &Errand, cache: &Cache) -> Result<Arc<Entry>, Failure> {
        let descriptor = self.runtime.provider.descriptor();
        let capability = errand.query.capability;
        let fail = |kind, message: String| Failure::new(kind, &self.runtime.settings.name, message);
        let offer = descriptor.offer(capability).ok_or_else(|| {
            fail(
                FailureKind::Refused,
                format!("{} does not offer {capability}", descriptor.title),
            )
        })?;
        // A choice of products needs to know them; what was learnt once is kept up to date, since it bounds spending.
        if descriptor.account.is_some()
            && (offer.products.len() > 1 || self.state.entitled().is_some())
            && let Err(failure) = self.learn_entitlements().await
        {
            tracing::warn!(
                provider = %self.runtime.settings.name,
                reason = %failure.message,
                "the account could not be asked what it is entitled to; every product is tried"
            );
        }
        let now = self.clock.now();
        let mut first: Option<Failure> = None;
        let mut inapplicable: Option<Failure> = None;
        for product in &offer.products {
            if !self.state.is_open(&product.id, now) {
                continue;
            }
            let lookup = self.lookup(errand, &product.id);
            let step = match self.runtime.provider.start(&lookup) {
                Ok(step) => step,
                // A product that cannot be asked this says nothing of the others, and is none to name.
                Err(error) => {
                    inapplicable.get_or_insert_with(|| Failure {
                        product: None,
                        ..self.told(&product.id, error)
                    });
                    continue;
                }
            };
            let gathers = self.may_gather(errand, offer, product);
            let flown = if gathers {
                let answer = self.ask_together(errand, offer, product).await;
                answer.map(|answer| vec![answer])
            } else {
                self.run(step, offer, &product.id).await
            };
            match flown {
                Ok(answers) => {
                    // Whoever went along made no attempt of its own.
                    let vendor_asked = gathers || self.wire.attempts() > 0;
                    return self.keep(errand, answers, vendor_asked, cache).await;
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
                    if !another || self.unrepeatable.load(Ordering::Relaxed) {
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

    fn lookup(&self, errand: &Errand, product: &ProductId) -> Lookup {
        // Only the same product can go on from what it gave.
        let held = errand
            .held
            .as_ref()
            .filter(|entry| entry.answer.source.product == product.as_str());
        Lookup {
            want: errand.want,
            held: held.map(|entry| entry.answer.as_ref().clone()),
            buy: errand.buy,
            files: Arc::clone(&self.runtime.reference.load().files),
            options: self.runtime.settings.options.clone(),
            ..Lookup::new(errand.query.clone(), product)
        }
    }

    /// Turns a machine's error into what the callers are told.
    pub(super) fn told(&self, product: &str, error: ProviderError) -> Failure {
        let name = &self.runtime.settings.name;
        match error {
            ProviderError::Failed(failure) => failure,
            ProviderError::Unsupported(message) => {
                Failure::new(FailureKind::Refused, name, message).of(product)
            }
            ProviderError::Malformed(message) => {
                Failure::new(FailureKind::Malformed, name, message).of(product)
            }
            ProviderError::TooExpensive { message } => {
                Failure::new(FailureKind::Denied(Denial::Price), name, message).of(product)
            }
        }
    }

    /// Runs the provider's step machine to its end.
    pub(super) async fn run(
        &self,
        start: Step,
        offer: &Offer,
        product: &ProductId,
    ) -> Result<Vec<Answer>, Failure> {
        let malformed = |message: String| self.told(product, ProviderError::Malformed(message));
        let mut made = 0;
        let mut step = start;
        loop {
            match step {
                Step::Done(answers) if answers.is_empty() => {
                    return Err(malformed("the look-up ended without an answer".to_owned()));
                }
                Step::Done(answers) => return Ok(answers),
                Step::Calls { calls, then } => {
                    made += calls.len();
                    if made > offer.max_calls || calls.is_empty() {
                        return Err(malformed(format!(
                            "the look-up needs more than {} calls",
                            offer.max_calls
                        )));
                    }
                    let replies = join_all(calls.iter().map(|call| self.call(call))).await;
                    step = then(replies).map_err(|error| self.told(product, error))?;
                }
            }
        }
    }

    /// Keeps every answer under its own question; returns the one asked for. What is held may have come back unless the
    /// vendor was asked.
    async fn keep(
        &self,
        errand: &Errand,
        answers: Vec<Answer>,
        vendor_asked: bool,
        cache: &Cache,
    ) -> Result<Arc<Entry>, Failure> {
        let now = self.clock.now();
        let settings = &self.runtime.settings;
        let mut asked = None;
        for answer in answers {
            if asked.is_none() {
                // A held answer that came back without a call is as old as it was.
                if let Some(held) = errand
                    .held
                    .as_ref()
                    .filter(|held| !vendor_asked && *held.answer == answer)
                {
                    asked = Some(Arc::clone(held));
                    continue;
                }
                let put = cache
                    .put(&errand.key, answer, errand.want, &settings.ttl, errand.ttl, now)
                    .await;
                asked = Some(put);
                continue;
            }
            let key = AnswerKey::new(&settings.name, &errand.origin, &answer.query, &errand.scope);
            // What is known of a sibling question was paid for by itself, and may hold more.
            if cache.get(&key).await.is_none_or(|known| !known.is_fresh(now)) {
                cache.put(&key, answer, 0, &settings.ttl, None, now).await;
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

    /// Asks the vendor what the key is entitled to, unless that is known.
    ///
    /// # Errors
    /// The failure of this call; what is known already is no failure.
    pub async fn learn_entitlements(&self) -> Result<(), Failure> {
        let mut known = self.state.entitlements.lock().await;
        if known.is_known(self.clock.now()) {
            return Ok(());
        }
        let asked = self.ask_account().await;
        known.ask_again = AccountState::keep_for(asked.is_ok(), self.clock.now());
        asked
    }

    /// Tries the key: by what the vendor says it is entitled to, else by a small question.
    ///
    /// # Errors
    /// The failure, where the vendor could not be asked or refuses the key.
    pub async fn try_key(&self) -> Result<(), Failure> {
        let descriptor = self.runtime.provider.descriptor();
        let Some(probe) = descriptor.probe.as_ref().filter(|_| descriptor.account.is_none()) else {
            return self.ask_account().await;
        };
        let capability = probe.capability;
        let fail = |message: String| Failure::new(FailureKind::Refused, &descriptor.name, message);
        let offer = descriptor
            .offer(capability)
            .ok_or_else(|| fail(format!("{} does not offer {capability}", descriptor.title)))?;
        let product = offer
            .products
            .first()
            .map(|product| product.id.clone())
            .unwrap_or_default();
        let indicator =
            Indicator::parse(probe.kind, &probe.value).map_err(|error| fail(error.to_string()))?;
        let mut query = Query::new(capability, indicator);
        for param in &offer.params {
            query = query.with(&param.name, &param.values.default());
        }
        let lookup = Lookup {
            want: 1,
            files: Arc::clone(&self.runtime.reference.load().files),
            options: self.runtime.settings.options.clone(),
            ..Lookup::new(query, &product)
        };
        let step = self.runtime.provider.start(&lookup);
        let step = step.map_err(|error| self.told(&product, error))?;
        self.run(step, offer, &product).await.map(|_| ())
    }

    /// Asks the vendor what the key is entitled to, and takes it over.
    ///
    /// # Errors
    /// The failure, where the vendor could not be asked or refuses the key.
    pub async fn ask_account(&self) -> Result<(), Failure> {
        let descriptor = self.runtime.provider.descriptor();
        let none = || {
            Failure::new(
                FailureKind::Refused,
                &descriptor.name,
                "this provider has no account call",
            )
        };
        let product = descriptor.account.as_ref().ok_or_else(none)?;
        let offer = descriptor.offer(Capability::Account).ok_or_else(none)?;
        let indicator = Indicator::parse(IndicatorKind::Phrase, "account").map_err(|_| none())?;
        let query = Query::new(Capability::Account, indicator);
        let lookup = Lookup::new(query, product);
        let step = self
            .runtime
            .provider
            .start(&lookup)
            .map_err(|error| self.told(product, error))?;
        let answers = self.run(step, offer, product).await?;
        // An account without any product is no knowledge: believing it would shut every door.
        let Some(answer) = answers.first().filter(|answer| !answer.records.is_empty()) else {
            return Err(self.told(
                product,
                ProviderError::Malformed("the account names no product".to_owned()),
            ));
        };
        self.state.learn(answer, &self.clock);
        Ok(())
    }
}
