//! Drives the machine against fixtures, samples and made-up bodies, without a socket.

mod cases;
mod fixtures;
mod mapping;
mod reputation;
mod samples;

use crate::domain::{Answer, Capability, IndicatorKind, Value};
use crate::provider_tests::testing::{self, LookupTrace, question, reply};
use crate::providers::defender::Defender;
use crate::providers::{Call, Lookup, Provider, ProviderError, Reply, ReplyClass};

fn about(capability: Capability, kind: IndicatorKind, value: &str) -> Lookup {
    let product = Defender.descriptor().offer(capability).unwrap().products[0]
        .id
        .clone();
    testing::lookup(&Defender, question(capability, kind, value), product)
}

fn walk(lookup: &Lookup, answer: impl Fn(&Call) -> Reply) -> Result<LookupTrace, ProviderError> {
    testing::walk(&Defender, lookup, answer)
}

fn walk_fixtures(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&Defender, lookup)
}
