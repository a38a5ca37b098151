//! Answers which values other domains share, from Iris Investigate, rarest first.
//!
//! Iris writes every value as `{"value", "count"}`, the count being the domains that share it; 0 says
//! that it is no pivot, 1 that the domain is alone with it.

use std::collections::BTreeMap;

use super::common::{nothing, one_query};
use super::iris::{self, SearchResult};
use super::{DESCRIPTOR, IRIS_INVESTIGATE};
use crate::kit::facts::{place, tracker_kind};
use crate::kit::reach::{one_email, one_phone};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::{Node, address, host};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::party::Label;
use pivotd_domain::{Party, Query, Record};

/// Starts a search for pivots: one page of rows, each with all its values.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let indicator = query.indicator.clone();
    iris::search(&indicator, 1, pivots, Box::new(move |found| merge(query, found)))
}

/// The field of a place, which has its country beside it.
const LOCATION: &str = "location";

/// Holds one shared value.
#[derive(Debug, Clone)]
struct Pivot {
    field: &'static str,
    name: String,
    value: String,
    /// What kind of tracker it is.
    kind: Option<String>,
    /// The country of the contact whose telephone number it is: Iris writes numbers with the calling code and no plus.
    country: Option<String>,
    count: i64,
    domain: Option<String>,
}

/// Says in which field a value goes.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Ip,
    Host,
    NameServer,
    MailServer,
    Email,
    Person,
    Organization,
    Phone,
    Certificate,
    Tracker,
    Asn,
    Country,
    Text,
}

impl Shape {
    /// Returns the field and the canonical value; `None` where the value is none of that shape, a
    /// privacy service's, or prose.
    fn read(self, node: Node<'_>) -> Option<(&'static str, String)> {
        let text = node.text()?;
        Some(match self {
            Self::Ip => ("ip", address(&text)?),
            Self::Host => ("host", host(&text)?),
            Self::NameServer => ("nameserver", host(&text)?),
            Self::MailServer => ("mailserver", host(&text)?),
            Self::Email => ("email", one_email(&text)?),
            Self::Person => match Party::read(&text, Label::Name)? {
                Party::Person(name) => ("person", name.as_str().to_owned()),
                Party::Organization(name) => ("organization", name.as_str().to_owned()),
            },
            Self::Organization => ("organization", Party::organization(&text)?),
            Self::Phone => ("phone", one_phone(&text)?),
            Self::Certificate => ("certificate", certificate(&text)?),
            Self::Tracker => ("tracker", text),
            Self::Asn => ("asn", asn(&text)?),
            Self::Country => (LOCATION, text),
            Self::Text => ("text", text),
        })
    }
}

fn certificate(text: &str) -> Option<String> {
    let hash: String = text
        .chars()
        .filter(|letter| *letter != ':')
        .collect::<String>()
        .to_ascii_lowercase();
    (matches!(hash.len(), 40 | 64) && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

fn asn(text: &str) -> Option<String> {
    text.trim_start_matches(['A', 'S', 'a', 's'])
        .parse::<u32>()
        .ok()
        .map(|number| number.to_string())
}

/// Where values stand in a row: path (lists are walked), shape, name of the pivot.
const PLACES: &[(&[&str], Shape, &str)] = &[
    (&["ip", "address"], Shape::Ip, "ip"),
    (&["ip", "asn"], Shape::Asn, "asn"),
    (&["ip", "isp"], Shape::Organization, "isp"),
    (&["ip", "country_code"], Shape::Country, "ip-country"),
    (&["mx", "host"], Shape::MailServer, "mx"),
    (&["mx", "domain"], Shape::Host, "mx-domain"),
    (&["mx", "ip"], Shape::Ip, "mx-ip"),
    (&["name_server", "host"], Shape::NameServer, "name-server"),
    (&["name_server", "domain"], Shape::Host, "name-server-domain"),
    (&["name_server", "ip"], Shape::Ip, "name-server-ip"),
    (&["registrant_name"], Shape::Person, "registrant-name"),
    (&["registrant_org"], Shape::Organization, "registrant-org"),
    (&["registrar"], Shape::Organization, "registrar"),
    (&["email_domain"], Shape::Host, "email-domain"),
    (&["soa_email"], Shape::Email, "soa-email"),
    (&["ssl_email"], Shape::Email, "ssl-email"),
    (&["additional_whois_email"], Shape::Email, "whois-email"),
    (&["ssl_info", "hash"], Shape::Certificate, "ssl-hash"),
    (&["ssl_info", "email"], Shape::Email, "ssl-email"),
    (
        &["ssl_info", "organization"],
        Shape::Organization,
        "ssl-organization",
    ),
    (&["ssl_info", "alt_names"], Shape::Host, "ssl-alt-name"),
    (&["ssl_info", "subject"], Shape::Text, "ssl-subject"),
    (&["ssl_info", "common_name"], Shape::Text, "ssl-common-name"),
    (&["ssl_info", "issuer_common_name"], Shape::Text, "ssl-issuer"),
    (&["redirect_domain"], Shape::Host, "redirect-domain"),
    (&["redirect"], Shape::Text, "redirect"),
    (&["website_title"], Shape::Text, "website-title"),
    (&["server_type"], Shape::Text, "server-type"),
    (&["create_date"], Shape::Text, "create-date"),
    (&["expiration_date"], Shape::Text, "expiration-date"),
    (&["adsense"], Shape::Tracker, "tracker"),
    (&["google_analytics"], Shape::Tracker, "tracker"),
    (&["ga4"], Shape::Tracker, "tracker"),
    (&["gtm_codes"], Shape::Tracker, "tracker"),
    (&["fb_codes"], Shape::Tracker, "tracker"),
    (&["hotjar_codes"], Shape::Tracker, "tracker"),
    (&["baidu_codes"], Shape::Tracker, "tracker"),
    (&["yandex_codes"], Shape::Tracker, "tracker"),
    (&["matomo_codes"], Shape::Tracker, "tracker"),
    (&["statcounter_project_codes"], Shape::Tracker, "tracker"),
    (&["statcounter_security_codes"], Shape::Tracker, "tracker"),
];

/// The contacts of a row, by the role that pivots are named after.
const CONTACTS: &[(&str, &str)] = &[
    ("registrant_contact", "registrant"),
    ("admin_contact", "admin"),
    ("technical_contact", "tech"),
    ("billing_contact", "billing"),
];

/// The parts of a contact; city, state and country are shared by everybody there and are left out.
const PARTS: &[(&str, Shape, &str)] = &[
    ("email", Shape::Email, "email"),
    ("name", Shape::Person, "name"),
    ("org", Shape::Organization, "org"),
    ("phone", Shape::Phone, "phone"),
    ("fax", Shape::Phone, "fax"),
    ("street", Shape::Text, "street"),
];

/// Holds what one row gave.
struct Read {
    pivots: Vec<Pivot>,
    /// What of it is shared and shown in no record, or could not be read.
    others: Vec<Row>,
}

/// Tells how many elements of the row's lists are no values.
fn misread(row: Node<'_>) -> usize {
    let mut names: Vec<&str> = PLACES
        .iter()
        .filter_map(|(path, ..)| path.first().copied())
        .collect();
    names.extend(CONTACTS.iter().map(|(contact, _)| *contact));
    names.dedup();
    let elements = names.into_iter().flat_map(|name| row.get(name).rows());
    elements.filter(|element| !element.is_object()).count()
}

/// Reads the pivots of one row.
fn pivots(row: Node<'_>) -> Option<Read> {
    row.members().next()?;
    let domain = row.get("domain").host();
    let mut pivots = Vec::new();
    let mut others: Vec<Row> = (0..misread(row)).map(|_| Row::Unread).collect();
    let mut take = |node: Node<'_>, shape: Shape, name: String, member: &str, country: Option<&str>| {
        let Some(count) = node.get("count").integer().filter(|count| *count > 1) else {
            return;
        };
        let Some((field, value)) = shape.read(node.get("value")) else {
            others.push(match shape {
                Shape::Email | Shape::Person | Shape::Organization | Shape::Phone => {
                    Row::LeftOut(SkipReason::Redacted, None)
                }
                _ => Row::Unread,
            });
            return;
        };
        pivots.push(Pivot {
            field,
            name,
            value,
            kind: matches!(shape, Shape::Tracker).then(|| tracker_kind(member)),
            country: country
                .filter(|_| matches!(shape, Shape::Phone))
                .map(str::to_owned),
            count,
            domain: domain.clone(),
        });
    };
    for (path, shape, name) in PLACES {
        let member = path.first().copied().unwrap_or_default();
        walk(row, path, &mut |node| {
            take(node, *shape, (*name).to_owned(), member, None);
        });
    }
    for (contact, role) in CONTACTS {
        let country = row.get(contact).get("country").get("value").text();
        for (part, shape, suffix) in PARTS {
            walk(row, &[contact, part], &mut |node| {
                take(node, *shape, format!("{role}-{suffix}"), part, country.as_deref());
            });
        }
    }
    Some(Read { pivots, others })
}

fn walk<'a>(node: Node<'a>, path: &[&str], found: &mut dyn FnMut(Node<'a>)) {
    match path.split_first() {
        None => node.many().for_each(found),
        Some((name, rest)) => node.many().for_each(|item| walk(item.get(name), rest, found)),
    }
}

/// Merges equal pivots of several rows and puts the rarest first.
fn merge(query: Query, found: SearchResult<Read>) -> Result<Step, ProviderError> {
    if !found.known {
        return Ok(Step::Done(vec![nothing(query, IRIS_INVESTIGATE)]));
    }
    let mut others: Vec<Row> = (0..found.unread).map(|_| Row::Unread).collect();
    let mut shared = Vec::new();
    let read = found.rows.len();
    for row in found.rows {
        if row.pivots.is_empty() && row.others.is_empty() {
            others.push(Row::LeftOut(SkipReason::Alone, None));
        }
        others.extend(row.others);
        shared.extend(row.pivots);
    }
    type Key = (String, &'static str, String, [Option<String>; 2]);
    let mut merged: BTreeMap<Key, Pivot> = BTreeMap::new();
    for pivot in shared {
        // The value asked about leads back to itself.
        if pivot.value == query.indicator.value() {
            others.push(Row::ITSELF);
            continue;
        }
        merged
            .entry((
                pivot.name.clone(),
                pivot.field,
                pivot.value.clone(),
                [pivot.kind.clone(), pivot.country.clone()],
            ))
            .and_modify(|known| {
                known.count = known.count.max(pivot.count);
                if known.domain != pivot.domain {
                    known.domain = None;
                }
            })
            .or_insert(pivot);
    }
    let mut pivots: Vec<Pivot> = merged.into_values().collect();
    pivots.sort_by_key(|pivot| pivot.count);
    let records = pivots.into_iter().map(|pivot| {
        let record = Record::new()
            .with_some("domain", pivot.domain)
            .with("pivot", pivot.name)
            .with("count", pivot.count)
            .with_some("kind", pivot.kind)
            .with_some("country", pivot.country);
        Row::Record(if pivot.field == LOCATION {
            place(record, None, Some(pivot.value))
        } else {
            record.with(pivot.field, pivot.value)
        })
    });
    let rows: Rows = records.chain(others).collect();
    let mut answer = rows.answer_lacking(&DESCRIPTOR, query, IRIS_INVESTIGATE, found.missing)?;
    if found.more {
        let total = found
            .total
            .map_or_else(String::new, |total| format!(" of {total}"));
        answer.source.blind = Some(format!("Pivots of the first {read}{total} domains."));
    }
    Ok(Step::Done(vec![answer]))
}
