//! Discovery by classic clients (v2), straight from the client: the seed that an analyst pastes, and the application that the
//! seed names, with its commands.

use std::borrow::Cow;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Responder};

use super::answered::problem_in_xml;
use super::{FACE, run, v3};
use crate::VERSION;
use crate::app::run_routes::{RunPath, path_token};
use crate::app::{App, Configured};
use crate::ask::message::head;
use crate::http::base_url::base_url;
use crate::http::operation::wrong_method;
use crate::http::principal::authorize;
use crate::http::problem::Problem;
use crate::http::request::{Operation, RequestContext};
use crate::maltego::discovery::{Seed, is_json_wanted, list};
use crate::maltego::mtz::{CLIENT_PREFIX, configuration};
use crate::tokens::Scope;

const SEED: &str = "/seed";
const RUNNER: &str = "/runner";

/// Names the headers that decide in which format a seed is.
pub(super) const VARY: &str = "Accept, Maltego-Protocol-Version";

const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
/// Routes them.
pub(super) fn routes(config: &mut ServiceConfig) {
    let resource = |path: &'static str| -> Resource {
        web::resource(path).app_data(Operation {
            frontend: FACE,
            pattern: path,
        })
    };
    config
        .service(resource(SEED).default_service(web::to(seed)))
        .service(resource(RUNNER).default_service(web::to(runner)));
}

/// Answers what stands at the URL that an analyst pastes: JSON for clients of protocol v3, XML for others.
async fn seed(app: Data<App>, http: HttpRequest, context: RequestContext) -> HttpResponse {
    match *http.method() {
        Method::OPTIONS => v3::seed_options(&app, &http),
        Method::GET | Method::HEAD if wants_json(&http) => v3::seed(&app, &http, &context).await,
        Method::GET | Method::HEAD => {
            described(&app, &http).unwrap_or_else(|problem| refused(&http, &context, problem))
        }
        _ => wrong_method(&context, "GET, HEAD, OPTIONS"),
    }
}

fn described(app: &App, http: &HttpRequest) -> Result<HttpResponse, Problem> {
    authorize(http, Scope::Transforms)?;
    let seed = seed_of(&app.configured.load(), http)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::VARY, VARY))
        .insert_header((header::CONTENT_TYPE, XML))
        .body(seed.xml()))
}

/// Makes the seed of the path of a request: one below a token points below that token alone.
pub(super) fn seed_of(configured: &Configured, http: &HttpRequest) -> Result<Seed, Problem> {
    let mut base_url = base_url(&configured.settings().server, http)?;
    if let Some(token) = path_token(http.path()) {
        base_url = format!("{base_url}/t/{token}");
    }
    Ok(Seed::new(base_url, VERSION))
}

/// Answers the commands of the application.
async fn runner(
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    payload: web::Payload,
) -> HttpResponse {
    if http.method() == Method::OPTIONS {
        return allowed("GET, HEAD, POST, OPTIONS");
    }
    if !matches!(*http.method(), Method::GET | Method::HEAD | Method::POST) {
        return wrong_method(&context, "GET, HEAD, POST, OPTIONS");
    }
    let query = Query::read(http.query_string());
    let answer = match query.command.to_ascii_uppercase().as_str() {
        "_RUN" if http.method() == Method::POST => {
            context.observe(&app, &http, None);
            return run_named(&app, &http, &context, &query.transform, payload).await;
        }
        "_RUN" => return wrong_method(&context, "POST"),
        "_TRANSFORMS" => listed(&app, &http),
        "_CONFIG" => configuration_file(&app, &http),
        // A measure of load, which servers answered in the protocol's first years.
        "_PERFORMANCE" => Ok(HttpResponse::Ok().content_type("text/plain").body("100")),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "There is no such command",
            format!(
                "the parameter Command is _TRANSFORMS, _CONFIG or _RUN, not \"{}\"",
                head(&query.command)
            ),
        )),
    };
    answer.unwrap_or_else(|problem| refused(&http, &context, problem))
}

fn listed(app: &App, http: &HttpRequest) -> Result<HttpResponse, Problem> {
    authorize(http, Scope::Transforms)?;
    let configured = app.configured.load();
    let generation = configured.catalogue.generation();
    let write = || list(&configured.listing, VERSION).into_bytes();
    let xml = app.documents.get(generation, "classic list", write).body.clone();
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header((header::CONTENT_TYPE, XML)).body(xml))
}

/// Answers with the configuration that belongs to the seed, which a client imports.
fn configuration_file(app: &App, http: &HttpRequest) -> Result<HttpResponse, Problem> {
    authorize(http, Scope::Transforms)?;
    let configured = app.configured.load();
    let seed = seed_of(&configured, http)?;
    let bytes = configuration(&configured.listing, &seed).map_err(|error| {
        let detail = "the configuration could not be written";
        Problem::internal("failed", "The server failed", detail, error)
    })?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"pivotd.mtz\""))
        .body(bytes))
}

/// Runs the transform of an entry of the list.
async fn run_named(
    app: &App,
    http: &HttpRequest,
    context: &RequestContext,
    entry: &str,
    payload: web::Payload,
) -> HttpResponse {
    let configured = app.configured.load();
    let entry = entry.strip_prefix(CLIENT_PREFIX).unwrap_or(entry);
    let found = configured
        .listing
        .find(entry)
        .map(|found| found.transform.name.clone());
    let path = RunPath {
        route: app.run_routes.first(),
        token: path_token(http.path()),
        transform: found.map_or_else(|| Cow::Borrowed(entry), Cow::Owned),
    };
    run(app, http, context, &path, payload).await.respond_to(http)
}

/// Holds the parameters of a command.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    command: String,
    transform: String,
}

impl Query {
    fn read(text: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                name if name.eq_ignore_ascii_case("Command") => query.command = value.into_owned(),
                name if name.eq_ignore_ascii_case("TransformToRun") => query.transform = value.into_owned(),
                _ => {}
            }
        }
        query
    }
}

/// Says which methods there are.
fn allowed(methods: &'static str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ALLOW, methods)).json(())
}

/// Answers in the format that the client reads.
fn refused(http: &HttpRequest, context: &RequestContext, problem: Problem) -> HttpResponse {
    let mut problem = problem.of(context.id());
    if problem.status == StatusCode::UNAUTHORIZED.as_u16() && path_token(http.path()).is_none() {
        problem.detail.push_str(
            ". A Maltego client sends no token here: `pivotd tokens create NAME --maltego` prints a URL of the analyst's own \
             to paste instead",
        );
    }
    if wants_json(http) {
        problem.response()
    } else {
        problem_in_xml(&problem)
    }
}

fn wants_json(http: &HttpRequest) -> bool {
    let header = |name: &str| http.headers().get(name)?.to_str().ok();
    is_json_wanted(header("accept"), header("maltego-protocol-version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_case_and_order() {
        for text in [
            "Command=_RUN&TransformToRun=acme.hosts",
            "key=x&transformtorun=acme%2Ehosts&command=_RUN",
            "&&Command=_RUN&=&TransformToRun=acme.hosts&",
        ] {
            let read = Query::read(text);
            assert_eq!(
                (read.command.as_str(), read.transform.as_str()),
                ("_RUN", "acme.hosts"),
                "{text}"
            );
        }
        assert_eq!(Query::read("").command, "");
    }
}
