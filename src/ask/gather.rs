//! Gathers what the questions of a run came to: answers to entities, outcomes to messages.

use std::time::Duration;

use jiff::Timestamp;

use super::message::prices::PriceTotal;
use super::message::{MessageContext, age_text, head, how_to_buy};
use super::options::Options;
use super::reply::Reply;
use super::transform::{
    Body, KnownSinkholes, NotAskedReason, QuestionResult, ReplyDependencies, Run, RunResult, plain,
};
use crate::domain::lists::ZoneKind;
use crate::domain::{Denial, FailureKind, Outcome};
use crate::engine::{CacheState, EngineResponse, TERMINAL};
use crate::maltego::response::ASK_AGAIN;
use crate::maltego::{Property, TransformException, TransformResponse, UiMessage, UiMessageKind};
use crate::mapping::{DateWindow, MappedInput, MappingResult, Selection, SourceAnswer, arrange};
use crate::providers::Descriptor;

/// Says what becomes of the entities of a run.
pub(super) enum Output<'a> {
    /// They are made, for the response.
    Entities,
    /// They are written to the end of this as XML, and the response has none.
    Xml(&'a mut String),
}

/// Merges what the questions of a run came to.
pub(super) fn gather(
    run: &Run<'_>,
    asked: Vec<Result<QuestionResult, NotAskedReason>>,
    limit: usize,
    known: &KnownSinkholes,
    now: Timestamp,
    mut output: Output<'_>,
) -> RunResult {
    let sample = run
        .sample
        .then(|| Property::loose("pivotd.sample", "Sample data", "true"));
    let mut response = TransformResponse::default();
    let mut depends = Some(ReplyDependencies {
        entries: Vec::new(),
        marks: known.generation,
        fresh_until: known.marks.until().unwrap_or(Timestamp::MAX),
        retrieved_at: now,
    });
    let prices = price_totals(&asked);
    let (mut outcomes, mut caches) = (Vec::new(), Vec::new());
    let mut provider_time = Duration::ZERO;
    let mut retrieved_at: Option<Timestamp> = None;
    for asked in asked {
        let asked = match asked {
            Ok(asked) => asked,
            Err(not_asked) => {
                let text = format!("{}: {}", head(not_asked.entity.value()), not_asked.text);
                response.messages.push(UiMessage::new(not_asked.kind, text));
                outcomes.push(not_asked.outcome);
                continue;
            }
        };
        for (_, options, told) in &asked.responses {
            provider_time += told.provider_time;
            outcomes.push(told.outcome.name());
            caches.push(asked_where(told));
            if let Some(entry) = &told.entry {
                let oldest = retrieved_at.get_or_insert(entry.retrieved_at);
                *oldest = (*oldest).min(entry.retrieved_at);
            }
            note_dependency(&mut depends, options, told);
            // Where others answered too, that one key is refused is told beside what they found.
            if let Outcome::Failed(failure) = &told.outcome
                && failure.kind == FailureKind::Denied(Denial::UserKey)
                && asked
                    .responses
                    .iter()
                    .all(|(_, _, told)| matches!(told.outcome, Outcome::Failed(_)))
            {
                let text = format!(
                    "{}: {}: {}",
                    head(asked.entity.value()),
                    failure.provider,
                    failure.message
                );
                let exception = TransformException {
                    code: Some(ASK_AGAIN),
                    text,
                };
                return plain(Body::Exception(exception), "user_key_refused");
            }
        }
        let mapped = mapped(run, &asked, limit, known, &mut output, sample.as_ref());
        reply(run, &asked, mapped, now, !prices.is_empty()).add_to(&mut response);
    }
    response.messages.extend(prices.iter().map(|total| {
        let at_terminal = run.requester.frontend == TERMINAL;
        let how = how_to_buy(total.max_price, at_terminal, &total.provider);
        UiMessage::new(UiMessageKind::Inform, format!("{}; {how}", total.text()))
    }));
    for entity in &mut response.entities {
        entity.properties.extend(sample.clone());
    }
    response.messages = mark(run, response.messages);
    RunResult {
        body: Body::Response(response),
        outcome: sum(&outcomes),
        cache: sum_cache(&caches),
        provider_time,
        depends: depends.filter(|depends| !depends.entries.is_empty()),
        retrieved_at,
    }
}

/// Sums the prices where several values of a run were quoted one: then one question is put about all of them.
fn price_totals(asked: &[Result<QuestionResult, NotAskedReason>]) -> Vec<PriceTotal> {
    let answered = asked.iter().flatten();
    let responses = answered.flat_map(|one| &one.responses);
    let totals = PriceTotal::of(responses.map(|(descriptor, _, told)| (descriptor.as_ref(), told)));
    if totals.iter().any(|total| total.quoted() > 1) {
        totals
    } else {
        Vec::new()
    }
}

/// A body may be kept while all it was made from is fresh; failures and stale answers are told anew each time.
fn note_dependency(depends: &mut Option<ReplyDependencies>, options: &Options, told: &EngineResponse) {
    let fresh = told.stale.is_none() && !options.buy && options.max_age.is_none();
    match (&told.entry, &told.key, depends.as_mut()) {
        // A quote tells what is left of a budget, which changes without the answer changing.
        (Some(entry), Some(key), Some(depends)) if fresh && !entry.answer.is_quote() => {
            depends.entries.push((key.clone(), entry.version));
            depends.fresh_until = depends.fresh_until.min(entry.fresh_until);
            depends.retrieved_at = depends.retrieved_at.min(entry.retrieved_at);
        }
        _ if told.cache == CacheState::Local => {}
        _ => *depends = None,
    }
}

/// Says where an answer came from; where access was denied before anything was sent, no provider was asked.
fn asked_where(told: &EngineResponse) -> &'static str {
    match &told.outcome {
        Outcome::Failed(failure)
            if matches!(
                failure.kind,
                FailureKind::Denied(Denial::NoKey | Denial::Scope | Denial::Price | Denial::Marking)
            ) =>
        {
            CacheState::Local.name()
        }
        _ => told.cache.name(),
    }
}

/// Maps what came of one entity. `extra` is what every written entity is given.
fn mapped(
    run: &Run<'_>,
    asked: &QuestionResult,
    limit: usize,
    known: &KnownSinkholes,
    output: &mut Output<'_>,
    extra: Option<&Property>,
) -> MappingResult {
    let answers: Vec<_> = asked
        .responses
        .iter()
        .filter_map(|(descriptor, options, told)| match &told.outcome {
            Outcome::Found(answer) => Some(SourceAnswer {
                answer,
                family: family(run, descriptor),
                retrieved_at: told
                    .entry
                    .as_ref()
                    .map_or(Timestamp::UNIX_EPOCH, |entry| entry.retrieved_at),
                window: options.window,
            }),
            _ => None,
        })
        .collect();
    let input = MappedInput {
        type_id: &asked.entity.type_id,
        // Where the client left `Value` out, the property that stands for it is the value.
        value: asked.entity.value(),
        properties: &asked.echo,
        instead: asked.instead.as_deref(),
    };
    let selection = Selection {
        exclude_sinkholes: asked
            .responses
            .iter()
            .any(|(_, options, _)| options.exclude_sinkholes),
        exclude_dynamic_dns: asked
            .responses
            .iter()
            .any(|(_, options, _)| options.exclude_dynamic_dns),
        limit,
    };
    let rules = run
        .spec
        .rules(&run.settings.scales, &run.settings.lists, &known.marks);
    let arranged = arrange(&answers, &rules, &input, &selection);
    let counts = arranged.counts();
    match output {
        Output::Entities => MappingResult {
            entities: arranged.entities(),
            ..counts
        },
        Output::Xml(out) => {
            arranged.write(out, extra);
            counts
        }
    }
}

/// Returns the family of a provider: itself, unless the rules of scores say that it resells what others do.
fn family<'a>(run: &'a Run<'_>, descriptor: &'a Descriptor) -> &'a str {
    let rules = run.settings.reputation.source(&descriptor.name);
    let family = rules.and_then(|rules| rules.family.as_deref());
    family.unwrap_or(&descriptor.name)
}

/// Makes what messages about one provider's answer are written from.
fn context<'a>(
    run: &'a Run<'_>,
    asked: &'a QuestionResult,
    descriptor: &'a Descriptor,
    shows: &'a str,
    window: DateWindow,
    now: Timestamp,
) -> MessageContext<'a> {
    MessageContext {
        value: asked.entity.value(),
        title: &descriptor.title,
        provider: &descriptor.name,
        asked: &run.spec.title,
        instead: asked
            .instead
            .as_deref()
            .filter(|domain| *domain == asked.indicator.value()),
        paged: descriptor
            .offer(run.spec.capability)
            .is_some_and(|offer| offer.paged),
        merged: asked.responses.len() > 1,
        sums_prices: false,
        shows,
        window,
        at_terminal: run.requester.frontend == TERMINAL,
        request_id: &run.requester.request_id,
        now,
    }
}

/// Makes what is told of one entity.
fn reply(
    run: &Run<'_>,
    asked: &QuestionResult,
    mapped: MappingResult,
    now: Timestamp,
    sums_prices: bool,
) -> Reply {
    let mut all = Vec::new();
    // What was counted is counted of the whole, so only a window that all share can be named beside it.
    let mut windows = asked.responses.iter().map(|(_, options, _)| options.window);
    let window = windows.next().unwrap_or_default();
    let window = if windows.all(|other| other == window) {
        window
    } else {
        DateWindow::default()
    };
    // It is named only beside records that hold nothing of it.
    let holds_others = mapped.dropped.unplaced.other > 0;
    let shows = if holds_others {
        run.spec.shows()
    } else {
        String::new()
    };
    let shows_contacts = run
        .spec
        .entities
        .iter()
        .any(|rule| rule.each.as_deref() == Some("contacts"));
    let context = |descriptor| MessageContext {
        sums_prices,
        ..context(run, asked, descriptor, &shows, window, now)
    };
    if let Some(note) = &asked.note {
        all.push(UiMessage::new(
            UiMessageKind::Inform,
            format!("{}: {note}", head(asked.entity.value())),
        ));
    }
    for (descriptor, options, told) in &asked.responses {
        let context = context(descriptor);
        // What is said of the merged whole is said once, whichever provider answered.
        let withheld = match &told.outcome {
            Outcome::Found(answer) if shows_contacts => {
                let mut said = context.untold(answer);
                said.extend(context.withheld(answer));
                said
            }
            _ => Vec::new(),
        };
        for message in context.messages(told, &mapped).into_iter().chain(withheld) {
            if !all.contains(&message) {
                all.push(message);
            }
        }
        if let Outcome::NotFound(_) = &told.outcome
            && let Some(text) = registry_note(run, asked, &descriptor.title)
        {
            all.push(context.inform(&text));
        }
        if options.max_age.is_some() && !run.may_refresh {
            let age = told
                .entry
                .as_ref()
                .map(|entry| age_text(entry.age(now).as_secs()));
            let age = age
                .map(|age| format!(" (this answer is {age} old)"))
                .unwrap_or_default();
            let text = format!("max-age is not kept, since this token lacks the scope `refresh`{age}");
            all.push(context.bad_input(&text));
        }
    }
    Reply::of(mapped, all, || match asked.responses.first() {
        Some((descriptor, _, _)) => context(descriptor).nothing(),
        None => UiMessage::new(
            UiMessageKind::PartialError,
            format!(
                "{}: no provider of this transform is configured here",
                head(asked.entity.value())
            ),
        ),
    })
}

/// Says of a name below a private registry's zone, of which a provider knows nothing, that the zone was not asked about
/// instead: a provider may know names of the second level only, and what it says of the zone is not of the name.
fn registry_note(run: &Run<'_>, asked: &QuestionResult, title: &str) -> Option<String> {
    let name = asked.indicator.value();
    let zone = run.settings.lists.zone(name)?;
    (zone.kind == ZoneKind::Registry).then(|| {
        format!(
            "{name} is registered below {}, the zone of a registry; if {title} knows names of the second level only, it \
             knows {0}, which is another's name and was not asked about",
            zone.name
        )
    })
}

pub(super) fn mark(run: &Run<'_>, mut messages: Vec<UiMessage>) -> Vec<UiMessage> {
    if run.sample {
        messages.push(UiMessage::new(
            UiMessageKind::Inform,
            "pivotd demo: everything here is sample data",
        ));
    }
    messages
}

/// Is the sum of outcomes that differ.
pub(crate) const MIXED: &str = "mixed";

/// Sums several outcomes for logs and metrics: what they share, or `mixed`.
pub(crate) fn sum(outcomes: &[&'static str]) -> &'static str {
    match outcomes.split_first() {
        None => "bad_input",
        Some((first, rest)) if rest.iter().all(|other| other == first) => first,
        Some(_) => MIXED,
    }
}

fn sum_cache(caches: &[&'static str]) -> &'static str {
    if caches.is_empty() {
        CacheState::Local.name()
    } else {
        sum(caches)
    }
}

#[cfg(test)]
mod tests;
