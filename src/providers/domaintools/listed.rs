//! Answers which names stand on an address, beside a domain, or on a name server.
//!
//! These products are billed by the call and have no pages, so a call asks for all that there is: a
//! `limit` would cap at 100 what comes without one by the hundred (DomainTools recordings).

use super::common::{answer, call, first, one_query, replied_good};
use super::{REVERSE_IP, REVERSE_NAME_SERVER, judge, segment};
use crate::domain::{Answer, Capability, Query, Record};
use crate::providers::tolerant::{Node, distinct, json, malformed};
use crate::providers::{Lookup, ProviderError, Step};

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
                return Ok(Step::Done(vec![answer(query, product, Vec::new())]));
            };
            let body = json(&reply)?;
            let response = Node::of(&body).get("response");
            let (records, counted) = read(response, &query)?;
            let mut answer = answer(query, product, records);
            raise(&mut answer, counted);
            answer.missing.extend(judge::partial(&reply, response));
            Ok(Step::Done(vec![answer]))
        }),
    })
}

type Reader = fn(Node<'_>, &Query) -> Result<(Vec<Record>, u64), ProviderError>;

/// Takes the vendor's count as the total; it can be smaller than the list, which then counts.
fn raise(answer: &mut Answer, counted: u64) {
    answer.total = Some(counted.max(answer.records.len() as u64));
}

fn names(node: Node<'_>) -> Vec<String> {
    distinct(node.many().filter_map(Node::host))
}

fn on_address(response: Node<'_>, query: &Query) -> Result<(Vec<Record>, u64), ProviderError> {
    let rows = response.get("ip_addresses");
    if !rows.exists() {
        return Err(malformed("ip_addresses"));
    }
    let mut counted = 0;
    let mut records = Vec::new();
    for row in rows.many() {
        counted += row.get("domain_count").count().unwrap_or(0);
        let ip = row
            .get("ip_address")
            .address()
            .unwrap_or_else(|| query.indicator.value().to_owned());
        records.extend(
            names(row.get("domain_names"))
                .into_iter()
                .map(|domain| Record::new().with("ip", ip.as_str()).with("domain", domain)),
        );
    }
    Ok((records, counted))
}

fn beside(response: Node<'_>, query: &Query) -> Result<(Vec<Record>, u64), ProviderError> {
    let rows = response.get("ip_addresses");
    if !rows.exists() {
        return Err(malformed("ip_addresses"));
    }
    let mut records = Vec::new();
    for row in rows.many() {
        let Some(ip) = row.get("ip_address").address() else {
            continue;
        };
        let listed = names(row.get("domain_names"));
        let count = row
            .get("domain_count")
            .count()
            .unwrap_or(0)
            .max(listed.len() as u64);
        let domains: Vec<Record> = listed
            .into_iter()
            .filter(|domain| domain != query.indicator.value())
            .map(|domain| Record::new().with("domain", domain))
            .collect();
        records.push(
            Record::new()
                .with("ip", ip)
                .with("count", i64::try_from(count).unwrap_or(i64::MAX))
                .with("domains", domains),
        );
    }
    let counted = records.len() as u64;
    Ok((records, counted))
}

fn on_name_server(response: Node<'_>, query: &Query) -> Result<(Vec<Record>, u64), ProviderError> {
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
    let records = lists
        .into_iter()
        .flat_map(|(role, list)| names(list).into_iter().map(move |domain| (role, domain)))
        .map(|(role, domain)| {
            Record::new()
                .with("nameserver", hostname.as_str())
                .with("domain", domain)
                .with("role", role)
        })
        .collect();
    let sum = server.get("primary").count().unwrap_or(0) + server.get("secondary").count().unwrap_or(0);
    Ok((records, server.get("total").count().unwrap_or(0).max(sum)))
}
