//! Maps answers of the fixtures with the transforms of the compiled-in file.

use super::*;

fn mapped(transform: &str, type_id: &str, lookup: &Lookup) -> Vec<String> {
    testing::mapped(&PassiveTotal, transform, type_id, lookup)
}

#[test]
fn every_transform_finds_its_example() {
    testing::every_example_is_found(&PassiveTotal);
}

#[test]
fn a_sinkhole_is_marked_on_the_address() {
    let lookup = about(Capability::IpDetails, IndicatorKind::Ipv4, "198.51.100.7");
    let entities = mapped("passivetotal.ip-details", "maltego.IPv4Address", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.IPv4Address 198.51.100.7; ipv4-address!=198.51.100.7; passivetotal.sinkhole=true; \
             passivetotal.classification=non-malicious; passivetotal.compromised=true; \
             passivetotal.dynamic_dns=false; passivetotal.cidr=198.51.100.0/24; passivetotal.location=Norway; \
             [Sinkhole]; Red",
            "maltego.AS 64501; as.number!=64501; passivetotal.as_name=Example Research Network; \
             -> announces the address",
            "maltego.Netblock 198.51.100.0-198.51.100.255; ipv4-range=198.51.100.0-198.51.100.255; \
             passivetotal.cidr=198.51.100.0/24; passivetotal.as_name=Example Research Network; \
             -> holds the address",
            "maltego.Location Norway; location.name!=Norway; country!=Norway; countrycode!=NO; -> place of the address",
        ]
    );
}

#[test]
fn an_address_that_is_none_is_not() {
    let lookup = about(Capability::IpDetails, IndicatorKind::Ipv4, "192.0.2.44");
    let entities = mapped("passivetotal.ip-details", "maltego.IPv4Address", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.IPv4Address 192.0.2.44; ipv4-address!=192.0.2.44; passivetotal.sinkhole=false; \
             passivetotal.compromised=true; passivetotal.dynamic_dns=false; passivetotal.tags=apt, hosting; \
             passivetotal.cidr=192.0.2.0/25; passivetotal.location=Netherlands; passivetotal.latitude=52.3759; \
             passivetotal.longitude=4.8975",
            "maltego.AS 64500; as.number!=64500; passivetotal.as_name=PARKSIDE-AS; -> announces the address",
            "maltego.Netblock 192.0.2.0-192.0.2.127; ipv4-range=192.0.2.0-192.0.2.127; \
             passivetotal.cidr=192.0.2.0/25; passivetotal.as_name=PARKSIDE-AS; -> holds the address",
            "maltego.Location Netherlands; location.name!=Netherlands; country!=Netherlands; countrycode!=NL; -> place of the address",
        ]
    );
}

#[test]
fn a_domain_resolves_to_addresses_and_names() {
    let lookup = about(Capability::Resolutions, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("passivetotal.resolutions", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.IPv4Address 198.51.100.7; ipv4-address!=198.51.100.7; passivetotal.type=A; \
             passivetotal.collector=sensor-a; passivetotal.first_seen=2013-07-01; \
             passivetotal.last_seen=2014-02-11; -> 2013-07-01 to 2014-02-11",
            "maltego.MXRecord mail.harbour.example; fqdn!=mail.harbour.example; passivetotal.type=MX; \
             passivetotal.first_seen=2012-11-08; passivetotal.last_seen=2014-02-11; -> 2012-11-08 to 2014-02-11",
            "maltego.IPv6Address 2001:db8::7; ipv6-address!=2001:db8::7; passivetotal.type=AAAA; \
             passivetotal.collector=sensor-a; passivetotal.first_seen=2013-07-03; \
             passivetotal.last_seen=2013-12-24; -> 2013-07-03 to 2013-12-24",
            "maltego.IPv4Address 192.0.2.44; ipv4-address!=192.0.2.44; passivetotal.type=A; \
             passivetotal.collector=sensor-a, sensor-b; passivetotal.first_seen=2013-04-02; \
             passivetotal.last_seen=2013-06-30; -> 2013-04-02 to 2013-06-30",
            "maltego.DNSName www.tendrit.example; fqdn!=www.tendrit.example; passivetotal.type=CNAME; \
             passivetotal.collector=sensor-c; passivetotal.first_seen=2013-05-01; \
             passivetotal.last_seen=2013-05-19; -> 2013-05-01 to 2013-05-19",
        ]
    );
}

#[test]
fn an_address_resolves_to_names() {
    let lookup = about(Capability::Resolutions, IndicatorKind::Ipv4, "192.0.2.44");
    let entities = mapped("passivetotal.resolutions", "maltego.IPv4Address", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.DNSName parking.harbour.example; fqdn!=parking.harbour.example; passivetotal.type=A; \
             passivetotal.collector=sensor-a; passivetotal.first_seen=2009-01-01; \
             passivetotal.last_seen=2016-10-10; -> 2009-01-01 to 2016-10-10",
            "maltego.Domain tendrit.example; fqdn!=tendrit.example; passivetotal.type=A; \
             passivetotal.collector=sensor-a, sensor-b; passivetotal.first_seen=2013-04-02; \
             passivetotal.last_seen=2013-06-30; -> 2013-04-02 to 2013-06-30",
            "maltego.DNSName update.career-offers.example; fqdn!=update.career-offers.example; \
             passivetotal.type=A; passivetotal.collector=sensor-a; passivetotal.first_seen=2013-05-11; \
             passivetotal.last_seen=2013-05-28; -> 2013-05-11 to 2013-05-28",
        ]
    );
}

#[test]
fn components_are_told_apart_by_version() {
    let lookup = about(Capability::Components, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("passivetotal.components", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "pivotd.WebComponent nginx 1.2.1; text!=nginx 1.2.1; passivetotal.category=Server; \
             passivetotal.version=1.2.1; passivetotal.host=www.tendrit.example; \
             passivetotal.first_seen=2013-04-03; passivetotal.last_seen=2013-06-30; -> 2013-04-03 to 2013-06-30",
            "pivotd.WebComponent PHP; text!=PHP; passivetotal.category=Framework; \
             passivetotal.first_seen=2013-04-03; passivetotal.last_seen=2013-06-30; -> 2013-04-03 to 2013-06-30",
            "pivotd.WebComponent WordPress 3.5.1; text!=WordPress 3.5.1; passivetotal.category=CMS; \
             passivetotal.version=3.5.1; passivetotal.host=www.tendrit.example; \
             passivetotal.first_seen=2013-04-03; passivetotal.last_seen=2013-06-12; -> 2013-04-03 to 2013-06-12",
        ]
    );
}

#[test]
fn trackers_are_told_apart_by_kind() {
    let lookup = about(Capability::Trackers, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("passivetotal.trackers", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "pivotd.Tracker UA-000000-1; text!=UA-000000-1; pivotd.tracker-kind!=google-analytics; \
             passivetotal.host=www.tendrit.example; passivetotal.first_seen=2013-04-03; \
             passivetotal.last_seen=2013-06-30; -> 2013-04-03 to 2013-06-30",
            "pivotd.Tracker 1000001; text!=1000001; pivotd.tracker-kind!=facebook; \
             passivetotal.host=tendrit.example; passivetotal.first_seen=2013-05-03; \
             passivetotal.last_seen=2013-05-30; -> 2013-05-03 to 2013-05-30",
        ]
    );
}

#[test]
fn pairs_name_the_other_host() {
    let lookup = about(Capability::HostPairs, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("passivetotal.host-pairs", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.DNSName cdn.harbour.example; fqdn!=cdn.harbour.example; passivetotal.side=child; \
             passivetotal.cause=script.src; passivetotal.first_seen=2013-04-03; \
             passivetotal.last_seen=2013-06-30; -> child: script.src",
            "maltego.Domain career-offers.example; fqdn!=career-offers.example; passivetotal.side=parent; \
             passivetotal.cause=iframe.src; passivetotal.first_seen=2013-05-10; \
             passivetotal.last_seen=2013-05-28; -> parent: iframe.src",
            "maltego.IPv4Address 192.0.2.45; ipv4-address!=192.0.2.45; passivetotal.side=child; \
             passivetotal.cause=redirect; passivetotal.first_seen=2013-04-03; \
             passivetotal.last_seen=2013-04-09; -> child: redirect",
        ]
    );
}
