//! Answers what the key is entitled to, and what was used.

use super::common::{call, first, nothing, one_query, replied_good};
use super::{ACCOUNT_INFORMATION, DESCRIPTOR};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::Record;

/// Starts an account look-up; what it is asked about does not matter.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    Ok(Step::Calls {
        calls: vec![call(ACCOUNT_INFORMATION, "/v1/account")],
        then: Box::new(move |replies| {
            let Some(reply) = replied_good(first(replies)?)? else {
                return Ok(Step::Done(vec![nothing(query, ACCOUNT_INFORMATION)]));
            };
            let body = json(&reply)?;
            let products = Node::of(&body).get("response").get("products");
            if !products.exists() {
                return Err(malformed("products"));
            }
            let rows = Rows::of(products, |row| Row::from(product(row)));
            Ok(Step::Done(vec![rows.answer(
                &DESCRIPTOR,
                query,
                ACCOUNT_INFORMATION,
            )?]))
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
