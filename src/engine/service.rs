//! Makes the calls that no question asks for: accounts, key tests, and files of public facts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::call::{CallContext, CallExecutor};
use super::keyring::{Credential, DEFAULT_TENANT};
use super::reference::{self, Reference};
use super::runtime::Runtime;
use super::waiters::{FlightContext, SingleWaiter};
use super::{Engine, Requester};
use crate::domain::{Capability, Denial, Failure, FailureKind};
use crate::providers::{Call, Replied, Unit};

impl Engine {
    /// Tests the key that a tenant has at a provider with its cheapest real call: what it is entitled to, else a small
    /// question.
    ///
    /// # Errors
    /// The failure, where the key cannot be used.
    pub async fn test_key(
        &self,
        name: &str,
        tenant: &str,
        requester: Requester,
        deadline: Duration,
    ) -> Result<Credential, Failure> {
        let none = |message: String| Failure::new(FailureKind::Denied(Denial::NoKey), name, message);
        let runtimes = self.runtimes.load_full();
        let runtime = runtimes
            .get(name)
            .ok_or_else(|| none(format!("no provider {name} is configured")))?;
        let credential = runtime
            .keyring
            .resolve(tenant, None)
            .map_err(|_| none(format!("{name} has no key")))?;
        // A key test says whether the key works now, whatever was known before.
        credential.account.breaker.reset();
        self.account_executor(runtime, credential.clone(), &requester, deadline)
            .try_key()
            .await?;
        Ok(credential)
    }

    /// Asks a vendor what the configured keys of a provider are entitled to, unless that is known.
    ///
    /// # Errors
    /// The first failure, where the vendor could not be asked or refuses a key; it is asked again later.
    pub async fn learn_accounts(&self, name: &str) -> Result<(), Failure> {
        let runtimes = self.runtimes.load_full();
        let Some(runtime) = runtimes.get(name) else {
            return Ok(());
        };
        let mut learnt = Ok(());
        for credential in runtime.keyring.credentials() {
            learnt = learnt.and(self.learn_account(runtime, credential.clone()).await);
        }
        learnt
    }

    async fn learn_account(&self, runtime: &Arc<Runtime>, credential: Credential) -> Result<(), Failure> {
        let requester = Requester::pivotd("account");
        let deadline = self.clock().elapsed() + runtime.settings.timeout;
        self.account_executor(runtime, credential, &requester, deadline)
            .learn_entitlements()
            .await
    }

    /// Tells whether the account of a tenant may have an answer to questions of a capability: `false` where it is known to
    /// include none of the products.
    #[must_use]
    pub fn may_answer(&self, name: &str, capability: Capability, tenant: &str) -> bool {
        let runtimes = self.runtimes.load();
        let now = self.clock().now();
        runtimes.get(name).is_some_and(|runtime| {
            let offer = runtime.provider.descriptor().offer(capability);
            let credential = runtime.keyring.configured_for(tenant);
            offer.zip(credential).is_some_and(|(offer, credential)| {
                let account = &credential.account;
                offer
                    .products
                    .iter()
                    .any(|product| account.is_open(&product.id, now))
            })
        })
    }

    /// Tells whether the account of a tenant answers questions of a capability by a product that has no price. Where products
    /// differ in that, the vendor is asked what the account is entitled to, unless that is known.
    pub async fn is_free(&self, name: &str, capability: Capability, tenant: &str) -> bool {
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
        let Ok(credential) = runtime.keyring.resolve(tenant, None) else {
            return false;
        };
        let account = Arc::clone(&credential.account);
        // An account that is not known may be asked for a price.
        if self.learn_account(runtime, credential).await.is_err() || account.entitled().is_none() {
            return false;
        }
        let first = offer.products.iter().find(|product| account.may_use(&product.id));
        first.is_some_and(|product| !has_price(&product.unit))
    }

    fn account_executor(
        &self,
        runtime: &Arc<Runtime>,
        credential: Credential,
        requester: &Requester,
        deadline: Duration,
    ) -> CallExecutor {
        let call = CallContext {
            runtime: Arc::clone(runtime),
            credential,
            spend: requester.spend(Capability::Account.name().to_owned()),
        };
        self.executor(call, FlightContext::new(Arc::new(SingleWaiter(deadline))))
    }

    /// Fetches the files of public facts whose time has come, of every provider that can be asked.
    pub async fn refresh_reference(&self, data: &Path) {
        for (name, runtime) in self.runtimes().iter() {
            let Ok(credential) = runtime.keyring.resolve(DEFAULT_TENANT, None) else {
                continue;
            };
            let mut fetched = false;
            for file in &runtime.provider.descriptor().files {
                let age =
                    reference::fetched(data, name, file).map(|at| self.clock().now().duration_since(at));
                let max = i64::try_from(file.refresh_s).unwrap_or(i64::MAX);
                if age.is_some_and(|age| age.as_secs() < max) {
                    continue;
                }
                let deadline = self.clock().elapsed() + runtime.settings.timeout;
                let requester = Requester::pivotd("reference");
                let executor = self.account_executor(runtime, credential.clone(), &requester, deadline);
                let kept = match executor
                    .make(&Call::get(
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
