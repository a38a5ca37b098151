//! Asks AbuseIPDB who reported an address, and how sure it is that the address abuses.
//!
//! Facts are from the documentation of the AbuseIPDB API v2, its endpoint `check`. Measures of
//! [`Capability::Reputation`]:
//!
//! * `abuse-confidence`: a value from 0 to 100, the vendor's `abuseConfidenceScore`. It is there where a report exists
//!   the address; 0 then says that the reports do not convince the vendor.
//! * `list`: the word `whitelisted`, where the vendor has the address on its list of those that it trusts.

mod classify;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use secrecy::SecretString;

use super::kit::common::{counted, key_header, object, offered, one};
use super::kit::tolerant::{Node, clean, json, malformed};
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product,
    Provider, ProviderError, Reply, Step, names,
};
use pivotd_domain::{Capability, IndicatorKind, Query, Record};

/// Name of its only origin.
pub const ORIGIN: &str = "api";
/// Name of the product, the endpoint that is asked.
pub const CHECK: &str = "check";
/// How many days back reports count.
pub const DAYS: &str = "90";
/// The most host names that are told.
const MAX_HOSTS: usize = 5;

// Headers that say when a limit opens again.
const RESET: &str = "x-ratelimit-reset";
const DATE: &str = "date";

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://api.abuseipdb.com")],
        credentials: vec![CredentialField::secret("api_key", "API key")],
        offers: vec![Offer::of(
            Capability::Reputation,
            &[IndicatorKind::Ipv4, IndicatorKind::Ipv6],
            &[Product::calls(CHECK)],
        )],
        // A free key has 1000 checks a day, for which the default configuration has a budget; no rate is published.
        default_rate: names(&["1/s"]),
        // A root server of the DNS: private and reserved addresses are refused.
        probe: Some(Probe::of(
            Capability::Reputation,
            IndicatorKind::Ipv4,
            "198.41.0.4",
        )),
        reply_headers: names(&[RESET, DATE]),
        ..Descriptor::new("abuseipdb", "AbuseIPDB")
    })
});

/// Answers questions through the AbuseIPDB API v2.
#[derive(Debug, Clone, Copy, Default)]
pub struct AbuseIpDb;

impl Provider for AbuseIpDb {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        let call = Call::get(ORIGIN, CHECK, "/api/v2/check")
            .with("ipAddress", query.indicator.value())
            .with("maxAgeInDays", DAYS);
        Ok(one(call, |reply| read(query, reply)))
    }

    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        classify::classify(reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        // Without it the vendor may answer with a page for people.
        call.set_header("accept", SecretString::from("application/json"));
        key_header(call, &DESCRIPTOR, "key", key)
    }
}

fn read(query: Query, reply: Option<Reply>) -> Result<Step, ProviderError> {
    let records = match reply {
        Some(reply) => records(Node::of(&json(&reply)?).get("data"), query.indicator.value())?,
        None => Vec::new(),
    };
    Ok(Step::Done(vec![object(&DESCRIPTOR, query, CHECK, records)]))
}

/// Makes the records of an address. One without a report is not known: its score of 0 says nothing.
fn records(data: Node<'_>, asked: &str) -> Result<Vec<Record>, ProviderError> {
    let score = data
        .get("abuseConfidenceScore")
        .score(100)
        .ok_or_else(|| malformed("abuseConfidenceScore"))?;
    let reports = data.get("totalReports").count().unwrap_or(0);
    let link = format!("https://www.abuseipdb.com/check/{asked}");
    let mut records = Vec::new();
    if score > 0 || reports > 0 {
        let told = reported(reports, data.get("numDistinctUsers").count());
        let reasons: Vec<String> = told.into_iter().chain(about(data)).collect();
        let tags = tags(data);
        let last = data.get("lastReportedAt");
        let record = Record::new()
            .with("measure", "abuse-confidence")
            .with("value", score)
            .with("scale", "0-100")
            .with("reasons", reasons)
            .with("tags", tags)
            .with("link", link.as_str())
            .with_some("last_seen", last.when());
        records.push(record);
    }
    if data.get("isWhitelisted").flag() == Some(true) {
        let record = Record::new()
            .with("measure", "list")
            .with("word", "whitelisted")
            .with("reasons", about(data))
            .with("tags", tags(data))
            .with("link", link);
        records.push(record);
    }
    Ok(records)
}

/// Says how many reported the address: `87 reports by 30 reporters in 90 days`.
fn reported(reports: u64, reporters: Option<u64>) -> Option<String> {
    let by = reporters.filter(|number| *number > 0);
    let by = by.map_or_else(String::new, |number| {
        format!(" by {}", counted(number, "reporter"))
    });
    (reports > 0).then(|| format!("{}{by} in {DAYS} days", counted(reports, "report")))
}

/// Says whose address it is.
fn about(data: Node<'_>) -> Vec<String> {
    let country = ["countryName", "countryCode"].map(|name| data.get(name).text());
    let hosts: Vec<String> = data
        .get("hostnames")
        .many()
        .filter_map(Node::host)
        .take(MAX_HOSTS)
        .collect();
    [
        ("usage type", data.get("usageType").text()),
        ("ISP", data.get("isp").text()),
        ("domain", data.get("domain").text()),
        (
            "host names",
            Some(hosts.join(", ")).filter(|text| !text.is_empty()),
        ),
        ("country", country.into_iter().flatten().next()),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some(format!("{name}: {}", clean(&text?))))
    .collect()
}

fn tags(data: Node<'_>) -> Vec<String> {
    let is_tor = data.get("isTor").flag() == Some(true);
    is_tor.then(|| "tor".to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_reporters_is_counted() {
        assert_eq!(reported(1, None).as_deref(), Some("1 report in 90 days"));
    }
}
