//! Keeps client tokens: 256 random bits with prefix and checksum, stored only as SHA-256.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use self::allowance::Allowance;
use self::uses::Uses;
use crate::admin::{Grants, Permission, Reach};
use crate::clock::SharedClock;
use crate::engine::TERMINAL;
use crate::engine::known_time::KnownTime;
use crate::hex::hex;
use crate::storage::{AuditEntry, RecordStore, Row, StoreError, Table, WriteBatch, gather_rows};

mod allowance;
mod record;
mod scope;
mod uses;

pub use record::{NewToken, TokenChange, TokenRecord, TokenState};
pub use scope::Scope;
pub use uses::LastUse;

/// What tokens of clients, and of administration, begin with.
const PREFIX: &str = "pvtd_";
const ADMIN_PREFIX: &str = "pvta_";
const SECRET_DIGITS: usize = 64;
const CHECK_DIGITS: usize = 8;
/// Tokens that were revoked, and last uses, are kept as long as the audit tells of them.
const KEPT_US: i64 = 400 * 24 * 3600 * 1_000_000;

/// Tells whether a text looks like a token of this server.
#[must_use]
pub fn has_form(text: &str) -> bool {
    text.starts_with(PREFIX) || text.starts_with(ADMIN_PREFIX)
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
    /// What it may do of administration.
    pub(crate) grants: Grants,
    uses: Arc<Uses>,
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
        let new = NewToken {
            name: client.to_owned(),
            tenant: tenant.to_owned(),
            scopes: vec![Scope::Transforms],
            per_minute,
            ..NewToken::default()
        };
        let record = TokenRecord {
            id: issuer.to_owned(),
            ..new.record(String::new(), Timestamp::UNIX_EPOCH, None)
        };
        activate(record, [0; 32], Arc::default())
    }

    /// Tells whether it may do this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.record.may(scope)
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
    /// It may not be used from where the client is.
    #[error("this token may not be used from this network")]
    Network,
}

/// Keeps all tokens, by hash, beside the store.
pub struct Tokens {
    store: Arc<dyn RecordStore>,
    time: Arc<KnownTime>,
    by_hash: ArcSwap<HashMap<[u8; 32], Arc<Token>>>,
    /// Keeps an older reading of the store from taking the place of a newer one.
    reading: tokio::sync::Mutex<()>,
    /// Lets one change after the other be checked and written, so that none undoes another.
    changing: tokio::sync::Mutex<()>,
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
    let Some(digits) = text
        .strip_prefix(PREFIX)
        .or_else(|| text.strip_prefix(ADMIN_PREFIX))
    else {
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
            changing: tokio::sync::Mutex::default(),
        };
        tokens.reload().await?;
        Ok(tokens)
    }

    /// Reads when tokens were last used.
    async fn used(&self) -> Result<HashMap<String, LastUse>, StoreError> {
        let now = self.time.now().as_microsecond();
        let all = (Table::TokenUses, now);
        gather_rows(self.store.as_ref(), all, HashMap::new(), |used, id, _, value| {
            if let Ok(last) = serde_json::from_slice(value) {
                used.insert(id.to_owned(), last);
            }
        })
        .await
    }

    async fn reload(&self) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let stored = self.store.tokens().await?;
        let used = self.used().await?;
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
            let known = old.get(&hash);
            // A token keeps what is left of its rate, so that making another one resets no client's rate.
            let token = known.filter(|token| token.record == record).cloned();
            let token = token.unwrap_or_else(|| {
                let uses = known.map(|token| Arc::clone(&token.uses));
                let uses = uses.unwrap_or_else(|| Arc::new(Uses::of(used.get(&record.id).copied())));
                Arc::new(activate(record, hash, uses))
            });
            by_hash.insert(hash, token);
        }
        self.by_hash.store(Arc::new(by_hash));
        Ok(())
    }

    /// Finds the token that a text is, for a client that comes from an address.
    ///
    /// # Errors
    /// [`TokenError`] where it is none that may be used now, and from there.
    pub fn find(&self, text: &str, from: Option<IpAddr>) -> Result<Arc<Token>, TokenError> {
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
        let now = self.time.now();
        match token.record.state(now) {
            // A client learns no more of it than of one that never was.
            TokenState::Revoked => return Err(TokenError::Unknown),
            TokenState::Expired => return Err(TokenError::Expired),
            TokenState::Active | TokenState::Rotating => {}
        }
        if !token.record.is_from(from) {
            return Err(TokenError::Network);
        }
        token.uses.note(now, from);
        Ok(Arc::clone(token))
    }

    /// Says whose a token is or was: one that is known, has expired, or was revoked.
    #[must_use]
    pub fn client_of(&self, text: &str) -> Option<Arc<str>> {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let by_hash = self.by_hash.load();
        by_hash.get(&hash).map(|token| Arc::clone(&token.client))
    }

    /// Makes a token; returns it with its record. It cannot be shown again.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written, or the machine gives no randomness.
    pub async fn create(&self, new: NewToken) -> Result<(SecretString, TokenRecord), StoreError> {
        let text = drawn(&new)?;
        let record = self.adopt(&text, new).await?;
        Ok((text, record))
    }

    /// Makes a token, with the entry of the audit that tells of it, in one write.
    ///
    /// # Errors
    /// As [`Tokens::create`].
    pub async fn create_by(
        &self,
        new: NewToken,
        by: &str,
        audit: impl FnOnce(&TokenRecord) -> AuditEntry,
    ) -> Result<(SecretString, TokenRecord), StoreError> {
        let text = drawn(&new)?;
        let record = new.record(hash_of(&text), self.time.latest(), Some(by));
        let entry = audit(&record);
        self.put(&[&record], vec![entry]).await?;
        Ok((text, record))
    }

    /// Takes over a token that was made elsewhere, for example from a file named by the environment.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn adopt(&self, text: &SecretString, new: NewToken) -> Result<TokenRecord, StoreError> {
        let record = new.record(hash_of(text), self.time.latest(), None);
        self.put(&[&record], Vec::new()).await?;
        Ok(record)
    }

    /// Puts another token in the place of one, which can be used until its time is over: at once where there is no overlap. `None` where
    /// it was changed since it was seen.
    ///
    /// # Errors
    /// As [`Tokens::create`].
    pub async fn rotate(
        &self,
        old: &TokenRecord,
        overlap: Duration,
        by: &str,
        audit: impl FnOnce(&TokenRecord, &TokenRecord) -> AuditEntry,
    ) -> Result<Option<(SecretString, TokenRecord)>, StoreError> {
        let _changing = self.changing.lock().await;
        if !self.is_as_seen(&old.id, old.revision) {
            return Ok(None);
        }
        let now = self.time.latest();
        let new = NewToken {
            name: old.name.clone(),
            tenant: old.tenant.clone(),
            scopes: old.scopes.clone(),
            roles: old.roles.clone(),
            per_minute: old.per_minute,
            lifetime_s: None,
            networks: old.networks.clone(),
            owner: old.owner.clone(),
            tags: old.tags.clone(),
        };
        let text = drawn(&new)?;
        let record = TokenRecord {
            // It lives as long as the one before did from its making.
            expires: old.expires.and_then(|expires| {
                let lifetime = expires.duration_since(old.created);
                now.checked_add(lifetime).ok()
            }),
            ..new.record(hash_of(&text), now, Some(by))
        };
        let ends = now.checked_add(overlap).unwrap_or(Timestamp::MAX);
        let before = TokenRecord {
            expires: Some(old.expires.map_or(ends, |expires| expires.min(ends))),
            replaced_by: Some(record.id.clone()),
            revision: old.revision.saturating_add(1),
            ..old.clone()
        };
        let entry = audit(&before, &record);
        self.put(&[&before, &record], vec![entry]).await?;
        Ok(Some((text, record)))
    }

    /// Writes a token as it was changed from the revision before; tells whether it was still as it was seen.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn change(&self, record: &TokenRecord, audit: AuditEntry) -> Result<bool, StoreError> {
        let _changing = self.changing.lock().await;
        if !self.is_as_seen(&record.id, record.revision.saturating_sub(1)) {
            return Ok(false);
        }
        self.put(&[record], vec![audit]).await?;
        Ok(true)
    }

    /// Tells whether a token is as it was seen, and was not revoked.
    fn is_as_seen(&self, id: &str, revision: u64) -> bool {
        let by_hash = self.by_hash.load();
        let mut all = by_hash.values();
        all.any(|token| {
            let record = &token.record;
            record.id == id && record.revision == revision && record.revoked.is_none()
        })
    }

    async fn put(&self, records: &[&TokenRecord], audit: Vec<AuditEntry>) -> Result<(), StoreError> {
        let written = |record: &&TokenRecord| {
            let bytes = serde_json::to_vec(record).unwrap_or_default();
            (record.id.clone(), Some(bytes))
        };
        let batch = WriteBatch {
            tokens: records.iter().map(written).collect(),
            audit,
            ..WriteBatch::default()
        };
        self.store.commit(batch).await?;
        self.reload().await
    }

    /// Lists all tokens that were not revoked, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<TokenRecord> {
        let mut records = self.list_all();
        records.retain(|record| record.revoked.is_none());
        records
    }

    /// Lists all tokens, those that were revoked, too, oldest first.
    #[must_use]
    pub fn list_all(&self) -> Vec<TokenRecord> {
        let by_hash = self.by_hash.load();
        let mut records: Vec<_> = by_hash.values().map(|token| token.record.clone()).collect();
        records.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        records
    }

    /// Returns when and from where a token was last used.
    #[must_use]
    pub fn last_use(&self, record: &TokenRecord) -> Option<LastUse> {
        let hash = parse_hash(&record.hash)?;
        self.by_hash.load().get(&hash)?.uses.last()
    }

    /// Returns the time that tokens go by.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// Tells whether there is none for administration: with a permission to manage for all tenants.
    #[must_use]
    pub fn has_administrator(&self) -> bool {
        let manages = |record: &TokenRecord| record.grants().with(Permission::Manage) == Reach::All;
        self.list_all().iter().any(manages)
    }

    /// Revokes the tokens that a name or id means; returns them. Their names stay.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn revoke(&self, name_or_id: &str) -> Result<Vec<TokenRecord>, StoreError> {
        self.revoke_by(name_or_id, TERMINAL, |_| true, |_| Vec::new())
            .await
    }

    /// Revokes the tokens that a name or id means, of those that may be, with the entries of the audit that tell of it.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn revoke_by(
        &self,
        name_or_id: &str,
        by: &str,
        may: impl Fn(&TokenRecord) -> bool,
        audit: impl FnOnce(&[TokenRecord]) -> Vec<AuditEntry>,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        let _changing = self.changing.lock().await;
        let now = self.time.latest();
        let is_meant = |token: &TokenRecord| token.name == name_or_id || token.id == name_or_id;
        let mut gone: Vec<_> = self.list().into_iter().filter(is_meant).filter(may).collect();
        for record in &mut gone {
            record.revoked = Some(now);
            record.revoked_by = Some(by.to_owned());
            record.revision = record.revision.saturating_add(1);
        }
        if !gone.is_empty() {
            // All of them or none: half of a name's tokens would look revoked.
            let entries = audit(&gone);
            self.put(&gone.iter().collect::<Vec<_>>(), entries).await?;
        }
        Ok(gone)
    }

    /// Keeps on disk when tokens were last used, as far as that is new; and forgets tokens that were revoked long ago.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn keep_uses(&self) -> Result<(), StoreError> {
        let now = self.time.latest();
        let mut rows = Vec::new();
        let mut taken = Vec::new();
        for token in self.by_hash.load().values() {
            let Some(used) = token.uses.take_new() else {
                continue;
            };
            rows.push(Row {
                table: Table::TokenUses,
                key: token.record.id.clone(),
                until_us: now.as_microsecond().saturating_add(KEPT_US),
                value: serde_json::to_vec(&used).unwrap_or_default(),
            });
            taken.push(Arc::clone(token));
        }
        let before = now.as_microsecond().saturating_sub(KEPT_US);
        let is_past = |record: &TokenRecord| record.revoked.is_some_and(|at| at.as_microsecond() < before);
        let past: Vec<_> = self.list_all().into_iter().filter(is_past).collect();
        if rows.is_empty() && past.is_empty() {
            return Ok(());
        }
        let batch = WriteBatch {
            rows,
            tokens: past.iter().map(|record| (record.id.clone(), None)).collect(),
            ..WriteBatch::default()
        };
        let written = self.store.commit(batch).await;
        if written.is_err() {
            taken.iter().for_each(|token| token.uses.put_back());
        }
        written?;
        if past.is_empty() {
            Ok(())
        } else {
            self.reload().await
        }
    }
}

/// Draws a token for what it is to be.
fn drawn(new: &NewToken) -> Result<SecretString, StoreError> {
    let mut secret = [0u8; SECRET_DIGITS / 2];
    getrandom::fill(&mut secret).map_err(|_| StoreError::Closed)?;
    let digits = hex(&secret);
    // What finds leaked secrets tells tokens of administration from those of clients.
    let prefix = if new.grants() == Grants::default() {
        PREFIX
    } else {
        ADMIN_PREFIX
    };
    Ok(SecretString::from(format!(
        "{prefix}{digits}{}",
        checksum(&digits)
    )))
}

fn hash_of(text: &SecretString) -> String {
    hex(&Sha256::digest(text.expose_secret().as_bytes()))
}

fn activate(record: TokenRecord, hash: [u8; 32], uses: Arc<Uses>) -> Token {
    let allowance = record.per_minute.map(Allowance::new);
    let client = record.name.as_str().into();
    Token {
        grants: record.grants(),
        record,
        client,
        under_way: Arc::default(),
        uses,
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
        assert_eq!(tokens.find(text.expose_secret(), None).unwrap().record, record);
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
        assert_eq!(
            tokens.find(text.expose_secret(), None).unwrap().record.name,
            "anna"
        );
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
        assert_eq!(tokens.find("hello", None).unwrap_err(), TokenError::Misspelt);
        let mut mistyped = text.to_owned();
        mistyped.pop();
        mistyped.push(if text.ends_with('0') { '1' } else { '0' });
        assert_eq!(tokens.find(&mistyped, None).unwrap_err(), TokenError::Misspelt);
        clock.advance(Duration::from_secs(60));
        assert_eq!(tokens.find(text, None).unwrap_err(), TokenError::Expired);
        let revoked = tokens.revoke("ben").await.unwrap();
        assert_eq!(
            revoked.iter().map(|gone| &gone.id).collect::<Vec<_>>(),
            [&record.id]
        );
        assert_eq!(tokens.find(text, None).unwrap_err(), TokenError::Unknown);
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
        let find = || tokens.find(text.expose_secret(), None).unwrap();
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
