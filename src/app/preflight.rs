//! Says what would keep a server from starting, before it makes anything: `pivotd serve` asks before it begins, and
//! `pivotd check` asks the same.

use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{StartError, opening};
use crate::clock::SystemClock;
use crate::config::settings::ServerSettings;
use crate::config::{Loaded, Origin};
use crate::engine::Engine;
use crate::issuers::Issuers;
use crate::net::{listener, tls};
use crate::storage::redb::{Opening, Store};
use crate::telemetry::log;

/// The least characters of a token that an administrator made.
const LEAST_TOKEN: usize = 32;

/// Holds what a server would start with.
#[derive(Debug)]
pub struct Preflight<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// How the store would be opened.
    pub opening: Opening,
    /// The file of the first token, with the name of the variable that gives it.
    pub first_tokens: Vec<(&'static str, PathBuf)>,
    /// Whether a server runs over the data directory, which then holds store and address.
    pub is_running: bool,
}

impl Preflight<'_> {
    /// Says what is wrong, one text for people each, the store left out: a start opens it next, which reads all of it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let settings = &self.loaded.settings;
        let server = &settings.server;
        let exposed = settings.check_exposure().err().unwrap_or_default();
        let exposed = exposed.iter().map(|reason| self.at("server.listen", reason));
        let mut faults: Vec<String> = exposed.collect();
        if let Err(reason) = writable(&server.data) {
            let path = server.data.clone();
            faults.push(self.at("server.data", &StartError::Data { path, reason }));
        }
        faults.extend(self.log_fault().map(|fault| self.at("log.file", &fault)));
        let ways = Engine::faults(self.loaded);
        faults.extend(ways.iter().map(|fault| self.at(&fault.path(), fault)));
        let issuers = &self.loaded.settings.issuers;
        let issuers = Issuers::new(issuers, SystemClock::shared(), None).err();
        faults.extend(issuers.map(|fault| self.at("issuers", &fault)));
        let listening = listening_faults(server, self.is_running);
        faults.extend(listening.iter().map(|fault| {
            let setting = match fault {
                StartError::Tls(_) => "server.tls",
                _ => "server.listen",
            };
            self.at(setting, fault)
        }));
        if !Store::is_in(&server.data) {
            faults.extend(self.token_fault());
        }
        faults
    }

    /// Writes a fault with the place of the setting that it is about, where that was set.
    fn at(&self, setting: &str, fault: &dyn std::fmt::Display) -> String {
        let set = self.loaded.origins.iter().find(|one| one.path == setting);
        match set.map(|one| &one.origin) {
            None | Some(Origin::Default) => fault.to_string(),
            Some(origin) => format!("{origin}: {fault}"),
        }
    }

    /// Says what is wrong with the store, which is left as it is, and with the first token where there is none.
    #[must_use]
    pub fn store_faults(&self) -> Vec<String> {
        let settings = &self.loaded.settings;
        let data = &settings.server.data;
        if self.is_running || !data.is_dir() {
            return Vec::new();
        }
        match Store::look(data, &opening(settings, self.opening.clone())) {
            Ok(Some(false)) => self.token_fault().into_iter().collect(),
            Ok(Some(true) | None) => Vec::new(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// Says all that is wrong.
    #[must_use]
    pub fn all_faults(&self) -> Vec<String> {
        let mut faults = self.faults();
        faults.extend(self.store_faults());
        faults
    }

    fn log_fault(&self) -> Option<String> {
        let settings = &self.loaded.settings;
        let path = settings.log.file.as_deref()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        // The data directory, and what it lies in, is made before the log.
        let is_made = settings.server.data.starts_with(folder);
        let found = match log::file(path, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && (is_made || folder.is_dir()) => {
                writable(folder)
            }
            found => found.map(drop),
        };
        found.err().map(|reason| log::unwritable(path, &reason))
    }

    fn token_fault(&self) -> Option<String> {
        let mut given = self.first_tokens.iter();
        given.find_map(|(variable, path)| first_token(variable, path).err())
    }
}

/// Reads the first token from its file.
///
/// # Errors
/// A text for people where it cannot be read, or could be guessed.
pub fn first_token(variable: &str, path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{variable}: {shown} cannot be read: {error}"))?;
    let text = SecretString::from(text.trim().to_owned());
    if text.expose_secret().len() < LEAST_TOKEN {
        return Err(format!(
            "{variable}: {shown} holds less than {LEAST_TOKEN} characters; a token must not be guessable, so write one into \
             it, for example of `openssl rand -hex 32`"
        ));
    }
    Ok(text)
}

/// Tries whether a folder can be written to, or made where it is missing. Nothing is left of the trial.
/// Says what of the settings keeps the server from listening; the address is left out where a server `is_running` there.
fn listening_faults(settings: &ServerSettings, is_running: bool) -> Vec<StartError> {
    let mut faults: Vec<StartError> = tls::TlsLayer::new(settings.tls.as_ref())
        .err()
        .map(StartError::Tls)
        .into_iter()
        .collect();
    let address = settings.listen;
    if !is_running && let Err(reason) = listener::bound(address) {
        faults.push(StartError::Listen { address, reason });
    }
    faults
}

fn writable(folder: &Path) -> io::Result<()> {
    let mut nearest = folder;
    loop {
        match std::fs::metadata(nearest) {
            Ok(found) if found.is_dir() => return tempfile::tempfile_in(nearest).map(drop),
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                nearest = match nearest.parent() {
                    Some(above) if !above.as_os_str().is_empty() => above,
                    _ => Path::new("."),
                };
            }
            Err(error) => return Err(error),
        }
    }
}
