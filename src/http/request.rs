//! Holds what belongs to one request: its id, its client, and what becomes of it. The pipeline makes it before the request is
//! routed, extractors and handlers fill it, and the pipeline writes the line in the log from it.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::access::AccessDenied;
use crate::app::App;
use crate::telemetry::log::RequestLine;
use crate::telemetry::metrics::InFlight;
use crate::tokens::{Token, TokenError};

/// Names a route whose requests are counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The frontend, as metrics and the log name it.
    pub frontend: &'static str,
    /// The route's pattern.
    pub pattern: &'static str,
}

/// Is the token in the header or path of a request, as far as there is one, and whether it stands in the path.
pub(super) type PresentedToken = Option<(Result<Arc<Token>, TokenError>, bool)>;

/// Holds one request; a clone is the same one.
#[derive(Clone)]
pub struct RequestContext(Rc<Shared>);

struct Shared {
    id: Uuid,
    /// The trace that the client says the request belongs to.
    trace_id: Option<u128>,
    started: Duration,
    /// The token that was looked up, once it was.
    presented: OnceCell<PresentedToken>,
    /// Whether a token in the body vouches for the client.
    is_vouched: Cell<bool>,
    /// Why the client may not do what it asks for.
    denied: Cell<Option<AccessDenied>>,
    /// The client, once it is known; for the line of a request that is refused.
    client: RefCell<Option<Arc<str>>>,
    /// What is counted and logged, and counts as under way until that is done.
    observed: RefCell<Option<(Operation, InFlight)>>,
    entry: RefCell<Option<Entry>>,
    /// The local operator's turn, for what takes long.
    turn: Cell<Option<OwnedSemaphorePermit>>,
}

/// Says what became of a request.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The outcome.
    pub outcome: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Where the answer came from.
    pub cache: &'static str,
    /// Time that vendors took.
    pub provider_time: Duration,
    /// The client's name; empty where there is none.
    pub client: Arc<str>,
    /// What was asked for, where that says more than the route: a transform.
    pub operation: Option<Arc<str>>,
    /// What was asked about.
    pub indicator: Option<Arc<str>>,
    /// The id of the decision, where one was made.
    pub decision: Option<Arc<str>>,
}

impl Entry {
    /// Is the entry of a request that came to this, for which no provider was asked.
    pub(super) fn of(outcome: &'static str, status: u16) -> Self {
        Self {
            outcome,
            status,
            cache: "local",
            provider_time: Duration::ZERO,
            client: "".into(),
            operation: None,
            indicator: None,
            decision: None,
        }
    }
}

/// Is a line in the log that is not written yet. The request counts as under way as long as this lives.
pub struct Line {
    operation: Operation,
    id: Uuid,
    trace_id: Option<u128>,
    started: Duration,
    _in_flight: InFlight,
}

impl Line {
    /// Counts the request and writes the line.
    pub fn write(&self, app: &App, entry: Entry) {
        let took = app.engine.clock().elapsed().saturating_sub(self.started);
        let Operation { frontend, pattern } = self.operation;
        app.engine.metrics().request(frontend, entry.outcome, took);
        let Some(log) = &app.log else { return };
        log.request(RequestLine {
            at: app.engine.clock().now(),
            request_id: self.id,
            trace_id: self.trace_id,
            client: entry.client,
            frontend,
            operation: entry.operation.unwrap_or_else(|| pattern.into()),
            outcome: entry.outcome,
            status: entry.status,
            cache: entry.cache,
            provider_time: entry.provider_time,
            took,
            indicator: entry.indicator,
            decision: entry.decision,
        });
    }
}

/// Reads the id of the trace in `traceparent` (W3C Trace Context); none where the header is malformed.
fn trace_id(http: &HttpRequest) -> Option<u128> {
    let text = http.headers().get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let mut part = |length: usize| {
        let part = parts.next()?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (part.len() == length && part.bytes().all(is_hex)).then_some(part)
    };
    let (version, trace, _parent, _flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    // Later versions may say more behind it; version ff is none.
    let is_known = version != "ff" && (version != "00" || parts.next().is_none());
    let trace = u128::from_str_radix(trace, 16).ok()?;
    (is_known && trace != 0).then_some(trace)
}

impl RequestContext {
    /// Begins a request.
    pub fn begin(http: &HttpRequest) -> Self {
        let app = http.app_data::<Data<App>>();
        let context = Self(Rc::new(Shared {
            id: Uuid::now_v7(),
            trace_id: trace_id(http),
            started: app.map_or(Duration::ZERO, |app| app.engine.clock().elapsed()),
            presented: OnceCell::new(),
            is_vouched: Cell::new(false),
            denied: Cell::new(None),
            client: RefCell::new(None),
            observed: RefCell::new(None),
            entry: RefCell::new(None),
            turn: Cell::new(None),
        }));
        http.extensions_mut().insert(context.clone());
        context
    }

    /// Returns the context of a request.
    pub fn of(http: &HttpRequest) -> Self {
        let begun = http.extensions().get::<Self>().cloned();
        begun.unwrap_or_else(|| Self::begin(http))
    }

    /// Returns the request's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// Counts the request as under way, and lets it leave a line in the log, where its route says so. A frontend that is given
    /// takes the place of the route's.
    pub(super) fn observe(&self, app: &App, http: &HttpRequest, frontend: Option<&'static str>) {
        let Some(operation) = http.app_data::<Operation>() else {
            return;
        };
        let operation = Operation {
            frontend: frontend.unwrap_or(operation.frontend),
            ..*operation
        };
        let in_flight = app.engine.metrics().in_flight();
        self.0.observed.replace(Some((operation, in_flight)));
    }

    /// Returns the token of the request, which `find` looks up once.
    pub(super) fn presented(&self, find: impl FnOnce() -> PresentedToken) -> &PresentedToken {
        self.0.presented.get_or_init(find)
    }

    /// Notes that a token in the body vouches for the client.
    pub(super) fn vouch(&self) {
        self.0.is_vouched.set(true);
    }

    /// Tells whether a token in the body vouches for the client.
    #[must_use]
    pub fn is_vouched(&self) -> bool {
        self.0.is_vouched.get()
    }

    /// Notes that the token is missing or refused, so that this is counted, and the client slowed down.
    pub(super) fn deny(&self, denied: AccessDenied) {
        if denied.reason().is_some() {
            self.0.denied.set(Some(denied));
        }
    }

    /// Returns why the token is missing or refused.
    #[must_use]
    pub fn denied(&self) -> Option<AccessDenied> {
        self.0.denied.get()
    }

    /// Notes who the client is; the first one counts.
    pub(super) fn name_client(&self, client: &Arc<str>) {
        let mut known = self.0.client.borrow_mut();
        known.get_or_insert_with(|| Arc::clone(client));
    }

    /// Returns the name of the client, empty where it is not known.
    pub(super) fn client(&self) -> Arc<str> {
        self.0.client.borrow().clone().unwrap_or_else(|| "".into())
    }

    /// Keeps the local operator's turn until the request ends.
    pub(super) fn hold(&self, turn: OwnedSemaphorePermit) {
        self.0.turn.set(Some(turn));
    }

    /// Notes what became of the request.
    pub(super) fn tell(&self, entry: Entry) {
        self.0.entry.replace(Some(entry));
    }

    /// Takes the line over from the pipeline, for an answer that goes on after its handler; `None` where nothing is logged.
    pub(super) fn take_line(&self) -> Option<Line> {
        let (operation, in_flight) = self.0.observed.take()?;
        Some(Line {
            operation,
            id: self.0.id,
            trace_id: self.0.trace_id,
            started: self.0.started,
            _in_flight: in_flight,
        })
    }

    /// Counts the request and writes its line, as it was answered with a status.
    pub fn finish(&self, app: &App, status: u16) {
        let Some(line) = self.take_line() else { return };
        let entry = self.0.entry.take();
        // Of a document, there is no more to say than that it was served.
        let outcome = if status < 400 { "served" } else { "refused" };
        let plain = || Entry {
            client: self.client(),
            ..Entry::of(outcome, status)
        };
        line.write(app, entry.unwrap_or_else(plain));
    }
}

impl FromRequest for RequestContext {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(http)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_trace_is_read_as_the_standard_writes_it() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let whole = format!("00-{id}-00f067aa0ba902b7-01");
        let later = format!("01-{id}-00f067aa0ba902b7-01-more");
        for (header, is) in [
            (whole.clone(), true),
            (later, true),
            (format!("{whole}-more"), false),
            (whole.replace("00-4b", "ff-4b"), false),
            (whole.replace(id, &"0".repeat(32)), false),
            (whole.replace('b', "B"), false),
            (whole.replace("-01", ""), false),
            (whole.replace("a9", "\"\n"), false),
            (String::new(), false),
        ] {
            let request = TestRequest::default().insert_header(("traceparent", header.replace('\n', "x")));
            let read = trace_id(&request.to_http_request());
            assert_eq!(
                read.map(|id| format!("{id:032x}")),
                is.then(|| id.to_owned()),
                "{header}"
            );
        }
    }
}
