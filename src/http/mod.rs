//! The frontends: authenticate, decode, ask, render. Thin.

pub mod access;
pub mod admin;
pub mod api_call;
mod base_url;
mod client_address;
pub mod docs;
mod intake;
mod json;
pub mod maltego;
pub mod operation;
pub(crate) mod pipeline;
pub mod principal;
pub mod problem;
pub mod request;
pub mod request_body;
pub mod soar;
mod target;
pub mod transforms;

use crate::app::run_routes::RunRoutes;
use actix_web::{FromRequest, Handler, Resource, Responder, web};

/// Serves a path by GET, and says so to a client that tries otherwise.
fn get<Args: FromRequest + 'static>(
    path: &str,
    handler: impl Handler<Args, Output = impl Responder + 'static>,
) -> Resource {
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(async |context| {
            operation::wrong_method(&context, "GET, HEAD")
        }))
}

/// Serves a path by POST, and says so to a client that tries otherwise.
fn post<Args: FromRequest + 'static>(
    path: &str,
    handler: impl Handler<Args, Output = impl Responder + 'static>,
) -> Resource {
    web::resource(path)
        .route(web::post().to(handler))
        .default_service(web::to(async |context| operation::wrong_method(&context, "POST")))
}

/// Routes every frontend.
pub fn routes(config: &mut web::ServiceConfig, runs: &RunRoutes) {
    maltego::routes(config, runs);
    transforms::routes(config);
    soar::routes(config);
    admin::routes(config);
    config
        .service(get("/openapi.json", docs::document))
        .service(get("/openapi-3.0.json", docs::document_3_0))
        .service(get("/swagger.json", docs::document_2_0))
        .service(get("/docs", docs::docs))
        .service(get("/healthz", operation::healthz))
        .service(get("/readyz", operation::readyz))
        .service(get("/metrics", operation::metrics))
        .service(get("/", operation::index))
        .default_service(web::to(operation::not_found));
}
