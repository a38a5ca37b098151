//! `pivotd serve`: the real thing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::starting::StartSummary;
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::admin::{Binding, Role, TenantScope};
use crate::app::preflight::{Preflight, first_token};
use crate::app::run_routes::RunRoutes;
use crate::app::source::Source;
use crate::app::{App, Mode, Parts, open_store_as};
use crate::clock::SystemClock;
use crate::config::settings::{LogFormat, LogSettings};
use crate::config::{self, Loaded};
use crate::control::server::ControlServer;
use crate::domain::{Denial, FailureKind};
use crate::providers::{Providers, Registry};
use crate::server::Application;
use crate::storage::redb::Opening;
use crate::telemetry::log::{LAST_LINES, Log};
use crate::telemetry::metrics::Metrics;
use crate::tokens::NewToken;

/// The tokens that the first start makes, unless the environment names files that hold them.
const FIRST_TOKENS: [FirstToken; 2] = [
    FirstToken {
        variable: "PIVOTD_FIRST_TOKEN_FILE",
        name: "first",
        kind: "client",
        file: "first-token",
    },
    FirstToken {
        variable: "PIVOTD_FIRST_ADMIN_TOKEN_FILE",
        name: "first-admin",
        kind: "administration",
        file: "first-admin-token",
    },
];

/// Describes a token that the first start makes.
struct FirstToken {
    /// The variable that names a file with it.
    variable: &'static str,
    name: &'static str,
    kind: &'static str,
    /// The file in the data directory that it is written to otherwise.
    file: &'static str,
}

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

/// Loads the configuration and prints what is doubtful about it.
pub(super) fn load(file: Option<&Path>) -> anyhow::Result<Loaded> {
    let loaded = config::load(file, &config::environment(), &Providers::built_in())
        .map_err(|errors| anyhow::anyhow!("the configuration is refused\n{errors}"))?;
    Ok(loaded)
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let source = Source {
            file: self.file.config,
            listen: self.listen,
        };
        let loaded = source
            .load(&Providers::built_in())
            .map_err(|errors| anyhow::anyhow!("the configuration is refused\n{errors}"))?;
        let words = StartOutput::of(&loaded.settings.log);
        match block_on(serve(loaded, source, self.new, words))? {
            Ok(()) => Ok(ExitStatus::Well),
            Err(error) => {
                match words {
                    StartOutput::Log => terminal::line_in_time(&error_line(&error)),
                    StartOutput::People => terminal::note_in_time(&format!("pivotd: {error:#}")),
                }
                Ok(ExitStatus::WithError)
            }
        }
    }
}

/// Holds what a server would start with, to be looked at before.
pub(super) fn preflight(loaded: &Loaded, replaces_empty: bool, is_running: bool) -> Preflight<'_> {
    Preflight {
        loaded,
        opening: Opening {
            replaces_empty,
            ..Opening::default()
        },
        first_tokens: FIRST_TOKENS
            .iter()
            .filter_map(|first| Some((first.variable, PathBuf::from(std::env::var_os(first.variable)?))))
            .collect(),
        is_running,
    }
}

/// Says for whom standard error is while the server starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartOutput {
    /// For people, beside the log.
    People,
    /// For a collector of the log, which reads one JSON object a line and nothing else.
    Log,
}

impl StartOutput {
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
            terminal::note_in_time(text);
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
    source: Source,
    replaces_empty: bool,
    words: StartOutput,
) -> anyhow::Result<()> {
    let settings = loaded.settings.clone();
    let preflight = preflight(&loaded, replaces_empty, false);
    let mut faults = preflight.faults();
    if !faults.is_empty() {
        // Else it is opened below. That another server runs there says more than that its address is taken.
        faults.extend(preflight.store_faults());
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let given = preflight.first_tokens;
    let store = open_store_as(&settings, preflight.opening)?;
    let guarded = store.clone();
    let metrics = Arc::new(Metrics::default());
    let (log, subscriber) = Log::start(&settings.log, *store.secret(), metrics.log_lines_lost().clone())
        .context("the log cannot be written")?;
    tracing::subscriber::set_global_default(subscriber).context("the log is set up already")?;
    std::panic::set_hook(Box::new(log_panic));
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "the configuration is doubtful");
        if settings.log.file.is_some() {
            terminal::note_in_time(&format!("warning: {warning}"));
        }
    }
    let app = App::build(Parts {
        loaded,
        store,
        clock: SystemClock::shared(),
        metrics,
        log: Some(log.clone()),
        mode: Mode::Serve,
        source: Some(source),
        providers: Registry::new(Providers::built_in()),
        run_routes: RunRoutes::default(),
    })
    .await?;
    let first_tokens = make_first(&app, &settings.server.data, &given, words).await?;
    // Before a supervisor can tell that the server serves, so that no signal meets a process that does not know it.
    let signals = StopSignals::listen()?;
    let hangup = signal(SignalKind::hangup()).context("signals cannot be received")?;
    let application = Application::bind(Arc::clone(&app))?;
    let control = control(&app, &settings.server.data);
    let scheme = if application.tls { "https" } else { "http" };
    tell_start(&app, first_tokens, words);
    tracing::info!(address = %application.address, scheme, "serving");
    words.note(&format!("pivotd serves on {scheme}://{}", application.address));
    tokio::spawn(signals.stop(application.handle(), control, Arc::clone(&app)));
    tokio::spawn(reload_on_hangup(hangup, Arc::clone(&app)));
    tokio::spawn(learn_accounts(Arc::clone(&app)));
    tokio::spawn(sweep(Arc::clone(&app)));
    tokio::spawn(keep_notes(Arc::clone(&app)));
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
    let _ = log.flush(LAST_LINES);
    Ok(())
}

/// Writes a panic to the log: standard error may have no reader, or a collector that reads one JSON object a line.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let said = panic.payload_as_str().unwrap_or("nothing");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(said, place, "pivotd failed inside");
}

/// Says what was read and what is served: to people, and to the log where that is not theirs.
fn tell_start(app: &App, first_tokens: Vec<String>, words: StartOutput) {
    let configured = app.configured.load();
    let starting = StartSummary {
        loaded: &configured.loaded,
        file: app.source.as_ref().and_then(|source| source.file.as_deref()),
        store: app.engine.store().path(),
        tokens: app.tokens.list().len(),
        first_tokens,
    };
    if words == StartOutput::Log || configured.settings().log.file.is_some() {
        let providers: Vec<String> = starting
            .providers()
            .iter()
            .map(|(state, names)| format!("{state}: {}", names.join(", ")))
            .collect();
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            configuration = starting.configuration(),
            store = starting.store(),
            providers = providers.join("; "),
            tokens = starting.tokens,
            "starting"
        );
    }
    words.note(&starting.text());
}

/// Makes tokens at the first start, so that the server is never open, and can be administered: to the terminal, or to 0600
/// files in the data directory, or taken from files that the environment names. Says where they are.
async fn make_first(
    app: &App,
    data: &Path,
    given: &[(&str, PathBuf)],
    words: StartOutput,
) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    let [client, administration] = &FIRST_TOKENS;
    // One that was revoked is not made again: a restart gives nothing back.
    let has_administrator = app.tokens.has_administrator();
    if app.tokens.is_empty() {
        let new = NewToken::for_everyday(client.name);
        told.push(first_of(app, data, given, words, client, new).await?);
    }
    if !has_administrator {
        let new = NewToken {
            scopes: Vec::new(),
            roles: vec![Binding {
                role: Role::Admin,
                tenant: TenantScope::All,
            }],
            ..NewToken::for_everyday(administration.name)
        };
        told.push(first_of(app, data, given, words, administration, new).await?);
    }
    Ok(told)
}

async fn first_of(
    app: &App,
    data: &Path,
    given: &[(&str, PathBuf)],
    words: StartOutput,
    first: &FirstToken,
    new: NewToken,
) -> anyhow::Result<String> {
    let kind = first.kind;
    if let Some((variable, path)) = given.iter().find(|(variable, _)| *variable == first.variable) {
        let text = first_token(variable, path).map_err(anyhow::Error::msg)?;
        app.tokens.adopt(&text, new).await?;
        return Ok(format!("the first {kind} token is that of {}", path.display()));
    }
    let (text, _) = app.tokens.create(new).await?;
    if words == StartOutput::People && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        return Ok(format!(
            "the first {kind} token, shown once:\n{}",
            text.expose_secret()
        ));
    }
    let path = data.join(first.file);
    write_private(&path, format!("{}\n", text.expose_secret()).as_bytes())
        .with_context(|| path.display().to_string())?;
    tracing::info!(file = %path.display(), "the first {kind} token is in a file");
    Ok(format!("the first {kind} token is in {}", path.display()))
}

/// Writes a file that its owner alone may read.
pub(super) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
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
    options.open(path)?.write_all(content)
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
    /// Listens.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let receive = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            interrupt: receive(SignalKind::interrupt())?,
            terminate: receive(SignalKind::terminate())?,
        })
    }

    /// Stops the server gracefully on the first signal: questions for which no provider was asked yet are told so at once; commands
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
        note_uses(&app).await;
    }
}

/// Reloads the configuration on SIGHUP, after full validation; a bad file leaves the old one running.
async fn reload_on_hangup(mut hangup: Signal, app: Arc<App>) {
    while hangup.recv().await.is_some() {
        // The log says what came of it.
        drop(app.reload_source());
    }
}

/// Asks each vendor once what the server's key is entitled to: its limits then hold from the first question on,
/// and a key that is refused is known before an analyst meets it.
async fn learn_accounts(app: Arc<App>) {
    for (name, runtime) in app.engine.runtimes().iter() {
        if !runtime.keyring.has_key() || runtime.provider.descriptor().account.is_none() {
            continue;
        }
        match app.engine.learn_accounts(name).await {
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
        app.decisions.forget_past();
        clock
            .sleep_until(clock.elapsed() + std::time::Duration::from_secs(3600))
            .await;
    }
}

/// Writes every minute what no other write took along: when tokens were last used, what the cache saved, and what budgets refused.
async fn keep_notes(app: Arc<App>) {
    let clock = Arc::clone(app.engine.clock());
    loop {
        clock
            .sleep_until(clock.elapsed() + std::time::Duration::from_secs(60))
            .await;
        note_uses(&app).await;
        app.engine.ledger().hand_over_notes();
    }
}

async fn note_uses(app: &App) {
    if let Err(error) = app.tokens.keep_uses().await {
        tracing::warn!(%error, "when tokens were last used could not be kept");
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
