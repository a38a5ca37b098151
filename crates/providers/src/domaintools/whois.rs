//! Answers the current registration of a domain or an address.
//!
//! A domain is asked of parsed whois, or of plain whois whose contacts are read from the raw text. An
//! address is asked of reverse IP whois first: it alone has range, organisation and country as fields.

use std::net::IpAddr;

use super::common::{answer, call, first, one_query, replied_good};
use super::{DESCRIPTOR, PARSED_WHOIS, REVERSE_IP_WHOIS, WHOIS, classify, segment};
use crate::kit::contact::{self, Contact, Part};
use crate::kit::facts::country_code;
use crate::kit::reach::{all_emails, all_phones};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, address, json, malformed};
use crate::kit::whois_text;
use crate::{Call, Lookup, ProviderError, Step};
use pivotd_domain::{IndicatorKind, Party, Query, Record};

/// Starts a whois look-up.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let is_address = query.indicator.kind() == IndicatorKind::Ipv4;
    let (product, path) = match lookup.product.as_str() {
        WHOIS => (WHOIS, "whois"),
        _ => (PARSED_WHOIS, "whois/parsed"),
    };
    match lookup.product.as_str() {
        REVERSE_IP_WHOIS if is_address => Ok(of_address(query)),
        REVERSE_IP_WHOIS => Err(ProviderError::Unsupported(
            "reverse IP whois is about addresses".to_owned(),
        )),
        _ => Ok(registration(query, product, path)),
    }
}

fn registration(query: Query, product: &'static str, path: &'static str) -> Step {
    let calls: Vec<Call> = vec![call(
        product,
        format!("/v1/{}/{path}", segment(query.indicator.value())),
    )];
    Step::Calls {
        calls,
        then: Box::new(move |replies| {
            let Some(reply) = replied_good(first(replies)?)? else {
                return Ok(Step::Done(vec![answer(query, product, Vec::new())]));
            };
            let body = json(&reply)?;
            let response = Node::of(&body).get("response");
            let record = read(response, &query)?;
            let mut made = answer(query, product, vec![record]);
            made.missing.extend(classify::partial(&reply, response));
            Ok(Step::Done(vec![made]))
        }),
    }
}

fn of_address(query: Query) -> Step {
    let calls = vec![call(REVERSE_IP_WHOIS, "/v1/reverse-ip-whois").with("ip", query.indicator.value())];
    Step::Calls {
        calls,
        then: Box::new(move |replies| {
            let Some(reply) = replied_good(first(replies)?)? else {
                return Ok(Step::Done(vec![answer(query, REVERSE_IP_WHOIS, Vec::new())]));
            };
            let body = json(&reply)?;
            let response = Node::of(&body).get("response");
            let partial = classify::partial(&reply, response).into_iter().collect();
            let listed = response.get("records");
            let read = |row| Row::from(netblock(row, &query));
            let rows = match listed.rows().next() {
                Some(_) => Rows::of(listed, read),
                None if response.get("record_count").integer() == Some(0) => Rows::default(),
                None => [read(response)].into_iter().collect(),
            };
            let made = rows.answer_lacking(&DESCRIPTOR, query, REVERSE_IP_WHOIS, partial)?;
            Ok(Step::Done(vec![made]))
        }),
    }
}

/// Reads a row of reverse IP whois.
fn netblock(row: Node<'_>, query: &Query) -> Option<Record> {
    let raw = row.get("whois_record").text();
    let range = range(row.get("ip_from"), row.get("ip_to"));
    if range.is_none() && raw.is_none() && !row.get("organization").exists() {
        return None;
    }
    let (contacts, untold) = raw.as_deref().map(whois_text::read).unwrap_or_default();
    Some(
        untold.put(
            Record::new()
                .with("ip", query.indicator.value())
                .with_some("captured", row.get("record_date").day())
                .with_some("netblock", range)
                .with_some("cidr", row.get("range").text())
                .with_some("organization", row.get("organization").text())
                .with_some(
                    "country",
                    row.get("country").text().map(|text| country_code(&text)),
                )
                .with_some("server", row.get("server").text())
                .with_some("asn", number(row).or_else(|| raw.as_deref().and_then(origin)))
                .with("contacts", contacts)
                .with_some("record", raw),
        ),
    )
}

/// Reads whois or parsed whois; the parsed part wins where it says something.
fn read(response: Node<'_>, query: &Query) -> Result<Record, ProviderError> {
    let parsed = response.get("parsed_whois");
    let registration = response.get("registration");
    let whois = response.get("whois");
    let raw = whois.get("record").text();
    if !parsed.exists() && !registration.exists() && raw.is_none() && !response.get("registrant").exists() {
        return Err(malformed("registration"));
    }
    let registrar = parsed.get("registrar");
    let either = |one: Option<_>, other: Option<_>| one.or(other);
    let mut statuses = parsed.get("statuses").texts();
    if statuses.is_empty() {
        statuses = registration.get("statuses").texts();
    }
    let mut servers: Vec<String> = parsed.get("name_servers").many().filter_map(Node::host).collect();
    if servers.is_empty() {
        servers = response
            .get("name_servers")
            .many()
            .filter_map(Node::host)
            .collect();
    }
    let servers: Vec<Record> = crate::kit::tolerant::distinct(servers.into_iter())
        .into_iter()
        .map(|name| Record::new().with("name", name))
        .collect();
    let (from_raw, mut untold) = raw.as_deref().map(whois_text::read).unwrap_or_default();
    let parsed_contacts = parsed_contacts(parsed.get("contacts"));
    let mut people = contact::records(&parsed_contacts);
    if !parsed_contacts.is_empty() {
        untold = contact::untold(&parsed_contacts);
    }
    if people.is_empty() {
        people.clone_from(&from_raw);
    }
    let abuse = |people: &[Record], name: &str| {
        people
            .iter()
            .find(|contact| contact.text("role").as_deref() == Some("abuse"))
            .and_then(|contact| contact.text(name).map(std::borrow::Cow::into_owned))
    };
    // The registrar is plain text in some answers, an object in parsed ones.
    let registrar_name = registrar.get("name").text().or_else(|| registrar.text());
    let mut record = Record::new();
    match query.indicator.kind() {
        IndicatorKind::Ipv4 => record.set("ip", query.indicator.value()),
        _ => record.set("domain", query.indicator.value()),
    }
    let network = networks(parsed);
    let record = record
        .with_some("captured", whois.get("date").day())
        .with_some(
            "registrar",
            either(registration.get("registrar").text(), registrar_name),
        )
        .with_some("registrar_url", registrar.get("url").text())
        .with_some("iana_id", registrar.get("iana_id").text())
        .with_some(
            "registrant",
            response
                .get("registrant")
                .text()
                .and_then(|text| Party::holder(&text)),
        )
        .with_some(
            "created",
            parsed
                .get("created_date")
                .day()
                .or(registration.get("created").day()),
        )
        .with_some(
            "updated",
            parsed
                .get("updated_date")
                .day()
                .or(registration.get("updated").day()),
        )
        .with_some(
            "expires",
            parsed
                .get("expired_date")
                .day()
                .or(registration.get("expires").day()),
        )
        .with("statuses", statuses)
        .with_some("server", registrar.get("whois_server").text())
        .with_some(
            "abuse_email",
            registrar
                .get("abuse_contact_email")
                .text()
                .and_then(|text| all_emails(&text))
                .or_else(|| abuse(&from_raw, "email")),
        )
        .with_some(
            "abuse_phone",
            registrar
                .get("abuse_contact_phone")
                .text()
                .and_then(|text| all_phones(&text))
                .or_else(|| abuse(&from_raw, "phone")),
        )
        .with_some("netblock", network.and_then(span))
        .with_some(
            "cidr",
            network.and_then(|network| network.get("range").get("cidr").text()),
        )
        .with_some(
            "organization",
            network.and_then(|network| {
                network
                    .get("org")
                    .text()
                    .or(network.get("organization").text())
                    .or(network.get("name").text())
            }),
        )
        .with_some(
            "country",
            network.and_then(|network| network.get("country").text()),
        )
        .with_some(
            "asn",
            network
                .and_then(number)
                .or_else(|| raw.as_deref().and_then(origin)),
        )
        .with("name_servers", servers)
        .with("contacts", people)
        .with_some("record", raw);
    Ok(untold.put(record))
}

/// Returns the narrowest network of an address answer, the last in the vendor's order.
fn networks(parsed: Node<'_>) -> Option<Node<'_>> {
    parsed
        .get("networks")
        .many()
        .filter(|network| network.is_object())
        .last()
}

fn span(network: Node<'_>) -> Option<String> {
    let range = network.get("range");
    self::range(range.get("from"), range.get("to"))
        .or_else(|| self::range(network.get("ip_from"), network.get("ip_to")))
        .or_else(|| range.text().and_then(|text| split_range(&text)))
}

fn split_range(text: &str) -> Option<String> {
    let (from, to) = text.split_once('-')?;
    Some(format!("{}-{}", address(from)?, address(to)?))
}

fn range(from: Node<'_>, to: Node<'_>) -> Option<String> {
    let (from, to): (IpAddr, IpAddr) = (from.address()?.parse().ok()?, to.address()?.parse().ok()?);
    (from.is_ipv4() == to.is_ipv4() && from <= to).then(|| format!("{from}-{to}"))
}

/// Returns the autonomous system's number that a row names.
fn number(row: Node<'_>) -> Option<String> {
    row.get("asn")
        .many()
        .next()
        .and_then(Node::text)
        .and_then(|text| digits(&text))
}

/// Returns the autonomous system that a raw record names (ARIN `OriginAS:`, RIPE `origin:`).
fn origin(raw: &str) -> Option<String> {
    raw.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        let key = key.trim();
        (key.eq_ignore_ascii_case("OriginAS") || key.eq_ignore_ascii_case("origin"))
            .then(|| {
                value
                    .split([',', ' '])
                    .find(|part| !part.is_empty())
                    .and_then(digits)
            })
            .flatten()
    })
}

fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text
        .get(..2)
        .filter(|head| head.eq_ignore_ascii_case("as"))
        .map_or(text, |_| text.get(2..).unwrap_or(""));
    text.parse::<u32>().ok().map(|number| number.to_string())
}

/// Reads parsed contacts: an object by role, or a list whose members name their role as `type`.
fn parsed_contacts(node: Node<'_>) -> Vec<Contact> {
    let rows: Vec<(Option<String>, Node<'_>)> = if node.is_list() {
        node.many()
            .map(|row| (row.get("type").text().or_else(|| row.get("role").text()), row))
            .collect()
    } else {
        node.members()
            .map(|(role, row)| (Some(role.to_owned()), row))
            .collect()
    };
    rows.into_iter()
        .filter(|(_, row)| row.is_object())
        .map(|(role, row)| {
            let mut contact = role.map_or_else(Contact::default, |role| Contact::of(contact::role(&role)));
            for (part, names) in PARTS {
                for name in *names {
                    contact.add_all(*part, row.get(name));
                }
            }
            contact
        })
        .collect()
}

const PARTS: &[(Part, &[&str])] = &[
    (Part::Name, &["name"]),
    (Part::Organization, &["org", "organization"]),
    (Part::Email, &["email"]),
    (Part::Phone, &["phone"]),
    (Part::Fax, &["fax"]),
    (Part::Street, &["street"]),
    (Part::City, &["city"]),
    (Part::State, &["state"]),
    (Part::Postal, &["postal"]),
    (Part::Country, &["country"]),
];
