//! Reads passive DNS rows in the Common Output Format, as several vendors give them.
//!
//! A row is an object with `rrname`, `rrtype`, `rdata`, and first and last times
//! (draft-dulaunoy-dnsop-passive-dns-cof). `rdata` is one text or a list, numbers come as texts too, types of records
//! as numbers, and one vendor's documentation shows name and data the other way round. All of that is met here.

use jiff::Timestamp;
use serde_json::Value;

use super::Reply;
use super::tolerant::{Node, address, host};
use crate::domain::{IndicatorKind, Query, Record};

/// Records of one answer at most, and values of one row.
pub(super) const MOST_RECORDS: usize = 20_000;
const MOST_VALUES: usize = 1000;

/// Holds one row: what was resolved, to what, and when that was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) name: String,
    /// The type of the record, in upper case.
    pub(super) kind: String,
    pub(super) values: Vec<String>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) count: Option<i64>,
    pub(super) collector: Option<String>,
}

/// Reads a row; `None` where it lacks what makes up one.
pub(super) fn row(node: Node<'_>) -> Option<Row> {
    // Times of zone files stand instead of those of sensors, never beside them, in DNSDB; elsewhere they are further
    // sightings.
    let time = |names: &[&str]| names.iter().find_map(|name| time(node.get(name)));
    let milliseconds = |name: &str| node.get(name).integer().and_then(of_milliseconds);
    Some(Row {
        name: node.get("rrname").text()?,
        kind: kind(&node.get("rrtype").text()?),
        values: node.get("rdata").texts().into_iter().take(MOST_VALUES).collect(),
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

/// Makes the records of a row that is about what was asked; rows of types that name nobody else make none.
pub(super) fn records(row: &Row, asked: &Query) -> Vec<Record> {
    let value = asked.indicator.value();
    let about_address = matches!(asked.indicator.kind(), IndicatorKind::Ipv4 | IndicatorKind::Ipv6);
    row.values
        .iter()
        .filter_map(|data| {
            // An address is what a name resolves to; where it stands as the name, the two are swapped.
            let (name, data) = match address(&row.name) {
                Some(_) => (data.as_str(), row.name.as_str()),
                None => (row.name.as_str(), data.as_str()),
            };
            let mut record = match row.kind.as_str() {
                "A" | "AAAA" => {
                    let ip = address(data)?;
                    if about_address && ip != value {
                        return None;
                    }
                    Record::new().with("name", host(name)?).with("ip", ip)
                }
                // The name of a reverse record is the address itself, written backwards.
                "PTR" => reverse(name, data, about_address.then_some(value))?,
                "CNAME" | "DNAME" | "NS" => Record::new().with("name", host(name)?).with("host", host(data)?),
                // A preference stands before the name.
                "MX" => Record::new()
                    .with("name", host(name)?)
                    .with("host", host(data.rsplit(' ').next()?)?),
                _ => return None,
            };
            record.set("type", row.kind.as_str());
            record.set("value", data.trim_end_matches('.'));
            Some(
                record
                    .with_some("first_seen", row.first)
                    .with_some("last_seen", row.last)
                    .with_some("observations", row.count)
                    .with_some("collector", row.collector.clone()),
            )
        })
        .collect()
}

/// Reads a reverse record, whichever side its address stands on; `asked` is the address that was asked about.
fn reverse(name: &str, data: &str, asked: Option<&str>) -> Option<Record> {
    let sides = [(name, data), (data, name)];
    let found = sides
        .into_iter()
        .find_map(|(ip, other)| Some((address(ip).or_else(|| reversed(ip))?, other)));
    match (found, asked) {
        (Some((ip, _)), Some(asked)) if ip != asked => None,
        (Some((ip, other)), _) => Some(Record::new().with("name", host(other)?).with("ip", ip)),
        // The other side is a name of another form, such as that of a part of a network (RFC 2317).
        (None, Some(asked)) => {
            let other = if is_reverse(name) { data } else { name };
            Some(Record::new().with("name", host(other)?).with("ip", asked))
        }
        (None, None) => Some(Record::new().with("name", host(name)?).with("host", host(data)?)),
    }
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

/// Puts records that were seen last first, and bounds how many they are; equal times keep the vendor's order.
pub(super) fn arrange(records: &mut Vec<Record>) {
    let seen = |record: &Record| match record.get("last_seen") {
        Some(crate::domain::Value::Time(time)) => Some(*time),
        _ => None,
    };
    records.sort_by_key(|record| std::cmp::Reverse(seen(record)));
    records.truncate(MOST_RECORDS);
}

/// Holds the lines of a reply that are JSON objects.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) objects: Vec<Value>,
    /// Whether a line could not be read: the reply broke off, or is something else.
    pub(super) broken: bool,
}

/// Reads a reply of one JSON object a line, up to the first line that is none.
pub(super) fn lines(reply: &Reply) -> Lines {
    let mut read = Lines::default();
    for line in reply.body.split(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Value>(line) {
            Ok(object) if object.is_object() => read.objects.push(object),
            _ => {
                read.broken = true;
                break;
            }
        }
    }
    read
}

/// Reads a time: seconds since 1970, as a number or a text, or RFC 3339.
pub(super) fn time(node: Node<'_>) -> Option<Timestamp> {
    match node.integer() {
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => node.text()?.parse().ok(),
    }
}

/// Makes a time of milliseconds since 1970.
pub(super) fn of_milliseconds(number: i64) -> Option<Timestamp> {
    // Parts of a second say nothing here.
    Timestamp::from_second(number.div_euclid(1000)).ok()
}

/// Returns the type of a record as people write it; the format allows its number.
pub(super) fn kind(text: &str) -> String {
    match text {
        "1" => "A",
        "2" => "NS",
        "5" => "CNAME",
        "12" => "PTR",
        "15" => "MX",
        "28" => "AAAA",
        "39" => "DNAME",
        other => return other.to_ascii_uppercase(),
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
