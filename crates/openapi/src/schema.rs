//! Renders schemas.

use serde_json::{Map, Value, json};

use super::plain::{is_object, older_words, widest, without_null};
use super::{Version, members, resolve};

const KEPT: [&str; 24] = [
    "type",
    "format",
    "title",
    "description",
    "default",
    "enum",
    "items",
    "properties",
    "additionalProperties",
    "required",
    "allOf",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "readOnly",
    "example",
];
const KEPT_IN_3: [&str; 6] = ["oneOf", "anyOf", "not", "nullable", "writeOnly", "deprecated"];
/// How deep parts of `allOf` are looked for.
const DEEPEST: usize = 8;

/// Says where a schema stands. Generators follow a reference of a body, a response or an item; one of a member they lose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchemaPosition {
    Named,
    Member,
}

/// Renders schemas of a document.
pub(super) struct Schemas<'a> {
    document: &'a Value,
    version: Version,
    /// The references that are being written out.
    inside: Vec<String>,
}

impl<'a> Schemas<'a> {
    pub(super) const fn new(document: &'a Value, version: Version) -> Self {
        Self {
            document,
            version,
            inside: Vec::new(),
        }
    }

    /// Renders every schema of the components, under its name.
    pub(super) fn all(&mut self) -> Map<String, Value> {
        let components = self.document.get("components").unwrap_or(&Value::Null);
        members(components, "schemas")
            .map(|(name, schema)| {
                self.inside = vec![format!("#/components/schemas/{name}")];
                let rendered = self.schema(schema, SchemaPosition::Named, false);
                self.inside.clear();
                (name.to_owned(), rendered)
            })
            .collect()
    }

    /// Renders the schema of a body.
    pub(super) fn one(&mut self, schema: &Value) -> Value {
        self.schema(schema, SchemaPosition::Named, false)
    }

    /// Renders the schema of a parameter, which is left out rather than null.
    pub(super) fn present(&mut self, schema: &Value) -> Value {
        let (schema, _) = schema.as_object().map(without_null).unwrap_or_default();
        self.schema(&Value::Object(schema), SchemaPosition::Member, false)
    }

    fn schema(&mut self, given: &Value, place: SchemaPosition, nullable: bool) -> Value {
        let Some(given) = given.as_object() else {
            return json!({});
        };
        let (mut schema, null) = without_null(given);
        let nullable = nullable || null;
        let Some(target) = schema.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned) else {
            return self.plain(schema, nullable);
        };
        let found = target
            .strip_prefix('#')
            .and_then(|path| self.document.pointer(path));
        let Some(found) = found.and_then(Value::as_object) else {
            return json!({});
        };
        let by_name = place == SchemaPosition::Named && !nullable && is_object(found);
        if by_name || self.inside.contains(&target) {
            let reference = json!({"$ref": self.reference(&target)});
            return match self.version {
                Version::V30 if nullable => json!({"allOf": [reference], "nullable": true}),
                _ => reference,
            };
        }
        schema.remove("$ref");
        let mut whole = found.clone();
        whole.extend(schema);
        self.inside.push(target);
        let rendered = self.schema(&Value::Object(whole), place, nullable);
        self.inside.pop();
        rendered
    }

    fn reference(&self, target: &str) -> String {
        match self.version {
            Version::V30 => target.to_owned(),
            Version::V20 => target.replacen("#/components/schemas/", "#/definitions/", 1),
        }
    }

    fn plain(&mut self, mut schema: Map<String, Value>, nullable: bool) -> Value {
        if let Some(merged) = self.merged(&schema, DEEPEST) {
            schema = merged;
        }
        older_words(&mut schema);
        self.alternatives(&mut schema);
        self.object(&mut schema);
        if let Some(items) = schema.get("items").cloned() {
            schema.insert(
                "items".to_owned(),
                self.schema(&items, SchemaPosition::Named, false),
            );
        } else if schema.get("type").is_some_and(|kind| kind == "array") {
            schema.insert("items".to_owned(), json!({}));
        }
        if nullable {
            match self.version {
                Version::V30 => {
                    schema.insert("nullable".to_owned(), Value::Bool(true));
                    if let Some(Value::Array(values)) = schema.get_mut("enum") {
                        values.push(Value::Null);
                    }
                }
                Version::V20 => {
                    schema.insert("x-nullable".to_owned(), Value::Bool(true));
                }
            }
        }
        let more = match self.version {
            Version::V30 => KEPT_IN_3.as_slice(),
            Version::V20 => &[],
        };
        schema.retain(|word, _| {
            KEPT.contains(&word.as_str()) || more.contains(&word.as_str()) || word.starts_with("x-")
        });
        Value::Object(schema)
    }

    /// Makes one object of an `allOf` of objects, since generators look into the first part at most.
    fn merged(&self, schema: &Map<String, Value>, deepest: usize) -> Option<Map<String, Value>> {
        let parts = schema.get("allOf")?.as_array()?;
        let mut whole = schema.clone();
        whole.remove("allOf");
        let own = whole.remove("properties");
        let mut properties = Map::new();
        let mut required: Vec<Value> = Vec::new();
        for part in parts {
            let part = resolve(self.document, part).as_object()?;
            let part = if part.contains_key("allOf") {
                self.merged(part, deepest.checked_sub(1)?)?
            } else {
                part.clone()
            };
            properties.extend(part.get("properties")?.as_object()?.clone());
            required.extend(
                part.get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        properties.extend(
            own.as_ref()
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
        );
        required.extend(
            whole
                .remove("required")
                .as_ref()
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
        );
        whole.insert("type".to_owned(), json!("object"));
        whole.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            whole.insert("required".to_owned(), Value::Array(required));
        }
        Some(whole)
    }

    fn alternatives(&mut self, schema: &mut Map<String, Value>) {
        for word in ["allOf", "oneOf", "anyOf"] {
            let Some(Value::Array(parts)) = schema.remove(word) else {
                continue;
            };
            let parts: Vec<Value> = parts
                .iter()
                .map(|part| self.schema(part, SchemaPosition::Named, false))
                .collect();
            if word == "allOf" || self.version == Version::V30 {
                schema.insert(word.to_owned(), Value::Array(parts));
            } else {
                let mut widest = widest(&parts);
                widest.append(schema);
                *schema = widest;
            }
        }
        // An example of one value, where only a list is left.
        if schema.get("type").is_some_and(|kind| kind == "array")
            && let Some(example) = schema.get_mut("example")
            && !example.is_array()
        {
            *example = json!([example.take()]);
        }
    }

    fn object(&mut self, schema: &mut Map<String, Value>) {
        if let Some(others @ Value::Object(_)) = schema.get("additionalProperties").cloned() {
            let rendered = self.schema(&others, SchemaPosition::Named, false);
            schema.insert("additionalProperties".to_owned(), rendered);
        }
        let Some(Value::Object(properties)) = schema.remove("properties") else {
            return;
        };
        let mut required: Vec<Value> = match schema.remove("required") {
            Some(Value::Array(names)) => names,
            _ => Vec::new(),
        };
        let mut rendered = Map::new();
        for (name, property) in &properties {
            let demanded = required.iter().any(|one| one == name);
            let (mut plain, null) = match property.as_object() {
                Some(property) => without_null(property),
                None => (Map::new(), false),
            };
            if null && properties.contains_key(&format!("{name}_known")) {
                let note = format!("Unknown where `{name}_known` is false: `null`, never 0.");
                let said = plain
                    .get("description")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                plain.insert(
                    "description".to_owned(),
                    Value::String(format!("{said} {note}").trim().to_owned()),
                );
            }
            // A member that need not be there is left out rather than null.
            let nullable = null && demanded;
            if nullable && self.version == Version::V20 {
                required.retain(|one| one != name);
            }
            let property = self.schema(&Value::Object(plain), SchemaPosition::Member, nullable);
            rendered.insert(name.clone(), property);
        }
        schema.insert("properties".to_owned(), Value::Object(rendered));
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(required));
        }
    }
}
