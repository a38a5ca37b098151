//! Finds what answers a command: the running server, or this process over the store it opens itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};

use super::differs::{self, differences};
use super::serve::load;
use super::starting::whole;
use super::{ConfigFile, demo, terminal};
use crate::app::run_routes::RunRoutes;
use crate::app::state::{StateView, values};
use crate::app::{App, Mode, Parts, StartError, open_store};
use crate::clock::SystemClock;
use crate::config::settings::ServerSettings;
use crate::config::{self, Loaded};
use crate::control::client::Client;
use crate::control::in_process::InProcess;
use crate::control::remote::RemoteServer;
use crate::control::socket;
use crate::http::admin::keys::{KeyView, TestKeys};
use crate::http::admin::server::GetState;
use crate::http::api_call::ApiCall;
use crate::providers::{Providers, Registry};
use crate::storage::StoreError;

/// What is waited for, in the words of a progress bar.
pub(super) const STORE: &str = "the store";

/// What a command waits beyond the server's own deadline.
const GRACE: Duration = Duration::from_secs(30);

/// What a command waits for a server elsewhere, whose deadlines it does not know.
const REMOTE: Duration = Duration::from_secs(300);

/// Is what answers commands: a running server, or this process.
pub(super) struct Session {
    client: Client,
    /// How long an answer is waited for that does not take long.
    patience: Duration,
    own: Option<InProcessSession>,
}

/// Is this process, over its own store or on replayed vendors.
struct InProcessSession {
    serving: InProcess,
    app: Arc<App>,
    environment: Option<Box<demo::DemoEnvironment>>,
}

impl Session {
    /// Finds the server of the configured data directory, or opens its store. Says where the server's configuration is
    /// another.
    ///
    /// Must be called within a tokio runtime.
    pub(super) async fn open(config: Option<&Path>) -> anyhow::Result<Self> {
        let loaded = load(config)?;
        if let Some(server) = Self::server(&loaded, config).await? {
            return Ok(server);
        }
        warn_to_stderr()?;
        exists(&loaded.settings.server.data, config)?;
        Self::own(own(loaded).await?, None)
    }

    /// Answers in this process.
    fn own(app: Arc<App>, environment: Option<Box<demo::DemoEnvironment>>) -> anyhow::Result<Self> {
        let deadlines = app.configured.load().settings().deadlines;
        let serving = InProcess::start(Arc::clone(&app)).context("this process cannot serve the command")?;
        Ok(Self {
            client: Client::in_process(serving.connector()),
            patience: deadlines.maltego.max(deadlines.enrich) + GRACE,
            own: Some(InProcessSession {
                serving,
                app,
                environment,
            }),
        })
    }

    fn running(client: Client, patience: Duration) -> Self {
        Self {
            client,
            patience,
            own: None,
        }
    }

    async fn server(loaded: &Loaded, config: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let Some(client) = Client::find(&loaded.settings.server.data).await? else {
            return Ok(None);
        };
        let state = client.call(&GetState, Some(GRACE)).await?;
        differs::note(&differences(&state.values, &values(loaded)), config);
        let deadlines = loaded.settings.deadlines;
        let patience = deadlines.maltego.max(deadlines.enrich) + GRACE;
        Ok(Some(Self::running(client, patience)))
    }

    /// As [`Session::open`], for what needs the store only: of the configuration no more is read than where it is, so that
    /// a fault elsewhere in it stops no command.
    pub(super) async fn of_store(config: Option<&Path>) -> anyhow::Result<Self> {
        let server = located(config)?;
        let loaded = load(config);
        if let Some(client) = Client::find(&server.data).await? {
            let state = client.call(&GetState, Some(GRACE)).await?;
            match &loaded {
                Ok(loaded) => differs::note(&differences(&state.values, &values(loaded)), config),
                Err(_) => differs::note_file(&state, &server.data, config),
            }
            return Ok(Self::running(client, GRACE));
        }
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                terminal::note(&format!("note: {error:#}\nthe store is used all the same"));
                let mut loaded = demo::defaults()?;
                loaded.settings.server = server;
                loaded
            }
        };
        warn_to_stderr()?;
        exists(&loaded.settings.server.data, config)?;
        Self::own(own(loaded).await?, None)
    }

    /// As [`Session::open`], for tests of keys, which need no store: before the first start of the server there is none.
    /// The folder holds one meanwhile.
    async fn of_keys(config: Option<&Path>) -> anyhow::Result<(Self, Option<tempfile::TempDir>)> {
        let mut loaded = load(config)?;
        if let Some(server) = Self::server(&loaded, config).await? {
            return Ok((server, None));
        }
        warn_to_stderr()?;
        let mut folder = None;
        if !loaded.settings.server.data.is_dir() {
            let made = tempfile::Builder::new().prefix("pivotd-keys-").tempdir();
            let made = made.context("no temporary directory")?;
            terminal::note(&format!(
                "note: there is no data directory {}, so this is counted in no ledger; where a server has spent before, give \
                 its configuration, and its variables such as PIVOTD__SERVER__DATA",
                whole(&loaded.settings.server.data)
            ));
            loaded.settings.server.data = made.path().to_path_buf();
            folder = Some(made);
        }
        Ok((Self::own(own(loaded).await?, None)?, folder))
    }

    /// Starts replayed vendors in this process, without keys or network.
    pub(super) async fn demo() -> anyhow::Result<Self> {
        warn_to_stderr()?;
        let environment = Box::new(demo::DemoEnvironment::set().await?);
        Self::own(Arc::clone(&environment.app), Some(environment))
    }

    /// Asks a server elsewhere.
    pub(super) fn remote(server: RemoteServer) -> Self {
        Self::running(Client::remote(server), REMOTE)
    }

    /// Opens one or the other.
    pub(super) async fn of(
        config: Option<&Path>,
        demo: bool,
        remote: Option<RemoteServer>,
    ) -> anyhow::Result<Self> {
        if let Some(server) = remote {
            Ok(Self::remote(server))
        } else if demo {
            Self::demo().await
        } else {
            Self::open(config).await
        }
    }

    /// Makes a call, with a progress bar that says `what` is waited for.
    ///
    /// # Errors
    /// Where nothing was done, with the reason.
    pub(super) async fn call<C: ApiCall>(&self, call: &C, what: &str) -> anyhow::Result<C::Reply> {
        let progress = terminal::Progress::start(what);
        let patience = (!C::TAKES_LONG).then_some(self.patience);
        let reply = self.client.call(call, patience).await;
        drop(progress);
        Ok(reply?)
    }

    /// Waits until everything is on disk.
    pub(super) async fn close(self) {
        let Self { client, own, .. } = self;
        drop(client);
        let Some(InProcessSession {
            serving,
            app,
            environment,
        }) = own
        else {
            return;
        };
        serving.stop().await;
        match environment {
            None => app.engine.close_store().await,
            Some(environment) => {
                drop(app);
                environment.close().await;
            }
        }
    }
}

/// Names a server elsewhere that a command asks instead of the one on this machine.
#[derive(Debug, clap::Args)]
pub(super) struct ServerElsewhere {
    /// Ask a server elsewhere, by the URL that clients call; no keys, store or configuration are needed here.
    #[arg(long, value_name = "URL", requires = "token_file")]
    server: Option<String>,
    /// A file that holds the client token for --server and nothing else.
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// A PEM file with the authority that signed the certificate of --server, where this machine does not know it.
    #[arg(long, value_name = "FILE", requires = "server")]
    ca_file: Option<PathBuf>,
}

impl ServerElsewhere {
    /// Tells whether one is named.
    pub(super) fn is_named(&self) -> bool {
        self.server.is_some()
    }

    /// Returns the one that is named, with the token of its file.
    pub(super) fn server(&self) -> anyhow::Result<Option<RemoteServer>> {
        let named = self.server.as_ref().zip(self.token_file.as_ref());
        named
            .map(|(url, file)| elsewhere(url, file, self.ca_file.as_deref()))
            .transpose()
    }
}

/// Names what a command of administration is for: the server on this machine or its store, or a server elsewhere.
#[derive(Debug, clap::Args)]
pub(super) struct Administered {
    #[command(flatten)]
    pub(super) file: ConfigFile,
    #[command(flatten)]
    elsewhere: ServerElsewhere,
}

impl Administered {
    /// Returns the configuration file that is named.
    pub(super) fn config(&self) -> Option<&Path> {
        self.file.config.as_deref()
    }

    /// Makes one call.
    pub(super) async fn once<C: ApiCall>(&self, call: &C, what: &str) -> anyhow::Result<C::Reply> {
        match self.elsewhere.server()? {
            Some(server) => Session::remote(server).call(call, what).await,
            None => once(self.config(), call, what).await,
        }
    }
}

/// Names a server elsewhere, with the token of a file.
pub(super) fn elsewhere(
    url: &str,
    token_file: &Path,
    ca_file: Option<&Path>,
) -> anyhow::Result<RemoteServer> {
    let token = token_in(token_file)?;
    RemoteServer::new(url, token, ca_file).map_err(|expected| anyhow::anyhow!("--server: {expected}"))
}

/// Reads a token from a file that holds nothing else.
pub(super) fn token_in(file: &Path) -> anyhow::Result<SecretString> {
    let mut text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let token = SecretString::from(text.trim());
    text.zeroize();
    let is_word = |text: &str| {
        !text.is_empty() && text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    anyhow::ensure!(
        is_word(token.expose_secret()),
        "{}: expected a client token and nothing else",
        file.display()
    );
    Ok(token)
}

/// Reads where the server is, and says what is doubtful about that.
pub(super) fn located(config: Option<&Path>) -> anyhow::Result<ServerSettings> {
    let (server, warnings) = config::located(config, &config::environment()).map_err(|errors| {
        anyhow::anyhow!(
            "the configuration does not say for sure where the server is, so nothing was done\n{errors}"
        )
    })?;
    for warning in warnings {
        terminal::note(&format!("warning: {warning}"));
    }
    Ok(server)
}

/// Makes one call about the store, for commands that need no more.
pub(super) async fn once<C: ApiCall>(
    config: Option<&Path>,
    call: &C,
    what: &str,
) -> anyhow::Result<C::Reply> {
    let session = Session::of_store(config).await?;
    let reply = session.call(call, what).await;
    session.close().await;
    reply
}

/// Asks providers about their keys.
pub(super) async fn test_keys(
    config: Option<&Path>,
    provider: Option<String>,
    what: &str,
) -> anyhow::Result<Vec<KeyView>> {
    let (session, folder) = Session::of_keys(config).await?;
    let reply = session.call(&TestKeys { provider }, what).await;
    session.close().await;
    drop(folder);
    reply
}

/// Returns how the running server of a configuration stands; `None` where none runs, or another program.
pub(super) async fn server_state(loaded: &Loaded) -> Option<StateView> {
    let client = Client::find(&loaded.settings.server.data).await.ok()??;
    client.call(&GetState, Some(GRACE)).await.ok()
}

/// Says that there is no data directory, and whose it would be. Only `pivotd serve` makes one: a second would hold a cache
/// and budgets of its own.
fn exists(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    anyhow::ensure!(
        data.is_dir(),
        "there is no data directory {}, and no server runs over it; give the server's configuration with --config or \
         PIVOTD_CONFIG, or start `{}`, which makes the directory",
        whole(data),
        terminal::command("serve", config)
    );
    Ok(())
}

/// Says that no server runs over a data directory.
pub(super) fn missing_server(data: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "no server runs over the data directory {}; give the server's configuration with --config or PIVOTD_CONFIG",
        whole(data)
    )
}

async fn own(loaded: Loaded) -> anyhow::Result<Arc<App>> {
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
        source: None,
        providers: Registry::new(Providers::built_in()),
        run_routes: RunRoutes::default(),
    })
    .await?)
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
