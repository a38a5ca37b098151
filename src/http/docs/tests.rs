//! What generators are known to need of our own document.

use std::collections::HashSet;

use serde_json::{Value, json};
use utoipa::OpenApi;

use super::Document;
use crate::openapi::{Version, operations, page, render, request};

/// Generators for Python rename or lose parameters of these names.
const RESERVED: [&str; 6] = ["type", "id", "hash", "filter", "input", "format"];

fn own() -> Value {
    serde_json::to_value(Document::openapi()).unwrap()
}

/// Lists the values of members called `name`, wherever they are.
fn all<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key == name {
                    found.push(member);
                }
                all(member, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

fn reserved_parameters(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    all(document, "parameters", &mut found);
    let names = found
        .iter()
        .flat_map(|list| list.as_array().into_iter().flatten());
    names
        .filter_map(|parameter| parameter["name"].as_str())
        .filter(|name| RESERVED.contains(name))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn no_parameter_has_a_name_that_generators_take_for_their_own() {
    for version in [Version::V30, Version::V20] {
        let document = render(&own(), version);
        assert_eq!(
            reserved_parameters(&document),
            Vec::<String>::new(),
            "{version:?}"
        );
    }
    let bad = json!({"paths": {"/": {"get": {"parameters": [{"name": "type"}, {"name": "kind"}]}}}});
    assert_eq!(reserved_parameters(&bad), ["type"], "the check itself");
}

#[test]
fn every_operation_has_an_id_of_its_own_and_an_example() {
    let document = own();
    let mut ids = HashSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation.get("operationId").and_then(Value::as_str);
        assert!(id.is_some_and(|id| ids.insert(id)), "{method} {path}: {id:?}");
        let example = request(&document, path, operation);
        let example = example.unwrap_or_else(|| panic!("{method} {path} has no example"));
        assert!(
            !example.target.contains('{'),
            "{method} {path}: {}",
            example.target
        );
    }
    assert!(ids.contains("scoreAlert"), "{ids:?}");
}

#[test]
fn the_renderings_keep_every_operation_and_every_reference_leads_somewhere() {
    let document = own();
    let named = |document: &Value| -> Vec<(String, String)> {
        operations(document)
            .map(|(path, method, _)| (path.to_owned(), method.to_owned()))
            .collect()
    };
    for version in [Version::V30, Version::V20] {
        let rendered = render(&document, version);
        assert_eq!(named(&rendered), named(&document), "{version:?}");
        let mut references = Vec::new();
        all(&rendered, "$ref", &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let path = reference.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(
                rendered.pointer(path).is_some(),
                "{version:?}: {reference} leads nowhere"
            );
        }
        let mut types = Vec::new();
        all(&rendered, "type", &mut types);
        assert!(
            !types.iter().any(|kind| kind.is_array()),
            "{version:?}: a union of types"
        );
    }
}

/// The generator of one SOAR follows a reference of an answer once and looks for `properties` there.
#[test]
fn a_score_is_found_where_an_answer_refers() {
    let document = own();
    for (version, schemas, path) in [
        (
            Version::V30,
            "/components/schemas",
            "/content/application~1json/schema/$ref",
        ),
        (Version::V20, "/definitions", "/schema/$ref"),
    ] {
        let rendered = render(&document, version);
        let answer = &rendered["paths"]["/v1/domain/{domain}/reputation"]["get"]["responses"]["200"];
        let target = answer
            .pointer(path)
            .unwrap()
            .as_str()
            .unwrap()
            .strip_prefix('#')
            .unwrap();
        let properties = &rendered.pointer(target).unwrap()["properties"];
        assert_eq!(properties["max_score"]["type"], "integer", "{version:?}");
        assert_eq!(properties["decision"]["type"], "string", "{version:?}");
        let item = properties["indicators"]["items"]["$ref"]
            .as_str()
            .unwrap()
            .strip_prefix('#')
            .unwrap();
        assert!(item.starts_with(schemas), "{version:?}");
        assert_eq!(
            rendered.pointer(item).unwrap()["properties"]["score"]["type"],
            "integer"
        );
    }
}

#[test]
fn the_page_shows_each_operation_with_an_example_and_each_schema() {
    let document = serde_json::to_value(Document::openapi()).unwrap();
    let html = page(&document, &[("openapi.json", "OpenAPI 3.1")], true);
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("<h3 id=\"{id}\">")), "{method} {path}");
        assert!(html.contains(&format!("href=\"#{id}\"")), "{method} {path}");
        assert!(html.contains(&format!("<code>{path}</code>")), "{method} {path}");
    }
    assert_eq!(html.matches("curl -s").count(), operations(&document).count());
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
    let anchors = html
        .split("href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    for anchor in anchors {
        assert!(
            html.contains(&format!("id=\"{anchor}\"")),
            "#{anchor} leads nowhere"
        );
    }
    assert!(html.contains("<a href=\"openapi.json\">OpenAPI 3.1</a>"));
}
