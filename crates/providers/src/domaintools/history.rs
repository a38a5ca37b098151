//! Answers whois history, and derives name server and registrar history from it.
//!
//! The vendor keeps captures, newest first, and bills by the capture; `wanted` bounds how many are
//! bought. Captures in a row that say the same become one period, with how many they were, so the
//! captures held are the sum over the periods: the offset of the next page. A page is folded onto the
//! periods that are already held, so it does not matter where pages were cut.

use super::common::{call, one_query, replied_good};
use super::{DESCRIPTOR, MAX_PAGES, WHOIS_HISTORY, classify, segment};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, host, json, malformed};
use crate::kit::whois_text;
use crate::{Call, Cost, Lookup, ProviderError, Replied, Step};
use pivotd_domain::{Answer, Capability, Party, Query, Record};

/// The most captures that one call may ask for (DomainTools API, whois history).
const PAGE: u64 = 100;

/// Starts, or goes on with, a whois history.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let wanted = u64::try_from(lookup.wanted).unwrap_or(u64::MAX).max(1);
    let more = lookup.earlier.as_ref().is_none_or(|held| held.more);
    let count = lookup
        .earlier
        .as_ref()
        .and_then(|held| held.total.filter(|_| held.more));
    let (records, mut lacking) = lookup
        .earlier
        .clone()
        .map(|held| (held.records, held.missing))
        .unwrap_or_default();
    let mut rows = Rows::default();
    rows.go_on(&[], &mut lacking);
    let walk = PageWalk {
        count,
        records,
        unread: rows.unread() as u64,
        more,
        wanted,
        query,
        calls: 0,
        fresh: 0,
        purpose: Purpose::History,
    };
    walk.next()
}

/// Derives name server or registrar history from one page of captures; siblings are handed on.
pub(super) fn derive(query: Query, siblings: Vec<Answer>) -> Result<Step, ProviderError> {
    PageWalk {
        count: None,
        records: Vec::new(),
        unread: 0,
        more: true,
        wanted: PAGE,
        query,
        calls: 0,
        fresh: 0,
        purpose: Purpose::Derive(siblings),
    }
    .next()
}

/// Says what the captures are read for.
enum Purpose {
    History,
    Derive(Vec<Answer>),
}

/// Holds a walk over pages.
struct PageWalk {
    query: Query,
    /// The captures wanted in all.
    wanted: u64,
    /// Periods so far, newest first.
    records: Vec<Record>,
    /// How many captures were not understood; they are paid for, and stand in the vendor's list, as the others are.
    unread: u64,
    /// How many captures the vendor said that there are.
    count: Option<u64>,
    /// Whether there may be more captures.
    more: bool,
    /// Calls made.
    calls: usize,
    /// Captures that this walk bought.
    fresh: u64,
    purpose: Purpose,
}

impl PageWalk {
    fn captures(&self) -> u64 {
        captures(&self.records) + self.unread
    }

    fn next(self) -> Result<Step, ProviderError> {
        let offset = self.captures();
        let limit = self.wanted.saturating_sub(offset).min(PAGE);
        if self.calls >= MAX_PAGES && self.records.is_empty() {
            return Err(ProviderError::Malformed(
                "the number of whois records keeps changing".to_owned(),
            ));
        }
        if limit == 0 || !self.more || self.calls >= MAX_PAGES {
            return self.done(&[]).map(Step::Done);
        }
        Ok(Step::Calls {
            calls: vec![page(self.query.indicator.value(), limit, offset)],
            then: Box::new(move |replies| self.read(super::common::first(replies)?)),
        })
    }

    fn read(mut self, replied: Replied) -> Result<Step, ProviderError> {
        self.calls += 1;
        let reply = match replied {
            Replied::Failed(failure) if self.fresh > 0 => {
                // What was bought is kept; the rest can be asked for again.
                let missing = format!("older whois records: {}", failure.message);
                return self.done(&[missing]).map(Step::Done);
            }
            replied => replied_good(replied)?,
        };
        let Some(reply) = reply else {
            self.more = false;
            return self.done(&[]).map(Step::Done);
        };
        let body = json(&reply)?;
        let response = Node::of(&body).get("response");
        let history = response.get("history");
        let count = response.get("record_count").count();
        if !history.exists() && count != Some(0) {
            return Err(malformed("history"));
        }
        let partial = classify::partial(&reply, response);
        let domain = self.query.indicator.value();
        let read: Vec<Option<Record>> = history.rows().map(|row| capture(row, domain)).collect();
        if let (Some(before), Some(now)) = (self.count, count)
            && before != now
        {
            // Captures were added at the front meanwhile, so the offset points elsewhere: read again.
            self.wanted = self.wanted.max(self.captures());
            self.records.clear();
            self.unread = 0;
            self.count = count;
            return self.next();
        }
        self.count = count.or(self.count);
        self.fresh += read.len() as u64;
        self.unread += read.iter().filter(|capture| capture.is_none()).count() as u64;
        let came = !read.is_empty();
        fold(&mut self.records, read.into_iter().flatten().collect());
        let held = self.captures();
        let short = self.count.is_some_and(|count| held < count);
        self.more = came && (short || self.count.is_none());
        if let Some(why) = partial {
            // What came is kept; the rest would be refused now.
            self.more = short;
            let missing = match self.count.filter(|_| short) {
                Some(count) => format!("{} of {count} whois records: {why}", count - held),
                None => format!("older whois records: {why}"),
            };
            return self.done(&[missing]).map(Step::Done);
        }
        if !came && short {
            let missing = format!(
                "the vendor gave {held} of {} whois records",
                self.count.unwrap_or_default()
            );
            return self.done(&[missing]).map(Step::Done);
        }
        self.next()
    }

    /// Makes the answers; the total counts captures as the vendor does, until all periods are known.
    fn done(self, missing: &[String]) -> Result<Vec<Answer>, ProviderError> {
        let held = self.captures();
        let unread = usize::try_from(self.unread).unwrap_or(usize::MAX);
        let history_query = Query {
            capability: Capability::WhoisHistory,
            ..self.query.clone()
        };
        let mut rows: Rows = self.records.into_iter().map(Row::Record).collect();
        rows.lose(unread);
        let mut history = rows.answer_lacking(&DESCRIPTOR, history_query, WHOIS_HISTORY, missing.to_vec())?;
        history.more = self.more;
        if self.more {
            history.total = self.count;
        }
        let Purpose::Derive(siblings) = self.purpose else {
            return Ok(vec![history]);
        };
        let records = match self.query.capability {
            Capability::RegistrarHistory => registrars(&history.records, self.more),
            _ => name_servers(&history.records, self.more),
        };
        let is_empty = records.is_empty();
        let mut rows: Rows = records.into_iter().map(Row::Record).collect();
        if is_empty && !history.records.is_empty() {
            rows.if_empty(format!("{held} whois records, none of which names one"));
        }
        let mut derived = rows.answer(&DESCRIPTOR, self.query, WHOIS_HISTORY)?;
        derived.source.blind = Some(match self.count.filter(|count| self.more && *count > held) {
            Some(count) => format!("Derived from the newest {held} of {count} whois records."),
            None => format!("Derived from {held} whois records; changes between them are not seen."),
        });
        derived.missing.clone_from(&history.missing);
        let mut answers = vec![derived, history];
        answers.extend(siblings);
        Ok(answers)
    }
}

fn page(domain: &str, limit: u64, offset: u64) -> Call {
    call(WHOIS_HISTORY, format!("/v1/{}/whois/history", segment(domain)))
        .with("mode", "list")
        .with("sort", "date_desc")
        .with("limit", limit.to_string())
        .with("offset", offset.to_string())
        .costing(Cost::records(i64::try_from(limit).unwrap_or(i64::MAX)))
}

fn captures(records: &[Record]) -> u64 {
    records
        .iter()
        .map(|record| match record.get("captures") {
            Some(pivotd_domain::Value::Integer(number)) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        })
        .sum()
}

/// Reads one capture as a period of one day.
fn capture(row: Node<'_>, domain: &str) -> Option<Record> {
    if !["whois", "date"].iter().any(|name| row.get(name).exists()) {
        return None;
    }
    let whois = row.get("whois");
    let registration = whois.get("registration");
    let text = whois.get("record").text();
    let mut statuses = registration.get("statuses").texts();
    statuses.sort_unstable_by_key(|status| status.to_lowercase());
    let mut servers: Vec<String> = whois.get("name_servers").many().filter_map(Node::host).collect();
    servers.sort_unstable();
    servers.dedup();
    let servers: Vec<Record> = servers
        .into_iter()
        .map(|name| Record::new().with("name", name))
        .collect();
    let date = row.get("date").day();
    Some(
        Record::new()
            .with("domain", domain)
            .with_some("first_seen", date)
            .with_some("last_seen", date)
            .with("captures", 1)
            .with_some("private", row.get("is_private").flag())
            .with_some("registrar", registration.get("registrar").text())
            .with_some(
                "registrant",
                whois
                    .get("registrant")
                    .text()
                    .and_then(|text| Party::holder(&text)),
            )
            .with_some("created", registration.get("created").day())
            .with_some("updated", registration.get("updated").day())
            .with_some("expires", registration.get("expires").day())
            .with("statuses", statuses)
            .with_some("server", whois.get("server").text())
            .with(
                "contacts",
                text.as_deref().map(whois_text::contacts).unwrap_or_default(),
            )
            .with_some("record", text)
            .with("name_servers", servers),
    )
}

/// Folds captures, newest first, onto periods, newest first.
///
/// Equal neighbours in time become one period: the newest capture gives its fields, the oldest its
/// first day. Folding page by page gives what folding all at once gives.
fn fold(periods: &mut Vec<Record>, captures: Vec<Record>) {
    for next in captures {
        match periods.last_mut() {
            Some(last) if same_period(last, &next) => {
                if let Some(day) = next.day("first_seen") {
                    last.set("first_seen", day);
                    if last.day("last_seen").is_none() {
                        last.set("last_seen", day);
                    }
                }
                let both =
                    self::captures(std::slice::from_ref(last)) + self::captures(std::slice::from_ref(&next));
                last.set("captures", i64::try_from(both).unwrap_or(i64::MAX));
            }
            _ => periods.push(next),
        }
    }
}

fn same_period(one: &Record, other: &Record) -> bool {
    ["registrar", "registrant", "contacts", "name_servers", "statuses"]
        .iter()
        .all(|field| one.get(field) == other.get(field))
}

/// Derives when each name server was seen, newest first.
fn name_servers(periods: &[Record], more: bool) -> Vec<Record> {
    spans(periods, more, "nameserver", |period| {
        period
            .records("name_servers")
            .iter()
            .filter_map(|server| server.text("name"))
            .filter_map(|name| host(&name))
            .collect()
    })
}

/// Derives when each registrar was seen, newest first.
fn registrars(periods: &[Record], more: bool) -> Vec<Record> {
    let mut records = spans(periods, more, "registrar", |period| {
        period
            .text("registrar")
            .map(std::borrow::Cow::into_owned)
            .into_iter()
            .collect()
    });
    for record in &mut records {
        let newest = periods.iter().find(|period| {
            period.get("registrar") == record.get("registrar")
                && period.day("last_seen") == record.day("last_seen")
        });
        for field in ["created", "updated", "expires"] {
            if let Some(day) = newest.and_then(|period| period.day(field)) {
                record.set(field, day);
            }
        }
    }
    records
}

/// Joins periods in a row (newest first) that hold the same value.
///
/// A capture proves a value on its day only, so no span is called current; the first day of the
/// oldest spans is left out where older captures exist that were not read.
fn spans(
    periods: &[Record],
    more: bool,
    field: &'static str,
    values: impl Fn(&Record) -> Vec<String>,
) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    for period in periods {
        let now = values(period);
        if now.is_empty() {
            // A thin capture without the field says nothing about it.
            continue;
        }
        open.retain(|(value, _)| now.contains(value));
        for value in now {
            let known = open
                .iter()
                .find(|(known, _)| *known == value)
                .map(|(_, index)| *index);
            match known.and_then(|index| records.get_mut(index)) {
                Some(record) => {
                    if let Some(day) = period.day("first_seen") {
                        record.set("first_seen", day);
                    }
                }
                None => {
                    open.push((value.clone(), records.len()));
                    records.push(
                        Record::new()
                            .with_some("domain", period.text("domain").map(std::borrow::Cow::into_owned))
                            .with(field, value)
                            .with_some("first_seen", period.day("first_seen"))
                            .with_some("last_seen", period.day("last_seen")),
                    );
                }
            }
        }
    }
    if more {
        for (_, index) in open {
            if let Some(record) = records.get_mut(index) {
                // An empty text removes the field.
                record.set("first_seen", "");
            }
        }
    }
    records
}
