//! Walks every product's fixtures and compares with the answer written beside them.

use super::*;

fn expect(name: &str, lookup: &Lookup) {
    testing::expect(&DomainTools, name, lookup);
}

fn email(scope: &str) -> Query {
    question(
        Capability::ReverseWhois,
        IndicatorKind::Email,
        "a.kranz@mailbox.example",
    )
    .with("scope", scope)
}

#[test]
fn domains() {
    use Capability::{IpHistory, Neighbours, Pivots, RegistrarHistory, Risk, Whois, WhoisHistory};
    for (name, capability, domain, product) in [
        (
            "hosting-history/found",
            IpHistory,
            "example.com",
            "hosting-history",
        ),
        (
            "hosting-history/tendrit",
            RegistrarHistory,
            "tendrit.example",
            "hosting-history",
        ),
        (
            "hosting-history/registrars",
            RegistrarHistory,
            "example.net",
            "hosting-history",
        ),
        (
            "whois-history/page-1",
            WhoisHistory,
            "example.com",
            "whois-history",
        ),
        ("parsed-whois/found", Whois, "example.com", "parsed-whois"),
        ("parsed-whois/list", Whois, "example.net", "parsed-whois"),
        ("whois/found", Whois, "example.com", "whois"),
        ("reverse-ip/neighbours", Neighbours, "example.com", "reverse-ip"),
        (
            "risk-evidence/found",
            Risk,
            "career-offers.example",
            "risk-evidence",
        ),
        ("risk/found", Risk, "career-offers.example", "risk"),
        ("reputation/found", Risk, "career-offers.example", "reputation"),
        ("iris-enrich/found", Risk, "career-offers.example", "iris-enrich"),
        (
            "iris-investigate/found",
            Pivots,
            "tendrit.example",
            "iris-investigate",
        ),
    ] {
        expect(name, &of_domain(capability, domain, product));
    }
    let all = Lookup {
        wanted: 255,
        ..of_domain(WhoisHistory, "example.com", "whois-history")
    };
    expect("whois-history/found", &all);
}

#[test]
fn addresses_and_others() {
    use Capability::{Account, DomainsOnIp, DomainsOnNameserver, Pivots, Whois};
    use IndicatorKind::{Certificate, Hostname, Ipv4, Phrase};
    let certificate = "3f".repeat(20);
    for (name, capability, kind, value, product) in [
        (
            "reverse-ip-whois/found",
            Whois,
            Ipv4,
            "192.0.2.44",
            "reverse-ip-whois",
        ),
        ("reverse-ip/found", DomainsOnIp, Ipv4, "192.0.2.44", "reverse-ip"),
        ("reverse-ip/list", DomainsOnIp, Ipv4, "192.0.2.45", "reverse-ip"),
        (
            "reverse-name-server/found",
            DomainsOnNameserver,
            Hostname,
            "ns1.example.net",
            "reverse-name-server",
        ),
        (
            "iris-investigate/address",
            Pivots,
            Ipv4,
            "192.0.2.44",
            "iris-investigate",
        ),
        (
            "iris-investigate/certificate",
            Pivots,
            Certificate,
            &certificate,
            "iris-investigate",
        ),
        (
            "account-information/found",
            Account,
            Phrase,
            "account",
            "account-information",
        ),
    ] {
        expect(name, &lookup(question(capability, kind, value), product));
    }
}

#[test]
fn registrants() {
    expect("reverse-whois/quote", &lookup(email("historic"), "reverse-whois"));
    expect(
        "reverse-whois/purchase",
        &Lookup {
            buy: Some(2000),
            ..lookup(email("historic"), "reverse-whois")
        },
    );
    expect(
        "iris-investigate/email",
        &lookup(email("current"), "iris-investigate"),
    );
    for (kind, value) in [
        (IndicatorKind::Person, "Anton Kranz"),
        (IndicatorKind::Organization, "Tendrit Holdings"),
        (IndicatorKind::Phone, "+1 555 0100"),
        (IndicatorKind::Phrase, "tendrit"),
    ] {
        let query = question(Capability::ReverseWhois, kind, value);
        let quoted = walk_fixtures(&lookup(query.clone(), "reverse-whois")).unwrap();
        let price = quoted.answer().price.clone().unwrap();
        assert!(
            price.count >= 2 && !price.bought && quoted.answer().is_quote(),
            "{value}"
        );
        let bought = Lookup {
            buy: Some(1800),
            ..lookup(query, "reverse-whois")
        };
        let bought = walk_fixtures(&bought).unwrap();
        assert_eq!(bought.records().len() as u64, price.count, "{value}");
    }
}

#[test]
fn address_whois_falls_back_to_networks() {
    let query = question(Capability::Whois, IndicatorKind::Ipv4, "192.0.2.44");
    let vendor = vendor();
    let walked = walk(&lookup(query, "parsed-whois"), |call| {
        if call.product == "reverse-ip-whois" {
            return reply(
                403,
                r#"{"error":{"code":403,"message":"This product is not in your subscription."}}"#,
            );
        }
        play(&vendor, call)
    })
    .unwrap();
    let record = &walked.records()[0];
    assert_eq!(walked.answer().source.product, "parsed-whois");
    assert_eq!(record.text("netblock").as_deref(), Some("192.0.2.0-192.0.2.127"));
    assert_eq!(record.text("asn").as_deref(), Some("64500"));
    assert_eq!(record.text("organization").as_deref(), Some("Parkside Hosting"));
}

#[test]
fn risk_covers_the_bands() {
    for (domain, score) in [
        ("example.org", 0),
        ("example.com", 3),
        ("example.net", 12),
        ("tendrit.example", 64),
        ("career-offers.example", 87),
        ("blocked.example", 100),
    ] {
        for product in ["iris-enrich", "risk-evidence", "risk", "reputation"] {
            let walked = walk_fixtures(&of_domain(Capability::Risk, domain, product)).unwrap();
            let record = &walked.records()[0];
            assert_eq!(
                record.get("score"),
                Some(&Value::Integer(score)),
                "{domain} by {product}"
            );
            let zero = domain == "example.org" && product != "reputation";
            assert_eq!(
                record.get("zero_listed"),
                Some(&Value::Flag(zero)),
                "{domain} by {product}"
            );
        }
    }
    for name in ["unscored.example", "elsewhere.example"] {
        let walked = walk_fixtures(&of_domain(Capability::Risk, name, "iris-enrich")).unwrap();
        assert!(walked.answer().is_not_found(), "{name}");
    }
}
