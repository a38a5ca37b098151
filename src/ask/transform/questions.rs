//! Asks what a transform asks of one entity: whether it is asked at all, of which sources, and how.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{
    KnownSinkholes, NotAskedReason, Observer, PartialAnswers, QuestionResult, Response, Run, RunAnswers,
};
use crate::ask::lookup::{Lookup, Source, able, each_in_turn};
use crate::ask::message::head;
use crate::ask::options::Options;
use crate::ask::question::{Question, question};
use crate::ask::reads::{is_about_sinkhole, reads_all_fields};
use crate::catalogue::{INCLUDE_DYNAMIC_DNS, INCLUDE_SINKHOLES, TransformSpec};
use crate::domain::lists::ZoneKind;
use crate::domain::{Capability, IndicatorKind, Mark, Marks};
use crate::engine::Engine;
use crate::maltego::settings::{boolean, is_said};
use crate::maltego::{InputEntity, UiMessageKind};
use crate::providers::Descriptor;

/// The most records that a question without a limit fetches page by page.
const MOST_RECORDS: usize = 1000;

/// Holds what the questions of a run have in common.
pub(super) struct Questions<'a> {
    pub(super) engine: &'a Engine,
    pub(super) run: &'a Run<'a>,
    pub(super) options: &'a [(Arc<Descriptor>, Arc<Options>)],
    pub(super) limit: usize,
    pub(super) known: &'a KnownSinkholes,
    /// Whether one source is asked about one entity.
    pub(super) is_alone: bool,
    pub(super) observer: Option<Observer<'a>>,
}

impl Questions<'_> {
    /// Asks about an entity; all sources side by side.
    pub(super) async fn ask(&self, entity: InputEntity) -> Result<QuestionResult, NotAskedReason> {
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
pub(in crate::ask) fn said_by_entity(entity: &InputEntity) -> Option<String> {
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
