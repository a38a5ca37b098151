//! Reads the examples of the vendor's reference, from `mdti/` in the folder that `PIVOTD_SAMPLES` names.
//!
//! What is asserted was read off them by hand.

use super::*;
use crate::domain::Record;

fn walked(name: &str, lookup: &Lookup) -> LookupTrace {
    let path = testing::recordings("PIVOTD_SAMPLES").join("mdti").join(name);
    let body = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    walk(lookup, |_| reply(200, &body)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn texts(record: &Record, names: &[&str]) -> String {
    let texts = names
        .iter()
        .map(|name| record.text(name).unwrap_or_default().into_owned());
    texts.collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "needs recordings"]
fn resolutions() {
    let span = ["name", "type", "value", "first_seen", "last_seen"];
    let asked = about(Capability::Resolutions, IndicatorKind::Domain, "contoso.com");
    let forward = walked("host_passivedns.json", &asked);
    assert_eq!(
        texts(&forward.records()[0], &span),
        "contoso.com A 20.103.85.33 2022-04-18 2023-03-07"
    );
    // The same body stands for both lists here, so the reverse one is the second.
    let reverse = walked("host_passivednsreverse.json", &asked);
    assert_eq!(
        texts(&reverse.records()[1], &span),
        "www.contoso.com CNAME contoso.com 2022-04-18 2023-03-07"
    );
}

#[test]
#[ignore = "needs recordings"]
fn hosts() {
    let asked = about(Capability::IpDetails, IndicatorKind::Ipv4, "192.0.2.1");
    let reputation = walked("host_reputation.json", &asked);
    let record = &reputation.records()[0];
    assert_eq!(
        texts(record, &["ip", "classification", "score"]),
        "192.0.2.1 malicious 100"
    );
    let Some(Value::Texts(reasons)) = record.get("reasons") else {
        panic!("three rules");
    };
    assert_eq!(reasons.len(), 3);
    assert_eq!(reasons[2], "Resolving IP Address: 192.168.1.1 (low)");
    let alone = about(Capability::Reputation, IndicatorKind::Ipv4, "192.0.2.1");
    let alone = walked("host_reputation.json", &alone);
    let told = &alone.records()[0];
    assert_eq!(texts(told, &["measure", "value", "word"]), "score 100 malicious");
    assert_eq!(told.get("reasons"), record.get("reasons"));
    let asked = about(Capability::Components, IndicatorKind::Domain, "microsoft.com");
    let components = walked("host_components.json", &asked);
    assert_eq!(
        texts(
            &components.records()[0],
            &["component", "version", "category", "host", "last_seen"]
        ),
        "Microsoft-IIS 10.0 Server c1.microsoft.com 2023-03-06"
    );
}

#[test]
#[ignore = "needs recordings"]
fn registrations() {
    let span = [
        "domain",
        "registrar",
        "registrant",
        "created",
        "updated",
        "expires",
        "server",
    ];
    let asked = about(Capability::WhoisHistory, IndicatorKind::Domain, "contoso.com");
    let history = walked("host_whois_history.json", &asked);
    let record = &history.records()[0];
    assert_eq!(
        texts(record, &span),
        "contoso.com MarkMonitor Inc. Contoso Corporation 2022-07-30 2023-06-24 2023-08-31 rdap.markmonitor.com"
    );
    assert_eq!(
        record.text("statuses").as_deref(),
        Some("client update prohibited, client transfer prohibited, client delete prohibited")
    );
    assert_eq!(record.get("first_seen"), None);
    assert_eq!(
        record.records("name_servers")[0].text("name").as_deref(),
        Some("ns1.contoso-dns.com")
    );
    let current = walked(
        "host_whois.json",
        &about(Capability::Whois, IndicatorKind::Domain, "contoso.com"),
    );
    let record = &current.records()[0];
    assert_eq!(texts(record, &span), texts(&history.records()[0], &span));
    assert_eq!(
        texts(
            &record.records("contacts")[0],
            &["role", "name", "organization", "email", "city", "country"]
        ),
        "registrant  Contoso Corporation noreply@contoso.com Redmond US",
        "a role is nobody's name"
    );
    assert_eq!(record.text("abuse_email").as_deref(), Some("noreply@contoso.com"));
}
