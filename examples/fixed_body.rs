//! Answers every POST with the bytes of one file: what an actix-web server costs that does nothing else.
//!
//! `fixed_body ADDRESS FILE`; used by `benches/compare/run`.

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err(std::io::Error::other("usage: fixed_body ADDRESS FILE"));
    };
    let body = Bytes::from(std::fs::read(file)?);
    HttpServer::new(move || {
        let body = body.clone();
        App::new().route(
            "/run/{transform}",
            web::post().to(move |_request: Bytes| {
                let body = body.clone();
                async move {
                    HttpResponse::Ok()
                        .content_type("text/xml; charset=utf-8")
                        .body(body)
                }
            }),
        )
    })
    .workers(1)
    .bind(address)?
    .run()
    .await
}
