//! Scores the indicators of an alert: asks every source that says something of their kind, and assesses what they say.
//!
//! `plan` says who is asked what, `evidence` what the answers mean, `local` what pivotd knows itself.

mod cache_dependencies;
mod context;
mod derived;
mod evidence;
mod keyless;
mod local;
pub mod message;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::ask::lookup::{Lookup, Source};
use crate::domain::{Indicator, Lists, Pap, Query, Record, Tlp};
use crate::engine::ledger::Priority;
use crate::engine::{CacheState, Engine, EngineResponse, Requester};
use crate::reputation::alert::{AlertAnswer, BudgetLeft, Cost, Fallbacks, Ignored, Request, combine};
use crate::reputation::digest::{self, AnswerContext};
use crate::reputation::policy::Policy;
use crate::reputation::score::{Assessment, assess};

pub use cache_dependencies::CacheDependencies;
pub use context::{Fact, IndicatorFacts};
pub use local::{Feedback, FeedbackClass, FeedbackEntry, ignored, popular};
use plan::Part;
pub use plan::{SPEAKING, asked_for};

/// Says how a question for scores is meant.
#[derive(Debug, Clone)]
pub struct ScoreOptions {
    /// Until when the caller waits, on the clock's `elapsed`.
    pub deadline: Duration,
    /// The greatest age of an answer that is accepted.
    pub max_age: Option<Duration>,
    /// How far the indicators may travel.
    pub tlp: Tlp,
    /// What may be done with them.
    pub pap: Pap,
    /// The only sources to ask; all where it is `None`.
    pub providers: Option<BTreeSet<String>>,
    /// What the alert comes to where no score decides it.
    pub fallbacks: Fallbacks,
}

impl ScoreOptions {
    /// Wants nothing but an answer until then.
    #[must_use]
    pub fn until(deadline: Duration) -> Self {
        Self {
            deadline,
            max_age: None,
            tlp: Tlp::Clear,
            pap: Pap::Clear,
            providers: None,
            fallbacks: Fallbacks::default(),
        }
    }
}

/// Holds what is to be scored, and what is told beside it.
#[derive(Debug, Clone, Default)]
pub struct Alert {
    /// The indicators, each with its role.
    pub indicators: Vec<(String, Indicator)>,
    /// What is not scored, and need not be.
    pub ignored: Vec<Ignored>,
    /// What could not be read, as it was given: the alert is undetermined, unless something exceeds.
    pub unreadable: Vec<Ignored>,
    /// Links that only the vendor of their wrapper can unwrap: as unreadable, with a setting of their own.
    pub sealed: Vec<Ignored>,
    /// What is too much to be scored.
    pub excess: Vec<Ignored>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// Whether a message may be from another than the sender that it names, or names none.
    pub is_sender_doubtful: bool,
    /// What a message itself says of one of its indicators.
    pub message_facts: Vec<(Indicator, Record)>,
}

impl Alert {
    /// Asks for these indicators.
    #[must_use]
    pub fn of(indicators: Vec<(String, Indicator)>) -> Self {
        Self {
            indicators,
            ..Self::default()
        }
    }

    /// Tells whether nothing at all was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let values = [&self.ignored, &self.unreadable, &self.sealed, &self.excess];
        self.indicators.is_empty() && values.iter().all(|values| values.is_empty())
    }
}

/// Scores indicators for one caller.
#[derive(Debug, Clone, Copy)]
pub struct Scorer<'a> {
    /// Answers questions.
    pub engine: &'a Engine,
    /// The lists.
    pub lists: &'a Lists,
    /// What people said of earlier decisions.
    pub feedback: &'a dyn Feedback,
    /// The rules.
    pub policy: &'a Policy,
    /// Who asks.
    pub requester: &'a Requester,
    /// How it is meant.
    pub options: &'a ScoreOptions,
}

/// Holds an answer with what logs and metrics want to know.
#[derive(Debug)]
pub struct Scored {
    /// The answer.
    pub answer: AlertAnswer,
    /// Where it came from: `hit`, `miss`, `mixed` …
    pub cache: &'static str,
    /// The time that vendors took.
    pub provider_time: Duration,
    /// What it depends on, where it cannot change by itself.
    pub dependencies: Option<CacheDependencies>,
}

/// Holds the assessment of one indicator, and what it took.
#[derive(Debug)]
pub struct IndicatorResult {
    /// The assessment.
    pub assessment: Assessment,
    tally: CostTotal,
    dependencies: Option<CacheDependencies>,
}

impl Scorer<'_> {
    /// Scores an alert: its indicators side by side, and one answer for all.
    pub async fn score(&self, mut alert: Alert) -> Scored {
        alert.notes.extend(keyless::note(
            self.engine,
            &self.requester.tenant,
            &alert.indicators,
        ));
        self.imply_domains(&mut alert);
        let results = join_all(
            alert
                .indicators
                .iter()
                .map(|(role, indicator)| self.look_with(role, indicator, &alert.message_facts)),
        )
        .await;
        self.answer(alert, results)
    }

    /// Adds the domains that an alert's e-mail addresses imply.
    pub fn imply_domains(&self, alert: &mut Alert) {
        local::imply_domains(self.lists, alert);
    }

    /// Makes one answer of what was found of each indicator.
    #[must_use]
    pub fn answer(&self, alert: Alert, results: Vec<IndicatorResult>) -> Scored {
        let mut tally = CostTotal::default();
        let mut assessments = Vec::with_capacity(results.len());
        let mut dependencies = Some(CacheDependencies::new());
        for one in results {
            tally.add(one.tally);
            dependencies = dependencies.zip(one.dependencies).map(|(all, one)| all.and(one));
            assessments.push(one.assessment);
        }
        let titles = titles(self.engine, &tally.sources);
        let beside = AnswerContext {
            ignored: &alert.ignored,
            unreadable: &alert.unreadable,
            sealed: &alert.sealed,
            excess: &alert.excess,
            notes: &alert.notes,
        };
        let fallbacks = self.options.fallbacks;
        let decision_id = digest::decision(
            &self.requester.tenant,
            self.policy,
            fallbacks,
            &assessments,
            beside,
        );
        let request = Request {
            cost: tally.cost,
            fallbacks,
            ignored: alert.ignored,
            unreadable: alert.unreadable,
            sealed: alert.sealed,
            excess: alert.excess,
            notes: alert.notes,
            budget: budget_left(self.engine, &self.requester.tenant, &tally.sources),
            is_sender_doubtful: alert.is_sender_doubtful,
            ..Request::new(&self.requester.request_id, &decision_id, &titles)
        };
        let mut caches = tally.caches.into_iter();
        let cache = match (caches.next(), caches.next()) {
            (None, _) => CacheState::Local.name(),
            (Some(only), None) => only,
            (Some(_), Some(_)) => "mixed",
        };
        Scored {
            answer: combine(request, self.policy, assessments),
            cache,
            provider_time: tally.provider_time,
            dependencies,
        }
    }

    /// Finds out about one indicator.
    pub async fn score_indicator(&self, role: &str, indicator: &Indicator) -> IndicatorResult {
        self.look_with(role, indicator, &[]).await
    }

    async fn look_with(
        &self,
        role: &str,
        indicator: &Indicator,
        said: &[(Indicator, Record)],
    ) -> IndicatorResult {
        let rules = self.policy.rules.as_ref();
        let own = local::evidence(self, indicator, self.engine.clock().now());
        // No source need know of what is one's own or has no owner, and none could say more of it.
        if own.iter().any(local::settles) {
            let now = self.engine.clock().now();
            let assessment = assess(role, indicator, own, self.policy, now);
            return IndicatorResult {
                dependencies: cache_dependencies::of(&assessment, std::iter::empty(), rules, None, now),
                assessment,
                tally: CostTotal::default(),
            };
        }
        let parts = plan::parts(self, indicator);
        let (responses, derived) = futures_util::future::join(
            join_all(parts.iter().map(|part| self.ask(part))),
            derived::evidence(self, indicator),
        )
        .await;
        let now = self.engine.clock().now();
        let mut tally = CostTotal::default();
        let mut evidence = own;
        let of_it = said.iter().filter(|(of, _)| of == indicator);
        evidence.extend(of_it.map(|(_, record)| local::said(record, rules, now)));
        for (part, response) in parts.iter().zip(&responses) {
            tally.count(part.source(), response);
            evidence.extend(evidence::of(part, response, rules, now));
        }
        for (source, response) in &derived.responses {
            tally.count(source, response);
        }
        evidence.extend(derived.evidence);
        local::clear(&mut evidence);
        let assessment = assess(role, indicator, evidence, self.policy, now);
        let asked = parts.iter().map(Part::source).zip(&responses);
        let around = derived
            .responses
            .iter()
            .map(|(source, response)| (source.as_str(), response));
        let dependencies =
            cache_dependencies::of(&assessment, asked.chain(around), rules, self.options.max_age, now);
        let leaves_out = derived.leaves_out;
        IndicatorResult {
            dependencies: dependencies.map(|dependencies| {
                if leaves_out {
                    dependencies.for_a_while(now)
                } else {
                    dependencies
                }
            }),
            assessment,
            tally,
        }
    }

    async fn ask(&self, part: &Part) -> EngineResponse {
        self.ask_as(part, self.requester.priority).await
    }

    /// Asks one of many questions of a kind: they wait a moment for each other.
    async fn ask_among(&self, part: &Part) -> EngineResponse {
        self.ask_as(part, self.requester.priority.max(Priority::Several))
            .await
    }

    async fn ask_as(&self, part: &Part, priority: Priority) -> EngineResponse {
        let lookup = Lookup {
            engine: self.engine,
            lists: self.lists,
            requester: self.requester,
            deadline: self.options.deadline,
            ttl: None,
        };
        let source = Source {
            descriptor: Arc::clone(&part.descriptor),
            params: part.query.params.clone(),
            wanted: part.wanted,
            // Enrichment never buys.
            buy: false,
            max_age: self.options.max_age,
            user_key: None,
            blocked_reason: part.blocked_reason.clone(),
        };
        let Query {
            capability,
            indicator,
            ..
        } = &part.query;
        let result = lookup.ask_as(priority, source, *capability, indicator).await;
        // Others are waited for as well: none holds room meanwhile.
        result.without_room().response
    }
}

/// Says what is left of the budgets of sources that bound a tenant's questions.
#[must_use]
pub fn budget_left(engine: &Engine, tenant: &str, sources: &BTreeSet<String>) -> Vec<BudgetLeft> {
    let of = |source: &String| {
        let left = engine.budgets(source, tenant).into_iter();
        left.map(|left| BudgetLeft {
            source: source.clone(),
            budget: left.label,
            left: left.left.max(0),
            limit: left.limit,
            resets_at: left.resets_at,
        })
        .collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).collect()
}

/// Sums what questions took.
#[derive(Debug, Default)]
struct CostTotal {
    cost: Cost,
    caches: BTreeSet<&'static str>,
    provider_time: Duration,
    sources: BTreeSet<String>,
}

impl CostTotal {
    fn count(&mut self, source: &str, response: &EngineResponse) {
        self.cost.calls += response.attempts;
        self.cost.cached += u32::from(matches!(response.cache, CacheState::Hit | CacheState::Stale));
        self.provider_time += response.provider_time;
        self.caches.insert(response.cache.name());
        self.sources.insert(source.to_owned());
    }

    fn add(&mut self, other: Self) {
        self.cost.calls += other.cost.calls;
        self.cost.cached += other.cost.cached;
        self.provider_time += other.provider_time;
        self.caches.extend(other.caches);
        self.sources.extend(other.sources);
    }
}

fn titles(engine: &Engine, sources: &BTreeSet<String>) -> BTreeMap<String, String> {
    let runtimes = engine.runtimes();
    let titled = |name: &String| {
        let title = &runtimes.get(name)?.provider.descriptor().title;
        Some((name.clone(), title.to_string()))
    };
    sources.iter().filter_map(titled).collect()
}
