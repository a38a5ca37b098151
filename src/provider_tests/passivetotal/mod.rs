//! Drives the machine against fixtures and made-up bodies, without a socket.

mod cases;
mod fixtures;
mod mapping;

use crate::domain::{Capability, IndicatorKind, Query, Value};
use crate::provider_tests::testing::{self, LookupTrace, question, reply};
use crate::providers::passivetotal::PassiveTotal;
use crate::providers::{Call, Lookup, Provider, ProviderError, Reply, ReplyClass};

fn product(capability: Capability) -> crate::providers::ProductId {
    PassiveTotal.descriptor().offer(capability).unwrap().products[0]
        .id
        .clone()
}

fn about(capability: Capability, kind: IndicatorKind, value: &str) -> Lookup {
    asking(question(capability, kind, value))
}

fn asking(query: Query) -> Lookup {
    let product = product(query.capability);
    testing::lookup(&PassiveTotal, query, product)
}

fn walk(lookup: &Lookup, answer: impl Fn(&Call) -> Reply) -> Result<LookupTrace, ProviderError> {
    testing::walk(&PassiveTotal, lookup, answer)
}

fn walk_fixtures(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&PassiveTotal, lookup)
}
