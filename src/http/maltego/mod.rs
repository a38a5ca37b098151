//! The handler of runs in all Maltego protocols that answer at once: `POST /run/{transform}` and its likes, each in its wire
//! format, and the GET probe that a distribution server sends first.

pub(crate) mod answered;
mod classic;
mod icon;
mod run_reply;
pub(crate) mod v3;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder, Scope};

use self::answered::Answered;
use self::run_reply::{RunReply, age, finish, render};
use crate::app::rendering::RenderingError;
use crate::app::run_routes::{RUN, RunPath, RunRoute, RunRoutes, holds_token};
use crate::app::{App, Configured, Mode};
use crate::ask::message::head;
use crate::ask::reads;
use crate::ask::transform::{Run, ask_all};
use crate::catalogue::TransformSpec;
use crate::engine::Requester;
use crate::engine::cache::{KeyBuilder, KnownRequests, Rendered, RenderedKey, RequestKey};
use crate::http::access::AccessDenied;
use crate::http::operation;
use crate::http::principal::{self, Principal};
use crate::http::request::{Operation, RequestContext};
use crate::maltego::codec::Codec;
use crate::maltego::response::ASK_AGAIN;
use crate::maltego::{TransformException, TransformRequest, UiMessageKind};
use crate::net::bodies::Sender;
use crate::tokens::Scope as TokenScope;

const FACE: &str = "maltego";
/// The most bytes of a request, whatever larger ones other frontends take: it is read before its token is known.
const MOST_BYTES: usize = 2 << 20;
/// The most of one whose token, if there is any, stands in the body.
const MOST_BYTES_UNKNOWN: usize = 256 << 10;
const TOKEN: &str = "global#pivotd.token";

/// Requests of up to this many bytes are known again by their bytes.
const MOST_KNOWN: usize = 16 << 10;

/// From this many records on, mapping and writing go where they hold up no other request of the worker.
const MANY_RECORDS: usize = 500;

/// Counts and logs runs.
const OPERATION: Operation = Operation {
    frontend: FACE,
    pattern: RUN,
};

/// Routes all Maltego protocols, each also below a token in the path, for clients that can send no header.
pub(super) fn routes(config: &mut ServiceConfig, runs: &RunRoutes) {
    for route in runs.iter() {
        let path = route.prefix.trim_end_matches('/');
        config.service(runs_in(web::scope(path)));
    }
    config
        .configure(classic::routes)
        .configure(v3::routes)
        .configure(icon::routes)
        .service(runs_in(
            web::scope("/t/{token}")
                .configure(classic::routes)
                .configure(icon::routes),
        ));
}

/// Serves runs at every path of a scope that is no other route's.
fn runs_in(scope: Scope) -> Scope {
    scope.app_data(OPERATION).default_service(web::to(serve))
}

/// Answers everything below the paths of runs.
async fn serve(
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    payload: web::Payload,
) -> HttpResponse {
    if holds_token(http.path()) && v3::holds(http.path()) {
        return v3::serve(app, http, context, payload).await;
    }
    match app.run_routes.read(http.path()) {
        None => operation::absent(http.path()).of(context.id()).response(),
        Some(path) => match *http.method() {
            Method::POST => {
                context.observe(&app, &http, None);
                run(&app, &http, &context, &path, payload).await.respond_to(&http)
            }
            Method::GET | Method::HEAD => probe(&app, &path),
            _ => operation::method_not_allowed().await,
        },
    }
}

/// Answers a transform run. HTTP 200 for everything that a run can end in: a client shows a pop-up otherwise.
async fn run(
    app: &App,
    http: &HttpRequest,
    context: &RequestContext,
    path: &RunPath<'_>,
    payload: web::Payload,
) -> Answered {
    let configured = app.configured.load_full();
    let name = path.transform.as_ref();
    let spec = configured.catalogue.find(name).cloned();
    let codec = &path.route.codec;
    let Some(spec) = &spec else {
        return Answered {
            status: StatusCode::NOT_FOUND,
            ..Answered::exception(
                codec.as_ref(),
                None,
                unknown(&configured, name),
                "unknown_transform",
            )
        };
    };
    let asked = ReplyKeyParts {
        app,
        configured: &configured,
        spec,
        route: path.route,
        codec,
        http,
        context,
        installed: None,
        path_token: path.token.as_deref(),
    };
    Answered {
        operation: Some(spec.name.as_str().into()),
        ..asked.answer(payload).await
    }
}

/// Says that there is no transform of a name.
fn unknown(configured: &Configured, name: &str) -> String {
    let hint = configured.catalogue.suggest(name);
    format!("there is no transform {} here{hint}", head(name))
}

/// Holds what decides an answer beside the body of the request.
struct ReplyKeyParts<'a> {
    app: &'a App,
    configured: &'a Arc<Configured>,
    spec: &'a Arc<TransformSpec>,
    route: &'a RunRoute,
    /// The wire format of the route.
    codec: &'a Arc<dyn Codec>,
    http: &'a HttpRequest,
    context: &'a RequestContext,
    /// Whom the header's or the path's token names; none where there is no token.
    installed: Option<Principal>,
    /// The path's token itself.
    path_token: Option<&'a str>,
}

impl ReplyKeyParts<'_> {
    /// Answers a run of a transform that there is.
    async fn answer(mut self, payload: web::Payload) -> Answered {
        let (app, http, codec) = (self.app, self.http, self.codec.as_ref());
        if let Some(reason) = principal::demo_refusal(app, http) {
            let status = StatusCode::FORBIDDEN;
            return Answered {
                status,
                ..Answered::exception(codec, None, reason.to_owned(), "refused")
            };
        }
        self.installed = match principal::installed(app, http) {
            Ok(installed) => installed,
            Err(denied) => {
                self.context.deny(denied);
                let client = self.token().and_then(|token| app.tokens.client_of(token));
                return Answered {
                    client: client.unwrap_or_else(|| "".into()),
                    ..Refusal::Installed(denied).answered(codec, None)
                };
            }
        };
        let (sender, max) = match self.installed {
            Some(_) => (Sender::Known, MOST_BYTES),
            None => (Sender::Unknown, MOST_BYTES_UNKNOWN),
        };
        let max = self.configured.settings().server.max_body.min(max);
        let body = match app.bodies.read(http, payload, max, sender).await {
            Ok(body) => body,
            Err(unread) => return Answered::unread(codec, unread),
        };
        let key = self.request_key(&body);
        if let Some(key) = &key
            && let Some(answered) = self.again(key).await
        {
            return answered;
        }
        // Boxed: what is answered again and again need not carry the room for what is not.
        Box::pin(self.anew(&body, key)).await
    }

    /// Returns the header's or the path's token itself.
    fn token(&self) -> Option<&str> {
        principal::header_token(self.http).or(self.path_token)
    }

    /// Gathers what everything depends on beside the request.
    fn key(&self, identity: &Principal, room: usize) -> KeyBuilder {
        let asker = Asker {
            tenant: identity.tenant(),
            may_buy: identity.may(TokenScope::Buy),
            may_refresh: identity.may(TokenScope::Refresh),
        };
        reply_key(
            self.route.prefix.as_bytes(),
            self.configured,
            self.spec,
            &asker,
            room,
        )
    }

    fn request_key(&self, body: &Bytes) -> Option<RequestKey> {
        let identity = self.installed.as_ref()?;
        let mut key = self.key(identity, body.len() + 256);
        key.part(body);
        (body.len() <= MOST_KNOWN).then(|| key.request())
    }

    /// Answers bytes that were read before, if what answered them still stands.
    async fn again(&self, key: &RequestKey) -> Option<Answered> {
        let identity = self.installed.as_ref()?;
        let cache = self.app.engine.cache();
        let known = cache.known(key).await?;
        let now = self.app.engine.clock().now();
        let rendered = cache.rendered(&known.rendered, now).await?;
        let reply = rendered.reply::<RunReply>()?;
        // A client that may not pass is told so by the longer way.
        identity.pass(self.app, TokenScope::Transforms).ok()?;
        Some(self.hit(reply, now, &rendered, identity, Some(known.indicator.clone())))
    }

    fn hit(
        &self,
        reply: &RunReply,
        now: jiff::Timestamp,
        rendered: &Rendered,
        identity: &Principal,
        indicator: Option<Arc<str>>,
    ) -> Answered {
        if !rendered.savings.is_empty() {
            let requester = identity.requester(FACE, &self.spec.name, self.context.id().to_string());
            for saving in rendered.savings.iter() {
                self.app.engine.note_saving(&requester, saving);
            }
        }
        for provider in self.spec.providers() {
            self.app.engine.metrics().answered(provider, "hit");
        }
        Answered {
            cache: "hit",
            age: age(now, Some(rendered.retrieved_at)),
            client: Arc::clone(&identity.client),
            indicator,
            ..Answered::local(self.codec.as_ref(), reply.body.clone(), reply.outcome)
        }
    }

    /// Reads the request and answers it.
    async fn anew(self, body: &Bytes, request_key: Option<RequestKey>) -> Answered {
        let (app, configured, spec) = (self.app, self.configured, self.spec);
        let codec = self.codec.as_ref();
        let request = match codec.decode(body) {
            Ok(request) => request,
            Err(error) => {
                return Answered::exception(
                    codec,
                    None,
                    format!("{error}; nothing was looked up"),
                    "bad_request",
                );
            }
        };
        let identity = match self.identify(&request) {
            Ok(identity) => identity,
            Err(refusal) => {
                self.context.deny(refusal.denied());
                let given = match refusal {
                    Refusal::Setting(_) => request.setting(TOKEN).map(str::trim),
                    Refusal::Installed(_) => self.token(),
                };
                let client = given.and_then(|token| app.tokens.client_of(token));
                return Answered {
                    client: client.unwrap_or_else(|| "".into()),
                    ..refusal.answered(codec, Some(&request))
                };
            }
        };
        self.context.vouch();
        let indicator: Option<Arc<str>> = request.entities.first().map(|entity| head(entity.value()).into());
        let now = app.engine.clock().now();
        let key = rendered_key(self.key(&identity, 512), spec, &request);
        if let Some(request_key) = request_key
            && let Some(indicator) = &indicator
            && !may_hold_secret(&request)
        {
            let known = KnownRequests {
                rendered: Arc::clone(&key),
                indicator: Arc::clone(indicator),
            };
            app.engine.cache().note_known(request_key, known).await;
        }
        let rendered = app.engine.cache().rendered(&key, now).await;
        if let Some(rendered) = &rendered
            && let Some(reply) = rendered.reply::<RunReply>()
        {
            return self.hit(reply, now, rendered, &identity, indicator);
        }
        let known = |answered| Answered {
            client: Arc::clone(&identity.client),
            indicator,
            ..answered
        };
        let requester = identity.requester(FACE, &spec.name, self.context.id().to_string());
        let run_context = RunContext {
            requester,
            may_refresh: identity.may(TokenScope::Refresh),
            deadline: app.engine.clock().elapsed() + configured.settings().deadlines.maltego,
            sample: app.is_sample(),
        };
        let answers = ask_all(&app.engine, &run_context.run(configured, spec), request).await;
        let now = app.engine.clock().now();
        let rendered = if answers.records() < MANY_RECORDS {
            render(codec, answers, &run_context.run(configured, spec), now)
        } else {
            let (configured, spec) = (Arc::clone(configured), Arc::clone(spec));
            let owned = Arc::clone(self.codec);
            let is_kept = answers.are_kept();
            let write = move || render(owned.as_ref(), answers, &run_context.run(&configured, &spec), now);
            match app.rendering.write(is_kept, write).await {
                Ok(rendered) => rendered,
                Err(RenderingError::Busy) => {
                    app.engine.metrics().network().shed.inc();
                    return known(Answered::busy(codec));
                }
                Err(RenderingError::Failed(error)) => {
                    tracing::error!(%error, "an answer could not be written");
                    let text = "the server could not write the answer; run it again".to_owned();
                    return known(Answered::exception(codec, None, text, "failed"));
                }
            }
        };
        known(finish((app, identity.tenant()), codec, key, rendered, now).await)
    }

    /// Knows the client: by the analyst's own setting first, then by the header, then by the path.
    fn identify(&self, request: &TransformRequest) -> Result<Principal, Refusal> {
        if self.app.mode != Mode::Demo
            && let Some(token) = request.setting(TOKEN)
        {
            let identity = Principal::of(self.app, self.http, token.trim()).map_err(Refusal::Setting)?;
            identity
                .pass(self.app, TokenScope::Transforms)
                .map_err(Refusal::Setting)?;
            return Ok(identity);
        }
        let identity = self
            .installed
            .clone()
            .ok_or(Refusal::Setting(AccessDenied::Missing))?;
        identity
            .pass(self.app, TokenScope::Transforms)
            .map_err(Refusal::Installed)?;
        Ok(identity)
    }
}

/// Tells whether a request may hold a token or a key: those travel in global settings.
fn may_hold_secret(request: &TransformRequest) -> bool {
    let mut settings = request.settings.iter();
    settings.any(|(name, value)| name.starts_with("global#") && !value.trim().is_empty())
}

/// Holds what a run needs beside the request, the configuration and the transform.
#[derive(Clone)]
struct RunContext {
    requester: Requester,
    may_refresh: bool,
    deadline: Duration,
    sample: bool,
}

impl RunContext {
    fn run<'a>(&'a self, configured: &'a Configured, spec: &'a TransformSpec) -> Run<'a> {
        Run {
            spec,
            settings: configured.settings(),
            requester: &self.requester,
            may_refresh: self.may_refresh,
            deadline: self.deadline,
            sample: self.sample,
        }
    }
}

/// Is what an answer depends on of the one who asks; the token itself is left out.
struct Asker<'a> {
    tenant: &'a str,
    may_buy: bool,
    may_refresh: bool,
}

/// Gathers what everything depends on: wire format, transform, configuration, and the requester's rights.
fn reply_key(
    format: &[u8],
    configured: &Configured,
    spec: &TransformSpec,
    asker: &Asker<'_>,
    room: usize,
) -> KeyBuilder {
    let mut key = KeyBuilder::with_room(room);
    key.part(FACE.as_bytes());
    key.part(format);
    key.part(&configured.catalogue.generation().to_le_bytes());
    key.part(spec.name.as_bytes());
    key.part(asker.tenant.as_bytes());
    key.part(&[u8::from(asker.may_buy), u8::from(asker.may_refresh)]);
    key
}

/// Gathers everything that a rendered body is made from; the token itself is left out.
fn rendered_key(mut key: KeyBuilder, spec: &TransformSpec, request: &TransformRequest) -> RenderedKey {
    reads::add_to_key(&mut key, spec, request, TOKEN);
    if reads::reads_secret(spec, request, TOKEN) {
        key.hashed()
    } else {
        key.rendered()
    }
}

/// Says where a token came from, since each source is told differently that it is wrong.
enum Refusal {
    /// The analyst's setting, or no token at all: the client asks again.
    Setting(AccessDenied),
    /// The header's or the path's token: the administrator who installed it must act.
    Installed(AccessDenied),
}

impl Refusal {
    fn denied(&self) -> AccessDenied {
        match self {
            Self::Setting(denied) | Self::Installed(denied) => *denied,
        }
    }

    /// Answers it; there is no request where none was read.
    fn answered(self, codec: &dyn Codec, request: Option<&TransformRequest>) -> Answered {
        let entity = request.and_then(|request| request.entities.first());
        let value = entity.map_or("pivotd", |entity| entity.value());
        match self {
            Self::Setting(denied @ (AccessDenied::Scope(_) | AccessDenied::Rate(_)))
            | Self::Installed(denied @ AccessDenied::Rate(_)) => {
                let text = format!("{}: {}", head(value), denied.text());
                Answered::message(codec, UiMessageKind::PartialError, text, "denied")
            }
            Self::Setting(denied) => {
                let text = format!("{}: {} (setting {TOKEN})", head(value), denied.text());
                Answered::exception(codec, Some(ASK_AGAIN), text, "denied")
            }
            Self::Installed(denied) => {
                let text = format!("{}: {}", head(value), denied.text());
                Answered::message(codec, UiMessageKind::FatalError, text, "denied")
            }
        }
    }
}

/// Answers the probe of a distribution server: is the transform there?
fn probe(app: &App, path: &RunPath<'_>) -> HttpResponse {
    let codec = &path.route.codec;
    let configured = app.configured.load();
    let name = path.transform.as_ref();
    let (mut response, kind, body) = match configured.catalogue.find(name) {
        Some(spec) => (
            HttpResponse::Ok(),
            HeaderValue::from_static("text/plain; charset=utf-8"),
            Bytes::from(format!(
                "{}: {}. POST a Maltego request to run it.\n",
                spec.name, spec.title
            )),
        ),
        None => (
            HttpResponse::NotFound(),
            HeaderValue::from_static(codec.content_type()),
            Bytes::from(codec.encode_error(&TransformException {
                code: None,
                text: unknown(&configured, name),
            })),
        ),
    };
    response.insert_header((header::CONTENT_TYPE, kind)).body(body)
}
