//! Keeps client tokens: 256 random bits with prefix and checksum, stored only as SHA-256.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use self::allowance::Allowance;
use crate::clock::SharedClock;
use crate::engine::known_time::KnownTime;
use crate::hex::hex;
use crate::storage::{RecordStore, StoreError, WriteBatch};

mod allowance;

const PREFIX: &str = "pvtd_";
const SECRET_DIGITS: usize = 64;
const CHECK_DIGITS: usize = 8;
/// So many revoked tokens are still told apart in the log.
const MOST_GONE: usize = 10_000;

/// Names what a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Run transforms.
    Transforms,
    /// Ask for scores.
    Enrich,
    /// Buy what is sold by the piece.
    Buy,
    /// Ask again before an answer's time.
    Refresh,
    /// Say that a decision was right or wrong, which changes later ones.
    Feedback,
    /// Rehearse the branches of a playbook.
    Rehearse,
    /// Say for whom and for which case it asks.
    Delegate,
    /// Read metrics and administer.
    Admin,
}

impl Scope {
    /// Lists every scope.
    pub const ALL: [Self; 8] = [
        Self::Transforms,
        Self::Enrich,
        Self::Buy,
        Self::Refresh,
        Self::Feedback,
        Self::Rehearse,
        Self::Delegate,
        Self::Admin,
    ];

    /// Returns the name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transforms => "transforms",
            Self::Enrich => "enrich",
            Self::Buy => "buy",
            Self::Refresh => "refresh",
            Self::Feedback => "feedback",
            Self::Rehearse => "rehearse",
            Self::Delegate => "delegate",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == name)
            .ok_or_else(|| format!("unknown scope; there are {}", known()))
    }
}

/// Tells whether a text looks like a token of this server.
#[must_use]
pub fn has_form(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Describes a token. The token itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The first digits of its hash: names it on the command line.
    pub id: String,
    /// Who it is for; named by ledger, audit and log.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Indicators a minute, one for a request without any; `None` for no limit.
    pub per_minute: Option<std::num::NonZeroU32>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    hash: String,
}

/// Describes the token to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewToken {
    /// Who it is for.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Indicators a minute.
    pub per_minute: Option<std::num::NonZeroU32>,
    /// How long it lives, in seconds.
    pub lifetime_s: Option<u64>,
}

impl NewToken {
    /// Describes a token for everything but administration, that never ends.
    #[must_use]
    pub fn for_everyday(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tenant: "default".to_owned(),
            scopes: vec![Scope::Transforms, Scope::Enrich],
            per_minute: None,
            lifetime_s: None,
        }
    }
}

/// Says what is left of a token's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateStanding {
    /// Indicators a minute.
    pub limit: u32,
    /// Indicators that are left at once.
    pub remaining: u32,
    /// Seconds until all of them are.
    pub reset_s: u64,
}

/// Holds a token that is in use.
#[derive(Debug)]
pub struct Token {
    /// What it is.
    pub record: TokenRecord,
    /// Its name, shared by everything that tells who asked.
    pub client: Arc<str>,
    /// How many of its requests the server works on.
    pub(crate) under_way: Arc<AtomicUsize>,
    hash: [u8; 32],
    allowance: Option<Allowance>,
}

impl Token {
    /// Stands for all tokens of an issuer: a client that may run transforms.
    #[must_use]
    pub fn of_issuer(
        issuer: &str,
        client: &str,
        tenant: &str,
        per_minute: Option<std::num::NonZeroU32>,
    ) -> Self {
        let record = TokenRecord {
            id: issuer.to_owned(),
            name: client.to_owned(),
            tenant: tenant.to_owned(),
            scopes: vec![Scope::Transforms],
            per_minute,
            created: Timestamp::UNIX_EPOCH,
            expires: None,
            hash: String::new(),
        };
        activate(record, [0; 32])
    }

    /// Tells whether it may do this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.record.scopes.contains(&scope)
    }

    /// Counts a request against its rate, as one indicator.
    ///
    /// # Errors
    /// How long to wait, where the rate is used up.
    pub fn count(&self, clock: &SharedClock) -> Result<Option<RateStanding>, Duration> {
        let take = |allowance: &Allowance| allowance.take(clock.elapsed(), 1);
        self.allowance.as_ref().map(take).transpose()
    }

    /// Counts the other indicators of a request that was counted as one.
    ///
    /// # Errors
    /// How long to wait, where the rate has not so many; the request then counts nothing.
    pub fn count_rest(&self, items: usize, clock: &SharedClock) -> Result<Option<RateStanding>, Duration> {
        let items = u32::try_from(items).unwrap_or(u32::MAX).max(1);
        let take = |allowance: &Allowance| allowance.take_rest(clock.elapsed(), items);
        self.allowance.as_ref().map(take).transpose()
    }
}

/// Says why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token at all, or mistyped: the checksum is wrong.
    #[error("this is not a pivotd token, or it was not copied whole")]
    Misspelt,
    /// No client has this token.
    #[error("this token is not known here; it may have been revoked")]
    Unknown,
    /// Its time is over.
    #[error("this token has expired")]
    Expired,
}

/// Keeps all tokens, by hash, beside the store.
pub struct Tokens {
    store: Arc<dyn RecordStore>,
    time: Arc<KnownTime>,
    by_hash: ArcSwap<HashMap<[u8; 32], Arc<Token>>>,
    /// Keeps an older reading of the store from taking the place of a newer one.
    reading: tokio::sync::Mutex<()>,
    /// Whose the tokens were that this process revoked, for the log.
    revoked: Mutex<HashMap<[u8; 32], Arc<str>>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokens")
            .field("count", &self.by_hash.load().len())
            .finish_non_exhaustive()
    }
}

fn checksum(digits: &str) -> String {
    hex(&Sha256::digest(digits.as_bytes()))
        .chars()
        .take(CHECK_DIGITS)
        .collect()
}

/// Tells whether a text has the shape of a token and its checksum is right.
fn is_well_formed(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(PREFIX) else {
        return false;
    };
    digits.is_ascii()
        && digits.len() == SECRET_DIGITS + CHECK_DIGITS
        && digits
            .split_at_checked(SECRET_DIGITS)
            .is_some_and(|(secret, check)| checksum(secret) == check)
}

impl Tokens {
    /// Reads the tokens of a store.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn open(store: Arc<dyn RecordStore>, time: Arc<KnownTime>) -> Result<Self, StoreError> {
        let tokens = Self {
            store,
            time,
            by_hash: ArcSwap::default(),
            reading: tokio::sync::Mutex::default(),
            revoked: Mutex::default(),
        };
        tokens.reload().await?;
        Ok(tokens)
    }

    async fn reload(&self) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let stored = self.store.tokens().await?;
        let old = self.by_hash.load();
        let mut by_hash = HashMap::new();
        for bytes in stored {
            let Ok(record) = serde_json::from_slice::<TokenRecord>(&bytes) else {
                tracing::warn!("a stored token cannot be read and is left out; its client needs a new one");
                continue;
            };
            let Some(hash) = parse_hash(&record.hash) else {
                tracing::warn!(
                    id = record.id,
                    name = record.name,
                    "a stored token cannot be read and is left out; revoke it and make a new one"
                );
                continue;
            };
            // A token keeps what is left of its rate, so that making another one resets no client's rate.
            let token = old.get(&hash).filter(|token| token.record == record).cloned();
            by_hash.insert(hash, token.unwrap_or_else(|| Arc::new(activate(record, hash))));
        }
        self.by_hash.store(Arc::new(by_hash));
        Ok(())
    }

    /// Finds the token that a text is.
    ///
    /// # Errors
    /// [`TokenError`] where it is none that may be used now.
    pub fn find(&self, text: &str) -> Result<Arc<Token>, TokenError> {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let by_hash = self.by_hash.load();
        let Some(token) = by_hash.get(&hash).filter(|token| {
            // The map found it by its hash; this compares whole, in constant time.
            bool::from(token.hash.ct_eq(&hash))
        }) else {
            return Err(if is_well_formed(text) {
                TokenError::Unknown
            } else {
                TokenError::Misspelt
            });
        };
        if token
            .record
            .expires
            .is_some_and(|expires| expires <= self.time.now())
        {
            return Err(TokenError::Expired);
        }
        Ok(Arc::clone(token))
    }

    /// Says whose a token is or was: one that is known, has expired, or was revoked by this process.
    #[must_use]
    pub fn client_of(&self, text: &str) -> Option<Arc<str>> {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let known = self
            .by_hash
            .load()
            .get(&hash)
            .map(|token| Arc::clone(&token.client));
        known.or_else(|| self.revoked.lock().ok()?.get(&hash).cloned())
    }

    /// Makes a token; returns it with its record. It cannot be shown again.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written, or the machine gives no randomness.
    pub async fn create(&self, new: NewToken) -> Result<(SecretString, TokenRecord), StoreError> {
        let mut secret = [0u8; SECRET_DIGITS / 2];
        getrandom::fill(&mut secret).map_err(|_| StoreError::Closed)?;
        let digits = hex(&secret);
        let text = SecretString::from(format!("{PREFIX}{digits}{}", checksum(&digits)));
        let record = self.adopt(&text, new).await?;
        Ok((text, record))
    }

    /// Takes over a token that was made elsewhere, for example from a file named by the environment.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn adopt(&self, text: &SecretString, new: NewToken) -> Result<TokenRecord, StoreError> {
        let now = self.time.latest();
        let hash = hex(&Sha256::digest(text.expose_secret().as_bytes()));
        let record = TokenRecord {
            id: hash.chars().take(12).collect(),
            name: new.name,
            tenant: new.tenant,
            scopes: new.scopes,
            per_minute: new.per_minute,
            created: now,
            expires: new
                .lifetime_s
                .and_then(|seconds| now.checked_add(Duration::from_secs(seconds)).ok()),
            hash,
        };
        let bytes = serde_json::to_vec(&record).unwrap_or_default();
        self.store.put_token(record.id.clone(), Some(bytes)).await?;
        self.reload().await?;
        Ok(record)
    }

    /// Lists all tokens, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<TokenRecord> {
        let mut records: Vec<_> = self
            .by_hash
            .load()
            .values()
            .map(|token| token.record.clone())
            .collect();
        records.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        records
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.load().is_empty()
    }

    /// Revokes the tokens that a name or id means; returns them.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn revoke(&self, name_or_id: &str) -> Result<Vec<TokenRecord>, StoreError> {
        let gone: Vec<_> = self
            .list()
            .into_iter()
            .filter(|token| token.name == name_or_id || token.id == name_or_id)
            .collect();
        if !gone.is_empty() {
            // All of them or none: half of a name's tokens would look revoked.
            let tokens = gone.iter().map(|token| (token.id.clone(), None)).collect();
            let batch = WriteBatch {
                tokens,
                ..WriteBatch::default()
            };
            self.store.commit(batch).await?;
        }
        for token in &gone {
            if let (Some(hash), Ok(mut gone)) = (parse_hash(&token.hash), self.revoked.lock())
                && gone.len() < MOST_GONE
            {
                gone.insert(hash, token.name.as_str().into());
            }
        }
        self.reload().await?;
        Ok(gone)
    }
}

fn activate(record: TokenRecord, hash: [u8; 32]) -> Token {
    let allowance = record.per_minute.map(Allowance::new);
    let client = record.name.as_str().into();
    Token {
        record,
        client,
        under_way: Arc::default(),
        hash,
        allowance,
    }
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::manual::ManualClock;
    use crate::storage::redb::Store;

    async fn open(folder: &std::path::Path, clock: &ManualClock) -> Tokens {
        let store = Arc::new(Store::open(folder, 1 << 20).unwrap());
        let time = KnownTime::open(store.clone(), Arc::new(clock.clone()), Duration::from_secs(3600)).await;
        Tokens::open(store, time).await.unwrap()
    }

    fn clock() -> ManualClock {
        ManualClock::new(Timestamp::from_second(1_700_000_000).unwrap())
    }

    #[tokio::test]
    async fn a_token_survives_a_restart_and_only_its_hash_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let tokens = open(folder.path(), &clock).await;
        let (text, record) = tokens.create(NewToken::for_everyday("anna")).await.unwrap();
        assert_eq!(tokens.find(text.expose_secret()).unwrap().record, record);
        tokens.store.close().await;
        drop(tokens);
        let file = std::fs::read(folder.path().join("pivotd.redb")).unwrap();
        let secret = text
            .expose_secret()
            .trim_start_matches(PREFIX)
            .as_bytes()
            .to_vec();
        assert!(
            !file.windows(secret.len()).any(|window| window == secret),
            "the token is in the file"
        );
        let tokens = open(folder.path(), &clock).await;
        assert_eq!(tokens.find(text.expose_secret()).unwrap().record.name, "anna");
    }

    #[tokio::test]
    async fn wrong_revoked_and_expired_tokens_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let tokens = open(folder.path(), &clock).await;
        let new = NewToken {
            lifetime_s: Some(60),
            ..NewToken::for_everyday("ben")
        };
        let (text, record) = tokens.create(new).await.unwrap();
        let text = text.expose_secret();
        assert_eq!(tokens.find("hello").unwrap_err(), TokenError::Misspelt);
        let mut mistyped = text.to_owned();
        mistyped.pop();
        mistyped.push(if text.ends_with('0') { '1' } else { '0' });
        assert_eq!(tokens.find(&mistyped).unwrap_err(), TokenError::Misspelt);
        clock.advance(Duration::from_secs(60));
        assert_eq!(tokens.find(text).unwrap_err(), TokenError::Expired);
        assert_eq!(tokens.revoke("ben").await.unwrap(), [record]);
        assert_eq!(tokens.find(text).unwrap_err(), TokenError::Unknown);
        assert_eq!(
            tokens.client_of(text).as_deref(),
            Some("ben"),
            "the log says whose it was"
        );
        assert_eq!(tokens.client_of("hello"), None);
    }

    #[tokio::test]
    async fn a_rate_holds_even_when_another_token_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let manual = clock();
        let shared: SharedClock = Arc::new(manual.clone());
        let tokens = open(folder.path(), &manual).await;
        let new = NewToken {
            per_minute: std::num::NonZeroU32::new(2),
            ..NewToken::for_everyday("soar")
        };
        let (text, _) = tokens.create(new).await.unwrap();
        let find = || tokens.find(text.expose_secret()).unwrap();
        let left = |remaining, reset_s| {
            Ok(Some(RateStanding {
                limit: 2,
                remaining,
                reset_s,
            }))
        };
        assert_eq!(find().count(&shared), left(1, 30));
        assert_eq!(find().count(&shared), left(0, 60));
        tokens.create(NewToken::for_everyday("other")).await.unwrap();
        assert_eq!(find().count(&shared), Err(Duration::from_secs(30)));
        manual.advance(Duration::from_secs(30));
        assert_eq!(find().count(&shared), left(0, 60));
    }
}
