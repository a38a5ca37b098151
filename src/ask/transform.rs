//! Runs a transform: entities to questions, questions to the engine.

pub(super) mod questions;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use self::questions::Questions;
use super::gather::{Output, gather, mark};
use super::lookup::{Candidate, retain_with_key};
use super::message::head;
use super::options::{DEFAULT_LIMIT, Options, SettingName};
use crate::catalogue::{TransformSpec, own};
use crate::config::Settings;
use crate::domain::{Indicator, Marks, Outcome};
use crate::engine::cache::AnswerKey;
use crate::engine::keyring::tenant_scope;
use crate::engine::{CacheState, Engine, EngineResponse, Requester};
use crate::maltego::constraint::known_properties;
use crate::maltego::{
    InputEntity, Property, TransformException, TransformRequest, TransformResponse, UiMessage, UiMessageKind,
};
use crate::providers::Descriptor;

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

    /// Lists the responses that are prices instead of answers.
    pub fn quotes(&self) -> impl Iterator<Item = (&Arc<Descriptor>, &EngineResponse)> {
        let told = self.asked.iter().flatten().flat_map(|asked| &asked.responses);
        let quoted = told.filter(|(_, _, told)| match &told.outcome {
            Outcome::Found(answer) => answer.is_quote(),
            _ => false,
        });
        quoted.map(|(descriptor, _, told)| (descriptor, told))
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

/// Asks what a transform asks of every input entity that satisfies its constraint, side by side.
pub async fn ask_all(engine: &Engine, run: &Run<'_>, mut request: TransformRequest) -> RunAnswers {
    let Some(constraint) = &run.spec.constraint else {
        return ask_observed(engine, run, request, None).await;
    };
    let mut rejected = Vec::new();
    let mut kept = Vec::with_capacity(request.entities.len());
    for entity in request.entities {
        match constraint.rejection(&run.spec.title, &entity, &known_properties(&entity)) {
            Some(text) => rejected.push(NotAskedReason {
                entity,
                kind: UiMessageKind::PartialError,
                outcome: "bad_input",
                text,
            }),
            None => kept.push(entity),
        }
    }
    request.entities = kept;
    if request.entities.is_empty()
        && let Some(first) = rejected.first()
    {
        let text = format!("{}: {}", head(first.entity.value()), first.text);
        let exception = TransformException { code: None, text };
        return RunAnswers {
            asked: Vec::new(),
            limit: DEFAULT_LIMIT,
            known: KnownSinkholes::of(engine, run, &[]),
            refused: Some(plain(Body::Exception(exception), "bad_input")),
        };
    }
    let mut answers = ask_observed(engine, run, request, None).await;
    answers.asked.extend(rejected.into_iter().map(Err));
    answers
}

/// Asks as [`ask_all`] does, whatever the transform's constraint. Where there is an observer, it is told what is known of each
/// entity meanwhile.
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
