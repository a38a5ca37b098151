//! Asks CIRCL's passive DNS: what names resolved to, and which names resolved to an address. For trusted partners.
//!
//! Facts are from CIRCL's documentation and its client (`pypdns`). Answers are rows in the Common Output Format, one a
//! line; where more exist, a header of the reply says from where to go on.

mod classify;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::cof;
use super::kit::common::{basic, first, held, nothing, offered, replied_good, segment, uncovered};
use super::kit::lenient;
use super::kit::rows::Rows;
use super::kit::tolerant::{Node, clean};
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, Replied, Reply, Step, names,
};
use pivotd_domain::{Capability, Failure, FailureKind, IndicatorKind, Query};

/// Name of its only origin.
pub const ORIGIN: &str = "api";
/// Name of its only product.
pub const PDNS: &str = "pdns";
/// The header of a reply that says from where to go on.
pub const CURSOR: &str = "x-dribble-cursor";
/// The header of a reply that says what went wrong with it, although its status is 200.
pub const ERRORS: &str = "x-dribble-errors";

/// Rows of one call.
const PAGE: usize = 1000;
/// The most pages that one look-up reads.
pub const MAX_PAGES: usize = 10;
/// The longest cursor that is sent back.
pub const LONGEST_CURSOR: usize = 512;

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://www.circl.lu")],
        credentials: vec![
            CredentialField::plain("username", "User name"),
            CredentialField::secret("password", "Password"),
        ],
        offers: vec![Offer {
            max_calls: MAX_PAGES,
            paged: true,
            ..Offer::of(
                Capability::Resolutions,
                &cof::ASKED_ABOUT,
                &[Product::calls(PDNS)],
            )
        }],
        default_rate: names(&["1/s"]),
        reply_headers: names(&[CURSOR, ERRORS]),
        probe: Some(Probe::of(
            Capability::Resolutions,
            IndicatorKind::Domain,
            "example.com",
        )),
        ..Descriptor::new("circl", "CIRCL passive DNS")
    })
});

/// Answers questions through CIRCL's passive DNS.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circl;

impl Provider for Circl {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        if let Some(done) = held(lookup) {
            return Ok(done);
        }
        // Cursors are not kept between look-ups, so a question for more starts anew and goes further.
        let held = lookup.earlier.as_ref().map_or(0, |held| held.records.len());
        let walk = PageWalk {
            query,
            want: lookup.wanted.max(held + PAGE),
            rows: 0,
            calls: 0,
            gathered: Rows::default(),
        };
        Ok(walk.next(None))
    }

    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        classify::classify(reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        if basic(call, key.field("username"), key.field("password")) {
            return Ok(());
        }
        Err(ProviderError::Unsupported(
            "CIRCL needs a user name, without a colon, and a password".to_owned(),
        ))
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
    fn next(self, cursor: Option<String>) -> Step {
        let path = format!("/pdns/query/{}", segment(self.query.indicator.value()));
        let mut call = Call::get(ORIGIN, PDNS, path);
        let mut header = |name, value: String| call.headers.push((name, SecretString::from(value)));
        header("dribble-paginate-count".into(), PAGE.to_string());
        // Nothing is resolved on behalf of the question: its subject could notice.
        header("dribble-disable-active-query".into(), "1".to_owned());
        if let Some(cursor) = &cursor {
            header("dribble-paginate-cursor".into(), cursor.clone());
        }
        Step::Calls {
            calls: vec![call],
            then: Box::new(move |replies| self.read(first(replies)?, cursor.as_deref())),
        }
    }

    fn read(mut self, replied: Replied, asked: Option<&str>) -> Result<Step, ProviderError> {
        self.calls += 1;
        let reply = match replied {
            Replied::Failed(failure) if self.rows > 0 => {
                let missing = self.beyond(&failure.message);
                return self.done(true, vec![missing]);
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            if self.rows == 0 {
                return Ok(Step::Done(vec![nothing(&DESCRIPTOR, self.query, PDNS)]));
            }
            return self.done(false, Vec::new());
        };
        let lines = cof::lines(&reply);
        for line in &lines.objects {
            self.gathered
                .extend(cof::read(cof::row(Node::of(line)), &self.query));
        }
        self.gathered.lose(lines.unread);
        self.rows += lines.objects.len() + lines.unread;
        let error = reply.headers.get(ERRORS).and_then(|text| said(text));
        if let Some(error) = error {
            if self.rows == 0 {
                let failure = Failure::new(FailureKind::Unavailable, &DESCRIPTOR.name, error);
                return Err(ProviderError::Failed(failure.of(PDNS)));
            }
            let missing = self.beyond(&error);
            return self.done(false, vec![missing]);
        }
        if lines.broken {
            if self.rows == 0 {
                return Err(ProviderError::Malformed("the answer broke off".to_owned()));
            }
            let missing = self.beyond("the answer broke off");
            return self.done(false, vec![missing]);
        }
        let cursor = reply.headers.get(CURSOR).map(|text| text.trim());
        let Some(cursor) = cursor.filter(|text| !text.is_empty()) else {
            return self.done(false, Vec::new());
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
            let missing = self.beyond(why);
            return self.done(false, vec![missing]);
        }
        let held = self.gathered.records().len();
        if held < self.want && self.calls < MAX_PAGES && held < cof::MOST_RECORDS {
            return Ok(self.next(Some(cursor.to_owned())));
        }
        self.done(true, Vec::new())
    }

    /// Says why the rows behind those that came are missing.
    fn beyond(&self, why: &str) -> String {
        format!("rows beyond the first {}: {why}", self.rows)
    }

    fn done(mut self, more: bool, missing: Vec<String>) -> Result<Step, ProviderError> {
        // What is beyond the bounds of one look-up cannot be asked for.
        let end = self.calls >= MAX_PAGES || self.gathered.records().len() >= cof::MOST_RECORDS;
        let mut notes: Vec<String> = cof::arrange(&mut self.gathered).into_iter().collect();
        let is_whole = missing.is_empty();
        let mut made = self
            .gathered
            .answer_lacking(&DESCRIPTOR, self.query, PDNS, missing)?;
        if more || !made.missing.is_empty() {
            made.total = None;
        }
        made.more = more && !end;
        if more && end && is_whole {
            notes.push(format!("The first {} rows; CIRCL has more.", self.rows));
        }
        uncovered(&mut made, &notes);
        Ok(Step::Done(vec![made]))
    }
}

/// Reads what the header for errors says: an object with `error`, a list of such, or a text; `None` where it says
/// nothing.
fn said(header: &str) -> Option<String> {
    let text = match lenient::value(header.as_bytes()) {
        Ok(body) => {
            let root = Node::of(&body);
            let of = |node: Node<'_>| {
                let names = ["error", "errors", "message"];
                names
                    .iter()
                    .find_map(|name| node.get(name).texts().into_iter().next())
            };
            let mut said: Vec<String> = root
                .many()
                .filter_map(|node| of(node).or_else(|| node.text()))
                .collect();
            // Of another shape, it still says that something went wrong.
            let is_empty = root
                .many()
                .all(|node| node.members().all(|(_, member)| member.many().next().is_none()));
            if said.is_empty() && !is_empty {
                said.push(header.to_owned());
            }
            said.join("; ")
        }
        Err(_) => header.to_owned(),
    };
    Some(clean(&text)).filter(|text| !text.is_empty())
}
