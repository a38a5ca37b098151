//! Tests what transforms make of passive DNS, whichever provider tells it.

use super::testing;
use crate::domain::{Capability, IndicatorKind, Query};
use crate::providers::{Provider, Providers};

/// Runs a transform of the compiled-in file over the answer of a provider's fixtures.
fn mapped(provider: &'static dyn Provider, transform: &str, type_id: &str, query: Query) -> Vec<String> {
    let descriptors = Providers::built_in();
    let loaded = crate::config::load(None, &[], &descriptors).unwrap_or_else(|errors| panic!("{errors}"));
    let spec = loaded
        .settings
        .transforms
        .iter()
        .find(|spec| spec.name == transform);
    let spec = spec.unwrap();
    assert!(
        spec.inputs.iter().all(|input| !input.registrable),
        "names are asked as they are: {:?}",
        spec.inputs
    );
    let value = query.indicator.value().to_owned();
    let product = provider.descriptor().offer(query.capability).unwrap().products[0]
        .id
        .clone();
    let lookup = testing::lookup(provider, query, product);
    let walked = testing::walk_fixtures(provider, &lookup).unwrap();
    let name = spec.name.clone();
    testing::entities(&name, (type_id, &value), &[walked.answer()])
        .iter()
        .map(|entity| format!("{} {}", entity.type_id, entity.value))
        .collect()
}

#[test]
fn names_and_addresses_become_entities_and_the_input_does_not() {
    let ask = |kind, value| testing::question(Capability::Resolutions, kind, value);
    let dnsdb = &crate::providers::dnsdb::Dnsdb;
    assert_eq!(
        mapped(
            dnsdb,
            "dnsdb.resolutions",
            "maltego.Domain",
            ask(IndicatorKind::Domain, "example.com")
        ),
        [
            "maltego.NSRecord ns1.example.net",
            "maltego.NSRecord ns2.example.net",
            "maltego.MXRecord mail.example.com",
            "maltego.IPv4Address 192.0.2.44",
            "maltego.IPv4Address 192.0.2.45",
            "maltego.IPv6Address 2001:db8::44",
        ]
    );
    assert_eq!(
        mapped(
            dnsdb,
            "dnsdb.resolutions",
            "maltego.DNSName",
            ask(IndicatorKind::Hostname, "www.example.com")
        ),
        ["maltego.DNSName edge.example.net"]
    );
    let names = ["maltego.Domain example.com", "maltego.Domain tendrit.example"];
    let address = || ask(IndicatorKind::Ipv4, "192.0.2.44");
    assert_eq!(
        mapped(
            &crate::providers::circl::Circl,
            "circl.resolutions",
            "maltego.IPv4Address",
            address()
        ),
        names
    );
    assert_eq!(
        mapped(
            &crate::providers::mnemonic::Mnemonic,
            "mnemonic.resolutions",
            "maltego.IPv4Address",
            address()
        ),
        names
    );
}
