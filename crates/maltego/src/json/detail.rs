//! What is wrong with a request, as data: a text, or a list of faults with their places.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use pivotd_domain::echo::echoed;

/// The most faults that are told of one request.
pub(super) const MOST_FAULTS: usize = 20;

/// Names a step of the way to a fault.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A member.
    Member(&'static str),
    /// A place in a list, or of a byte.
    Place(usize),
}

/// Is one fault of a request, in the shape that clients of this protocol know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// The kind of fault.
    pub r#type: &'static str,
    /// Where it is.
    pub loc: Vec<Step>,
    /// What was expected.
    pub msg: Cow<'static, str>,
    /// What stands there. Of objects, lists and values of settings nothing is repeated: keys are among them.
    pub input: Value,
    /// What the kind of fault says besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

impl Fault {
    /// Says that a member is missing.
    #[must_use]
    pub fn missing(loc: Vec<Step>) -> Self {
        Self {
            r#type: "missing",
            loc,
            msg: "Field required".into(),
            input: Value::Null,
            ctx: None,
        }
    }

    /// Says that the body is no JSON.
    #[must_use]
    pub fn no_json(place: usize, error: &str) -> Self {
        Self {
            r#type: "json_invalid",
            loc: vec![Step::Member("body"), Step::Place(place)],
            msg: "JSON decode error".into(),
            input: json!({}),
            ctx: Some(json!({ "error": error })),
        }
    }

    /// Says that a body, or a part of it, is no object.
    #[must_use]
    pub fn no_object(loc: Vec<Step>, value: &Value) -> Self {
        let msg = "Input should be a valid dictionary or object to extract fields from";
        Self::of("model_attributes_type", loc, msg, value)
    }

    /// Says that a value is no text.
    #[must_use]
    pub fn no_text(loc: Vec<Step>, value: &Value) -> Self {
        Self::of("string_type", loc, "Input should be a valid string", value)
    }

    /// Says that a value is no list.
    #[must_use]
    pub fn no_list(loc: Vec<Step>, value: &Value) -> Self {
        Self::of("list_type", loc, "Input should be a valid list", value)
    }

    /// Says that a value is no whole number.
    #[must_use]
    pub fn no_integer(loc: Vec<Step>, value: &Value) -> Self {
        match value {
            Value::String(_) => Self::of(
                "int_parsing",
                loc,
                "Input should be a valid integer, unable to parse string as an integer",
                value,
            ),
            _ => Self::of("int_type", loc, "Input should be a valid integer", value),
        }
    }

    /// Says which values there are.
    #[must_use]
    pub fn not_of(kind: &'static str, loc: Vec<Step>, expected: &str, value: &Value) -> Self {
        Self {
            ctx: Some(json!({ "expected": expected })),
            ..Self::of(kind, loc, format!("Input should be {expected}"), value)
        }
    }

    fn of(kind: &'static str, loc: Vec<Step>, msg: impl Into<Cow<'static, str>>, value: &Value) -> Self {
        Self {
            r#type: kind,
            loc,
            msg: msg.into(),
            input: repeated(value),
            ctx: None,
        }
    }
}

/// Repeats a value in few characters; of lists and objects nothing.
fn repeated(value: &Value) -> Value {
    match value {
        Value::String(text) => echoed(text).into(),
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        other => other.clone(),
    }
}

/// Says why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// It cannot be read (422).
    Unreadable(Vec<Fault>),
    /// It contradicts itself (400).
    Wrong(&'static str),
    /// It has too many parts (413).
    TooLarge(String),
}

impl Refusal {
    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Unreadable(_) => 422,
            Self::Wrong(_) => 400,
            Self::TooLarge(_) => 413,
        }
    }

    /// Writes the body of the answer.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::Unreadable(faults) => super::bytes(&json!({ "detail": faults })),
            Self::Wrong(text) => detail(text),
            Self::TooLarge(text) => detail(text),
        }
    }
}

/// Writes the body of an answer that says in words what is wrong.
#[must_use]
pub fn detail(text: &str) -> Vec<u8> {
    super::bytes(&json!({ "detail": text }))
}
