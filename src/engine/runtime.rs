//! Holds a configured provider at work: settings, transport, the server's own account.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::sync::Semaphore;

use super::Engine;
use super::account::AccountState;
use super::ledger::Account;
use super::reference::Reference;
use super::store::Store;
use super::transport::{Authorities, Transport, TransportError};
use super::user_keys::UserKeys;
use crate::clock::SharedClock;
use crate::config::Loaded;
use crate::config::settings::ProviderSettings;
use crate::domain::Denial;
use crate::hex::hex;
use crate::providers::Provider;

/// Holds a key by the names of its fields.
pub type Key = BTreeMap<String, SecretString>;

/// The digits of a key's fingerprint.
const FINGERPRINT: usize = 12;

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
    /// The server's own key's state; `None` where no key is configured.
    pub own: Option<Arc<AccountState>>,
    /// Users' keys.
    pub users: Arc<UserKeys>,
    /// Calls at once.
    pub permits: Arc<Semaphore>,
    key_mark: [u8; 32],
    fingerprint: String,
}

impl std::fmt::Debug for dyn Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.descriptor().name)
    }
}

impl Runtime {
    /// Starts a provider. What the `previous` one learnt stays where the settings it depends on are the same.
    ///
    /// # Errors
    /// [`TransportError`] where the provider cannot be reached as configured.
    pub fn start(
        provider: Arc<dyn Provider>,
        settings: ProviderSettings,
        previous: Option<&Self>,
        authorities: &Arc<Authorities>,
        data: &Path,
        secret: &[u8; 32],
        clock: &SharedClock,
    ) -> Result<Self, TransportError> {
        let transport = Transport::new(&settings, Arc::clone(authorities))?;
        let key_mark = mark(secret, &settings, &transport);
        let fingerprint = hex(&keyed_hash(secret, transport.credentials()))
            .chars()
            .take(FINGERPRINT)
            .collect();
        let own = settings.has_key(provider.descriptor()).then(|| {
            let kept = previous.filter(|old| old.key_mark == key_mark && old.settings.rate == settings.rate);
            kept.and_then(|old| old.own.clone()).unwrap_or_else(|| {
                let account = Account {
                    tenant: "default".to_owned(),
                    provider: settings.name.clone(),
                    account: own_name(provider.as_ref(), &settings),
                };
                Arc::new(AccountState::new(
                    account,
                    Denial::ServerKey,
                    &settings.rate,
                    Arc::clone(clock),
                ))
            })
        });
        let permits = previous
            .filter(|old| old.settings.concurrency == settings.concurrency)
            .map_or_else(
                || Arc::new(Semaphore::new(settings.concurrency)),
                |old| Arc::clone(&old.permits),
            );
        let users = previous.map(|old| Arc::clone(&old.users)).unwrap_or_default();
        Ok(Self {
            reference: ArcSwap::from_pointee(Reference::load(provider.as_ref(), data)),
            provider,
            settings,
            transport,
            own,
            users,
            permits,
            key_mark,
            fingerprint,
        })
    }

    /// Returns the fingerprint of the server's own key: a short keyed hash, by which two keys can be told apart.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the name of an account for a user's own key: a keyed hash, never the key.
    #[must_use]
    pub fn user_account(&self, secret: &[u8; 32], tenant: &str, key: &Key) -> Account {
        let hash = keyed_hash(secret, key);
        let short: String = hex(&hash).chars().take(24).collect();
        Account {
            tenant: tenant.to_owned(),
            provider: self.settings.name.clone(),
            account: format!("user:{short}"),
        }
    }
}

/// Names the server's account by its parts that are not secret, so that another account has rows of its own.
fn own_name(provider: &dyn Provider, settings: &ProviderSettings) -> String {
    let name: Vec<&str> = provider
        .descriptor()
        .credentials
        .iter()
        .filter(|field| !field.secret)
        .filter_map(|field| settings.credentials.get(field.name.as_str()))
        .map(|credential| credential.value.expose_secret())
        .collect();
    if name.is_empty() {
        "server".to_owned()
    } else {
        name.join("/").replace('|', "_")
    }
}

/// Marks the key with how and where it is used: a change of any of them is a reason to try again.
fn mark(secret: &[u8; 32], settings: &ProviderSettings, transport: &Transport) -> [u8; 32] {
    let mut key = transport.credentials().clone();
    for (name, value) in settings.options.iter().chain(&settings.base_urls) {
        key.insert(format!("={name}"), SecretString::from(value.as_str()));
    }
    keyed_hash(secret, &key)
}

fn keyed_hash(secret: &[u8; 32], key: &Key) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an all-zero mark would only forget state.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return [0; 32];
    };
    for (name, value) in key {
        for part in [name.as_str(), value.expose_secret()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
    }
    mac.finalize().into_bytes().into()
}

impl Engine {
    /// Says which providers cannot be reached as configured, all of them; [`Engine::start`] stops at the first.
    #[must_use]
    pub fn faults(loaded: &Loaded) -> Vec<TransportError> {
        let authorities = Arc::default();
        let known = loaded.settings.providers.values();
        known
            .filter(|provider| provider.enabled && loaded.providers.find(&provider.name).is_some())
            .filter_map(|provider| Transport::new(provider, Arc::clone(&authorities)).err())
            .collect()
    }
}

/// Starts the runtimes of all providers that are enabled, with what those that were there before know.
pub(super) fn start_all(
    loaded: &Loaded,
    old: Option<&BTreeMap<String, Arc<Runtime>>>,
    store: &Store,
    clock: &SharedClock,
) -> Result<BTreeMap<String, Arc<Runtime>>, TransportError> {
    // Read anew with the settings, so that a reload takes in what was added to the system's.
    let authorities = Arc::default();
    let (settings, providers) = (&loaded.settings, &loaded.providers);
    let mut runtimes = BTreeMap::new();
    for (name, provider_settings) in settings.providers.iter().filter(|(_, provider)| provider.enabled) {
        let Some(provider) = providers.find(name) else {
            continue;
        };
        let previous = old.and_then(|old| old.get(name)).map(Arc::as_ref);
        let runtime = Runtime::start(
            Arc::clone(provider),
            provider_settings.clone(),
            previous,
            &authorities,
            &settings.server.data,
            store.secret(),
            clock,
        )?;
        runtimes.insert(name.clone(), Arc::new(runtime));
    }
    Ok(runtimes)
}
