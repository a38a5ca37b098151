//! Says who is asked what about an indicator.

use std::net::IpAddr;

use super::{Scorer, local};
use crate::domain::lists::Hit;
use crate::domain::{Capability, Indicator, IndicatorKind, Pap, Query};
use crate::engine::runtime::Runtime;
use crate::providers::Name;
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
    pub(super) source: String,
    /// What is asked, and about what.
    pub(super) query: Query,
    /// How many records are wanted.
    pub(super) want: usize,
    /// The same in words, where that is not the indicator itself.
    pub(super) about: Option<String>,
    /// Why it may not be asked.
    pub(super) barred: Option<String>,
    /// Whether it is asked about a host where strangers put what the indicator names.
    pub(super) is_of_strangers: bool,
    /// Measures that the source never says of this kind of indicator.
    pub(super) unsaid: Vec<Name>,
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
    let asked = told(scorer, indicator);
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
pub(super) fn told(scorer: &Scorer<'_>, url: &Indicator) -> Indicator {
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
    want: usize,
    parts: &mut Vec<Part>,
) {
    let runtimes = scorer.engine.runtimes();
    for (source, runtime) in runtimes.iter() {
        let wanted = scorer.wishes.providers.as_ref();
        let is_meant = runtime.own.is_some() || runtime.settings.key_fault.is_some();
        if !is_meant || wanted.is_some_and(|wanted| !wanted.contains(source)) {
            continue;
        }
        let Some(offer) = runtime.provider.descriptor().offer(capability) else {
            continue;
        };
        if !offer.inputs.contains(&asked.kind()) {
            continue;
        }
        // As a transform asks that says nothing else, so that both are answered by one stored answer.
        let mut query = Query::new(capability, asked.clone());
        for param in &offer.params {
            query
                .params
                .insert(param.name.to_string(), param.values.default());
        }
        parts.push(Part {
            source: source.clone(),
            query,
            want,
            about: about.map(str::to_owned),
            barred: barred(scorer, source, runtime, offer.active),
            is_of_strangers: false,
            unsaid: offer.unsaid(asked.kind()).map(Name::new).collect(),
        });
    }
}

/// Says why a marking keeps a question from a source.
fn barred(scorer: &Scorer<'_>, source: &str, runtime: &Runtime, active: bool) -> Option<String> {
    let (tlp, pap) = (scorer.wishes.tlp, scorer.wishes.pap);
    if tlp > runtime.settings.max_tlp {
        let most = runtime.settings.max_tlp.name();
        return Some(format!(
            "TLP:{} is not told to {source}, which is asked up to {most}",
            tlp.name()
        ));
    }
    let most = if active {
        runtime.settings.max_pap.min(Pap::Green)
    } else {
        runtime.settings.max_pap
    };
    (pap > most).then(|| {
        let kind = if active { "actively " } else { "" };
        format!(
            "PAP:{} does not allow to ask {source}, which is {kind}asked up to {}",
            pap.name(),
            most.name()
        )
    })
}
