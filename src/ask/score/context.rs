//! The dated facts behind a score, from the same capabilities as the transforms: registration, resolutions, incidents,
//! sandbox samples, the mail policy.

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::plan::{self, Part};
use super::{CostTotal, Scorer, budget_left, local};
use crate::domain::{Capability, Indicator, IndicatorKind, Outcome, Record, Value};
use crate::engine::EngineResponse;
use crate::reputation::alert::{BudgetLeft, Cost};

/// What is asked, and under which name it is told.
const FACTS: [(Capability, &str); 5] = [
    (Capability::Whois, "registration"),
    (Capability::Resolutions, "resolutions"),
    (Capability::IncidentsOf, "incidents"),
    (Capability::Samples, "samples"),
    (Capability::MailPolicy, "mail_policy"),
];

/// Holds the facts about an indicator.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Context)]
pub struct IndicatorFacts {
    /// The request's id.
    pub request_id: String,
    /// The kind of indicator.
    pub r#type: IndicatorKind,
    /// The canonical value.
    pub indicator: String,
    /// What sources know, by kind of fact and source.
    pub facts: Vec<Fact>,
    /// Why no source was asked: it is one's own, or has no owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<String>,
    /// What it cost.
    pub cost: Cost,
    /// What is left of the budgets of the sources asked.
    pub budget: Vec<BudgetLeft>,
    /// Stands there, and is true, where everything is sample data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_data: Option<bool>,
    /// Stands there, and is true, where no source was asked because the caller rehearses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<bool>,
}

/// Holds what one source knows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fact {
    /// `registration`, `resolutions`, `incidents`, `samples` or `mail_policy`.
    #[schema(example = "registration")]
    pub kind: String,
    /// The source.
    pub source: String,
    /// What it was asked about, where that is not the indicator itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// `found`, `partial`, `not_found`, or how it failed: `limited`, `denied`, `unavailable`, `timed_out`, `malformed`, `refused`.
    #[schema(example = "found")]
    pub status: String,
    /// What is missing, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it was retrieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retrieved_at: Option<Timestamp>,
    /// Seconds since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// Records in all, as far as the source says.
    pub total: u64,
    /// The records, each a set of named fields with their dates.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Json>,
}

impl IndicatorFacts {
    /// Lists what is asked for facts.
    #[must_use]
    pub fn asked_for() -> [Capability; FACTS.len()] {
        FACTS.map(|(capability, _)| capability)
    }
}

impl Scorer<'_> {
    /// Answers without asking a source: there are no facts.
    #[must_use]
    pub fn rehearsed_context(&self, indicator: &Indicator) -> IndicatorFacts {
        IndicatorFacts {
            request_id: self.requester.request_id.clone(),
            r#type: indicator.kind(),
            indicator: indicator.value().to_owned(),
            facts: Vec::new(),
            not_asked: None,
            cost: Cost::default(),
            budget: Vec::new(),
            sample_data: None,
            rehearsal: Some(true),
        }
    }

    /// Gathers the facts about an indicator, at most `max` records of each kind and source.
    pub async fn context(&self, indicator: &Indicator, max: usize) -> IndicatorFacts {
        // As with scores, no source need know of what is one's own or has no owner.
        let own = local::evidence(self, indicator, self.engine.clock().now());
        let settled = own.into_iter().find(local::settles);
        let parts = match settled {
            Some(_) => Vec::new(),
            None => parts(self, indicator, max),
        };
        let responses = join_all(parts.iter().map(|(_, part)| self.ask(part))).await;
        let now = self.engine.clock().now();
        let mut tally = CostTotal::default();
        let mut facts = Vec::with_capacity(parts.len());
        for ((kind, part), response) in parts.iter().zip(&responses) {
            tally.count(part.source(), response);
            facts.push(fact(kind, part, response, max, now));
        }
        IndicatorFacts {
            request_id: self.requester.request_id.clone(),
            r#type: indicator.kind(),
            indicator: indicator.value().to_owned(),
            not_asked: settled.and_then(|evidence| evidence.reasons.into_iter().next()),
            facts,
            cost: tally.cost,
            budget: budget_left(self.engine, &self.requester.tenant, &tally.sources),
            sample_data: None,
            rehearsal: None,
        }
    }
}

fn parts(scorer: &Scorer<'_>, indicator: &Indicator, max: usize) -> Vec<(&'static str, Part)> {
    let mut all = Vec::new();
    for (capability, name) in FACTS {
        let mut parts = Vec::new();
        for asked in subjects(scorer, capability, indicator) {
            let about = (asked.value() != indicator.value()).then(|| asked.value().to_owned());
            plan::ask(scorer, capability, &asked, about.as_deref(), max, &mut parts);
        }
        all.extend(parts.into_iter().map(|part| (name, part)));
    }
    all
}

/// Says what has to be asked about to learn a fact of an indicator: a registration is the domain's.
fn subjects(scorer: &Scorer<'_>, capability: Capability, indicator: &Indicator) -> Vec<Indicator> {
    let host = || indicator.host().and_then(|host| Indicator::name(&host).ok());
    let is_name = matches!(indicator.kind(), IndicatorKind::Domain | IndicatorKind::Hostname);
    let owned = |name: Indicator| {
        if local::is_customers(&scorer.lists.hits(&name)) {
            None
        } else {
            scorer.lists.registrable(&name)
        }
    };
    match (capability, indicator.kind()) {
        (Capability::Whois | Capability::MailPolicy, IndicatorKind::Email | IndicatorKind::Url) => {
            host().and_then(owned).into_iter().collect()
        }
        (Capability::Whois | Capability::MailPolicy, _) if is_name => {
            owned(indicator.clone()).into_iter().collect()
        }
        (Capability::Resolutions, IndicatorKind::Url) => {
            let address = || indicator.ip().map(Indicator::from);
            host().or_else(address).into_iter().collect()
        }
        (_, IndicatorKind::Url) => vec![plan::shared_url(scorer, indicator)],
        _ => vec![indicator.clone()],
    }
}

fn fact(kind: &str, part: &Part, response: &EngineResponse, max: usize, now: Timestamp) -> Fact {
    let mut fact = Fact {
        kind: kind.to_owned(),
        source: part.source().to_owned(),
        about: part.about.clone(),
        status: response.outcome.name().to_owned(),
        detail: None,
        retrieved_at: response.entry.as_ref().map(|entry| entry.retrieved_at),
        age_s: response.entry.as_ref().map(|entry| entry.age(now).as_secs()),
        total: 0,
        records: Vec::new(),
    };
    match &response.outcome {
        Outcome::Found(answer) => {
            fact.total = answer.total.unwrap_or(answer.records.len() as u64);
            fact.records = answer.records.iter().take(max).map(plain).collect();
            fact.detail = (!answer.missing.is_empty()).then(|| answer.missing.join("; "));
        }
        Outcome::NotFound(_) => {}
        Outcome::Failed(failure) => fact.detail = Some(failure.message.clone()),
    }
    fact
}

/// Writes a record as an object of its fields.
fn plain(record: &Record) -> Json {
    let fields: Map<String, Json> = record
        .iter()
        .map(|(name, value)| (name.to_owned(), json(value)))
        .collect();
    Json::Object(fields)
}

fn json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::Integer(number) => Json::from(*number),
        Value::Flag(flag) => Json::from(*flag),
        Value::Day(day) => Json::from(day.to_string()),
        Value::Time(time) => Json::from(time.to_string()),
        Value::Texts(texts) => Json::from(texts.clone()),
        Value::Records(records) => Json::Array(records.iter().map(plain).collect()),
    }
}
