//! Works on a run: asks what the transform asks of each input, tells what comes as it comes, and ends the run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use super::create::indicator;
use super::emit::Emitter;
use super::kept::KeptFindings;
use super::purchase;
use crate::app::{App, Configured};
use crate::ask::gather::{MIXED, sum};
use crate::ask::message::head;
use crate::ask::transform::{Body, PartialAnswers, Run as AskedRun, RunAnswers, RunResult, ask_observed};
use crate::catalogue::TransformSpec;
use crate::clock::timeout_at;
use crate::engine::CacheState;
use crate::http::maltego::{MANY_RECORDS, RunContext};
use crate::http::request::{Entry, Line};
use crate::maltego::json::event::{Event, MessageType, StatusMessage};
use crate::maltego::json::graph::Input;
use crate::maltego::json::ids::Ids;
use crate::maltego::json::run::State;
use crate::maltego::{TransformRequest, UiMessage, UiMessageKind};
use crate::runs::Run;

/// A run takes no longer than this, its prompts included.
const MOST_TIME: Duration = Duration::from_secs(3600);
/// So many inputs of a run are asked about at once.
const AT_ONCE: usize = 16;
/// So many inputs are named of those that a run has no room for.
const NAMED: usize = 5;

/// Holds what a run was asked beside its inputs.
pub(super) struct Question {
    pub(super) settings: Vec<(String, String)>,
    pub(super) limit: u32,
    /// Whether the client can ask its user.
    pub(super) may_prompt: bool,
    /// Whether the client is known by a token in the path alone, which never buys.
    pub(super) is_path_token: bool,
}

/// Is the work on a run.
pub(super) struct Execution {
    pub(super) app: Data<App>,
    pub(super) configured: Arc<Configured>,
    pub(super) spec: Arc<TransformSpec>,
    pub(super) run: Arc<Run>,
    pub(super) context: RunContext,
    pub(super) question: Question,
    ids: RefCell<Ids>,
    /// How much of each input is done, summed.
    done: Cell<f64>,
    line: RefCell<Option<(Line, Entry)>>,
    /// The values of inputs of which not all is shown, since the run holds no more, in the order in which they were answered.
    cut: RefCell<Vec<String>>,
    /// The values of inputs that were not asked about for that reason.
    not_asked: RefCell<Vec<String>>,
}

/// Says what became of one input.
pub(super) struct InputResult {
    outcome: &'static str,
    cache: &'static str,
    provider_time: Duration,
    is_failed: bool,
    /// What would have been bought, for how much.
    pub(super) quotes: Vec<purchase::Quote>,
}

impl Execution {
    #[expect(
        clippy::too_many_arguments,
        reason = "it is called in one place, and each is of another type"
    )]
    pub(super) fn new(
        app: &Data<App>,
        configured: Arc<Configured>,
        spec: Arc<TransformSpec>,
        run: Arc<Run>,
        context: RunContext,
        question: Question,
        line: Option<Line>,
        drawn: u64,
    ) -> Self {
        let entry = Entry {
            client: context.requester.client.as_str().into(),
            operation: Some(spec.name.as_str().into()),
            ..Entry::of("canceled", StatusCode::CREATED.as_u16())
        };
        Self {
            app: app.clone(),
            configured,
            spec,
            run,
            context,
            question,
            ids: RefCell::new(Ids::new(drawn)),
            done: Cell::new(0.0),
            line: RefCell::new(line.map(|line| (line, entry))),
            cut: RefCell::default(),
            not_asked: RefCell::default(),
        }
    }

    /// Works on the run beside other requests of the worker. The task ends with the run.
    pub(super) fn spawn(self, inputs: Vec<Input>) {
        let run = Arc::clone(&self.run);
        self.note(|entry| entry.indicator = indicator(&inputs));
        let task = actix_web::rt::spawn(async move {
            let work = Rc::new(self);
            let clock = Arc::clone(work.app.engine.clock());
            let until = work.run.created + MOST_TIME;
            if timeout_at(clock.as_ref(), until, work.work(&inputs))
                .await
                .is_none()
            {
                work.run.time_out(&format!(
                    "Timeout after {}s reached while executing {}.",
                    MOST_TIME.as_secs(),
                    work.spec.name
                ));
            }
        });
        run.worked_on_by(task.abort_handle());
    }

    async fn work(&self, inputs: &[Input]) {
        self.run.begin();
        let all: Vec<&Input> = inputs.iter().collect();
        let mut results = self.ask(&all, false).await;
        if let Some(bought) = purchase::decide(self, inputs, &results).await {
            // What was quoted is asked again, and bought.
            self.done.set(self.done.get() - bought.len() as f64);
            let chosen: Vec<&Input> = bought.iter().filter_map(|at| inputs.get(*at)).collect();
            for (at, result) in bought.into_iter().zip(self.ask(&chosen, true).await) {
                if let Some(place) = results.get_mut(at) {
                    *place = result;
                }
            }
        }
        let outcomes: Vec<_> = results.iter().map(|result| result.outcome).collect();
        let caches: Vec<_> = results.iter().map(|result| result.cache).collect();
        self.note(|entry| {
            entry.outcome = sum(&outcomes);
            entry.cache = sum(&caches);
            entry.provider_time = results.iter().map(|result| result.provider_time).sum();
        });
        let state = match results.iter().all(|result| result.is_failed) {
            true => State::Failed,
            false => State::Completed,
        };
        let left_out = self.left_out();
        let progress = self.run.progress();
        let last: Vec<_> = left_out
            .iter()
            .map(|text| {
                Event::Message(StatusMessage {
                    kind: MessageType::Warning,
                    state: State::Running,
                    text,
                    progress,
                })
            })
            .collect();
        self.run.end(state, &last);
    }

    /// Says which inputs were not asked about, and of which not all is shown, where the run of several held no more.
    fn left_out(&self) -> Vec<String> {
        let said = |inputs: &[String], what: &str| {
            (!inputs.is_empty()).then(|| {
                let first: Vec<&str> = inputs.iter().take(NAMED).map(String::as_str).collect();
                let more = match inputs.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!(
                    "{} of the inputs {what}, since a run holds no more: {}{more}; run it again on them",
                    inputs.len(),
                    first.join(", ")
                )
            })
        };
        let cut = said(&self.cut.borrow(), "are not shown whole");
        let not_asked = said(&self.not_asked.borrow(), "were not asked about");
        cut.into_iter().chain(not_asked).collect()
    }

    /// Asks about inputs, side by side; results stand in the order of the inputs.
    async fn ask(&self, inputs: &[&Input], buys: bool) -> Vec<InputResult> {
        match inputs {
            [one] => vec![self.ask_about(one, 1, buys).await],
            many => {
                let asked = many.iter().map(|input| self.ask_about(input, many.len(), buys));
                stream::iter(asked).buffered(AT_ONCE).collect().await
            }
        }
    }

    async fn ask_about(&self, input: &Input, of: usize, buys: bool) -> InputResult {
        if !self.cut.borrow().is_empty() {
            // What cannot be shown is not asked for, and so costs nothing.
            self.not_asked.borrow_mut().push(head(input.entity.value()));
            return InputResult {
                outcome: "no_room",
                cache: CacheState::Local.name(),
                provider_time: Duration::ZERO,
                is_failed: true,
                quotes: Vec::new(),
            };
        }
        let engine = &self.app.engine;
        let mut run = self.context.run(&self.configured, &self.spec);
        run.deadline = engine.clock().elapsed() + self.configured.settings().deadlines.maltego;
        let mut settings = self.question.settings.clone();
        if buys {
            purchase::set_buy(&mut settings, self.spec.providers());
        }
        let request = TransformRequest {
            entities: vec![input.entity.clone()],
            settings,
            soft_limit: Some(self.question.limit),
            hard_limit: None,
        };
        let limit = usize::try_from(self.question.limit).unwrap_or(usize::MAX);
        let mut emitter = Emitter::new(&self.run, &self.ids, input, limit);
        let part = Cell::new(0.0);
        let key = self.key(&request);
        let now = engine.clock().now();
        if let Some(rendered) = engine.cache().rendered(&key, now).await
            && let Some(kept) = rendered.reply::<KeptFindings>()
        {
            for saving in rendered.savings.iter() {
                engine.note_saving(&self.context.requester, saving);
            }
            self.advance(&part, 1.0);
            return self.finish_again(&mut emitter, kept, of);
        }
        let is_merged = self.spec.providers().len() > 1;
        let answers = if is_merged {
            let (tell, mut told) = mpsc::unbounded_channel();
            let observer = |answers: PartialAnswers| {
                // The receiver lives as long as the question.
                let _ = tell.send(answers);
            };
            let asking = ask_observed(engine, &run, request, Some(&observer));
            let mut asking = std::pin::pin!(asking);
            loop {
                tokio::select! {
                    biased;
                    // What is there at once needs no telling in between.
                    answers = &mut asking => break answers,
                    Some(mut partial) = told.recv() => {
                        while let Ok(newer) = told.try_recv() {
                            partial = newer;
                        }
                        self.tell_part(&mut emitter, partial, &run, &part, of).await;
                    }
                }
            }
        } else {
            ask_observed(engine, &run, request, None).await
        };
        let quotes = purchase::quotes(&answers);
        let mut result = self.gathered(answers, &run).await;
        self.advance(&part, 1.0);
        let depends = result.depends.take();
        if let (Some(depends), Body::Response(response)) = (depends, &result.body)
            && engine.cache().keeps(&key)
            && emitter.can_be_kept(&response.entities)
            && let Some(kept) = KeptFindings::new(&response.entities, &response.messages, result.outcome)
        {
            self.keep(key, kept, depends).await;
        }
        self.finish(&mut emitter, result, of, quotes)
    }

    /// Tells what an earlier run found, which still stands.
    fn finish_again(&self, emitter: &mut Emitter<'_>, kept: &KeptFindings, of: usize) -> InputResult {
        for provider in self.spec.providers() {
            self.app.engine.metrics().answered(provider, "hit");
        }
        emitter.finish_again(&kept.findings);
        let is_failed = self.tell_messages(emitter, &kept.messages, kept.outcome, &[], of);
        InputResult {
            outcome: kept.outcome,
            cache: "hit",
            provider_time: Duration::ZERO,
            is_failed,
            quotes: Vec::new(),
        }
    }

    /// Maps answers, many of them where that holds up no other request of the worker.
    async fn gathered(&self, answers: RunAnswers, run: &AskedRun<'_>) -> RunResult {
        let now = self.app.engine.clock().now();
        if answers.records() < MANY_RECORDS {
            return answers.gather(run, now);
        }
        let (configured, spec) = (Arc::clone(&self.configured), Arc::clone(&self.spec));
        let context = self.context.clone();
        let work = move || answers.gather(&context.run(&configured, &spec), now);
        match self.app.rendering.write(false, work).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(?error, "the answer of a run could not be made");
                crate::ask::transform::bad_input(
                    run,
                    &self.spec.title,
                    "the server could not make the answer; run it again",
                )
            }
        }
    }

    /// Tells what is known of an input while other sources are asked.
    async fn tell_part(
        &self,
        emitter: &mut Emitter<'_>,
        partial: PartialAnswers,
        run: &AskedRun<'_>,
        part: &Cell<f64>,
        of: usize,
    ) {
        let PartialAnswers {
            answers,
            done,
            asked,
            last,
        } = partial;
        let before = emitter.count();
        if let Body::Response(response) = self.gathered(answers, run).await.body {
            emitter.show(response.entities);
        }
        self.advance(part, done as f64 / asked as f64);
        let new = emitter.count().saturating_sub(before);
        let text = format!(
            "{}: {last} has answered, {done} of {asked} sources; {new} new",
            head(emitter.value())
        );
        self.say(MessageType::Info, State::Running, &text, of);
    }

    fn finish(
        &self,
        emitter: &mut Emitter<'_>,
        result: RunResult,
        of: usize,
        quotes: Vec<purchase::Quote>,
    ) -> InputResult {
        let RunResult {
            body,
            outcome,
            cache,
            provider_time,
            ..
        } = result;
        let messages = match body {
            Body::Response(response) => {
                emitter.finish(response.entities);
                response.messages
            }
            Body::Exception(exception) => vec![UiMessage::new(UiMessageKind::FatalError, exception.text)],
        };
        let is_failed = self.tell_messages(emitter, &messages, outcome, &quotes, of);
        InputResult {
            outcome,
            cache,
            provider_time,
            is_failed,
            quotes,
        }
    }

    /// Tells the messages about an input, after its entities; returns whether nothing came of it.
    fn tell_messages(
        &self,
        emitter: &Emitter<'_>,
        messages: &[UiMessage],
        outcome: &str,
        quotes: &[purchase::Quote],
        of: usize,
    ) -> bool {
        let is_empty = emitter.count() == 0 && !emitter.is_annotated();
        let is_failed = messages.iter().any(|message| match message.kind {
            UiMessageKind::FatalError => true,
            // Where others answered, what one could not say is told beside it.
            UiMessageKind::PartialError => is_empty && outcome != MIXED,
            UiMessageKind::Inform | UiMessageKind::Debug => false,
        });
        // Where the user is asked, the question says what the quote says.
        let is_asked = purchase::may_ask(self, quotes);
        for UiMessage { kind, text } in messages {
            let kind = match kind {
                UiMessageKind::Inform if is_asked && purchase::is_told(text, quotes) => continue,
                UiMessageKind::Inform => MessageType::Info,
                UiMessageKind::Debug => MessageType::Debug,
                UiMessageKind::PartialError if !is_failed => MessageType::Warning,
                UiMessageKind::PartialError | UiMessageKind::FatalError => MessageType::Error,
            };
            let state = match kind {
                MessageType::Error => State::Failed,
                _ => State::Running,
            };
            self.say(kind, state, text, of);
        }
        if emitter.cut > 0 && of > 1 {
            self.cut.borrow_mut().push(head(emitter.value()));
        } else if emitter.cut > 0 {
            let text = format!(
                "{}: {} more were found and are not shown, since a run holds no more; lower the number of inputs",
                head(emitter.value()),
                emitter.cut
            );
            self.say(MessageType::Warning, State::Running, &text, of);
        }
        is_failed
    }

    /// Notes that so much of an input is done.
    fn advance(&self, part: &Cell<f64>, done: f64) {
        self.done.set(self.done.get() + done - part.replace(done));
    }

    /// Tells the client something.
    pub(super) fn say(&self, kind: MessageType, state: State, text: &str, of: usize) {
        // What is bought is asked again, which is no step back.
        let progress = (self.done.get() / of as f64).clamp(self.run.progress(), 1.0);
        let message = StatusMessage {
            kind,
            state,
            text,
            progress,
        };
        self.run.add(&Event::Message(message));
    }

    fn note(&self, note: impl FnOnce(&mut Entry)) {
        if let Some((_, entry)) = self.line.borrow_mut().as_mut() {
            note(entry);
        }
    }
}

impl Drop for Execution {
    /// Ends a run whose task ended otherwise, and writes its line.
    fn drop(&mut self) {
        self.run
            .fail("the server could not go on with this run; its log says why, so run it again");
        if let Some((line, mut entry)) = self.line.take() {
            if self.run.state() == State::TimedOut {
                entry.outcome = "timed_out";
            }
            line.write(&self.app, entry);
        }
    }
}
