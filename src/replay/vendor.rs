//! A vendor: its exchanges, its credentials, and the choice of an answer. Pure, apart from reading the folder.

use std::cmp::Ordering;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use include_dir::Dir;

use super::answer::Answer;
use super::auth::{self, Auth};
use super::domaintools;
use super::fixture::{Exchange, FixtureError, Rank};
use super::log::SeenRequest;
use super::zone::{self, DnsAnswer, Rrset};
use crate::providers::kit::resource::RecordType;

/// Says what a vendor makes of a request's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthResult {
    /// The credentials are right.
    Ok,
    /// There are credentials, and they are wrong.
    Refused,
    /// There are none.
    Missing,
}

/// Judges credentials as one vendor does. Closures from request to [`AuthResult`] are authenticators that refuse with 401.
pub trait Authenticator: Send + Sync {
    /// Judges a request.
    fn check(&self, request: &SeenRequest) -> AuthResult;

    /// Makes the answer to a request that was [refused](AuthResult::Refused) or had [none](AuthResult::Missing).
    fn refusal(&self, result: AuthResult) -> Answer {
        let reason = if result == AuthResult::Missing {
            "credentials are required"
        } else {
            "credentials refused"
        };
        Answer::json(401, format!(r#"{{"error":"{reason}"}}"#))
    }
}

impl<F: Fn(&SeenRequest) -> AuthResult + Send + Sync> Authenticator for F {
    fn check(&self, request: &SeenRequest) -> AuthResult {
        self(request)
    }
}

/// Holds what one vendor can answer. Without an authenticator it asks for no credentials.
#[derive(Clone)]
pub struct Vendor {
    name: String,
    exchanges: Arc<[Exchange]>,
    rrsets: Arc<[Rrset]>,
    default: Answer,
    auth: Option<Auth>,
    authenticator: Option<Arc<dyn Authenticator>>,
}

impl Vendor {
    /// Loads every `.http` and `.dns` file below a provider's folder; the folder's name becomes the vendor's.
    ///
    /// # Errors
    /// A [`FixtureError`] for a file that cannot be read or understood, and for two that tie.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, FixtureError> {
        let path = path.as_ref();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut found = FixtureFiles::default();
        read_folder(path, &name, &mut found)?;
        found.into_vendor(&name)
    }

    /// Loads every `.http` and `.dns` file below a provider's folder that was compiled in, as [`from_path`](Self::from_path) does.
    ///
    /// # Errors
    /// The same.
    pub fn from_dir(dir: &Dir<'_>) -> Result<Self, FixtureError> {
        let name = dir
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut found = FixtureFiles::default();
        let mut folders = vec![dir];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files().filter(|file| is_fixture(file.path())) {
                let path = file.path().to_string_lossy();
                let text = file
                    .contents_utf8()
                    .ok_or_else(|| FixtureError::new(&path, 0, "is not UTF-8"))?;
                found.parse(&path, text)?;
            }
        }
        found.into_vendor(&name)
    }

    /// Makes a vendor of exchanges.
    ///
    /// # Errors
    /// A [`FixtureError`] if two exchanges match the same requests with equal rank, and nothing could decide between them.
    pub fn from_exchanges(name: &str, mut exchanges: Vec<Exchange>) -> Result<Self, FixtureError> {
        for (index, one) in exchanges.iter().enumerate() {
            let misplaced = one.is_default() != (base_name(one.name()) == DEFAULT);
            if misplaced {
                let reason = format!("`{DEFAULT}` and only it has the request line `* *`");
                return Err(FixtureError::new(one.name(), one.line(), reason));
            }
            if let Some(other) = exchanges.iter().take(index).find(|other| other.ties_with(one)) {
                let reason = format!("matches the same requests as {}", other.name());
                return Err(FixtureError::new(one.name(), one.line(), reason));
            }
        }
        let default = exchanges
            .iter()
            .position(Exchange::is_default)
            .map(|index| exchanges.swap_remove(index));
        let default = default.map_or_else(
            || Answer::json(404, r#"{"error":"nothing is recorded for this request"}"#),
            |exchange| exchange.answer().clone(),
        );
        exchanges.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(Self {
            name: name.to_owned(),
            exchanges: exchanges.into(),
            rrsets: Arc::default(),
            default,
            auth: None,
            authenticator: None,
        })
    }

    /// Makes a vendor that is asked over DNS.
    ///
    /// # Errors
    /// A [`FixtureError`] if two answer the same questions with equal rank.
    pub fn from_rrsets(name: &str, rrsets: Vec<Rrset>) -> Result<Self, FixtureError> {
        for (index, one) in rrsets.iter().enumerate() {
            if one.is_default() != (base_name(one.name()) == DNS_DEFAULT) {
                let reason = format!("`{DNS_DEFAULT}` and only it has the question `* *`");
                return Err(FixtureError::new(one.name(), one.line(), reason));
            }
            if let Some(other) = rrsets.iter().take(index).find(|other| other.ties_with(one)) {
                let reason = format!("answers the same questions as {}", other.name());
                return Err(FixtureError::new(one.name(), one.line(), reason));
            }
        }
        let vendor = Self::from_exchanges(name, Vec::new())?;
        Ok(Self {
            rrsets: rrsets.into(),
            ..vendor
        })
    }

    /// Tells whether it is asked over DNS.
    pub fn is_dns(&self) -> bool {
        !self.rrsets.is_empty()
    }

    /// Answers a question over DNS: by the most literal fixture, else that there are no such records, or no such name.
    pub fn resolve(&self, name: &str, kind: RecordType) -> DnsAnswer {
        zone::answer(&self.rrsets, name, kind)
    }

    /// Makes the vendor take these credentials alone, where its fixtures say how it checks any.
    #[must_use]
    pub fn with_credentials(self, username: &str, api_key: &str) -> Self {
        match self.auth.clone() {
            Some(auth) => auth.applied(self, username, api_key),
            None => self,
        }
    }

    /// Makes the vendor check keys as the fixtures of a provider say, whatever exchanges it has.
    #[must_use]
    pub fn checking_as(mut self, other: &Self) -> Self {
        self.auth.clone_from(&other.auth);
        self
    }

    /// Makes the vendor ask for credentials.
    #[must_use]
    pub fn with_authenticator(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Returns the name of the folder it was loaded from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the exchanges in the order of their names, without the default.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// Answers a request: credentials first, then the most specific exchange, then the default. DomainTools puts the answers
    /// to several names together.
    ///
    /// Two exchanges that name different parameters can still be equally specific for a request that has both;
    /// the answer is then a 500 that names their files, for a guess would hide the mistake.
    pub fn answer(&self, request: &SeenRequest) -> Answer {
        if let Some(authenticator) = &self.authenticator {
            match authenticator.check(request) {
                AuthResult::Ok => {}
                refused => return authenticator.refusal(refused),
            }
        }
        let one = |request: &SeenRequest| self.most_specific(request);
        domaintools::together(request, one).unwrap_or_else(|| one(request))
    }

    fn most_specific(&self, request: &SeenRequest) -> Answer {
        let mut best: Option<(Rank, &Exchange)> = None;
        let mut rival: Option<&Exchange> = None;
        for exchange in self.exchanges.iter() {
            let Some(rank) = exchange.rank(request) else {
                continue;
            };
            match best.map_or(Ordering::Greater, |(best, _)| rank.cmp(&best)) {
                Ordering::Greater => (best, rival) = (Some((rank, exchange)), None),
                Ordering::Equal => rival = Some(exchange),
                Ordering::Less => {}
            }
        }
        match (best, rival) {
            (Some((_, one)), Some(other)) => {
                let reason = format!("{} and {} both match this request", one.name(), other.name());
                Answer::json(500, serde_json::json!({ "error": reason }).to_string())
            }
            (Some((_, exchange)), None) => exchange.answer().clone(),
            (None, _) => self.default.clone(),
        }
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("name", &self.name)
            .field("exchanges", &self.exchanges.len())
            .field("rrsets", &self.rrsets.len())
            .finish_non_exhaustive()
    }
}

const DEFAULT: &str = "_default.http";
const DNS_DEFAULT: &str = "_default.dns";

/// Gathers the fixtures of a folder.
#[derive(Default)]
struct FixtureFiles {
    exchanges: Vec<Exchange>,
    rrsets: Vec<Rrset>,
    auth: Option<Auth>,
}

impl FixtureFiles {
    fn parse(&mut self, name: &str, text: &str) -> Result<(), FixtureError> {
        if base_name(name) == auth::FILE {
            let read = Auth::parse(text).map_err(|reason| FixtureError::new(name, 0, reason))?;
            self.auth = Some(read);
        } else if Path::new(name).extension().is_some_and(|end| end == "dns") {
            self.rrsets.push(Rrset::parse(name, text)?);
        } else {
            self.exchanges.push(Exchange::parse(name, text)?);
        }
        Ok(())
    }

    fn into_vendor(self, name: &str) -> Result<Vendor, FixtureError> {
        let vendor = match (self.exchanges.first(), self.rrsets.is_empty()) {
            (_, true) => Vendor::from_exchanges(name, self.exchanges),
            (None, false) => Vendor::from_rrsets(name, self.rrsets),
            (Some(one), false) => {
                let reason = "a vendor is asked over HTTP or over DNS, not both";
                Err(FixtureError::new(one.name(), 0, reason))
            }
        }?;
        Ok(Vendor {
            auth: self.auth,
            ..vendor
        })
    }
}

fn is_fixture(path: &Path) -> bool {
    let is_auth = path.file_name().is_some_and(|name| name == auth::FILE);
    let ends = path.extension();
    is_auth || ends.is_some_and(|extension| extension == "http" || extension == "dns")
}

fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn read_folder(folder: &Path, name: &str, found: &mut FixtureFiles) -> Result<(), FixtureError> {
    let unreadable = |error: std::io::Error| FixtureError::new(name, 0, format!("cannot be read: {error}"));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            read_folder(&path, &name, found)?;
        } else if is_fixture(&path) {
            let text = fs::read_to_string(&path)
                .map_err(|error| FixtureError::new(&name, 0, format!("cannot be read: {error}")))?;
            found.parse(&name, &text)?;
        }
    }
    Ok(())
}
