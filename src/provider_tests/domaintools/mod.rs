//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

mod cases;
mod enrich;
mod fixtures;
mod machine;
mod recordings;
mod signatures;

use crate::domain::{Answer, Capability, FailureKind, IndicatorKind, Query, Record, Value};
use crate::provider_tests::testing::{self, LookupTrace, question, reply};
use crate::providers::domaintools::DomainTools;
use crate::providers::{Call, Charge, Classification, Lookup, Provider, ProviderError, Reply, ReplyClass};
use crate::replay::Vendor;

fn lookup(query: Query, product: &'static str) -> Lookup {
    testing::lookup(&DomainTools, query, product)
}

fn of_domain(capability: Capability, domain: &str, product: &'static str) -> Lookup {
    lookup(question(capability, IndicatorKind::Domain, domain), product)
}

fn vendor() -> Vendor {
    testing::vendor("domaintools")
}

fn play(vendor: &Vendor, call: &Call) -> Reply {
    testing::play(&DomainTools, vendor, call)
}

fn walk(lookup: &Lookup, answer: impl Fn(&Call) -> Reply) -> Result<LookupTrace, ProviderError> {
    testing::walk(&DomainTools, lookup, answer)
}

fn walk_fixtures(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&DomainTools, lookup)
}
