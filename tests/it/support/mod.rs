//! Starts pivotd on replayed vendors, with a clock that the test moves.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pivotd::app::run_routes::{RunRoute, RunRoutes};
use pivotd::app::{App, Mode, Parts, open_store_as};
use pivotd::clock::manual::ManualClock;
use pivotd::clock::{SharedClock, SystemClock};
use pivotd::config::settings::{Budget, BudgetUnit, BudgetWindow, Rate};
use pivotd::config::{self, Settings};
use pivotd::control::client::{Client, ControlError};
use pivotd::control::in_process::InProcess;
use pivotd::http::api_call::ApiCall;
use pivotd::providers::{Provider, Providers, Registry};
use pivotd::replay::{Exchange, Replay, Vendor, demo};
use pivotd::server::Application;
use pivotd::storage::redb::Opening;
use pivotd::storage::redb::failing::FailingDisk;
use pivotd::telemetry::log::Log;
use pivotd::telemetry::metrics::Metrics;
use pivotd::tokens::{NewToken, Scope};
use secrecy::ExposeSecret;

/// A user name that must never be seen anywhere but at the vendor.
pub const USERNAME: &str = "canary-user";
/// A key that must never be seen anywhere but at the vendor.
pub const API_KEY: &str = "canary-key-7f3a9c";

/// Returns the providers that are compiled in.
pub fn providers() -> Providers {
    Providers::built_in()
}

pub fn fixtures(provider: &str) -> Vendor {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(provider);
    Vendor::from_path(&path)
        .unwrap()
        .with_credentials(USERNAME, API_KEY)
}

/// Makes a vendor that answers these requests with these bodies; everything else as its fixtures' default does.
pub fn answering(name: &str, exchanges: Vec<(String, serde_json::Value)>) -> Vendor {
    let default = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
        .join("_default.http");
    let mut all = vec![Exchange::parse("_default.http", &std::fs::read_to_string(default).unwrap()).unwrap()];
    for (at, (request, body)) in exchanges.into_iter().enumerate() {
        let text = format!("{request}\n\nHTTP/1.1 200 OK\nContent-Type: application/json\n\n{body}\n");
        all.push(Exchange::parse(&format!("generated/{at}.http"), &text).unwrap());
    }
    Vendor::from_exchanges(name, all).unwrap()
}

pub fn rate(limit: u32, seconds: u64) -> Rate {
    Rate {
        limit: NonZeroU32::new(limit).unwrap(),
        per: Duration::from_secs(seconds),
        burst: NonZeroU32::MIN,
    }
}

pub fn budget(product: Option<&str>, limit: i64, unit: BudgetUnit, window: BudgetWindow) -> Budget {
    Budget {
        product: product.map(str::to_owned),
        limit,
        unit,
        currency: None,
        window,
        max_price: None,
        label: format!(
            "{limit} {} of {}",
            unit_name(unit),
            product.unwrap_or("everything")
        ),
    }
}

fn unit_name(unit: BudgetUnit) -> &'static str {
    match unit {
        BudgetUnit::Calls => "calls",
        BudgetUnit::Records => "records",
        BudgetUnit::Cents => "cents",
    }
}

type Tweak = Box<dyn FnOnce(&mut Settings)>;

/// Says how a test server is to be.
pub struct Builder {
    folder: Option<Arc<tempfile::TempDir>>,
    vendor: Option<Replay>,
    providers: Providers,
    added: String,
    run_routes: RunRoutes,
    others: BTreeMap<String, Replay>,
    wanted: Vec<String>,
    played: BTreeMap<String, Vendor>,
    clock: Option<ManualClock>,
    mode: Mode,
    is_shipped: bool,
    tweaks: Vec<Tweak>,
    opening: Opening,
}

impl Builder {
    pub fn new() -> Self {
        Self {
            folder: None,
            vendor: None,
            providers: providers(),
            added: String::new(),
            run_routes: RunRoutes::default(),
            others: BTreeMap::new(),
            wanted: Vec::new(),
            played: BTreeMap::new(),
            clock: None,
            mode: Mode::Serve,
            is_shipped: false,
            tweaks: Vec::new(),
            opening: Opening::default(),
        }
    }

    /// Uses a clock that stands still until the test moves it.
    pub fn manual_clock(mut self) -> Self {
        self.clock = Some(start_of_time());
        self
    }

    /// Keeps the store on a disk that fails on command.
    pub fn disk(mut self, disk: &FailingDisk) -> Self {
        self.opening.disk = Arc::new(disk.clone());
        self
    }

    /// Goes on with a clock.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Plays these providers, too.
    pub fn with(mut self, providers: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let names = providers.into_iter().map(|name| name.as_ref().to_owned());
        self.wanted.extend(names);
        self
    }

    /// Plays a provider by this vendor instead of its fixtures.
    pub fn plays(mut self, name: &'static str, vendor: Vendor) -> Self {
        let vendor = vendor.checking_as(&fixtures(name));
        self.played
            .insert(name.to_owned(), vendor.with_credentials(USERNAME, API_KEY));
        self
    }

    /// Runs transforms below another path, in another wire format, too.
    pub fn runs(mut self, route: RunRoute) -> Self {
        self.run_routes = self.run_routes.with(route);
        self
    }

    /// Adds a provider that is not compiled in, its vendor, and what stands in the configuration for it.
    pub fn adds(mut self, provider: Arc<dyn Provider>, vendor: Vendor, text: &str) -> Self {
        let name = provider.descriptor().name.to_string();
        self.providers = self.providers.with(provider);
        self.played
            .insert(name.clone(), vendor.with_credentials(USERNAME, API_KEY));
        self.wanted.push(name);
        self.added.push_str(text);
        self
    }

    pub fn demo(mut self) -> Self {
        self.mode = Mode::Demo;
        self
    }

    /// Keeps the compiled-in settings of what is asked around an indicator, which most tests switch off.
    pub fn shipped(mut self) -> Self {
        self.is_shipped = true;
        self
    }

    pub fn settings(mut self, tweak: impl FnOnce(&mut Settings) + 'static) -> Self {
        self.tweaks.push(Box::new(tweak));
        self
    }

    /// Goes on with the data directory and the vendor of a server that was stopped.
    pub fn after(mut self, before: Stopped) -> Self {
        self.folder = Some(before.folder);
        self.vendor = Some(before.vendor);
        self.wanted.extend(before.others.keys().cloned());
        self.others = before.others;
        self
    }

    pub async fn start(self) -> TestApp {
        let folder = self
            .folder
            .unwrap_or_else(|| Arc::new(tempfile::tempdir().unwrap()));
        let mut played = self.played;
        let mut play = |name: &str| played.remove(name).unwrap_or_else(|| fixtures(name));
        let vendor = match self.vendor {
            Some(vendor) => vendor,
            None => Replay::start(play("domaintools")).await.unwrap(),
        };
        let text = format!("{}\n{}", config::DEFAULT_FILE, self.added);
        let mut loaded = config::read(config::DEFAULT_NAME, &text, false, &[], &self.providers).unwrap();
        let settings = &mut loaded.settings;
        settings.server.listen = "127.0.0.1:0".parse().unwrap();
        if !self.is_shipped {
            // What stands around an indicator is asked for where a test wants it.
            settings.reputation.few_domains = 0;
            settings.reputation.registrations = pivotd::reputation::policy::Registrations::Never;
        }
        settings.server.data = folder.path().join("data");
        settings.server.workers = Some(2);
        // Longer than any test moves the clock: a machine that is busy must not look like a slow client.
        settings.server.client_timeout = Duration::from_secs(365 * 86_400);
        settings.server.patience = Duration::from_secs(3600);
        settings.log.file = Some(folder.path().join("log"));
        settings.log.indicators = pivotd::config::settings::LogIndicators::Full;
        let mut others = self.others;
        for descriptor in loaded.providers.descriptors() {
            let name = descriptor.name.as_str();
            let Some(provider) = settings.providers.get_mut(name) else {
                continue;
            };
            if name != "domaintools" && !self.wanted.iter().any(|wanted| wanted == name) {
                // Nobody plays it, and the real one is never asked.
                provider.enabled = false;
                continue;
            }
            let replay = match name {
                "domaintools" => &vendor,
                _ => match others.entry(name.to_owned()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(Replay::start(play(name)).await.unwrap()),
                },
            };
            demo::point(provider, descriptor, &replay.base_url(), &settings.server.data).unwrap();
            provider.credentials = demo::credentials(descriptor, USERNAME, API_KEY);
            // Generous, burst included: a clock that stands still gives no second token.
            provider.rate = vec![Rate {
                burst: NonZeroU32::MAX,
                ..rate(1_000_000, 1)
            }];
            provider.concurrency = 64;
            provider.budget = Vec::new();
        }
        for tweak in self.tweaks {
            tweak(settings);
        }
        let manual = self.clock;
        let clock: SharedClock = match &manual {
            Some(clock) => Arc::new(clock.clone()),
            None => SystemClock::shared(),
        };
        let store = open_store_as(settings, self.opening).unwrap();
        let metrics = Arc::new(Metrics::default());
        let (log, _) = Log::start(&settings.log, *store.secret(), metrics.log_lines_lost().clone()).unwrap();
        let app = App::build(Parts {
            loaded,
            store,
            clock,
            metrics,
            log: Some(log),
            mode: self.mode,
            source: None,
            providers: Registry::new(self.providers),
            run_routes: self.run_routes,
        })
        .await
        .unwrap();
        let everything = NewToken {
            scopes: Scope::ALL.to_vec(),
            ..NewToken::for_everyday("tester")
        };
        let (token, _) = app.tokens.create(everything).await.unwrap();
        let application = Application::bind(Arc::clone(&app)).unwrap();
        let address = application.address;
        let handle = application.handle();
        let running = tokio::spawn(application.run_until_stopped());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let token = token.expose_secret().to_owned();
        TestApp {
            app,
            vendor,
            others,
            folder,
            clock: manual,
            base: format!("http://{address}"),
            token,
            http,
            handle,
            running,
        }
    }
}

/// Midnight of a day in 2026.
pub fn start_of_time() -> ManualClock {
    ManualClock::new("2026-11-21T00:00:00Z".parse::<Timestamp>().unwrap())
}

/// What is left of a stopped server.
pub struct Stopped {
    pub folder: Arc<tempfile::TempDir>,
    pub vendor: Replay,
    pub others: BTreeMap<String, Replay>,
}

/// A running server with its vendor.
pub struct TestApp {
    pub app: Arc<App>,
    pub vendor: Replay,
    pub others: BTreeMap<String, Replay>,
    pub folder: Arc<tempfile::TempDir>,
    pub clock: Option<ManualClock>,
    pub base: String,
    pub token: String,
    pub http: reqwest::Client,
    handle: actix_web::dev::ServerHandle,
    running: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl TestApp {
    /// Makes a call as the local operator, as a command does that finds no server.
    pub async fn operator<C: ApiCall>(&self, call: &C) -> Result<C::Reply, ControlError> {
        let serving = InProcess::start(Arc::clone(&self.app)).unwrap();
        let reply = Client::in_process(serving.connector()).call(call, None).await;
        serving.stop().await;
        reply
    }

    pub async fn start() -> Self {
        Builder::new().start().await
    }

    pub fn clock(&self) -> &ManualClock {
        self.clock.as_ref().expect("this test has a manual clock")
    }

    /// Runs a transform as a Maltego client does.
    pub async fn run(&self, transform: &str, entity: Entity<'_>) -> Answer {
        self.run_as(&self.token, transform, entity).await
    }

    pub async fn run_raw(&self, transform: &str, body: Vec<u8>) -> Answer {
        self.run_raw_as(&self.token, transform, body).await
    }

    /// Runs a transform as the client of another token.
    pub async fn run_as(&self, token: &str, transform: &str, entity: Entity<'_>) -> Answer {
        let body = entity.request().into_bytes();
        let answer = self.run_raw_as(token, transform, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    async fn run_raw_as(&self, token: &str, transform: &str, body: Vec<u8>) -> Answer {
        let url = format!("{}/run/{transform}", self.base);
        let request = self.http.post(url).bearer_auth(token).body(body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.base);
        Answer::of(self.http.get(url).bearer_auth(&self.token).send().await.unwrap()).await
    }

    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Answer {
        let url = format!("{}{path}", self.base);
        let request = self
            .http
            .post(url)
            .bearer_auth(&self.token)
            .body(body.to_string());
        Answer::of(request.send().await.unwrap()).await
    }

    /// Posts a request that names itself by an idempotency key.
    pub async fn post_named(&self, path: &str, key: &str, body: String) -> Answer {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("idempotency-key", key)
            .body(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Everything that was logged so far.
    pub fn log(&self) -> String {
        if let Some(log) = &self.app.log {
            assert!(log.flush(std::time::Duration::MAX));
        }
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Moves the clock from wait to wait until `future` is done. Waits further away than `within` are left alone.
    pub async fn while_moving<F: Future>(&self, within: Duration, future: F) -> F::Output {
        let clock = self.clock().clone();
        tokio::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                wait = clock.wait_for_sleeper(within) => clock.advance(wait),
            }
        }
    }

    pub async fn stop(self) -> Stopped {
        self.handle.stop(true).await;
        self.running.await.unwrap().unwrap();
        Stopped {
            folder: self.folder,
            vendor: self.vendor,
            others: self.others,
        }
    }
}

/// An entity as a client sends it.
#[derive(Clone, Copy)]
pub struct Entity<'a> {
    pub type_id: &'a str,
    pub value: &'a str,
    pub limit: u32,
    pub settings: &'a [(&'a str, &'a str)],
    fields: &'a [(&'a str, &'a str)],
}

impl<'a> Entity<'a> {
    pub fn new(type_id: &'a str, value: &'a str) -> Self {
        Self {
            type_id,
            value,
            limit: 256,
            settings: &[],
            fields: &[],
        }
    }

    pub fn domain(value: &'a str) -> Self {
        Self::new("maltego.Domain", value)
    }

    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    pub fn with(self, settings: &'a [(&'a str, &'a str)]) -> Self {
        Self { settings, ..self }
    }

    /// Gives it properties.
    pub fn fields(self, fields: &'a [(&'a str, &'a str)]) -> Self {
        Self { fields, ..self }
    }

    pub fn request(&self) -> String {
        let written = |pairs: &[(&str, &str)]| -> String {
            pairs
                .iter()
                .map(|(name, value)| format!("<Field Name=\"{}\">{}</Field>", escape(name), escape(value)))
                .collect()
        };
        let (fields, properties) = (written(self.settings), written(self.fields));
        format!(
            "<MaltegoMessage><MaltegoTransformRequestMessage><Entities><Entity Type=\"{}\"><Genealogy>\
             <Type Name=\"{}\"/></Genealogy><AdditionalFields>{properties}</AdditionalFields><Value>{}</Value><Weight>0</Weight></Entity></Entities>\
             <TransformFields>{fields}</TransformFields><Limits SoftLimit=\"{}\" HardLimit=\"{}\"/>\
             </MaltegoTransformRequestMessage></MaltegoMessage>",
            self.type_id,
            self.type_id,
            escape(self.value),
            self.limit,
            self.limit
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    /// The messages, each with its kind; an exception counts as one, with its code.
    pub fn messages(&self) -> Vec<(String, String)> {
        let mut all = elements(&self.body, "UIMessage", "MessageType");
        all.extend(
            elements(&self.body, "Exception", "code")
                .into_iter()
                .map(|(code, text)| (format!("Exception {code}"), text)),
        );
        all
    }

    /// The messages of a kind, joined.
    pub fn said(&self, kind: &str) -> String {
        let texts: Vec<_> = self
            .messages()
            .into_iter()
            .filter(|(known, _)| known.trim() == kind)
            .map(|(_, text)| text)
            .collect();
        texts.join("\n")
    }

    /// Types and values of the entities.
    pub fn entities(&self) -> Vec<(String, String)> {
        self.entities_with("")
    }

    /// Types and values of the entities that have a property.
    pub fn entities_with(&self, property: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let has = |part: &&str| property.is_empty() || part.contains(&format!("Name=\"{property}\""));
        for part in self.body.split("<Entity Type=\"").skip(1).filter(has) {
            let type_id = part.split('"').next().unwrap_or("").to_owned();
            let value = part
                .split("<Value>")
                .nth(1)
                .and_then(|rest| rest.split("</Value>").next())
                .unwrap_or("");
            all.push((type_id, unescape(value)));
        }
        all
    }
}

fn elements(body: &str, name: &str, attribute: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for part in body.split(&format!("<{name}")).skip(1) {
        if !part.starts_with([' ', '>']) {
            continue;
        }
        let Some((head, rest)) = part.split_once('>') else {
            continue;
        };
        let value = head
            .split(&format!("{attribute}=\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let text = rest.split(&format!("</{name}>")).next().unwrap_or("");
        all.push((value.unwrap_or("").to_owned(), unescape(text)));
    }
    all
}

fn unescape(text: &str) -> String {
    quick_xml::escape::unescape(text)
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_else(|_| text.to_owned())
}
