//! Tests of protocol v3.

mod client;
mod events;
mod findings;
mod listing;
mod requests;
mod values;

use serde_json::{Value, json};

use super::detail::Refusal;
use super::request::{RunLimits, RunRequest, read};

/// A whole request, as a desktop client sends it.
fn whole() -> Value {
    json!({
        "input": {
            "metadata": {
                "entitiesTypesStat": {"maltego.Domain": 1},
                "entitiesTotalCount": 1, "linksTotalCount": 0, "rootEntitiesCount": 1
            },
            "graph": {
                "entities": [{
                    "id": "e1", "type": "maltego.Domain", "valueRef": "fqdn", "weight": 100,
                    "properties": [{
                        "name": "fqdn", "value": "example.org", "type": "STRING", "displayName": "fqdn",
                        "matchingRule": "strict"
                    }],
                    "displayInformation": [], "bookmark": -1, "overlays": [], "note": "", "baseEntities": []
                }],
                "links": []
            }
        },
        "transformSettings": [{"name": "global#acme.key", "value": "k"}],
        "limit": 12,
        "transformRunExecutionContext": {"graphId": "g1", "runSource": "DIRECT", "sourceName": null}
    })
}

/// Reads a request in which something stands otherwise.
fn read_with(pointer: &str, value: Value) -> Result<RunRequest, Refusal> {
    let mut request = whole();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = request.pointer_mut(parent).unwrap();
    match parent {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items.push(value),
        _ => panic!("{pointer}"),
    }
    read(request.to_string().as_bytes(), &RunLimits::default())
}
