//! Answers the current registration of a domain, and reads those of its history.

use super::{WHOIS, answer, call};
use crate::Step;
use crate::kit::common::one;
use crate::kit::contact::{self, Contact};
use crate::kit::facts::{self, name_servers};
use crate::kit::reach::{all_emails, all_phones};
use crate::kit::tolerant::{Node, distinct, json, malformed};
use pivotd_domain::{Query, Record};

/// Asks for the current record of a domain.
pub(super) fn start(query: Query) -> Step {
    let asked = call(WHOIS, &query.indicator, "/whois");
    one(asked, move |reply| {
        let Some(reply) = reply else {
            return Ok(answer(query, WHOIS, Vec::new()));
        };
        let body = json(&reply)?;
        let row = Node::of(&body);
        if !is_record(row) {
            return Err(malformed("registration"));
        }
        let abuse = row.get("abuse");
        let record = registration(query.indicator.value(), row)
            .with_some("captured", row.get("lastSeenDateTime").day())
            .with_some(
                "abuse_email",
                abuse.get("email").text().and_then(|text| all_emails(&text)),
            )
            .with_some(
                "abuse_phone",
                abuse.get("telephone").text().and_then(|text| all_phones(&text)),
            );
        let record = contact::untold(&contacts(row)).put(record);
        Ok(answer(query, WHOIS, vec![record]))
    })
}

/// Reads a record of the history. Its first and last day are often `null`, and are then left out.
pub(super) fn period(domain: &str, row: Node<'_>) -> Option<Record> {
    is_record(row).then(|| {
        registration(domain, row)
            .with_some("first_seen", row.get("firstSeenDateTime").day())
            .with_some("last_seen", row.get("lastSeenDateTime").day())
    })
}

fn is_record(row: Node<'_>) -> bool {
    [
        "registrar",
        "registrant",
        "registrationDateTime",
        "rawWhoisText",
        "whoisServer",
    ]
    .iter()
    .any(|name| row.get(name).exists())
}

/// Reads the fields that whois and whois history share.
fn registration(domain: &str, row: Node<'_>) -> Record {
    let registrar = row.get("registrar");
    let registrar = registrar
        .get("organization")
        .text()
        .or_else(|| registrar.get("name").text());
    Record::new()
        .with("domain", domain)
        .with_some("registrar", registrar)
        .with_some("registrant", facts::holder(row.get("registrant")))
        .with_some("created", row.get("registrationDateTime").day())
        .with_some("updated", row.get("lastUpdateDateTime").day())
        .with_some("expires", row.get("expirationDateTime").day())
        .with("statuses", statuses(row.get("domainStatus")))
        .with_some("server", row.get("whoisServer").text())
        .with_some("record", row.get("rawWhoisText").text())
        .with(
            "name_servers",
            name_servers(
                row.get("nameservers")
                    .many()
                    .map(|server| server.get("host").get("id")),
            ),
        )
        .with("contacts", contact::records(&contacts(row)))
}

/// Reads the statuses, which stand in one text with commas between them.
fn statuses(node: Node<'_>) -> Vec<String> {
    let texts = node.texts();
    let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    distinct(words.filter(|word| !word.is_empty()).map(str::to_owned))
}

fn contacts(row: Node<'_>) -> Vec<Contact> {
    let roles = [
        ("registrant", "registrant"),
        ("admin", "admin"),
        ("tech", "technical"),
        ("billing", "billing"),
        ("noc", "noc"),
        ("zone", "zone"),
        ("abuse", "abuse"),
    ];
    roles
        .into_iter()
        .map(|(role, name)| {
            let node = row.get(name);
            let address = node.get("address");
            facts::contact(role, |name| match name {
                "phone" => node.get("telephone"),
                "postal" => address.get("postalCode"),
                "country" => address.get("countryOrRegion"),
                "street" | "city" | "state" => address.get(name),
                other => node.get(other),
            })
        })
        .collect()
}
