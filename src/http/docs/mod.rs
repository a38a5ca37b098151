//! Serves the description of the API, from the code: as OpenAPI 3.1, in older editions, and as a page.

mod examples;

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use self::examples::DocumentExtras;
use crate::app::{App, Mode};
use crate::http::base_url::base_url;
use crate::http::soar::{alert, batch, context, decisions, reputation, score_request};
use crate::openapi::{self, Version};

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "A client token, as `Authorization: Bearer …`; `Authorization: Token …`, the bare token and `X-Api-Key` are \
             taken too.";
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

struct Examples;

impl Modify for Examples {
    /// Gives an alert its example: its members take a value or a list, and none of them is required.
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let path = document.paths.paths.get_mut("/v1/alerts/score");
        let operation = path.and_then(|path| path.post.as_mut());
        if let Some(RefOr::T(body)) = operation.and_then(|operation| operation.request_body.as_mut())
            && let Some(RefOr::T(media)) = body.content.get_mut("application/json")
            && media.example.is_none()
        {
            media.example = Some(serde_json::json!({
                "email": "billing@career-offers.example",
                "domain": "career-offers.example",
                "ip": "192.0.2.44",
            }));
        }
    }
}

/// Describes the enrichment frontend.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "pivotd",
        description = "Reputation scores from 0 to 100, with reasons, from the threat-intelligence providers you pay \
                       for. Unknown, unsupported and failed are told apart, and none of them is ever a score of 0. \
                       With a token of the scope `rehearse`, the header `X-Pivotd-Rehearse: exceeds`, `below`, `unknown`, `unsupported`, \
                       `undetermined`, `slow` or `limited` plays that branch of an answer without asking a provider.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        alert::score_alert,
        reputation::domain,
        reputation::ip,
        reputation::email,
        reputation::url,
        reputation::file,
        reputation::any,
        batch::score_batch,
        context::context,
        decisions::decision,
        decisions::feedback,
    ),
    components(schemas(
        score_request::Answer,
        batch::BatchAnswer,
        crate::ask::score::IndicatorFacts,
        crate::decisions::FeedbackRecord,
        decisions::DecisionWithFeedback,
        crate::http::problem::Problem,
        crate::http::soar::statuses::AlertReply,
    )),
    modifiers(&Token, &Examples, &DocumentExtras),
    tags(
        (name = "reputation", description = "Scores of indicators"),
        (name = "decisions", description = "Decisions, explained later, and what people say of them"),
    )
)]
pub struct Document;

/// Names an edition of the specification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Edition {
    /// OpenAPI 3.1, complete.
    #[default]
    #[value(name = "3.1")]
    V31,
    /// OpenAPI 3.0.3.
    #[value(name = "3.0")]
    V30,
    /// Swagger 2.0.
    #[value(name = "2.0")]
    V20,
}

/// Where each description is served, with what it is called.
const LINKS: [(&str, &str); 3] = [
    ("openapi.json", "OpenAPI 3.1"),
    ("openapi-3.0.json", "OpenAPI 3.0.3"),
    ("swagger.json", "Swagger 2.0"),
];

/// Holds what is served, each made when it is first asked for.
static EDITION_3_1: LazyLock<Bytes> = LazyLock::new(|| made(Edition::V31));
static EDITION_3_0: LazyLock<Bytes> = LazyLock::new(|| made(Edition::V30));
static EDITION_2_0: LazyLock<Bytes> = LazyLock::new(|| made(Edition::V20));
static PAGE: LazyLock<Page> = LazyLock::new(|| Page::make(true));
/// The page of a server that asks for no token.
static OPEN_PAGE: LazyLock<Page> = LazyLock::new(|| Page::make(false));
/// The server in the document, as it is written there.
const RELATIVE: &str = "\"url\": \"/\"";

/// Returns the document as JSON text in an edition.
///
/// # Errors
/// Never in practice; the document is plain data.
pub fn json(edition: Edition) -> Result<String, serde_json::Error> {
    let document = Document::openapi();
    let older = |version| serde_json::to_string_pretty(&openapi::render(&value(&document)?, version));
    match edition {
        Edition::V31 => document.to_pretty_json(),
        Edition::V30 => older(Version::V30),
        Edition::V20 => older(Version::V20),
    }
}

fn value(document: &utoipa::openapi::OpenApi) -> Result<Value, serde_json::Error> {
    serde_json::to_value(document)
}

/// Returns the bytes of an edition; none where it could not be written.
fn made(edition: Edition) -> Bytes {
    match json(edition) {
        Ok(text) => text.into(),
        Err(error) => {
            tracing::error!(%error, "the OpenAPI document could not be written");
            Bytes::new()
        }
    }
}

struct Page {
    html: String,
    policy: String,
}

impl Page {
    fn make(asks_token: bool) -> Self {
        let document = value(&Document::openapi()).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            openapi::style_hash()
        );
        Self {
            html: openapi::page(&document, &LINKS, asks_token),
            policy,
        }
    }
}

/// Serves the document.
pub async fn document(app: Data<App>, http: HttpRequest) -> HttpResponse {
    served(&EDITION_3_1, &app, &http)
}

/// Serves the document as OpenAPI 3.0.3.
pub async fn document_3_0(app: Data<App>, http: HttpRequest) -> HttpResponse {
    served(&EDITION_3_0, &app, &http)
}

/// Serves the document as Swagger 2.0, whose tools call the host that it came from.
pub async fn document_2_0(app: Data<App>, http: HttpRequest) -> HttpResponse {
    served(&EDITION_2_0, &app, &http)
}

/// Returns what this client calls this server, where that is known.
fn base(app: &App, http: &HttpRequest) -> Option<String> {
    base_url(&app.configured.load().settings().server, http).ok()
}

fn served(edition: &Bytes, app: &App, http: &HttpRequest) -> HttpResponse {
    let Ok(text) = std::str::from_utf8(edition) else {
        return HttpResponse::InternalServerError().finish();
    };
    if text.is_empty() {
        return HttpResponse::InternalServerError().finish();
    }
    let body = match base(app, http).map(|url| Value::from(url).to_string()) {
        Some(url) => Bytes::from(text.replacen(RELATIVE, &format!("\"url\": {url}"), 1)),
        None => edition.clone(),
    };
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header((header::VARY, "Host"))
        .body(body)
}

/// Serves the document as a page; its examples call this server as its clients do.
pub async fn docs(app: Data<App>, http: HttpRequest) -> HttpResponse {
    let page = if app.mode == Mode::Demo { &OPEN_PAGE } else { &PAGE };
    let html = match base(&app, &http) {
        Some(url) => page.html.replace(openapi::PLACE, &openapi::escaped(&url)),
        None => page.html.clone(),
    };
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", page.policy.as_str()))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header((header::VARY, "Host"))
        .body(html)
}

#[cfg(test)]
mod tests;
