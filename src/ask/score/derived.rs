//! Evidence from what stands around an indicator: the domains on an address, the domains that an e-mail address
//! registered. Asked only where the policy says so.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::evidence::integer;
use super::plan::{self, Part};
use super::{Scorer, evidence};
use crate::domain::{Capability, Denial, FailureKind, Indicator, IndicatorKind, Outcome, Record};
use crate::engine::EngineResponse;
use crate::reputation::calibrate::{Calibration, Origin, from_record};
use crate::reputation::policy::Registrations;
use crate::reputation::{Evidence, EvidenceStatus, Potential};

/// The most domains whose risk is asked for.
const MOST_DOMAINS: usize = 10;

/// Holds evidence, and what it took to get it.
#[derive(Debug, Default)]
pub(super) struct DerivedEvidence {
    pub(super) evidence: Vec<Evidence>,
    pub(super) responses: Vec<(String, EngineResponse)>,
    /// Whether a source was left out for what its account includes, or what that costs: this may change.
    pub(super) leaves_out: bool,
}

/// Finds out what the policy wants to know of an indicator's surroundings.
pub(super) async fn evidence(scorer: &Scorer<'_>, indicator: &Indicator) -> DerivedEvidence {
    let rules = &scorer.policy.rules;
    match indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 if rules.few_domains > 0 => {
            hosted(scorer, indicator, None).await
        }
        // What is known of a host is known of its pages.
        IndicatorKind::Url if rules.few_domains > 0 => match indicator.ip().map(Indicator::from) {
            Some(address) => hosted(scorer, &address, Some(address.value())).await,
            None => DerivedEvidence::default(),
        },
        IndicatorKind::Email if rules.registrations != Registrations::Never => {
            around(
                scorer,
                indicator,
                None,
                Capability::ReverseWhois,
                "registered-domains",
                u32::MAX,
            )
            .await
        }
        _ => DerivedEvidence::default(),
    }
}

/// Finds out about the domains on an address; `about` names it where it is not the indicator itself.
async fn hosted(scorer: &Scorer<'_>, address: &Indicator, about: Option<&str>) -> DerivedEvidence {
    let few = scorer.policy.rules.few_domains;
    around(
        scorer,
        address,
        about,
        Capability::DomainsOnIp,
        "hosted-domains",
        few,
    )
    .await
}

/// Asks for the domains around an indicator, and for their risk. Where they are more than a few, they say nothing of
/// it: the measure then ends in `-many`, which a policy knows that wants to be told of it.
async fn around(
    scorer: &Scorer<'_>,
    indicator: &Indicator,
    about: Option<&str>,
    capability: Capability,
    measure: &str,
    few: u32,
) -> DerivedEvidence {
    let mut parts = Vec::new();
    plan::ask(scorer, capability, indicator, about, MOST_DOMAINS, &mut parts);
    let offered = parts.len();
    // A product that the account does not include is as a source without a key: it is not missed.
    let (engine, tenant) = (scorer.engine, &scorer.requester.tenant);
    parts.retain(|part| engine.may_answer(part.source(), capability, tenant));
    if capability == Capability::ReverseWhois && scorer.policy.rules.registrations == Registrations::Free {
        let free = join_all(
            parts
                .iter()
                .map(|part| engine.is_free(part.source(), capability, tenant)),
        )
        .await;
        let mut free = free.into_iter();
        parts.retain(|_| free.next().unwrap_or(false));
    }
    for part in &mut parts {
        // Of today's registrations; those of the past are sold by the report, and scores never buy.
        if let Some(scope) = part.query.params.get_mut("scope") {
            "current".clone_into(scope);
        }
    }
    let lists = join_all(parts.iter().map(|part| scorer.ask(part))).await;
    let now = scorer.engine.clock().now();
    let mut derived = DerivedEvidence {
        leaves_out: parts.len() < offered,
        ..DerivedEvidence::default()
    };
    for (part, response) in parts.iter().zip(lists) {
        let before = derived.evidence.len();
        match &response.outcome {
            Outcome::Found(answer) if !answer.is_quote() => {
                let total = answer.total.unwrap_or(answer.records.len() as u64);
                let is_crowd = total > u64::from(few);
                let measure = if is_crowd {
                    format!("{measure}-many")
                } else {
                    measure.to_owned()
                };
                let own = scorer.policy.rules.source(part.source());
                let meaning = own.and_then(|own| own.measures.get(&measure));
                // Their risks cost look-ups, and are of no use.
                if is_crowd && meaning.is_none() {
                    let why = format!("{total} domains, too many to say anything of it");
                    derived
                        .evidence
                        .push(evidence::answered(part, &response, &why, now));
                    derived.responses.push((part.source().to_owned(), response));
                    continue;
                }
                let found = risks(scorer, &answer.records).await;
                derived
                    .evidence
                    .extend(says(scorer, part, &measure, (total, is_crowd), &found, now));
                // What is told only could not have raised the score, so it is not missed.
                if meaning.is_none_or(Calibration::counts) {
                    let mut missed: Vec<Evidence> = evidence::lacking(part.source(), &answer.missing)
                        .into_iter()
                        .collect();
                    missed.extend(found.failed);
                    // The risk of a domain around it is none of its own.
                    for item in &mut missed {
                        item.about = item.about.take().or_else(|| part.about.clone());
                        item.gap.could = Potential::Measures(vec![measure.clone()]);
                    }
                    derived.evidence.extend(missed);
                }
                derived.responses.extend(found.responses);
            }
            // What it would cost is no knowledge, and neither is that no source knows of any domain.
            Outcome::Found(_) | Outcome::NotFound(_) => {}
            Outcome::Failed(failure) if failure.kind == FailureKind::Denied(Denial::NotEntitled) => {}
            Outcome::Failed(_) => {
                derived
                    .evidence
                    .extend(evidence::of(part, &response, &scorer.policy.rules, now));
            }
        }
        // Each source that was asked is named, whatever came of it: the question was charged.
        if derived.evidence.len() == before {
            let why = match &response.outcome {
                Outcome::Found(answer) if answer.is_quote() => {
                    "the list of its domains is sold by the report"
                }
                Outcome::Failed(_) => "the list of its domains is not in the subscription",
                Outcome::Found(answer) if !answer.records.is_empty() => "no risk of its domains is known",
                _ => "no domains of it are known",
            };
            derived
                .evidence
                .push(evidence::answered(part, &response, why, now));
        }
        derived.responses.push((part.source().to_owned(), response));
    }
    derived
}

/// Finds the published risks of domains, the highest first: as the records have them, else by asking.
/// What failed is told beside them: a domain whose risk is not known might be the worst.
async fn risks(scorer: &Scorer<'_>, records: &[Record]) -> DomainRisks {
    let mut risks: Vec<(i64, String)> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    for record in records.iter().take(MOST_DOMAINS) {
        let name = record.text("domain").and_then(|name| Indicator::name(&name).ok());
        let Some(name) = name.and_then(|name| scorer.lists.registrable(&name)) else {
            continue;
        };
        match integer(record, "risk") {
            Some(risk) => risks.push((risk, name.value().to_owned())),
            None => plan::ask(scorer, Capability::Risk, &name, Some(name.value()), 0, &mut parts),
        }
    }
    let responses = join_all(parts.iter().map(|part| scorer.ask_among(part))).await;
    let now = scorer.engine.clock().now();
    let mut failed = Vec::new();
    for (part, response) in parts.iter().zip(&responses) {
        match &response.outcome {
            Outcome::Found(answer) => {
                let risk = answer.records.first().and_then(|record| integer(record, "score"));
                risks.extend(risk.map(|risk| (risk, part.query.indicator.value().to_owned())));
            }
            Outcome::NotFound(_) => {}
            Outcome::Failed(_) => failed.extend(evidence::of(part, response, &scorer.policy.rules, now)),
        }
    }
    risks.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    DomainRisks {
        risks,
        failed,
        responses: parts
            .into_iter()
            .map(|part| part.source().to_owned())
            .zip(responses)
            .collect(),
    }
}

/// Holds the published risks of domains.
struct DomainRisks {
    /// Each with its domain, the highest first.
    risks: Vec<(i64, String)>,
    /// What is missing.
    failed: Vec<Evidence>,
    /// What it took.
    responses: Vec<(String, EngineResponse)>,
}

fn says(
    scorer: &Scorer<'_>,
    part: &Part,
    measure: &str,
    (total, is_crowd): (u64, bool),
    found: &DomainRisks,
    now: Timestamp,
) -> Option<Evidence> {
    let (highest, name) = found.risks.first()?;
    let kind = if part.query.capability == Capability::DomainsOnIp {
        "on it"
    } else {
        "registered with it"
    };
    let unknown = match found.failed.len() {
        0 => String::new(),
        failed => format!("; {failed} could not be asked about"),
    };
    let record = Record::new()
        .with("measure", measure)
        .with("value", *highest)
        .with("scale", "0-100")
        .with(
            "reasons",
            vec![format!(
                "{total} domains {kind}, the riskiest of {} is {name} with {highest}{unknown}",
                found.risks.len()
            )],
        );
    let mut evidence = from_record(part.source(), &record, &scorer.policy.rules, &Origin::HERE, now);
    // Blocking it hits all of them.
    evidence.hazard = is_crowd.then(|| format!("shared hosting of {total} domains"));
    evidence.about.clone_from(&part.about);
    (evidence.status == EvidenceStatus::Ok).then_some(evidence)
}
