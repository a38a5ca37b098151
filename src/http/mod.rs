//! The faces: authenticate, decode, ask, render. Thin.

pub mod bodies;
pub mod docs;
pub mod maltego;
pub mod operation;
pub mod principal;
pub mod problem;
pub mod rendering;
pub mod soar;

use self::maltego::run_path::RunRoutes;
use self::soar::{alert, batch, context, decisions, reputation};

use actix_web::{FromRequest, Handler, Resource, Responder, web};

/// Serves a path by GET, and says so to whoever tries otherwise.
fn get<Args: FromRequest + 'static>(
    path: &str,
    handler: impl Handler<Args, Output = impl Responder + 'static>,
) -> Resource {
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(async || operation::wrong_method("GET, HEAD")))
}

/// Serves a path by POST, and says so to whoever tries otherwise.
fn post<Args: FromRequest + 'static>(
    path: &str,
    handler: impl Handler<Args, Output = impl Responder + 'static>,
) -> Resource {
    web::resource(path)
        .route(web::post().to(handler))
        .default_service(web::to(async || operation::wrong_method("POST")))
}

/// Routes every face.
pub fn routes(config: &mut web::ServiceConfig, runs: &RunRoutes) {
    for route in runs.iter() {
        let path = route.prefix.trim_end_matches('/');
        config.service(web::scope(path).default_service(web::to(maltego::face)));
    }
    config
        .service(web::scope("/t").default_service(web::to(maltego::face)))
        .service(post("/v1/alerts/score", alert::score_alert))
        .service(get("/v1/domain/{domain}/reputation", reputation::domain))
        .service(get("/v1/ip/{ip}/reputation", reputation::ip))
        .service(get("/v1/email/{email}/reputation", reputation::email))
        .service(get("/v1/url/reputation", reputation::url))
        .service(get("/v1/file/{digest}/reputation", reputation::file))
        .service(post("/v1/enrich", reputation::any))
        .service(get("/v1/context/{indicator:.*}", context::context))
        .service(post("/v1/enrich/batch", batch::score_batch))
        .service(get("/v1/decisions/{decision}", decisions::decision))
        .service(post("/v1/decisions/{decision}/feedback", decisions::feedback))
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
