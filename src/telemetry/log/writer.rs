//! Writes what is handed over, on a thread of its own, and counts so that others can wait for it.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::request_line::{LineFormat, RequestLine};
use crate::clock::SystemClock;
use crate::config::settings::LogFormat;

/// How long the writer lets lines gather after it was idle. Waking it for every line costs more than answering a
/// request from memory does.
const GATHER: Duration = Duration::from_millis(5);
/// What a line says of those that are missing before it.
const LOST: &str = "lines of this log were lost, since they came faster than they could be written";

/// Is one line for the writer.
pub(super) enum Line {
    Made(Vec<u8>),
    Request(Box<RequestLine>),
}

/// Counts lines, so that what waits for the writer knows when it has written them.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) handed: AtomicU64,
    written: Mutex<u64>,
    changed: Condvar,
}

impl Progress {
    fn publish(&self, lines: u64) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = lines;
        self.changed.notify_all();
    }

    pub(super) fn wait(&self, patience: Duration) -> bool {
        let wanted = self.handed.load(Ordering::Acquire);
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(written, patience, |written| *written < wanted);
        let (written, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *written >= wanted
    }
}

/// Is the writer's side.
pub(super) struct Writer<W> {
    pub(super) queue: Receiver<Line>,
    pub(super) sink: W,
    pub(super) style: LineFormat,
    pub(super) lost: Counter,
    pub(super) progress: Arc<Progress>,
    /// Lines taken from the queue.
    pub(super) taken: u64,
    /// Lost lines that a line told of.
    pub(super) reported: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn run(mut self) {
        loop {
            let line = match self.queue.try_recv() {
                Ok(line) => line,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Nothing waits: what is buffered goes out before this thread sleeps.
                    self.tell_lost();
                    self.flush();
                    match self.queue.recv() {
                        Ok(line) => {
                            std::thread::sleep(GATHER);
                            line
                        }
                        Err(_) => break,
                    }
                }
            };
            // A log that cannot be written has nowhere to say so.
            match line {
                Line::Made(bytes) => drop(self.sink.write_all(&bytes)),
                Line::Request(line) => drop(line.write(&mut self.sink, &self.style)),
            }
            self.taken += 1;
        }
        self.flush();
    }

    fn flush(&mut self) {
        drop(self.sink.flush());
        self.progress.publish(self.taken);
    }

    /// Says how many lines were lost since it was last said.
    fn tell_lost(&mut self) {
        let lost = self.lost.get();
        let lines = lost.saturating_sub(self.reported);
        if lines == 0 {
            return;
        }
        self.reported = lost;
        let at = SystemClock::shared().now();
        // A log that cannot be written has nowhere to say so.
        drop(match self.style.format {
            LogFormat::Json => writeln!(
                self.sink,
                "{{\"timestamp\":\"{at}\",\"level\":\"WARN\",\"fields\":{{\"message\":\"{LOST}\",\"lines\":{lines}}},\
                 \"target\":\"pivotd::telemetry::log\"}}"
            ),
            LogFormat::Text => writeln!(
                self.sink,
                "{at}  WARN pivotd::telemetry::log: {LOST} lines={lines}"
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::Log;
    use super::super::request_line::tests::line;
    use super::*;
    use crate::config::settings::LogIndicators;

    /// Is a sink that takes nothing until it is told to, as a pipe without a reader.
    #[derive(Clone, Default)]
    struct Stuck {
        open: Arc<(Mutex<bool>, Condvar)>,
        held: Arc<Mutex<Vec<u8>>>,
    }

    impl Stuck {
        fn open(&self) {
            *self.open.0.lock().unwrap() = true;
            self.open.1.notify_all();
        }
    }

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let is_open = self.open.0.lock().unwrap();
            drop(self.open.1.wait_while(is_open, |is_open| !*is_open).unwrap());
            self.held.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_nobody_reads_holds_up_nobody_and_the_lines_that_it_cost_are_told() {
        for format in [LogFormat::Json, LogFormat::Text] {
            let sink = Stuck::default();
            let lost = Counter::default();
            let style = LineFormat::new(format, LogIndicators::Full, &[7; 32]);
            let log = Log::on(sink.clone(), style, lost.clone(), true).unwrap();
            // So many that queue and buffer of the writer are full.
            while lost.get() < 10 {
                log.request(line("example.com"));
            }
            assert!(!log.flush(Duration::ZERO), "it does not wait for ever");
            sink.open();
            assert!(log.flush(Duration::MAX));
            log.request(line("example.org"));
            assert!(log.flush(Duration::MAX));
            let told = String::from_utf8(sink.held.lock().unwrap().clone()).unwrap();
            assert!(told.contains("example.org"));
            let said = told.lines().find(|line| line.contains(LOST)).unwrap();
            match format {
                LogFormat::Json => {
                    let said: serde_json::Value = serde_json::from_str(said).unwrap();
                    assert_eq!(said["fields"]["lines"], lost.get());
                    assert_eq!(said["level"], "WARN");
                }
                LogFormat::Text => assert!(said.ends_with(&format!("lines={}", lost.get())), "{said}"),
            }
        }
    }
}
