//! Single steps from what 3.1 says to what older editions can say.

use serde_json::{Map, Value, json};

use super::{copied, elements, text};

pub(super) fn is_object(schema: &Map<String, Value>) -> bool {
    schema.contains_key("properties") || schema.contains_key("allOf")
}

fn is_null(schema: &Value) -> bool {
    text(schema, "type") == "null"
}

/// Takes `null` out of a schema's alternatives, and tells whether it was there. A single alternative that is left
/// becomes the schema.
pub(super) fn without_null(schema: &Map<String, Value>) -> (Map<String, Value>, bool) {
    let mut schema = schema.clone();
    let mut null = false;
    if let Some(Value::Array(types)) = schema.get("type") {
        let left: Vec<Value> = types.iter().filter(|one| *one != "null").cloned().collect();
        null = left.len() < types.len();
        let left = match left.as_slice() {
            [one] => one.clone(),
            _ => Value::Array(left),
        };
        schema.insert("type".to_owned(), left);
    }
    for word in ["oneOf", "anyOf"] {
        let Some(Value::Array(parts)) = schema.get(word) else {
            continue;
        };
        let left: Vec<Value> = parts.iter().filter(|part| !is_null(part)).cloned().collect();
        if left.len() == parts.len() {
            continue;
        }
        null = true;
        schema.remove(word);
        match left.as_slice() {
            [Value::Object(one)] => {
                let mut one = one.clone();
                one.append(&mut schema);
                schema = one;
            }
            _ => {
                schema.insert(word.to_owned(), Value::Array(left));
            }
        }
    }
    (schema, null)
}

/// Says in older words what 3.1 says in newer ones.
pub(super) fn older_words(schema: &mut Map<String, Value>) {
    if let Some(value) = schema.remove("const") {
        schema.insert("enum".to_owned(), json!([value]));
    }
    if let Some(Value::Array(examples)) = schema.remove("examples")
        && let Some(first) = examples.into_iter().next()
        && !schema.contains_key("example")
    {
        schema.insert("example".to_owned(), first);
    }
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(limit) = schema.get(exclusive).filter(|limit| limit.is_number()).cloned() {
            schema.insert(bound.to_owned(), limit);
            schema.insert(exclusive.to_owned(), Value::Bool(true));
        }
    }
    if let Some(Value::Array(types)) = schema.get("type") {
        let each: Vec<Value> = types.iter().map(|one| json!({"type": one})).collect();
        schema.remove("type");
        schema.insert("oneOf".to_owned(), Value::Array(each));
    }
}

/// Finds the simplest schema that takes what each part takes: a list before a single value, the type that all share,
/// else anything.
pub(super) fn widest(parts: &[Value]) -> Map<String, Value> {
    let list = parts.iter().find(|part| text(part, "type") == "array");
    if let Some(list) = list {
        return copied(list, &["type", "items"]);
    }
    let mut types: Vec<&str> = parts.iter().map(|part| text(part, "type")).collect();
    types.dedup();
    match types.as_slice() {
        [""] => Map::new(),
        [one] => {
            let mut schema = Map::from_iter([("type".to_owned(), json!(one))]);
            let words: Vec<Value> = parts
                .iter()
                .flat_map(|part| elements(part, "enum"))
                .cloned()
                .collect();
            if !words.is_empty() && parts.iter().all(|part| part.get("enum").is_some()) {
                schema.insert("enum".to_owned(), Value::Array(words));
            }
            schema
        }
        many if many.iter().all(|one| ["integer", "number"].contains(one)) => {
            Map::from_iter([("type".to_owned(), json!("number"))])
        }
        _ => Map::new(),
    }
}
