//! Answers resolutions: record sets of a name, or names of an address.
//!
//! A query costs the same however many rows it brings, and the vendor does not keep the order of rows between queries;
//! so more rows are asked for by a larger limit, not by an offset.

use super::stream::{self, StreamEnd};
use super::{DESCRIPTOR, LOOKUP, ORIGIN};
use crate::kit::cof;
use crate::kit::common::{held, nothing, one, one_query, segment, uncovered};
use crate::kit::rows::Rows;
use crate::{Call, Lookup, ProviderError, Reply, Step};
use pivotd_domain::{Answer, Failure, FailureKind, IndicatorKind, Query};

/// Rows that are asked for at least, and at most (the vendor's default limit).
const LEAST: usize = 1000;
const MOST: usize = 10_000;

/// Starts a look-up.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    if let Some(done) = held(lookup) {
        return Ok(done);
    }
    let held = lookup.earlier.as_ref().map_or(0, |held| held.records.len());
    // A row can make several records or none, so a larger answer needs a larger question than before.
    let limit = if held == 0 {
        lookup.wanted
    } else {
        lookup.wanted.max(held * 2)
    }
    .clamp(LEAST, MOST);
    Ok(ask(query, limit))
}

/// Asks for this many rows.
fn ask(query: Query, limit: usize) -> Step {
    let value = segment(query.indicator.value());
    let path = match query.indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => format!("/dnsdb/v2/lookup/rdata/ip/{value}"),
        _ => format!("/dnsdb/v2/lookup/rrset/name/{value}"),
    };
    let call = Call::get(ORIGIN, LOOKUP, path).with("limit", limit.to_string());
    one(call, move |reply| {
        let Some(reply) = reply else {
            return Ok(Step::Done(vec![nothing(&DESCRIPTOR, query, LOOKUP)]));
        };
        let made = read(&reply, query, limit)?;
        // None of so many rows made a record; one that does may stand behind them.
        if made.more && made.records.is_empty() {
            return Ok(ask(made.query, MOST));
        }
        Ok(Step::Done(vec![made]))
    })
}

fn read(reply: &Reply, query: Query, limit: usize) -> Result<Answer, ProviderError> {
    let stream = stream::read(reply);
    let row = |row| cof::read(cof::row(row), &query);
    let mut gathered: Rows = stream.rows().flat_map(row).collect();
    gathered.lose(stream.unread);
    let mut notes: Vec<String> = cof::arrange(&mut gathered).into_iter().collect();
    let rows = stream.rows().len() + stream.unread;
    let beyond = |why: &str| format!("rows beyond the first {rows}: {why}");
    let missing = match &stream.end {
        StreamEnd::Succeeded | StreamEnd::Limited(_) => None,
        StreamEnd::Failed(message) => {
            let why = message.as_deref().unwrap_or("the vendor gave no reason");
            if rows == 0 {
                let failure = Failure::new(FailureKind::Unavailable, &DESCRIPTOR.name, why).of(LOOKUP);
                return Err(ProviderError::Failed(failure));
            }
            Some(beyond(why))
        }
        StreamEnd::Cut if rows == 0 => {
            return Err(ProviderError::Malformed("the answer broke off".to_owned()));
        }
        StreamEnd::Cut => Some(beyond("the answer broke off")),
    };
    let is_whole = missing.is_none();
    let missing = missing.into_iter().collect();
    let mut made = gathered.answer_lacking(&DESCRIPTOR, query, LOOKUP, missing)?;
    if !is_whole {
        made.total = None;
    }
    if let StreamEnd::Limited(message) = stream.end {
        made.total = None;
        made.more = rows >= limit && limit < MOST;
        if !made.more {
            // The key's limit, or the vendor's: another try changes nothing.
            let why = message.unwrap_or_else(|| "the query's limit was reached".to_owned());
            let why = why.trim_end_matches('.');
            notes.push(format!("Rows beyond the first {rows}: {why}."));
        }
    }
    uncovered(&mut made, &notes);
    Ok(made)
}
