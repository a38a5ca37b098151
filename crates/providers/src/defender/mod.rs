//! Asks Microsoft Graph's threat intelligence: passive DNS, host data, whois and reputation of names and addresses.
//!
//! The key buys a short-lived token at another origin (OAuth 2.0, client credentials), which signs every call. Facts
//! are from Microsoft's Graph reference (`security/threatIntelligence`, version 1.0) and its SDK's models; what they
//! do not say is in `docs/defender.md`.

mod classify;
mod details;
mod lists;
mod sign;
mod whois;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::common::{offered, segment};
use super::kit::tolerant::{Node, json, malformed};
use super::{
    Admission, Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe,
    Product, Provider, ProviderError, Reply, Step, names,
};
use pivotd_domain::IndicatorKind::{self, Domain, Hostname, Ipv4, Ipv6};
use pivotd_domain::{Capability, Indicator, Query, Record};

/// Name of the origin that answers.
const GRAPH: &str = "graph";
/// Name of the origin that sells tokens.
const LOGIN: &str = "login";

// The vendor sells one licence; these are its data sets, so that a refusal of one closes only that one.
const COMPONENTS: &str = "components";
const HOST_PAIRS: &str = "host-pairs";
const HOSTS: &str = "hosts";
const PASSIVE_DNS: &str = "passive-dns";
const SUBDOMAINS: &str = "subdomains";
const TRACKERS: &str = "trackers";
const WHOIS: &str = "whois";
/// Names what the call for a token is booked as.
const SIGN_IN: &str = "sign-in";

/// The most pages that one look-up reads of one list.
const MAX_PAGES: usize = 10;

fn pages(offer: Offer, lists: usize) -> Offer {
    Offer {
        max_calls: lists * MAX_PAGES,
        paged: true,
        ..offer
    }
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![
            Origin::new(GRAPH, "https://graph.microsoft.com"),
            Origin::new(LOGIN, "https://login.microsoftonline.com"),
        ],
        credentials: vec![
            CredentialField::plain("tenant_id", "tenant ID"),
            CredentialField::plain("client_id", "client ID"),
            CredentialField::secret("client_secret", "client secret"),
        ],
        offers: vec![
            pages(
                Offer::of(
                    Capability::Resolutions,
                    &[Domain, Hostname, Ipv4, Ipv6],
                    &[Product::calls(PASSIVE_DNS)],
                ),
                2,
            ),
            Offer {
                max_calls: 2,
                ..Offer::of(Capability::IpDetails, &[Ipv4, Ipv6], &[Product::calls(HOSTS)])
            },
            Offer::of(
                Capability::Reputation,
                &[Domain, Hostname, Ipv4, Ipv6],
                &[Product::calls(HOSTS)],
            ),
            pages(
                Offer::of(
                    Capability::Subdomains,
                    &[Domain, Hostname],
                    &[Product::calls(SUBDOMAINS)],
                ),
                1,
            ),
            pages(
                Offer::of(
                    Capability::Components,
                    &[Domain, Hostname, Ipv4, Ipv6],
                    &[Product::calls(COMPONENTS)],
                ),
                1,
            ),
            pages(
                Offer::of(
                    Capability::Trackers,
                    &[Domain, Hostname, Ipv4, Ipv6],
                    &[Product::calls(TRACKERS)],
                ),
                1,
            ),
            pages(
                Offer::of(
                    Capability::HostPairs,
                    &[Domain, Hostname, Ipv4, Ipv6],
                    &[Product::calls(HOST_PAIRS)],
                ),
                1,
            ),
            Offer::of(Capability::Whois, &[Domain], &[Product::calls(WHOIS)]),
            pages(
                Offer::of(Capability::WhoisHistory, &[Domain], &[Product::calls(WHOIS)]),
                1,
            ),
        ],
        // The limit of this part of Graph is not published; the one of all Graph is far higher.
        default_rate: names(&["5/s"]),
        probe: Some(Probe::of(
            Capability::Subdomains,
            IndicatorKind::Domain,
            "example.com",
        )),
        ..Descriptor::new("defender", "Defender TI")
    })
});

/// Answers questions through Microsoft Graph's threat intelligence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defender;

impl Provider for Defender {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        match query.capability {
            Capability::IpDetails => Ok(details::start(query)),
            Capability::Reputation => Ok(details::reputed(query)),
            Capability::Whois => Ok(whois::start(query)),
            _ => lists::start(query, lookup),
        }
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _: Timestamp) -> Result<(), ProviderError> {
        sign::sign(call, key)
    }

    fn session(&self) -> Option<Call> {
        // Signing puts the tenant into the path and the key into the form.
        Some(Call::post(LOGIN, SIGN_IN, sign::path("common")))
    }

    fn admitted(&self, reply: &Reply) -> Result<Admission, ProviderError> {
        let body = json(reply)?;
        let root = Node::of(&body);
        let token = root
            .get("access_token")
            .text()
            .ok_or_else(|| malformed("access_token"))?;
        Ok(Admission {
            token: SecretString::from(token),
            // One without a lifetime is used once.
            lifetime_s: root.get("expires_in").count().unwrap_or(0),
        })
    }
}

/// Makes a GET below what Graph holds about a host, billed to `product`.
fn call(product: &'static str, host: &Indicator, below: &str) -> Call {
    let host = segment(host.value());
    Call::get(
        GRAPH,
        product,
        format!("/v1.0/security/threatIntelligence/hosts/{host}{below}"),
    )
}

/// Makes the answer of one object, or of a vendor that knows none.
fn answer(query: Query, product: &str, records: Vec<Record>) -> Step {
    Step::Done(vec![super::kit::common::object(
        &DESCRIPTOR,
        query,
        product,
        records,
    )])
}
