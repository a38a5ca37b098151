//! What the headers of a request say of its client: what it can do, which protocol it speaks, which page sent it.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, http::Method};

use crate::app::App;
use crate::http::principal;
use crate::maltego::json::client::{Client, ClientHeaders, PROTOCOL};

/// Names the headers by which answers differ.
pub(super) const VARY: &str = "Maltego-Client-Capabilities, Maltego-Protocol-Version, Maltego-Client-Identifier, \
                               Maltego-Client-Version, User-Agent, Accept-Encoding, Origin";
/// The headers of answers that a page may read.
const EXPOSED: &str = "maltego-protocol-version, maltego-run-state, maltego-run-duration, maltego-entities-added, \
                       maltego-transform-supported-oauth-formats, etag, retry-after, x-request-id";
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST";
const PREFLIGHT_AGE: &str = "600";
/// A name of a protocol has no more letters.
const MOST_OF_PROTOCOL: usize = 32;

fn text<'a>(http: &'a HttpRequest, name: &str) -> Option<&'a str> {
    http.headers().get(name)?.to_str().ok()
}

/// Finds out what the client can do.
pub(super) fn client(http: &HttpRequest) -> Client {
    let lists: Vec<&str> = http
        .headers()
        .get_all("maltego-client-capabilities")
        .filter_map(|value| value.to_str().ok())
        .collect();
    let joined = (lists.len() > 1).then(|| lists.join(","));
    Client::of(&ClientHeaders {
        capabilities: joined.as_deref().or_else(|| lists.first().copied()),
        protocol: text(http, "maltego-protocol-version"),
        identifier: text(http, "maltego-client-identifier"),
        version: text(http, "maltego-client-version"),
        user_agent: text(http, "user-agent"),
    })
}

/// Returns the protocol that is answered in: what the client named, as it named it.
pub(super) fn protocol(http: &HttpRequest) -> HeaderValue {
    let named = http.headers().get("maltego-protocol-version");
    let named = named.filter(|value| (1..=MOST_OF_PROTOCOL).contains(&value.len()));
    named.cloned().unwrap_or(HeaderValue::from_static(PROTOCOL))
}

/// Returns the page that sent a request, where it may read the answer.
fn page<'a>(app: &App, http: &'a HttpRequest) -> Option<&'a HeaderValue> {
    let origin = http.headers().get(header::ORIGIN)?;
    let configured = app.configured.load();
    let mut known = configured.settings().maltego.cors_origins.iter();
    known
        .any(|known| known.as_bytes() == origin.as_bytes())
        .then_some(origin)
}

/// Says why the demo does not answer a request: it comes from a page that is not configured.
pub(super) fn refusal(app: &App, http: &HttpRequest) -> Option<&'static str> {
    if page(app, http).is_some() {
        return None;
    }
    principal::demo_refusal(app, http)
}

/// Lets the page that sent a request read the answer.
pub(super) fn allow_page(app: &App, http: &HttpRequest, headers: &mut HeaderMap) {
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    let Some(page) = page(app, http) else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page.clone());
    let yes = HeaderValue::from_static("true");
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    let exposed = HeaderValue::from_static(EXPOSED);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// Answers the question of a browser whether a page may send a request; `None` where it is none.
pub(super) fn preflight(app: &App, http: &HttpRequest) -> Option<HttpResponse> {
    let is_asked = http.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if http.method() != Method::OPTIONS || !is_asked || !http.headers().contains_key(header::ORIGIN) {
        return None;
    }
    let is_allowed = page(app, http).is_some();
    let (status, body) = match is_allowed {
        true => (StatusCode::OK, "OK"),
        false => (StatusCode::BAD_REQUEST, "Disallowed CORS origin"),
    };
    let mut answer = HttpResponse::build(status);
    answer
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE))
        .insert_header((
            header::VARY,
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
        ));
    if is_allowed {
        if let Some(wanted) = http.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone()));
        }
        let private = HeaderName::from_static("access-control-request-private-network");
        if http.headers().contains_key(private) {
            answer.insert_header(("access-control-allow-private-network", "true"));
        }
    }
    Some(answer.body(body))
}
