//! Reads bodies of requests within bounds: of bytes, of the time that a client may let the server wait, and of the memory
//! of all bodies together.

use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{FutureExt, StreamExt};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;

use super::connection::{Connection, Phase};
use crate::clock::SharedClock;
use crate::config::settings::ServerSettings;
use crate::telemetry::network::NetworkMetrics;

/// A body may take so many times the time that a client may send nothing.
const WHOLE: u32 = 5;
/// A body makes room for others once its client has sent nothing for so long; one of an unknown client, once it began so long
/// ago.
const TURN: Duration = Duration::from_secs(2);
/// The memory of bodies of the local operator.
const OPERATOR_BYTES: usize = 64 << 20;
/// How long the local operator may let the server wait for the next piece of a body.
const OPERATOR_PATIENCE: Duration = Duration::from_secs(10);
/// When a request makes sense again for which there was no room.
pub(crate) const AGAIN: Duration = Duration::from_secs(1);

/// Says whether the client is known before its body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A token vouches for it.
    Known,
    /// Its token may stand in the body.
    Unknown,
    /// The local operator, who gets through when the memory of clients is used up.
    Operator,
}

/// Holds the memory of all bodies that are read or worked on. Clients who are not known yet share a half of their own, so
/// that they take nothing from those who are.
#[derive(Debug)]
pub struct Bodies {
    clock: SharedClock,
    metrics: NetworkMetrics,
    patience: Duration,
    known: Arc<Pool>,
    unknown: Arc<Pool>,
    operator: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    max: usize,
    used: AtomicUsize,
    gauge: Gauge,
    /// The bodies that wait for their clients.
    waiting: Mutex<HashMap<u64, Arc<Reading>>>,
    next: AtomicU64,
}

/// Is a body that waits for its client.
#[derive(Debug)]
struct Reading {
    /// When its turn began.
    since: Duration,
    bytes: usize,
    gives_up: Notify,
}

/// Is a body in memory.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
    _held: HeldBytes,
}

impl Deref for Body {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

/// Says why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It has more bytes than this.
    TooLarge(usize),
    /// It broke off.
    Broken,
    /// The client let the server wait too long.
    Slow,
    /// There was no memory for it.
    NoMemory,
    /// It is packed (`Content-Encoding`).
    Encoded,
}

impl BodyError {
    /// Returns the HTTP status that says so.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::NoMemory => StatusCode::SERVICE_UNAVAILABLE,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// Says it to people; `what` names the body.
    #[must_use]
    pub fn text(self, what: &str) -> String {
        match self {
            Self::TooLarge(max) => format!("{what} has at most {max} bytes"),
            Self::Broken => format!("{what} broke off before its end"),
            Self::Slow => format!("{what} did not come in time"),
            Self::Encoded => {
                format!("{what} is packed (Content-Encoding); send it as it is, without that header")
            }
            Self::NoMemory => {
                format!(
                    "the server holds as many bodies as it may (server.bodies), and could not take {what}; send it again"
                )
            }
        }
    }
}

/// Counts bytes as held while it lives.
#[derive(Debug)]
struct HeldBytes {
    pool: Arc<Pool>,
    bytes: usize,
}

impl HeldBytes {
    fn grow(&mut self, bytes: usize, now: Duration) -> Result<(), BodyError> {
        let before = self.pool.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        self.pool.gauge.inc_by(count(bytes));
        if before + bytes > self.pool.max && !self.pool.make_room(bytes, now) {
            return Err(BodyError::NoMemory);
        }
        Ok(())
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(self.bytes, Ordering::Relaxed);
        self.pool.gauge.dec_by(count(self.bytes));
    }
}

fn count(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Pool {
    fn new(max: usize, gauge: &Gauge) -> Arc<Self> {
        Arc::new(Self {
            max,
            used: AtomicUsize::new(0),
            gauge: gauge.clone(),
            waiting: Mutex::default(),
            next: AtomicU64::new(0),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Arc<Reading>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends bodies that wait for their clients and had their turn, those first that began it first, until they make room for
    /// so many bytes. False where they do not.
    fn make_room(&self, bytes: usize, now: Duration) -> bool {
        let mut waiting = self.waiting();
        let mut idle: Vec<(Duration, u64)> = waiting
            .iter()
            .filter(|(_, reading)| reading.bytes > 0 && reading.since + TURN <= now)
            .map(|(number, reading)| (reading.since, *number))
            .collect();
        idle.sort_unstable();
        let mut room = 0;
        for (_, number) in idle {
            if let Some(reading) = waiting.remove(&number) {
                room += reading.bytes;
                reading.gives_up.notify_one();
            }
            if room >= bytes {
                return true;
            }
        }
        false
    }
}

/// Keeps a body among those that wait while it lives.
struct WaitGuard<'a>(&'a Pool, u64);

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.0.waiting().remove(&self.1);
    }
}

impl Bodies {
    /// Holds as much as is configured.
    #[must_use]
    pub fn new(settings: &ServerSettings, clock: SharedClock, metrics: NetworkMetrics) -> Self {
        Self {
            clock,
            patience: settings.client_timeout,
            known: Pool::new(settings.bodies / 2, &metrics.bodies),
            unknown: Pool::new(settings.bodies / 2, &metrics.bodies),
            operator: Pool::new(OPERATOR_BYTES, &metrics.bodies),
            metrics,
        }
    }

    /// Reads a body of at most `max` bytes.
    ///
    /// # Errors
    /// [`BodyError`] where it is larger, packed, breaks off, does not come, or finds no memory.
    pub async fn read(
        &self,
        http: &HttpRequest,
        payload: Payload,
        max: usize,
        sender: Sender,
    ) -> Result<Body, BodyError> {
        let read = self.read_within(http, payload, max, sender).await;
        match read {
            Err(BodyError::TooLarge(_)) => self.metrics.body_refused("too_large"),
            Err(BodyError::NoMemory) => self.metrics.body_refused("memory"),
            Err(BodyError::Encoded) => self.metrics.body_refused("encoded"),
            Err(BodyError::Slow) => self.metrics.slow("body"),
            Ok(_) | Err(BodyError::Broken) => {}
        }
        read
    }

    async fn read_within(
        &self,
        http: &HttpRequest,
        mut payload: Payload,
        max: usize,
        sender: Sender,
    ) -> Result<Body, BodyError> {
        if is_encoded(http) {
            return Err(BodyError::Encoded);
        }
        let announced = announced(http);
        if announced.is_some_and(|length| length > max) {
            return Err(BodyError::TooLarge(max));
        }
        let pool = match sender {
            Sender::Known => &self.known,
            Sender::Unknown => &self.unknown,
            Sender::Operator => &self.operator,
        };
        let patience = match sender {
            Sender::Operator => OPERATOR_PATIENCE,
            Sender::Known | Sender::Unknown => self.patience,
        };
        let mut held = HeldBytes {
            pool: Arc::clone(pool),
            bytes: 0,
        };
        let mut first: Option<Bytes> = None;
        let mut whole = BytesMut::new();
        // Asked for where the first piece does not end the body.
        let mut begun = None;
        let mut is_new = true;
        loop {
            let came = match payload.next().now_or_never() {
                Some(came) => came,
                // Most bodies come with their heads: they need no timer, and no place among those that wait.
                None if std::mem::take(&mut is_new) => {
                    handed_over().await;
                    continue;
                }
                None => {
                    let now = self.clock.elapsed();
                    let begun = *begun.get_or_insert(now);
                    let since = match sender {
                        Sender::Known | Sender::Operator => now,
                        Sender::Unknown => begun,
                    };
                    let until = (begun + patience * WHOLE).min(now + patience);
                    self.wait(http, &mut payload, &held, since, until).await?
                }
            };
            let Some(chunk) = came else { break };
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if held.bytes + chunk.len() > max {
                return Err(BodyError::TooLarge(max));
            }
            held.grow(chunk.len(), self.clock.elapsed())?;
            // Most bodies come in one piece and need no copy.
            if first.is_none() && whole.is_empty() {
                first = Some(chunk);
            } else {
                if let Some(first) = first.take() {
                    // What is reserved takes memory as it is filled; what grows by and by is copied and takes twice as much.
                    whole.reserve(announced.unwrap_or(first.len() + chunk.len()));
                    whole.extend_from_slice(&first);
                }
                whole.extend_from_slice(&chunk);
            }
        }
        Ok(Body {
            bytes: first.unwrap_or_else(|| whole.freeze()),
            _held: held,
        })
    }

    /// Waits for the next piece until `until`, or until others need the memory more.
    async fn wait(
        &self,
        http: &HttpRequest,
        payload: &mut Payload,
        held: &HeldBytes,
        since: Duration,
        until: Duration,
    ) -> Result<Option<Result<Bytes, actix_web::error::PayloadError>>, BodyError> {
        let pool = &held.pool;
        let reading = Arc::new(Reading {
            since,
            bytes: held.bytes,
            gives_up: Notify::new(),
        });
        let number = pool.next.fetch_add(1, Ordering::Relaxed);
        pool.waiting().insert(number, Arc::clone(&reading));
        let _waits = WaitGuard(pool, number);
        let connection = http.conn_data::<Arc<Connection>>();
        let _phase = connection.map(|connection| connection.enter(Phase::Body));
        tokio::select! {
            biased;
            came = payload.next() => Ok(came),
            () = reading.gives_up.notified() => Err(BodyError::NoMemory),
            () = self.clock.sleep_until(until) => Err(BodyError::Slow),
        }
    }
}

/// Lets the connection hand over what it read of a body behind the head: it does so once the request was looked at.
async fn handed_over() {
    let mut is_looked_at = false;
    poll_fn(|context| {
        if std::mem::replace(&mut is_looked_at, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Tells whether a body is packed. Nothing is unpacked here: what packs well would take more than its bytes allow.
fn is_encoded(http: &HttpRequest) -> bool {
    let mut encodings = http.headers().get_all(header::CONTENT_ENCODING);
    encodings.any(|encoding| {
        let text = encoding.to_str().unwrap_or("?");
        let mut items = text.split(',').map(str::trim);
        items.any(|item| !item.is_empty() && !item.eq_ignore_ascii_case("identity"))
    })
}

fn announced(http: &HttpRequest) -> Option<usize> {
    http.headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
