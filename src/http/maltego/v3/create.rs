//! Begins runs: who asks first, then the body, then whether there is room.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use uuid::Uuid;

use super::execution::{Execution, Question};
use super::{auth, negotiation, reply};
use crate::app::App;
use crate::app::run_routes::{holds_token, split_token};
use crate::ask::message::head;
use crate::domain::echo::echoed;
use crate::http::access::AccessDenied;
use crate::http::maltego::{FACE, MOST_BYTES, MOST_BYTES_UNKNOWN, RunContext};
use crate::http::principal::{self, Principal};
use crate::http::request::{Entry, RequestContext};
use crate::maltego::json::client::Capability;
use crate::maltego::json::detail::{Fault, Refusal, Step};
use crate::maltego::json::event::{Event, MessageType, StatusMessage};
use crate::maltego::json::graph::{self, Input};
use crate::maltego::json::request::{self, RunLimits, RunRequest};
use crate::maltego::json::run::State;
use crate::maltego::json::{listing, values};
use crate::maltego::listing::ListedTransform;
use crate::net::bodies::Sender;
use crate::runs::{Owner, ROOM_AFTER};
use crate::tokens::Scope;

/// Bodies longer than this are read where that holds up no other request of the worker.
const LARGE: usize = 8 << 10;

/// Begins a run.
pub(super) async fn create(
    app: &Data<App>,
    http: &HttpRequest,
    context: &RequestContext,
    installed: Option<Principal>,
    id: &str,
    payload: web::Payload,
) -> Result<HttpResponse, HttpResponse> {
    let deny = |denied: AccessDenied| {
        context.deny(denied);
        reply::denied(split_token(http.path()).1, denied)
    };
    if let Some(installed) = &installed {
        auth::may_look(Some(installed)).map_err(deny)?;
    }
    let configured = app.configured.load_full();
    let listed = listing::find(&configured.listing, id);
    let spec = listed
        .and_then(|listed| configured.catalogue.find(&listed.name))
        .cloned();
    let (Some(listed), Some(spec)) = (listed, spec) else {
        let text = format!("Transform with id {} not found", echoed(id));
        return Err(reply::detail(StatusCode::NOT_FOUND, &text));
    };
    let client = negotiation::client(http);
    let request = body(app, http, &configured, installed.is_some(), payload).await?;
    let inputs = graph::inputs(&request).map_err(|refusal| reply::refused(&refusal))?;
    let fitting = graph::fitting(inputs, &listed.inputs, client.knows_inputs());
    let inputs = fitting.map_err(|refusal| reply::refused(&refusal))?;
    let settings = values::settings(&request.settings, &listing::id(&listed.name), &listed.settings);
    let own = auth::own_token(&settings);
    let principal = auth::runner(app, http, installed.as_ref(), own, inputs.len()).map_err(deny)?;
    let is_path_token = holds_token(http.path()) && own.is_none() && principal::header_token(http).is_none();
    context.vouch();
    context.name_client(&principal.client);

    let owner = Owner {
        client: auth::owner(&principal),
        bound_to: installed.as_ref().map(auth::owner),
    };
    let name: Arc<str> = listing::id(&listed.name).into();
    let mut drawn = [0; 24];
    getrandom::fill(&mut drawn).map_err(|_| {
        reply::detail(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An unexpected server error occurred.",
        )
    })?;
    let (for_id, for_entities) = drawn.split_at(16);
    let run_id = uuid::Builder::from_random_bytes(for_id.try_into().unwrap_or_default()).into_uuid();
    let created = app.runs.create(run_id, &name, owner);
    let run = created.map_err(|full| reply::too_many(&full.text(), ROOM_AFTER.as_secs()))?;
    let page = run.created();
    let answer = reply::run(http, StatusCode::CREATED, page);

    let mut fault = unmet(&request, listed, &settings);
    let asked_of = indicator(&inputs);
    let (inputs, rejected) = graph::constrained(listed, &request, inputs);
    if fault.is_empty() {
        // Where some are rejected, the others are asked about.
        let texts: Vec<String> = rejected
            .iter()
            .map(|(input, why)| format!("{}: {why}", head(input.entity.value())))
            .collect();
        if inputs.is_empty() {
            fault = texts;
        } else {
            texts.iter().for_each(|text| {
                run.add(&failure(text));
            });
        }
    }
    if !fault.is_empty() {
        fail(&run, &fault);
        context.tell(Entry {
            client: principal.client,
            operation: Some(spec.name.as_str().into()),
            indicator: asked_of,
            ..Entry::of("bad_input", StatusCode::CREATED.as_u16())
        });
        return Ok(answer);
    }
    let context_of_run = RunContext {
        requester: principal.requester(FACE, &spec.name, run_id.to_string()),
        may_refresh: principal.may(Scope::Refresh),
        deadline: std::time::Duration::ZERO,
        sample: app.is_sample(),
    };
    let question = Question {
        settings,
        limit: request.limit,
        may_prompt: client.can(Capability::PromptBase),
        is_path_token,
    };
    let line = context.take_line();
    Execution::new(
        app,
        configured,
        spec,
        Arc::clone(&run),
        context_of_run,
        question,
        line,
        drawn_number(for_entities),
    )
    .spawn(inputs);
    Ok(answer)
}

fn drawn_number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap_or_default())
}

/// Reads the body of a request.
async fn body(
    app: &Data<App>,
    http: &HttpRequest,
    configured: &crate::app::Configured,
    is_known: bool,
    payload: web::Payload,
) -> Result<RunRequest, HttpResponse> {
    let (sender, max) = match is_known {
        true => (Sender::Known, MOST_BYTES),
        false => (Sender::Unknown, MOST_BYTES_UNKNOWN),
    };
    let max = configured.settings().server.max_body.min(max);
    let body = app
        .bodies
        .read(http, payload, max, sender)
        .await
        .map_err(reply::unread)?;
    if !is_json(http) {
        let loc = vec![Step::Member("body")];
        // What another type of body holds is not repeated.
        let fault = match body.is_empty() {
            true => Fault::missing(loc),
            false => Fault::no_object(loc, &Value::Null),
        };
        return Err(reply::refused(&Refusal::Unreadable(vec![fault])));
    }
    let limits = RunLimits::default();
    let read = if body.len() <= LARGE {
        request::read(&body, &limits)
    } else {
        let read = app
            .reading
            .write(false, move || request::read(&body, &limits))
            .await;
        read.map_err(|_| {
            reply::detail(
                StatusCode::INTERNAL_SERVER_ERROR,
                "An unexpected server error occurred.",
            )
        })?
    };
    read.map_err(|refusal| reply::refused(&refusal))
}

/// Tells whether a body is said to be JSON.
fn is_json(http: &HttpRequest) -> bool {
    let kind = http
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

/// Says why a run that can be read cannot begin.
fn unmet(request: &RunRequest, listed: &ListedTransform, settings: &[(String, String)]) -> Vec<String> {
    let contradictions = graph::contradictions(request);
    if !contradictions.is_empty() {
        return contradictions.iter().map(|&text| text.to_owned()).collect();
    }
    let is_given = |name: &str| {
        settings
            .iter()
            .any(|(known, value)| known == name && !value.trim().is_empty())
    };
    let missing = listed.settings.iter();
    let missing = missing.filter(|one| !one.optional && one.default.is_none() && !is_given(&one.name));
    missing
        .map(|one| {
            format!(
                "the setting {} ({}) is missing; nothing was looked up",
                one.name, one.display
            )
        })
        .collect()
}

/// Ends a run that cannot begin.
fn fail(run: &crate::runs::Run, texts: &[String]) {
    let messages: Vec<_> = texts.iter().map(|text| failure(text)).collect();
    run.end(State::Failed, &messages);
}

fn failure(text: &str) -> Event<'_> {
    Event::Message(StatusMessage {
        kind: MessageType::Error,
        state: State::Failed,
        text,
        progress: 0.0,
    })
}

/// Names the inputs of a run for the log: the first one.
pub(super) fn indicator(inputs: &[Input]) -> Option<Arc<str>> {
    inputs.first().map(|input| head(input.entity.value()).into())
}

/// Reads the id of a run.
pub(super) fn run_id(text: &str) -> Option<Uuid> {
    text.parse().ok()
}
