//! Knows clients by the signed tokens (JWT) of issuers that the configuration names: of a company's sign-on, for example. Each
//! issuer stands for one named client, which may run transforms and nothing else.
//!
//! An issuer's keys come from the URL that the configuration names, whatever a token says. They are fetched when a token first
//! needs them, kept for a while, and fetched again early where a token names a key that is not among them.

mod keys;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use self::keys::Keys;
use crate::clock::SharedClock;
use crate::config::settings::IssuerSettings;
use crate::tokens::Token;

/// The longest token that is looked at.
const LONGEST: usize = 16 << 10;
/// How far clocks may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// So many tokens that were verified are known again.
const MOST_KNOWN: usize = 4096;

/// Says why a signed token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// It is no signed token, of no issuer that is configured, not for this server, or its signature is wrong.
    #[error("the token is none of an issuer that this server accepts")]
    Invalid,
    /// Its time has passed.
    #[error("the token has expired")]
    Expired,
    /// The keys of its issuer cannot be fetched.
    #[error("the keys of the token's issuer cannot be fetched now")]
    Unavailable,
}

/// Is an issuer whose tokens are accepted.
#[derive(Debug)]
struct Issuer {
    settings: IssuerSettings,
    keys: Arc<Keys>,
    /// What its tokens stand for.
    client: Arc<Token>,
}

/// Is the SHA-256 of a token.
type Digest256 = [u8; 32];
/// Is what a token stands for, and until when.
type Verified = (Arc<Token>, Timestamp);

/// Holds the issuers of a configuration.
#[derive(Debug)]
pub struct Issuers {
    all: Vec<Arc<Issuer>>,
    clock: SharedClock,
    /// Tokens that were verified, by their digest, each with its end.
    known: Mutex<HashMap<Digest256, Verified>>,
}

/// Holds what is read of a token.
#[derive(Debug, Deserialize)]
struct Claims {
    /// Seconds since 1970, whole or not (RFC 7519, section 2).
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
}

/// Is what is read of a token before its signature is checked.
#[derive(Debug, Deserialize)]
struct Unverified {
    iss: String,
}

/// Tells whether a text has the form of a signed token.
#[must_use]
pub fn has_form(text: &str) -> bool {
    text.len() <= LONGEST && text.starts_with("ey") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Issuers {
    /// Takes the issuers of a configuration; those that `before` had with the same settings keep their keys.
    ///
    /// # Errors
    /// What is wrong with one of them, for people.
    pub fn new(
        settings: &[IssuerSettings],
        clock: SharedClock,
        before: Option<&Self>,
    ) -> Result<Self, String> {
        let mut all = Vec::with_capacity(settings.len());
        for one in settings {
            let kept = before
                .into_iter()
                .flat_map(|before| &before.all)
                .find(|known| known.settings == *one);
            all.push(match kept {
                Some(kept) => Arc::clone(kept),
                None => Arc::new(Issuer::new(one.clone(), Arc::clone(&clock))?),
            });
        }
        Ok(Self {
            all,
            clock,
            known: Mutex::default(),
        })
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Knows a token again that was verified before.
    #[must_use]
    pub fn recall(&self, text: &str) -> Option<Arc<Token>> {
        if self.all.is_empty() || !has_form(text) {
            return None;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, ends) = known.get(&digest(text))?;
        (self.clock.now() < *ends).then(|| Arc::clone(client))
    }

    /// Verifies a token; fetches the keys of its issuer where that is needed.
    ///
    /// # Errors
    /// [`IssuerError`] where it is not accepted.
    pub async fn verify(&self, text: &str) -> Result<Arc<Token>, IssuerError> {
        if let Some(known) = self.recall(text) {
            return Ok(known);
        }
        if !has_form(text) {
            return Err(IssuerError::Invalid);
        }
        // Who issued it is read before it is believed: it only says whose keys have to verify it.
        let issued: Unverified =
            jsonwebtoken::dangerous::insecure_decode_claims(text).map_err(|_| IssuerError::Invalid)?;
        let issuer = self.all.iter().find(|one| one.settings.issuer == issued.iss);
        let issuer = issuer.ok_or(IssuerError::Invalid)?;
        let ends = issuer.verify(text, self.clock.now()).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            let now = self.clock.now();
            known.retain(|_, (_, ends)| now < *ends);
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
        }
        known.insert(digest(text), (Arc::clone(&issuer.client), ends));
        Ok(Arc::clone(&issuer.client))
    }
}

fn digest(text: &str) -> Digest256 {
    Sha256::digest(text.as_bytes()).into()
}

impl Issuer {
    fn new(settings: IssuerSettings, clock: SharedClock) -> Result<Self, String> {
        let keys = Arc::new(Keys::new(&settings, clock)?);
        let client = Token::of_issuer(
            &settings.name,
            &settings.client,
            &settings.tenant,
            settings.per_minute,
        );
        Ok(Self {
            settings,
            keys,
            client: Arc::new(client),
        })
    }

    /// Verifies a token, and returns until when it holds.
    async fn verify(&self, text: &str, now: Timestamp) -> Result<Timestamp, IssuerError> {
        let header = jsonwebtoken::decode_header(text).map_err(|_| IssuerError::Invalid)?;
        if !self.settings.algorithms.contains(&header.alg) {
            return Err(IssuerError::Invalid);
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let claims = self.claims(text, header.alg, &key)?;
        let time = |seconds: f64| {
            let since = SignedDuration::try_from_secs_f64(seconds).map_err(|_| IssuerError::Invalid)?;
            Timestamp::from_duration(since).map_err(|_| IssuerError::Invalid)
        };
        let ends = time(claims.exp)?
            .checked_add(LEEWAY)
            .map_err(|_| IssuerError::Invalid)?;
        if ends <= now {
            return Err(IssuerError::Expired);
        }
        if let Some(begins) = claims.nbf {
            let begins = time(begins)?
                .checked_sub(LEEWAY)
                .map_err(|_| IssuerError::Invalid)?;
            if now < begins {
                return Err(IssuerError::Invalid);
            }
        }
        Ok(ends)
    }

    fn claims(&self, text: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Claims, IssuerError> {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&self.settings.audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // Times are compared with this server's own clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let read = jsonwebtoken::decode::<Claims>(text, key, &validation);
        read.map(|data| data.claims).map_err(|_| IssuerError::Invalid)
    }
}

#[cfg(test)]
mod tests;
