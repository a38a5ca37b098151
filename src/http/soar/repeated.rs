//! Scores that are asked for again in the same words: what was rendered is sent again, while everything it was made
//! from stands. What differs from request to request is written anew: its id, ages, budgets.

use std::sync::Arc;
use std::time::Duration;

use super::reply::{Finished, JSON};
use super::score_reply::{ReusableBody, ScoreReply};
use super::score_request::{FRONTEND, ScoreRequest};
use crate::ask::score::{CacheDependencies, budget_left};
use crate::decisions::Reply;
use crate::engine::cache::{KeyBuilder, Rendered, RenderedKey};
use crate::reputation::alert::AlertAnswer;
use crate::reputation::segments::Span;
use crate::tokens::Scope;

/// Requests of up to this many bytes are known again.
const MOST_KNOWN: usize = 16 << 10;

impl ScoreRequest {
    /// Names the answer to a request by what it says and by everything beside that decides what it means. `None` for one
    /// that is answered anew in any case: a rehearsal, and what is too long to be worth it.
    pub(super) fn key(&self, parts: &[&[u8]]) -> Option<RenderedKey> {
        let long = parts.iter().map(|part| part.len()).sum::<usize>() > MOST_KNOWN;
        if self.branch.is_some() || long {
            return None;
        }
        let principal = &self.principal;
        let mut key = KeyBuilder::default();
        key.part(FRONTEND.as_bytes());
        key.part(self.pattern.as_bytes());
        let generation = self.app.configured.load().catalogue.generation();
        key.part(&generation.to_le_bytes());
        key.part(principal.tenant().as_bytes());
        // Clients have thresholds of their own.
        key.part(principal.client.as_bytes());
        // A client may have tokens with and without this scope, which says how small a `max_age` may be.
        key.part(&[u8::from(principal.may(Scope::Refresh))]);
        for part in parts {
            key.part(part);
        }
        Some(key.rendered())
    }

    /// Answers what was answered before, if that still stands and its decision is kept.
    pub(super) async fn again(&self, key: Option<&RenderedKey>) -> Option<Finished> {
        let engine = &self.app.engine;
        let now = engine.clock().now();
        let rendered = engine.cache().rendered(key?, now).await?;
        let score = rendered.reply::<ScoreReply>()?;
        let decisions = &self.app.decisions;
        let principal = &self.principal;
        if score.opinions != decisions.opinions.version()
            || !decisions.is_kept(principal.tenant(), &score.decision_id)
        {
            return None;
        }
        let budget = serde_json::to_string(&budget_left(engine, principal.tenant(), &score.sources)).ok()?;
        for source in &score.answered {
            engine.metrics().answered(source, score.cache);
        }
        let requester = self.requester();
        for saving in rendered.savings.iter() {
            engine.note_saving(&requester, saving);
        }
        Some(Finished {
            outcome: score.outcome,
            cache: score.cache,
            provider_time: Duration::ZERO,
            client: Arc::clone(&principal.client),
            asked: score.asked.clone(),
            rate: principal.rate(),
            reply: Reply {
                content_type: JSON.to_owned(),
                body: score.fill(&self.id, &budget, now),
            },
            replayed: false,
            decision: Some(score.decision_id.as_str().into()),
        })
    }

    /// Keeps an answer to be sent again. `opinions` is their version before the question was asked.
    pub(super) async fn note(
        &self,
        key: RenderedKey,
        opinions: u64,
        (answer, spans): (&AlertAnswer, &[Span]),
        dependencies: CacheDependencies,
        done: &Finished,
    ) {
        let engine = &self.app.engine;
        // Under a `max_age` of 0, or with old answers, nothing can be sent again.
        if dependencies.fresh_until <= engine.clock().now() || !engine.cache().keeps(&key) {
            return;
        }
        let evidence = answer.indicators.iter().flat_map(|item| &item.evidence);
        let aged = evidence.filter(|item| item.age_s.is_some());
        let retrieved: Vec<_> = aged.map(|item| item.retrieved_at).collect();
        let Some(body) = ReusableBody::of(&done.reply.body, spans, &retrieved) else {
            return;
        };
        let savings = engine
            .savings(self.principal.tenant(), &dependencies.entries)
            .await;
        let rendered = Rendered {
            reply: Box::new(ScoreReply {
                body,
                sources: dependencies.sources(),
                answered: dependencies.answered,
                decision_id: answer.decision_id.clone(),
                opinions,
                cache: done.cache,
                outcome: done.outcome,
                asked: done.asked.clone(),
            }),
            depends: dependencies.entries,
            marks: None,
            savings,
            fresh_until: dependencies.fresh_until,
            retrieved_at: dependencies.retrieved_at,
        };
        engine.cache().put_rendered(key, rendered).await;
    }
}
