//! Swagger 2.0.

use serde_json::{Map, Value, json};

use super::schema::Schemas;
use super::{METHODS, Version, copied, elements, example, members, resolve, text, v30};

const JSON: &str = "application/json";

pub(super) fn render(document: &Value) -> Value {
    let mut schemas = Schemas::new(document, Version::V20);
    let definitions = schemas.all();
    let mut writer = Writer {
        document,
        schemas,
        definitions,
    };
    let mut rendered = Map::new();
    rendered.insert("swagger".to_owned(), json!("2.0"));
    rendered.insert("info".to_owned(), v30::info(document));
    rendered.append(&mut copied(document, &["tags", "externalDocs", "security"]));
    let paths: Map<String, Value> = members(document, "paths")
        .map(|(path, item)| (path.to_owned(), writer.path(item)))
        .collect();
    rendered.insert("paths".to_owned(), Value::Object(paths));
    rendered.insert("definitions".to_owned(), Value::Object(writer.definitions));
    let components = document.get("components").unwrap_or(&Value::Null);
    let securities: Map<String, Value> = members(components, "securitySchemes")
        .map(|(name, scheme)| (name.to_owned(), security(scheme)))
        .collect();
    if !securities.is_empty() {
        rendered.insert("securityDefinitions".to_owned(), Value::Object(securities));
    }
    Value::Object(rendered)
}

/// Renders a way to authenticate. There are no bearer tokens in 2.0; generators send an `apiKey` without a word before
/// it, which is taken.
fn security(scheme: &Value) -> Value {
    let mut rendered = copied(scheme, &["description"]);
    match (text(scheme, "type"), text(scheme, "scheme")) {
        ("http", "basic") => {
            rendered.insert("type".to_owned(), json!("basic"));
        }
        ("apiKey", _) => rendered.append(&mut copied(scheme, &["type", "name", "in"])),
        _ => {
            rendered.insert("type".to_owned(), json!("apiKey"));
            rendered.insert("name".to_owned(), json!("Authorization"));
            rendered.insert("in".to_owned(), json!("header"));
        }
    }
    Value::Object(rendered)
}

struct Writer<'a> {
    document: &'a Value,
    schemas: Schemas<'a>,
    definitions: Map<String, Value>,
}

impl<'a> Writer<'a> {
    fn path(&mut self, item: &'a Value) -> Value {
        let mut rendered = Map::new();
        let shared: Vec<Value> = elements(item, "parameters")
            .filter_map(|one| self.parameter(one))
            .collect();
        if !shared.is_empty() {
            rendered.insert("parameters".to_owned(), Value::Array(shared));
        }
        // There is no `trace` in 2.0.
        for method in METHODS.into_iter().filter(|method| *method != "trace") {
            if let Some(operation) = item.get(method) {
                rendered.insert(method.to_owned(), self.operation(operation));
            }
        }
        Value::Object(rendered)
    }

    fn operation(&mut self, operation: &'a Value) -> Value {
        let mut rendered = copied(
            operation,
            &[
                "tags",
                "summary",
                "description",
                "externalDocs",
                "operationId",
                "deprecated",
                "security",
            ],
        );
        let mut parameters: Vec<Value> = elements(operation, "parameters")
            .filter_map(|one| self.parameter(one))
            .collect();
        if let Some(body) = operation.get("requestBody") {
            let body = resolve(self.document, body);
            let kinds: Vec<&str> = members(body, "content").map(|(kind, _)| kind).collect();
            rendered.insert("consumes".to_owned(), json!(kinds));
            parameters.push(self.body(body));
        }
        if !parameters.is_empty() {
            rendered.insert("parameters".to_owned(), Value::Array(parameters));
        }
        let mut kinds: Vec<&str> = Vec::new();
        let mut responses = Map::new();
        for (status, response) in members(operation, "responses") {
            let response = resolve(self.document, response);
            for (kind, _) in members(response, "content") {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            responses.insert(status.to_owned(), self.response(response));
        }
        if !kinds.is_empty() {
            rendered.insert("produces".to_owned(), json!(kinds));
        }
        rendered.insert("responses".to_owned(), Value::Object(responses));
        Value::Object(rendered)
    }

    /// Renders a parameter; there are none in cookies in 2.0.
    fn parameter(&mut self, parameter: &'a Value) -> Option<Value> {
        let parameter = resolve(self.document, parameter);
        if text(parameter, "in") == "cookie" {
            return None;
        }
        let mut rendered = copied(parameter, &["name", "in", "description", "required"]);
        rendered.append(&mut self.simple(parameter));
        if text(parameter, "in") == "query" && text(&Value::Object(rendered.clone()), "type") == "array" {
            rendered.insert("collectionFormat".to_owned(), json!("multi"));
        }
        if let Some(example) = example::of_parameter(self.document, parameter) {
            rendered.insert("x-example".to_owned(), example);
        }
        Some(Value::Object(rendered))
    }

    /// Renders the schema of a parameter or header, whose words stand beside its name and which is never an object.
    fn simple(&mut self, parameter: &Value) -> Map<String, Value> {
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        let schema = self.schemas.present(schema);
        let mut rendered = copied(
            &schema,
            &[
                "type",
                "format",
                "items",
                "default",
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
                "enum",
                "multipleOf",
            ],
        );
        if !rendered.contains_key("type") {
            rendered.insert("type".to_owned(), json!("string"));
        }
        rendered
    }

    fn body(&mut self, body: &'a Value) -> Value {
        let mut rendered = Map::from_iter([
            ("name".to_owned(), json!("body")),
            ("in".to_owned(), json!("body")),
        ]);
        rendered.append(&mut copied(body, &["description", "required"]));
        let media = preferred(body);
        let schema = media
            .get("schema")
            .map(|schema| self.schemas.one(schema))
            .unwrap_or_else(|| json!({}));
        if let Some(example) = example::of_media(self.document, media)
            && let Some(definition) = text(&schema, "$ref").strip_prefix("#/definitions/")
            && let Some(Value::Object(definition)) = self.definitions.get_mut(definition)
        {
            let example = as_lists(&example, definition);
            definition.entry("example").or_insert(example);
        }
        rendered.insert("schema".to_owned(), schema);
        Value::Object(rendered)
    }

    fn response(&mut self, response: &'a Value) -> Value {
        let mut rendered = copied(response, &["description"]);
        let media = preferred(response);
        if let Some(schema) = media.get("schema") {
            rendered.insert("schema".to_owned(), self.schemas.one(schema));
        }
        let headers: Map<String, Value> = members(response, "headers")
            .map(|(name, header)| {
                let mut kept = copied(header, &["description"]);
                kept.append(&mut self.simple(header));
                (name.to_owned(), Value::Object(kept))
            })
            .collect();
        if !headers.is_empty() {
            rendered.insert("headers".to_owned(), Value::Object(headers));
        }
        let examples: Map<String, Value> = members(response, "content")
            .filter_map(|(kind, media)| Some((kind.to_owned(), example::given(media)?)))
            .collect();
        if !examples.is_empty() {
            rendered.insert("examples".to_owned(), Value::Object(examples));
        }
        Value::Object(rendered)
    }
}

/// Picks the one media type that 2.0 has room for: JSON, else the first.
fn preferred(body: &Value) -> &Value {
    let content = body.get("content").and_then(Value::as_object);
    content
        .and_then(|content| content.get(JSON).or_else(|| content.values().next()))
        .unwrap_or(&Value::Null)
}

/// Puts single values into lists where the rendered definition takes only lists.
fn as_lists(example: &Value, definition: &Map<String, Value>) -> Value {
    let Some(example) = example.as_object() else {
        return example.clone();
    };
    let member = |name: &str, value: &Value| {
        let property = definition
            .get("properties")
            .and_then(|properties| properties.get(name));
        match property {
            Some(property) if text(property, "type") == "array" && !value.is_array() => json!([value]),
            _ => value.clone(),
        }
    };
    let lists = example
        .iter()
        .map(|(name, value)| (name.clone(), member(name, value)));
    Value::Object(lists.collect())
}
