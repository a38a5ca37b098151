//! Protocol v3: what a client discovers, and runs that it creates, reads page by page, and deletes.
//!
//! `route.rs` reads paths, `negotiation.rs` headers, `auth.rs` finds out who asks; `discovery.rs` serves documents, `create.rs`
//! begins a run, which `execution.rs` works on, `emit.rs` tells what it finds, `kept.rs` keeps that for the next run, `purchase.rs` asks before it buys, and `results.rs`
//! answers about it; `reply.rs` writes answers.

mod auth;
mod create;
mod discovery;
mod emit;
mod execution;
mod kept;
mod negotiation;
mod purchase;
mod reply;
mod results;
mod route;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};

use self::route::{Route, RunPart};
use super::classic::{self, seed_of};
use crate::app::App;
use crate::app::documents::Document;
use crate::app::run_routes::split_token;
use crate::http::problem::Problem;
use crate::http::request::{Operation, RequestContext};
use crate::maltego::json::client::negotiated;
use crate::maltego::json::run::{PAGE, State};
use crate::maltego::json::seed::seed as seed_document;

pub(crate) use self::route::holds;

/// Counts and logs requests; each names its own path.
const OPERATION: Operation = Operation {
    frontend: super::FACE,
    pattern: "/api/v3",
};

/// Routes protocol v3, with its prefix and without. Below a token it is served by the handler of all protocols.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/api/v3", "/transforms", "/assets"] {
        let scope = web::scope(path).app_data(OPERATION);
        config.service(scope.default_service(web::to(serve)));
    }
    for path in [
        "/status",
        "/hub_item",
        "/health",
        "/.well-known/supported_capabilities",
    ] {
        let resource = web::resource(path).app_data(OPERATION);
        config.service(resource.default_service(web::to(serve)));
    }
}

/// Answers a request of protocol v3.
pub(super) async fn serve(
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    payload: web::Payload,
) -> HttpResponse {
    let mut response = match negotiation::preflight(&app, &http) {
        Some(answer) => answer,
        None => answered(&app, &http, &context, payload).await,
    };
    negotiation::allow_page(&app, &http, response.headers_mut());
    let id = context.id().to_string();
    if let Ok(id) = id.parse() {
        let name = header::HeaderName::from_static("x-request-id");
        response.headers_mut().insert(name, id);
    }
    response
}

/// Answers the seed to a client of this protocol.
pub(super) async fn seed(app: &Data<App>, http: &HttpRequest, context: &RequestContext) -> HttpResponse {
    let mut answer = described(app, http, context).await;
    negotiation::allow_page(app, http, answer.headers_mut());
    answer
}

async fn described(app: &Data<App>, http: &HttpRequest, context: &RequestContext) -> HttpResponse {
    if let Some(reason) = negotiation::refusal(app, http) {
        return reply::detail(StatusCode::FORBIDDEN, reason);
    }
    context.observe(app, http, None);
    let looked = auth::installed(app, http, context).await;
    if let Err(denied) = looked.and_then(|installed| auth::may_look(installed.as_ref()).map_err(Into::into)) {
        return denied.answer(context, "/seed");
    }
    match seed_of(&app.configured.load(), http) {
        Ok(seed) => {
            let mut answer = reply::document(http, &Document::new(seed_document(&seed)));
            let vary = HeaderValue::from_static(classic::VARY);
            answer.headers_mut().append(header::VARY, vary);
            answer
        }
        Err(problem) => reply::problem(&problem.of(context.id())),
    }
}

/// Answers by which methods the seed is asked, which version is spoken, and how long a page of a run is.
pub(super) fn seed_options(app: &App, http: &HttpRequest) -> HttpResponse {
    let named = http.headers().get("maltego-protocol-version");
    let spoken = negotiated(named.and_then(|value| value.to_str().ok()));
    let mut answer = negotiation::preflight(app, http).unwrap_or_else(|| {
        HttpResponse::Ok()
            .insert_header((header::ALLOW, "GET, HEAD, OPTIONS"))
            .insert_header(("maltego-protocol-version", spoken))
            .insert_header(("v3-page-size", PAGE.to_string()))
            .json(())
    });
    negotiation::allow_page(app, http, answer.headers_mut());
    answer
}

async fn answered(
    app: &Data<App>,
    http: &HttpRequest,
    context: &RequestContext,
    payload: web::Payload,
) -> HttpResponse {
    let path = http.path();
    let route = Route::read(path).unwrap_or(Route::Unknown);
    if route == Route::Unknown {
        return reply::detail(StatusCode::NOT_FOUND, "Not Found");
    }
    let methods = route.methods();
    if !methods.contains(http.method()) {
        let allowed: Vec<&str> = methods.iter().map(actix_web::http::Method::as_str).collect();
        let mut answer = reply::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        if let Ok(allowed) = allowed.join(", ").parse() {
            answer.headers_mut().insert(header::ALLOW, allowed);
        }
        return answer;
    }
    if let Some(reason) = negotiation::refusal(app, http) {
        return reply::detail(StatusCode::FORBIDDEN, reason);
    }
    if route == Route::Health {
        return HttpResponse::Ok()
            .content_type(reply::JSON)
            .body("{\"status\":\"ok\"}");
    }
    // Of a run, its creation and its end leave one line together.
    if !matches!(route, Route::Run(..)) {
        context.observe(app, http, None);
    }
    let installed = match auth::installed(app, http, context).await {
        Ok(installed) => installed,
        Err(refused) => return refused.answer(context, split_token(path).1),
    };
    match route {
        Route::Create(id) => create::create(app, http, context, installed, &id, payload)
            .await
            .unwrap_or_else(|refused| refused),
        Route::Run(transform, run, part) => {
            let asked = results::Asked {
                app,
                http,
                client: installed.as_ref().map(auth::owner),
                transform: &transform,
                run: &run,
            };
            match part {
                RunPart::Results => asked.results(),
                RunPart::Cancel => asked.cancel(),
                RunPart::Delete => asked.delete(),
                RunPart::Prompt(prompt) => asked.prompt(&prompt, payload).await,
            }
        }
        route => match auth::may_look(installed.as_ref()) {
            Ok(()) => discovery::document(app, http, context, &route),
            Err(denied) => {
                context.deny(denied);
                reply::denied(split_token(path).1, denied)
            }
        },
    }
}

/// Answers a request that is not served, since the server is busy or the client tried too many wrong tokens.
pub(crate) fn refusal(problem: &Problem) -> HttpResponse {
    reply::problem(problem)
}

/// Says that there is no such run, or that it is another client's.
fn run_not_found() -> HttpResponse {
    reply::no_run(StatusCode::NOT_FOUND, State::TimedOut, "Transform run not found")
}
