//! `pivotd demo`: everything on replayed vendors, on loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::serve::StopSignals;
use super::{ExitStatus, block_on, terminal};
use crate::app::run_routes::RunRoutes;
use crate::app::{App, Mode, Parts, open_store};
use crate::clock::SystemClock;
use crate::config::settings::TlsFiles;
use crate::config::{self, Loaded};
use crate::providers::{Providers, Registry};
use crate::replay::demo::{DemoVendors, point_at};
use crate::server::Application;
use crate::telemetry::log::Log;
use crate::telemetry::metrics::Metrics;
use crate::tokens::{NewToken, Scope};

/// When every demo begins, 2026-11-22 09:00 UTC: what its vendors say then is recent, and scores are always the same.
const DAY: Timestamp = Timestamp::constant(1_795_338_000, 0);

/// Serve everything on replayed vendors: no key, no network.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Where to listen; loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,
    /// Listen with TLS, too, by a certificate that is made for the occasion and that no client knows: newer Maltego clients take
    /// HTTPS only.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8443", value_parser = address)]
    tls: Option<SocketAddr>,
    /// Ask clients for tokens, as a server does, and print two: so 401 and 403 can be seen, too.
    #[arg(long)]
    tokens: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an address and a port, such as 127.0.0.1:8080".to_owned())
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        for address in [Some(self.listen), self.tls].into_iter().flatten() {
            anyhow::ensure!(
                address.ip().is_loopback(),
                "the demo is open to everybody who reaches it, so it listens on loopback only; \
                 use `pivotd serve --listen {address}`",
            );
        }
        block_on(demo(&self))??;
        Ok(ExitStatus::Well)
    }
}

/// Loads the compiled-in configuration, without the environment: configured keys are ignored.
pub(super) fn defaults() -> anyhow::Result<Loaded> {
    config::load(None, &[], &Providers::built_in()).map_err(|errors| anyhow::anyhow!("{errors}"))
}

/// Holds everything that plays a server: replayed vendors, and a store in a folder that goes away.
pub(super) struct DemoEnvironment {
    pub(super) app: Arc<App>,
    vendors: DemoVendors,
    folder: tempfile::TempDir,
}

impl DemoEnvironment {
    /// Sets up vendors and store for a command, which logs nothing.
    pub(super) async fn set() -> anyhow::Result<Self> {
        Self::build(None, Mode::Demo).await
    }

    async fn build(listen: Option<SocketAddr>, mode: Mode) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pivotd-demo-")
            .tempdir()
            .context("no temporary directory")?;
        let mut loaded = defaults()?;
        let vendors = DemoVendors::start(&loaded.providers)
            .await
            .context("the replayed vendors cannot be started")?;
        loaded.settings.server.data = folder.path().to_path_buf();
        // What it writes is little and goes with it; a small temporary directory is enough.
        loaded.settings.store.min_free = 0;
        point_at(&mut loaded, &vendors).context("the replayed vendors' files cannot be written")?;
        let store = open_store(&loaded.settings)?;
        let metrics = Arc::new(Metrics::default());
        let log = match listen {
            Some(listen) => {
                loaded.settings.server.listen = listen;
                let mut log_settings = loaded.settings.log.clone();
                log_settings.format = crate::config::settings::LogFormat::Text;
                log_settings.file = None;
                let (log, subscriber) =
                    Log::start(&log_settings, *store.secret(), metrics.log_lines_lost().clone())?;
                tracing::subscriber::set_global_default(subscriber).context("the log is set up already")?;
                Some(log)
            }
            None => None,
        };
        let app = App::build(Parts {
            loaded,
            store,
            clock: SystemClock::shared_from(DAY),
            metrics,
            log,
            mode,
            source: None,
            providers: Registry::new(Providers::built_in()),
            run_routes: RunRoutes::default(),
        })
        .await?;
        Ok(Self { app, vendors, folder })
    }

    /// Takes it all down.
    pub(super) async fn close(self) {
        self.app.engine.close_store().await;
        self.vendors.stop().await;
        // Dropped last, when no task writes there any more.
        drop(self.folder);
    }
}

async fn demo(demo: &Demo) -> anyhow::Result<()> {
    let mode = if demo.tokens {
        Mode::DemoWithTokens
    } else {
        Mode::Demo
    };
    let environment = DemoEnvironment::build(Some(demo.listen), mode).await?;
    let tokens = if demo.tokens {
        made_tokens(&environment.app).await?
    } else {
        Vec::new()
    };
    let files = demo
        .tls
        .map(|_| self_signed(environment.folder.path()))
        .transpose()?;
    let with_tls = demo.tls.zip(files.as_ref());
    let application = Application::bind_beside(Arc::clone(&environment.app), with_tls)?;
    let control = super::serve::control(&environment.app, environment.folder.path());
    let signals = StopSignals::listen()?;
    welcome(&environment.app, &application, &tokens);
    tokio::spawn(signals.stop(application.handle(), control, Arc::clone(&environment.app)));
    application.run_until_stopped().await?;
    environment.close().await;
    Ok(())
}

/// Makes a key and a certificate for this machine's own names, which no client knows.
fn self_signed(folder: &Path) -> anyhow::Result<TlsFiles> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).context("no certificate can be made")?;
    let files = TlsFiles {
        certificate: folder.join("demo-certificate.pem"),
        key: folder.join("demo-key.pem"),
    };
    for (path, text) in [
        (&files.certificate, made.cert.pem()),
        (&files.key, made.signing_key.serialize_pem()),
    ] {
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(files)
}

/// Makes a token for a SOAR and one for a Maltego client, each without what only the other needs. Returns their names,
/// scopes and texts.
async fn made_tokens(app: &App) -> anyhow::Result<Vec<(&'static str, String, SecretString)>> {
    const WANTED: [(&str, &[Scope]); 2] = [
        ("soar", &[Scope::Enrich, Scope::Feedback, Scope::Rehearse]),
        ("anna", &[Scope::Transforms]),
    ];
    let mut made = Vec::new();
    for (name, scopes) in WANTED {
        let new = NewToken {
            scopes: scopes.to_vec(),
            ..NewToken::for_everyday(name)
        };
        let (text, record) = app.tokens.create(new).await?;
        let scopes: Vec<&str> = record.scopes.iter().map(|scope| scope.name()).collect();
        made.push((name, scopes.join(", "), text));
    }
    Ok(made)
}

/// Says what is served, with an example value for each transform and two commands to paste.
fn welcome(app: &App, application: &Application, tokens: &[(&'static str, String, SecretString)]) {
    let address = application.address;
    let configured = app.configured.load();
    let transforms = configured.catalogue.listed();
    let width = transforms.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    let rows: Vec<String> = transforms
        .iter()
        .map(|spec| format!("  {:width$}  {}", spec.name, spec.example))
        .collect();
    let first = "domaintools.ip-history";
    let body = "<MaltegoMessage><MaltegoTransformRequestMessage><Entities><Entity Type=\"maltego.Domain\">\
                <Value>example.com</Value></Entity></Entities><Limits SoftLimit=\"12\" HardLimit=\"12\"/>\
                </MaltegoTransformRequestMessage></MaltegoMessage>";
    terminal::print(&format!(
        "pivotd demo on http://{address} (loopback only). Everything it answers is sample data; nothing is asked of any \
         vendor, and its day is always 22 November 2026.\n\n\
         Transforms, each at http://{address}/run/NAME, with a value to try:\n{}",
        rows.join("\n")
    ));
    let header = |name: &str| {
        let token = tokens.iter().find(|(known, ..)| *known == name);
        token.map_or_else(String::new, |(_, _, text)| {
            format!(" -H 'Authorization: Bearer {}'", text.expose_secret())
        })
    };
    let (anna, soar) = (header("anna"), header("soar"));
    let path = tokens.iter().find(|(name, ..)| *name == "anna");
    let path = path.map_or_else(String::new, |(_, _, text)| format!("/t/{}", text.expose_secret()));
    let mut seeds = format!("  http://{address}{path}/seed");
    if let Some(with_tls) = application.tls_address {
        seeds.push_str(&format!(
            "\n  https://{with_tls}{path}/seed  (for a client that takes HTTPS only; its certificate is self-signed, and new at each start)"
        ));
    }
    // What is pasted must have no line end within it.
    terminal::print_lines(&format!(
        "\nPaste this URL into the Data Hub of a Maltego client, as a transform server of your own:\n{seeds}\n\n\
         Or import a file that holds the same:\n\
         curl -o pivotd.mtz 'http://{address}{path}/runner?Command=_CONFIG'\n\n\
         Run a transform as a Maltego client does:\n\
         curl -s{anna} http://{address}/run/{first} --data '{body}'\n\n\
         Ask for a score as a SOAR does:\n\
         curl -s{soar} http://{address}/v1/domain/career-offers.example/reputation\n"
    ));
    if !tokens.is_empty() {
        terminal::print(
            "Tokens of this demo; without one a client gets 401, and beyond a token's scopes 403:",
        );
        for (name, scopes, text) in tokens {
            terminal::print_lines(&format!("  {name} ({scopes})  {}", text.expose_secret()));
        }
        terminal::print("");
    }
    terminal::print(&format!(
        "http://{address}/docs describes the API. Stop with Ctrl-C."
    ));
}
