//! Gives the description of the API what is the same on many routes: example answers, the header of rehearsals, and where
//! the server is.

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{OpenApi, RefOr, Required, ServerBuilder};
use utoipa::{Modify, openapi};

use crate::http::soar::rehearse;

/// An answer of each operation, by the beginning of its id.
const ANSWERS: [(&str, &str); 5] = [
    ("enrichBatch", include_str!("answers/batch.json")),
    ("getContext", include_str!("answers/context.json")),
    ("getDecision", include_str!("answers/decision.json")),
    ("giveFeedback", include_str!("answers/feedback.json")),
    ("", include_str!("answers/score.json")),
];
/// Refusals by status: kind, title, detail.
const REFUSALS: [(&str, &str, &str, &str); 4] = [
    (
        "400",
        "invalid-request",
        "The request cannot be understood",
        "ip: \"192.0.2.444\" is no IP address",
    ),
    (
        "401",
        "token-missing",
        "A client token is needed",
        "this server asks for a client token; ask its administrator for one",
    ),
    (
        "403",
        "scope-missing",
        "The token may not do this",
        "this token lacks the scope `enrich`",
    ),
    (
        "429",
        "rate-used-up",
        "Too many requests",
        "this token's rate is used up; try again in 12 s",
    ),
];
/// The operations that can be rehearsed do not begin so.
const UNREHEARSED: [&str; 2] = ["getDecision", "giveFeedback"];

/// Gives every operation its examples and its header of rehearsals, and the document its server.
pub(super) struct DocumentExtras;

impl Modify for DocumentExtras {
    fn modify(&self, document: &mut OpenApi) {
        // Relative to where the document was taken from; what is served names the server.
        document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post];
            operations.into_iter().flatten().for_each(complete);
        }
    }
}

fn complete(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    if !UNREHEARSED.iter().any(|begin| id.starts_with(begin)) {
        operation
            .parameters
            .get_or_insert_default()
            .push(RefOr::T(rehearsal()));
    }
    let answer = ANSWERS.iter().find(|(begin, _)| id.starts_with(begin));
    let answer = answer.and_then(|(_, text)| serde_json::from_str::<Value>(text).ok());
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let example = match status.as_str() {
            "200" | "201" => answer.clone(),
            status => refusal(status),
        };
        for (media, content) in &mut response.content {
            if let RefOr::T(content) = content
                && (media == "application/json" || media.ends_with("+json"))
                && content.example.is_none()
            {
                content.example = example.clone();
            }
        }
    }
}

fn refusal(status: &str) -> Option<Value> {
    let (_, kind, title, detail) = REFUSALS.iter().find(|(known, ..)| *known == status)?;
    let mut problem = json!({
        "type": format!("urn:pivotd:problem:{kind}"),
        "title": title,
        "status": status.parse::<u16>().ok()?,
        "detail": detail,
        "request_id": "01a22812-2ae3-7594-a21a-c2bb8a9d6eb1",
    });
    if status == "429" {
        problem
            .as_object_mut()?
            .insert("retry_after_s".to_owned(), json!(12));
    }
    Some(problem)
}

/// Describes the header that asks for a branch of an answer.
fn rehearsal() -> openapi::path::Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(rehearse::names()))
        .build();
    ParameterBuilder::new()
        .name("X-Pivotd-Rehearse")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Plays this branch of an answer without asking a provider; the token needs the scope `rehearse`.",
        ))
        .schema(Some(RefOr::T(Schema::Object(schema))))
        .build()
}
