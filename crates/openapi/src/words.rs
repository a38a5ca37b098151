//! Words of the page: types, descriptions, escapes.

use std::fmt::Write;

use serde_json::Value;

use super::{elements, text};

/// Finds what is said of a member: beside its type, or beside the reference among its alternatives.
pub(super) fn described(property: &Value) -> &str {
    let own = std::iter::once(property);
    let parts = elements(property, "oneOf").chain(elements(property, "anyOf"));
    let mut said = own.chain(parts).map(|one| text(one, "description"));
    said.find(|said| !said.is_empty()).unwrap_or_default()
}

/// Writes a schema's type in words, with links.
pub(super) fn kind(schema: &Value) -> String {
    let several = |name: &str, between: &str| {
        let kinds: Vec<String> = elements(schema, name).map(kind).collect();
        (!kinds.is_empty()).then(|| kinds.join(between))
    };
    if let Some(name) = text(schema, "$ref")
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
    {
        let name = escaped(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(kinds) = several("oneOf", " or ").or_else(|| several("anyOf", " or ")) {
        return kinds;
    }
    if let Some(kinds) = several("allOf", " and ") {
        return kinds;
    }
    let words: Vec<String> = elements(schema, "enum")
        .map(|word| {
            let plain = word.as_str().map_or_else(|| word.to_string(), ToOwned::to_owned);
            format!("<code>{}</code>", escaped(&plain))
        })
        .collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let types = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => vec!["anything"],
    };
    let types: Vec<String> = types.into_iter().map(|one| typed(schema, one)).collect();
    let mut line = types.join(" or ");
    if let (Some(least), Some(max)) = (schema.get("minimum"), schema.get("maximum")) {
        _ = write!(
            line,
            ", {} to {}",
            escaped(&least.to_string()),
            escaped(&max.to_string())
        );
    }
    line
}

fn typed(schema: &Value, name: &str) -> String {
    match name {
        "array" => format!(
            "list of {}",
            schema.get("items").map_or_else(|| "anything".to_owned(), kind)
        ),
        "object" => match schema.get("additionalProperties") {
            Some(others @ Value::Object(_)) => format!("object of {}", kind(others)),
            _ => "object".to_owned(),
        },
        "string" if !text(schema, "format").is_empty() => {
            format!("string ({})", escaped(text(schema, "format")))
        }
        "null" => "<code>null</code>".to_owned(),
        other => escaped(other),
    }
}

/// Escapes a text, and sets what stands between backticks as code.
pub(super) fn prose(words: &str) -> String {
    let escaped = escaped(words);
    let parts: Vec<&str> = escaped.split('`').collect();
    // Without its partner a backtick is only a backtick.
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let parts = parts.iter().enumerate();
    parts
        .map(|(at, part)| match at % 2 {
            0 => (*part).to_owned(),
            _ => format!("<code>{part}</code>"),
        })
        .collect()
}

/// Escapes a text for HTML, in attributes too.
#[must_use]
pub fn escaped(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for sign in words.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
