//! Writes the OpenAPI 3.1 document, from the code.

use actix_web::HttpResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{alert, asking, batch, context, decisions, reputation};

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description =
            "A client token; `Authorization: Token …`, the bare token, and `X-Api-Key` are taken too.";
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Describes the enrichment face.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "pivotd",
        description = "Reputation scores from 0 to 100, with reasons, from the threat-intelligence providers you pay \
                       for. Unknown, unsupported and failed are told apart, and none of them is ever a score of 0.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        alert::score_alert,
        reputation::domain,
        reputation::ip,
        reputation::email,
        reputation::url,
        reputation::file,
        reputation::any,
        batch::score_batch,
        context::context,
        decisions::decision,
        decisions::feedback,
    ),
    components(schemas(asking::Answer)),
    modifiers(&Token),
    tags(
        (name = "reputation", description = "Scores of indicators"),
        (name = "decisions", description = "Decisions, explained later, and what people say of them"),
    )
)]
pub struct Document;

/// Returns the document as JSON.
///
/// # Errors
/// Never in practice; the document is plain data.
pub fn json() -> Result<String, serde_json::Error> {
    Document::openapi().to_pretty_json()
}

/// Serves the document.
pub async fn document() -> HttpResponse {
    match json() {
        Ok(text) => HttpResponse::Ok().content_type("application/json").body(text),
        Err(error) => {
            tracing::error!(%error, "the OpenAPI document could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
