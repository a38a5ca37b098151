//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

mod bounds;
mod cases;
mod fixtures;
mod mapped;
mod recordings;
mod reputation;

use crate::domain::{Capability, IndicatorKind, Query, Record};
use crate::provider_tests::testing::{self, LookupTrace, question};
use crate::providers::virustotal::VirusTotal;
use crate::providers::{Call, Lookup, Provider, ProviderError};

/// SHA-256 and MD5 of the file that the fixtures tell of; the MD5 is asked for with a key that sees less.
const SHA256: &str = "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00";
const MD5: &str = "cda5a9218029aea40e0d81bddfa56c0f";

fn lookup(query: Query) -> Lookup {
    let offer = VirusTotal.descriptor().offer(query.capability).unwrap();
    testing::lookup(&VirusTotal, query, offer.products[0].id.clone())
}

fn of_hash(capability: Capability, hash: &str) -> Query {
    question(capability, IndicatorKind::Hash, hash)
}

fn resolutions(domain: &str) -> Lookup {
    lookup(question(Capability::Resolutions, IndicatorKind::Domain, domain))
}

fn walk(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&VirusTotal, lookup)
}

fn text(record: &Record, name: &str) -> String {
    record
        .text(name)
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default()
}
