//! The faces: authenticate, decode, ask, render. Thin.

pub mod access;
mod again;
pub mod alert;
pub mod asking;
pub mod batch;
pub mod context;
pub mod decisions;
mod line;
pub mod maltego;
mod named;
pub mod openapi;
pub mod operation;
pub mod problem;
mod rehearse;
pub mod reputation;
mod run_path;
mod statuses;
pub mod wishes;

use actix_web::web;

/// Routes every face.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::scope("/run").default_service(web::to(maltego::face)))
        .service(web::scope("/t").default_service(web::to(maltego::face)))
        .route("/v1/alerts/score", web::post().to(alert::score_alert))
        .route(
            "/v1/domain/{domain}/reputation",
            web::get().to(reputation::domain),
        )
        .route("/v1/ip/{ip}/reputation", web::get().to(reputation::ip))
        .route("/v1/email/{email}/reputation", web::get().to(reputation::email))
        .route("/v1/url/reputation", web::get().to(reputation::url))
        .route("/v1/file/{digest}/reputation", web::get().to(reputation::file))
        .route("/v1/enrich", web::post().to(reputation::any))
        .route("/v1/context/{indicator:.*}", web::get().to(context::context))
        .route("/v1/enrich/batch", web::post().to(batch::score_batch))
        .route("/v1/decisions/{decision}", web::get().to(decisions::decision))
        .route(
            "/v1/decisions/{decision}/feedback",
            web::post().to(decisions::feedback),
        )
        .route("/openapi.json", web::get().to(openapi::document))
        .route("/openapi-3.0.json", web::get().to(openapi::document_3_0))
        .route("/swagger.json", web::get().to(openapi::document_2_0))
        .route("/docs", web::get().to(openapi::docs))
        .route("/healthz", web::get().to(operation::healthz))
        .route("/readyz", web::get().to(operation::readyz))
        .route("/metrics", web::get().to(operation::metrics))
        .route("/", web::get().to(operation::index))
        .default_service(web::to(operation::not_found));
}
