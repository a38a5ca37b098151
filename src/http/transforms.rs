//! Runs transforms in JSON, for the commands of the terminal: what a graph is made of, and more than the wire formats of Maltego
//! clients say. A value may come without its type, and settings by their short names. And lists them, for files that are made elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};

use super::api_call::{ApiCall, api_call};
use super::principal::{Authorized, TakesNoTurn, scope};
use super::problem::Problem;
use super::request::{Entry, Operation, RequestContext};
use super::request_body::{BodyKind, RequestBody};
use super::target::in_path;
use super::{get, post};
use crate::app::{App, Configured, Mode};
use crate::ask::message::head;
use crate::ask::report::Report;
use crate::ask::transform::{Run, RunResult, bad_input, run as run_transform};
use crate::ask::typed::{entity, entity_form, named_type, settings, type_of, unread};
use crate::catalogue::TransformSpec;
use crate::maltego::TransformRequest;
use crate::maltego::listing::ListedTransform;
use crate::tokens::Scope;

/// Names the frontend in the log and in metrics.
const FRONTEND: &str = "json";
const RUN: &str = "/v1/transforms/{transform}/run";
const ALL: &str = "/v1/transforms";
const INPUTS: &str = "/v1/transforms/{transform}/inputs";
/// The most bytes of a run, as of a Maltego client's.
const MOST_BYTES: usize = 2 << 20;

/// Routes them.
pub(super) fn routes(config: &mut ServiceConfig) {
    let operation = Operation {
        frontend: FRONTEND,
        pattern: RUN,
    };
    config
        .service(post(RUN, run).app_data(operation))
        .service(get(ALL, offered).app_data(TakesNoTurn))
        .service(get(INPUTS, inputs).app_data(TakesNoTurn));
}

/// Describes a run of a transform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The value of the entity; defanged ones are taken.
    pub value: String,
    /// The entity's type, full (`maltego.Domain`) or short; the first input that can read the value where it is left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_id: Option<String>,
    /// Properties of the entity, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Settings of the transform by id, such as `domaintools.since`; the provider's name may be left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The most entities to show, as Maltego's slider says; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl BodyKind for RunRequest {
    const MOST_BYTES: usize = MOST_BYTES;
    const NAME: &'static str = "a run";
}

/// Shows what became of a run, however it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    /// What it came to.
    pub report: Report,
    /// Whether everything is sample data.
    pub sample: bool,
}

/// Runs a transform.
#[derive(Debug, Clone, Default)]
pub struct RunTransform {
    /// The transform.
    pub transform: String,
    /// What it runs on.
    pub request: RunRequest,
}

fn path_of(pattern: &str, transform: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(transform, percent_encoding::NON_ALPHANUMERIC);
    pattern.replace("{transform}", &encoded.to_string())
}

impl ApiCall for RunTransform {
    type Reply = RunView;
    const METHOD: &'static str = "POST";

    fn path(&self) -> String {
        path_of(RUN, &self.transform)
    }

    fn body(&self) -> serde_json::Result<Option<Vec<u8>>> {
        serde_json::to_vec(&self.request).map(Some)
    }
}

/// Asks which entity types a transform takes as they are, not for the registrable domain in them: full ids.
#[derive(Debug, Clone)]
pub struct GetInputs {
    /// The transform.
    pub transform: String,
}

impl ApiCall for GetInputs {
    type Reply = Vec<String>;
    const METHOD: &'static str = "GET";

    fn path(&self) -> String {
        path_of(INPUTS, &self.transform)
    }
}

api_call! {
    /// Asks which transforms are offered.
    ListTransforms => GET "/v1/transforms" -> Vec<ListedTransform>;
}

/// Lists the transforms that are offered.
async fn offered(_client: Authorized<scope::Transforms>, app: Data<App>) -> HttpResponse {
    let configured = app.configured.load();
    HttpResponse::Ok().json(configured.listing.offered().collect::<Vec<_>>())
}

/// Lists the entity types that a transform takes as they are: full ids.
async fn inputs(
    _client: Authorized<scope::Transforms>,
    app: Data<App>,
    http: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let configured = app.configured.load_full();
    let spec = find(&app, &configured, &in_path(&http, "transform")?)?;
    let whole = spec.inputs.iter().filter(|input| !input.registrable);
    let types: Vec<&str> = whole.map(|input| input.type_id.as_str()).collect();
    Ok(HttpResponse::Ok().json(types))
}

/// Runs a transform on one entity. However the run ends, the status is 200: messages of the kinds `PartialError`, `FatalError` and
/// `Exception` say what went wrong.
async fn run(
    client: Authorized<scope::Transforms>,
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    body: RequestBody<RunRequest>,
) -> Result<Reply, Problem> {
    let request = body.json()?;
    let principal = client.0;
    let configured = app.configured.load_full();
    let spec = find(&app, &configured, &in_path(&http, "transform")?)?;
    let settings = settings(&app.engine, spec, &request.settings).map_err(Problem::invalid)?;
    let type_id = request.type_id.as_deref().map(|given| named_type(spec, given));
    let type_id = type_id.transpose().map_err(Problem::invalid)?;
    let is_typed = request.properties.is_empty();
    let requester = principal.requester(FRONTEND, &spec.name, context.id().to_string());
    let run = Run {
        spec,
        settings: configured.settings(),
        requester: &requester,
        may_refresh: principal.may(Scope::Refresh),
        deadline: app.engine.clock().elapsed() + configured.settings().deadlines.maltego,
        sample: app.is_sample(),
    };
    let replied = |asked: &str, type_id: &str, form: String, result: &RunResult| Reply {
        entry: Entry {
            outcome: result.outcome,
            status: 200,
            cache: result.cache,
            provider_time: result.provider_time,
            client: Arc::clone(&principal.client),
            operation: Some(spec.name.as_str().into()),
            indicator: Some(head(asked).into()),
            decision: None,
        },
        view: RunView {
            report: Report::of(&spec.name, (type_id, form), result),
            sample: app.is_sample(),
        },
    };
    let guess = || type_of(spec, &request.value, &request.properties);
    let Some(type_id) = type_id.or_else(guess) else {
        // A run that failed, not a refusal: of several values, the others are asked all the same.
        let result = bad_input(&run, &request.value, &unread(spec));
        let first = spec.inputs.first().map_or("", |input| input.type_id.as_str());
        return Ok(replied(&request.value, first, request.value.clone(), &result));
    };
    let entity = entity(type_id, request.value, request.properties);
    let form = is_typed.then(|| entity_form(spec, &entity)).flatten();
    let form = form.unwrap_or_else(|| entity.value.clone());
    let request = TransformRequest {
        entities: vec![entity],
        settings,
        soft_limit: request.limit,
        hard_limit: request.limit,
    };
    let result = run_transform(&app.engine, &run, &request).await;
    let (value, type_id) = request.entities.first().map_or(("", ""), |entity| {
        (entity.value.as_str(), entity.type_id.as_str())
    });
    Ok(replied(value, type_id, form, &result))
}

/// Is a run with what is told of it.
struct Reply {
    entry: Entry,
    view: RunView,
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, http: &HttpRequest) -> HttpResponse {
        let context = RequestContext::of(http);
        context.tell(self.entry);
        let id = context.id().to_string();
        HttpResponse::Ok()
            .insert_header(("x-request-id", id))
            .json(self.view)
    }
}

/// Finds a transform by its name.
fn find<'a>(app: &App, configured: &'a Configured, name: &str) -> Result<&'a TransformSpec, Problem> {
    let known = configured.catalogue.find(name).map(AsRef::as_ref);
    known.ok_or_else(|| {
        let hint = configured.catalogue.suggest(name);
        let list = if app.mode == Mode::Demo {
            "`pivotd demo` lists them"
        } else {
            "`pivotd check` lists them"
        };
        let detail = format!("there is no transform {}{hint}; {list}", head(name));
        Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such transform",
            detail,
        )
    })
}
