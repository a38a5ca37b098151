//! Drives the machine against fixtures and made-up bodies, without a socket.

mod cases;
mod machine;
mod mapped;
mod reputation;
mod signatures;

use crate::domain::{Answer, Capability, FailureKind, IndicatorKind, Query};
use crate::provider_tests::testing::{self, LookupTrace, question, reply};
use crate::providers::threatconnect::ThreatConnect;
use crate::providers::{Call, Lookup, Provider, ProviderError, Reply, ReplyClass};

fn product(capability: Capability) -> crate::providers::ProductId {
    ThreatConnect.descriptor().offer(capability).unwrap().products[0]
        .id
        .clone()
}

fn lookup(query: Query) -> Lookup {
    let product = product(query.capability);
    testing::lookup(&ThreatConnect, query, product)
}

fn of(capability: Capability, kind: IndicatorKind, value: &str) -> Lookup {
    lookup(question(capability, kind, value))
}

fn incidents(phrase: &str) -> Lookup {
    of(Capability::Incidents, IndicatorKind::Phrase, phrase)
}

fn indicators(id: &str) -> Lookup {
    of(Capability::IncidentIndicators, IndicatorKind::Incident, id)
}

fn walk(lookup: &Lookup, answer: impl Fn(&Call) -> Reply) -> Result<LookupTrace, ProviderError> {
    testing::walk(&ThreatConnect, lookup, answer)
}

fn walk_fixtures(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&ThreatConnect, lookup)
}
