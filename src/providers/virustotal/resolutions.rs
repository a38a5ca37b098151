//! Answers what a name resolved to, and which names resolved to an address.
//!
//! The vendor gives one row for each pair of name and address, with the day on which it was last seen, newest first;
//! pages of at most 40 are chained by a cursor. Calls are billed, not rows, so pages are always full. The cursor belongs
//! to a walk and is not kept, so more of a held answer is read from its beginning.

use super::common::{answer, call, time};
use super::{MAX_PAGES, RESOLUTIONS};
use crate::domain::{IndicatorKind, Query, Record};
use crate::providers::common::{first, held, one_query, replied_good, segment, uncovered};
use crate::providers::tolerant::{Node, json};
use crate::providers::{Call, Lookup, ProviderError, Replied, Step};

/// The most rows that one call may ask for (VirusTotal API v3, relationships).
const PAGE: usize = 40;

/// Starts a look-up of resolutions.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    if let Some(done) = held(lookup) {
        return Ok(done);
    }
    let walk = Walk {
        query,
        want: lookup.want.max(1),
        records: Vec::new(),
        total: None,
        calls: 0,
    };
    Ok(walk.next(None))
}

struct Walk {
    query: Query,
    want: usize,
    records: Vec<Record>,
    total: Option<u64>,
    calls: usize,
}

impl Walk {
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
            Replied::Failed(failure) if !self.records.is_empty() => {
                // What came is kept; the rest can be asked for again.
                let missing = format!("older resolutions: {}", failure.message);
                return Ok(self.done(true, vec![missing]));
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            return Ok(self.done(false, Vec::new()));
        };
        let body = json(&reply)?;
        let root = Node::of(&body);
        let meta = root.get("meta");
        self.total = meta.get("count").count().or(self.total);
        let mut came = false;
        for row in root.get("data").many().take(10 * PAGE) {
            came = true;
            self.records.extend(resolution(row, &self.query));
        }
        let Some(cursor) = meta.get("cursor").text() else {
            return Ok(self.done(false, Vec::new()));
        };
        if !came {
            let missing = "older resolutions: an empty page came".to_owned();
            return Ok(self.done(false, vec![missing]));
        }
        if self.records.len() < self.want && self.calls < MAX_PAGES {
            return Ok(self.next(Some(cursor)));
        }
        Ok(self.done(true, Vec::new()))
    }

    fn done(self, more: bool, missing: Vec<String>) -> Step {
        let held = self.records.len();
        let mut found = answer(self.query, RESOLUTIONS, self.records);
        // What no look-up reaches is not offered as more.
        found.more = more && self.calls < MAX_PAGES;
        found.missing = missing;
        if more || !found.missing.is_empty() {
            // The vendor's count stays behind in recorded answers that go on.
            found.total = self.total.filter(|total| *total > held as u64);
        }
        if more && !found.more && found.missing.is_empty() {
            let note = format!("The newest {held} resolutions; VirusTotal has older ones.");
            uncovered(&mut found, &[note]);
        }
        Step::Done(vec![found])
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
fn resolution(row: Node<'_>, query: &Query) -> Option<Record> {
    let attributes = row.get("attributes");
    let (name, ip) = (attributes.get("host_name"), attributes.get("ip_address"));
    let asked = || query.indicator.value().to_owned();
    let (name, ip) = match query.indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => (name.host()?, ip.address().unwrap_or_else(asked)),
        _ => (name.host().unwrap_or_else(asked), ip.address()?),
    };
    Some(
        Record::new()
            .with("name", name)
            .with("type", if ip.contains(':') { "AAAA" } else { "A" })
            .with("value", ip.as_str())
            .with("ip", ip)
            .with_some("last_seen", time(attributes.get("date")))
            .with_some("collector", attributes.get("resolver").text()),
    )
}
