//! The keys of an issuer: fetched from the URL that the configuration names, and kept.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;

use super::IssuerError;
use crate::clock::{SharedClock, timeout_at};
use crate::config::settings::IssuerSettings;
use crate::engine::transport::PlainClient;

/// How long keys are used before they are fetched again.
const FRESH: Duration = Duration::from_secs(300);
/// How long they are used while they cannot be fetched.
const STALE: Duration = Duration::from_secs(3600);
/// No more often than this they are fetched, whatever tokens name.
const APART: Duration = Duration::from_secs(10);
/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of a set of keys.
const MOST_BYTES: usize = 256 << 10;
/// The most keys of a set.
const MOST_KEYS: usize = 64;

/// Holds the keys of an issuer.
#[derive(Debug)]
pub(super) struct Keys {
    name: String,
    source: PlainClient,
    clock: SharedClock,
    held: ArcSwapOption<Held>,
    /// When they were last fetched, whether that succeeded or not; held while they are fetched.
    tried: Mutex<Option<Duration>>,
}

#[derive(Debug)]
struct Held {
    keys: Vec<Jwk>,
    fetched: Duration,
}

impl Keys {
    pub(super) fn new(settings: &IssuerSettings, clock: SharedClock) -> Result<Self, String> {
        let source = PlainClient::new(
            &settings.jwks_url,
            settings.allow_private,
            settings.ca_file.as_deref(),
        );
        Ok(Self {
            name: settings.name.clone(),
            source: source.map_err(|reason| format!("issuers.{}.jwks_url: {reason}", settings.name))?,
            clock,
            held: ArcSwapOption::empty(),
            tried: Mutex::default(),
        })
    }

    /// Finds the key of a token. Keys that are held serve while they are fetched again.
    pub(super) async fn find(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<DecodingKey, IssuerError> {
        let held = self.held.load_full();
        let now = self.clock.elapsed();
        let usable = held.as_ref().filter(|held| now < held.fetched + STALE);
        if let Some(held) = usable
            && let Some(key) = matching(&held.keys, kid, algorithm)
        {
            if now >= held.fetched + FRESH {
                let (keys, seen) = (Arc::clone(self), held.fetched);
                tokio::spawn(async move { keys.refresh(Some(seen)).await });
            }
            return Ok(key);
        }
        self.refresh(held.as_deref().map(|held| held.fetched)).await;
        let held = self.held.load_full().ok_or(IssuerError::Unavailable)?;
        if self.clock.elapsed() >= held.fetched + STALE {
            return Err(IssuerError::Unavailable);
        }
        matching(&held.keys, kid, algorithm).ok_or(IssuerError::Invalid)
    }

    /// Fetches the keys, unless another token did so meanwhile, or a moment ago.
    async fn refresh(&self, seen: Option<Duration>) {
        let mut tried = self.tried.lock().await;
        let is_newer = self.held.load().as_ref().map(|held| held.fetched) != seen;
        let now = self.clock.elapsed();
        if is_newer || tried.is_some_and(|tried| now < tried + APART) {
            return;
        }
        let fetched = timeout_at(self.clock.as_ref(), now + PATIENCE, self.source.get(MOST_BYTES)).await;
        // From the end on: tokens that waited for this fetch begin no other.
        *tried = Some(self.clock.elapsed());
        let read = fetched
            .unwrap_or_else(|| Err("no answer came in time".to_owned()))
            .and_then(|bytes| read(&bytes));
        match read {
            Ok(keys) => self.held.store(Some(Arc::new(Held {
                keys,
                fetched: self.clock.elapsed(),
            }))),
            Err(reason) => {
                tracing::warn!(
                    issuer = self.name,
                    reason,
                    "the keys of an issuer cannot be fetched"
                );
            }
        }
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Jwk>, String> {
    let set: JwkSet = serde_json::from_slice(bytes).map_err(|error| format!("no set of keys: {error}"))?;
    if set.keys.len() > MOST_KEYS {
        return Err(format!("more than {MOST_KEYS} keys"));
    }
    Ok(set.keys)
}

/// Finds the key that a token names, or the only one that can have signed it where it names none.
pub(super) fn matching(keys: &[Jwk], kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let signs = |key: &&Jwk| {
        let is_for_signing = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
        let named = key.common.key_algorithm;
        is_for_signing && named.is_none_or(|named| Some(named) == of(algorithm))
    };
    let mut usable = keys.iter().filter(signs).filter(|key| match kid {
        Some(kid) => key.common.key_id.as_deref() == Some(kid),
        None => true,
    });
    let mut decoding = usable.by_ref().filter_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        (key.family() == algorithm.family()).then_some(key)
    });
    let first = decoding.next()?;
    // Without a name, one of several would be a guess.
    (kid.is_some() || decoding.next().is_none()).then_some(first)
}

/// Names an algorithm as keys do; `None` for one whose key is a secret.
fn of(algorithm: Algorithm) -> Option<KeyAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => KeyAlgorithm::ES256,
        Algorithm::ES384 => KeyAlgorithm::ES384,
        Algorithm::RS256 => KeyAlgorithm::RS256,
        Algorithm::RS384 => KeyAlgorithm::RS384,
        Algorithm::RS512 => KeyAlgorithm::RS512,
        Algorithm::PS256 => KeyAlgorithm::PS256,
        Algorithm::PS384 => KeyAlgorithm::PS384,
        Algorithm::PS512 => KeyAlgorithm::PS512,
        Algorithm::EdDSA => KeyAlgorithm::EdDSA,
        _ => return None,
    })
}
