//! Renders an OpenAPI 3.1 document in the older editions that tools still read, and as a page for people.
//!
//! Pure functions over the document as JSON. What generators are known to drop shapes the older editions: they hold no
//! union with `null`, members hold what they refer to, and `allOf` of objects is one object.

mod example;
mod page;
mod plain;
mod schema;
mod v20;
mod v30;
mod words;

pub use example::{Request, request};
pub use page::{PLACE, page, style_hash};
pub use words::escaped;

use serde_json::{Map, Value};

/// Names an older edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// OpenAPI 3.0.3.
    V30,
    /// Swagger 2.0.
    V20,
}

/// Renders an OpenAPI 3.1 document in an older edition. What the edition cannot say is left out or widened, so that
/// whatever the document allows is allowed by the rendering; `null` is the exception, see the module.
#[must_use]
pub fn render(document: &Value, version: Version) -> Value {
    match version {
        Version::V30 => v30::render(document),
        Version::V20 => v20::render(document),
    }
}

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Lists the operations: path, method and operation, in the document's order.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Map<String, Value>)> {
    members(document, "paths").flat_map(|(path, item)| {
        let item = item.as_object().into_iter().flatten();
        item.filter(|(method, _)| METHODS.contains(&method.as_str()))
            .filter_map(move |(method, operation)| Some((path, method.as_str(), operation.as_object()?)))
    })
}

/// Lists the members of a member that is an object; nothing where it is not there.
fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let object = value.get(name).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

/// Lists the elements of a member that is an array; nothing where it is not there.
fn elements<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Follows a reference into the document, where the value is one.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str);
    target
        .and_then(|target| document.pointer(target.strip_prefix('#')?))
        .unwrap_or(value)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Copies the named members that are there.
fn copied(from: &Value, names: &[&str]) -> Map<String, Value> {
    let mut copy = Map::new();
    for name in names {
        if let Some(value) = from.get(name) {
            copy.insert((*name).to_owned(), value.clone());
        }
    }
    copy
}

#[cfg(test)]
mod tests;
