//! Writes log lines: everything goes through one bounded channel to one writer, which never blocks a request.
//!
//! Lines of requests are made from their fields by the writer, so a request pays only for handing
//! them over. When the writer lags, lines are counted as lost instead of holding anybody up.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use sha2::Sha256;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::settings::{LogFormat, LogIndicators, LogSettings};
use crate::domain::indicator::{is_turning, unturned};

const QUEUE: usize = 4096;
/// The target of requests' lines.
const REQUESTS: &str = "pivotd::request";
/// Libraries that never log below a warning, whatever the level.
const QUIET: [&str; 5] = ["h2", "hyper", "hyper_util", "reqwest", "rustls"];
/// Libraries that never log: they tell what any client sent, as often as it sends it.
const SILENT: &str = "actix_http";
/// How long the writer lets lines gather after it was idle. Waking it for every line costs more than answering a
/// request from memory does.
const GATHER: Duration = Duration::from_millis(5);

/// Holds the fields of one request's line.
#[derive(Debug, Clone)]
pub struct RequestLine {
    /// When it was answered.
    pub at: Timestamp,
    /// The request id.
    pub request_id: uuid::Uuid,
    /// The client token's name; empty where there was none.
    pub client: Arc<str>,
    /// The face.
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

enum Line {
    Made(Vec<u8>),
    Request(Box<RequestLine>),
    Flush(SyncSender<()>),
}

/// Hands lines to the writer.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<Line>,
    lost: Counter,
    requests: bool,
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
        let sink: Box<dyn Write + Send> = match &settings.file {
            Some(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
            None => Box::new(io::stderr()),
        };
        let filter: Targets = settings
            .level
            .parse()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("log.level: {error}")))?;
        let requests = filter.would_enable(REQUESTS, &Level::INFO);
        // HTTP libraries show whole requests below this level, and a request may hold a key in its path.
        let filter = filter.with_targets(QUIET.map(|target| (target, Level::WARN)));
        let filter = filter.with_target(SILENT, LevelFilter::OFF);
        let (lines, queue) = sync_channel(QUEUE);
        let style = Style::new(settings.format, settings.indicators, &secret);
        std::thread::Builder::new()
            .name("pivotd-log".to_owned())
            .spawn(move || write(&queue, sink, &style))?;
        let log = Self {
            lines,
            lost,
            requests,
        };
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

    /// Hands over a request's line, unless the level leaves such lines out.
    pub fn request(&self, line: RequestLine) {
        if self.requests {
            self.send(Line::Request(Box::new(line)));
        }
    }

    fn send(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.lost.inc();
        }
    }

    /// Waits until everything handed over so far is written.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.lines.send(Line::Flush(done)).is_ok() {
            // A writer that is gone has nothing left to write.
            let _ = written.recv();
        }
    }
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

fn write(queue: &Receiver<Line>, sink: Box<dyn Write + Send>, style: &Style) {
    let mut sink = BufWriter::with_capacity(64 * 1024, sink);
    loop {
        let line = match queue.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // Nothing waits: what is buffered goes out before this thread sleeps.
                drop(sink.flush());
                match queue.recv() {
                    Ok(line) => {
                        if !matches!(line, Line::Flush(_)) {
                            std::thread::sleep(GATHER);
                        }
                        line
                    }
                    Err(_) => break,
                }
            }
        };
        // A log that cannot be written has nowhere to say so.
        match line {
            Line::Made(bytes) => drop(sink.write_all(&bytes)),
            Line::Request(line) => drop(line.write(&mut sink, style)),
            Line::Flush(done) => {
                drop(sink.flush());
                let _ = done.send(());
            }
        }
    }
    drop(sink.flush());
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
        match self.indicators {
            LogIndicators::Full => Some(Cow::Borrowed(indicator)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(indicator: &str) -> RequestLine {
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
    fn indicators_are_shown_as_the_settings_say() {
        let hash = |indicator| written(LogFormat::Json, LogIndicators::Hash, indicator);
        assert!(!hash("example.com").contains("example.com"));
        assert_eq!(hash("example.com"), hash("example.com"));
        assert_ne!(hash("example.com"), hash("example.org"));
        assert!(!written(LogFormat::Text, LogIndicators::None, "example.com").contains("indicator"));
    }
}
