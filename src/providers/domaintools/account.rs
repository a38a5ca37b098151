//! Answers what the key is entitled to, and what was used.

use super::ACCOUNT_INFORMATION;
use super::common::{answer, call, first, one_query, replied_good};
use crate::domain::Record;
use crate::providers::tolerant::{Node, json, malformed};
use crate::providers::{Lookup, ProviderError, Step};

/// Starts an account look-up; what it is asked about does not matter.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    Ok(Step::Calls {
        calls: vec![call(ACCOUNT_INFORMATION, "/v1/account")],
        then: Box::new(move |replies| {
            let mut records = Vec::new();
            if let Some(reply) = replied_good(first(replies)?)? {
                let body = json(&reply)?;
                let products = Node::of(&body).get("response").get("products");
                if !products.exists() {
                    return Err(malformed("products"));
                }
                records = products.many().filter_map(product).collect();
            }
            Ok(Step::Done(vec![answer(query, ACCOUNT_INFORMATION, records)]))
        }),
    })
}

/// Reads one product; every number is text in this answer, and a missing limit is `null`.
fn product(row: Node<'_>) -> Option<Record> {
    let usage = row.get("usage");
    Some(
        Record::new()
            .with("product", row.get("id").text()?)
            .with_some("per_minute", row.get("per_minute_limit").integer())
            .with_some("per_hour", row.get("per_hour_limit").integer())
            .with_some("per_month", row.get("per_month_limit").integer())
            .with_some("absolute", row.get("absolute_limit").integer())
            .with_some("used_today", usage.get("today").integer())
            .with_some("used_month", usage.get("month").integer())
            .with_some("expires", row.get("expiration_date").day()),
    )
}
