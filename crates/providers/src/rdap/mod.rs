//! Asks RDAP: the registration of domains, addresses and autonomous systems, from their registries. Needs no key.
//!
//! The protocol is of RFC 7480 to 7484 and 9082 to 9083. Which server answers for what stands in IANA's bootstrap files
//! (RFC 9224); which server a registrar has, in IANA's list of registrar ids. Calls go to servers of these files only.

pub mod bootstrap;
mod classify;
mod domain;
mod jcard;
mod lookup;
mod network;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::common::offered;
use super::{
    Call, Classification, Descriptor, ExposedKey, Files, Lookup, Offer, Origin, Probe, Product, Provider,
    ProviderError, ReferenceFile, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind};

/// Name of the origin of the bootstrap files.
const IANA: &str = "iana";
/// The header of a reply that says who is to be asked instead.
const LOCATION: &str = "location";
/// Name of the origin of the list of registrars.
const ASSIGNMENTS: &str = "assignments";

// Products are the objects that are asked for; the registrar's answer is one of its own, so that one registrar that
// fails shuts no registry.
const DOMAIN: &str = "domain";
const IP: &str = "ip";
const AUTNUM: &str = "autnum";
const REGISTRAR: &str = "registrar";

/// The files change every few days; IANA asks for no more than that they are not fetched for every question.
const REFRESH_S: u64 = 3 * 24 * 3600;

fn offers() -> Vec<Offer> {
    vec![
        Offer {
            // The registry, then the registrar; each can send elsewhere once.
            max_calls: 4,
            ..Offer::of(
                Capability::Whois,
                &[
                    IndicatorKind::Domain,
                    IndicatorKind::Ipv4,
                    IndicatorKind::Ipv6,
                    IndicatorKind::Asn,
                ],
                &[
                    Product::calls(DOMAIN),
                    Product::calls(IP),
                    Product::calls(AUTNUM),
                    Product::calls(REGISTRAR),
                ],
            )
        },
        Offer {
            // The registry, which can send elsewhere once; the registrar knows no other date.
            max_calls: 2,
            ..Offer::of(
                Capability::Reputation,
                &[IndicatorKind::Domain],
                &[Product::calls(DOMAIN)],
            )
        },
    ]
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![
            Origin::new(IANA, "https://data.iana.org"),
            Origin::new(ASSIGNMENTS, "https://www.iana.org"),
        ],
        offers: offers(),
        // Registries bound their askers by address and do not publish how; this is slow enough for those that are known.
        default_rate: names(&["2/s"]),
        files: vec![
            ReferenceFile {
                name: bootstrap::DNS.into(),
                bundled: Bytes::from_static(include_bytes!("bootstrap/dns.json")),
                origin: IANA.into(),
                path: "/rdap/dns.json".into(),
                refresh_s: REFRESH_S,
                check: bootstrap::check_names,
            },
            ReferenceFile {
                name: bootstrap::IPV4.into(),
                bundled: Bytes::from_static(include_bytes!("bootstrap/ipv4.json")),
                origin: IANA.into(),
                path: "/rdap/ipv4.json".into(),
                refresh_s: REFRESH_S,
                check: bootstrap::check_networks,
            },
            ReferenceFile {
                name: bootstrap::IPV6.into(),
                bundled: Bytes::from_static(include_bytes!("bootstrap/ipv6.json")),
                origin: IANA.into(),
                path: "/rdap/ipv6.json".into(),
                refresh_s: REFRESH_S,
                check: bootstrap::check_networks,
            },
            ReferenceFile {
                name: bootstrap::ASN.into(),
                bundled: Bytes::from_static(include_bytes!("bootstrap/asn.json")),
                origin: IANA.into(),
                path: "/rdap/asn.json".into(),
                refresh_s: REFRESH_S,
                check: bootstrap::check_numbers,
            },
            ReferenceFile {
                name: bootstrap::REGISTRARS.into(),
                bundled: Bytes::from_static(include_bytes!("bootstrap/registrars.csv")),
                origin: ASSIGNMENTS.into(),
                path: "/assignments/registrar-ids/registrar-ids-1.csv".into(),
                refresh_s: REFRESH_S,
                check: bootstrap::check_registrars,
            },
        ],
        reply_headers: names(&[LOCATION]),
        probe: Some(Probe::of(Capability::Whois, IndicatorKind::Domain, "example.com")),
        ..Descriptor::new("rdap", "RDAP")
    })
});

/// Answers questions through the RDAP servers of registries and registrars.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rdap;

impl Provider for Rdap {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        offered(&DESCRIPTOR, lookup)?;
        lookup::start(lookup)
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, _key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        const ACCEPT: &str = "accept";
        call.headers.retain(|(name, _)| *name != ACCEPT);
        if call.server.is_some() {
            let types = "application/rdap+json, application/json";
            call.headers.push((ACCEPT.into(), SecretString::from(types)));
        }
        Ok(())
    }

    fn servers(&self, files: &Files) -> Vec<String> {
        bootstrap::servers(files)
    }
}
