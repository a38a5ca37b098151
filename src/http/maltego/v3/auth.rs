//! Finds out who asks by protocol v3: by the token in a header or in the path, by the signed token of an issuer, or for a run by
//! the analyst's own setting.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use super::reply;
use crate::app::run_routes::path_token;
use crate::app::{App, Mode};
use crate::http::access::AccessDenied;
use crate::http::maltego::TOKEN;
use crate::http::principal::{self, Principal};
use crate::http::request::RequestContext;
use crate::issuers::{IssuerError, has_form};
use crate::tokens::{Scope, TokenError};

/// Where a client puts the token of its own vendor's sign-on.
const IDENTITY: &str = "maltego-identity-authorization";

/// Says why a client is not known.
pub(super) enum Refused {
    /// It may not ask.
    Denied(AccessDenied),
    /// Whether it may is not known: the keys of its token's issuer cannot be fetched.
    Unavailable,
}

impl From<AccessDenied> for Refused {
    fn from(denied: AccessDenied) -> Self {
        Self::Denied(denied)
    }
}

impl Refused {
    /// Answers a request for a path.
    pub(super) fn answer(self, context: &RequestContext, path: &str) -> HttpResponse {
        match self {
            Self::Denied(denied) => {
                context.deny(denied);
                reply::denied(path, denied)
            }
            Self::Unavailable => reply::unavailable(path),
        }
    }
}

/// Knows the client by its header or its path, or by the signed token of an issuer; `None` where there is no token.
pub(super) async fn installed(
    app: &App,
    http: &HttpRequest,
    context: &RequestContext,
) -> Result<Option<Principal>, Refused> {
    let installed = match signed(app, http) {
        Some(text) => match app.issuers.load_full().verify(text).await {
            Ok(client) => Ok(Some(Principal::of_issuer(client))),
            Err(IssuerError::Unavailable) => return Err(Refused::Unavailable),
            Err(IssuerError::Expired) => Err(AccessDenied::Wrong(TokenError::Expired)),
            Err(IssuerError::Invalid) => Err(AccessDenied::Wrong(TokenError::Unknown)),
        },
        None => principal::installed(app, http),
    };
    if let Ok(Some(principal)) = &installed {
        context.name_client(&principal.client);
    }
    installed.map_err(Refused::Denied)
}

/// Returns the signed token of a request, where issuers are configured and no token of this server stands in the path.
fn signed<'a>(app: &App, http: &'a HttpRequest) -> Option<&'a str> {
    if app.issuers.load().is_empty() || path_token(http.path()).is_some() {
        return None;
    }
    let identity = http.headers().get(IDENTITY).and_then(|value| value.to_str().ok());
    let identity = identity.map(|text| text.strip_prefix("Bearer ").unwrap_or(text).trim());
    identity
        .filter(|text| !text.is_empty())
        .or_else(|| principal::header_token(http))
        .filter(|text| has_form(text))
}

/// Tells whether a client may see what is offered. That counts for nothing against its rate.
pub(super) fn may_look(installed: Option<&Principal>) -> Result<(), AccessDenied> {
    let principal = installed.ok_or(AccessDenied::Missing)?;
    match principal.may(Scope::Transforms) {
        true => Ok(()),
        false => Err(AccessDenied::Scope(Scope::Transforms)),
    }
}

/// Knows who runs a transform, by the analyst's own setting first, and counts what is asked about.
pub(super) fn runner(
    app: &App,
    http: &HttpRequest,
    installed: Option<&Principal>,
    token: Option<&str>,
    items: usize,
) -> Result<Principal, AccessDenied> {
    let own = token
        .map(str::trim)
        .filter(|token| !token.is_empty() && app.mode != Mode::Demo);
    let mut principal = match own {
        Some(token) => Principal::of(app, http, token)?,
        None => installed.cloned().ok_or(AccessDenied::Missing)?,
    };
    principal.pass(app, Scope::Transforms)?;
    if items > 1 {
        principal.count_rest(app, items)?;
    }
    Ok(principal)
}

/// Returns the analyst's own token of a run.
pub(super) fn own_token(settings: &[(String, String)]) -> Option<&str> {
    let found = settings.iter().find(|(name, _)| name == TOKEN);
    found.map(|(_, value)| value.as_str())
}

/// Names a client apart from those of other tenants.
pub(super) fn owner(principal: &Principal) -> Arc<str> {
    format!("{}/{}", principal.tenant(), principal.client).into()
}
