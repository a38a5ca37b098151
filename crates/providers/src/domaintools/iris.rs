//! Searches Iris Investigate, page by page.

use super::common::{first, post, replied_good};
use super::{IRIS_INVESTIGATE, MAX_PAGES, classify};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Call, ProviderError, Replied, Step};
use pivotd_domain::{Indicator, IndicatorKind};

/// Rows of a page at most (DomainTools Iris OpenAPI).
const PAGE: &str = "500";

/// Returns the search parameter for an indicator.
pub(super) fn parameter(indicator: &Indicator) -> Option<&'static str> {
    Some(match indicator.kind() {
        IndicatorKind::Domain => "domain",
        IndicatorKind::Ipv4 => "ip",
        IndicatorKind::Email => "email",
        // SHA-1 without colons.
        IndicatorKind::Certificate if indicator.value().len() == 40 => "ssl_hash",
        _ => return None,
    })
}

/// Holds what pages gave.
#[derive(Debug)]
pub(super) struct SearchResult<T> {
    /// What was read of each row.
    pub(super) rows: Vec<T>,
    /// How many rows were not understood.
    pub(super) unread: usize,
    /// How many rows there are in all.
    pub(super) total: Option<u64>,
    /// Whether more pages exist.
    pub(super) more: bool,
    /// What is missing and why.
    pub(super) missing: Vec<String>,
    /// Whether the vendor answered with a list, be it empty, and not that it knows nothing.
    pub(super) known: bool,
}

/// Reads one row.
pub(super) type Read<T> = fn(Node<'_>) -> Option<T>;

/// Ends a search.
pub(super) type SearchEnd<T> = Box<dyn FnOnce(SearchResult<T>) -> Result<Step, ProviderError> + Send>;

/// Searches for `indicator` until `wanted` rows came, no more exist, or the pages of a look-up are used up.
///
/// # Errors
/// [`ProviderError::Unsupported`] where Iris has no search for the indicator.
pub(super) fn search<T: Send + 'static>(
    indicator: &Indicator,
    wanted: usize,
    read: Read<T>,
    end: SearchEnd<T>,
) -> Result<Step, ProviderError> {
    let name = parameter(indicator).ok_or_else(|| {
        ProviderError::Unsupported(format!(
            "Iris Investigate has no search for this {}",
            indicator.kind()
        ))
    })?;
    let call = post(IRIS_INVESTIGATE, "/v1/iris-investigate/")
        .with(name, indicator.value())
        .with("page_size", PAGE);
    let found = SearchResult {
        rows: Vec::new(),
        unread: 0,
        total: None,
        more: false,
        missing: Vec::new(),
        known: true,
    };
    Ok(page(
        Search {
            call,
            wanted,
            read,
            calls: 0,
        },
        found,
        None,
        end,
    ))
}

struct Search<T> {
    call: Call,
    wanted: usize,
    read: Read<T>,
    calls: usize,
}

fn page<T: Send + 'static>(
    mut search: Search<T>,
    mut found: SearchResult<T>,
    position: Option<String>,
    end: SearchEnd<T>,
) -> Step {
    let mut call = search.call.clone();
    if let Some(position) = position {
        call.add("position", position);
    }
    search.calls += 1;
    Step::Calls {
        calls: vec![call],
        then: Box::new(move |replies| {
            let reply = match first(replies)? {
                Replied::Failed(failure) if search.calls > 1 => {
                    found.missing.push(format!("later pages: {}", failure.message));
                    found.more = true;
                    return end(found);
                }
                replied => replied_good(replied)?,
            };
            let Some(reply) = reply else {
                found.known &= search.calls > 1;
                return end(found);
            };
            let body = json(&reply)?;
            let response = Node::of(&body).get("response");
            let refused = classify::partial(&reply, response);
            let results = response.get("results");
            if !results.exists() && !response.get("missing_domains").exists() && refused.is_none() {
                return Err(malformed("results"));
            }
            for row in results.rows() {
                match (search.read)(row) {
                    Some(row) => found.rows.push(row),
                    None => found.unread += 1,
                }
            }
            found.total = response
                .get("total_count")
                .count()
                .or(response.get("results_count").count())
                .or(found.total);
            found.more = response.get("has_more_results").flag() == Some(true);
            let position = response
                .get("position")
                .text()
                .filter(|_| found.more && results.rows().next().is_some());
            let enough = found.rows.len() >= search.wanted.max(1) || search.calls >= MAX_PAGES;
            match position {
                // What came with a refusal is kept; the next page would be refused, too.
                Some(_) if refused.is_some() => {
                    found.missing.extend(refused);
                    end(found)
                }
                Some(position) if !enough => Ok(page(search, found, Some(position), end)),
                Some(_) => end(found),
                None => {
                    // Without a cursor nothing more can be had.
                    found.more = false;
                    found.missing.extend(refused);
                    end(found)
                }
            }
        }),
    }
}
