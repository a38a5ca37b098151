//! The faces: authenticate, decode, ask, render. Thin.

pub mod access;
pub mod enrich;
pub mod maltego;
pub mod openapi;
pub mod operation;
pub mod problem;

use actix_web::web;

/// Routes every face.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource(["/run/{transform}", "/run/{transform}/"]).configure_run())
        .service(web::resource(["/t/{token}/run/{transform}", "/t/{token}/run/{transform}/"]).configure_run())
        .route("/v1/alerts/score", web::post().to(enrich::score_alert))
        .route(
            "/v1/domain/{domain}/reputation",
            web::get().to(enrich::domain_reputation),
        )
        .route("/openapi.json", web::get().to(openapi::document))
        .route("/healthz", web::get().to(operation::healthz))
        .route("/readyz", web::get().to(operation::readyz))
        .route("/metrics", web::get().to(operation::metrics))
        .route("/", web::get().to(operation::index))
        .default_service(web::to(operation::not_found));
}

trait RunResource {
    fn configure_run(self) -> Self;
}

impl RunResource for actix_web::Resource {
    fn configure_run(self) -> Self {
        self.route(web::post().to(maltego::run))
            .route(web::get().to(maltego::probe))
            .route(web::head().to(maltego::probe))
            .default_service(web::to(operation::method_not_allowed))
    }
}
