//! Answers of protocol v3: their bodies, packed where the client takes that, and their headers.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptEncoding, Encoding, Header as _, HeaderMap, HeaderValue, Preference, Quality,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;

use super::negotiation::{VARY, protocol};
use crate::app::documents::{Document, gzip, zstd};
use crate::http::access::AccessDenied;
use crate::http::problem::Problem;
use crate::maltego::json::detail::{self, Refusal};
use crate::maltego::json::run::State;
use crate::net::bodies::{AGAIN, BodyError};
use crate::runs::RunPage;
use crate::tokens::TokenError;

pub(super) const JSON: &str = "application/json";
const STATE: &str = "maltego-run-state";
/// Bodies below this are sent as they are.
const PACKED_FROM: usize = 1 << 10;
/// Answers about runs are packed each time, so this is quick.
const ZSTD_LEVEL: i32 = 1;

/// Names a coding in which a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Zstd,
    Gzip,
}

/// Chooses the coding of an answer of so many bytes by what the client takes and prefers; `None` sends it as it is, also where the
/// client takes nothing that there is.
fn coding(http: &HttpRequest, bytes: usize) -> Option<Coding> {
    let wanted = AcceptEncoding::parse(http).ok()?;
    let (zstd, gzip, identity) = (Encoding::zstd(), Encoding::gzip(), Encoding::identity());
    let weight = |of: &Preference<Encoding>| {
        let mut items = wanted.iter();
        items.find(|item| item.item == *of).map(|item| item.quality)
    };
    let own = |encoding: &Encoding| weight(&Preference::Specific(encoding.clone()));
    let of_others = weight(&Preference::Any);
    let takes = |weight: Option<Quality>| weight.is_none_or(|weight| weight > Quality::ZERO);
    let takes_identity = takes(own(&identity).or(of_others));
    let ours = [(&zstd, Coding::Zstd), (&gzip, Coding::Gzip)];
    let chosen = wanted.negotiate([&zstd, &gzip, &identity].into_iter());
    let chosen = match chosen.filter(|chosen| takes_identity || *chosen != identity) {
        Some(chosen) => ours.iter().find(|(encoding, _)| **encoding == chosen),
        // What it does not name is taken for all others.
        None => ours
            .iter()
            .find(|(encoding, _)| own(encoding).is_none() && of_others.is_some() && takes(of_others)),
    };
    let (_, coding) = chosen?;
    (bytes >= PACKED_FROM || !takes_identity).then_some(*coding)
}

fn encoded(answer: &mut HttpResponseBuilder, coding: Coding) {
    let name = match coding {
        Coding::Zstd => "zstd",
        Coding::Gzip => "gzip",
    };
    answer.insert_header((header::CONTENT_ENCODING, name));
}

fn ok(http: &HttpRequest, status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .content_type(JSON)
        .insert_header(("maltego-protocol-version", protocol(http)))
        .insert_header((header::VARY, VARY));
    answer
}

/// Sends a document, or says that the client has it.
pub(super) fn document(http: &HttpRequest, document: &Document) -> HttpResponse {
    let mut held = http
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok());
    let is_same = |tag: &str| {
        let tag = tag.trim();
        tag == "*" || tag.trim_start_matches("W/") == document.tag.trim_start_matches("W/")
    };
    let is_held = held.any(|list| list.split(',').any(is_same));
    let status = match is_held {
        true => StatusCode::NOT_MODIFIED,
        false => StatusCode::OK,
    };
    let mut answer = ok(http, status);
    answer
        .insert_header((header::ETAG, document.tag.as_str()))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if is_held {
        return answer.finish();
    }
    let coding = coding(http, document.body.len());
    let packed = match coding {
        Some(Coding::Zstd) => document.zstd(),
        Some(Coding::Gzip) => document.gzip(),
        None => None,
    };
    match (coding, packed) {
        (Some(coding), Some(packed)) => {
            encoded(&mut answer, coding);
            answer.body(packed)
        }
        _ => answer.body(document.body.clone()),
    }
}

/// Sends what is told of a run.
pub(super) fn run(http: &HttpRequest, status: StatusCode, page: RunPage) -> HttpResponse {
    let mut answer = ok(http, status);
    answer
        .insert_header((STATE, page.state.as_str()))
        .insert_header(("maltego-run-duration", page.duration_ms))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    let coding = coding(http, page.body.len());
    let packed = match coding {
        Some(Coding::Zstd) => zstd(&page.body, ZSTD_LEVEL),
        Some(Coding::Gzip) => gzip(&page.body, Compression::fast()),
        None => None,
    };
    match (coding, packed) {
        (Some(coding), Some(packed)) => {
            encoded(&mut answer, coding);
            answer.body(packed)
        }
        _ => answer.body(Bytes::from(page.body)),
    }
}

/// Says that an answer to a prompt was taken.
pub(super) fn prompt_taken(http: &HttpRequest, state: State) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    answer
        .insert_header(("maltego-protocol-version", protocol(http)))
        .insert_header((STATE, state.as_str()))
        .finish()
}

/// Says in words what is wrong.
pub(super) fn detail(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(JSON)
        .body(detail::detail(text))
}

/// Says in words that a run is not there, and how it stands for that.
pub(super) fn no_run(status: StatusCode, state: State, text: &str) -> HttpResponse {
    let mut answer = detail(status, text);
    let state = HeaderValue::from_static(state.as_str());
    answer
        .headers_mut()
        .insert(header::HeaderName::from_static(STATE), state);
    answer
}

/// Says why a request is refused.
pub(super) fn refused(refusal: &Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status)
        .content_type(JSON)
        .body(refusal.body())
}

/// Says that there are too many requests, and when to ask again.
pub(super) fn too_many(text: &str, after_s: u64) -> HttpResponse {
    let mut answer = detail(StatusCode::TOO_MANY_REQUESTS, text);
    answer.headers_mut().insert(header::RETRY_AFTER, after_s.into());
    answer
}

/// Says why a body was not read.
pub(super) fn unread(unread: BodyError) -> HttpResponse {
    problem(&Problem::unread(unread, "the request"))
}

/// Says a problem in the shape of this protocol.
pub(super) fn problem(problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = detail(status, &problem.detail);
    if let Some(seconds) = problem.retry_after_s {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

/// Says why a client may not ask. Clients of this protocol know these problems by their codes.
pub(super) fn denied(path: &str, denied: AccessDenied) -> HttpResponse {
    let (status, kind, reason, title, challenge) = match denied {
        AccessDenied::Rate(wait) => {
            return too_many(&denied.text(), wait.as_secs_f64().ceil() as u64);
        }
        AccessDenied::Missing => (
            StatusCode::UNAUTHORIZED,
            "credentials-missing",
            "missing",
            "Authentication credentials missing",
            Some("Bearer"),
        ),
        AccessDenied::Wrong(TokenError::Expired) => (
            StatusCode::UNAUTHORIZED,
            "token-expired",
            "expired",
            "Authentication token expired",
            Some("Bearer error=\"invalid_token\", error_description=\"The access token expired\""),
        ),
        AccessDenied::Wrong(_) => (
            StatusCode::UNAUTHORIZED,
            "credentials-invalid",
            "invalid",
            "Authentication credentials invalid",
            Some("Bearer error=\"invalid_token\""),
        ),
        AccessDenied::Scope(_) | AccessDenied::Permission(_) => (
            StatusCode::FORBIDDEN,
            "access-denied",
            "access_denied",
            "Access denied",
            None,
        ),
    };
    let body = serde_json::json!({
        "type": format!("urn:maltego-transforms:problem:auth:{kind}"),
        "title": title,
        "status": status.as_u16(),
        "detail": denied.text(),
        "instance": path,
        "error_code": format!("auth.{}", kind.replace('-', "_")),
        "auth_origin": "sso",
        "provider_type": "jwt",
        "reason": reason,
        "refresh_required": reason == "expired",
        "retryable": false,
    });
    let mut answer = HttpResponse::build(status);
    answer.content_type("application/problem+json");
    if let Some(challenge) = challenge {
        answer.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    answer.body(body.to_string())
}

/// Says that it is not known now whether a client may ask.
pub(super) fn unavailable(path: &str) -> HttpResponse {
    let body = serde_json::json!({
        "type": "urn:maltego-transforms:problem:auth:provider-unavailable",
        "title": "Authentication provider unavailable",
        "status": StatusCode::SERVICE_UNAVAILABLE.as_u16(),
        "detail": "the keys of the token's issuer cannot be fetched now; try again",
        "instance": path,
        "error_code": "auth.provider_unavailable",
        "auth_origin": "sso",
        "provider_type": "jwt",
        "reason": "unavailable",
        "refresh_required": false,
        "retryable": true,
    });
    HttpResponse::ServiceUnavailable()
        .content_type("application/problem+json")
        .insert_header((header::RETRY_AFTER, AGAIN.as_secs()))
        .body(body.to_string())
}

/// Adds how many entities of each type a run found.
pub(super) fn add_found(headers: &mut HeaderMap, written: Vec<u8>) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(written)) {
        headers.insert(header::HeaderName::from_static("maltego-entities-added"), value);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_coding_is_chosen_by_what_the_client_takes_and_prefers() {
        let (zstd, gzip) = (Some(Coding::Zstd), Some(Coding::Gzip));
        for (wanted, large, small) in [
            (None, None, None),
            (Some(""), None, None),
            (Some("gzip"), gzip, None),
            (Some("gzip, zstd"), zstd, None),
            (Some("GZIP;Q=0.5"), gzip, None),
            (Some("zstd;q=0.2, gzip;q=0.8"), gzip, None),
            (Some("br;q=0.5, gzip;q=1"), gzip, None),
            (Some("br"), None, None),
            (Some("gzip;q=0"), None, None),
            (Some("gzip;q=0, zstd;q=0.000"), None, None),
            (Some("identity;q=1, gzip;q=0.5"), None, None),
            (Some("*"), None, None),
            (Some("*;q=0"), None, None),
            (Some("gzip, *;q=0"), gzip, gzip),
            (Some("identity;q=0, gzip"), gzip, gzip),
            (Some("identity;q=0, *"), zstd, zstd),
            (Some("identity;q=0, zstd;q=0, *;q=0.5"), gzip, gzip),
            (Some("identity;q=0"), None, None),
            (Some("gzip;q=x"), None, None),
        ] {
            let mut request = TestRequest::default();
            if let Some(wanted) = wanted {
                request = request.insert_header((header::ACCEPT_ENCODING, wanted));
            }
            let request = request.to_http_request();
            let chosen = (coding(&request, PACKED_FROM), coding(&request, 10));
            assert_eq!(chosen, (large, small), "{wanted:?}");
        }
    }
}
