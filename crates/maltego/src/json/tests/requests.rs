//! Bodies of runs: what is read of them, and what is refused how.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{read_with, whole};
use crate::json::detail::Refusal;
use crate::json::graph::{contradictions, fitting, inputs};
use crate::json::request::{RunLimits, RunRequest, read};
use crate::json::run::{PromptAnswer, prompt_answer};

const ENTITY: &str = "/input/graph/entities/0";

fn faults(refused: Result<RunRequest, Refusal>) -> Vec<(String, String)> {
    let refused = refused.unwrap_err();
    assert_eq!(refused.status(), 422);
    let body: Value = serde_json::from_slice(&refused.body()).unwrap();
    let detail = body["detail"].as_array().unwrap();
    let told = detail.iter().map(|fault| {
        let steps = fault["loc"].as_array().unwrap().iter();
        let steps: Vec<String> = steps
            .map(|step| step.to_string().trim_matches('"').to_owned())
            .collect();
        (fault["type"].as_str().unwrap().to_owned(), steps.join("."))
    });
    told.collect()
}

fn fault(refused: Result<RunRequest, Refusal>) -> (String, String) {
    let mut all = faults(refused);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn pair(kind: &str, place: &str) -> (String, String) {
    (kind.to_owned(), place.to_owned())
}

#[test]
fn a_whole_request_becomes_the_model_of_all_protocols() {
    let request = read(whole().to_string().as_bytes(), &RunLimits::default()).unwrap();
    assert_eq!((request.limit, request.settings.len()), (12, 1));
    assert!(
        !format!("{request:?}").contains("\"k\""),
        "no value of a setting is shown"
    );
    assert_eq!(contradictions(&request), [""; 0]);
    let inputs = inputs(&request).unwrap();
    let [input] = inputs.as_slice() else {
        panic!("{inputs:?}")
    };
    assert_eq!(
        (
            input.id.as_str(),
            input.entity.type_id.as_str(),
            input.entity.value()
        ),
        ("e1", "maltego.Domain", "example.org")
    );
    assert_eq!(input.entity.strict_fields, ["fqdn"]);
}

#[test]
fn what_is_missing_is_named_with_its_place() {
    let read = |body: &str| read(body.as_bytes(), &RunLimits::default());
    assert_eq!(
        faults(read("{\"input\": {}}")),
        [
            pair("missing", "body.input.metadata"),
            pair("missing", "body.input.graph"),
            pair("missing", "body.transformsettings"),
        ]
    );
    assert_eq!(fault(read("")), pair("missing", "body"));
    assert_eq!(fault(read("[]")), pair("model_attributes_type", "body"));
    assert_eq!(fault(read("{\"input\": ")), pair("json_invalid", "body.10"));
    assert_eq!(read_invalid(b"{\"a\": \"\xff\"}"), 400);
}

fn read_invalid(body: &[u8]) -> u16 {
    read(body, &RunLimits::default()).unwrap_err().status()
}

#[test]
fn wrong_types_are_named_as_clients_know_them() {
    let at = |name: &str, value: Value| fault(read_with(&format!("{ENTITY}/{name}"), value));
    let place = |name: &str| format!("body.input.graph.entities.0.{name}");
    assert_eq!(at("id", json!(5)), pair("string_type", &place("id")));
    assert_eq!(at("id", json!(null)), pair("string_type", &place("id")));
    assert_eq!(at("bookmark", json!(9)), pair("enum", &place("bookmark")));
    assert_eq!(
        at(
            "properties",
            json!([{"name": "a", "type": "STRING", "matchingRule": "fuzzy"}])
        ),
        pair("literal_error", &place("properties.0.matchingRule"))
    );
    assert_eq!(
        fault(read_with("/limit", json!("abc"))),
        pair("int_parsing", "body.limit")
    );
    let mut request = whole();
    request[ENTITY.split('/').nth(1).unwrap()]["graph"]["entities"][0]
        .as_object_mut()
        .unwrap()
        .remove("id");
    let refused = read(request.to_string().as_bytes(), &RunLimits::default());
    assert_eq!(fault(refused), pair("missing", &place("id")));
}

#[test]
fn limits_are_read_as_clients_write_them() {
    for (sent, limit) in [
        (json!("7"), 7),
        (json!(7.0), 7),
        (json!(0), 12),
        (json!(-3), 12),
        (json!(null), 12),
    ] {
        assert_eq!(read_with("/limit", sent.clone()).unwrap().limit, limit, "{sent}");
    }
}

#[test]
fn members_may_be_spelt_as_generated_clients_do() {
    let mut request = whole();
    let settings = request
        .as_object_mut()
        .unwrap()
        .remove("transformSettings")
        .unwrap();
    request["transformsettings"] = settings;
    let entity = request.pointer_mut(ENTITY).unwrap().as_object_mut().unwrap();
    let value_ref = entity.remove("valueRef").unwrap();
    entity.insert("value_ref".to_owned(), value_ref);
    let request = read(request.to_string().as_bytes(), &RunLimits::default()).unwrap();
    assert_eq!(request.entities[0].value_ref.as_deref(), Some("fqdn"));
    assert_eq!(request.settings.len(), 1);
}

#[test]
fn no_value_of_a_setting_is_repeated() {
    let refused = read_with("/transformSettings/0", json!({"name": 7, "value": "secret-key"})).unwrap_err();
    let body = String::from_utf8(refused.body()).unwrap();
    assert!(!body.contains("secret"), "{body}");
    let mut request = whole();
    request["transformSettings"] = json!({"name": "a", "value": "secret-key"});
    let refused = read(request.to_string().as_bytes(), &RunLimits::default()).unwrap_err();
    assert!(!String::from_utf8(refused.body()).unwrap().contains("secret"));
}

#[test]
fn graphs_that_contradict_themselves_are_refused() {
    let entity = |id: &str, to: &[&str]| json!({"id": id, "type": "acme.Thing", "properties": [{"name": "to", "type": "ENTITY", "value": to}]});
    let of = |entities: &[Value], links: &[Value]| {
        let mut request = whole();
        request["input"]["graph"] = json!({"entities": entities, "links": links});
        inputs(&read(request.to_string().as_bytes(), &RunLimits::default()).unwrap())
    };
    let malformed = Err(Refusal::Wrong("Invalid request: malformed input entities"));
    assert_eq!(of(&[entity("a", &[]), entity("a", &[])], &[]), malformed);
    assert_eq!(of(&[entity("a", &["x"])], &[]), malformed);
    assert_eq!(of(&[entity("a", &["b"]), entity("b", &["a"])], &[]), malformed);
    assert_eq!(of(&[entity("a", &["a"])], &[]), malformed);
    let link = |source: Value, target: Value| json!({"id": "l", "sourceId": source, "targetId": target});
    let invalid = Err(Refusal::Wrong("Invalid input."));
    assert_eq!(of(&[entity("a", &[])], &[link(json!("a"), json!("b"))]), invalid);
    assert_eq!(of(&[entity("a", &[])], &[link(json!(null), json!("a"))]), invalid);
    let ids = |found: Result<Vec<crate::json::graph::Input>, Refusal>| -> Vec<String> {
        found.unwrap().into_iter().map(|input| input.id).collect()
    };
    let all = [entity("c", &[]), entity("b", &["a"]), entity("a", &[])];
    assert_eq!(
        ids(of(&all, &[link(json!("a"), json!("b"))])),
        ["b", "c"],
        "a is part of b"
    );
}

#[test]
fn only_inputs_that_fit_are_run_on_where_any_does() {
    let mut request = whole();
    request["input"]["graph"]["entities"] = json!([
        {"id": "a", "type": "maltego.Phrase"},
        {"id": "b", "type": "acme.Own", "baseEntities": ["maltego.Domain"]},
        {"id": "c", "type": "maltego.Website"},
    ]);
    let request = read(request.to_string().as_bytes(), &RunLimits::default()).unwrap();
    let fitting = |types: &[&str], knows: bool| {
        let types: Vec<String> = types.iter().map(|&id| id.to_owned()).collect();
        let left = fitting(inputs(&request).unwrap(), &types, knows)?;
        Ok(left.into_iter().map(|input| input.id).collect::<String>())
    };
    assert_eq!(fitting(&["maltego.Domain"], true), Ok("b".to_owned()));
    assert_eq!(fitting(&["maltego.DNSName"], true), Ok("c".to_owned()));
    assert_eq!(fitting(&["maltego.Unknown"], true), Ok("abc".to_owned()));
    let none = Err(Refusal::Wrong("No input entity matches the transforms signature"));
    assert_eq!(fitting(&["maltego.Hash"], true), none);
    assert_eq!(fitting(&["maltego.Hash"], false), Ok("abc".to_owned()));
}

#[test]
fn counts_have_to_agree_with_what_is_sent() {
    let of = |pointer: &str, value: Value| contradictions(&read_with(pointer, value).unwrap());
    let types = "/input/metadata/entitiesTypesStat";
    assert_eq!(of(types, json!({"maltego.Domain": 2})).len(), 2);
    assert_eq!(
        of(types, json!({"maltego.Domain": 1, "maltego.Phrase": 0})).len(),
        0
    );
    assert_eq!(
        of(&format!("{ENTITY}/baseEntities"), json!(["acme.Base"])).len(),
        2
    );
    assert_eq!(of("/input/metadata/entitiesTotalCount", json!(3)).len(), 1);
    assert_eq!(
        of("/input/metadata/entitiesTotalCount", json!(null)),
        ["Malformed request body"]
    );
}

#[test]
fn bodies_of_too_many_parts_are_refused_before_they_are_read() {
    let limits = RunLimits {
        entities: 1,
        links: 0,
        properties: 1,
    };
    assert!(read(whole().to_string().as_bytes(), &limits).is_ok());
    for pointer in [
        "/input/graph/entities/1",
        "/input/graph/links/0",
        "/input/graph/entities/0/properties/1",
    ] {
        let mut request = whole();
        let (parent, _) = pointer.rsplit_once('/').unwrap();
        request
            .pointer_mut(parent)
            .unwrap()
            .as_array_mut()
            .unwrap()
            .push(json!({}));
        let refused = read(request.to_string().as_bytes(), &limits).unwrap_err();
        assert_eq!(refused.status(), 413, "{pointer}");
    }
}

#[test]
fn answers_to_prompts_are_found_under_any_name() {
    let read = |body: Value| prompt_answer(body.to_string().as_bytes());
    let chosen = |choices: &[&str]| PromptAnswer {
        is_chosen: true,
        chosen: choices.iter().map(|&choice| choice.to_owned()).collect(),
    };
    assert_eq!(
        read(json!({"reason": "COMPLETED", "result": {"c1": "b"}})),
        Ok(chosen(&["b"]))
    );
    assert_eq!(
        read(json!({"reason": "COMPLETED", "result": {"": ["a", "b"], "n": 1}})),
        Ok(chosen(&["a", "b"]))
    );
    let dismissed = read(json!({"reason": "CANCELLED", "result": {}})).unwrap();
    assert!(!dismissed.is_chosen);
    for bad in [
        json!({"reason": "LATER", "result": {}}),
        json!({"reason": "COMPLETED"}),
        json!([]),
    ] {
        assert_eq!(read(bad).unwrap_err().status(), 422);
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any value at any place is read or refused, and what is refused is told as JSON.
    #[test]
    fn anything_at_any_place_is_read_or_refused(
        place in prop::sample::select(vec![
            "/input", "/limit", "/transformSettings", "/transformRunExecutionContext", "/input/metadata", "/input/graph",
            "/input/graph/entities", "/input/graph/links", "/input/metadata/entitiesTypesStat",
            "/input/graph/entities/0/id", "/input/graph/entities/0/type", "/input/graph/entities/0/properties",
            "/input/graph/entities/0/baseEntities", "/input/graph/entities/0/weight", "/input/graph/entities/0/overlays",
        ]),
        value in value(),
    ) {
        match read_with(place, value) {
            Ok(request) => {
                prop_assert!(contradictions(&request).len() <= 2);
                if let Ok(inputs) = inputs(&request) {
                    prop_assert!(inputs.len() <= request.entities.len());
                }
            }
            Err(refused) => {
                let body: Value = serde_json::from_slice(&refused.body()).unwrap();
                prop_assert!(!body["detail"].is_null());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let refused = read(&body, &RunLimits::default()).unwrap_err();
        prop_assert!(matches!(refused.status(), 400 | 422));
    }
}
