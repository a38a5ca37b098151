//! `pivotd serve`: the real thing.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{ConfigFile, Done, block_on, terminal};
use crate::clock::SystemClock;
use crate::config::settings::{LogFormat, LogSettings};
use crate::config::{self, Loaded};
use crate::control::server::ControlServer;
use crate::domain::{Denial, FailureKind};
use crate::engine::store::Opening;
use crate::providers::{Descriptor, registry};
use crate::server::Application;
use crate::startup::{App, Mode, Parts, open_store_as};
use crate::telemetry::log::Log;
use crate::telemetry::metrics::Metrics;
use crate::tokens::NewToken;

/// Names the file that holds the first token, where the environment gives one.
const TOKEN_FILE: &str = "PIVOTD_FIRST_TOKEN_FILE";

/// Serve transforms and scores.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// Where to listen; over the configuration.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Begin a new store where the file of the store is there and empty. One that holds anything is never touched.
    #[arg(long)]
    new: bool,
}

pub(super) fn descriptors() -> Vec<&'static Descriptor> {
    registry::all()
        .iter()
        .map(|provider| provider.descriptor())
        .collect()
}

/// Loads the configuration and prints what is doubtful about it.
pub(super) fn load(file: Option<&Path>) -> anyhow::Result<Loaded> {
    let loaded = config::load(file, &config::environment(), &descriptors())
        .map_err(|errors| anyhow::anyhow!("the configuration is refused\n{errors}"))?;
    Ok(loaded)
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        let mut loaded = load(self.file.config.as_deref())?;
        if let Some(listen) = self.listen {
            loaded.settings.server.listen = listen;
        }
        let words = Words::of(&loaded.settings.log);
        let exposure = loaded.settings.check_exposure();
        let done = exposure
            .map_err(|errors| anyhow::anyhow!("{}", errors.join("\n")))
            .and_then(|()| block_on(serve(loaded, self.file.config, self.listen, self.new, words))?);
        match done {
            Ok(()) => Ok(Done::Well),
            Err(error) if words == Words::Log => {
                drop(writeln!(std::io::stderr().lock(), "{}", error_line(&error)));
                Ok(Done::WithError)
            }
            Err(error) => Err(error),
        }
    }
}

/// Says for whom standard error is while the server starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// For people, beside the log.
    People,
    /// For a collector of the log, which reads one JSON object a line and nothing else.
    Log,
}

impl Words {
    fn of(log: &LogSettings) -> Self {
        if log.format == LogFormat::Json && log.file.is_none() {
            Self::Log
        } else {
            Self::People
        }
    }

    /// Tells people, where standard error is theirs.
    fn note(self, text: &str) {
        if self == Self::People {
            terminal::note(text);
        }
    }
}

/// Writes why the server does not start as a line of its log.
fn error_line(error: &anyhow::Error) -> String {
    serde_json::json!({
        "timestamp": SystemClock::shared().now().to_string(),
        "level": "ERROR",
        "fields": { "message": "the server does not start", "error": format!("{error:#}") },
        "target": "pivotd::cli::serve",
    })
    .to_string()
}

async fn serve(
    loaded: Loaded,
    file: Option<PathBuf>,
    listen: Option<SocketAddr>,
    replaces_empty: bool,
    words: Words,
) -> anyhow::Result<()> {
    let settings = loaded.settings.clone();
    let opening = Opening {
        replaces_empty,
        ..Opening::default()
    };
    let store = open_store_as(&settings, opening)?;
    let guarded = store.clone();
    let metrics = Arc::new(Metrics::default());
    let (log, subscriber) = Log::start(&settings.log, *store.secret(), metrics.log_lines_lost().clone())
        .context("the log cannot be written")?;
    tracing::subscriber::set_global_default(subscriber).context("the log is set up already")?;
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "the configuration is doubtful");
        if settings.log.file.is_some() {
            terminal::note(&format!("warning: {warning}"));
        }
    }
    let app = App::build(Parts {
        loaded,
        store,
        clock: SystemClock::shared(),
        metrics,
        log: Some(log.clone()),
        mode: Mode::Serve,
        providers: registry::all(),
    })?;
    first_token(&app, &settings.server.data, words).await?;
    let application = Application::bind(Arc::clone(&app))?;
    let control = control(&app, &settings.server.data);
    let signals = StopSignals::listen()?;
    let hangup = signal(SignalKind::hangup()).context("signals cannot be received")?;
    let scheme = if application.tls { "https" } else { "http" };
    tracing::info!(address = %application.address, scheme, "serving");
    words.note(&format!("pivotd serves on {scheme}://{}", application.address));
    tokio::spawn(signals.stop(application.handle(), control, Arc::clone(&app)));
    tokio::spawn(reload_on_hangup(hangup, Arc::clone(&app), file, listen));
    tokio::spawn(learn_accounts(Arc::clone(&app)));
    tokio::spawn(sweep(Arc::clone(&app)));
    tokio::spawn(refresh(Arc::clone(&app), settings.server.data.clone()));
    let handle = application.handle();
    let running = application.run_until_stopped();
    tokio::pin!(running);
    let broken = tokio::select! {
        stopped = &mut running => {
            stopped?;
            None
        }
        error = guarded.broken() => Some(error),
    };
    if let Some(error) = broken {
        // A supervisor's restart heals it, or says the same.
        tokio::spawn(handle.stop(true));
        running.await?;
        anyhow::bail!("{error}");
    }
    tracing::info!("stopped");
    log.flush();
    Ok(())
}

/// Makes a token at the first start, so that the server is never open: to the terminal, or to a 0600
/// file in the data directory, or taken from a file that the environment names.
async fn first_token(app: &App, data: &Path, words: Words) -> anyhow::Result<()> {
    if !app.tokens.is_empty() {
        return Ok(());
    }
    let new = NewToken::for_everyday("first");
    if let Some(path) = std::env::var_os(TOKEN_FILE) {
        let path = PathBuf::from(path);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{TOKEN_FILE}: {}", path.display()))?;
        let text = SecretString::from(text.trim().to_owned());
        anyhow::ensure!(
            text.expose_secret().len() >= 32,
            "{TOKEN_FILE}: {} holds less than 32 characters; a token must not be guessable",
            path.display()
        );
        app.tokens.adopt(&text, new).await?;
        return Ok(());
    }
    let (text, _) = app.tokens.create(new).await?;
    if words == Words::People && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        terminal::note(&format!(
            "the first client token, shown once: {}",
            text.expose_secret()
        ));
        return Ok(());
    }
    let path = data.join("first-token");
    write_private(&path, text.expose_secret()).with_context(|| path.display().to_string())?;
    tracing::info!(file = %path.display(), "the first client token is in a file");
    words.note(&format!("the first client token is in {}", path.display()));
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    // A file that is there may have been made for others to read.
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}

/// Listens for commands; a server that cannot goes on without, since its clients need it more.
pub(super) fn control(app: &Arc<App>, data: &Path) -> Option<ControlServer> {
    ControlServer::start(Arc::clone(app), data)
        .inspect_err(|error| {
            tracing::error!(%error, "no control socket: commands cannot reach this server (is the path of the data directory too long?)");
        })
        .ok()
}

/// Receives SIGINT and SIGTERM from the moment it is made.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Listens; made before anybody is told that the server serves, so that no signal kills it half way.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let receive = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            interrupt: receive(SignalKind::interrupt())?,
            terminate: receive(SignalKind::terminate())?,
        })
    }

    /// Stops the server gracefully on the first signal: questions that nobody was asked yet are told so at once; commands
    /// and answers under way have the time that `server.shutdown` gives.
    pub(super) async fn stop(
        mut self,
        handle: actix_web::dev::ServerHandle,
        control: Option<ControlServer>,
        app: Arc<App>,
    ) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        handle.pause().await;
        app.engine.close();
        let commands = async {
            if let Some(control) = control {
                control.stop().await;
            }
        };
        tokio::join!(commands, handle.stop(true));
    }
}

/// Reloads the configuration on SIGHUP, after full validation; a bad file leaves the old one running.
async fn reload_on_hangup(
    mut hangup: Signal,
    app: Arc<App>,
    file: Option<PathBuf>,
    listen: Option<SocketAddr>,
) {
    while hangup.recv().await.is_some() {
        match load(file.as_deref()) {
            Ok(mut loaded) => {
                if let Some(listen) = listen {
                    loaded.settings.server.listen = listen;
                }
                let transforms = loaded.settings.transforms.len();
                for warning in &loaded.warnings {
                    tracing::warn!(%warning, "the new configuration is doubtful");
                }
                match app.reload(loaded) {
                    Ok(()) => tracing::info!(transforms, "the configuration was reloaded"),
                    Err(error) => {
                        tracing::error!(%error, "the new configuration is refused; the old one goes on");
                    }
                }
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the new configuration is refused; the old one goes on");
            }
        }
    }
}

/// Asks each vendor once what the server's key is entitled to: its limits then hold from the first question on,
/// and a key that is refused is known before an analyst meets it.
async fn learn_accounts(app: Arc<App>) {
    for (name, runtime) in app.engine.runtimes().iter() {
        if runtime.own.is_none() || runtime.provider.descriptor().account.is_none() {
            continue;
        }
        match app.engine.learn_account(name).await {
            Ok(()) => tracing::info!(provider = %name, "the key works"),
            // The engine has said so, with the key's fingerprint.
            Err(failure) if failure.kind == FailureKind::Denied(Denial::ServerKey) => {}
            Err(failure) => {
                tracing::warn!(provider = %name, reason = %failure.message, "the key could not be tried");
            }
        }
    }
}

/// Removes answers and audit rows that are of no use any more, at start and every hour.
async fn sweep(app: Arc<App>) {
    let clock = Arc::clone(app.engine.clock());
    loop {
        match app.engine.sweep().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed answers past their time"),
            Err(error) => tracing::error!(%error, "answers past their time could not be removed"),
        }
        clock
            .sleep_until(clock.elapsed() + std::time::Duration::from_secs(3600))
            .await;
    }
}

/// Fetches files of public facts whose time has come, at start and every hour.
async fn refresh(app: Arc<App>, data: PathBuf) {
    let clock = Arc::clone(app.engine.clock());
    loop {
        app.engine.refresh_reference(&data).await;
        clock
            .sleep_until(clock.elapsed() + std::time::Duration::from_secs(3600))
            .await;
    }
}
