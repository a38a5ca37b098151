//! Asks a vendor what a key is entitled to, and tries keys.

use std::sync::Arc;

use super::call::CallExecutor;
use super::keyring::account::AccountState;
use crate::domain::{Capability, Failure, FailureKind, Indicator, IndicatorKind, Query};
use crate::providers::{Lookup, ProviderError};

impl CallExecutor {
    /// Asks the vendor what the key is entitled to, unless that is known.
    ///
    /// # Errors
    /// The failure of this call; what is known already is no failure.
    pub async fn learn_entitlements(&self) -> Result<(), Failure> {
        let mut known = self.call.credential.account.entitlements.lock().await;
        if known.is_known(self.services.clock.now()) {
            return Ok(());
        }
        let asked = self.ask_account().await;
        known.ask_again = AccountState::keep_for(asked.is_ok(), self.services.clock.now());
        asked
    }

    /// Tries the key: by what the vendor says it is entitled to, else by a small question.
    ///
    /// # Errors
    /// The failure, where the vendor could not be asked or refuses the key.
    pub async fn try_key(&self) -> Result<(), Failure> {
        let descriptor = self.call.runtime.provider.descriptor();
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
            wanted: 1,
            files: Arc::clone(&self.call.runtime.reference.load().files),
            options: self.call.runtime.settings.options.clone(),
            ..Lookup::new(query, &product)
        };
        let step = self.call.runtime.provider.start(&lookup);
        let step = step.map_err(|error| self.provider_failure(&product, error))?;
        self.run(step, offer, &product).await.map(|_| ())
    }

    /// Asks the vendor what the key is entitled to, and takes it over.
    ///
    /// # Errors
    /// The failure, where the vendor could not be asked or refuses the key.
    pub async fn ask_account(&self) -> Result<(), Failure> {
        let descriptor = self.call.runtime.provider.descriptor();
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
            .call
            .runtime
            .provider
            .start(&lookup)
            .map_err(|error| self.provider_failure(product, error))?;
        let answers = self.run(step, offer, product).await?;
        // An account without any product is no knowledge: believing it would shut every door.
        let Some(answer) = answers.first().filter(|answer| !answer.records.is_empty()) else {
            return Err(self.provider_failure(
                product,
                ProviderError::Malformed("the account names no product".to_owned()),
            ));
        };
        self.call.credential.account.learn(answer, &self.services.clock);
        Ok(())
    }
}
