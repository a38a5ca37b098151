//! Writes log lines: everything goes through one bounded channel to one writer, which never blocks a request.
//!
//! Lines of requests are made from their fields by the writer, so a request pays only for handing
//! them over. When the writer lags, lines are counted as lost instead of holding a request up, and a line says how many once
//! it goes on. What waits for the last lines waits no longer than it says: what they are written to may have no reader.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::level::level;
use crate::config::settings::{LogFormat, LogSettings};
use crate::domain::indicator::unturned;

mod request_line;
mod writer;

use self::request_line::LineFormat;
pub use self::request_line::RequestLine;
use self::writer::{Line, Progress, Writer};

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

/// Hands lines to the writer.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<Line>,
    lost: Counter,
    progress: Arc<Progress>,
    requests: bool,
    /// The file, where it is not standard error, with the place from which the writer takes a new one.
    file: Option<(PathBuf, NextFile)>,
}

/// Holds a file that the writer goes on with.
type NextFile = Arc<Mutex<Option<File>>>;

/// Is what the writer writes to.
struct Sink {
    file: File,
    next: NextFile,
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
        let style = LineFormat::new(settings.format, settings.indicators, &secret);
        let next = NextFile::default();
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
        style: LineFormat,
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
            reported: 0,
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

#[cfg(test)]
mod tests {
    use crate::config::settings::LogIndicators;

    use super::request_line::tests::line;
    use super::*;

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
}
