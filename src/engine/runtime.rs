//! Holds a configured provider at work: settings, transport, keyring.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::keyring::{KeyHasher, Keyring};
use super::reference::Reference;
use super::transport::{RootCertificates, Transport, TransportError};
use crate::clock::SharedClock;
use crate::config::Loaded;
use crate::config::settings::ProviderSettings;
use crate::providers::{Provider, Unit};

/// Holds one provider at work.
#[derive(Debug)]
pub struct Runtime {
    /// The provider's code.
    pub provider: Arc<dyn Provider>,
    /// Its settings.
    pub settings: ProviderSettings,
    /// Its connections.
    pub transport: Transport,
    /// Its files of public facts.
    pub reference: ArcSwap<Reference>,
    /// Its keys, with the accounts that pay.
    pub keyring: Keyring,
    /// Calls at once.
    pub permits: Arc<Semaphore>,
}

/// Holds what the runtimes of all providers are started with.
struct Start<'a> {
    root_certificates: Arc<RootCertificates>,
    data: &'a Path,
    hasher: &'a Arc<KeyHasher>,
    clock: &'a SharedClock,
}

impl Runtime {
    /// Starts a provider. What the `previous` one learnt stays where the settings it depends on are the same.
    ///
    /// # Errors
    /// [`TransportError`] where the provider cannot be reached as configured.
    fn start(
        provider: Arc<dyn Provider>,
        settings: ProviderSettings,
        previous: Option<&Self>,
        with: &Start<'_>,
    ) -> Result<Self, TransportError> {
        let keyring = previous.map(|old| &old.keyring);
        let permits = previous
            .filter(|old| old.settings.concurrency == settings.concurrency)
            .map_or_else(
                || Arc::new(Semaphore::new(settings.concurrency)),
                |old| Arc::clone(&old.permits),
            );
        Ok(Self {
            transport: Transport::new(&settings, Arc::clone(&with.root_certificates))?,
            keyring: Keyring::new(provider.descriptor(), &settings, keyring, with.hasher, with.clock),
            reference: ArcSwap::from_pointee(Reference::load(provider.as_ref(), with.data)),
            provider,
            settings,
            permits,
        })
    }

    /// Says how a product is billed; `None` for one that is not known.
    #[must_use]
    pub fn unit(&self, product: &str) -> Option<&Unit> {
        let offers = &self.provider.descriptor().offers;
        let mut products = offers.iter().flat_map(|offer| &offer.products);
        products
            .find(|known| known.id == *product)
            .map(|known| &known.unit)
    }

    /// Returns the base URL of the provider's first origin, for cache keys.
    #[must_use]
    pub fn origin(&self) -> &str {
        let first = self.provider.descriptor().origins.first();
        self.transport.origin(first.map_or("", |origin| &origin.name))
    }
}

/// Says which providers cannot be reached as configured, all of them; [`start_all`] stops at the first.
pub(super) fn faults(loaded: &Loaded) -> Vec<TransportError> {
    let root_certificates = Arc::default();
    let known = loaded.settings.providers.values();
    known
        .filter(|provider| provider.enabled && loaded.providers.find(&provider.name).is_some())
        .filter_map(|provider| Transport::new(provider, Arc::clone(&root_certificates)).err())
        .collect()
}

/// Starts the runtimes of all providers that are enabled, with what those that were there before know.
pub(super) fn start_all(
    loaded: &Loaded,
    old: Option<&BTreeMap<String, Arc<Runtime>>>,
    hasher: &Arc<KeyHasher>,
    clock: &SharedClock,
) -> Result<BTreeMap<String, Arc<Runtime>>, TransportError> {
    let (settings, providers) = (&loaded.settings, &loaded.providers);
    let with = Start {
        // Read anew with the settings, so that a reload takes in what was added to the system's.
        root_certificates: Arc::default(),
        data: &settings.server.data,
        hasher,
        clock,
    };
    let mut runtimes = BTreeMap::new();
    for (name, provider_settings) in settings.providers.iter().filter(|(_, provider)| provider.enabled) {
        let Some(provider) = providers.find(name) else {
            continue;
        };
        let previous = old.and_then(|old| old.get(name)).map(Arc::as_ref);
        let runtime = Runtime::start(Arc::clone(provider), provider_settings.clone(), previous, &with)?;
        runtimes.insert(name.clone(), Arc::new(runtime));
    }
    Ok(runtimes)
}
