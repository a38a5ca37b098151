//! Runs a transform: entities to questions, questions to the engine.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::gather::{Output, gather, mark};
use super::lookup::{Candidate, Lookup, Source, able, each_in_turn, retain_with_key};
use super::message::head;
use super::options::{DEFAULT_LIMIT, Options, SettingName};
use super::question::{Question, question};
use super::reads::{is_about_sinkhole, reads_all_fields};
use crate::catalogue::{INCLUDE_DYNAMIC_DNS, INCLUDE_SINKHOLES, TransformSpec, own};
use crate::config::Settings;
use crate::domain::lists::ZoneKind;
use crate::domain::{Capability, Indicator, IndicatorKind, Mark, Marks, Outcome, Price};
use crate::engine::cache::AnswerKey;
use crate::engine::keyring::tenant_scope;
use crate::engine::{CacheState, Engine, EngineResponse, Requester};
use crate::maltego::settings::{boolean, is_said};
use crate::maltego::{
    InputEntity, Property, TransformException, TransformRequest, TransformResponse, UiMessage, UiMessageKind,
};
use crate::providers::Descriptor;

/// The most records that a question without a limit fetches page by page.
const MOST_RECORDS: usize = 1000;

/// Holds what a run needs beside the request.
#[derive(Debug)]
pub struct Run<'a> {
    /// The transform.
    pub spec: &'a TransformSpec,
    /// The settings.
    pub settings: &'a Settings,
    /// Who asks.
    pub requester: &'a Requester,
    /// Whether the token may ask again before an answer's time.
    pub may_refresh: bool,
    /// Until when the client waits, on the clock's `elapsed`.
    pub deadline: Duration,
    /// Whether everything is sample data.
    pub sample: bool,
}

/// Holds what a run came to.
#[derive(Debug)]
pub struct RunResult {
    /// What the client is told.
    pub body: Body,
    /// The outcome, for logs and metrics.
    pub outcome: &'static str,
    /// Where the answers came from.
    pub cache: &'static str,
    /// The time that vendors took.
    pub provider_time: Duration,
    /// What a rendered body depends on, with the time until which it stands; none where it must not be kept.
    pub depends: Option<ReplyDependencies>,
    /// When the oldest answer was retrieved.
    pub retrieved_at: Option<Timestamp>,
}

/// Names the answers that a rendered body depends on.
#[derive(Debug)]
pub struct ReplyDependencies {
    /// Answers and versions.
    pub entries: Vec<(AnswerKey, u64)>,
    /// The generation of what answers call sinkholes.
    pub marks: u64,
    /// Until when all of them are fresh.
    pub fresh_until: Timestamp,
    /// When the oldest was retrieved.
    pub retrieved_at: Timestamp,
}

/// Is what the client is told.
#[derive(Debug)]
pub enum Body {
    /// Entities and messages.
    Response(TransformResponse),
    /// An exception; code 600 makes the client ask for its settings again.
    Exception(TransformException),
}

/// Holds what kept answers call sinkholes, for the one who asks.
#[derive(Debug, Clone)]
pub(super) struct KnownSinkholes {
    pub(super) marks: Marks,
    /// The generation that this is of.
    pub(super) generation: u64,
}

impl KnownSinkholes {
    /// Takes what the requester's tenant knows, and what the answers that a user's own key paid for say.
    fn of(engine: &Engine, run: &Run<'_>, own: &[String]) -> Self {
        let tenant = tenant_scope(&run.requester.tenant);
        let scopes = std::iter::once(tenant.as_str()).chain(own.iter().map(String::as_str));
        let (marks, generation) = engine.cache().learned_marks().marks(scopes, engine.clock().now());
        Self { marks, generation }
    }

    /// Tells whether nothing was learnt or became too old since.
    fn still_holds(&self, engine: &Engine) -> bool {
        let is_new = |until| engine.clock().now() < until;
        self.generation == engine.cache().learned_marks().generation()
            && self.marks.until().is_none_or(is_new)
    }
}

impl Candidate for (Arc<Descriptor>, Arc<Options>) {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &self.0
    }

    fn has_user_key(&self) -> bool {
        self.1.key.is_some()
    }
}

/// Says why no provider was asked about an entity.
#[derive(Debug)]
pub(super) struct NotAskedReason {
    pub(super) entity: InputEntity,
    pub(super) kind: UiMessageKind,
    pub(super) outcome: &'static str,
    pub(super) text: String,
}

/// Holds one question of a run with what came of it.
#[derive(Debug, Clone)]
pub(super) struct QuestionResult {
    pub(super) entity: InputEntity,
    pub(super) echo: Vec<Property>,
    pub(super) indicator: Indicator,
    pub(super) instead: Option<String>,
    pub(super) note: Option<String>,
    pub(super) responses: Vec<Response>,
}

/// Is what a source answered, with how it was asked.
type Response = (Arc<Descriptor>, Arc<Options>, EngineResponse);

/// Holds what the questions of a run came to, not yet merged.
#[derive(Debug)]
pub struct RunAnswers {
    asked: Vec<Result<QuestionResult, NotAskedReason>>,
    limit: usize,
    known: KnownSinkholes,
    refused: Option<RunResult>,
}

impl RunAnswers {
    /// Counts the records that merging walks.
    #[must_use]
    pub fn records(&self) -> usize {
        let told = self.asked.iter().flatten().flat_map(|asked| &asked.responses);
        told.map(|(_, _, told)| match &told.outcome {
            Outcome::Found(answer) => answer.records.len(),
            _ => 0,
        })
        .sum()
    }

    /// Tells whether all of them are kept, so that asking again costs nothing.
    #[must_use]
    pub fn are_kept(&self) -> bool {
        let mut told = self.asked.iter().flatten().flat_map(|asked| &asked.responses);
        told.all(|(_, _, told)| told.cache == CacheState::Hit)
    }

    /// Lists the prices that were quoted instead of answers.
    pub fn quotes(&self) -> impl Iterator<Item = Quote<'_>> {
        let told = self.asked.iter().flatten().flat_map(|asked| &asked.responses);
        told.filter_map(|(descriptor, _, told)| match &told.outcome {
            Outcome::Found(answer) if answer.is_quote() => Some(Quote {
                descriptor,
                price: answer.price.as_ref()?,
                money_left: told.money_left,
                max_price: told.max_price,
            }),
            _ => None,
        })
    }

    /// Maps and merges them. Takes about a microsecond for each record: thousands belong where they hold up no other request.
    #[must_use]
    pub fn gather(self, run: &Run<'_>, now: Timestamp) -> RunResult {
        self.gather_into(run, now, Output::Entities)
    }

    /// Maps and merges them, and writes the entities as XML to the end of `out`: the response has none. Takes less than half
    /// the time of making them.
    #[must_use]
    pub fn gather_xml(self, run: &Run<'_>, now: Timestamp, out: &mut String) -> RunResult {
        self.gather_into(run, now, Output::Xml(out))
    }

    fn gather_into(self, run: &Run<'_>, now: Timestamp, output: Output<'_>) -> RunResult {
        match self.refused {
            Some(refused) => refused,
            None => gather(run, self.asked, self.limit, &self.known, now, output),
        }
    }
}

/// Is the price of an answer that can be bought.
#[derive(Debug, Clone, Copy)]
pub struct Quote<'a> {
    /// The provider.
    pub descriptor: &'a Arc<Descriptor>,
    /// What it costs.
    pub price: &'a Price,
    /// What is left of the money budget, in hundredths.
    pub money_left: Option<i64>,
    /// The most that may be paid for one report, in hundredths; none where nothing is bought here.
    pub max_price: Option<i64>,
}

/// Holds what is known of a run while sources are still asked.
#[derive(Debug)]
pub struct PartialAnswers {
    /// What the sources answered that are done.
    pub answers: RunAnswers,
    /// How many sources are done.
    pub done: usize,
    /// How many sources are asked.
    pub asked: usize,
    /// The title of the source that answered last.
    pub last: String,
}

/// Is told what is known of a run each time a source is done while others are asked.
pub type Observer<'a> = &'a dyn Fn(PartialAnswers);

/// Runs a transform for every input entity, side by side, and merges what came.
pub async fn run(engine: &Engine, run: &Run<'_>, request: &TransformRequest) -> RunResult {
    let answers = ask_all(engine, run, request.clone()).await;
    answers.gather(run, engine.clock().now())
}

/// Asks what a transform asks of every input entity, side by side.
pub async fn ask_all(engine: &Engine, run: &Run<'_>, request: TransformRequest) -> RunAnswers {
    ask_observed(engine, run, request, None).await
}

/// Asks as [`ask_all`] does. Where there is an observer, it is told what is known of each entity meanwhile.
pub async fn ask_observed(
    engine: &Engine,
    run: &Run<'_>,
    request: TransformRequest,
    observer: Option<Observer<'_>>,
) -> RunAnswers {
    let limit = request
        .soft_limit
        .filter(|limit| *limit > 0)
        .map_or(DEFAULT_LIMIT, |limit| limit as usize);
    let descriptors = descriptors(engine, run.spec);
    let setting = |name: &SettingName<'_>| request.setting_that(|id| name.is(id));
    let known = KnownSinkholes::of(engine, run, &[]);
    let mut options = Vec::new();
    for descriptor in descriptors {
        match Options::read(run.spec, &descriptor, setting) {
            Ok(read) => options.push((descriptor, Arc::new(read))),
            Err(error) => {
                return RunAnswers {
                    asked: Vec::new(),
                    limit,
                    known,
                    refused: Some(wrong_setting(run, &request, &error.to_string())),
                };
            }
        }
    }
    retain_with_key(engine, &run.requester.tenant, &mut options);
    let questions = Questions {
        engine,
        run,
        options: &options,
        limit,
        known: &known,
        is_alone: request.entities.len() * options.len() == 1,
        observer,
    };
    let asked = join_all(request.entities.into_iter().map(|entity| questions.ask(entity))).await;
    // What came in the meantime counts, too.
    let own = asked.iter().flatten().flat_map(|asked| &asked.responses);
    let own = own.filter(|(_, options, _)| options.key.is_some());
    let own: Vec<String> = own
        .filter_map(|(_, _, told)| told.key.as_ref()?.scope())
        .collect();
    let known = if own.is_empty() && known.still_holds(engine) {
        known
    } else {
        KnownSinkholes::of(engine, run, &own)
    };
    RunAnswers {
        asked,
        limit,
        known,
        refused: None,
    }
}

fn descriptors(engine: &Engine, spec: &TransformSpec) -> Vec<Arc<Descriptor>> {
    let runtimes = engine.runtimes();
    let mut found: Vec<_> = spec
        .providers()
        .iter()
        .filter_map(|name| runtimes.get(name))
        .map(|runtime| Arc::clone(runtime.provider.descriptor()))
        .collect();
    if found.is_empty() && spec.providers().is_empty() {
        found.push(Arc::clone(&own::DESCRIPTOR));
    }
    found
}

fn wrong_setting(run: &Run<'_>, request: &TransformRequest, text: &str) -> RunResult {
    let value = request.entities.first().map_or("", InputEntity::value);
    bad_input(run, value, text)
}

/// Makes a run for which no provider was asked, since there is a fault in what was given.
#[must_use]
pub fn bad_input(run: &Run<'_>, value: &str, text: &str) -> RunResult {
    let message = UiMessage::new(UiMessageKind::PartialError, format!("{}: {text}", head(value)));
    let response = TransformResponse {
        entities: Vec::new(),
        messages: mark(run, vec![message]),
    };
    plain(Body::Response(response), "bad_input")
}

/// Makes a run for which no provider was asked.
pub(super) fn plain(body: Body, outcome: &'static str) -> RunResult {
    RunResult {
        body,
        outcome,
        cache: CacheState::Local.name(),
        provider_time: Duration::ZERO,
        depends: None,
        retrieved_at: None,
    }
}

/// Holds what the questions of a run have in common.
struct Questions<'a> {
    engine: &'a Engine,
    run: &'a Run<'a>,
    options: &'a [(Arc<Descriptor>, Arc<Options>)],
    limit: usize,
    known: &'a KnownSinkholes,
    /// Whether one source is asked about one entity.
    is_alone: bool,
    observer: Option<Observer<'a>>,
}

impl Questions<'_> {
    async fn ask(&self, entity: InputEntity) -> Result<QuestionResult, NotAskedReason> {
        let Self {
            engine, run, options, ..
        } = self;
        let not_asked = |entity, kind, outcome, text| NotAskedReason {
            entity,
            kind,
            outcome,
            text,
        };
        let question = match question(run.spec, &entity, &run.settings.lists) {
            Ok(question) => question,
            Err(text) => return Err(not_asked(entity, UiMessageKind::PartialError, "bad_input", text)),
        };
        if let Some((outcome, text)) = customers(run, &question, options) {
            return Err(not_asked(entity, UiMessageKind::Inform, outcome, text));
        }
        if let Some(text) = sinkhole(run, &entity, &question, options, &self.known.marks) {
            return Err(not_asked(entity, UiMessageKind::Inform, "sinkhole", text));
        }
        let Question {
            indicator,
            instead,
            note,
            ..
        } = question;
        let lookup = Lookup {
            engine,
            lists: &run.settings.lists,
            requester: run.requester,
            deadline: run.deadline,
            ttl: run.spec.ttl,
        };
        let echo = if reads_all_fields(run.spec) {
            entity.echo_fields()
        } else {
            Vec::new()
        };
        let mut result = QuestionResult {
            entity,
            echo,
            indicator,
            instead,
            note,
            responses: Vec::new(),
        };
        let indicator = result.indicator.clone();
        let asked = able(options, run.spec.capability, indicator.kind());
        let told = asked.map(async |(descriptor, options)| {
            let source = source(run.spec, run, descriptor, options, self.limit);
            let result = lookup.ask(source, run.spec.capability, &indicator).await;
            // Who waits for the answers of others as well holds no room meanwhile.
            let result = if self.is_alone {
                result
            } else {
                result.without_room()
            };
            (result.descriptor, Arc::clone(options), result.response)
        });
        let observe = |told: &[Option<Response>], last| self.observe(&result, told, last);
        result.responses = match self.observer {
            Some(_) => each_in_turn(told, observe).await,
            None => join_all(told).await,
        };
        Ok(result)
    }

    /// Tells the observer what is known of an entity while other sources are asked.
    fn observe(&self, question: &QuestionResult, told: &[Option<Response>], last: usize) {
        let Some(observer) = self.observer else { return };
        let responses: Vec<_> = told.iter().flatten().cloned().collect();
        let last = told.get(last).and_then(Option::as_ref);
        observer(PartialAnswers {
            done: responses.len(),
            asked: told.len(),
            last: last
                .map(|(descriptor, _, _)| descriptor.title.to_string())
                .unwrap_or_default(),
            answers: RunAnswers {
                asked: vec![Ok(QuestionResult {
                    responses,
                    ..question.clone()
                })],
                limit: self.limit,
                known: self.known.clone(),
                refused: None,
            },
        });
    }
}

/// Says of a customer's name in a zone of dynamic DNS or of hosting why the zone is not asked about instead of it: what is
/// known of the zone is its operator's. The client may want a registration nevertheless. Gives the outcome and the words.
fn customers(
    run: &Run<'_>,
    question: &Question,
    options: &[(Arc<Descriptor>, Arc<Options>)],
) -> Option<(&'static str, String)> {
    let wanted = options.iter().any(|(_, options)| options.include_dynamic_dns);
    let registration = run.spec.asks_registration();
    if wanted || !(registration || question.instead.is_some()) {
        return None;
    }
    let host = question.host.as_deref()?;
    let zone = run.settings.lists.zone(host).filter(|zone| zone.name != host)?;
    let (outcome, service) = match zone.kind {
        ZoneKind::Registry => return None,
        ZoneKind::DynamicDns => ("dynamic_dns", "dynamic DNS"),
        ZoneKind::Hosting => ("hosting", "hosting"),
    };
    let source = zone.list;
    let mut text = format!("this is a name of a {service} service ({source}): ");
    if registration {
        let provider = options.first().map_or("", |(descriptor, _)| &descriptor.name);
        text.push_str(&format!(
            "its registration tells of the service, not of who uses the name, so nothing was asked and nothing spent; \
             set {provider}.{INCLUDE_DYNAMIC_DNS} to ask nevertheless"
        ));
    } else {
        let domain = question.indicator.value();
        text.push_str(&format!(
            "{} asks about registered domains, and what is known of {domain} is not of this name, so nothing was asked \
             and nothing spent; ask about {domain} itself if that is wanted",
            run.spec.title
        ));
    }
    Some((outcome, text))
}

/// Says of a sinkhole why those who use it are not asked for, unless the client wants it nevertheless: a list says that
/// it is one, an earlier answer, or the entity itself.
fn sinkhole(
    run: &Run<'_>,
    entity: &InputEntity,
    question: &Question,
    options: &[(Arc<Descriptor>, Arc<Options>)],
    marks: &Marks,
) -> Option<String> {
    let wanted = options.iter().any(|(_, options)| options.include_sinkholes);
    if wanted || !run.spec.leads_to_users() {
        return None;
    }
    let indicator = &question.indicator;
    let is_address = matches!(indicator.kind(), IndicatorKind::Ipv4 | IndicatorKind::Ipv6);
    // Of a name, only what it serves as a name server is asked of the sinkhole.
    let is_server = run.spec.capability == Capability::DomainsOnNameserver;
    if !is_address && !is_server {
        return None;
    }
    let value = indicator.value();
    let source = run.settings.lists.sinkhole(value).map(str::to_owned);
    let source = source
        .or_else(|| marks.of(value).map(Mark::source))
        .or_else(|| said_by_entity(entity))?;
    let provider = options.first().map_or("", |(descriptor, _)| &descriptor.name);
    Some(format!(
        "this is a sinkhole ({source}): what leads there was taken over by its operator, and has nothing else in \
         common, so nothing was asked and nothing spent; set {provider}.{INCLUDE_SINKHOLES} to ask nevertheless"
    ))
}

/// Names the property by which an entity carries that it is a sinkhole: any provider's `sinkhole`.
pub(super) fn said_by_entity(entity: &InputEntity) -> Option<String> {
    let mut fields = entity.fields.iter();
    let (name, value) = fields.find(|(name, value)| is_about_sinkhole(name) && is_said(value))?;
    Some(match boolean(value) {
        Ok(_) => format!("property {}", head(name)),
        Err(_) => head(value.trim()),
    })
}

/// Says how a transform asks a provider.
fn source(
    spec: &TransformSpec,
    run: &Run<'_>,
    descriptor: &Arc<Descriptor>,
    options: &Options,
    limit: usize,
) -> Source {
    let paged = descriptor.offer(spec.capability).is_some_and(|offer| offer.paged);
    // A window, or a list inside the records, needs them all; else no more is fetched than is shown.
    let all = options.window != crate::mapping::DateWindow::default()
        || spec.entities.iter().any(|e| e.each.is_some());
    let want = match (paged, all) {
        (false, _) => 0,
        (true, true) => MOST_RECORDS,
        (true, false) => limit.min(MOST_RECORDS),
    };
    Source {
        descriptor: Arc::clone(descriptor),
        params: options.params.clone(),
        wanted: want,
        buy: options.buy,
        max_age: options.max_age.filter(|_| run.may_refresh),
        user_key: options.key.clone(),
        blocked_reason: None,
    }
}
