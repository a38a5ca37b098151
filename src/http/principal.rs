//! Finds out who asks, and reads what they send, within bounds.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponseBuilder};

use crate::app::{App, Mode};
use crate::engine::Asker;
use crate::engine::ledger::Priority;
use crate::tokens::{RateStanding, Scope, Token, TokenError};

/// Says who asks.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The token's name.
    pub client: Arc<str>,
    token: Option<Arc<Token>>,
    in_path: bool,
    rate: Option<RateStanding>,
}

/// Says why somebody may not ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// There is no token.
    Missing,
    /// The token is none that may be used.
    Wrong(TokenError),
    /// The token may not do this.
    Scope(Scope),
    /// The token's rate is used up.
    Rate(Duration),
}

/// Marks a request whose token stood in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vouched;

impl Denied {
    /// Returns the word for a token that is missing or refused; none where the token is known.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("missing"),
            Self::Wrong(TokenError::Misspelt) => Some("misspelt"),
            Self::Wrong(TokenError::Unknown) => Some("unknown"),
            Self::Wrong(TokenError::Expired) => Some("expired"),
            Self::Scope(_) | Self::Rate(_) => None,
        }
    }

    /// Marks the request, so that it is counted, and its client slowed down.
    pub fn mark(self, request: &HttpRequest) {
        if self.reason().is_some() {
            request.extensions_mut().insert(self);
        }
    }

    /// Says it to people, with what to do.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Missing => "this server asks for a client token; ask its administrator for one".to_owned(),
            Self::Wrong(error) => format!("{error}; ask the administrator of this server for another"),
            Self::Scope(scope) => format!("this token lacks the scope `{}`", scope.name()),
            Self::Rate(wait) => format!(
                "this token's rate is used up; try again in {} s",
                wait.as_secs_f64().ceil()
            ),
        }
    }
}

impl Identity {
    /// Knows a client by its token.
    ///
    /// # Errors
    /// [`Denied::Wrong`] where the token is none that may be used.
    pub fn of(app: &App, text: &str) -> Result<Self, Denied> {
        let token = app.tokens.find(text).map_err(Denied::Wrong)?;
        Ok(Self::known(token, false))
    }

    fn known(token: Arc<Token>, in_path: bool) -> Self {
        Self {
            client: Arc::clone(&token.client),
            token: Some(token),
            in_path,
            rate: None,
        }
    }

    /// Is whoever uses the demo.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            client: "demo".into(),
            token: None,
            in_path: false,
            rate: None,
        }
    }

    /// Returns the tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.token
            .as_ref()
            .map_or("default", |token| &token.record.tenant)
    }

    /// Tells whether it may do this. A token in a path may only run transforms.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        match &self.token {
            Some(token) => token.may(scope) && (!self.in_path || scope == Scope::Transforms),
            None => true,
        }
    }

    /// Passes if it may do this, and counts it against the token's rate; tells what is left of that.
    ///
    /// # Errors
    /// [`Denied::Scope`] or [`Denied::Rate`].
    pub fn pass(&self, app: &App, scope: Scope) -> Result<Option<RateStanding>, Denied> {
        if !self.may(scope) {
            return Err(Denied::Scope(scope));
        }
        let token = self.token.as_ref();
        token.map_or(Ok(None), |token| {
            token.count(app.engine.clock()).map_err(Denied::Rate)
        })
    }

    /// Counts the other indicators of a request, which was counted as one when it came.
    ///
    /// # Errors
    /// [`Denied::Rate`].
    pub fn count_rest(&mut self, app: &App, items: usize) -> Result<(), Denied> {
        if let Some(token) = &self.token {
            let counted = token.count_rest(items, app.engine.clock());
            self.rate = counted.map_err(Denied::Rate)?;
        }
        Ok(())
    }

    /// Returns what is left of the token's rate; `None` where it has none.
    #[must_use]
    pub fn rate(&self) -> Option<RateStanding> {
        self.rate
    }

    /// Makes the asker of a request.
    #[must_use]
    pub fn asker(&self, face: &'static str, operation: &str, request_id: String) -> Asker {
        Asker {
            client: self.client.to_string(),
            tenant: self.tenant().to_owned(),
            face,
            operation: operation.to_owned(),
            request_id,
            priority: Priority::Interactive,
            may_buy: self.may(Scope::Buy),
        }
    }
}

/// Returns what stands in `Authorization` for pivotd; another scheme, for example a proxy's own Basic, is not meant for it.
fn credential(value: &str) -> Option<&str> {
    match value.split_once(' ') {
        None => Some(value),
        Some((scheme, rest)) => {
            let own = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
            own.then(|| rest.trim())
        }
    }
}

/// Returns the token of `Authorization` (Bearer, Token or bare) or `X-Api-Key`.
#[must_use]
pub fn header_token(request: &HttpRequest) -> Option<&str> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    header(header::AUTHORIZATION.as_str())
        .and_then(credential)
        .or_else(|| header("x-api-key"))
        .filter(|value| !value.is_empty())
}

/// Is what was found for the token in the header or path of a request; none where there is no token.
#[derive(Clone)]
struct Presented(Option<Result<Arc<Token>, TokenError>>);

/// Finds the token in the header or path of a request, and notes it for whatever asks for it next.
fn presented(app: &App, request: &HttpRequest) -> Option<Result<Arc<Token>, TokenError>> {
    if let Some(Presented(found)) = request.extensions().get() {
        return found.clone();
    }
    let in_path = || {
        app.run_routes
            .read(request.path())
            .and_then(|path| Some(app.tokens.find(&path.token?)))
    };
    let found = match header_token(request) {
        Some(text) => Some(app.tokens.find(text)),
        None => in_path(),
    };
    request.extensions_mut().insert(Presented(found.clone()));
    found
}

/// Returns the token in the header or path of a request, where it may be used.
#[must_use]
pub fn token_of(app: &App, request: &HttpRequest) -> Option<Arc<Token>> {
    presented(app, request)?.ok()
}

/// Knows the client by the token in the header or path of a request; `None` where there is none.
///
/// # Errors
/// [`Denied::Wrong`] where the token is none that may be used.
pub fn installed(app: &App, request: &HttpRequest) -> Result<Option<Identity>, Denied> {
    let in_path = header_token(request).is_none();
    let token = presented(app, request).transpose().map_err(Denied::Wrong)?;
    Ok(token.map(|token| Identity::known(token, in_path)))
}

/// Names the client of a token that is refused, for the log: one that has expired, was revoked, or may not do this.
#[must_use]
pub fn named(app: &App, request: &HttpRequest) -> Option<Arc<str>> {
    app.tokens.client_of(header_token(request)?)
}

/// Knows the client of a face other than a transform's run.
///
/// # Errors
/// [`Denied`] where there is no token, or none that may do this.
pub fn identify(app: &App, request: &HttpRequest, scope: Scope) -> Result<Identity, Denied> {
    let identity = if app.mode == Mode::Demo {
        Ok(Identity::demo())
    } else {
        installed(app, request).and_then(|known| known.ok_or(Denied::Missing))
    };
    let mut identity = identity.inspect_err(|denied| denied.mark(request))?;
    identity.rate = identity.pass(app, scope)?;
    Ok(identity)
}

/// Says why the demo does not answer a request: it is open, or its tokens are printed, so pages of other sites must not
/// reach it.
#[must_use]
pub fn demo_refusal(app: &App, request: &HttpRequest) -> Option<&'static str> {
    if app.mode == Mode::Serve {
        return None;
    }
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or(""))
    };
    let is_own = |host: &str| {
        let port = host
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        matches!(
            port.map_or(host, |(name, _)| name),
            "localhost" | "127.0.0.1" | "[::1]"
        )
    };
    match header("host") {
        Some(host) if is_own(host) => {}
        _ => return Some("the demo answers only to loopback names in Host"),
    }
    if let Some(origin) = header("origin") {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        if !is_own(host) {
            return Some("the demo answers no page of another site");
        }
    }
    match header("sec-fetch-site") {
        None | Some("same-origin" | "none") => None,
        Some(_) => Some("the demo answers no page of another site"),
    }
}

/// Says in headers what is left of a token's rate (`RateLimit-*` of the IETF's draft, as most tools read them).
pub fn rate_headers(response: &mut HttpResponseBuilder, rate: Option<RateStanding>) {
    let Some(rate) = rate else { return };
    response
        .insert_header(("ratelimit-policy", format!("{};w=60", rate.limit)))
        .insert_header(("ratelimit-limit", rate.limit.to_string()))
        .insert_header(("ratelimit-remaining", rate.remaining.to_string()))
        .insert_header(("ratelimit-reset", rate.reset_s.to_string()));
}
