//! OpenAPI 3.0.3.

use serde_json::{Map, Value, json};

use super::schema::Schemas;
use super::{METHODS, Version, copied, elements, example, members, resolve};

pub(super) fn render(document: &Value) -> Value {
    let mut writer = Writer {
        document,
        schemas: Schemas::new(document, Version::V30),
    };
    let mut rendered = copied(document, &["servers", "security", "tags", "externalDocs"]);
    rendered.insert("openapi".to_owned(), json!("3.0.3"));
    rendered.insert("info".to_owned(), info(document));
    let paths = members(document, "paths").map(|(path, item)| (path.to_owned(), writer.path(item)));
    rendered.insert("paths".to_owned(), Value::Object(paths.collect()));
    let components = document.get("components").unwrap_or(&Value::Null);
    let mut kept = copied(components, &["securitySchemes"]);
    kept.insert("schemas".to_owned(), Value::Object(writer.schemas.all()));
    rendered.insert("components".to_owned(), Value::Object(kept));
    Value::Object(rendered)
}

/// Renders what is said of the document as a whole; a licence has no identifier before 3.1.
pub(super) fn info(document: &Value) -> Value {
    let given = document.get("info").unwrap_or(&Value::Null);
    let mut info = copied(
        given,
        &["title", "description", "termsOfService", "contact", "version"],
    );
    if let Some(licence) = given.get("license") {
        info.insert(
            "license".to_owned(),
            Value::Object(copied(licence, &["name", "url"])),
        );
    }
    Value::Object(info)
}

struct Writer<'a> {
    document: &'a Value,
    schemas: Schemas<'a>,
}

impl<'a> Writer<'a> {
    fn path(&mut self, item: &'a Value) -> Value {
        let mut rendered = copied(item, &["summary", "description", "servers"]);
        self.parameters(item, &mut rendered);
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                rendered.insert(method.to_owned(), self.operation(operation));
            }
        }
        Value::Object(rendered)
    }

    fn parameters(&mut self, from: &'a Value, to: &mut Map<String, Value>) {
        let parameters: Vec<Value> = elements(from, "parameters")
            .map(|one| self.parameter(one))
            .collect();
        if !parameters.is_empty() {
            to.insert("parameters".to_owned(), Value::Array(parameters));
        }
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
                "servers",
            ],
        );
        self.parameters(operation, &mut rendered);
        if let Some(body) = operation.get("requestBody") {
            let body = resolve(self.document, body);
            let mut kept = copied(body, &["description", "required"]);
            kept.insert("content".to_owned(), self.content(body, true));
            rendered.insert("requestBody".to_owned(), Value::Object(kept));
        }
        let responses = members(operation, "responses").map(|(status, response)| {
            let response = resolve(self.document, response);
            let mut kept = copied(response, &["description"]);
            if response.get("content").is_some() {
                kept.insert("content".to_owned(), self.content(response, false));
            }
            let headers: Map<String, Value> = members(response, "headers")
                .map(|(name, header)| (name.to_owned(), self.parameter(header)))
                .collect();
            if !headers.is_empty() {
                kept.insert("headers".to_owned(), Value::Object(headers));
            }
            (status.to_owned(), Value::Object(kept))
        });
        let responses: Map<String, Value> = responses.collect();
        rendered.insert("responses".to_owned(), Value::Object(responses));
        Value::Object(rendered)
    }

    /// Renders a parameter, or a header, which says the same without a name.
    fn parameter(&mut self, parameter: &'a Value) -> Value {
        let parameter = resolve(self.document, parameter);
        let mut rendered = copied(
            parameter,
            &[
                "name",
                "in",
                "description",
                "required",
                "deprecated",
                "style",
                "explode",
            ],
        );
        if let Some(schema) = parameter.get("schema") {
            rendered.insert("schema".to_owned(), self.schemas.present(schema));
        }
        if let Some(example) = example::of_parameter(self.document, parameter) {
            rendered.insert("example".to_owned(), example);
        }
        Value::Object(rendered)
    }

    fn content(&mut self, body: &'a Value, request: bool) -> Value {
        let content = members(body, "content").map(|(kind, media)| {
            let mut rendered = Map::new();
            if let Some(schema) = media.get("schema") {
                rendered.insert("schema".to_owned(), self.schemas.one(schema));
            }
            let example = if request {
                example::of_media(self.document, media)
            } else {
                example::given(media)
            };
            if let Some(example) = example {
                rendered.insert("example".to_owned(), example);
            }
            (kind.to_owned(), Value::Object(rendered))
        });
        Value::Object(content.collect())
    }
}
