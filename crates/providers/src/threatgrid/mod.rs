//! Asks Secure Malware Analytics (Threat Grid): which samples touched an indicator, what a file did when
//! it ran, and how much of a threat that was.
//!
//! A file is looked up in two steps: the submission search finds its runs, then each of the newest ones is asked for
//! one part of its analysis. Facts are from the vendor's integration documentation, from recorded answers of 2020 and
//! from open-source clients. None of the vendor's JSON leaves this folder.

mod classify;
mod common;
mod contacts;
mod files;
mod indicators;
mod list;
mod reports;
mod reputation;
mod search;
mod sign;
mod streams;
mod traces;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::kit::common::offered;
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Param, Probe,
    Product, Provider, ProviderError, ProviderOption, Reply, Step, Values, names,
};
use pivotd_domain::{Capability, IndicatorKind};

/// Name of the provider.
const NAME: &str = "threatgrid";
/// Name of its only origin.
const ORIGIN: &str = "api";

// The vendor sells no products apart; these are the two halves of its API that a look-up uses.
const SEARCH: &str = "search";
const ANALYSIS: &str = "analysis";

/// The most runs of one file that a look-up reads.
const MOST_RUNS: usize = 20;

fn runs() -> Param {
    let values = Values::Number {
        min: 1,
        max: 20,
        default: 5,
    };
    Param::new("runs", "Newest runs of a file that are read", values)
}

fn min_score() -> Param {
    Param::new("min-score", "Least threat score of a run (0 to 100)", percent())
}

fn severity() -> Param {
    let title = "Least severity of the behavior that names a contact (0 takes all contacts)";
    Param::new("severity", title, percent())
}

fn confidence() -> Param {
    let title = "Least confidence of the behavior that names a contact (0 takes all contacts)";
    Param::new("confidence", title, percent())
}

/// The vendor's feeds start at 80, which hides most of what a sample touched; here nothing is hidden unasked.
fn percent() -> Values {
    Values::Number {
        min: 0,
        max: 100,
        default: 0,
    }
}

fn of_a_file(capability: Capability, params: Vec<Param>, max_calls: usize) -> Offer {
    Offer {
        params,
        max_calls,
        window: true,
        ..Offer::of(capability, &[IndicatorKind::Hash], [Product::calls(ANALYSIS)])
    }
}

/// What the submission search knows.
static SEARCHED: &[IndicatorKind] = &[
    IndicatorKind::Domain,
    IndicatorKind::Hostname,
    IndicatorKind::Ipv4,
    IndicatorKind::Ipv6,
    IndicatorKind::Url,
    IndicatorKind::Hash,
];

/// What samples touch.
const TOUCHED: &[IndicatorKind] = &[
    IndicatorKind::Domain,
    IndicatorKind::Hostname,
    IndicatorKind::Ipv4,
    IndicatorKind::Ipv6,
    IndicatorKind::Url,
];

fn offers() -> Vec<Offer> {
    vec![
        Offer {
            params: vec![min_score()],
            max_calls: search::MOST_PAGES,
            window: true,
            ..Offer::of(Capability::Samples, SEARCHED, &[Product::calls(SEARCH)])
        },
        // The search, streams and annotations of each run, and the feeds of indicators.
        of_a_file(
            Capability::Contacts,
            vec![runs(), min_score(), severity(), confidence()],
            search::MOST_PAGES + 2 * MOST_RUNS + indicators::MOST_CALLS,
        ),
        of_a_file(
            Capability::SandboxFiles,
            vec![runs(), min_score()],
            search::MOST_PAGES + MOST_RUNS,
        ),
        of_a_file(
            Capability::SandboxTraces,
            vec![runs(), min_score()],
            search::MOST_PAGES + MOST_RUNS,
        ),
        Offer {
            max_calls: search::MOST_PAGES,
            measures: vec![
                (reputation::OF_FILE.into(), vec![IndicatorKind::Hash]),
                (reputation::OF_TOUCHED.into(), TOUCHED.to_vec()),
            ],
            ..Offer::of(Capability::Reputation, SEARCHED, &[Product::calls(SEARCH)])
        },
    ]
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://panacea.threatgrid.com")],
        credentials: vec![CredentialField::secret("api_key", "API key")],
        options: vec![ProviderOption::new("auth", &["header", "query"])],
        offers: offers(),
        // The vendor publishes no limit for reading.
        default_rate: names(&["60/min"]),
        probe: Some(Probe::of(
            Capability::Samples,
            IndicatorKind::Domain,
            "example.com",
        )),
        ..Descriptor::new(NAME, "Secure Malware Analytics")
    })
});

/// Answers questions through the Secure Malware Analytics API, in the cloud or on an appliance.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreatGrid;

impl Provider for ThreatGrid {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let capability = offered(&DESCRIPTOR, lookup)?.capability;
        match capability {
            Capability::Samples => search::start(lookup),
            Capability::Reputation => reputation::start(lookup),
            Capability::Contacts => contacts::start(lookup),
            Capability::SandboxFiles => files::start(lookup),
            Capability::SandboxTraces => traces::start(lookup),
            _ => Err(ProviderError::Unsupported(format!(
                "Secure Malware Analytics has no {capability}"
            ))),
        }
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        sign::sign(call, key)
    }
}
