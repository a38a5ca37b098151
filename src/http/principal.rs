//! Finds out who asks, and whether they may: by the token of a request, or as the local operator.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponseBuilder};
use tokio::sync::Semaphore;

use super::access::AccessDenied;
use super::base_url::is_loopback;
use super::client_address::client_address;
use super::maltego::v3;
use super::problem::Problem;
use super::request::{PresentedToken, RequestContext};
use crate::admin::Grants;
use crate::app::run_routes::path_token;
use crate::app::{App, Mode};
use crate::engine::ledger::{Claims, Priority};
use crate::engine::{Requester, TERMINAL};
use crate::tokens::{RateStanding, Scope, Token, has_form};

/// Says who asks.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The token's name.
    pub client: Arc<str>,
    token: Option<Arc<Token>>,
    in_path: bool,
    rate: Option<RateStanding>,
    /// The frontend that takes the place of a route's own, in the log, in metrics and for the engine.
    frontend: Option<&'static str>,
    /// For whom the client says that it asks, where its token may say so.
    claims: Claims,
}

/// Marks a connection of the local operator: of the user who runs the server, or of root, over the Unix socket.
#[derive(Debug, Clone)]
pub struct LocalOperator {
    /// The turns for what takes long, of all connections together.
    pub turns: Arc<Semaphore>,
}

/// How many requests of the local operator that take long are worked on at once.
pub const MOST_TURNS: usize = 32;

/// Marks a route of the local operator that goes on beside any number of others: it takes no time worth mentioning.
#[derive(Debug, Clone, Copy)]
pub struct TakesNoTurn;

impl Principal {
    /// Knows a client by its token.
    ///
    /// # Errors
    /// [`AccessDenied::Wrong`] where the token is none that may be used.
    pub fn of(app: &App, http: &HttpRequest, text: &str) -> Result<Self, AccessDenied> {
        let token = app
            .tokens
            .find(text, address_of(app, http))
            .map_err(AccessDenied::Wrong)?;
        Ok(Self::known(token, false))
    }

    fn known(token: Arc<Token>, in_path: bool) -> Self {
        Self {
            client: Arc::clone(&token.client),
            token: Some(token),
            in_path,
            rate: None,
            frontend: None,
            claims: Claims::default(),
        }
    }

    /// Stands for the signed tokens of an issuer.
    #[must_use]
    pub fn of_issuer(client: Arc<Token>) -> Self {
        Self::known(client, false)
    }

    /// Is the user of the demo.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            client: "demo".into(),
            token: None,
            in_path: false,
            rate: None,
            frontend: None,
            claims: Claims::default(),
        }
    }

    /// Is the machine's administrator, who may do everything.
    #[must_use]
    pub fn local_operator() -> Self {
        Self {
            client: TERMINAL.into(),
            frontend: Some(TERMINAL),
            ..Self::demo()
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
    /// [`AccessDenied::Scope`] or [`AccessDenied::Rate`].
    pub fn pass(&self, app: &App, scope: Scope) -> Result<Option<RateStanding>, AccessDenied> {
        self.has(scope)?;
        self.count(app)
    }

    /// Tells whether it may do this.
    ///
    /// # Errors
    /// [`AccessDenied::Scope`].
    fn has(&self, scope: Scope) -> Result<(), AccessDenied> {
        if self.may(scope) {
            Ok(())
        } else {
            Err(AccessDenied::Scope(scope))
        }
    }

    /// Returns what it may do of administration. A token in a path may do nothing of it.
    #[must_use]
    pub fn grants(&self) -> Grants {
        match &self.token {
            Some(token) if !self.in_path => token.grants.clone(),
            Some(_) => Grants::default(),
            None if self.frontend == Some(TERMINAL) => Grants::everything(),
            // The demo is open to every process of the machine, whose files are not the demo's.
            None => Grants::all_but_the_machine(),
        }
    }

    /// Counts a request against the token's rate; tells what is left of that.
    fn count(&self, app: &App) -> Result<Option<RateStanding>, AccessDenied> {
        let token = self.token.as_ref();
        token.map_or(Ok(None), |token| {
            token.count(app.engine.clock()).map_err(AccessDenied::Rate)
        })
    }

    /// Counts the other indicators of a request, which was counted as one when it came.
    ///
    /// # Errors
    /// [`AccessDenied::Rate`].
    pub fn count_rest(&mut self, app: &App, items: usize) -> Result<(), AccessDenied> {
        if let Some(token) = &self.token {
            let counted = token.count_rest(items, app.engine.clock());
            self.rate = counted.map_err(AccessDenied::Rate)?;
        }
        Ok(())
    }

    /// Returns what is left of the token's rate; `None` where it has none.
    #[must_use]
    pub fn rate(&self) -> Option<RateStanding> {
        self.rate
    }

    /// Makes the requester of a request of a frontend.
    #[must_use]
    pub fn requester(&self, frontend: &'static str, operation: &str, request_id: String) -> Requester {
        Requester {
            client: self.client.to_string(),
            token: self
                .token
                .as_ref()
                .map(|token| token.record.id.clone())
                .unwrap_or_default(),
            claims: self.claims.clone(),
            tenant: self.tenant().to_owned(),
            frontend: self.frontend.unwrap_or(frontend),
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

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Returns the token of `Authorization` (Bearer, Token or bare) or `X-Api-Key`.
#[must_use]
pub fn header_token(request: &HttpRequest) -> Option<&str> {
    let header = |name: &HeaderName| {
        let value = request.headers().get(name)?;
        value.to_str().ok().map(str::trim)
    };
    header(&header::AUTHORIZATION)
        .and_then(credential)
        .or_else(|| header(&API_KEY))
        .filter(|value| !value.is_empty())
}

/// Returns the address that a client comes from.
fn address_of(app: &App, http: &HttpRequest) -> Option<IpAddr> {
    client_address(&app.configured.load().settings().server, http)
}

/// Finds the token in the header or path of a request, once.
fn presented(app: &App, request: &HttpRequest) -> PresentedToken {
    let context = RequestContext::of(request);
    let in_path = || path_token(request.path());
    // A client of protocol v3 may vouch for its user by a token of another issuer, which says nothing here.
    let is_foreign = |text: &&str| !has_form(text) && in_path().is_some() && v3::holds(request.path());
    let find = || match header_token(request).filter(|text| !is_foreign(text)) {
        Some(text) => match app.issuers.load().recall(text) {
            Some(client) => Some((Ok(client), false)),
            None => Some((app.tokens.find(text, address_of(app, request)), false)),
        },
        None => Some((app.tokens.find(&in_path()?, address_of(app, request)), true)),
    };
    context.presented(find).clone()
}

/// Returns the token in the header or path of a request, where it may be used.
#[must_use]
pub fn token_of(app: &App, request: &HttpRequest) -> Option<Arc<Token>> {
    let (token, _) = presented(app, request)?;
    token.ok()
}

/// Knows the client by the connection, or by the token in the header or path of a request; `None` where there is none.
///
/// # Errors
/// [`AccessDenied::Wrong`] where the token is none that may be used.
pub fn installed(app: &App, request: &HttpRequest) -> Result<Option<Principal>, AccessDenied> {
    if request.conn_data::<LocalOperator>().is_some() {
        return Ok(Some(Principal::local_operator()));
    }
    if app.mode == Mode::Demo {
        return Ok(Some(Principal::demo()));
    }
    let Some((token, in_path)) = presented(app, request) else {
        return Ok(None);
    };
    let token = token.map_err(AccessDenied::Wrong)?;
    Ok(Some(Principal::known(token, in_path)))
}

/// Finds out who asks, and whether they have a scope.
///
/// # Errors
/// The [`Problem`] of a client that may not.
pub fn authorize(request: &HttpRequest, scope: Scope) -> Result<Principal, Problem> {
    identify(request, |principal| principal.has(scope))
}

/// Finds out who asks on any route but a transform's run, and whether they may, which `check` decides. Counts the request against the
/// token's rate, and notes what is found in the request's context.
///
/// # Errors
/// The [`Problem`] of a client that may not.
pub fn identify(
    request: &HttpRequest,
    check: impl FnOnce(&Principal) -> Result<(), AccessDenied>,
) -> Result<Principal, Problem> {
    let app = app_of(request)?;
    let context = RequestContext::of(request);
    let operator = request.conn_data::<LocalOperator>();
    context.observe(app, request, operator.map(|_| TERMINAL));
    match operator {
        Some(operator) => take_turn(operator, request, &context)?,
        None => {
            if let Some(reason) = demo_refusal(app, request) {
                return Err(Problem::new(StatusCode::FORBIDDEN, "refused", "Refused", reason));
            }
        }
    }
    let found = installed(app, request).and_then(|known| known.ok_or(AccessDenied::Missing));
    let passed = found
        .inspect_err(|denied| context.deny(*denied))
        .and_then(|principal| {
            check(&principal)?;
            let rate = principal.count(app)?;
            Ok(Principal { rate, ..principal })
        });
    match passed {
        Ok(principal) => {
            context.name_client(&principal.client);
            let claims = if principal.may(Scope::Delegate) {
                claims(request)?
            } else {
                Claims::default()
            };
            Ok(Principal { claims, ..principal })
        }
        Err(denied) => {
            // One that has expired, was revoked, or may not do this is known by name.
            if let Some(client) = header_token(request).and_then(|token| app.tokens.client_of(token)) {
                context.name_client(&client);
            }
            Err(Problem::denied(denied))
        }
    }
}

/// The longest name of a person or a case, in characters.
const MOST_CLAIMED: usize = 128;

/// Reads for whom and for which case a client says that it asks.
fn claims(request: &HttpRequest) -> Result<Claims, Problem> {
    let claimed = |name: &str| {
        let Some(value) = request.headers().get(name) else {
            return Ok(String::new());
        };
        let text = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
        let is_fit =
            |text: &&str| text.chars().count() <= MOST_CLAIMED && !text.chars().any(char::is_control);
        text.filter(is_fit).map(str::to_owned).ok_or_else(|| {
            Problem::invalid(format!(
                "the header {name}: at most {MOST_CLAIMED} characters of UTF-8 without control characters are expected"
            ))
        })
    };
    Ok(Claims {
        person: claimed("X-On-Behalf-Of")?,
        case_id: claimed("X-Case-Id")?,
    })
}

/// Takes a turn for what takes long, and keeps it until the request ends.
fn take_turn(
    operator: &LocalOperator,
    request: &HttpRequest,
    context: &RequestContext,
) -> Result<(), Problem> {
    if request.app_data::<TakesNoTurn>().is_some() {
        return Ok(());
    }
    let Ok(turn) = Arc::clone(&operator.turns).try_acquire_owned() else {
        let detail =
            format!("the server works on {MOST_TURNS} commands already; try again when one of them is done");
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "The server is busy",
            detail,
        ));
    };
    context.hold(turn);
    Ok(())
}

/// Returns what all routes share.
///
/// # Errors
/// Never in a server; the [`Problem`] of one that was put together without it.
pub fn app_of(request: &HttpRequest) -> Result<&Data<App>, Problem> {
    let app = request.app_data::<Data<App>>();
    app.ok_or_else(|| {
        let detail = "the server was put together wrongly";
        Problem::internal("failed", "The server failed", detail, "there is no App")
    })
}

/// Names scopes as types, for [`Authorized`].
pub mod scope {
    use crate::tokens::Scope;

    /// Names a scope.
    pub trait Required: 'static {
        /// The scope.
        const SCOPE: Scope;
    }

    macro_rules! scopes {
        ($($name:ident),*) => {
            $(
                #[doc = concat!("Names the scope [`Scope::", stringify!($name), "`].")]
                #[derive(Debug)]
                pub struct $name;

                impl Required for $name {
                    const SCOPE: Scope = Scope::$name;
                }
            )*
        };
    }

    scopes!(Enrich, Feedback, Transforms);
}

/// Extracts who asks, where they have a scope.
#[derive(Debug)]
pub struct Authorized<S>(pub Principal, PhantomData<S>);

impl<S: scope::Required> FromRequest for Authorized<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(authorize(request, S::SCOPE).map(|principal| Self(principal, PhantomData)))
    }
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
    match header("host") {
        Some(host) if is_loopback(host) => {}
        _ => return Some("the demo answers only to loopback names in Host"),
    }
    if let Some(origin) = header("origin") {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        if !is_loopback(host) {
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
