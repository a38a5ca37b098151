//! Answers about runs: pages of events, their end, and answers to prompts.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::create::run_id;
use super::{reply, run_not_found};
use crate::app::App;
use crate::domain::echo::echoed;
use crate::http::target;
use crate::maltego::json::detail::{Fault, Refusal, Step};
use crate::maltego::json::listing;
use crate::maltego::json::run::{self, PAGE, State};
use crate::net::bodies::Sender;
use crate::runs::{PromptOutcome, Run};

/// The most bytes of an answer to a prompt.
const MOST_BYTES: usize = 16 << 10;

/// Is a request about a run.
pub(super) struct Asked<'a> {
    pub(super) app: &'a Data<App>,
    pub(super) http: &'a HttpRequest,
    /// Who asks.
    pub(super) client: Option<Arc<str>>,
    pub(super) transform: &'a str,
    pub(super) run: &'a str,
}

impl Asked<'_> {
    fn find(&self) -> Option<Arc<Run>> {
        let id = run_id(self.run)?;
        let configured = self.app.configured.load();
        // One that was taken out of the configuration since has its runs still.
        let listed = listing::find(&configured.listing, self.transform);
        let transform = listing::id(listed.map_or(self.transform, |listed| &listed.name));
        self.app.runs.find(&id, &transform, self.client.as_deref())
    }

    /// Answers with a page of events.
    pub(super) fn results(&self) -> HttpResponse {
        let pointer = match self.number("eventPointer") {
            Ok(pointer) => pointer.unwrap_or(0),
            Err(refused) => return refused,
        };
        let limit = match self.number("eventLimit") {
            Ok(limit) => limit.and_then(|limit| usize::try_from(limit).ok()),
            Err(refused) => return refused,
        };
        let limit = limit.filter(|limit| (1..=PAGE).contains(limit)).unwrap_or(PAGE);
        match self.find() {
            Some(run) => reply::run(self.http, StatusCode::OK, run.page(pointer, limit)),
            None => run_not_found(),
        }
    }

    fn number(&self, name: &'static str) -> Result<Option<i64>, HttpResponse> {
        let Some(text) = target::in_query(self.http, name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        text.trim().parse().map(Some).map_err(|_| {
            let loc = vec![Step::Member("query"), Step::Member(name)];
            let fault = Fault::no_integer(loc, &Value::String(text));
            reply::refused(&Refusal::Unreadable(vec![fault]))
        })
    }

    /// Ends a run, whose events stay.
    pub(super) fn cancel(&self) -> HttpResponse {
        let Some(run) = self.find() else {
            let text = format!("Could not find transform run with id {}", echoed(self.run));
            return reply::no_run(StatusCode::NOT_FOUND, State::Failed, &text);
        };
        run.end(State::Canceled, &[]);
        self.summary(&run)
    }

    /// Ends and removes a run.
    pub(super) fn delete(&self) -> HttpResponse {
        let Some(run) = self.find() else {
            return reply::no_run(StatusCode::NOT_FOUND, State::Failed, "Transform run not found");
        };
        let is_canceled = target::in_query(self.http, "Cancelled");
        match is_canceled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            true => run.canceled_after_all(),
            false => run.end(State::Canceled, &[]),
        }
        self.app.runs.remove(&run.id);
        self.summary(&run)
    }

    fn summary(&self, run: &Run) -> HttpResponse {
        let mut page = run.summary();
        let found = run::added(&std::mem::take(&mut page.added));
        let mut answer = reply::run(self.http, StatusCode::OK, page);
        reply::add_found(answer.headers_mut(), found);
        answer
    }

    /// Takes the answer to a prompt.
    pub(super) async fn prompt(&self, prompt: &str, payload: web::Payload) -> HttpResponse {
        let Some(run) = self.find() else {
            return reply::no_run(StatusCode::NOT_FOUND, State::Failed, "Resource not found.");
        };
        let sender = match self.client {
            Some(_) => Sender::Known,
            None => Sender::Unknown,
        };
        let body = match self.app.bodies.read(self.http, payload, MOST_BYTES, sender).await {
            Ok(body) => body,
            Err(unread) => return reply::unread(unread),
        };
        let answer = match run::prompt_answer(&body) {
            Ok(answer) => answer,
            Err(refusal) => return reply::refused(&refusal),
        };
        match run.answer(prompt, answer) {
            PromptOutcome::Taken(state) => reply::prompt_taken(self.http, state),
            PromptOutcome::Expired => {
                let text = format!(
                    "The transform execution context for {} has expired.",
                    echoed(self.run)
                );
                reply::no_run(StatusCode::GONE, State::TimedOut, &text)
            }
        }
    }
}
