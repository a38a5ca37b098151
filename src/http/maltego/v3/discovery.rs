//! Serves what a client discovers. Each document is made once for each configuration and each kind of client.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::negotiation::client;
use super::reply;
use super::route::{Assets, Route};
use crate::VERSION;
use crate::app::documents::Document;
use crate::app::{App, Configured};
use crate::http::base_url::base_url;
use crate::http::request::{Entry, RequestContext};
use crate::maltego::discovery::Seed;
use crate::maltego::hub_item::HubItem;
use crate::maltego::json::client::negotiated;
use crate::maltego::json::documents::{Status, hub_item, supported_capabilities};
use crate::maltego::json::{assets, listing};
use crate::maltego::settings::boolean;

const PROTOCOL: &str = "maltego-protocol-version";
const OAUTH: (&str, &str) = ("maltego-transform-supported-oauth-formats", "jwe");

/// Serves a document.
pub(super) fn document(
    app: &Data<App>,
    http: &HttpRequest,
    context: &RequestContext,
    route: &Route<'_>,
) -> HttpResponse {
    let configured = app.configured.load_full();
    let made = make(app, http, &configured, route);
    let status = match &made {
        Some(_) => StatusCode::OK,
        None => StatusCode::NOT_FOUND,
    };
    let mut answer = match (&made, route) {
        (Some(document), _) => reply::document(http, document),
        (None, Route::Transform(id)) => {
            let text = format!("Transform with id {} not found", crate::domain::echo::echoed(id));
            reply::detail(status, &text)
        }
        (None, _) => reply::detail(status, "Not Found"),
    };
    if matches!(route, Route::Assets(Assets::All | Assets::Entities)) {
        // What the protocols differ in is in these alone.
        let named = http.headers().get(PROTOCOL).and_then(|value| value.to_str().ok());
        let spoken = HeaderValue::from_static(negotiated(named));
        answer
            .headers_mut()
            .insert(HeaderName::from_static(PROTOCOL), spoken);
    }
    if matches!(
        route,
        Route::Transforms | Route::Assets(Assets::All | Assets::OAuthServices)
    ) {
        let (name, value) = OAUTH;
        let name = HeaderName::from_static(name);
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let outcome = if made.is_some() { "found" } else { "not_found" };
    context.tell(Entry {
        client: context.client(),
        operation: Some(route.pattern().into()),
        ..Entry::of(outcome, answer.status().as_u16())
    });
    answer
}

/// Finds or makes a document; `None` where there is none.
fn make(
    app: &App,
    http: &HttpRequest,
    configured: &Arc<Configured>,
    route: &Route<'_>,
) -> Option<Arc<Document>> {
    let client = client(http);
    let query = |name: &str| crate::http::target::in_query(http, name);
    let get = |key: &str, make: &dyn Fn() -> Vec<u8>| {
        let generation = configured.catalogue.generation();
        Some(app.documents.get(generation, key, make))
    };
    match route {
        Route::Transforms => {
            let wanted = query("capabilities");
            let list = || listing::transforms(&configured.listing, client, wanted.as_deref(), VERSION);
            match &wanted {
                // What a client writes there is no name of a document.
                Some(_) => Some(Arc::new(Document::new(list()))),
                None => get(&format!("transforms {}", client.key()), &list),
            }
        }
        Route::Transform(id) => {
            let transform = listing::find(&configured.listing, id)?;
            Some(Arc::new(Document::new(listing::transform(
                transform, client, VERSION,
            ))))
        }
        Route::Status => get("status", &|| status(app, configured).write()),
        Route::HubItem => {
            let known = base_url(&configured.settings().server, http).ok();
            let seed = Seed::new(known.clone().unwrap_or_default(), VERSION);
            let mut item = HubItem::new(&seed);
            item.icon_url = item.icon_url.filter(|_| known.is_some());
            Some(Arc::new(Document::new(hub_item(&item))))
        }
        Route::Capabilities => get("capabilities", &supported_capabilities),
        Route::Assets(part) => {
            let listing = &configured.listing;
            let with_references = query("include_refs").is_some_and(|text| boolean(&text) == Ok(Some(true)));
            match part {
                Assets::All => get("assets", &|| assets::all(listing)),
                Assets::Entities => get("entities", &assets::entities),
                Assets::Icons => get("icons", &assets::icons),
                Assets::Machines => get(&format!("machines {with_references}"), &|| {
                    assets::machines(listing, with_references)
                }),
                Assets::Sets => get("sets", &|| assets::sets(listing)),
                Assets::OAuthServices => get("oauthservice", &assets::oauth_services),
            }
        }
        Route::Health | Route::Create(_) | Route::Run(..) | Route::Unknown => None,
    }
}

fn status(app: &App, configured: &Configured) -> Status {
    let offered: Vec<_> = configured.listing.offered().collect();
    let sets: HashSet<&str> = offered.iter().map(|one| one.set.as_str()).collect();
    let [entity_count, entity_category_count, icon_count, machine_count] =
        assets::counts(&configured.listing);
    Status {
        entity_count,
        entity_category_count,
        icon_count,
        machine_count,
        startup_time: app.started_at.as_microsecond() as f64 / 1e6,
        v3_transform_count: offered.len(),
        transform_set_count: sets.len(),
        ..Status::default()
    }
}
