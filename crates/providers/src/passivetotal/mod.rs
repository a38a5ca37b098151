//! Asks a service of PassiveTotal's shape: passive DNS, host attributes, whois and reputation of names and addresses.
//!
//! The public service (PassiveTotal, later `RiskIQ`) was retired, so this provider is off unless it is configured with
//! the base URL of a service that answers alike. Facts are from the vendor's open-source client `passivetotal` 2.5.9
//! and its recorded answers; what they do not say is in `docs/passivetotal.md`.

mod classify;
mod details;
mod dns;
mod hosts;
mod sign;
mod whois;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::kit::common::offered;
use super::kit::rows::Rows;
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, Reply, Step,
};
use pivotd_domain::IndicatorKind::{self, Domain, Email, Hostname, Ipv4, Ipv6, Organization, Person, Phone};
use pivotd_domain::{Answer, Capability, Query, Record};

/// Name of its only origin.
const ORIGIN: &str = "api";

// The vendor sells searches, not products; these are its endpoints.
const DNS: &str = "dns";
const ENRICHMENT: &str = "enrichment";
const HOST_ATTRIBUTES: &str = "host-attributes";
const REPUTATION: &str = "reputation";
const WHOIS: &str = "whois";

/// The most pages that one look-up reads.
const MAX_PAGES: usize = 10;

fn pages(offer: Offer) -> Offer {
    Offer {
        max_calls: MAX_PAGES,
        paged: true,
        ..offer
    }
}

/// What has attributes: names and addresses.
const HOSTS: &[IndicatorKind] = &[Domain, Hostname, Ipv4, Ipv6];

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://api.passivetotal.org/v2")],
        credentials: vec![
            CredentialField::plain("username", "user name"),
            CredentialField::secret("api_key", "API key"),
        ],
        offers: vec![
            Offer::of(Capability::Resolutions, HOSTS, &[Product::calls(DNS)]),
            Offer {
                max_calls: 2,
                ..Offer::of(
                    Capability::IpDetails,
                    &[Ipv4, Ipv6],
                    &[Product::calls(ENRICHMENT)],
                )
            },
            Offer::of(
                Capability::Subdomains,
                &[Domain, Hostname],
                &[Product::calls(ENRICHMENT)],
            ),
            pages(Offer::of(
                Capability::Components,
                HOSTS,
                &[Product::calls(HOST_ATTRIBUTES)],
            )),
            pages(Offer::of(
                Capability::Trackers,
                HOSTS,
                &[Product::calls(HOST_ATTRIBUTES)],
            )),
            pages(Offer::of(
                Capability::HostPairs,
                HOSTS,
                &[Product::calls(HOST_ATTRIBUTES)],
            )),
            Offer::of(Capability::Reputation, HOSTS, &[Product::calls(REPUTATION)]),
            Offer::of(Capability::Whois, &[Domain], &[Product::calls(WHOIS)]),
            Offer::of(
                Capability::ReverseWhois,
                &[Email, Person, Organization, Phone],
                &[Product::calls(WHOIS)],
            ),
        ],
        enabled: false,
        notice: Some(
            "the public PassiveTotal service was retired and answers nothing any more; \
         set base_url to a service of the same shape"
                .into(),
        ),
        probe: Some(Probe::of(
            Capability::Resolutions,
            IndicatorKind::Domain,
            "example.com",
        )),
        ..Descriptor::new("passivetotal", "PassiveTotal")
    })
});

/// Answers questions through an API of PassiveTotal's shape.
#[derive(Debug, Clone, Copy, Default)]
pub struct PassiveTotal;

impl Provider for PassiveTotal {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        match query.capability {
            Capability::Resolutions => Ok(dns::resolutions(query)),
            Capability::Subdomains => Ok(dns::subdomains(query)),
            Capability::IpDetails => Ok(details::start(query)),
            Capability::Reputation => Ok(details::reputation(query)),
            Capability::Whois => Ok(whois::whois(query)),
            Capability::ReverseWhois => Ok(whois::search(query)),
            _ => hosts::start(query, lookup),
        }
    }

    fn classify(&self, _: &Call, reply: &Reply) -> Classification {
        classify::classify(reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _: Timestamp) -> Result<(), ProviderError> {
        sign::sign(call, key)
    }
}

/// Makes a GET about `query`, billed to `product`.
fn call(product: &'static str, path: &str, query: &str) -> Call {
    Call::get(ORIGIN, product, path).with("query", query)
}

/// Makes a whole answer of what these rows gave.
///
/// # Errors
/// [`ProviderError::Malformed`] where none of them was understood.
fn answer_of(query: Query, product: &str, rows: Rows) -> Result<Step, ProviderError> {
    let answer = rows.answer(&DESCRIPTOR, query, product)?;
    Ok(Step::Done(vec![answer]))
}

/// Makes the answer of a vendor that knows nothing.
fn nothing(query: Query, product: &str) -> Step {
    Step::Done(vec![super::kit::common::nothing(&DESCRIPTOR, query, product)])
}

/// Makes the answer of one object.
fn answer(query: Query, product: &str, records: Vec<Record>) -> Step {
    let answer: Answer = super::kit::common::object(&DESCRIPTOR, query, product, records);
    Step::Done(vec![answer])
}
