//! Answers the current registration of a domain, and the domains of a registrant.

use std::borrow::Cow;
use std::collections::HashSet;

use super::dns::results;
use super::{WHOIS, answer, answer_of, call, nothing};
use crate::Step;
use crate::kit::common::one;
use crate::kit::contact::{self, Contact};
use crate::kit::facts::{self, name_servers};
use crate::kit::reach::emails;
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use pivotd_domain::{IndicatorKind, Query, Record};

/// Asks for the newest record of a domain.
pub(super) fn whois(query: Query) -> Step {
    let call = call(WHOIS, "/whois", query.indicator.value());
    one(call, move |reply| {
        let Some(reply) = reply else {
            return Ok(nothing(query, WHOIS));
        };
        let body = json(&reply)?;
        let root = Node::of(&body);
        let list = root.get("results");
        // One record, or a list of them. Neither a record without a member nor a list without a record says anything.
        let rows: Vec<Node<'_>> = if list.exists() {
            list.many().collect()
        } else {
            vec![root]
        };
        if rows.iter().all(|row| row.members().next().is_none()) {
            return Ok(nothing(query, WHOIS));
        }
        let row = rows.into_iter().find(|row| is_record(*row));
        let row = row.ok_or_else(|| malformed("registration"))?;
        let record = read(query.indicator.value(), row);
        Ok(answer(query, WHOIS, vec![record]))
    })
}

fn is_record(row: Node<'_>) -> bool {
    ["domain", "registrar", "rawText"]
        .iter()
        .any(|name| row.get(name).exists())
}

fn read(domain: &str, row: Node<'_>) -> Record {
    let record = Record::new()
        .with("domain", domain)
        .with_some("captured", row.get("lastLoadedAt").day())
        .with_some("registrar", row.get("registrar").text())
        .with_some("registrant", holder(row))
        .with_some("created", row.get("registered").day())
        .with_some("updated", row.get("registryUpdatedAt").day())
        .with_some("expires", row.get("expiresAt").day())
        .with_some("server", row.get("whoisServer").text())
        .with_some("record", row.get("rawText").text())
        .with("name_servers", name_servers(row.get("nameServers").many()))
        .with("contacts", contacts(row));
    contact::untold(&told(row)).put(record)
}

/// Names the holder. What stands beside the contacts is the registrant's.
fn holder(row: Node<'_>) -> Option<String> {
    let registrant = row.get("registrant");
    [registrant, row].into_iter().find_map(facts::holder)
}

/// Reads what is told of contacts; a role without one is `{}`. What stands beside them is the registrant's.
fn told(row: Node<'_>) -> Vec<Contact> {
    let roles = [
        ("registrant", "registrant"),
        ("admin", "admin"),
        ("tech", "tech"),
        ("billing", "billing"),
        ("zone", "zone"),
    ];
    let of = |role, node: Node<'_>| {
        facts::contact(role, |name| match name {
            "phone" => node.get("telephone"),
            "postal" => node.get("postalCode"),
            other => node.get(other),
        })
    };
    let mut contacts: Vec<Contact> = roles
        .into_iter()
        .map(|(role, name)| of(role, row.get(name)))
        .collect();
    if row.get("registrant").members().next().is_none() {
        contacts.push(of("registrant", row));
    }
    contacts
}

fn contacts(row: Node<'_>) -> Vec<Record> {
    let mut all = contact::records(&told(row));
    for email in row
        .get("contactEmail")
        .text()
        .iter()
        .flat_map(|text| emails(text))
    {
        let is_known = |known: &Record| known.text("email").as_deref() == Some(email.as_str());
        if !all.iter().any(is_known) {
            all.push(Record::new().with("email", email));
        }
    }
    all
}

/// Asks for the domains whose record names a value.
pub(super) fn search(query: Query) -> Step {
    let field = match query.indicator.kind() {
        IndicatorKind::Email => "email",
        IndicatorKind::Phone => "phone",
        IndicatorKind::Organization => "organization",
        _ => "name",
    };
    let call = call(WHOIS, "/whois/search", query.indicator.value()).with("field", field);
    one(call, move |reply| {
        let Some(reply) = reply else {
            return Ok(nothing(query, WHOIS));
        };
        let body = json(&reply)?;
        let mut seen = HashSet::new();
        let rows = Rows::of(results(Node::of(&body))?, |row| match registration(row) {
            // The vendor has a record of each change; the domain is told once.
            Some(record) if !seen.insert(record.text("domain").map(Cow::into_owned)) => Row::Same,
            read => Row::from(read),
        });
        answer_of(query, WHOIS, rows)
    })
}

fn registration(row: Node<'_>) -> Option<Record> {
    Some(
        Record::new()
            .with("domain", row.get("domain").host()?)
            .with_some("registrar", row.get("registrar").text())
            .with_some("registrant", holder(row))
            .with_some("created", row.get("registered").day())
            .with_some("expires", row.get("expiresAt").day())
            .with_some("last_seen", row.get("lastLoadedAt").day()),
    )
}
