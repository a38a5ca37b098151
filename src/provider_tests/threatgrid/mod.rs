//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

mod cases;
mod feeds;
mod fixtures;
mod mapped;
mod recordings;
mod reports;
mod reputation;
mod searches;
mod signatures;

use crate::domain::{Capability, IndicatorKind, Query, Record};
use crate::provider_tests::testing::{self, LookupTrace, question};
use crate::providers::threatgrid::ThreatGrid;
use crate::providers::{Call, Lookup, Provider, ProviderError};

/// MD5, SHA-1 and SHA-256 of the file that the fixtures tell most of.
const MD5: &str = "cda5a9218029aea40e0d81bddfa56c0f";
const SHA1: &str = "533b13fd6dc0ca50fe7e6cca52c76412cdb22df7";
const SHA256: &str = "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00";

fn lookup(query: Query) -> Lookup {
    let offer = ThreatGrid.descriptor().offer(query.capability).unwrap();
    testing::lookup(&ThreatGrid, query, offer.products[0].id.clone())
}

/// Makes the vendor's envelope around data.
fn enveloped(data: &serde_json::Value) -> crate::providers::Reply {
    testing::reply(
        200,
        &serde_json::json!({ "api_version": 2, "id": 1, "data": data }).to_string(),
    )
}

/// Makes a refusal or a failure of the vendor.
fn failing(status: u16) -> crate::providers::Reply {
    let body =
        serde_json::json!({ "api_version": 2, "id": 1, "error": { "message": "No.", "code": status } });
    testing::reply(status, &body.to_string())
}

/// Returns a parameter of a call; empty where it is not there.
fn sent<'a>(call: &'a Call, name: &str) -> &'a str {
    let found = call.query.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

fn of_hash(capability: Capability, hash: &str) -> Query {
    question(capability, IndicatorKind::Hash, hash)
}

fn walk(query: Query) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&ThreatGrid, &lookup(query))
}

fn text(record: &Record, name: &str) -> String {
    record
        .text(name)
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default()
}

/// Lists one field of all records that have it.
fn all(walked: &LookupTrace, name: &str) -> Vec<String> {
    let records = walked.records().iter();
    records
        .filter_map(|record| record.text(name).map(std::borrow::Cow::into_owned))
        .collect()
}
