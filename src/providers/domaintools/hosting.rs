//! Answers IP, name server and registrar history from one hosting-history call.
//!
//! The vendor gives events, oldest first: a value came, changed, or went. Records are the periods
//! between them, newest first. An empty name server or registrar list means "not provided" (the lists
//! went empty in recordings of 2026 where those of 2022 had rows), so whois history steps in.

use jiff::civil::Date;

use super::common::{answer, call, first, one_query, replied_good};
use super::{HOSTING_HISTORY, WHOIS_HISTORY, history};
use crate::domain::{Answer, Capability, Query, Record};
use crate::providers::tolerant::{Node, address, host, json, malformed, public_text};
use crate::providers::{Lookup, ProviderError, Replied, Step};

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
        return Ok(Step::Done(vec![answer(query, HOSTING_HISTORY, Vec::new())]));
    };
    let body = json(&reply)?;
    let response = Node::of(&body).get("response");
    if !["ip_history", "nameserver_history", "registrar_history"]
        .iter()
        .any(|name| response.get(name).exists())
    {
        return Err(malformed("history"));
    }
    let mut asked = None;
    let mut siblings = Vec::new();
    for capability in SIBLINGS {
        let Some(records) = read(capability, response, query.indicator.value()) else {
            continue;
        };
        let is_asked = capability == query.capability;
        let found = answer(
            Query {
                capability,
                ..query.clone()
            },
            HOSTING_HISTORY,
            records,
        );
        if is_asked {
            asked = Some(found);
        } else {
            siblings.push(found);
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
fn read(capability: Capability, response: Node<'_>, domain: &str) -> Option<Vec<Record>> {
    match capability {
        // An address history may be empty: the name never resolved.
        Capability::IpHistory => {
            let list = response.get("ip_history");
            list.exists()
                .then(|| periods(list, "post_ip", "pre_ip", "ip", domain, address))
        }
        Capability::NameserverHistory => {
            let list = response.get("nameserver_history");
            list.many().find(|row| row.is_object())?;
            Some(periods(list, "post_mns", "pre_mns", "nameserver", domain, host))
        }
        _ => {
            let list = response.get("registrar_history");
            list.many().find(|row| row.is_object())?;
            Some(registrars(list, domain))
        }
    }
}

struct Open {
    value: String,
    since: Option<Date>,
    action: Option<String>,
}

/// Turns events into periods, newest first.
fn periods(
    list: Node<'_>,
    post: &str,
    pre: &str,
    field: &'static str,
    domain: &str,
    canonical: fn(&str) -> Option<String>,
) -> Vec<Record> {
    let mut events: Vec<(Option<Date>, Node<'_>)> = list
        .many()
        .map(|event| (event.get("actiondate").day(), event))
        .collect();
    // The vendor gives them oldest first; a stable sort keeps the order within a day.
    events.sort_by_key(|(date, _)| *date);
    let record = |open: &Open, until: Option<Date>| {
        Record::new()
            .with("domain", domain)
            .with(field, open.value.as_str())
            .with_some("first_seen", open.since)
            .with_some("last_seen", until)
            .with_some("action", open.action.clone())
    };
    let mut records = Vec::new();
    let mut open: Option<Open> = None;
    let mut ended: Option<String> = None;
    for (date, event) in events {
        let read = |name: &str| event.get(name).text().and_then(|text| canonical(&text));
        let gone = event
            .get("action")
            .text()
            .is_some_and(|action| action.eq_ignore_ascii_case("D"));
        let (before, after) = (read(pre), read(post).filter(|_| !gone));
        let action = event.get("action_in_words").text();
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
        records.push(record(&open, None).with("current", true));
    }
    records.reverse();
    records
}

/// Turns the registrar rows into records, newest first; rows of one registrar in a row are joined.
///
/// A row says when the registration was updated and when it was last checked; the last check bounds
/// what is known, so no row claims to be current.
fn registrars(list: Node<'_>, domain: &str) -> Vec<Record> {
    let mut rows: Vec<(Option<Date>, Node<'_>)> = list
        .many()
        .map(|row| {
            (
                row.get("date_lastchecked")
                    .day()
                    .or(row.get("date_updated").day()),
                row,
            )
        })
        .collect();
    rows.sort_by_key(|(date, _)| *date);
    let mut records: Vec<Record> = Vec::new();
    for (until, row) in rows {
        let Some(name) = row.get("registrar").text().and_then(|name| public_text(&name)) else {
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
    records
}
