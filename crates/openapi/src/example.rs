//! Makes an example request of what the document says by example.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{elements, members, resolve, text};

/// Is an example of an operation's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The path and, where parameters of the query are required, the query; percent-encoded.
    pub target: String,
    /// The body, where the operation has one.
    pub body: Option<Value>,
}

/// Makes the example request of an operation: every required parameter, and the body. None where one has no example.
#[must_use]
pub fn request(document: &Value, path: &str, operation: &Map<String, Value>) -> Option<Request> {
    let item = document
        .get("paths")
        .and_then(|paths| paths.get(path))
        .unwrap_or(&Value::Null);
    let own = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut target = path.to_owned();
    let mut query = Vec::new();
    for parameter in elements(item, "parameters").chain(own) {
        let parameter = resolve(document, parameter);
        if parameter.get("required") != Some(&Value::Bool(true)) {
            continue;
        }
        let example = of_parameter(document, parameter)?;
        let example = example
            .as_str()
            .map_or_else(|| example.to_string(), ToOwned::to_owned);
        let encoded = utf8_percent_encode(&example, NON_ALPHANUMERIC).to_string();
        // What needs no escape is easier to read without one.
        let encoded = ["%2E", "%2D", "%5F", "%7E"]
            .iter()
            .zip([".", "-", "_", "~"])
            .fold(encoded, |text, (code, sign)| text.replace(code, sign));
        let name = text(parameter, "name");
        match text(parameter, "in") {
            "path" => target = target.replace(&format!("{{{name}}}"), &encoded),
            "query" => query.push(format!("{name}={encoded}")),
            _ => {}
        }
    }
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let body = match operation.get("requestBody") {
        Some(body) => {
            let (_, media) = members(resolve(document, body), "content").next()?;
            Some(of_media(document, media)?)
        }
        None => None,
    };
    Some(Request { target, body })
}

/// Returns what stands there as the example, or as the first of several.
pub(super) fn given(value: &Value) -> Option<Value> {
    if let Some(example) = value.get("example") {
        return Some(example.clone());
    }
    match value.get("examples") {
        Some(Value::Array(examples)) => examples.first().cloned(),
        Some(Value::Object(examples)) => examples.values().next()?.get("value").cloned(),
        _ => None,
    }
}

pub(super) fn of_parameter(document: &Value, parameter: &Value) -> Option<Value> {
    given(parameter).or_else(|| given(resolve(document, parameter.get("schema")?)))
}

/// Returns the example of a body: its own, its schema's, or one made of the members that have one.
pub(super) fn of_media(document: &Value, media: &Value) -> Option<Value> {
    if let Some(example) = given(media) {
        return Some(example);
    }
    let schema = resolve(document, media.get("schema")?);
    if let Some(example) = given(schema) {
        return Some(example);
    }
    let examples: Map<String, Value> = members(schema, "properties")
        .filter_map(|(name, member)| Some((name.to_owned(), given(member)?)))
        .collect();
    let whole =
        elements(schema, "required").all(|name| examples.contains_key(name.as_str().unwrap_or_default()));
    (whole && !examples.is_empty()).then_some(Value::Object(examples))
}
