use serde_json::{Value, json};

use super::{document, schemas};
use crate::{Request, Version, operations, render, request};

fn rendered(version: Version) -> Value {
    render(&document(&schemas()), version)
}

#[test]
fn a_member_that_may_be_null_is_plain_with_a_word_beside_it() {
    let document = rendered(Version::V30);
    let base = &document["components"]["schemas"]["Base"];
    assert_eq!(
        base["properties"]["score"],
        json!({
            "type": "integer", "minimum": 0, "nullable": true,
            "description": "A score. Unknown where `score_known` is false: `null`, never 0.",
        })
    );
    assert!(base["required"].as_array().unwrap().contains(&json!("score")));
    assert_eq!(
        base["properties"]["by_name"]["additionalProperties"],
        json!({"type": "integer", "nullable": true})
    );

    let document = rendered(Version::V20);
    let base = &document["definitions"]["Base"];
    assert_eq!(base["properties"]["score"]["type"], "integer");
    assert_eq!(base["properties"]["score"]["x-nullable"], true);
    assert!(!base["required"].as_array().unwrap().contains(&json!("score")));
    assert!(
        base["required"]
            .as_array()
            .unwrap()
            .contains(&json!("score_known"))
    );
}

#[test]
fn what_need_not_be_there_is_left_out_rather_than_null() {
    let document = rendered(Version::V30);
    let schemas = &document["components"]["schemas"];
    assert_eq!(
        schemas["Question"]["properties"]["limit"],
        json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 9})
    );
    assert_eq!(
        schemas["Answer"]["properties"]["sample"],
        json!({"type": "boolean"})
    );
    assert_eq!(schemas["Question"]["additionalProperties"], false);
}

#[test]
fn members_hold_what_they_refer_to_and_items_refer() {
    for (version, schemas, target) in [
        (Version::V30, "/components/schemas", "#/components/schemas/Size"),
        (Version::V20, "/definitions", "#/definitions/Size"),
    ] {
        let document = rendered(version);
        let base = document.pointer(schemas).unwrap()["Base"]["properties"].clone();
        assert_eq!(
            base["mood"],
            json!({"type": "string", "enum": ["good", "bad"], "description": "How it is."})
        );
        assert_eq!(base["size"]["properties"]["wide"], json!({"type": "integer"}));
        assert_eq!(base["list"]["items"], json!({"$ref": target}));
    }
}

#[test]
fn a_schema_within_itself_stays_a_reference() {
    let document = rendered(Version::V30);
    assert_eq!(
        document["components"]["schemas"]["Base"]["properties"]["more"],
        json!({"allOf": [{"$ref": "#/components/schemas/Base"}], "nullable": true})
    );
    let document = rendered(Version::V20);
    assert_eq!(
        document["definitions"]["Base"]["properties"]["more"],
        json!({"$ref": "#/definitions/Base"})
    );
}

#[test]
fn all_of_objects_is_one_object() {
    let document = rendered(Version::V20);
    let answer = &document["definitions"]["Answer"];
    assert_eq!(answer.get("allOf"), None);
    assert_eq!(answer["description"], "An answer.");
    assert_eq!(answer["properties"]["score"]["type"], "integer");
    assert_eq!(answer["properties"]["sample"]["type"], "boolean");
    assert!(answer["required"].as_array().unwrap().contains(&json!("mood")));
}

#[test]
fn alternatives_become_the_widest_simple_form_where_there_are_none() {
    let document = rendered(Version::V20);
    let definitions = &document["definitions"];
    assert_eq!(
        definitions["Question"]["properties"]["who"],
        json!({
            "type": "array", "items": {"type": "string"}, "description": "Who asks.", "example": ["me"],
            "x-nullable": true,
        })
    );
    // Neither a number nor a text would be true of both.
    assert_eq!(definitions["Base"]["properties"]["raw"], json!({}));
    let document = rendered(Version::V30);
    let raw = &document["components"]["schemas"]["Base"]["properties"]["raw"];
    assert_eq!(raw["oneOf"], json!([{"type": "integer"}, {"type": "string"}]));
}

#[test]
fn newer_words_are_gone() {
    for version in [Version::V30, Version::V20] {
        let document = rendered(version);
        let text = document.to_string();
        for word in [
            "\"const\"",
            "\"examples\"",
            "propertyNames",
            "contentMediaType",
            "$comment",
            "identifier",
            "webhooks",
            "jsonSchemaDialect",
            "\"summary\":\"short\"",
            "\"null\"",
        ] {
            assert!(!text.contains(word), "{version:?}: {word}");
        }
        assert!(
            text.contains("\"enum\":[\"yes\"]"),
            "{version:?}: a constant is an enumeration of one"
        );
    }
    let text = rendered(Version::V20).to_string();
    for word in [
        "oneOf",
        "\"nullable\"",
        "requestBody",
        "components",
        "\"content\"",
        "cookie",
    ] {
        assert!(!text.contains(word), "2.0: {word}");
    }
}

#[test]
fn swagger_has_bodies_among_the_parameters_and_flat_answers() {
    let document = rendered(Version::V20);
    assert_eq!(document["swagger"], "2.0");
    assert_eq!((document.get("host"), document.get("schemes")), (None, None));
    let operation = &document["paths"]["/doors/{door}"]["post"];
    assert_eq!(operation["consumes"], json!(["application/json"]));
    assert_eq!(
        operation["produces"],
        json!(["application/json", "application/problem+json"])
    );
    assert_eq!(
        operation["parameters"],
        json!([
            {"name": "door", "in": "path", "required": true, "type": "string", "x-example": "a b/c"},
            {
                "name": "color", "in": "query", "type": "array", "items": {"type": "string"},
                "collectionFormat": "multi",
            },
            {"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Question"}},
        ])
    );
    assert_eq!(
        operation["responses"]["400"],
        json!({
            "description": "Shut.", "schema": {"type": "object"},
            "headers": {"Retry-After": {"description": "Seconds.", "type": "integer"}},
        })
    );
    assert_eq!(
        document["securityDefinitions"]["token"],
        json!({"description": "A token.", "type": "apiKey", "name": "Authorization", "in": "header"})
    );
    assert_eq!(
        document["definitions"]["Question"]["example"],
        json!({"who": ["me"]})
    );
}

#[test]
fn an_example_request_is_made_of_the_examples() {
    let mut document = document(&schemas());
    let example = |document: &Value| {
        let (path, _, operation) = operations(document).next().unwrap();
        request(document, path, operation)
    };
    let expected = Request {
        target: "/doors/a%20b%2Fc".to_owned(),
        body: Some(json!({"who": "me"})),
    };
    assert_eq!(example(&document), Some(expected));
    let post = "/paths/~1doors~1{door}/post";
    let lost = document.pointer_mut(&format!("{post}/parameters/0")).unwrap();
    lost.as_object_mut().unwrap().remove("example");
    assert_eq!(
        example(&document),
        None,
        "a required parameter without an example"
    );
}
