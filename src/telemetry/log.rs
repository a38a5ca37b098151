//! Writes log lines: everything goes through one bounded channel to one writer, which never blocks a request.
//!
//! Lines of requests are made from their fields by the writer, so a request pays only for handing
//! them over. When the writer lags, lines are counted as lost instead of holding a request up, and a line says how many once
//! it goes on. What waits for the last lines waits no longer than it says: what they are written to may have no reader.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use sha2::Sha256;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::level::level;
use crate::config::settings::{LogFormat, LogIndicators, LogSettings};
use crate::domain::indicator::{is_turning, unturned};

mod writer;

use writer::{Line, Progress, Writer};

const QUEUE: usize = 4096;
/// The target of requests' lines.
const REQUESTS: &str = "pivotd::request";
/// Libraries that never log below a warning, whatever the level.
const QUIET: [&str; 5] = ["h2", "hyper", "hyper_util", "reqwest", "rustls"];
/// Libraries that never log: they tell what any client sent, as often as it sends it.
const SILENT: &str = "actix_http";
/// A library that tells at `info` how many threads it starts, which is of use to its debugger only.
const CHATTY: &str = "actix_server";
/// How long the end of the process waits for the last lines.
pub const LAST_LINES: Duration = Duration::from_secs(1);

/// Holds the fields of one request's line.
#[derive(Debug, Clone)]
pub struct RequestLine {
    /// When it was answered.
    pub at: Timestamp,
    /// The request id.
    pub request_id: uuid::Uuid,
    /// The client token's name; empty where there was none.
    pub client: Arc<str>,
    /// The frontend.
    pub face: &'static str,
    /// The transform or the route's pattern, never the request's target.
    pub operation: Arc<str>,
    /// The outcome.
    pub outcome: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Where the answer came from.
    pub cache: &'static str,
    /// Time that the vendor took.
    pub provider_time: Duration,
    /// Time in all.
    pub took: Duration,
    /// What was asked about; shown as the settings say.
    pub indicator: Option<Arc<str>>,
    /// The id of the decision, where one was made.
    pub decision: Option<Arc<str>>,
}

/// Hands lines to the writer.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<Line>,
    lost: Counter,
    progress: Arc<Progress>,
    requests: bool,
    /// The file, where it is not standard error, with the place from which the writer takes a new one.
    file: Option<(PathBuf, Next)>,
}

/// Holds a file that the writer goes on with.
type Next = Arc<Mutex<Option<File>>>;

/// Is what the writer writes to.
struct Sink {
    file: File,
    next: Next,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(next) = self.next.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.file = next;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Says how the writer shows a request.
struct Style {
    format: LogFormat,
    indicators: LogIndicators,
    /// Keyed already: the key's part of a hash is the same for every line.
    keyed: Option<Hmac<Sha256>>,
}

impl Log {
    /// Starts the writer, on a file or standard error, and returns the log with a subscriber for everything else.
    ///
    /// `secret` keys the hashes of indicators; `lost` counts what the writer could not take.
    ///
    /// # Errors
    /// Where the file cannot be opened or the level is none.
    pub fn start(
        settings: &LogSettings,
        secret: [u8; 32],
        lost: Counter,
    ) -> io::Result<(Self, impl tracing::Subscriber + Send + Sync + use<>)> {
        let first = match &settings.file {
            Some(path) => file(path, true).map_err(|error| io::Error::other(unwritable(path, &error)))?,
            // Not through the lock that this process shares: a writer that waits for a reader would keep it.
            None => File::from(io::stderr().as_fd().try_clone_to_owned()?),
        };
        let filter = level(&settings.level)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("log.level: {error}")))?;
        let requests = filter.would_enable(REQUESTS, &Level::INFO);
        // HTTP libraries show whole requests below this level, and a request may hold a key in its path.
        let filter = filter.with_targets(QUIET.map(|target| (target, Level::WARN)));
        let filter = filter.with_target(SILENT, LevelFilter::OFF);
        let is_debugged = filter.would_enable(CHATTY, &Level::DEBUG);
        let is_wanted = is_debugged || !filter.would_enable(CHATTY, &Level::WARN);
        let filter = if is_wanted {
            filter
        } else {
            filter.with_target(CHATTY, Level::WARN)
        };
        let style = Style::new(settings.format, settings.indicators, &secret);
        let next = Next::default();
        let sink = Sink {
            file: first,
            next: next.clone(),
        };
        let mut log = Self::on(sink, style, lost, requests)?;
        log.file = settings.file.clone().map(|path| (path, next));
        let writer = LogWriter(log.clone());
        let layer = match settings.format {
            LogFormat::Json => tracing_subscriber::fmt::layer()
                .json()
                .with_writer(writer)
                .boxed(),
            LogFormat::Text => tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(writer)
                .boxed(),
        };
        Ok((log, Registry::default().with(layer.with_filter(filter))))
    }

    /// Starts the writer on anything that can be written to.
    fn on(
        sink: impl Write + Send + 'static,
        style: Style,
        lost: Counter,
        requests: bool,
    ) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        let progress = Arc::<Progress>::default();
        let writer = Writer {
            queue,
            sink: BufWriter::with_capacity(64 * 1024, sink),
            style,
            lost: lost.clone(),
            progress: Arc::clone(&progress),
            taken: 0,
            told: 0,
        };
        std::thread::Builder::new()
            .name("pivotd-log".to_owned())
            .spawn(move || writer.run())?;
        Ok(Self {
            lines,
            lost,
            progress,
            requests,
            file: None,
        })
    }

    /// Opens the file of the log again, which may have been moved away since, and goes on in it.
    ///
    /// # Errors
    /// Why it cannot be opened; the old one stays.
    pub fn reopen(&self) -> Result<(), String> {
        let Some((path, next)) = &self.file else {
            return Ok(());
        };
        let opened = file(path, true).map_err(|error| unwritable(path, &error))?;
        *next.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        Ok(())
    }

    /// Hands over a request's line, unless the level leaves such lines out.
    pub fn request(&self, line: RequestLine) {
        if self.requests {
            self.send(Line::Request(Box::new(line)));
        }
    }

    fn send(&self, line: Line) {
        if self.lines.try_send(line).is_ok() {
            self.progress.handed.fetch_add(1, Ordering::AcqRel);
        } else {
            self.lost.inc();
        }
    }

    /// Waits until everything handed over so far is written, `patience` at most; tells whether it is. What has no reader is
    /// never written.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.progress.wait(patience)
    }
}

/// Opens the file of the log.
pub(crate) fn file(path: &Path, makes: bool) -> io::Result<File> {
    // A pipe without a reader is refused instead of waited for.
    let non_blocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .create(makes)
        .append(true)
        .custom_flags(non_blocking)
        .open(path)?;
    // Once it is open, its writer may wait: it has a thread of its own.
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - rustix::fs::OFlags::NONBLOCK)?;
    Ok(file)
}

/// Says that the file of the log cannot be written.
pub(crate) fn unwritable(path: &Path, reason: &io::Error) -> String {
    format!(
        "log.file: {} cannot be written: {reason}; let the server's user write there, or name another file",
        path.display()
    )
}

/// Lets the subscriber write through the same channel.
#[derive(Clone)]
struct LogWriter(Log);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = match std::str::from_utf8(bytes) {
            Ok(text) => unturned(text).into_owned().into_bytes(),
            Err(_) => bytes.to_vec(),
        };
        self.0.send(Line::Made(line));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Writes a text as a JSON string; indicators are other people's text.
fn quoted(sink: &mut impl Write, text: &str) -> io::Result<()> {
    if text.is_ascii() || !text.chars().any(is_turning) {
        return serde_json::to_writer(sink, text).map_err(io::Error::from);
    }
    // JSON writes them so, too: a program reads the same, and a terminal turns nothing.
    let text = serde_json::to_string(text)?;
    sink.write_all(unturned(&text).as_bytes())
}

impl RequestLine {
    fn write(&self, sink: &mut impl Write, style: &Style) -> io::Result<()> {
        // Whole numbers are written several times faster than floating-point ones.
        let provider = self.provider_time.as_micros() / 100;
        let (provider_ms, provider_tenth) = (provider / 10, provider % 10);
        let took = self.took.as_micros();
        let (took_ms, took_us) = (took / 1000, took % 1000);
        let shown = self
            .indicator
            .as_deref()
            .and_then(|indicator| style.show(indicator));
        match style.format {
            LogFormat::Json => {
                write!(
                    sink,
                    "{{\"timestamp\":\"{}\",\"level\":\"INFO\",\"fields\":{{\"message\":\"answered\",\
                     \"request_id\":\"{}\",\"client\":",
                    self.at, self.request_id
                )?;
                quoted(sink, &self.client)?;
                write!(sink, ",\"face\":\"{}\",\"operation\":", self.face)?;
                quoted(sink, &self.operation)?;
                write!(
                    sink,
                    ",\"outcome\":\"{}\",\"status\":{},\"cache\":\"{}\",\"provider_ms\":{provider_ms}.{provider_tenth},\
                     \"took_ms\":{took_ms}.{took_us:03}",
                    self.outcome, self.status, self.cache
                )?;
                if let Some(shown) = shown {
                    sink.write_all(b",\"indicator\":")?;
                    quoted(sink, &shown)?;
                }
                if let Some(decision) = &self.decision {
                    sink.write_all(b",\"decision_id\":")?;
                    quoted(sink, decision)?;
                }
                sink.write_all(b"},\"target\":\"pivotd::request\"}\n")
            }
            LogFormat::Text => {
                write!(
                    sink,
                    "{}  INFO pivotd::request: answered request_id={} client={:?} face={} operation={:?} outcome={} \
                     status={} cache={} provider_ms={provider_ms}.{provider_tenth} took_ms={took_ms}.{took_us:03}",
                    self.at,
                    self.request_id,
                    self.client,
                    self.face,
                    self.operation,
                    self.outcome,
                    self.status,
                    self.cache
                )?;
                if let Some(shown) = shown {
                    write!(sink, " indicator={shown:?}")?;
                }
                if let Some(decision) = &self.decision {
                    write!(sink, " decision_id={decision}")?;
                }
                sink.write_all(b"\n")
            }
        }
    }
}

impl Style {
    fn new(format: LogFormat, indicators: LogIndicators, secret: &[u8; 32]) -> Self {
        Self {
            format,
            indicators,
            keyed: Hmac::new_from_slice(secret).ok(),
        }
    }

    fn show<'a>(&self, indicator: &'a str) -> Option<Cow<'a, str>> {
        let indicator = without_user(indicator);
        match self.indicators {
            LogIndicators::Full => Some(without_query(indicator)),
            LogIndicators::None => None,
            LogIndicators::Hash => {
                let mut mac = self.keyed.clone()?;
                mac.update(indicator.as_bytes());
                let hash = mac.finalize().into_bytes();
                let first: [u8; 8] = hash.first_chunk().copied()?;
                Some(Cow::Owned(format!("{:016x}", u64::from_be_bytes(first))))
            }
        }
    }
}

const SLASHES: [&str; 2] = ["//", "\\\\"];

/// Leaves out who asks in what may be URLs: `user:password@`. A mailbox is left alone.
fn without_user(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let ends = |c: char| matches!(c, '/' | '\\' | '?' | '#');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_url = false;
    loop {
        let (authority, behind) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        match authority.rsplit_once('@') {
            Some((user, host)) if is_url || user.contains(':') => out.push_str(host),
            _ => out.push_str(authority),
        }
        let next = SLASHES.iter().filter_map(|slashes| behind.find(slashes)).min();
        let Some((path, target)) = next.and_then(|at| behind.split_at_checked(at + 2)) else {
            out.push_str(behind);
            return Cow::Owned(out);
        };
        out.push_str(path);
        is_url = true;
        rest = target.trim_start_matches(['/', '\\']);
    }
}

/// Leaves out the query and the fragment of what may be a URL: they may hold tokens. Of several URLs only the next space ends
/// them.
fn without_query(text: Cow<'_, str>) -> Cow<'_, str> {
    let count: usize = SLASHES.iter().map(|slashes| text.matches(slashes).count()).sum();
    if !text.contains(['?', '#']) || !text.contains(['/', '\\']) {
        return text;
    }
    let bare = |text: &str| match text.split_once(['?', '#']) {
        Some((start, _)) => format!("{start}?…"),
        None => text.to_owned(),
    };
    let parts: Vec<String> = if count > 1 {
        text.split(' ').map(bare).collect()
    } else {
        vec![bare(&text)]
    };
    Cow::Owned(parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn line(indicator: &str) -> RequestLine {
        RequestLine {
            at: Timestamp::from_second(1_700_000_000).unwrap(),
            request_id: uuid::Uuid::nil(),
            client: "an\"na\n".into(),
            face: "maltego",
            operation: "domaintools.ip-history".into(),
            outcome: "found",
            status: 200,
            cache: "hit",
            provider_time: Duration::from_millis(12),
            took: Duration::from_micros(70),
            indicator: Some(indicator.into()),
            decision: Some("d-1".into()),
        }
    }

    fn written(format: LogFormat, indicators: LogIndicators, indicator: &str) -> String {
        let mut sink = Vec::new();
        line(indicator)
            .write(&mut sink, &Style::new(format, indicators, &[7; 32]))
            .unwrap();
        String::from_utf8(sink).unwrap()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_text() {
        let text = written(LogFormat::Json, LogIndicators::Full, "evil\"\n\u{1b}[2J.example");
        assert_eq!(text.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["fields"]["indicator"], "evil\"\n\u{1b}[2J.example");
        assert_eq!(value["fields"]["client"], "an\"na\n");
        let turned = written(LogFormat::Json, LogIndicators::Full, "a\u{202e}b");
        assert!(
            turned.contains("\"indicator\":\"a\\u202eb\"") && turned.contains("\"decision_id\":\"d-1\""),
            "{turned}"
        );
        assert!(!written(LogFormat::Text, LogIndicators::Full, "a\u{202e}b").contains('\u{202e}'));
        let text = written(LogFormat::Text, LogIndicators::Full, "evil\"\n\u{1b}[2J.example");
        assert!(!text.trim_end().contains(['\n', '\u{1b}']), "{text:?}");
    }

    #[test]
    fn a_file_that_was_moved_away_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pivotd.log");
        let settings = LogSettings {
            format: LogFormat::Text,
            level: "info".to_owned(),
            indicators: LogIndicators::Full,
            file: Some(path.clone()),
        };
        let (log, _subscriber) = Log::start(&settings, [7; 32], Counter::default()).unwrap();
        log.request(line("first.example"));
        assert!(log.flush(Duration::from_secs(60)));
        let moved = folder.path().join("pivotd.log.1");
        std::fs::rename(&path, &moved).unwrap();
        log.reopen().unwrap();
        log.request(line("second.example"));
        assert!(log.flush(Duration::from_secs(60)));
        let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count();
        assert_eq!((lines(&moved), lines(&path)), (1, 1));
        std::fs::remove_dir_all(folder.path()).unwrap();
        assert!(log.reopen().unwrap_err().contains("pivotd.log"));
    }

    #[test]
    fn no_secret_of_a_url_is_shown() {
        for (given, shown) in [
            (
                "https://user:canary@a.example/b?token=canary#canary",
                "https://a.example/b?…",
            ),
            ("https://canary@a.example", "https://a.example"),
            ("hxxps[:]//user:c@nary@a.example/b", "hxxps[:]//a.example/b"),
            ("http:\\\\user:canary@a.example\\b", "http:\\\\a.example\\b"),
            ("//user:canary@a.example", "//a.example"),
            ("user:canary@a.example/x", "a.example/x"),
            ("a.example/x?canary", "a.example/x?…"),
            ("billing@a.example", "billing@a.example"),
            (
                "a.example https://u:canary@b.example/",
                "a.example https://b.example/",
            ),
            (
                "https://a.example/?canary https://u:canary@b.example/?canary 192.0.2.1",
                "https://a.example/?… https://b.example/?… 192.0.2.1",
            ),
            ("https://a.example/?x=canary canary", "https://a.example/?…"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            for format in [LogFormat::Json, LogFormat::Text] {
                let line = written(format, LogIndicators::Full, given);
                assert!(!line.contains("canary") && !line.contains("nary@"), "{line}");
            }
            let line: serde_json::Value =
                serde_json::from_str(&written(LogFormat::Json, LogIndicators::Full, given)).unwrap();
            assert_eq!(line["fields"]["indicator"], shown);
        }
        // A hash is the same for every user in it, and another with another query.
        let hash = |indicator| written(LogFormat::Json, LogIndicators::Hash, indicator);
        assert_eq!(hash("https://u:p@a.example/x"), hash("https://a.example/x"));
        assert_ne!(hash("https://a.example/?a"), hash("https://a.example/?b"));
    }

    #[test]
    fn indicators_are_shown_as_the_settings_say() {
        let hash = |indicator| written(LogFormat::Json, LogIndicators::Hash, indicator);
        assert!(!hash("example.com").contains("example.com"));
        assert_eq!(hash("example.com"), hash("example.com"));
        assert_ne!(hash("example.com"), hash("example.org"));
        assert!(!written(LogFormat::Text, LogIndicators::None, "example.com").contains("indicator"));
    }
}
