//! Marks connections as worked on, refuses what there is no connection for, slows down wrong tokens, and sends answers piece by
//! piece, as clients take them.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::ConnectionType;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use futures_util::StreamExt;
use uuid::Uuid;

use super::attempts::Delay;
use super::connections::{Connection, InPhase, Phase};
use super::load::Load;
use crate::http::access::{self, Denied};
use crate::http::answered;
use crate::http::incoming::AGAIN;
use crate::http::problem::Problem;
use crate::http::run_path::{RUN, is_run};
use crate::startup::App;

/// The bytes of an answer that are copied for a client at once: what it does not take is held once, however many ask.
const PIECE: usize = 32 << 10;

/// A body up to this is read, where its request is refused.
const SMALL_BODY: usize = 64 << 10;

/// Paths that are answered while the server works on as many connections as it may: a supervisor that got no answer would end
/// a server that works.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// Serves a request of a watched connection.
pub(super) async fn watched(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let connection = request.request().conn_data::<Arc<Connection>>().cloned();
    let is_spare = connection
        .as_ref()
        .is_some_and(|connection| connection.is_spare());
    let is_health = HEALTH.contains(&request.path());
    if is_spare && !is_health {
        return Ok(no_connection(request));
    }
    let takes = |load: &Rc<Load>| load.takes(|| is_known(&request));
    if !is_health && !request.app_data::<Rc<Load>>().is_none_or(takes) {
        return Ok(too_many(request, connection.as_ref()).await);
    }
    let work = connection
        .as_ref()
        .map(|connection| connection.enter(Phase::Working));
    let mut response = next.call(request).await?;
    if is_spare {
        close(&mut response);
    }
    let denied = response.request().extensions().get::<Denied>().copied();
    match denied {
        Some(denied) => {
            let _held_back = connection.map(|connection| connection.enter(Phase::HeldBack));
            Ok(slowed(response, denied).await)
        }
        None => {
            drop(work);
            Ok(response.map_body(|_, body| sent(body, connection.as_ref())))
        }
    }
}

/// Tells whether a request has a token in its header or path that may be used.
fn is_known(request: &ServiceRequest) -> bool {
    let app = request.app_data::<Data<App>>();
    app.is_some_and(|app| access::is_known(app, request.request()))
}

/// Refuses a request while the server works on as many connections as it may.
fn no_connection(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    if let Some(app) = request.app_data::<Data<App>>() {
        app.engine.metrics().network().refused.inc();
    }
    let detail =
        "the server works on as many connections as it may (server.connections); send the request again";
    let answer = refusal(request.request(), &busy(detail));
    let mut response = request.into_response(answer);
    close(&mut response);
    response
}

/// Refuses a request while more come than can be answered. A small body is read, so that its connection can be used again:
/// a new one for each refused request would cost more than the refusal.
async fn too_many(
    mut request: ServiceRequest,
    connection: Option<&Arc<Connection>>,
) -> ServiceResponse<BoxBody> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length <= SMALL_BODY) {
        let _phase = connection.map(|connection| connection.enter(Phase::Body));
        let mut body = request.take_payload();
        while let Some(Ok(_)) = body.next().await {}
    }
    if let Some(app) = request.app_data::<Data<App>>() {
        app.engine.metrics().network().shed.inc();
    }
    let detail = "more requests come than the server can answer; send the request again";
    let answer = refusal(request.request(), &busy(detail));
    request.into_response(answer)
}

/// Makes the problem of a server that has no room for a request.
fn busy(detail: &str) -> Problem {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let id = Uuid::now_v7().to_string();
    Problem::new(status, "busy", "The server is busy", detail, &id).after(AGAIN)
}

/// Ends the connection with an answer.
fn close<B>(response: &mut ServiceResponse<B>) {
    response
        .response_mut()
        .head_mut()
        .set_connection_type(ConnectionType::Close);
}

/// Counts a token that is missing or refused, and slows down a client that tries many.
async fn slowed(
    response: ServiceResponse<impl MessageBody + 'static>,
    denied: Denied,
) -> ServiceResponse<BoxBody> {
    let request = response.request();
    let reason = denied.reason().unwrap_or_default();
    let route = if is_run(request.path()) {
        RUN.to_owned()
    } else {
        request.match_pattern().unwrap_or_default()
    };
    let (Some(app), peer) = (request.app_data::<Data<App>>().cloned(), request.peer_addr()) else {
        return response.map_into_boxed_body();
    };
    app.engine.metrics().network().token_refused(&route, reason);
    let delay = match denied {
        Denied::Wrong(_) => app.attempts.note(peer.map(|peer| peer.ip()), &route, reason),
        _ => Delay::None,
    };
    match delay {
        Delay::None => {}
        Delay::Until(time) => app.engine.clock().sleep_until(time).await,
        Delay::Refuse(wait) => {
            let id = Uuid::now_v7().to_string();
            let answer = refusal(request, &Problem::wrong_tokens(wait, &id));
            return response.into_response(answer);
        }
    }
    response.map_into_boxed_body()
}

/// Answers a request that is not served, in the format of its face.
fn refusal(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    if is_run(request.path()) {
        answered::refusal(problem)
    } else {
        problem.response()
    }
}

/// Sends a body in pieces where it is whole; one that is made as it is sent keeps its connection worked on.
fn sent(body: impl MessageBody + 'static, connection: Option<&Arc<Connection>>) -> BoxBody {
    let phase = |phase| connection.map(|connection| connection.enter(phase));
    match body.try_into_bytes() {
        Ok(bytes) if bytes.is_empty() => BoxBody::new(bytes),
        Ok(bytes) => BoxBody::new(Pieces {
            bytes,
            _phase: phase(Phase::Sending),
        }),
        Err(body) => BoxBody::new(Made {
            body: BoxBody::new(body),
            _phase: phase(Phase::Working),
        }),
    }
}

/// Is a body that is made as it is sent.
struct Made {
    body: BoxBody,
    _phase: Option<InPhase>,
}

impl MessageBody for Made {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Is a body that is sent in pieces.
struct Pieces {
    bytes: Bytes,
    _phase: Option<InPhase>,
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.bytes.len().min(PIECE);
        Poll::Ready(Some(Ok(self.bytes.split_to(piece))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn pieces_make_the_whole() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 5 * PIECE + 7] {
            let whole: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let body = sent(Bytes::from(whole.clone()), None);
            assert_eq!(body.size(), BodySize::Sized(length as u64));
            assert_eq!(to_bytes(body).await.unwrap(), whole);
        }
    }

    #[test]
    fn no_piece_is_larger_than_what_is_copied_at_once() {
        let mut body = Pieces {
            bytes: Bytes::from(vec![0; 3 * PIECE + 1]),
            _phase: None,
        };
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut count = 0;
        while let Poll::Ready(Some(Ok(piece))) = Pin::new(&mut body).poll_next(&mut context) {
            assert!(piece.len() <= PIECE);
            count += 1;
        }
        assert_eq!(count, 4);
    }
}
