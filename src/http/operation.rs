//! Health, readiness, metrics, and what is answered where there is nothing.

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::access::AccessDenied;
use super::principal::identify;
use super::problem::Problem;
use super::request::RequestContext;
use crate::admin::{Permission, Reach};
use crate::app::App;
use crate::ask::score::SPEAKING;
use crate::config::problem::did_you_mean;
use crate::engine::runtime::Runtime;
use crate::storage::StoreError;
use crate::tokens::Scope;

const TEXT: &str = "text/plain; charset=utf-8";

/// Says that this is pivotd, and where what it answers is described.
pub async fn index(app: Data<App>) -> HttpResponse {
    let sample = if app.is_sample() {
        " Everything it answers is sample data."
    } else {
        ""
    };
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "link",
            "</docs>; rel=\"service-doc\", </openapi.json>; rel=\"service-desc\"",
        ))
        .body(format!(
            "<!doctype html>\n<html lang=\"en\"><title>pivotd</title>\n<p>This is pivotd.{sample}\n\
             <p><a href=\"/docs\">/docs</a> describes what it answers, <a href=\"/openapi.json\">/openapi.json</a> does so \
             for tools.\n</html>\n"
        ))
}

/// Says that the process lives.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type(TEXT).body("ok\n")
}

/// Says whether it can answer: a transform is served or a source of scores asked, and the store takes a write, which this
/// proves by writing. Says, too, whose key was given and cannot be used.
pub async fn readyz(app: Data<App>) -> HttpResponse {
    let unready = |text: &'static str| HttpResponse::ServiceUnavailable().content_type(TEXT).body(text);
    let runtimes = app.engine.runtimes();
    let scores = || {
        runtimes
            .values()
            .any(|runtime| runtime.keyring.has_key() && speaks(runtime))
    };
    if app.configured.load().catalogue.transforms().is_empty() && !scores() {
        return unready("no transform is served, and no source of scores is asked\n");
    }
    if let Err(error) = app.engine.store().prove(app.engine.clock().elapsed()).await {
        tracing::debug!(%error, "not ready");
        // Where the file lies is for the log.
        return unready(match error {
            StoreError::Full { .. } => {
                "the disk of the store is nearly full: nothing is spent and no decision is kept\n"
            }
            _ => "the store cannot be written: nothing is spent and no decision is kept\n",
        });
    }
    let mut text = String::from("ready\n");
    for (name, runtime) in runtimes.iter() {
        let refused = runtime
            .keyring
            .server_account()
            .and_then(|own| own.breaker.refusal());
        if runtime.settings.key_fault.is_some() {
            text.push_str(&format!("without {name}: its key cannot be read\n"));
        } else if refused.is_some() {
            text.push_str(&format!("without {name}: its key is refused\n"));
        }
    }
    HttpResponse::Ok().content_type(TEXT).body(text)
}

/// Tells whether a provider is a source of scores.
fn speaks(runtime: &Runtime) -> bool {
    let descriptor = runtime.provider.descriptor();
    SPEAKING.iter().any(|one| descriptor.offer(*one).is_some())
}

/// Writes the metrics; asks for a token of scope `metrics`, which a scraper sends as a bearer token.
pub async fn metrics(app: Data<App>, http: HttpRequest) -> Result<HttpResponse, Problem> {
    identify(&http, |principal| {
        match principal.grants().with(Permission::Metrics) {
            Reach::All => Ok(()),
            Reach::Some(_) => Err(AccessDenied::Scope(Scope::Metrics)),
        }
    })?;
    app.engine.observe().await;
    let (metrics, decisions) = (app.engine.metrics(), &app.decisions);
    metrics.set_replies(decisions.replies.bytes(), decisions.replies.given_up());
    metrics.set_decisions(decisions.bytes(), decisions.given_up());
    metrics.set_feedback(decisions.opinions.bytes());
    metrics.set_runs(app.runs.by_state(), app.runs.bytes());
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(app.engine.metrics().render()))
}

/// The paths that are served, for a hint to a client that mistypes one.
const PATHS: [&str; 19] = [
    "/v1/alerts/score",
    "/v1/domain/{domain}/reputation",
    "/v1/ip/{ip}/reputation",
    "/v1/email/{email}/reputation",
    "/v1/url/reputation",
    "/v1/file/{digest}/reputation",
    "/v1/enrich",
    "/v1/enrich/batch",
    "/v1/context/{indicator}",
    "/v1/decisions/{decision}",
    "/v1/decisions/{decision}/feedback",
    "/run/{transform}",
    "/seed",
    "/runner",
    "/openapi.json",
    "/docs",
    "/healthz",
    "/readyz",
    "/metrics",
];

/// Says which path was meant, where one is near: what stands for a value is taken as it is, and every other step is near.
fn meant(path: &str) -> String {
    let given: Vec<&str> = path.split('/').collect();
    let filled = PATHS.map(|pattern| {
        let steps = pattern.split('/').enumerate().map(|(at, step)| {
            let is_value = step.starts_with('{');
            given.get(at).filter(|_| is_value).copied().unwrap_or(step)
        });
        (steps.collect::<Vec<_>>().join("/"), pattern)
    });
    let is_near = |known: &str| {
        let steps: Vec<&str> = known.split('/').collect();
        let alike =
            |(known, given): (&&str, &&str)| known == given || !did_you_mean(given, [*known]).is_empty();
        steps.len() != given.len() || steps.iter().zip(&given).all(alike)
    };
    let near = filled
        .iter()
        .map(|(path, _)| path.as_str())
        .filter(|known| is_near(known));
    let near = did_you_mean(path, near);
    let pattern = filled
        .iter()
        .find(|(path, _)| near.contains(&format!("\"{path}\"")))
        .map(|(_, pattern)| format!(", did you mean {pattern}?"));
    pattern.unwrap_or_default()
}

/// Says that there is nothing here.
pub async fn not_found(http: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(absent(http.path()))
}

/// Says that there is nothing at a path.
pub(super) fn absent(path: &str) -> Problem {
    let detail = format!(
        "there is nothing here{}; /openapi.json describes what there is",
        meant(path)
    );
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
}

/// Says by which method a path is served.
pub fn wrong_method(context: &RequestContext, allowed: &'static str) -> HttpResponse {
    let mut response = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        format!("this is asked by {allowed}; /openapi.json describes it"),
    )
    .of(context.id())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_path_gets_the_one_that_was_meant() {
        for (given, pattern) in [
            (
                "/v1/domian/example.com/reputation",
                "/v1/domain/{domain}/reputation",
            ),
            ("/v1/ip/192.0.2.1/reputaton", "/v1/ip/{ip}/reputation"),
            ("/v1/alert/score", "/v1/alerts/score"),
            ("/v1/decision/1f/feedback", "/v1/decisions/{decision}/feedback"),
            ("/doc", "/docs"),
        ] {
            assert_eq!(meant(given), format!(", did you mean {pattern}?"), "{given}");
        }
        assert_eq!(meant("/favicon.ico"), "");
    }
}
