//! Asks DNSDB: what names resolved to, and which names resolved to an address.
//!
//! Facts are from the documentation of the DNSDB API, version 2, and from the vendor's own client. Answers are streams of
//! JSON objects, one a line, whose last line says how they ended: HTTP 200 only means that they began.

mod account;
mod classify;
mod lookup;
mod stream;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::cof;
use super::kit::common::offered;
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Product, Provider,
    ProviderError, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind};

/// Name of the only origin.
const ORIGIN: &str = "api";

const LOOKUP: &str = "lookup";
const RATE_LIMIT: &str = "rate_limit";

// Headers that tell when a quota opens again; `classify` has no clock, and takes the time from the vendor.
const REMAINING: &str = "x-ratelimit-remaining";
const RESET: &str = "x-ratelimit-reset";
const DATE: &str = "date";

fn offers() -> Vec<Offer> {
    vec![
        Offer {
            // A second one where the rows of the first named no owner.
            max_calls: 2,
            paged: true,
            ..Offer::of(
                Capability::Resolutions,
                &cof::ASKED_ABOUT,
                &[Product::calls(LOOKUP)],
            )
        },
        Offer::of(
            Capability::Account,
            &[IndicatorKind::Phrase],
            &[Product::calls(RATE_LIMIT)],
        ),
    ]
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://api.dnsdb.info")],
        credentials: vec![CredentialField::secret("api_key", "API key")],
        offers: offers(),
        // The vendor bounds queries by the day and connections at once, and publishes no rate.
        default_rate: names(&["1/s"]),
        account: Some(RATE_LIMIT.into()),
        reply_headers: names(&[REMAINING, RESET, DATE]),
        ..Descriptor::new("dnsdb", "DNSDB")
    })
});

/// Answers questions through the DNSDB API.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dnsdb;

impl Provider for Dnsdb {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        match offered(&DESCRIPTOR, lookup)?.capability {
            Capability::Account => account::start(lookup),
            _ => lookup::start(lookup),
        }
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        let api_key = key.field("api_key");
        if api_key.is_empty() {
            return Err(ProviderError::Unsupported("DNSDB needs a key".to_owned()));
        }
        call.headers
            .retain(|(name, _)| !matches!(name.as_str(), "x-api-key" | "accept"));
        call.query
            .retain(|(name, _)| !matches!(name.as_str(), "swclient" | "version"));
        // The vendor wants to know which software asks.
        call.add("swclient", "pivotd");
        call.add("version", env!("CARGO_PKG_VERSION"));
        let accept = if call.product == LOOKUP {
            "application/x-ndjson"
        } else {
            "application/json"
        };
        call.headers.push(("accept".into(), SecretString::from(accept)));
        call.headers
            .push(("x-api-key".into(), SecretString::from(api_key)));
        Ok(())
    }
}
