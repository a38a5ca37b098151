//! Builds what frontends and commands share; tests and production take the same door.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use self::documents::Documents;
use self::rendering::Rendering;
use self::run_routes::RunRoutes;
use crate::ask::score::{ScoreOptions, Scorer};
use crate::catalogue::{Catalogue, listing};
use crate::clock::SharedClock;
use crate::config::{Loaded, Settings};
use crate::decisions::Decisions;
use crate::engine::known_time::KnownTime;
use crate::engine::transport::TransportError;
use crate::engine::{Engine, Requester};
use crate::issuers::Issuers;
use crate::maltego::listing::Listing;
use crate::net::Attempts;
use crate::net::bodies::Bodies;
use crate::net::tls::TlsLayer;
use crate::providers::Registry;
use crate::reputation::AlertAnswer;
use crate::reputation::policy::Policy;
use crate::runs::Runs;
use crate::storage::redb::{Opening, Store};
use crate::storage::{Storage, StoreError};
use crate::telemetry::log::Log;
use crate::telemetry::metrics::Metrics;
use crate::tokens::Tokens;

pub mod documents;
pub mod preflight;
pub mod reload;
pub mod rendering;
pub mod run_routes;
pub mod source;
pub mod state;

use source::Source;

/// Says what a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A server with tokens.
    Serve,
    /// Sample data, open on loopback.
    Demo,
    /// Sample data on loopback, for clients with tokens.
    DemoWithTokens,
}

/// Holds what a reload replaces as a whole.
#[derive(Debug)]
pub struct Configured {
    /// The settings with their warnings and origins.
    pub loaded: Loaded,
    /// The transforms.
    pub catalogue: Catalogue,
    /// What Maltego clients are offered of them.
    pub listing: Listing,
    /// The rules of scores.
    pub policy: Policy,
}

impl Configured {
    fn new(loaded: Loaded, generation: u64) -> Self {
        let catalogue = Catalogue::build(&loaded.settings, generation);
        let listing = listing(&catalogue, &loaded.providers);
        let policy = Policy::of(loaded.settings.reputation.clone());
        Self {
            loaded,
            catalogue,
            listing,
            policy,
        }
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.loaded.settings
    }
}

/// Says why the server could not be built.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("the data directory {}: {reason}", path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// The cause.
        reason: io::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A provider cannot be reached as configured.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {reason}; stop what listens there, or name another address with --listen or the \
         setting server.listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        reason: io::Error,
    },
    /// The TLS key cannot be used.
    #[error("server.tls: {0}")]
    Tls(String),
    /// The keys of an issuer cannot be fetched as configured.
    #[error("{0}")]
    Issuer(String),
}

/// Holds everything that frontends and commands share.
#[derive(Debug)]
pub struct App {
    /// Answers questions.
    pub engine: Arc<Engine>,
    /// Client tokens.
    pub tokens: Tokens,
    /// Issuers of signed tokens.
    pub issuers: ArcSwap<Issuers>,
    /// Decisions, replies and feedback.
    pub decisions: Decisions,
    /// The configuration at work.
    pub configured: ArcSwap<Configured>,
    /// The memory of bodies of requests.
    pub bodies: Bodies,
    /// Who tries wrong tokens.
    pub attempts: Attempts,
    /// The large answers that are being written.
    pub rendering: Rendering,
    /// The large requests that are being read.
    pub reading: Rendering,
    /// Bytes of lines of batches that wait for their clients.
    pub(crate) unread_lines: Arc<AtomicUsize>,
    /// Log lines of requests; none for commands.
    pub log: Option<Log>,
    /// What this process is.
    pub mode: Mode,
    /// Where the configuration is read again; none for commands.
    pub source: Option<Source>,
    /// The values of settings that hold until the next start.
    started: BTreeMap<String, String>,
    reloading: Mutex<()>,
    /// The keys of the addresses that are listened on.
    pub(crate) tls: Mutex<Vec<TlsLayer>>,
    /// The providers that the next configuration can name.
    pub providers: Registry,
    /// Where transforms are run, each path in its wire format.
    pub run_routes: RunRoutes,
    /// The runs that outlive their requests.
    pub runs: Runs,
    /// The documents that Maltego clients discover.
    pub documents: Documents,
    /// When the process began to serve.
    pub started_at: jiff::Timestamp,
}

/// Holds what an [`App`] is built from.
#[derive(Debug)]
pub struct Parts {
    /// The configuration.
    pub loaded: Loaded,
    /// The store, open.
    pub store: Arc<dyn Storage>,
    /// The clock.
    pub clock: SharedClock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Log lines of requests.
    pub log: Option<Log>,
    /// What this process is.
    pub mode: Mode,
    /// Where the configuration is read again; none for commands.
    pub source: Option<Source>,
    /// The providers that the next configurations can name; `loaded` has its own.
    pub providers: Registry,
    /// Where transforms are run.
    pub run_routes: RunRoutes,
}

/// Makes the data directory (mode 0700) where it is missing, and opens its store.
///
/// # Errors
/// [`StartError`] where the directory or the store cannot be used.
pub fn open_store(settings: &Settings) -> Result<Arc<dyn Storage>, StartError> {
    open_store_as(settings, Opening::default())
}

/// Opens the store as [`open_store`] does, otherwise than usual; what `settings` say goes before `opening`.
///
/// # Errors
/// [`StartError`] where the directory or the store cannot be used.
pub fn open_store_as(settings: &Settings, opening: Opening) -> Result<Arc<dyn Storage>, StartError> {
    let path = &settings.server.data;
    make_folder(path).map_err(|reason| StartError::Data {
        path: path.clone(),
        reason,
    })?;
    Ok(Arc::new(Store::open_as(path, &self::opening(settings, opening))?))
}

fn opening(settings: &Settings, opening: Opening) -> Opening {
    Opening {
        page_cache: settings.cache.store_memory,
        min_free: settings.store.min_free,
        ..opening
    }
}

/// Makes a data directory, for its owner alone.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl App {
    /// Starts the engine and reads the tokens. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] where the store cannot be read or a provider not be reached as configured.
    pub async fn build(parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts {
            loaded,
            store,
            clock,
            metrics,
            log,
            mode,
            source,
            providers,
            run_routes,
        } = parts;
        let lasts = loaded.settings.server.clock_believed;
        let time = KnownTime::open(store.clone(), clock, lasts).await;
        let tokens = Tokens::open(store.clone(), Arc::clone(&time)).await?;
        let decisions = Decisions::open(store.clone(), Arc::clone(&time), loaded.settings.store).await?;
        let network = metrics.network().clone();
        let bodies = Bodies::new(&loaded.settings.server, Arc::clone(time.clock()), network);
        let attempts = Attempts::new(loaded.settings.server.wrong_tokens, Arc::clone(time.clock()));
        let clock = Arc::clone(time.clock());
        let issuers = Issuers::new(&loaded.settings.issuers, clock, None).map_err(StartError::Issuer)?;
        let engine = Engine::start(&loaded, store, time, metrics).await?;
        let started = reload::started(&loaded);
        let runs = Runs::new(Arc::clone(engine.clock()));
        let started_at = engine.clock().now();
        let configured = ArcSwap::from_pointee(Configured::new(loaded, 1));
        Ok(Arc::new(Self {
            engine: Arc::new(engine),
            tokens,
            issuers: ArcSwap::from_pointee(issuers),
            decisions,
            bodies,
            attempts,
            rendering: Rendering::default(),
            reading: Rendering::default(),
            unread_lines: Arc::default(),
            configured,
            log,
            mode,
            source,
            started,
            reloading: Mutex::default(),
            tls: Mutex::default(),
            providers,
            run_routes,
            runs,
            documents: Documents::default(),
            started_at,
        }))
    }

    /// Keeps a decision for as long as is configured, and returns when it is on disk.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn keep(&self, tenant: &str, client: &str, answer: &AlertAnswer) -> Result<(), StoreError> {
        let kept_for = self.configured.load().settings().decisions_kept;
        self.decisions.keep(tenant, client, answer, kept_for).await
    }

    /// Takes over a new configuration whole, or leaves the old one running.
    ///
    /// # Errors
    /// [`StartError`] where a provider or an issuer cannot be reached as configured.
    pub fn reload(&self, loaded: Loaded) -> Result<(), StartError> {
        let clock = Arc::clone(self.engine.clock());
        let before = self.issuers.load();
        let issuers = Issuers::new(&loaded.settings.issuers, clock, Some(&before));
        let issuers = issuers.map_err(StartError::Issuer)?;
        self.engine.reload(&loaded)?;
        self.issuers.store(Arc::new(issuers));
        self.engine.store().keep_free(loaded.settings.store.min_free);
        self.decisions.resize(loaded.settings.store);
        let generation = self.configured.load().catalogue.generation() + 1;
        self.configured
            .store(Arc::new(Configured::new(loaded, generation)));
        Ok(())
    }

    /// Makes what scores indicators for one caller.
    #[must_use]
    pub fn scorer<'a>(
        &'a self,
        configured: &'a Configured,
        policy: &'a Policy,
        requester: &'a Requester,
        options: &'a ScoreOptions,
    ) -> Scorer<'a> {
        Scorer {
            engine: &self.engine,
            lists: &configured.settings().lists,
            feedback: &self.decisions.opinions,
            policy,
            requester,
            options,
        }
    }

    /// Tells whether everything answered is sample data.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.mode != Mode::Serve
    }
}
