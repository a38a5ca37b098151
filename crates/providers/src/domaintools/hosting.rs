//! Answers IP, name server and registrar history from one hosting-history call.
//!
//! The vendor gives events, oldest first: a value came, changed, or went. Records are the periods
//! between them, newest first. An empty name server or registrar list means "not provided" (the lists
//! went empty in recordings of 2026 where those of 2022 had rows), so whois history steps in.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::common::{call, first, nothing, one_query, replied_good};
use super::{DESCRIPTOR, HOSTING_HISTORY, WHOIS_HISTORY, classify, history};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::{Node, address, host, json, malformed, public_text};
use crate::{Lookup, ProviderError, Replied, Step};
use pivotd_domain::{Answer, Capability, Query, Record};

const SIBLINGS: [Capability; 3] = [
    Capability::IpHistory,
    Capability::NameserverHistory,
    Capability::RegistrarHistory,
];

/// Starts an IP, name server or registrar history.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    if lookup.product == WHOIS_HISTORY {
        return history::derive(query, Vec::new());
    }
    let path = format!("/v1/{}/hosting-history", super::segment(query.indicator.value()));
    Ok(Step::Calls {
        calls: vec![call(HOSTING_HISTORY, path)],
        then: Box::new(move |replies| finish(query, first(replies)?)),
    })
}

fn finish(query: Query, replied: Replied) -> Result<Step, ProviderError> {
    let Some(reply) = replied_good(replied)? else {
        return Ok(Step::Done(vec![nothing(query, HOSTING_HISTORY)]));
    };
    let body = json(&reply)?;
    let response = Node::of(&body).get("response");
    if !["ip_history", "nameserver_history", "registrar_history"]
        .iter()
        .any(|name| response.get(name).exists())
    {
        return Err(malformed("history"));
    }
    let partial = classify::partial(&reply, response);
    let mut asked = None;
    let mut siblings = Vec::new();
    for capability in SIBLINGS {
        let Some(rows) = read(capability, response, query.indicator.value()) else {
            continue;
        };
        let of = Query {
            capability,
            ..query.clone()
        };
        let missing = partial.clone().into_iter().collect();
        let found = rows.answer_lacking(&DESCRIPTOR, of, HOSTING_HISTORY, missing);
        if capability == query.capability {
            asked = Some(found?);
        } else {
            // What is wrong with another list is told to the one who asks for it.
            siblings.extend(found.ok());
        }
    }
    match asked {
        Some(asked) => Ok(Step::Done(
            std::iter::once(asked).chain(siblings).collect::<Vec<Answer>>(),
        )),
        None if query.capability == Capability::IpHistory => Err(malformed("ip_history")),
        None => history::derive(query, siblings),
    }
}

/// Reads one of the three lists; `None` where the vendor did not provide it.
fn read(capability: Capability, response: Node<'_>, domain: &str) -> Option<Rows> {
    match capability {
        // An address history may be empty: the name never resolved.
        Capability::IpHistory => {
            let list = response.get("ip_history");
            list.exists()
                .then(|| periods(list, "post_ip", "pre_ip", "ip", domain, address))
        }
        Capability::NameserverHistory => {
            let list = response.get("nameserver_history");
            list.rows().next()?;
            Some(periods(list, "post_mns", "pre_mns", "nameserver", domain, host))
        }
        _ => {
            let list = response.get("registrar_history");
            list.rows().next()?;
            Some(registrars(list, domain))
        }
    }
}

struct Open {
    value: SmolStr,
    since: Option<Date>,
    action: Option<SmolStr>,
}

/// Says what an event of a list is: the day, the values before and after it, and what it was.
struct Event {
    day: Option<Date>,
    before: Option<SmolStr>,
    after: Option<SmolStr>,
    action: Option<SmolStr>,
    /// Whether a side is missing or could not be read: a value was there, or came, and nothing tells which.
    is_part: bool,
}

/// Says of an event that says nothing, or nothing that can be read, when it was; `None` where that cannot be read either.
struct UnreadEvent(Option<Date>);

impl Event {
    /// Reads an event, each side by itself. It needs a date that can be read, or none, and one value of the list's.
    fn read(
        row: Node<'_>,
        post: &str,
        pre: &str,
        canonical: fn(&str) -> Option<String>,
    ) -> Result<Self, UnreadEvent> {
        // What is there and cannot be read is no value that went.
        let value = |name: &str| {
            let text = row.get(name).text();
            let value = text.as_deref().and_then(canonical);
            let is_misread = text.is_some() && value.is_none();
            (value.map(SmolStr::from), is_misread)
        };
        let ((before, before_misread), (after, after_misread)) = (value(pre), value(post));
        let date = row.get("actiondate");
        let day = date.day();
        let is_misread = date.exists() && day.is_none();
        if is_misread || (before.is_none() && after.is_none()) {
            return Err(UnreadEvent(day));
        }
        let action = row.get("action").text();
        let is = |name: &str| {
            action
                .as_deref()
                .is_some_and(|action| action.eq_ignore_ascii_case(name))
        };
        let gone = is("D");
        // A new value alone has none before it, and one that went none behind it.
        let lacks_side = action.is_some() && ((before.is_none() && !is("N")) || (after.is_none() && !gone));
        Ok(Self {
            day,
            before,
            after: after.filter(|_| !gone),
            action: row.get("action_in_words").text().map(SmolStr::from),
            is_part: before_misread || after_misread || lacks_side,
        })
    }
}

/// Turns events into periods, newest first.
fn periods(
    list: Node<'_>,
    post: &str,
    pre: &str,
    field: &'static str,
    domain: &str,
    canonical: fn(&str) -> Option<String>,
) -> Rows {
    let (mut events, mut unread): (Vec<Event>, Vec<UnreadEvent>) = (Vec::new(), Vec::new());
    for row in list.rows() {
        match Event::read(row, post, pre, canonical) {
            Ok(event) => events.push(event),
            Err(event) => unread.push(event),
        }
    }
    let lost = unread.len() + events.iter().filter(|event| event.is_part).count();
    // The vendor gives them oldest first; a stable sort keeps the order within a day.
    events.sort_by_key(|event| event.day);
    let domain = SmolStr::from(domain);
    let record = |open: &Open, until: Option<Date>| {
        Record::new()
            .with("domain", domain.clone())
            .with(field, open.value.clone())
            .with_some("first_seen", open.since)
            .with_some("last_seen", until)
            .with_some("action", open.action.clone())
    };
    let mut records = Vec::new();
    let mut open: Option<Open> = None;
    let mut ended: Option<SmolStr> = None;
    for event in events {
        let Event {
            day: date,
            before,
            after,
            action,
            is_part: _,
        } = event;
        if open
            .as_ref()
            .is_some_and(|open| Some(&open.value) == after.as_ref())
        {
            continue;
        }
        // A list that begins, or goes on, with a value it never opened still tells when that one ended.
        // An end may be told twice (recorded), so the value that ended last does not end again.
        let known = match &open {
            Some(open) => Some(open.value.as_str()),
            None => ended.as_deref(),
        };
        if let Some(before) = before.filter(|before| known != Some(before)) {
            let never_opened = Open {
                value: before,
                since: None,
                action: None,
            };
            records.push(record(&never_opened, date));
            ended = Some(never_opened.value);
        }
        if let Some(open) = open.take() {
            records.push(record(&open, date));
            ended = Some(open.value);
        }
        open = after.map(|value| Open {
            value,
            since: date,
            action,
        });
    }
    if let Some(open) = open {
        // An event that could not be read may have ended it, unless it was before.
        let is_doubtful = |event: &UnreadEvent| event.0.is_none_or(|day| Some(day) >= open.since);
        let last = record(&open, None);
        records.push(if unread.iter().any(is_doubtful) {
            last
        } else {
            last.with("current", true)
        });
    }
    records.reverse();
    let mut rows: Rows = records.into_iter().map(Row::Record).collect();
    rows.lose(lost);
    rows
}

/// Turns the registrar rows into records, newest first; rows of one registrar in a row are joined.
///
/// A row says when the registration was updated and when it was last checked; the last check bounds
/// what is known, so no row claims to be current.
fn registrars(list: Node<'_>, domain: &str) -> Rows {
    let day = |row: Node<'_>| {
        row.get("date_lastchecked")
            .day()
            .or(row.get("date_updated").day())
    };
    let mut rows: Vec<(Option<Date>, Node<'_>)> = list.rows().map(|row| (day(row), row)).collect();
    let mut others = Rows::default();
    rows.sort_by_key(|(date, _)| *date);
    let mut records: Vec<Record> = Vec::new();
    for (until, row) in rows {
        let Some(name) = row.get("registrar").text() else {
            others.lose(1);
            continue;
        };
        let Some(name) = public_text(&name) else {
            others.extend([Row::LeftOut(SkipReason::Redacted, None)]);
            continue;
        };
        let before = records.last().and_then(|last| last.day("last_seen"));
        if let Some(last) = records
            .last_mut()
            .filter(|last| last.text("registrar").as_deref() == Some(&*name))
        {
            for (field, source) in [("updated", "date_updated"), ("expires", "date_expires")] {
                if let Some(day) = row.get(source).day() {
                    last.set(field, day);
                }
            }
            if let Some(until) = until {
                last.set("last_seen", until);
            }
            continue;
        }
        let updated = row.get("date_updated").day();
        let since = match before {
            None => row.get("date_created").day().or(updated),
            Some(before) => updated.filter(|updated| *updated >= before).or(Some(before)),
        };
        records.push(
            Record::new()
                .with("domain", domain)
                .with("registrar", name)
                .with_some("first_seen", since)
                .with_some("last_seen", until)
                .with_some("created", row.get("date_created").day())
                .with_some("updated", updated)
                .with_some("expires", row.get("date_expires").day()),
        );
    }
    records.reverse();
    others.extend(records.into_iter().map(Row::Record));
    others
}
