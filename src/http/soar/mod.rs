//! The routes that SOAR tools call: scores, facts, decisions. JSON in, JSON out.

use actix_web::Resource;
use actix_web::web::ServiceConfig;

use self::score_request::FRONTEND;
use super::request::Operation;
use super::{get, post};

pub mod alert;
pub mod batch;
pub mod context;
pub mod decisions;
mod idempotency;
mod lines;
mod read_budget;
pub(super) mod rehearse;
mod repeated;
pub mod reply;
pub mod reputation;
pub mod score_options;
mod score_reply;
pub mod score_request;
mod shapes;
mod slices;
pub(super) mod statuses;
mod streamed;
#[cfg(test)]
pub(super) mod testing;
pub mod values;

/// Routes all of them, each counted and logged under its pattern.
pub(super) fn routes(config: &mut ServiceConfig) {
    let mut add = |pattern: &'static str, path: &'static str, resource: fn(&str) -> Resource| {
        let operation = Operation {
            frontend: FRONTEND,
            pattern,
        };
        config.service(resource(path).app_data(operation));
    };
    let mut plain = |pattern, resource| add(pattern, pattern, resource);
    plain("/v1/alerts/score", |path| post(path, alert::score_alert));
    plain("/v1/domain/{domain}/reputation", |path| {
        get(path, reputation::domain)
    });
    plain("/v1/ip/{ip}/reputation", |path| get(path, reputation::ip));
    plain("/v1/email/{email}/reputation", |path| {
        get(path, reputation::email)
    });
    plain("/v1/url/reputation", |path| get(path, reputation::url));
    plain("/v1/file/{digest}/reputation", |path| get(path, reputation::file));
    plain("/v1/enrich", |path| post(path, reputation::any));
    plain("/v1/enrich/batch", |path| post(path, batch::score_batch));
    plain("/v1/decisions/{decision}", |path| get(path, decisions::decision));
    plain("/v1/decisions/{decision}/feedback", |path| {
        post(path, decisions::feedback)
    });
    add("/v1/context/{indicator}", "/v1/context/{indicator:.*}", |path| {
        get(path, context::context)
    });
}
