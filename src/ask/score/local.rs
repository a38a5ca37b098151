//! What pivotd knows itself of an indicator: its lists, and what people said of earlier decisions.

use jiff::Timestamp;

use super::{Alert, Scorer};
use crate::domain::lists::{Hit, Purpose};
use crate::domain::{Indicator, IndicatorKind, Lists, Record};
use crate::reputation::calibrate::{Origin, from_record};
use crate::reputation::score::FEEDBACK;
use crate::reputation::{BenignClass, Evidence, EvidenceStatus, Millionths, Polarity, Reliability, Rules};
use crate::reputation::{lists, mail};

/// Says whether people called a decision right or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedbackClass {
    /// It was harmless.
    FalsePositive,
    /// It was malicious indeed.
    Confirmed,
}

/// Holds what a person said of an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackEntry {
    /// What.
    pub opinion: FeedbackClass,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Knows what people said of earlier decisions.
pub trait Feedback: std::fmt::Debug + Sync {
    /// Returns what holds now, of a tenant's people.
    fn said(&self, tenant: &str, indicator: &Indicator, now: Timestamp) -> Vec<FeedbackEntry>;
}

/// The role that the domain of an alert's e-mail address has.
const EMAIL_DOMAIN: &str = "email_domain";

/// Adds the domains of e-mail addresses to an alert, but those that strangers share, and those that stand in it already.
pub(super) fn imply_domains(lists: &Lists, alert: &mut Alert) {
    let emails = alert
        .indicators
        .iter()
        .filter(|(_, one)| one.kind() == IndicatorKind::Email);
    let domains: Vec<Indicator> = emails
        .filter_map(|(_, email)| domain_of(email))
        .filter(|domain| !shares_mailboxes(domain, &lists.hits(domain)))
        .collect();
    for domain in domains {
        let stands = |one: &Indicator| one.host().as_deref() == Some(domain.value()) && is_name(one);
        if !alert.indicators.iter().any(|(_, one)| stands(one)) {
            alert.indicators.push((EMAIL_DOMAIN.to_owned(), domain));
        }
    }
}

fn is_name(indicator: &Indicator) -> bool {
    matches!(indicator.kind(), IndicatorKind::Domain | IndicatorKind::Hostname)
}

/// Returns the domain of an e-mail address.
pub(super) fn domain_of(email: &Indicator) -> Option<Indicator> {
    Indicator::name(&email.host()?).ok()
}

/// Tells by what lists say of a name whether strangers share it: free mail, hosting of any customer's content. A name below a
/// public suffix is one customer's.
fn is_shared(hits: &[Hit]) -> bool {
    hits.iter().any(|hit| match hit.purpose {
        Purpose::FreeMail | Purpose::Disposable => true,
        Purpose::SharedHosting => !hit.is_of_suffix(),
        _ => false,
    })
}

/// Tells by what lists say of a domain whether strangers share its mailboxes. Those of a host's own name are its operator's,
/// whatever strangers put on its pages.
pub(super) fn shares_mailboxes(domain: &Indicator, hits: &[Hit]) -> bool {
    hits.iter().any(|hit| match hit.purpose {
        Purpose::FreeMail | Purpose::Disposable => true,
        Purpose::SharedHosting => !hit.is_of_suffix() && hit.entry != domain.value(),
        _ => false,
    })
}

/// Tells by what lists say of a name whether what stands above it is another owner's, who gives names to customers or lets
/// strangers share it.
pub(super) fn is_customers(hits: &[Hit]) -> bool {
    hits.iter().any(|hit| {
        matches!(
            hit.purpose,
            Purpose::FreeMail | Purpose::Disposable | Purpose::SharedHosting | Purpose::DynamicDns
        )
    })
}

/// Makes evidence of lists and feedback.
pub(super) fn evidence(scorer: &Scorer<'_>, indicator: &Indicator, now: Timestamp) -> Vec<Evidence> {
    let hits = scorer.lists.hits(indicator);
    let mut evidence = lists::evidence(indicator, &hits, &scorer.policy.rules);
    let host = host_of(indicator);
    let of_host = host
        .as_ref()
        .map(|host| scorer.lists.hits(host))
        .unwrap_or_default();
    let is_email = indicator.kind() == IndicatorKind::Email;
    if let Some(domain) = host.as_ref().filter(|host| is_email && is_name(host)) {
        evidence.extend(lists::popular_sender(domain, &of_host));
    }
    let said = |of: &Indicator| scorer.feedback.said(&scorer.requester.tenant, of, now);
    evidence.extend(said(indicator).iter().map(feedback));
    // What people said of a host is true of what stands there, as far as it is one's alone.
    let is_ones_alone = |host: &Indicator| {
        let is_others = if is_email {
            shares_mailboxes(host, &of_host)
        } else {
            is_shared(&of_host)
        };
        !is_others
    };
    if let Some(host) = host.filter(is_ones_alone) {
        evidence.extend(said(&host).iter().map(|said| Evidence {
            about: Some(host.value().to_owned()),
            polarity: match said.opinion {
                // Unless nothing else is said of what stands there: see `clear`.
                FeedbackClass::FalsePositive => Polarity::Benign(BenignClass::Soft),
                FeedbackClass::Confirmed => Polarity::Malicious,
            },
            ..feedback(said)
        }));
    }
    evidence
}

/// What people called harmless at a host is so, unless a source says something of it that it does not say of the host.
pub(super) fn clear(evidence: &mut [Evidence]) {
    let own = |item: &Evidence| item.polarity == Polarity::Malicious && item.about.is_none();
    if evidence.iter().any(own) {
        return;
    }
    let said = |item: &&mut Evidence| {
        item.source == FEEDBACK && item.polarity == Polarity::Benign(BenignClass::Soft)
    };
    for item in evidence.iter_mut().filter(said) {
        item.polarity = Polarity::Benign(BenignClass::Hard);
    }
}

/// Returns the host of an e-mail address or a URL.
fn host_of(indicator: &Indicator) -> Option<Indicator> {
    let host = match indicator.kind() {
        IndicatorKind::Email | IndicatorKind::Url => indicator.host()?,
        _ => return None,
    };
    Indicator::name(&host)
        .ok()
        .or_else(|| Some(Indicator::from(host.parse::<std::net::IpAddr>().ok()?)))
}

fn feedback(said: &FeedbackEntry) -> Evidence {
    let local = Evidence {
        local: true,
        observed_at: Some(said.at),
        ..Evidence::absent(FEEDBACK, EvidenceStatus::Ok)
    };
    match said.opinion {
        FeedbackClass::FalsePositive => Evidence {
            polarity: Polarity::Benign(BenignClass::Hard),
            probability: Some(Millionths::ZERO),
            reasons: vec![format!("called a false positive: {}", said.reason)],
            ..local
        },
        FeedbackClass::Confirmed => Evidence {
            polarity: Polarity::Malicious,
            probability: Some(Millionths::percent(95)),
            reliability: Reliability::A,
            reasons: vec![format!("confirmed as malicious: {}", said.reason)],
            ..local
        },
    }
}

/// Tells whether evidence settles a score without asking a source: lists of what is one's own, and of what has no owner.
pub(super) fn settles(evidence: &Evidence) -> bool {
    let listed = evidence.local && evidence.polarity == Polarity::Benign(BenignClass::Hard);
    let purposes = [Purpose::Own, Purpose::Reserved, Purpose::EmptyFile];
    listed
        && purposes
            .into_iter()
            .any(|purpose| purpose.name() == evidence.measure)
}

/// Makes evidence of what a message itself says.
pub(super) fn said(record: &Record, rules: &Rules, now: Timestamp) -> Evidence {
    Evidence {
        local: true,
        ..from_record(mail::MESSAGE, record, rules, &Origin::HERE, now)
    }
}

/// Says which list of what is popular vouches for a link of a message from these senders; `None` where none does, as where
/// strangers put content at its host. For a page of which the host is known alone one does where a sender is of that site.
#[must_use]
pub fn popular(lists: &Lists, rules: &Rules, link: &Indicator, senders: &[Indicator]) -> Option<String> {
    let hits = lists.hits(link);
    let of_host = || {
        let domain = link.registrable()?;
        let is_sender = senders
            .iter()
            .any(|sender| sender.registrable().as_ref() == Some(&domain));
        is_sender
            .then(|| lists::popular_host(link, &hits, rules))
            .flatten()
    };
    lists::vouched_as_popular(link, &hits, rules).or_else(of_host)
}

/// Says why an indicator of a message is not scored: it is one's own, trusted, or has no owner.
#[must_use]
pub fn ignored(lists: &Lists, indicator: &Indicator) -> Option<String> {
    let hits = lists.hits(indicator);
    let hit = hits.into_iter().find(|hit| {
        matches!(
            hit.purpose,
            Purpose::Own | Purpose::Trusted | Purpose::Reserved | Purpose::EmptyFile
        )
    })?;
    Some(format!(
        "{}: {} on {}",
        hit.purpose.name().replace('-', " "),
        hit.entry,
        hit.list
    ))
}
