//! The icon that the hubs of clients show of the server. A hub fetches it as a browser fetches a picture, so it needs no token.

use actix_web::HttpResponse;
use actix_web::http::header::{self, ContentType};
use actix_web::web::ServiceConfig;

use crate::http::get;
use crate::maltego::hub_item::ICON_PATH;
use crate::maltego::icons::{self, HUB_SIZE};

/// How long a client may keep it.
const KEPT: &str = "public, max-age=86400";

/// Routes it.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get(ICON_PATH, icon));
}

async fn icon() -> HttpResponse {
    let Some(png) = icons::icon(icons::HUB).and_then(|icon| icon.sized(HUB_SIZE)) else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok()
        .content_type(ContentType::png())
        .insert_header((header::CACHE_CONTROL, KEPT))
        .body(png)
}
