//! Changes by administration: who makes them, what the audit tells of them, which revision they are about, and rehearsals.

use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::administrator::Administrator;
use crate::http::problem::Problem;
use crate::http::request::RequestContext;
use crate::http::target::in_query;
use crate::storage::AuditEntry;

/// Is what the audit tells of a change beside what was changed.
#[derive(Debug)]
pub(super) struct Change {
    action: &'static str,
    actor: String,
    tenant_of_actor: String,
    request_id: Uuid,
    at: Timestamp,
}

impl Change {
    /// Begins to tell of a change.
    pub(super) fn new(
        action: &'static str,
        administrator: &Administrator,
        context: &RequestContext,
        at: Timestamp,
    ) -> Self {
        Self {
            action,
            actor: administrator.principal.client.to_string(),
            tenant_of_actor: administrator.principal.tenant().to_owned(),
            request_id: context.id(),
            at,
        }
    }

    /// Makes the entry: the object of the change, its tenant, and what of it is other than before.
    pub(super) fn entry(
        &self,
        object: (&str, &str),
        tenant: &str,
        before: &Value,
        after: &Value,
    ) -> AuditEntry {
        let (kind, id) = object;
        let (before, after) = differing(before, after);
        AuditEntry {
            id: Uuid::now_v7(),
            at: self.at.as_microsecond(),
            row: json!({
                "at": self.at, "class": "change", "action": self.action, "outcome": "ok",
                "client": self.actor, "actor_tenant": self.tenant_of_actor, "tenant": tenant,
                "object": {"type": kind, "id": id}, "before": before, "after": after,
                "request_id": self.request_id.to_string(),
            }),
        }
    }
}

/// Keeps the members of both that differ.
fn differing(before: &Value, after: &Value) -> (Value, Value) {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return (before.clone(), after.clone());
    };
    let other = |from: &serde_json::Map<String, Value>, than: &serde_json::Map<String, Value>| {
        let members = from.iter().filter(|(name, value)| than.get(*name) != Some(value));
        Value::Object(
            members
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    };
    (other(old, new), other(new, old))
}

/// Says in the query that a change is only rehearsed.
pub(super) const REHEARSAL: &str = "dry_run";

/// Tells whether a change is only rehearsed: `dry_run=true`.
pub(super) fn is_rehearsal(http: &HttpRequest) -> Result<bool, Problem> {
    match in_query(http, REHEARSAL).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::invalid("the query: dry_run: expected true or false")),
    }
}

/// Writes the entity tag of a revision.
pub(super) fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// Checks that a change is about the revision that the client has seen.
///
/// # Errors
/// 428 where the client says none, 412 where it is another.
pub(super) fn check_revision(http: &HttpRequest, revision: u64) -> Result<(), Problem> {
    let given = http
        .headers()
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok());
    let Some(given) = given else {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "revision-missing",
            "The revision is missing",
            "send the header If-Match with the ETag of what you have seen, so that no change of another is undone",
        ));
    };
    let own = tag(revision);
    if given
        .split(',')
        .any(|one| matches!(one.trim(), "*") || one.trim() == own)
    {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "revision-differs",
        "It was changed meanwhile",
        format!("its ETag is {own} now, and If-Match names another; look at it again"),
    ))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let (before, after) = differing(&json!({"a": 1, "b": 2, "c": 3}), &json!({"a": 1, "b": 4, "d": 5}));
        assert_eq!(
            (before, after),
            (json!({"b": 2, "c": 3}), json!({"b": 4, "d": 5}))
        );
        let made = differing(&Value::Null, &json!({"a": 1}));
        assert_eq!(made, (Value::Null, json!({"a": 1})));
    }

    #[test]
    fn a_change_names_the_revision_that_was_seen() {
        for (given, status) in [
            (None, Some(428)),
            (Some("\"7\""), None),
            (Some("*"), None),
            (Some("\"6\", \"7\""), None),
            (Some("\"6\""), Some(412)),
            (Some("7"), Some(412)),
            (Some("W/\"7\""), Some(412)),
        ] {
            let mut request = TestRequest::default();
            if let Some(given) = given {
                request = request.insert_header((header::IF_MATCH, given));
            }
            let checked = check_revision(&request.to_http_request(), 7);
            assert_eq!(checked.err().map(|problem| problem.status), status, "{given:?}");
        }
    }
}
