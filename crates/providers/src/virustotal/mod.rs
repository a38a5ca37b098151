//! Asks VirusTotal: resolutions of names and addresses, what a file is known as and what it contacted, and what the
//! engines say of any of them.
//!
//! Facts are from the documentation of the VirusTotal API v3 and from recorded answers. None of the vendor's JSON
//! leaves this folder.

mod classify;
mod common;
mod contacts;
mod dropped;
mod file;
mod reputation;
mod resolutions;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::kit::common::{key_header, offered};
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind};

/// Name of the provider.
const NAME: &str = "virustotal";
/// Name of its only origin.
const ORIGIN: &str = "api";
/// Name of the header that carries the key.
const KEY_HEADER: &str = "x-apikey";

// The vendor's names of objects and relationships; some relationships need a premium key.
const DOMAINS: &str = "domains";
const IP_ADDRESSES: &str = "ip_addresses";
const URLS: &str = "urls";
const FILES: &str = "files";
const RESOLUTIONS: &str = "resolutions";
const CONTACTED_DOMAINS: &str = "contacted_domains";
const CONTACTED_IPS: &str = "contacted_ips";
const CONTACTED_URLS: &str = "contacted_urls";
const DROPPED_FILES: &str = "dropped_files";

/// The most pages that one look-up reads.
const MAX_PAGES: usize = 10;

fn offers() -> Vec<Offer> {
    vec![
        Offer {
            max_calls: MAX_PAGES,
            paged: true,
            ..Offer::of(
                Capability::Resolutions,
                &[
                    IndicatorKind::Domain,
                    IndicatorKind::Hostname,
                    IndicatorKind::Ipv4,
                    IndicatorKind::Ipv6,
                ],
                &[Product::calls(RESOLUTIONS)],
            )
        },
        Offer {
            max_calls: 3,
            ..Offer::of(
                Capability::Contacts,
                &[IndicatorKind::Hash],
                &[
                    // One look-up asks for all three; what the key may not see is missing in the answer.
                    Product::calls(CONTACTED_DOMAINS),
                    Product::calls(CONTACTED_IPS),
                    Product::calls(CONTACTED_URLS),
                ],
            )
        },
        Offer::of(
            Capability::SandboxFiles,
            &[IndicatorKind::Hash],
            &[Product::calls(DROPPED_FILES)],
        ),
        Offer::of(Capability::File, &[IndicatorKind::Hash], &[Product::calls(FILES)]),
        // Each kind of object is in one collection, so that one product answers.
        Offer::of(
            Capability::Reputation,
            &[
                IndicatorKind::Domain,
                IndicatorKind::Hostname,
                IndicatorKind::Ipv4,
                IndicatorKind::Ipv6,
                IndicatorKind::Url,
                IndicatorKind::Hash,
            ],
            &[
                Product::calls(DOMAINS),
                Product::calls(IP_ADDRESSES),
                Product::calls(URLS),
                Product::calls(FILES),
            ],
        ),
    ]
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
    origins: vec![Origin::new(ORIGIN, "https://www.virustotal.com")],
    credentials: vec![CredentialField::secret("api_key", "API key")],
    offers: offers(),
    // The public API allows 4 a minute and 500 a day (VirusTotal documentation, public and premium API). A rate of 500
    // a day would space calls by minutes; the default configuration has a budget instead.
    default_rate: names(&["4/min"]),
    notice: Some("A free VirusTotal key allows 4 calls a minute and 500 a day, and is not for commercial use; set the rate of your own.".into()),
    probe: Some(Probe::of(Capability::Resolutions, IndicatorKind::Domain, "example.com")),
    ..Descriptor::new(NAME, "VirusTotal")
    })
});

/// Answers questions through the VirusTotal API v3.
#[derive(Debug, Clone, Copy, Default)]
pub struct VirusTotal;

impl Provider for VirusTotal {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?;
        common::known_hash(query)?;
        match query.capability {
            Capability::Resolutions => resolutions::start(lookup),
            Capability::Contacts => contacts::start(lookup),
            Capability::SandboxFiles => dropped::start(lookup),
            Capability::File => file::start(lookup),
            Capability::Reputation => reputation::start(lookup),
            capability => Err(ProviderError::Unsupported(format!(
                "VirusTotal has no {capability}"
            ))),
        }
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        key_header(call, &DESCRIPTOR, KEY_HEADER, key)
    }
}
