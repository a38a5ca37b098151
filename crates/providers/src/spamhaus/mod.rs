//! Asks Spamhaus over DNS whether an address or a name is on one of its blocklists.
//!
//! Facts are from Spamhaus' documentation of its DNSBLs, their return codes, and the Data Query Service (DQS).

mod codes;

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use self::codes::Zone;
use super::kit::common::{object, offered, uncovered};
use super::kit::resource::{NXDOMAIN, RecordType, Resource, resolved};
use super::{
    Call, Charge, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe,
    Product, Provider, ProviderError, ProviderOption, Replied, Reply, ReplyClass, Step, names,
};
use pivotd_domain::{Capability, Denial, FailureKind, Indicator, IndicatorKind, Query, Record};

const ORIGIN: &str = "resolver";
/// Name of the option that says whose servers are asked.
pub const SERVICE: &str = "service";
/// Value of [`SERVICE`]: the Data Query Service, with a key.
pub const DQS: &str = "dqs";
/// Value of [`SERVICE`]: the public servers, without a key.
pub const PUBLIC: &str = "public";

/// An address that is always listed, for tests (RFC 5782 section 5).
pub const TEST_POINT: &str = "127.0.0.2";
/// The same as it is asked.
const TEST_QUESTION: &str = "2.0.0.127";
/// The longest name that leaves room for key and zone in the 253 characters of a name.
const LONGEST: usize = 160;

const ADDRESSES: &[IndicatorKind] = &[IndicatorKind::Ipv4, IndicatorKind::Ipv6];
const NAMES: &[IndicatorKind] = &[IndicatorKind::Domain, IndicatorKind::Hostname];

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "dns:system")],
        credentials: vec![CredentialField::secret("key", "DQS key").only(SERVICE, DQS)],
        options: vec![ProviderOption::new(SERVICE, &[DQS, PUBLIC])],
        offers: vec![Offer {
            max_calls: 2,
            measures: vec![
                (Zone::Zen.id().into(), ADDRESSES.to_vec()),
                (Zone::Dbl.id().into(), NAMES.to_vec()),
                (Zone::Zrd.id().into(), NAMES.to_vec()),
            ],
            ..Offer::of(
                Capability::Reputation,
                &[
                    IndicatorKind::Ipv4,
                    IndicatorKind::Ipv6,
                    IndicatorKind::Domain,
                    IndicatorKind::Hostname,
                ],
                &[
                    Product::calls(Zone::Zen.id()),
                    Product::calls(Zone::Dbl.id()),
                    Product::calls(Zone::Zrd.id()),
                ],
            )
        }],
        default_rate: names(&["20/s"]),
        probe: Some(Probe::of(Capability::Reputation, IndicatorKind::Ipv4, TEST_POINT)),
        notice: Some("free use is non-commercial and needs a resolver of your own".into()),
        notice_only: Some((SERVICE.into(), PUBLIC.into())),
        ..Descriptor::new("spamhaus", "Spamhaus")
    })
});

/// Answers questions through Spamhaus' blocklists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spamhaus;

impl Provider for Spamhaus {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        let not_this = || {
            let message = format!("{} lists no {}", lookup.product, query.indicator.kind());
            ProviderError::Unsupported(message)
        };
        let ask = |zone: Zone, name| Call::dns(ORIGIN, zone.id(), name, RecordType::A);
        let mut calls = Vec::new();
        match (query.indicator.ip(), query.indicator.host()) {
            (Some(address), _) if lookup.product == Zone::Zen.id() => {
                calls.push(ask(Zone::Zen, reversed(address)));
            }
            (None, Some(host)) if lookup.product == Zone::Dbl.id() => {
                if host.len() > LONGEST {
                    let message = format!("a name of more than {LONGEST} characters cannot be asked");
                    return Err(ProviderError::Unsupported(message));
                }
                let registrable = query.indicator.registrable();
                let domain = registrable.as_ref().map_or(host.as_str(), Indicator::value);
                let young = ask(Zone::Zrd, domain.to_owned()).optional();
                calls.push(ask(Zone::Dbl, host));
                // Only the Data Query Service has it.
                if lookup.options.get(SERVICE).is_some_and(|service| service == DQS) {
                    calls.push(young);
                }
            }
            _ => return Err(not_this()),
        }
        let product = lookup.product.clone();
        Ok(Step::Calls {
            calls,
            then: Box::new(move |replies| read(query, &product, replies)),
        })
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        Classification {
            class: class(call, reply),
            charge: Charge::Most,
        }
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        let zone = call.product.clone();
        if key.option(SERVICE) == PUBLIC {
            if zone == Zone::Zrd.id() {
                let message = "ZRD needs the Data Query Service".to_owned();
                return Err(ProviderError::Unsupported(message));
            }
            call.path = format!("{}.{zone}.spamhaus.org", call.path);
            return Ok(());
        }
        let key = key.field("key");
        let fits = (1..=63).contains(&key.len());
        if !fits
            || !key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            let message = "the DQS key is no label of a name: letters, digits and dashes".to_owned();
            return Err(ProviderError::Unsupported(message));
        }
        call.path = format!("{}.{key}.{zone}.dq.spamhaus.net", call.path);
        Ok(())
    }
}

/// Writes an address as it is asked: its bytes, or the digits of an IPv6 address, from the last to the first.
fn reversed(address: IpAddr) -> String {
    let parts: Vec<String> = match address {
        IpAddr::V4(v4) => v4.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(v6) => {
            let bytes = v6.octets().into_iter().rev();
            bytes
                .flat_map(|byte| [byte & 0xf, byte >> 4])
                .map(|digit| format!("{digit:x}"))
                .collect()
        }
    };
    parts.join(".")
}

/// Says what a reply means: an error of Spamhaus' is an address as a listing is, and must never pass for one.
fn class(call: &Call, reply: &Reply) -> ReplyClass {
    // Whatever else is unknown, the test point is listed.
    if call.path == TEST_QUESTION && reply.status == NXDOMAIN {
        let message = format!(
            "{TEST_POINT}, which is always listed, is not: the DQS key is wrong, or the resolver hides what Spamhaus says"
        );
        return ReplyClass::KeyRefused(message);
    }
    let class = resolved(reply);
    if class != ReplyClass::Good {
        return class;
    }
    let records = reply.resources().unwrap_or_default();
    let addresses: Vec<[u8; 4]> = records.iter().filter_map(octets).collect();
    if addresses.is_empty() {
        return ReplyClass::NotFound;
    }
    let failed = addresses
        .iter()
        .find_map(|code| codes::error(&call.product, *code));
    failed.unwrap_or(ReplyClass::Good)
}

fn octets(record: &Resource) -> Option<[u8; 4]> {
    match record {
        Resource::A(address) => Some(address.octets()),
        _ => None,
    }
}

/// Makes the answer of the replies: the list that was asked for, and how new a domain is.
fn read(query: Query, product: &str, replies: Vec<Replied>) -> Result<Step, ProviderError> {
    let (mut records, mut unknown, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let zones = [Zone::of(product), Some(Zone::Zrd)];
    for (at, (zone, replied)) in zones.into_iter().flatten().zip(replies).enumerate() {
        match replied {
            Replied::Good(reply) => listed(zone, &reply, &mut records, &mut unknown)?,
            Replied::NotFound(_) => {}
            Replied::Failed(failure) if at == 0 => return Err(ProviderError::Failed(failure)),
            // Not every key has it.
            Replied::Failed(failure) if failure.kind == FailureKind::Denied(Denial::NotEntitled) => {}
            Replied::Failed(failure) => missing.push(format!("the age of the domain: {}", failure.message)),
        }
    }
    let mut made = object(&DESCRIPTOR, query, product, records);
    uncovered(&mut made, &unknown);
    made.missing.extend(missing);
    Ok(Step::Done(vec![made]))
}

/// Makes the records of one list's answer. An unknown code is told, and makes no record.
fn listed(
    zone: Zone,
    reply: &Reply,
    records: &mut Vec<Record>,
    unknown: &mut Vec<String>,
) -> Result<(), ProviderError> {
    let mut codes: Vec<[u8; 4]> = reply.resources()?.iter().filter_map(octets).collect();
    codes.sort_unstable();
    for code in codes {
        match codes::listing(zone, code) {
            // Several codes say the same.
            Some(record) if records.contains(&record) => {}
            Some(record) => records.push(record),
            None => {
                let [a, b, c, d] = code;
                unknown.push(format!(
                    "{} answers {a}.{b}.{c}.{d}, which is not known here.",
                    zone.title()
                ));
            }
        }
    }
    Ok(())
}
