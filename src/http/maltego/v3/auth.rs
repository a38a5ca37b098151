//! Finds out who asks by protocol v3: by the token in a header or in the path, or for a run by the analyst's own setting. Other
//! ways to vouch for a client, such as signed tokens of an issuer, belong into [`installed`].

use std::sync::Arc;

use actix_web::HttpRequest;

use crate::app::{App, Mode};
use crate::http::access::AccessDenied;
use crate::http::maltego::TOKEN;
use crate::http::principal::{self, Principal};
use crate::http::request::RequestContext;
use crate::tokens::Scope;

/// Knows the client by its header or its path; `None` where neither has a token.
pub(super) fn installed(
    app: &App,
    http: &HttpRequest,
    context: &RequestContext,
) -> Result<Option<Principal>, AccessDenied> {
    let installed = principal::installed(app, http);
    match &installed {
        Ok(Some(principal)) => context.name_client(&principal.client),
        Ok(None) => {}
        Err(denied) => context.deny(*denied),
    }
    installed
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
    installed: Option<&Principal>,
    token: Option<&str>,
    items: usize,
) -> Result<Principal, AccessDenied> {
    let own = token
        .map(str::trim)
        .filter(|token| !token.is_empty() && app.mode != Mode::Demo);
    let mut principal = match own {
        Some(token) => Principal::of(app, token)?,
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
