//! Finds whoever answers a command: the running server, or this process over the store it opens itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::serve::load;
use super::{demo, terminal};
use crate::clock::SystemClock;
use crate::config::Loaded;
use crate::control::client::Client;
use crate::control::{ControlReply, ControlRequest, execute, socket};
use crate::engine::store::StoreError;
use crate::providers::registry;
use crate::startup::{App, Mode, Parts, StartError, open_store};

/// What a command waits beyond the server's own deadline.
const GRACE: Duration = Duration::from_secs(30);

/// Is whoever answers commands.
pub(super) enum Session {
    /// A running server.
    Server { client: Client, patience: Duration },
    /// This process.
    Own(Arc<App>),
    /// This process, on replayed vendors.
    Demo(Box<demo::Stage>),
}

impl Session {
    /// Finds the server of the configured data directory, or opens its store.
    ///
    /// Must be called within a tokio runtime.
    pub(super) async fn open(config: Option<&Path>) -> anyhow::Result<Self> {
        let loaded = load(config)?;
        let data = &loaded.settings.server.data;
        if let Some(client) = Client::find(data).await? {
            let deadlines = loaded.settings.deadlines;
            let patience = deadlines.maltego.max(deadlines.enrich) + GRACE;
            return Ok(Self::Server { client, patience });
        }
        warn_to_stderr()?;
        Ok(Self::Own(own(loaded)?))
    }

    /// Starts replayed vendors in this process, without keys or network.
    pub(super) async fn demo() -> anyhow::Result<Self> {
        warn_to_stderr()?;
        Ok(Self::Demo(Box::new(demo::Stage::set().await?)))
    }

    /// Opens one or the other.
    pub(super) async fn of(config: Option<&Path>, demo: bool) -> anyhow::Result<Self> {
        if demo {
            Self::demo().await
        } else {
            Self::open(config).await
        }
    }

    /// Asks, with a progress bar that says `what` is waited for.
    ///
    /// # Errors
    /// Where nothing was done, with the reason.
    pub(super) async fn ask(&self, request: ControlRequest, what: &str) -> anyhow::Result<ControlReply> {
        let progress = terminal::Progress::start(what);
        let reply = match self {
            Self::Server { client, patience } => client.ask(&request, *patience).await?,
            Self::Own(app) => execute(app, request).await,
            Self::Demo(stage) => execute(&stage.app, request).await,
        };
        drop(progress);
        match reply {
            ControlReply::Refused { reason } => Err(anyhow::anyhow!(reason)),
            reply => Ok(reply),
        }
    }

    /// Waits until everything is on disk.
    pub(super) async fn close(self) {
        match self {
            Self::Server { .. } => {}
            Self::Own(app) => app.engine.store().close().await,
            Self::Demo(stage) => stage.strike().await,
        }
    }
}

/// Asks one thing, for commands that need no more.
pub(super) async fn once(
    config: Option<&Path>,
    request: ControlRequest,
    what: &str,
) -> anyhow::Result<ControlReply> {
    let session = Session::open(config).await?;
    let reply = session.ask(request, what).await;
    session.close().await;
    reply
}

/// Says that a reply is not the one that belongs to the request.
pub(super) fn unexpected() -> anyhow::Error {
    anyhow::anyhow!(
        "the running server gave another answer than was asked for; use the same program for both"
    )
}

fn own(loaded: Loaded) -> anyhow::Result<Arc<App>> {
    let data = loaded.settings.server.data.clone();
    let store = match open_store(&loaded.settings) {
        Err(StartError::Store(StoreError::Locked(path))) => anyhow::bail!(
            "{} is in use by another pivotd that does not answer on {}; a server that just starts or stops answers \
             in a moment, so try again, or stop it",
            path.display(),
            socket(&data).display()
        ),
        store => store?,
    };
    Ok(App::build(Parts {
        loaded,
        store,
        clock: SystemClock::shared(),
        metrics: Arc::default(),
        log: None,
        mode: Mode::Serve,
        providers: registry::all(),
    })?)
}

/// Shows warnings and errors of the engine, which a server would log.
fn warn_to_stderr() -> anyhow::Result<()> {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .finish();
    tracing::subscriber::set_global_default(subscriber).context("the log is set up already")
}
