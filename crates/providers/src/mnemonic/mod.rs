//! Asks mnemonic's passive DNS: what names resolved to, and which names resolved to an address. A key is optional.
//!
//! Facts are from the documentation of the Argus API and from clients that others published.

mod classify;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::cof::{self, Row};
use super::kit::common::{first, held, nothing, offered, replied_good, segment, uncovered};
use super::kit::dates;
use super::kit::rdata;
use super::kit::rows::Rows;
use super::kit::tolerant::{Node, json, malformed};
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, Replied, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind, Query};

/// Name of its only origin.
pub const ORIGIN: &str = "api";
/// Name of its only product.
pub const PDNS: &str = "pdns";

/// Rows of one call: the public service refuses more.
const PAGE: usize = 1000;
/// The most pages that one look-up reads.
pub const MAX_PAGES: usize = 10;

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://api.mnemonic.no")],
        credentials: vec![CredentialField::secret("api_key", "API key").optional()],
        offers: vec![Offer {
            max_calls: MAX_PAGES,
            paged: true,
            ..Offer::of(
                Capability::Resolutions,
                &cof::ASKED_ABOUT,
                &[Product::calls(PDNS)],
            )
        }],
        // The limits of the public service are not published.
        default_rate: names(&["1/s"]),
        // It answers without a key, so only a server that is told to sends it what is investigated.
        enabled: false,
        probe: Some(Probe::of(
            Capability::Resolutions,
            IndicatorKind::Domain,
            "example.com",
        )),
        ..Descriptor::new("mnemonic", "mnemonic passive DNS")
    })
});

/// Answers questions through mnemonic's passive DNS API.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mnemonic;

impl Provider for Mnemonic {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        if let Some(done) = held(lookup) {
            return Ok(done);
        }
        // What is held is read anew with the rest; reading twice as much keeps that from happening at every step.
        let held = lookup.earlier.as_ref().map_or(0, |held| held.records.len());
        let walk = PageWalk {
            query,
            want: lookup.wanted.max(held * 2).max(1),
            rows: 0,
            calls: 0,
            gathered: Rows::default(),
        };
        Ok(walk.next())
    }

    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        classify::classify(reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        const HEADER: &str = "argus-api-key";
        call.headers.retain(|(name, _)| *name != HEADER);
        let api_key = key.field("api_key");
        if !api_key.is_empty() {
            call.headers.push((HEADER.into(), SecretString::from(api_key)));
        }
        Ok(())
    }
}

/// Holds a walk over pages.
struct PageWalk {
    query: Query,
    /// The records wanted; rows of some types make none.
    want: usize,
    /// Rows read so far.
    rows: usize,
    calls: usize,
    gathered: Rows,
}

impl PageWalk {
    fn next(self) -> Step {
        // Where the first page was not enough, the next ones are full: calls are bounded, not rows.
        let limit = if self.calls == 0 {
            self.want.clamp(100, PAGE)
        } else {
            PAGE
        };
        let path = format!("/pdns/v3/{}", segment(self.query.indicator.value()));
        let call = Call::get(ORIGIN, PDNS, path)
            .with("limit", limit.to_string())
            .with("offset", self.rows.to_string())
            .with("aggregateResult", "true");
        Step::Calls {
            calls: vec![call],
            then: Box::new(move |replies| self.read(first(replies)?, limit)),
        }
    }

    fn read(mut self, replied: Replied, limit: usize) -> Result<Step, ProviderError> {
        self.calls += 1;
        let reply = match replied {
            Replied::Failed(failure) if self.rows > 0 => {
                let missing = format!("rows beyond the first {}: {}", self.rows, failure.message);
                return self.done(None, true, vec![missing]);
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            if self.rows == 0 {
                return Ok(Step::Done(vec![nothing(&DESCRIPTOR, self.query, PDNS)]));
            }
            return self.done(None, false, Vec::new());
        };
        let body = json(&reply)?;
        let data = Node::of(&body).get("data");
        if !data.is_list() {
            return Err(malformed("data"));
        }
        let mut fresh = 0;
        for node in data.rows().take(10 * PAGE) {
            fresh += 1;
            self.gathered.extend(cof::read(row(node), &self.query));
        }
        self.rows += fresh;
        let count = Node::of(&body).get("count").count();
        let count = count.and_then(|count| usize::try_from(count).ok());
        // Where the vendor does not count, a full page is one of several.
        let more = count.map_or(fresh >= limit, |count| count > self.rows);
        if more && fresh == 0 {
            let missing = format!("rows beyond the first {}: an empty page came", self.rows);
            return self.done(count, true, vec![missing]);
        }
        if more && self.gathered.records().len() < self.want && self.calls < MAX_PAGES {
            return Ok(self.next());
        }
        self.done(count, more, Vec::new())
    }

    fn done(mut self, count: Option<usize>, more: bool, missing: Vec<String>) -> Result<Step, ProviderError> {
        // What is beyond the pages of one look-up cannot be asked for.
        let end = self.calls >= MAX_PAGES;
        let mut notes: Vec<String> = cof::arrange(&mut self.gathered).into_iter().collect();
        let is_whole = missing.is_empty();
        let mut made = self
            .gathered
            .answer_lacking(&DESCRIPTOR, self.query, PDNS, missing)?;
        if more {
            made.total = count.and_then(|count| u64::try_from(count).ok());
        }
        made.more = more && !end;
        if more && end && is_whole {
            notes.push(format!("The first {} rows; mnemonic has more.", self.rows));
        }
        uncovered(&mut made, &notes);
        Ok(Step::Done(vec![made]))
    }
}

/// Reads a row of the vendor's own form; its times are milliseconds.
fn row(node: Node<'_>) -> Option<Row> {
    let time = |name: &str| {
        let number = node.get(name).integer().filter(|number| *number > 0);
        number.and_then(dates::of_milliseconds)
    };
    let (values, unread) = cof::values(node.get("answer"));
    Some(Row {
        name: node.get("query").text()?,
        kind: rdata::kind(&node.get("rrtype").text()?),
        values,
        unread,
        first: time("firstSeenTimestamp"),
        last: time("lastSeenTimestamp"),
        count: node.get("times").integer().filter(|count| *count >= 0),
        collector: None,
    })
}
