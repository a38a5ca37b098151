//! The one middleware of all routes: gives each request its context, refuses what there is no connection, time or share for,
//! sends problems, counts and logs, slows down wrong tokens, and marks connections as worked on.

use std::rc::Rc;
use std::sync::Arc;

use actix_http::ConnectionType;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use futures_util::StreamExt;

use super::intake;
use crate::app::run_routes::{RUN, holds_token};
use crate::app::{App, Mode};
use crate::clock::timeout_at;
use crate::http::access::AccessDenied;
use crate::http::maltego::{answered, v3};
use crate::http::principal;
use crate::http::problem::Problem;
use crate::http::request::RequestContext;
use crate::net::Delay;
use crate::net::bodies::AGAIN;
use crate::net::connection::{Connection, Phase};
use crate::net::load::Load;
use crate::net::pace::DRAINED_FOR;
use crate::net::sending::{SendBuffer, sent};
use crate::net::shares::ConcurrencyShares;

/// A body up to this is read, where its request is refused.
const SMALL_BODY: u64 = 64 << 10;
/// A connection ends when so many requests were refused in a row that were sent ahead of their answers.
const REFUSED_IN_A_ROW: u32 = 8;

/// Paths that are answered while the server works on as many connections as it may: a supervisor that got no answer would end
/// a server that works.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The statuses of requests whose bodies were not read to their end.
const UNREAD: [StatusCode; 2] = [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::REQUEST_TIMEOUT];

/// Is what the requests of a worker share.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) load: Rc<Load>,
    pub(crate) shares: Arc<ConcurrencyShares>,
    /// The large answers to clients that are known, and to others.
    pub(crate) known: Arc<SendBuffer>,
    pub(crate) unknown: Arc<SendBuffer>,
}

/// Takes a request through all steps.
pub(crate) async fn pipeline(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let connection = request.request().conn_data::<Arc<Connection>>().cloned();
    if let Some(connection) = &connection {
        if connection.is_leaving() {
            // What was sent behind a request that ended the connection; it ends in a moment.
            return std::future::pending().await;
        }
        intake::begin(&mut request, connection);
    }
    let Some(app) = request.app_data::<Data<App>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let context = RequestContext::begin(request.request());
    let bounds = request.app_data::<Rc<Bounds>>().cloned();
    let has_token_in_path = holds_token(request.path());
    // Where it asks for another protocol, the answer is HTTP/1.1, and the library takes what follows for the other one.
    let is_last =
        intake::asks_to_upgrade(&request) || request.head().connection_type() == ConnectionType::Close;
    let mut response = match bounds {
        Some(bounds) => bounded(request, next, &app, &context, &bounds, connection.as_ref()).await?,
        None => unbounded(request, next, &app, &context, connection.as_ref()).await?,
    };
    if has_token_in_path {
        answered::keep_secret(response.response_mut().headers_mut());
    }
    if is_last {
        // Nothing that was sent behind it is answered (RFC 9112, section 9.6).
        close(&mut response);
        if let Some(connection) = &connection {
            connection.leave();
        }
    }
    Ok(response)
}

/// Routes and answers a request, sends the problem that it ends in, and leaves its line in the log.
async fn answered(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    app: &App,
    context: &RequestContext,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let problem = response.response().error().and_then(Error::as_error::<Problem>);
    if let Some(problem) = problem.cloned() {
        if let Some(cause) = &problem.cause {
            tracing::error!(request_id = %context.id(), cause, "a request failed: {}", problem.title);
        }
        *response.response_mut() = problem.of(context.id()).response();
    }
    context.finish(app, response.status().as_u16());
    Ok(response)
}

/// Serves a request of the local operator, whose connections and turns are bounded otherwise.
async fn unbounded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    app: &App,
    context: &RequestContext,
    connection: Option<&Arc<Connection>>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let _work = connection.map(|connection| connection.enter(Phase::Working));
    let mut response = answered(request, next, app, context).await?;
    if UNREAD.contains(&response.status()) {
        // What is still sent of the body is not waited for.
        close(&mut response);
    }
    Ok(response)
}

/// Serves a request of a client within the server's bounds.
async fn bounded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    app: &Data<App>,
    context: &RequestContext,
    bounds: &Rc<Bounds>,
    connection: Option<&Arc<Connection>>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let network = app.engine.metrics().network();
    if let Some(problem) = intake::expectation(&request) {
        return Ok(refused(request, problem));
    }
    let is_spare = connection.is_some_and(|connection| connection.is_spare());
    let is_health = HEALTH.contains(&request.path());
    let mut share = None;
    let mut is_known = app.mode == Mode::Demo;
    if !is_health {
        if is_spare {
            network.refused.inc();
            let mut response = refused(
                request,
                busy(
                    "the server works on as many connections as it may (server.connections); send the request again",
                ),
            );
            close(&mut response);
            return Ok(response);
        }
        let token = principal::token_of(app, request.request());
        is_known |= token.is_some();
        if !bounds.load.takes(is_known) {
            network.shed.inc();
            let detail = "more requests come than the server can answer; send the request again";
            return Ok(turned_away(request, app, busy(detail), connection).await);
        }
        share = bounds.shares.take(token.as_ref().map(|token| &token.under_way));
        if share.is_none() {
            network.over_share.inc();
            let detail = "the server works on as many requests of this client as it may beside those of others (server.connections); send the request again";
            return Ok(turned_away(request, app, busy(detail), connection).await);
        }
        if let (Some(connection), Some(share)) = (connection, &share) {
            connection.shares(share);
        }
    }
    let work = connection.map(|connection| connection.enter(Phase::Working));
    let work = (work, share);
    let mut response = bounds
        .load
        .measured(answered(request, next, app, context))
        .await?;
    if is_spare {
        close(&mut response);
    }
    if let Some(denied) = context.denied() {
        // An answer that is held back takes nothing that others need.
        drop(work);
        let _held_back = connection.map(|connection| connection.enter(Phase::HeldBack));
        return Ok(slowed(response, denied).await);
    }
    let (http, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let is_known = is_known || context.is_vouched();
    let answers = if is_known { &bounds.known } else { &bounds.unknown };
    let response = match sent(body, connection, Some(answers), work) {
        Ok(body) => head.set_body(body),
        Err(_) => refusal(
            &http,
            busy(
                "clients take so many large answers (server.answers) that there is no room for this one; send the request again",
            ),
        ),
    };
    Ok(ServiceResponse::new(http, response))
}

/// Answers a request with a problem.
fn refused(request: ServiceRequest, problem: Problem) -> ServiceResponse<BoxBody> {
    let answer = refusal(request.request(), problem);
    request.into_response(answer)
}

/// Refuses a request for which there is no room now. A small body is read, so that its connection can be used again: a new one
/// for each refused request would cost more than the refusal. A connection on which requests are sent ahead is not kept.
async fn turned_away(
    mut request: ServiceRequest,
    app: &Data<App>,
    problem: Problem,
    connection: Option<&Arc<Connection>>,
) -> ServiceResponse<BoxBody> {
    let is_waiting = connection.is_some_and(|connection| connection.is_expecting());
    if !is_waiting && intake::announced(&request).is_some_and(|length| length <= SMALL_BODY) {
        let _phase = connection.map(|connection| connection.enter(Phase::Body));
        let mut body = request.take_payload();
        let clock = app.engine.clock();
        let read = async { while let Some(Ok(_)) = body.next().await {} };
        timeout_at(clock.as_ref(), clock.elapsed() + DRAINED_FOR, read).await;
    }
    let mut response = refused(request, problem);
    if let Some(connection) = connection
        && connection.refuses() >= REFUSED_IN_A_ROW
    {
        close(&mut response);
        connection.leave();
    }
    response
}

/// Makes the problem of a server that has no room for a request.
fn busy(detail: &str) -> Problem {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Problem::new(status, "busy", "The server is busy", detail).after(AGAIN)
}

/// Ends the connection with an answer.
fn close<B>(response: &mut ServiceResponse<B>) {
    response
        .response_mut()
        .head_mut()
        .set_connection_type(ConnectionType::Close);
}

/// Counts a token that is missing or refused, and slows down a client that tries many.
async fn slowed(response: ServiceResponse<BoxBody>, denied: AccessDenied) -> ServiceResponse<BoxBody> {
    let request = response.request();
    let reason = denied.reason().unwrap_or_default();
    let (Some(app), peer) = (request.app_data::<Data<App>>().cloned(), request.peer_addr()) else {
        return response;
    };
    let route = if app.run_routes.holds(request.path()) {
        RUN.to_owned()
    } else {
        request.match_pattern().unwrap_or_default()
    };
    app.engine.metrics().network().token_refused(&route, reason);
    let delay = match denied {
        AccessDenied::Wrong(_) => app.attempts.note(peer.map(|peer| peer.ip()), &route, reason),
        _ => Delay::None,
    };
    match delay {
        Delay::None => {}
        Delay::Until(time) => app.engine.clock().sleep_until(time).await,
        Delay::Refuse(wait) => {
            let answer = refusal(request, Problem::wrong_tokens(wait));
            return response.into_response(answer);
        }
    }
    response
}

/// Answers a request that is not served, in the format of its frontend.
fn refusal(request: &HttpRequest, problem: Problem) -> HttpResponse {
    let problem = problem.of(RequestContext::of(request).id());
    if v3::holds(request.path()) {
        return v3::refusal(&problem);
    }
    let app = request.app_data::<Data<App>>();
    match app.filter(|app| app.run_routes.holds(request.path())) {
        Some(app) => answered::refusal(app.run_routes.codec(request.path()).as_ref(), &problem),
        None => problem.response(),
    }
}
