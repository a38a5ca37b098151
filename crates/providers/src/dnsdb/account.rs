//! Answers what the key is entitled to, and what was used.

use super::{DESCRIPTOR, LOOKUP, ORIGIN, RATE_LIMIT};
use crate::kit::common::{one, one_query};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Call, Lookup, ProviderError, Step};
use pivotd_domain::Record;

/// Starts an account look-up; what it is asked about does not matter. It costs no quota.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let call = Call::get(ORIGIN, RATE_LIMIT, "/dnsdb/v2/rate_limit");
    Ok(one(call, move |reply| {
        let mut records = Vec::new();
        if let Some(reply) = reply {
            let body = json(&reply)?;
            let rate = Node::of(&body).get("rate");
            if !rate.is_object() {
                return Err(malformed("rate"));
            }
            records.push(read(rate));
        }
        let rows: Rows = records.into_iter().map(Row::Record).collect();
        Ok(Step::Done(vec![rows.answer(&DESCRIPTOR, query, RATE_LIMIT)?]))
    }))
}

/// Reads the quota: words such as `unlimited` and `n/a` stand where a number has no meaning.
///
/// A quota with a time at which it is reset is of a day; one with a time at which it expires is a block.
fn read(rate: Node<'_>) -> Record {
    let limit = rate.get("limit").integer();
    let used = limit
        .zip(rate.get("remaining").integer())
        .map(|(limit, remaining)| (limit - remaining).max(0));
    let daily = rate.get("reset").integer().is_some();
    let expires = crate::kit::cof::time(rate.get("expires"));
    let minute = rate.get("burst_window").integer() == Some(60);
    Record::new()
        .with("product", LOOKUP)
        .with_some("per_minute", rate.get("burst_size").integer().filter(|_| minute))
        .with_some("absolute", limit.filter(|_| expires.is_some()))
        .with_some("used_today", used.filter(|_| daily))
        .with_some("expires", expires)
}
