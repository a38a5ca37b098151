//! Asks CIRCL's passive DNS: what names resolved to, and which names resolved to an address. For trusted partners.
//!
//! Facts are from CIRCL's documentation and its client (`pypdns`). Answers are rows in the Common Output Format, one a
//! line; where more exist, a header of the reply says from where to go on.

mod judge;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use secrecy::SecretString;

use super::cof;
use super::common::{answer, basic, first, held, offered, replied_good, segment, uncovered};
use super::tolerant::Node;
use super::{
    Call, CredentialField, Descriptor, Exposed, Judgement, Lookup, Offer, Origin, Product, Provider,
    ProviderError, Replied, Reply, Step,
};
use crate::domain::{Capability, IndicatorKind, Query, Record};

const ORIGIN: &str = "api";
const PDNS: &str = "pdns";
/// The header of a reply that says from where to go on.
const CURSOR: &str = "x-dribble-cursor";

/// Rows of one call.
const PAGE: usize = 1000;
/// The most pages that one look-up reads.
const MAX_PAGES: usize = 10;
/// The longest cursor that is sent back.
const LONGEST_CURSOR: usize = 512;

static DESCRIPTOR: Descriptor = Descriptor {
    name: "circl",
    title: "CIRCL passive DNS",
    origins: &[Origin {
        name: ORIGIN,
        base_url: "https://www.circl.lu",
    }],
    credentials: &[
        CredentialField::plain("username", "User name"),
        CredentialField::secret("password", "Password"),
    ],
    offers: &[Offer {
        capability: Capability::Resolutions,
        inputs: &[
            IndicatorKind::Hostname,
            IndicatorKind::Domain,
            IndicatorKind::Ipv4,
            IndicatorKind::Ipv6,
        ],
        products: &[Product::calls(PDNS)],
        max_calls: MAX_PAGES,
        paged: true,
        ..super::OFFER
    }],
    default_rate: &["1/s"],
    reply_headers: &[CURSOR],
    probe: Some((Capability::Resolutions, IndicatorKind::Domain, "example.com")),
    ..super::DESCRIPTOR
};

/// Answers questions through CIRCL's passive DNS.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circl;

impl Provider for Circl {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        if let Some(done) = held(lookup) {
            return Ok(done);
        }
        // Cursors are not kept between look-ups, so a question for more starts anew and goes further.
        let held = lookup.held.as_ref().map_or(0, |held| held.records.len());
        let walk = Walk {
            query,
            want: lookup.want.max(held + PAGE),
            rows: 0,
            calls: 0,
            records: Vec::new(),
        };
        Ok(walk.next(None))
    }

    fn judge(&self, _call: &Call, reply: &Reply) -> Judgement {
        judge::judge(reply)
    }

    fn sign(&self, call: &mut Call, key: &Exposed<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        if basic(call, key.field("username"), key.field("password")) {
            return Ok(());
        }
        Err(ProviderError::Unsupported(
            "CIRCL needs a user name, without a colon, and a password".to_owned(),
        ))
    }
}

/// Holds a walk over pages.
struct Walk {
    query: Query,
    /// The records wanted; rows of some types make none.
    want: usize,
    /// Rows read so far.
    rows: usize,
    calls: usize,
    records: Vec<Record>,
}

impl Walk {
    fn next(self, cursor: Option<String>) -> Step {
        let path = format!("/pdns/query/{}", segment(self.query.indicator.value()));
        let mut call = Call::get(ORIGIN, PDNS, path);
        let mut header = |name, value: String| call.headers.push((name, SecretString::from(value)));
        header("dribble-paginate-count", PAGE.to_string());
        // Nothing is resolved on behalf of the question: its subject could notice.
        header("dribble-disable-active-query", "1".to_owned());
        if let Some(cursor) = &cursor {
            header("dribble-paginate-cursor", cursor.clone());
        }
        Step::Calls {
            calls: vec![call],
            then: Box::new(move |replies| self.read(first(replies)?, cursor.as_deref())),
        }
    }

    fn read(mut self, replied: Replied, asked: Option<&str>) -> Result<Step, ProviderError> {
        self.calls += 1;
        let reply = match replied {
            Replied::Failed(failure) if !self.records.is_empty() => {
                let missing = format!("rows beyond the first {}: {}", self.rows, failure.message);
                return Ok(self.done(true, vec![missing]));
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            return Ok(self.done(false, Vec::new()));
        };
        let lines = cof::lines(&reply);
        for line in &lines.objects {
            self.rows += 1;
            if let Some(row) = cof::row(Node::of(line)) {
                self.records.extend(cof::records(&row, &self.query));
            }
        }
        if lines.broken {
            if self.records.is_empty() {
                return Err(ProviderError::Malformed("the answer broke off".to_owned()));
            }
            let missing = format!("rows beyond the first {}: the answer broke off", self.rows);
            return Ok(self.done(false, vec![missing]));
        }
        let cursor = reply.headers.get(CURSOR).map(|text| text.trim());
        let Some(cursor) = cursor.filter(|text| !text.is_empty()) else {
            return Ok(self.done(false, Vec::new()));
        };
        // A cursor that stays the same would go round for ever.
        let unusable = if asked == Some(cursor) {
            Some("the vendor does not say anew from where to go on")
        } else if cursor.len() > LONGEST_CURSOR {
            Some("the vendor's cursor is too long to be sent back")
        } else {
            None
        };
        if let Some(why) = unusable {
            let missing = format!("rows beyond the first {}: {why}", self.rows);
            return Ok(self.done(false, vec![missing]));
        }
        let full = self.records.len() >= cof::MOST_RECORDS;
        if self.records.len() < self.want && self.calls < MAX_PAGES && !full {
            return Ok(self.next(Some(cursor.to_owned())));
        }
        Ok(self.done(true, Vec::new()))
    }

    fn done(mut self, more: bool, missing: Vec<String>) -> Step {
        // What is beyond the bounds of one look-up cannot be asked for.
        let end = self.calls >= MAX_PAGES || self.records.len() >= cof::MOST_RECORDS;
        cof::arrange(&mut self.records);
        let mut made = answer(&DESCRIPTOR, self.query, PDNS, self.records);
        if more || !missing.is_empty() {
            made.total = None;
        }
        made.more = more && !end;
        made.missing = missing;
        if more && end && made.missing.is_empty() {
            let note = format!("The first {} rows; CIRCL has more.", self.rows);
            uncovered(&mut made, &[note]);
        }
        Step::Done(vec![made])
    }
}
