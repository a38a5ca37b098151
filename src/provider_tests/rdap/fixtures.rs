//! Walks every product's fixtures and compares with the answer written beside them.

use super::*;

#[test]
fn every_kind() {
    use IndicatorKind::{Asn, Domain, Ipv4, Ipv6};
    for (name, kind, value, product) in [
        ("domain/found", Domain, "example.com", "domain"),
        ("domain/elsewhere", Domain, "example.net", "domain"),
        ("domain/thick", Domain, "example.org", "domain"),
        ("domain/tendrit", Domain, "tendrit.example", "domain"),
        ("domain/own", Domain, "parkside-registrar.example", "domain"),
        ("registrar/nameless", Domain, "career-offers.example", "domain"),
        ("ip/found", Ipv4, "192.0.2.44", "ip"),
        ("ip/transferred", Ipv4, "192.0.2.130", "ip"),
        ("ip/v6", Ipv6, "2001:db8::44", "ip"),
        ("autnum/found", Asn, "AS64500", "autnum"),
    ] {
        testing::expect(&Rdap, name, &of(kind, value, product));
    }
}
