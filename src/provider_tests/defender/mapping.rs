//! Maps answers of the fixtures with the transforms of the compiled-in file.

use super::*;

fn mapped(transform: &str, type_id: &str, lookup: &Lookup) -> Vec<String> {
    testing::mapped(&Defender, transform, type_id, lookup)
}

#[test]
fn every_transform_finds_its_example() {
    testing::every_example_is_found(&Defender);
}

#[test]
fn an_address_is_given_its_reputation() {
    let lookup = about(Capability::IpDetails, IndicatorKind::Ipv4, "203.0.113.66");
    let entities = mapped("defender.ip-details", "maltego.IPv4Address", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.IPv4Address 203.0.113.66; ipv4-address!=203.0.113.66; defender.classification=malicious; \
             defender.hosting=Parkside Cloud; defender.score=92; \
             defender.reasons=Intel article: Tendrit: a campaign against job seekers (high), ASN: Infrastructure of this network is more likely to be malicious; \
             defender.cidr=203.0.113.0/25; defender.location=Netherlands; defender.first_seen=2012-01-05; \
             defender.last_seen=2026-11-19; [#d32f2f]; Red",
            "maltego.AS 64500; as.number!=64500; defender.as_name=PARKSIDE-AS; \
             defender.organization=Parkside Hosting B.V.; defender.first_seen=2012-01-05; \
             defender.last_seen=2026-11-19; -> announces the address",
            "maltego.Netblock 203.0.113.0-203.0.113.127; ipv4-range=203.0.113.0-203.0.113.127; \
             defender.cidr=203.0.113.0/25; defender.as_name=PARKSIDE-AS; defender.first_seen=2012-01-05; \
             defender.last_seen=2026-11-19; -> holds the address",
            "maltego.Location Netherlands; location.name!=Netherlands; country!=Netherlands; countrycode!=NL; \
             defender.first_seen=2012-01-05; defender.last_seen=2026-11-19; -> place of the address",
        ]
    );
}

#[test]
fn names_that_point_here_are_resolutions_too() {
    let lookup = about(Capability::Resolutions, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("defender.resolutions", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.IPv4Address 198.51.100.7; ipv4-address!=198.51.100.7; defender.type=A; \
             defender.first_seen=2013-07-01; defender.last_seen=2014-02-11; -> 2013-07-01 to 2014-02-11",
            "maltego.MXRecord mail.harbour.example; fqdn!=mail.harbour.example; defender.type=MX; \
             defender.first_seen=2012-11-08; defender.last_seen=2014-02-11; -> 2012-11-08 to 2014-02-11",
            "maltego.IPv6Address 2001:db8::7; ipv6-address!=2001:db8::7; defender.type=AAAA; \
             defender.first_seen=2013-07-03; defender.last_seen=2013-12-24; -> 2013-07-03 to 2013-12-24",
            "maltego.IPv4Address 192.0.2.44; ipv4-address!=192.0.2.44; defender.type=A; \
             defender.first_seen=2013-04-02; defender.last_seen=2013-06-30; -> 2013-04-02 to 2013-06-30",
            "maltego.DNSName offers.career-offers.example; fqdn!=offers.career-offers.example; \
             defender.type=CNAME; defender.first_seen=2013-05-11; defender.last_seen=2013-05-28; \
             -> 2013-05-11 to 2013-05-28",
            "maltego.DNSName www.tendrit.example; fqdn!=www.tendrit.example; defender.type=CNAME; \
             defender.first_seen=2013-05-01; defender.last_seen=2013-05-19; -> 2013-05-01 to 2013-05-19",
        ]
    );
}

#[test]
fn subdomains_are_names() {
    let lookup = about(Capability::Subdomains, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("defender.subdomains", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.DNSName www.tendrit.example; fqdn!=www.tendrit.example; defender.first_seen=2013-04-03; \
             -> 2013-04-03",
            "maltego.DNSName mail.tendrit.example; fqdn!=mail.tendrit.example; defender.first_seen=2013-04-03; \
             -> 2013-04-03",
        ]
    );
}

#[test]
fn records_without_days_stay_apart() {
    let lookup = about(Capability::WhoisHistory, IndicatorKind::Domain, "tendrit.example");
    let entities = mapped("defender.whois-history", "maltego.Domain", &lookup);
    assert_eq!(
        entities,
        [
            "maltego.WHOISRecord tendrit.example 2013-11-08 to 2014-02-11; \
             name=tendrit.example 2013-11-08 to 2014-02-11; domainName=tendrit.example; \
             registrar=Harbour Names Ltd; creationDate=2012-11-07; \
             updatedDate=2013-11-08; registryExpiryDate=2014-11-07; \
             domainStatus=client transfer prohibited, client update prohibited; \
             nameservers=ns1.harbour.example; registrarWhoisServer=whois.harbour.example; \
             defender.first_seen=2013-11-08; defender.last_seen=2014-02-11; -> 2013-11-08 to 2014-02-11",
            "maltego.WHOISRecord tendrit.example 2013-03-01 to 2013-11-07; \
             name=tendrit.example 2013-03-01 to 2013-11-07; domainName=tendrit.example; \
             registrar=Harbour Names Ltd; registrantName=Tendrit Holdings; creationDate=2012-11-07; \
             updatedDate=2013-03-01; registryExpiryDate=2013-11-07; \
             domainStatus=client transfer prohibited, client update prohibited; \
             nameservers=ns1.harbour.example; registrarWhoisServer=whois.harbour.example; \
             defender.first_seen=2013-03-01; defender.last_seen=2013-11-07; -> 2013-03-01 to 2013-11-07",
            "maltego.WHOISRecord tendrit.example updated 2012-11-07; name=tendrit.example updated 2012-11-07; \
             domainName=tendrit.example; registrar=Harbour Names Ltd; registrantName=Tendrit Holdings; \
             creationDate=2012-11-07; updatedDate=2012-11-07; registryExpiryDate=2013-11-07; domainStatus=ok; \
             nameservers=ns1.harbour.example; registrarWhoisServer=whois.harbour.example; -> updated 2012-11-07",
        ]
    );
}
