//! Reads passive DNS rows in the Common Output Format, as several vendors give them.
//!
//! A row is an object with `rrname`, `rrtype`, `rdata`, and first and last times
//! (draft-dulaunoy-dnsop-passive-dns-cof). `rdata` is one text or a list, numbers come as texts too, types of records
//! as numbers, and one vendor's documentation shows name and data the other way round. All of that is met here.

use jiff::Timestamp;

use super::dates;
use super::json::Json;
use super::lenient;
use super::rdata::{self, Data};
use super::rows::{Row as Read, Rows, SkipReason};
use super::tolerant::{Node, address, host};
use crate::Reply;
use pivotd_domain::{IndicatorKind, Query, Record};

/// What passive DNS can be asked about.
pub const ASKED_ABOUT: [IndicatorKind; 4] = [
    IndicatorKind::Hostname,
    IndicatorKind::Domain,
    IndicatorKind::Ipv4,
    IndicatorKind::Ipv6,
];

/// Records of one answer at most, and values of one row.
pub const MOST_RECORDS: usize = 20_000;
const MOST_VALUES: usize = 1000;

/// Holds one row: what was resolved, to what, and when that was seen.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The name that was resolved, as the vendor writes it.
    pub name: String,
    /// The type of the record, in upper case.
    pub kind: String,
    /// What it resolved to.
    pub values: Vec<String>,
    /// How many values were not understood.
    pub unread: usize,
    /// When it was seen first.
    pub first: Option<Timestamp>,
    /// When it was seen last.
    pub last: Option<Timestamp>,
    /// How often it was seen.
    pub count: Option<i64>,
    /// The sensor that saw it.
    pub collector: Option<String>,
}

/// Reads a row; `None` where it lacks what makes up one.
pub fn row(node: Node<'_>) -> Option<Row> {
    // Times of zone files stand instead of those of sensors, never beside them, in DNSDB; elsewhere they are further
    // sightings.
    let time = |names: &[&str]| names.iter().find_map(|name| time(node.get(name)));
    let milliseconds = |name: &str| node.get(name).integer().and_then(dates::of_milliseconds);
    let (values, unread) = values(node.get("rdata"));
    Some(Row {
        name: node.get("rrname").text()?,
        kind: rdata::kind(&node.get("rrtype").text()?),
        values,
        unread,
        first: time(&["time_first", "zone_time_first", "time_first_rfc3339"])
            .or_else(|| milliseconds("time_first_ms")),
        last: time(&["time_last", "zone_time_last", "time_last_rfc3339"])
            .or_else(|| milliseconds("time_last_ms")),
        count: node.get("count").integer().filter(|count| *count >= 0),
        collector: ["sensor_id", "origin"]
            .iter()
            .find_map(|name| node.get(name).text()),
    })
}

/// Reads what a name has: one text, or a list of them. Also says how many are none.
pub fn values(node: Node<'_>) -> (Vec<String>, usize) {
    let mut values = node.texts();
    let unread = node.rows().filter(|value| value.text().is_none()).count();
    let beyond = values.len().saturating_sub(MOST_VALUES);
    values.truncate(MOST_VALUES);
    (values, unread + beyond)
}

/// Reads what a row says of what was asked, value by value.
pub fn read(row: Option<Row>, asked: &Query) -> Vec<Read> {
    let Some(row) = row else {
        return vec![Read::Unread];
    };
    let mut read: Vec<Read> = row.values.iter().map(|data| one(&row, data, asked)).collect();
    read.extend((0..row.unread).map(|_| Read::Unread));
    if read.is_empty() {
        read.push(Read::Unread);
    }
    read
}

fn one(row: &Row, data: &str, asked: &Query) -> Read {
    // An address is what a name resolves to; where it stands as the name, the two are swapped.
    let (name, data) = match address(&row.name) {
        Some(_) => (data, row.name.as_str()),
        None => (row.name.as_str(), data),
    };
    let kind = row.kind.as_str();
    let left_out = |why| Read::LeftOut(why, Some(kind.to_owned()));
    let value = asked.indicator.value();
    let about_address = matches!(asked.indicator.kind(), IndicatorKind::Ipv4 | IndicatorKind::Ipv6);
    let record = match kind {
        "A" | "AAAA" => match address(data) {
            Some(ip) if about_address && ip != value => return Read::LeftOut(SkipReason::Elsewhere, None),
            Some(ip) => host(name).map(|name| Record::new().with("name", name).with("ip", ip)),
            None => None,
        },
        // The name of a reverse record is the address itself, written backwards.
        "PTR" => match reverse(name, data, about_address.then_some(value)) {
            Reverse::OfAnother => return Read::LeftOut(SkipReason::Elsewhere, None),
            Reverse::Read(record) => record,
        },
        kind => match rdata::read(kind, data) {
            Data::Host(target) => {
                host(name).map(|name| Record::new().with("name", name).with("host", target))
            }
            Data::NoHost => return left_out(SkipReason::NoHost),
            Data::Other => return left_out(SkipReason::OtherType),
            Data::Address(_) | Data::Unread => None,
        },
    };
    Read::from(record).map(|record| {
        record
            .with("type", kind)
            .with("value", data.trim_end_matches('.'))
            .with_some("first_seen", row.first)
            .with_some("last_seen", row.last)
            .with_some("observations", row.count)
            .with_some("collector", row.collector.clone())
    })
}

/// Says what a reverse record is about.
enum Reverse {
    /// The record; `None` where it could not be read.
    Read(Option<Record>),
    /// It is of another address than the one that was asked about.
    OfAnother,
}

/// Reads a reverse record, whichever side its address stands on; `asked` is the address that was asked about.
fn reverse(name: &str, data: &str, asked: Option<&str>) -> Reverse {
    let sides = [(name, data), (data, name)];
    let found = sides
        .into_iter()
        .find_map(|(ip, other)| Some((address(ip).or_else(|| reversed(ip))?, other)));
    let of = |other: &str, ip: &str| Some(Record::new().with("name", host(other)?).with("ip", ip));
    Reverse::Read(match (found, asked) {
        (Some((ip, _)), Some(asked)) if ip != asked => return Reverse::OfAnother,
        (Some((ip, other)), _) => of(other, &ip),
        // The other side is a name of another form, such as that of a part of a network (RFC 2317).
        (None, Some(asked)) => of(if is_reverse(name) { data } else { name }, asked),
        (None, None) => host(name)
            .zip(host(data))
            .map(|(name, host)| Record::new().with("name", name).with("host", host)),
    })
}

fn is_reverse(name: &str) -> bool {
    name.trim_end_matches('.').to_ascii_lowercase().ends_with(".arpa")
}

/// Reads the address out of its name below `in-addr.arpa` (RFC 1035, 3.5) or `ip6.arpa` (RFC 3596, 2.5).
fn reversed(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        let octets: Vec<&str> = octets.rsplit('.').collect();
        return address(&octets.join("."));
    }
    let nibbles: Vec<&str> = name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
    let whole = nibbles.len() == 32 && nibbles.iter().all(|nibble| nibble.len() == 1);
    let groups: Vec<String> = nibbles.chunks(4).map(<[&str]>::concat).collect();
    address(&groups.join(":")).filter(|_| whole)
}

/// Puts records that were seen last first, and bounds how many they are; equal times keep the vendor's order. Says how
/// many were too many.
pub fn arrange(rows: &mut Rows) -> Option<String> {
    let seen = |record: &Record| match record.get("last_seen") {
        Some(pivotd_domain::Value::Time(time)) => Some(*time),
        _ => None,
    };
    let more = rows.arrange(MOST_RECORDS, |record| std::cmp::Reverse(seen(record)));
    (more > 0).then(|| format!("The newest {MOST_RECORDS} records; {more} older ones are left out."))
}

/// Holds the lines of a reply that are JSON objects.
#[derive(Debug, Default)]
pub struct Lines {
    /// The objects, in the order of their lines.
    pub objects: Vec<Json>,
    /// How many lines could not be read.
    pub unread: usize,
    /// Whether the reply broke off in its last line, or is something else.
    pub broken: bool,
}

/// Reads a reply of one JSON object a line. A line that is none costs no other.
pub fn lines(reply: &Reply) -> Lines {
    let mut read = Lines::default();
    let mut last = true;
    for line in reply.body.split(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        last = match lenient::value(line.trim_ascii()) {
            Ok(object) if Node::of(&object).is_object() => {
                read.objects.push(object);
                true
            }
            _ => {
                read.unread += 1;
                false
            }
        };
    }
    // A line that ends is a bad line; one that does not was cut off.
    read.broken = !last && !reply.body.ends_with(b"\n");
    read.unread -= usize::from(read.broken);
    read
}

/// Reads a time: seconds since 1970, as a number or a text, with parts of a second or without, or RFC 3339.
pub fn time(node: Node<'_>) -> Option<Timestamp> {
    match node.integer().or_else(|| node.floor()) {
        Some(seconds) => dates::of_seconds(seconds),
        None => dates::time(&node.text()?),
    }
}

#[cfg(test)]
mod tests;
