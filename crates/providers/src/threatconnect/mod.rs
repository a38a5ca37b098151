//! Asks ThreatConnect: owners, incidents, the indicators that they hold, and how these are rated.
//!
//! Facts are from the vendor's developer documentation of its API, version 3, and from its Python framework
//! (`tcex`). Version 2 is asked only where an instance lacks the list of owners of version 3.

mod classify;
mod groups;
mod indicators;
mod owners;
mod pages;
mod reputation;
mod sign;
mod tql;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::kit::common::offered;
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, ProviderOption, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind};

/// Name of its only origin.
const ORIGIN: &str = "api";

// The vendor sells no products of its API one by one; these are its kinds of objects.
const OWNERS: &str = "owners";
const GROUPS: &str = "groups";
const INDICATORS: &str = "indicators";

/// The most pages that one look-up reads.
const MAX_PAGES: usize = 10;

fn offer(capability: Capability, inputs: &[IndicatorKind], products: &[Product]) -> Offer {
    Offer {
        max_calls: MAX_PAGES,
        paged: true,
        ..Offer::of(capability, inputs, products)
    }
}

/// The indicators of the vendor's that can be asked about.
static HELD: &[IndicatorKind] = &[
    IndicatorKind::Domain,
    IndicatorKind::Hostname,
    IndicatorKind::Ipv4,
    IndicatorKind::Ipv6,
    IndicatorKind::Url,
    IndicatorKind::Email,
    IndicatorKind::Hash,
];

fn offers() -> Vec<Offer> {
    vec![
        Offer {
            // The pages of version 3, or one call that fails and the list of version 2.
            max_calls: MAX_PAGES + 1,
            paged: false,
            ..offer(
                Capability::Owners,
                &[IndicatorKind::Phrase],
                &[Product::calls(OWNERS)],
            )
        },
        offer(
            Capability::Incidents,
            &[IndicatorKind::Community, IndicatorKind::Phrase],
            &[Product::calls(GROUPS)],
        ),
        Offer {
            // The pages of the list, and one call for the incident itself where it is empty.
            max_calls: MAX_PAGES + 1,
            ..offer(
                Capability::IncidentIndicators,
                &[IndicatorKind::Incident],
                &[Product::calls(INDICATORS)],
            )
        },
        offer(Capability::IncidentsOf, HELD, &[Product::calls(GROUPS)]),
        Offer::of(Capability::Reputation, HELD, &[Product::calls(INDICATORS)]),
    ]
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://app.threatconnect.com/api")],
        credentials: vec![
            CredentialField::secret("api_token", "API token").only("auth", sign::TOKEN),
            CredentialField::plain("access_id", "access ID").only("auth", sign::HMAC),
            CredentialField::secret("secret_key", "secret key").only("auth", sign::HMAC),
        ],
        options: vec![ProviderOption::new("auth", &[sign::TOKEN, sign::HMAC])],
        offers: offers(),
        // The vendor documents no rate.
        default_rate: names(&["60/min"]),
        probe: Some(Probe::of(Capability::Owners, IndicatorKind::Phrase, "*")),
        ..Descriptor::new("threatconnect", "ThreatConnect")
    })
});

/// Answers questions through the API of a ThreatConnect instance.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreatConnect;

impl Provider for ThreatConnect {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        match offered(&DESCRIPTOR, lookup)?.capability {
            Capability::Owners => owners::start(lookup),
            Capability::Incidents => groups::incidents(lookup),
            Capability::IncidentsOf => groups::holding(lookup),
            Capability::IncidentIndicators => indicators::start(lookup),
            Capability::Reputation => reputation::start(lookup),
            other => Err(ProviderError::Unsupported(format!(
                "ThreatConnect has no {other}"
            ))),
        }
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, now: Timestamp) -> Result<(), ProviderError> {
        sign::sign(call, key, now)
    }
}
