//! Runs transforms in JSON, for the commands of the terminal: what a graph is made of, and more than the wire formats of Maltego
//! clients say. A value may come without its type, and settings by their short names. Served on the Unix socket.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};

use super::api_call::ApiCall;
use super::principal::{Authorized, TakesNoTurn, scope};
use super::problem::Problem;
use super::request::{Entry, Operation, RequestContext};
use super::request_body::{BodyKind, RequestBody};
use super::target::in_path;
use super::{get, post};
use crate::app::{App, Configured, Mode};
use crate::ask::message::head;
use crate::ask::report::Report;
use crate::ask::transform::{Ran, Run, bad_input, run as run_transform};
use crate::catalogue::{InputSpec, TransformSetting, TransformSpec, own};
use crate::config::problem::did_you_mean;
use crate::domain::{Indicator, IndicatorKind};
use crate::maltego::types;
use crate::maltego::{InputEntity, TransformRequest};
use crate::mapping::entity_value;
use crate::tokens::Scope;

/// Names the frontend in the log and in metrics.
const FRONTEND: &str = "json";
const RUN: &str = "/v1/transforms/{transform}/run";
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
    let settings = settings(&app, spec, &request.settings).map_err(Problem::invalid)?;
    let type_id = request.type_id.as_deref().map(|given| named_type(spec, given));
    let type_id = type_id.transpose().map_err(Problem::invalid)?;
    let is_typed = request.properties.is_empty();
    let asker = principal.asker(FRONTEND, &spec.name, context.id().to_string());
    let run = Run {
        spec,
        settings: configured.settings(),
        asker: &asker,
        may_refresh: principal.may(Scope::Refresh),
        deadline: app.engine.clock().elapsed() + configured.settings().deadlines.maltego,
        sample: app.is_sample(),
    };
    let replied = |asked: &str, type_id: &str, form: String, ran: &Ran| Reply {
        entry: Entry {
            outcome: ran.outcome,
            status: 200,
            cache: ran.cache,
            provider_time: ran.provider_time,
            client: Arc::clone(&principal.client),
            operation: Some(spec.name.as_str().into()),
            indicator: Some(head(asked).into()),
            decision: None,
        },
        view: RunView {
            report: Report::of(&spec.name, (type_id, form), ran),
            sample: app.is_sample(),
        },
    };
    let guess = || type_of(spec, &request.value, &request.properties);
    let Some(type_id) = type_id.or_else(guess) else {
        // A run that failed, not a refusal: of several values, the others are asked all the same.
        let ran = bad_input(&run, &request.value, &unread(spec));
        let first = spec.inputs.first().map_or("", |input| input.type_id.as_str());
        return Ok(replied(&request.value, first, request.value.clone(), &ran));
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
    let ran = run_transform(&app.engine, &run, &request).await;
    let (value, type_id) = request.entities.first().map_or(("", ""), |entity| {
        (entity.value.as_str(), entity.type_id.as_str())
    });
    Ok(replied(value, type_id, form, &ran))
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

/// Lists the settings of a transform at all its providers, each once.
fn known_settings(app: &App, spec: &TransformSpec) -> Vec<TransformSetting> {
    let runtimes = app.engine.runtimes();
    let asked = spec.providers().iter().filter_map(|name| runtimes.get(name));
    let mut descriptors: Vec<_> = asked.map(|runtime| runtime.provider.descriptor()).collect();
    if descriptors.is_empty() {
        descriptors.push(&own::DESCRIPTOR);
    }
    let mut all: Vec<TransformSetting> = Vec::new();
    for setting in descriptors
        .into_iter()
        .flat_map(|descriptor| spec.settings(descriptor))
    {
        if !all.iter().any(|known| known.name == setting.name) {
            all.push(setting);
        }
    }
    all
}

/// Finds the settings that are meant: by their id, or by its last part at every provider that has it.
fn settings(
    app: &App,
    spec: &TransformSpec,
    given: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, String> {
    let known = known_settings(app, spec);
    let mut found = Vec::new();
    for (name, value) in given {
        let mut meant: Vec<&TransformSetting> =
            known.iter().filter(|setting| setting.name == *name).collect();
        if meant.is_empty() {
            let own = known
                .iter()
                .filter(|setting| !setting.name.starts_with("global#"));
            meant = own
                .filter(|setting| types::last_part(&setting.name) == name)
                .collect();
        }
        if meant.is_empty() {
            let usable = known
                .iter()
                .filter(|setting| !setting.secret)
                .map(|setting| setting.name.as_str());
            let usable: Vec<&str> = usable.filter(|name| !name.starts_with("global#")).collect();
            let hint = did_you_mean(name, usable.iter().map(|name| types::last_part(name)));
            let there_are = if usable.is_empty() {
                "none".to_owned()
            } else {
                usable.join(", ")
            };
            return Err(format!(
                "{} has no setting {}{hint}; there are: {there_are}",
                spec.name,
                head(name)
            ));
        }
        for setting in meant {
            if setting.secret {
                return Err(format!(
                    "{} is a secret, and every user of this machine can read a command line; the server's own key \
                     is used here",
                    setting.name
                ));
            }
            found.push((setting.name.clone(), value.clone()));
        }
    }
    Ok(found)
}

/// Finds an entity type by what a person calls it.
fn named_type(spec: &TransformSpec, given: &str) -> Result<String, String> {
    let inputs = &spec.inputs;
    inputs
        .iter()
        .find(|input| input.type_id == given || types::last_part(&input.type_id).eq_ignore_ascii_case(given))
        .map(|input| input.type_id.clone())
        .or_else(|| types::by_any_name(given).map(|known| known.id.to_owned()))
        .or_else(|| given.contains('.').then(|| given.to_owned()))
        .ok_or_else(|| {
            let names = types::all().map(types::EntityType::short);
            let takes: Vec<&str> = inputs.iter().map(|input| input.type_id.as_str()).collect();
            format!(
                "there is no entity type {}{}; {} takes {}",
                head(given),
                did_you_mean(given, names),
                spec.name,
                takes.join(", ")
            )
        })
}

/// Says what a transform asks about, of a value that none of its inputs can read.
fn unread(spec: &TransformSpec) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in spec.inputs.iter().flat_map(|input| &input.kinds) {
        if !kinds.contains(&kind.expected()) {
            kinds.push(kind.expected());
        }
    }
    format!(
        "this is not what {} asks about; expected {}",
        spec.name,
        kinds.join(", or ")
    )
}

fn entity(type_id: String, value: String, properties: BTreeMap<String, String>) -> InputEntity {
    let bases = types::lookup(&type_id)
        .into_iter()
        .flat_map(|known| known.bases.iter().copied());
    let ancestors = std::iter::once(type_id.as_str())
        .chain(bases)
        .map(str::to_owned)
        .collect();
    InputEntity {
        declared_type: type_id.clone(),
        type_id,
        ancestors,
        value,
        fields: properties.into_iter().collect(),
        ..InputEntity::default()
    }
}

/// Returns the form in which entities have a value that was typed; `None` where it stays as it is.
fn entity_form(spec: &TransformSpec, entity: &InputEntity) -> Option<String> {
    let input = spec.input_for(entity.ancestors.iter().map(String::as_str))?;
    if input.query.is_some() || entity.is_a("maltego.Phrase") {
        return None;
    }
    let taken = Indicator::read_as(&input.kinds, &entity.value).ok()?;
    // Of two values neither is meant: what is asked says so.
    let indicator = taken.left.is_none().then_some(taken.indicator)?;
    // Either kind of address reads the other.
    let is_of_type = input.kinds.contains(&indicator.kind());
    is_of_type.then(|| entity_value(&indicator)).flatten()
}

/// Finds the type of a value without a type: by the property that one input's type alone has its value in;
/// by what the value is, where the transform takes that, as everywhere; else the first input that can read it.
fn type_of(spec: &TransformSpec, value: &str, properties: &BTreeMap<String, String>) -> Option<String> {
    let has_value = |type_id: &str| {
        let name = types::value_property(type_id);
        name.is_some_and(|name| properties.contains_key(name))
    };
    let mut named = spec.inputs.iter().filter(|input| has_value(&input.type_id));
    let first = named.next();
    if let (Some(input), None) = (first, named.next()) {
        return Some(input.type_id.clone());
    }
    // Without a value, the property that stands for it is the value.
    let own = first.and_then(|input| types::value_property(&input.type_id));
    let own = own.and_then(|name| properties.get(name));
    let value = match own {
        Some(own) if value.trim().is_empty() => own.as_str(),
        _ => value,
    };
    let guessed = Indicator::guess(value).ok();
    let own = guessed.as_ref().and_then(|indicator| types::of(indicator.kind()));
    let mut inputs = spec.inputs.iter();
    let taken = own.filter(|own| inputs.any(|input| input.type_id == *own));
    // Either kind of address reads the other, which is not what that type of entity holds; nor is an address a URL that has
    // no scheme.
    let is_address = |kind: IndicatorKind| matches!(kind, IndicatorKind::Ipv4 | IndicatorKind::Ipv6);
    let is_bare = guessed.as_ref().is_some_and(|known| is_address(known.kind()));
    let reads = |input: &&InputSpec| {
        Indicator::read_as(&input.kinds, value).is_ok_and(|taken| {
            let kind = taken.indicator.kind();
            input.kinds.contains(&kind) && (is_address(kind) || !is_bare)
        })
    };
    taken.map(str::to_owned).or_else(|| {
        let first = spec.inputs.iter().find(reads)?;
        Some(first.type_id.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, tests::vendor};

    #[test]
    fn an_address_without_a_type_is_of_its_own_type_in_every_transform_that_takes_it() {
        let loaded = load(None, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
        let mut tried = 0;
        for (kind, type_id, value) in [
            (IndicatorKind::Ipv4, "maltego.IPv4Address", "192.0.2.44"),
            (IndicatorKind::Ipv6, "maltego.IPv6Address", "2001:db8::44"),
        ] {
            for spec in &loaded.settings.transforms {
                if spec.inputs.iter().any(|input| input.kinds.contains(&kind)) {
                    assert_eq!(
                        type_of(spec, value, &BTreeMap::new()).as_deref(),
                        Some(type_id),
                        "{}",
                        spec.name
                    );
                    tried += 1;
                }
            }
        }
        assert!(tried > 20, "{tried}");
    }

    fn of(transform: &str, type_id: Option<&str>, value: &str) -> (InputEntity, Option<String>) {
        let loaded = load(None, &[], &vendor::all());
        let settings = loaded.unwrap_or_else(|errors| panic!("{errors}")).settings;
        let spec = settings.transforms.iter().find(|spec| spec.name == transform);
        let spec = spec.unwrap();
        let type_id = type_id.map(|given| named_type(spec, given).unwrap());
        let type_id = type_id
            .or_else(|| type_of(spec, value, &BTreeMap::new()))
            .unwrap();
        let entity = entity(type_id, value.to_owned(), BTreeMap::new());
        let form = entity_form(spec, &entity);
        (entity, form)
    }

    #[test]
    fn typed_values_get_the_form_of_found_entities() {
        for (transform, type_id, typed, form) in [
            (
                "domaintools.ip-history",
                None,
                "EXAMPLE[.]com",
                Some("example.com"),
            ),
            (
                "passivetotal.resolutions",
                None,
                "192[.]0[.]2[.]7",
                Some("192.0.2.7"),
            ),
            (
                "threatconnect.incidents-of",
                None,
                "hxxp://Example[.]com/A",
                Some("http://example.com/A"),
            ),
            (
                "domaintools.reverse-whois",
                None,
                "Dana.Weber[at]mail.example",
                Some("dana.weber@mail.example"),
            ),
            ("domaintools.reverse-whois", Some("Person"), "Dana  WEBER", None),
            (
                "threatconnect.incidents",
                Some("Phrase"),
                "hxxp://Example[.]com",
                None,
            ),
            ("threatconnect.indicators", None, "0012", None),
        ] {
            let found = of(transform, type_id, typed).1;
            assert_eq!(found.as_deref(), form, "{transform} {typed}");
        }
    }

    #[test]
    fn a_value_is_not_given_as_the_property_that_holds_the_query() {
        let (entity, _) = of("threatconnect.indicators", Some("Incident"), "Only a name");
        assert!(entity.fields.is_empty(), "{entity:?}");
    }
}
