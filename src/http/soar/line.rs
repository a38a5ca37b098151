//! The line that a question for scores leaves in the log.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::asking::FACE;
use crate::app::App;
use crate::telemetry::log::RequestLine;
use crate::telemetry::metrics::InFlight;

/// Is a request's line in the log, as far as it is known at the start.
pub(super) struct Line {
    pub(super) operation: &'static str,
    pub(super) uuid: Uuid,
    pub(super) started: Duration,
    /// Counts the request until its line is written.
    pub(super) _in_flight: InFlight,
}

/// Is what becomes of a request.
pub(super) struct Entry<'a> {
    pub(super) outcome: &'static str,
    pub(super) status: u16,
    pub(super) cache: &'static str,
    pub(super) provider_time: Duration,
    pub(super) client: Arc<str>,
    pub(super) asked: Option<&'a str>,
    pub(super) decision: Option<Arc<str>>,
}

impl Line {
    /// Writes the line of an answer that went on by itself.
    pub(super) fn write(
        &self,
        app: &App,
        outcome: &'static str,
        provider_time: Duration,
        client: Arc<str>,
        asked: &str,
    ) {
        let entry = Entry {
            outcome,
            status: 200,
            cache: "mixed",
            provider_time,
            client,
            asked: Some(asked),
            decision: None,
        };
        self.put(app, entry);
    }

    /// Counts and writes it.
    pub(super) fn put(&self, app: &App, entry: Entry<'_>) {
        let took = app.engine.clock().elapsed().saturating_sub(self.started);
        app.engine.metrics().request(FACE, entry.outcome, took);
        let Some(log) = &app.log else { return };
        log.request(RequestLine {
            at: app.engine.clock().now(),
            request_id: self.uuid,
            client: entry.client,
            face: FACE,
            operation: self.operation.into(),
            outcome: entry.outcome,
            status: entry.status,
            cache: entry.cache,
            provider_time: entry.provider_time,
            took,
            indicator: entry.asked.map(Into::into),
            decision: entry.decision,
        });
    }
}
