//! Answers which names stand on an address, beside a domain, or on a name server.
//!
//! These products are billed by the call and have no pages, so a call asks for all that there is: a
//! `limit` would cap at 100 what comes without one by the hundred (DomainTools recordings).

use std::collections::HashSet;

use super::common::{call, first, nothing, one_query, replied_good};
use super::{DESCRIPTOR, REVERSE_IP, REVERSE_NAME_SERVER, classify, segment};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::{Answer, Capability, Query, Record};

/// Starts a look-up of names.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let (product, what, read): (_, _, Reader) = match query.capability {
        Capability::DomainsOnIp => (REVERSE_IP, "host-domains", on_address),
        Capability::Neighbours => (REVERSE_IP, "reverse-ip", beside),
        _ => (REVERSE_NAME_SERVER, "name-server-domains", on_name_server),
    };
    let path = format!("/v1/{}/{what}", segment(query.indicator.value()));
    Ok(Step::Calls {
        calls: vec![call(product, path)],
        then: Box::new(move |replies| {
            let Some(reply) = replied_good(first(replies)?)? else {
                return Ok(Step::Done(vec![nothing(query, product)]));
            };
            let body = json(&reply)?;
            let response = Node::of(&body).get("response");
            let (rows, counted) = read(response, &query)?;
            let partial = classify::partial(&reply, response).into_iter().collect();
            let mut answer = rows.answer_lacking(&DESCRIPTOR, query, product, partial)?;
            raise(&mut answer, counted);
            Ok(Step::Done(vec![answer]))
        }),
    })
}

type Reader = fn(Node<'_>, &Query) -> Result<(Rows, u64), ProviderError>;

/// Takes the vendor's count as the total; it can be smaller than the list, which then counts.
fn raise(answer: &mut Answer, counted: u64) {
    answer.total = Some(counted.max(answer.records.len() as u64));
}

/// Reads a list of names; `record` makes the record of one.
fn names(node: Node<'_>, mut record: impl FnMut(String) -> Record) -> Rows {
    let mut seen = HashSet::new();
    Rows::of(node, |row| match row.host() {
        Some(name) if !seen.insert(name.clone()) => Row::Same,
        Some(name) => Row::Record(record(name)),
        None => Row::Unread,
    })
}

/// Tells whether a row has names, or says that it has none.
fn has_names(row: Node<'_>) -> bool {
    row.get("domain_names").exists() || row.get("domain_count").exists()
}

fn on_address(response: Node<'_>, query: &Query) -> Result<(Rows, u64), ProviderError> {
    let listed = response.get("ip_addresses");
    if !listed.exists() {
        return Err(malformed("ip_addresses"));
    }
    let mut counted = 0;
    let mut rows = Rows::default();
    for row in listed.rows() {
        if !has_names(row) {
            rows.lose(1);
            continue;
        }
        counted += row.get("domain_count").count().unwrap_or(0);
        let ip = row
            .get("ip_address")
            .address()
            .unwrap_or_else(|| query.indicator.value().to_owned());
        rows.join(names(row.get("domain_names"), |domain| {
            Record::new().with("ip", ip.as_str()).with("domain", domain)
        }));
    }
    Ok((rows, counted))
}

fn beside(response: Node<'_>, query: &Query) -> Result<(Rows, u64), ProviderError> {
    let listed = response.get("ip_addresses");
    if !listed.exists() {
        return Err(malformed("ip_addresses"));
    }
    let mut rows = Rows::default();
    for row in listed.rows() {
        let Some(ip) = row.get("ip_address").address() else {
            rows.lose(1);
            continue;
        };
        let named = names(row.get("domain_names"), |domain| {
            Record::new().with("domain", domain)
        });
        let seen = (named.records().len() + named.unread()) as u64;
        let count = row.get("domain_count").count().unwrap_or(0).max(seen);
        let own = |domain: &&Record| domain.text("domain").as_deref() == Some(query.indicator.value());
        let domains: Vec<Record> = named
            .records()
            .iter()
            .filter(|domain| !own(domain))
            .cloned()
            .collect();
        rows.lose(named.unread());
        rows.extend([Row::Record(
            Record::new()
                .with("ip", ip)
                .with("count", i64::try_from(count).unwrap_or(i64::MAX))
                .with("domains", domains),
        )]);
    }
    let counted = rows.records().len() as u64;
    Ok((rows, counted))
}

fn on_name_server(response: Node<'_>, query: &Query) -> Result<(Rows, u64), ProviderError> {
    let server = response.get("name_server");
    let lists = [
        ("primary", response.get("primary_domains")),
        ("secondary", response.get("secondary_domains")),
    ];
    if !server.exists() && lists.iter().all(|(_, list)| !list.exists()) {
        return Err(malformed("name_server"));
    }
    let hostname = server
        .get("hostname")
        .host()
        .unwrap_or_else(|| query.indicator.value().to_owned());
    let mut rows = Rows::default();
    for (role, list) in lists {
        rows.join(names(list, |domain| {
            Record::new()
                .with("nameserver", hostname.as_str())
                .with("domain", domain)
                .with("role", role)
        }));
    }
    let sum = server.get("primary").count().unwrap_or(0) + server.get("secondary").count().unwrap_or(0);
    Ok((rows, server.get("total").count().unwrap_or(0).max(sum)))
}
