//! Holds keys, and tells them apart without showing them: by keyed hashes.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

use crate::config::settings::{Credential as KeyPart, ProviderSettings};
use crate::hex::hex;

/// Holds a key by the names of its fields.
pub type Key = BTreeMap<String, SecretString>;

/// The digits of a key's fingerprint.
const FINGERPRINT_DIGITS: usize = 12;
/// The digits that name the account of a user's own key.
const ACCOUNT_DIGITS: usize = 24;

/// Makes keyed hashes of keys, with the secret of the data directory.
#[derive(Debug)]
pub(crate) struct KeyHasher(SecretBox<[u8; 32]>);

impl KeyHasher {
    /// Takes the secret of the data directory.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(*secret)))
    }

    fn hash(&self, key: &Key) -> [u8; 32] {
        // HMAC takes keys of any length, so this cannot fail; an all-zero hash would only forget state.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) else {
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

    fn digits(&self, key: &Key, count: usize) -> String {
        hex(&self.hash(key)).chars().take(count).collect()
    }

    /// Returns a short keyed hash by which an administrator tells two keys apart.
    pub(super) fn fingerprint(&self, key: &Key) -> String {
        self.digits(key, FINGERPRINT_DIGITS)
    }

    /// Returns the keyed hash that names the account of a user's own key.
    pub(super) fn account_of(&self, key: &Key) -> String {
        self.digits(key, ACCOUNT_DIGITS)
    }

    /// Marks a key with how and where it is used: a change of any of them is a reason to try it again.
    pub(super) fn mark(&self, key: &Key, settings: &ProviderSettings) -> [u8; 32] {
        let mut key = key.clone();
        for (name, value) in settings.options.iter().chain(&settings.base_urls) {
            key.insert(format!("={name}"), SecretString::from(value.as_str()));
        }
        self.hash(&key)
    }
}

/// Makes a key of the parts that are configured.
pub(super) fn configured(parts: &BTreeMap<String, KeyPart>) -> Key {
    let parts = parts.iter();
    parts
        .map(|(name, part)| (name.clone(), part.value.clone()))
        .collect()
}

/// Returns the parts of a key that are not secret, joined: they name its account, so that another account has rows of its
/// own.
pub(super) fn account_name<'a>(key: &Key, plain_fields: impl Iterator<Item = &'a str>) -> String {
    let name: Vec<&str> = plain_fields
        .filter_map(|field| key.get(field))
        .map(ExposeSecret::expose_secret)
        .collect();
    if name.is_empty() {
        "server".to_owned()
    } else {
        name.join("/").replace('|', "_")
    }
}
