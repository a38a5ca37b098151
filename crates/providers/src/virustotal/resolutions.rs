//! Answers what a name resolved to, and which names resolved to an address.
//!
//! The vendor gives one row for each pair of name and address, with the day on which it was last seen, newest first;
//! pages of at most 40 are chained by a cursor. Calls are billed, not rows, so pages are always full. The cursor belongs
//! to a walk and is not kept, so more of a held answer is read from its beginning.

use super::common::{call, nothing, time};
use super::{DESCRIPTOR, MAX_PAGES, RESOLUTIONS};
use crate::kit::common::{first, held, one_query, replied_good, segment, uncovered};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::{Node, json};
use crate::{Call, Lookup, ProviderError, Replied, Step};
use pivotd_domain::{IndicatorKind, Query, Record};

/// The most rows that one call may ask for (VirusTotal API v3, relationships).
const PAGE: usize = 40;

/// Starts a look-up of resolutions.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    if let Some(done) = held(lookup) {
        return Ok(done);
    }
    let walk = PageWalk {
        query,
        wanted: lookup.wanted.max(1),
        rows: Rows::default(),
        read: 0,
        total: None,
        calls: 0,
    };
    Ok(walk.next(None))
}

struct PageWalk {
    query: Query,
    wanted: usize,
    rows: Rows,
    /// Rows read so far.
    read: usize,
    total: Option<u64>,
    calls: usize,
}

impl PageWalk {
    fn next(self, cursor: Option<String>) -> Step {
        let call = page(&self.query, cursor);
        Step::Calls {
            calls: vec![call],
            then: Box::new(move |replies| self.read(first(replies)?)),
        }
    }

    fn read(mut self, replied: Replied) -> Result<Step, ProviderError> {
        self.calls += 1;
        let reply = match replied {
            Replied::Failed(failure) if self.read > 0 => {
                // What came is kept; the rest can be asked for again.
                let missing = format!("older resolutions: {}", failure.message);
                return self.done(true, vec![missing]);
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            if self.read == 0 {
                return Ok(Step::Done(vec![nothing(self.query, RESOLUTIONS)]));
            }
            return self.done(false, Vec::new());
        };
        let body = json(&reply)?;
        let root = Node::of(&body);
        let meta = root.get("meta");
        self.total = meta.get("count").count().or(self.total);
        let before = self.read;
        for row in root.get("data").rows().take(10 * PAGE) {
            self.read += 1;
            self.rows.extend([resolution(row, &self.query)]);
        }
        let Some(cursor) = meta.get("cursor").text() else {
            return self.done(false, Vec::new());
        };
        if self.read == before {
            let missing = "older resolutions: an empty page came".to_owned();
            return self.done(false, vec![missing]);
        }
        if self.rows.records().len() < self.wanted && self.calls < MAX_PAGES {
            return Ok(self.next(Some(cursor)));
        }
        self.done(true, Vec::new())
    }

    fn done(self, more: bool, missing: Vec<String>) -> Result<Step, ProviderError> {
        let is_whole = missing.is_empty();
        let mut found = self
            .rows
            .answer_lacking(&DESCRIPTOR, self.query, RESOLUTIONS, missing)?;
        let held = found.records.len();
        // What no look-up reaches is not offered as more.
        found.more = more && self.calls < MAX_PAGES;
        if more || !found.missing.is_empty() {
            // The vendor's count stays behind in recorded answers that go on.
            found.total = self.total.filter(|total| *total > held as u64);
        }
        if more && !found.more && is_whole {
            let note = format!("The newest {held} resolutions; VirusTotal has older ones.");
            uncovered(&mut found, &[note]);
        }
        Ok(Step::Done(vec![found]))
    }
}

fn page(query: &Query, cursor: Option<String>) -> Call {
    let value = query.indicator.value();
    let path = match query.indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => "ip_addresses",
        _ => "domains",
    };
    let mut call = call(
        RESOLUTIONS,
        format!("/api/v3/{path}/{}/resolutions", segment(value)),
    )
    .with("limit", PAGE.to_string());
    if let Some(cursor) = cursor {
        call.add("cursor", cursor);
    }
    call
}

/// Reads a row. Every attribute may be missing; the side that was asked about is known without it.
fn resolution(row: Node<'_>, query: &Query) -> Row {
    let attributes = row.get("attributes");
    if !attributes.is_object() {
        return Row::Unread;
    }
    let (name, ip) = (attributes.get("host_name"), attributes.get("ip_address"));
    let asked = query.indicator.value();
    let other = if query.indicator.ip().is_some() { name } else { ip };
    if other.many().next().is_none() {
        return Row::LeftOut(SkipReason::NoHost, None);
    }
    let (name, ip) = match query.indicator.ip() {
        Some(_) => {
            let ip = ip.address().unwrap_or_else(|| asked.to_owned());
            if ip != asked {
                return Row::LeftOut(SkipReason::Elsewhere, None);
            }
            (name.host(), Some(ip))
        }
        None => (name.host().or_else(|| Some(asked.to_owned())), ip.address()),
    };
    Row::from(name.zip(ip).map(|(name, ip)| {
        Record::new()
            .with("name", name)
            .with("type", if ip.contains(':') { "AAAA" } else { "A" })
            .with("value", ip.as_str())
            .with("ip", ip)
            .with_some("last_seen", time(attributes.get("date")))
            .with_some("collector", attributes.get("resolver").text())
    }))
}
