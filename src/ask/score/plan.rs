//! Says who is asked what about an indicator.

use std::net::IpAddr;
use std::sync::Arc;

use super::{ScoreOptions, Scorer, local};
use crate::ask::lookup::{self, Source};
use crate::domain::lists::Hit;
use crate::domain::{Capability, Indicator, IndicatorKind, Query};
use crate::providers::{Descriptor, Name};
use crate::reputation::Policy;
use crate::reputation::lists::of_strangers;
use crate::reputation::policy::Registrations;

/// What a source is asked for a score: a published risk, or what it says on its own scale.
pub const SPEAKING: [Capability; 2] = [Capability::Risk, Capability::Reputation];

/// Lists what sources may be asked for scores under a policy.
#[must_use]
pub fn asked_for(policy: &Policy) -> Vec<Capability> {
    let mut asked = SPEAKING.to_vec();
    asked.push(Capability::MailPolicy);
    if policy.rules.few_domains > 0 {
        asked.push(Capability::DomainsOnIp);
    }
    if policy.rules.registrations != Registrations::Never {
        asked.push(Capability::ReverseWhois);
    }
    asked
}

/// Is one question to one source.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The source.
    pub(super) descriptor: Arc<Descriptor>,
    /// What is asked, and about what.
    pub(super) query: Query,
    /// How many records are wanted.
    pub(super) wanted: usize,
    /// The same in words, where that is not the indicator itself.
    pub(super) about: Option<String>,
    /// Why it may not be asked.
    pub(super) blocked_reason: Option<String>,
    /// Whether it is asked about a host where strangers put what the indicator names.
    pub(super) is_of_strangers: bool,
    /// Measures that the source never says of this kind of indicator.
    pub(super) unsaid: Vec<Name>,
}

impl Part {
    /// Returns the name of the source.
    pub(super) fn source(&self) -> &str {
        &self.descriptor.name
    }
}

/// Lists the questions about an indicator.
pub(super) fn parts(scorer: &Scorer<'_>, indicator: &Indicator) -> Vec<Part> {
    let mut parts = Vec::new();
    match indicator.kind() {
        IndicatorKind::Domain | IndicatorKind::Hostname => {
            name(
                scorer,
                indicator,
                &scorer.lists.hits(indicator),
                indicator,
                &mut parts,
            );
        }
        IndicatorKind::Url => url(scorer, indicator, &mut parts),
        IndicatorKind::Email => email(scorer, indicator, &mut parts),
        _ => speak(scorer, indicator, None, &mut parts),
    }
    parts
}

/// A name is asked by its registrable domain, and by itself, too, of sources that know hosts; below a suffix where
/// customers put their own content, by itself only. `hits` are those of the name.
fn name(scorer: &Scorer<'_>, name: &Indicator, hits: &[Hit], whole: &Indicator, parts: &mut Vec<Part>) {
    let asked = if local::is_customers(hits) {
        Some(name.clone())
    } else {
        // A registry's own suffix may be the name of a site: gov.uk.
        scorer.lists.registrable(name).or_else(|| Some(name.clone()))
    };
    let Some(asked) = asked else { return };
    let about = (asked.value() != whole.value()).then(|| asked.value().to_owned());
    speak(scorer, &asked, about.as_deref(), parts);
    // Who knows single hosts may know this one only.
    let is_apex = asked == *name || name.value().strip_prefix("www.") == Some(asked.value());
    if !is_apex {
        let about = (name.value() != whole.value()).then(|| name.value());
        speak(scorer, name, about, parts);
    }
}

/// A URL is asked as it is, and its host with it: what is known of a host is known of its pages.
fn url(scorer: &Scorer<'_>, indicator: &Indicator, parts: &mut Vec<Part>) {
    let asked = shared_url(scorer, indicator);
    let about = (asked.value() != indicator.value()).then(|| asked.value().to_owned());
    speak(scorer, &asked, about.as_deref(), parts);
    if let Some(host) = indicator.host() {
        if let Ok(host) = Indicator::name(&host) {
            let before = parts.len();
            let hits = scorer.lists.hits(&host);
            name(scorer, &host, &hits, indicator, parts);
            let is_of_strangers = hits.iter().any(of_strangers);
            for part in parts.iter_mut().skip(before) {
                part.is_of_strangers = is_of_strangers;
            }
        }
    } else if let Some(address) = indicator.ip() {
        address_of(scorer, address, parts);
    }
}

fn address_of(scorer: &Scorer<'_>, address: IpAddr, parts: &mut Vec<Part>) {
    let address = Indicator::from(address);
    speak(scorer, &address, Some(address.value()), parts);
}

/// Returns a URL as sources are told it: mostly without its query, which may name a person. User and fragment are no
/// part of an indicator.
pub(super) fn shared_url(scorer: &Scorer<'_>, url: &Indicator) -> Indicator {
    if scorer.policy.rules.whole_urls {
        url.clone()
    } else {
        url.without_query()
    }
}

/// An e-mail address is asked by itself; its domain only where the domain is not shared with strangers.
fn email(scorer: &Scorer<'_>, indicator: &Indicator, parts: &mut Vec<Part>) {
    speak(scorer, indicator, None, parts);
    let Some(domain) = local::domain_of(indicator) else {
        return;
    };
    let hits = scorer.lists.hits(&domain);
    if local::shares_mailboxes(&domain, &hits) {
        return;
    }
    name(scorer, &domain, &hits, indicator, parts);
    ask(
        scorer,
        Capability::MailPolicy,
        &domain,
        Some(domain.value()),
        0,
        parts,
    );
}

fn speak(scorer: &Scorer<'_>, asked: &Indicator, about: Option<&str>, parts: &mut Vec<Part>) {
    for capability in SPEAKING {
        ask(scorer, capability, asked, about, 0, parts);
    }
}

/// Asks every source that has a key and offers this for this kind of indicator. A source whose key is there and cannot be
/// read is asked, too: what it would have said is missing.
pub(super) fn ask(
    scorer: &Scorer<'_>,
    capability: Capability,
    asked: &Indicator,
    about: Option<&str>,
    wanted: usize,
    parts: &mut Vec<Part>,
) {
    let ScoreOptions {
        providers, tlp, pap, ..
    } = scorer.options;
    let tenant = &scorer.requester.tenant;
    let names = providers.as_ref();
    for descriptor in lookup::providers_for(scorer.engine, tenant, capability, asked.kind(), names) {
        let offer = descriptor.offer(capability);
        let unsaid = offer.iter().flat_map(|offer| offer.unsaid(asked.kind()));
        parts.push(Part {
            unsaid: unsaid.map(Name::new).collect(),
            blocked_reason: lookup::blocked_reason(scorer.engine, &descriptor, capability, *tlp, *pap),
            query: Query {
                params: Source::of(&descriptor, capability).params,
                ..Query::new(capability, asked.clone())
            },
            descriptor,
            wanted,
            about: about.map(str::to_owned),
            is_of_strangers: false,
        });
    }
}
