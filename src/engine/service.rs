//! Makes the calls that no question asks for: accounts, key tests, and files of public facts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::account::AccountState;
use super::call::{Carrier, Passengers};
use super::ledger::{Priority, Spend};
use super::reference::{self, Reference};
use super::runtime::Runtime;
use super::{Asker, Engine};
use crate::domain::{Capability, Denial, Failure, FailureKind};
use crate::providers::{Call, Replied, Unit};

/// Waits alone, for account calls and key tests.
struct Alone(Duration);

impl Passengers for Alone {
    fn deadline(&self) -> Duration {
        self.0
    }

    fn abandoned(&self) -> bool {
        false
    }

    fn gone(&self) -> bool {
        false
    }

    fn left(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn priority(&self) -> Priority {
        Priority::Interactive
    }

    fn hurried(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Engine {
    /// Tests the server's key of a provider with its cheapest real call: what it is entitled to, else a small question.
    ///
    /// # Errors
    /// The failure, where the key cannot be used.
    pub async fn test_key(
        &self,
        name: &str,
        asker: Asker,
        deadline: Duration,
    ) -> Result<Arc<AccountState>, Failure> {
        let none = |message: String| Failure::new(FailureKind::Denied(Denial::NoKey), name, message);
        let runtimes = self.runtimes.load_full();
        let runtime = runtimes
            .get(name)
            .ok_or_else(|| none(format!("no provider {name} is configured")))?;
        let state = runtime
            .own
            .clone()
            .ok_or_else(|| none(format!("{name} has no key")))?;
        // Somebody who tests a key wants to know whether it works now, whatever was known before.
        state.breaker.reset();
        self.account_carrier(runtime, &state, asker, deadline)
            .try_key()
            .await?;
        Ok(state)
    }

    /// Asks a vendor what the server's key is entitled to, unless that is known.
    ///
    /// # Errors
    /// The failure, where the vendor could not be asked or refuses the key; it is asked again later.
    pub async fn learn_account(&self, name: &str) -> Result<(), Failure> {
        let runtimes = self.runtimes.load_full();
        let own = runtimes
            .get(name)
            .and_then(|runtime| Some((runtime, runtime.own.clone()?)));
        let Some((runtime, state)) = own else {
            return Ok(());
        };
        let asker = Asker::pivotd("account");
        let deadline = self.clock.elapsed() + runtime.settings.timeout;
        self.account_carrier(runtime, &state, asker, deadline)
            .learn_entitlements()
            .await
    }

    /// Tells whether the server's account may have an answer to questions of a capability: `false` where it is known to
    /// include none of the products.
    #[must_use]
    pub fn may_answer(&self, name: &str, capability: Capability) -> bool {
        let runtimes = self.runtimes.load();
        let now = self.clock.now();
        runtimes.get(name).is_some_and(|runtime| {
            let offer = runtime.provider.descriptor().offer(capability);
            let own = runtime.own.as_ref();
            offer.zip(own).is_some_and(|(offer, own)| {
                offer.products.iter().any(|product| own.is_open(&product.id, now))
            })
        })
    }

    /// Tells whether the server's account answers questions of a capability by a product that has no price. Where products
    /// differ in that, the vendor is asked what the account is entitled to, unless that is known.
    pub async fn is_free(&self, name: &str, capability: Capability) -> bool {
        let runtimes = self.runtimes.load_full();
        let Some(runtime) = runtimes.get(name) else {
            return false;
        };
        let Some(offer) = runtime.provider.descriptor().offer(capability) else {
            return false;
        };
        let has_price = |unit: &Unit| matches!(unit, Unit::Money(_));
        if !offer.products.iter().any(|product| has_price(&product.unit)) {
            return true;
        }
        // Who does not know may be asked for a price.
        if self.learn_account(name).await.is_err() {
            return false;
        }
        let Some(own) = runtime.own.as_ref().filter(|own| own.entitled().is_some()) else {
            return false;
        };
        let first = offer.products.iter().find(|product| own.may_use(&product.id));
        first.is_some_and(|product| !has_price(&product.unit))
    }

    fn account_carrier(
        &self,
        runtime: &Arc<Runtime>,
        state: &Arc<AccountState>,
        asker: Asker,
        deadline: Duration,
    ) -> Carrier {
        let spend = Spend {
            client: asker.client.clone(),
            tenant: asker.tenant,
            face: asker.face.to_owned(),
            operation: asker.operation,
            question: Capability::Account.name().to_owned(),
            request_id: asker.request_id,
        };
        self.carrier(
            runtime,
            state,
            None,
            asker.client,
            spend,
            Arc::new(Alone(deadline)),
        )
    }

    /// Fetches the files of public facts whose time has come, of every provider that can be asked.
    pub async fn refresh_reference(&self, data: &Path) {
        for (name, runtime) in self.runtimes().iter() {
            let Some(state) = &runtime.own else { continue };
            let mut fetched = false;
            for file in &runtime.provider.descriptor().files {
                let age = reference::fetched(data, name, file).map(|at| self.clock.now().duration_since(at));
                let most = i64::try_from(file.refresh_s).unwrap_or(i64::MAX);
                if age.is_some_and(|age| age.as_secs() < most) {
                    continue;
                }
                let deadline = self.clock.elapsed() + runtime.settings.timeout;
                let carrier = self.account_carrier(runtime, state, Asker::pivotd("reference"), deadline);
                let kept = match carrier
                    .call(&Call::get(
                        file.origin.clone(),
                        file.name.as_str(),
                        file.path.as_str(),
                    ))
                    .await
                {
                    Replied::Good(reply) => reference::keep(data, name, file, &reply.body),
                    Replied::NotFound(_) => Err("it is not there".to_owned()),
                    Replied::Failed(failure) => Err(failure.message),
                };
                match kept {
                    Ok(()) => fetched = true,
                    Err(reason) => {
                        tracing::warn!(provider = %name, file = %file.name, reason, "no newer file; the one at hand is used");
                    }
                }
            }
            if fetched {
                runtime
                    .reference
                    .store(Arc::new(Reference::load(runtime.provider.as_ref(), data)));
            }
        }
    }
}
