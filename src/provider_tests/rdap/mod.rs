//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

mod bounds;
mod cases;
mod contacts;
mod fixtures;
mod machine;
mod recordings;
mod reputation;

use std::collections::BTreeMap;

use crate::domain::{Capability, IndicatorKind, Record};
use crate::provider_tests::testing::{self, LookupTrace, question, reply, walk};
use crate::providers::rdap::{Rdap, bootstrap};
use crate::providers::{Call, Files, Lookup, Provider, ProviderError, ReplyClass};

/// Files that name servers for documentation names and numbers.
fn files() -> Files {
    let dns = r#"{"version":"1.0","services":[
        [["com","net","org","example"],["http://rdap.registry.example/","https://rdap.registry.example/com/v1"]],
        [["co.example"],["https://rdap.second.example/"]],
        [["kg"],["http://rdap.plain.example/"]]]}"#;
    let ipv4 = r#"{"services":[[["192.0.0.0/8"],["https://rdap.ipv4.example/"]],[["192.0.2.0/24"],["https://rdap.nearer.example/"]]]}"#;
    let ipv6 = r#"{"services":[[["2001:db8::/32"],["https://rdap.ipv6.example/"]]]}"#;
    let asn = r#"{"services":[[["1-65000"],["https://rdap.wide.example/"]],[["64496-64511","64513"],["https://rdap.asn.example/"]]]}"#;
    let registrars = "ID,Registrar Name,Status,RDAP Base URL\n\
        9994,Nowhere,Terminated,\n\
        9995,\"Parkside Registrar, LLC\",Accredited,https://rdap.registrar.example/v1\n";
    let files: BTreeMap<crate::providers::Name, bytes::Bytes> = [
        (bootstrap::DNS.into(), dns.into()),
        (bootstrap::IPV4.into(), ipv4.into()),
        (bootstrap::IPV6.into(), ipv6.into()),
        (bootstrap::ASN.into(), asn.into()),
        (bootstrap::REGISTRARS.into(), registrars.into()),
    ]
    .into();
    files.into()
}

fn of(kind: IndicatorKind, value: &str, product: &'static str) -> Lookup {
    Lookup {
        files: files(),
        ..testing::lookup(&Rdap, question(Capability::Whois, kind, value), product)
    }
}

fn of_domain(domain: &str) -> Lookup {
    of(IndicatorKind::Domain, domain, "domain")
}

fn walk_fixtures(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&Rdap, lookup)
}

fn text(record: &Record, name: &str) -> String {
    record
        .text(name)
        .map_or_else(String::new, std::borrow::Cow::into_owned)
}
