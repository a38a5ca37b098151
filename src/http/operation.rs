//! Health, readiness, metrics, and what is answered where there is nothing.

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::access;
use super::problem::Problem;
use crate::engine::store::StoreError;
use crate::startup::App;
use crate::tokens::Scope;

const TEXT: &str = "text/plain; charset=utf-8";

/// Says that this is pivotd.
pub async fn index(app: Data<App>) -> HttpResponse {
    let sample = if app.is_sample() {
        " Everything it answers is sample data."
    } else {
        ""
    };
    HttpResponse::Ok()
        .content_type(TEXT)
        .body(format!("This is pivotd.{sample}\n"))
}

/// Says that the process lives.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type(TEXT).body("ok\n")
}

/// Says whether it can answer: a transform is served, and the store takes a write, which this proves by writing.
pub async fn readyz(app: Data<App>) -> HttpResponse {
    if app.configured.load().catalogue.transforms().is_empty() {
        return HttpResponse::ServiceUnavailable()
            .content_type(TEXT)
            .body("no transform is served\n");
    }
    match app.engine.store().prove(app.engine.clock().elapsed()).await {
        Ok(()) => HttpResponse::Ok().content_type(TEXT).body("ready\n"),
        Err(error) => {
            tracing::debug!(%error, "not ready");
            // Where the file lies is for the log.
            let reason = match error {
                StoreError::Full { .. } => {
                    "the disk of the store is nearly full: nothing is spent and no decision is kept"
                }
                _ => "the store cannot be written: nothing is spent and no decision is kept",
            };
            HttpResponse::ServiceUnavailable()
                .content_type(TEXT)
                .body(format!("{reason}\n"))
        }
    }
}

/// Writes the metrics; asks for a token of scope `admin`, which a scraper sends as a bearer token.
pub async fn metrics(app: Data<App>, http: HttpRequest) -> HttpResponse {
    let request_id = Uuid::now_v7().to_string();
    if let Some(reason) = access::demo_refusal(&app, &http) {
        return Problem::new(StatusCode::FORBIDDEN, "refused", "Refused", reason, &request_id).response();
    }
    if let Err(denied) = access::identify(&app, &http, Scope::Admin) {
        return Problem::denied(denied, &request_id).response();
    }
    app.engine.observe();
    let replies = &app.decisions.replies;
    app.engine
        .metrics()
        .set_replies(replies.bytes(), replies.given_up());
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(app.engine.metrics().render())
}

/// Says that there is nothing here.
pub async fn not_found() -> HttpResponse {
    let request_id = Uuid::now_v7().to_string();
    let detail = "there is nothing here; /openapi.json describes what there is";
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "Not found",
        detail,
        &request_id,
    )
    .response()
}

/// Says by which method a path is served.
pub fn wrong_method(allowed: &'static str) -> HttpResponse {
    let request_id = Uuid::now_v7().to_string();
    let mut response = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        format!("this is asked by {allowed}; /openapi.json describes it"),
        &request_id,
    )
    .response();
    response
        .headers_mut()
        .insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

/// Says that a transform is run by POST.
pub async fn method_not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header(("allow", "GET, HEAD, POST"))
        .content_type(TEXT)
        .body("POST a Maltego request to run a transform\n")
}
