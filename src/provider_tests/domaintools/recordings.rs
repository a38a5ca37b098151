//! Reads recorded answers of the real API, from the folder that `PIVOTD_RECORDINGS` names.
//!
//! The recordings are those of the vendor's Python client; what is asserted was read off them by hand.

use super::*;

fn recording(name: &str) -> String {
    let path = testing::recordings("PIVOTD_RECORDINGS").join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn walked(name: &str, lookup: &Lookup) -> LookupTrace {
    let body = recording(name);
    walk(lookup, |_| reply(200, &body)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text(record: &Record, name: &str) -> String {
    record
        .text(name)
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default()
}

fn texts(record: &Record, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| text(record, name))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
#[ignore = "needs recordings"]
fn hosting_history() {
    let lookup = of_domain(Capability::IpHistory, "google.com", "hosting-history");
    let walked = walked("hosting_history.json", &lookup);
    assert_eq!(walked.answers.len(), 1, "the other two lists are empty");
    let span = ["ip", "first_seen", "last_seen"];
    assert_eq!(texts(&walked.records()[0], &span), "74.125.127.99 2010-12-20 ");
    assert_eq!(walked.records()[0].get("current"), Some(&Value::Flag(true)));
    assert_eq!(
        texts(walked.records().last().unwrap(), &span),
        "216.239.57.99 2004-04-24 2004-05-08"
    );
    // The recording lacks rows: one change names an earlier address that no row brought.
    let unopened: Vec<&Record> = walked
        .records()
        .iter()
        .filter(|record| record.get("first_seen").is_none())
        .collect();
    assert_eq!(unopened.len(), 1);
    assert_eq!(texts(unopened[0], &span), "74.125.53.99  2009-08-17");
    let ended = walked
        .records()
        .iter()
        .filter(|record| text(record, "last_seen") == "2007-10-21")
        .count();
    assert_eq!(ended, 1, "an end that is told twice ends one period");
}

#[test]
#[ignore = "needs recordings"]
fn whois_history() {
    let lookup = of_domain(Capability::WhoisHistory, "woot.com", "whois-history");
    let walked = walked("whois_history.json", &lookup);
    assert_eq!((walked.answer().total, walked.answer().more), (Some(624), true));
    assert_eq!(
        walked.charges,
        [Charge::Known(crate::providers::Cost::records(12))]
    );
    let newest = &walked.records()[0];
    assert_eq!(
        texts(newest, &["first_seen", "last_seen", "captures"]),
        "2025-07-11 2026-01-13 4"
    );
    assert_eq!(
        texts(newest, &["registrar", "registrant"]),
        "MarkMonitor Inc. Woot.com LLC"
    );
    assert_eq!(
        texts(newest, &["created", "updated", "expires"]),
        "2000-01-12 2025-10-31 2027-01-12"
    );
    assert_eq!(
        text(&newest.records("name_servers")[0], "name"),
        "ns-1361.awsdns-42.org"
    );
    let abuse = newest
        .records("contacts")
        .iter()
        .find(|contact| text(contact, "role") == "abuse")
        .unwrap();
    assert_eq!(
        texts(abuse, &["email", "phone"]),
        "abusecomplaints@markmonitor.com +1.2086851750"
    );
    // "Select Request Email Form at https://…" is prose.
    let registrant = newest
        .records("contacts")
        .iter()
        .find(|contact| text(contact, "role") == "registrant")
        .unwrap();
    assert_eq!(
        texts(registrant, &["organization", "country", "email"]),
        "Woot.com LLC US "
    );
    let captures: i64 = walked
        .records()
        .iter()
        .map(|record| text(record, "captures").parse::<i64>().unwrap())
        .sum();
    assert_eq!(captures, 12);
    assert_eq!(text(walked.records().last().unwrap(), "first_seen"), "2024-10-19");
}

#[test]
#[ignore = "needs recordings"]
fn whois_and_parsed_whois() {
    let lookup = of_domain(Capability::Whois, "google.com", "whois");
    let plain = walked("whois.json", &lookup);
    let record = &plain.records()[0];
    let fields = ["captured", "created", "updated", "expires", "registrar"];
    assert_eq!(
        texts(record, &fields),
        "2026-01-14 1997-09-15 2019-09-09 2028-09-14 MarkMonitor Inc."
    );
    assert_eq!(record.records("name_servers").len(), 4);
    assert_eq!(text(&record.records("name_servers")[0], "name"), "ns1.google.com");
    assert_eq!(text(record, "abuse_email"), "abusecomplaints@markmonitor.com");

    let lookup = of_domain(Capability::Whois, "google.com", "parsed-whois");
    let parsed = walked("parsed_whois.json", &lookup);
    let record = &parsed.records()[0];
    assert_eq!(
        texts(record, &["created", "updated", "expires"]),
        "1997-09-15 2024-08-02 2028-09-13"
    );
    assert_eq!(texts(record, &["iana_id", "abuse_phone"]), "292 +1.2086851750");
    let contacts: Vec<String> = record
        .records("contacts")
        .iter()
        .map(|contact| texts(contact, &["role", "organization", "email"]))
        .collect();
    assert_eq!(
        contacts,
        ["registrant Google LLC "],
        "prose, redactions and empty contacts are none"
    );
}

#[test]
#[ignore = "needs recordings"]
fn address_whois() {
    let query = question(Capability::Whois, IndicatorKind::Ipv4, "65.55.53.233");
    let walked = walked("reverse_ip_whois_2.json", &lookup(query, "reverse-ip-whois"));
    let record = &walked.records()[0];
    let fields = ["netblock", "cidr", "organization", "country", "captured"];
    assert_eq!(
        texts(record, &fields),
        "65.52.0.0-65.55.255.255 65.52.0.0/14 Microsoft Corporation US 2026-01-11"
    );
    assert_eq!(record.get("asn"), None, "`OriginAS:` stands there, empty");
    let abuse = record
        .records("contacts")
        .iter()
        .find(|contact| text(contact, "role") == "abuse")
        .unwrap();
    // A desk is no person.
    assert_eq!(texts(abuse, &["name", "email"]), " abuse@microsoft.com");
}

#[test]
#[ignore = "needs recordings"]
fn names() {
    let query = question(Capability::DomainsOnIp, IndicatorKind::Ipv4, "199.30.228.112");
    let one = walked("host_domains.json", &lookup(query, "reverse-ip"));
    assert_eq!(
        texts(&one.records()[0], &["ip", "domain"]),
        "199.30.228.112 whoisapi.com"
    );

    let lookup_ = of_domain(Capability::Neighbours, "google.com", "reverse-ip");
    let beside = walked("reverse_ip.json", &lookup_);
    let counts: Vec<String> = beside
        .records()
        .iter()
        .map(|record| texts(record, &["ip", "count"]))
        .collect();
    // The vendor says 76 for the first and lists 104.
    assert_eq!(counts, ["142.250.73.68 104", "142.250.73.78 597"]);

    let query = question(
        Capability::DomainsOnNameserver,
        IndicatorKind::Domain,
        "google.com",
    );
    let served = walked("reverse_name_server.json", &lookup(query, "reverse-name-server"));
    assert_eq!(
        (served.answer().total, served.records().len()),
        (Some(18_997), 300)
    );
    assert_eq!(
        texts(&served.records()[0], &["nameserver", "domain", "role"]),
        "google.com 000333.com primary"
    );
}

#[test]
#[ignore = "needs recordings"]
fn reverse_whois() {
    let query = question(Capability::ReverseWhois, IndicatorKind::Phrase, "Amazon").with("scope", "current");
    let buy = Lookup {
        buy: Some(1_000_000),
        ..lookup(query, "reverse-whois")
    };
    let bought = walked("reverse_whois.json", &buy);
    assert_eq!(
        (bought.answer().total, bought.records().len()),
        (Some(35_556), 300)
    );
    assert_eq!(bought.answer().price.as_ref().unwrap().amount(), "3555 USD");
    assert_eq!(text(&bought.records()[0], "domain"), "0-8.ca");
    let body = recording("reverse_whois_2.json");
    let error = walk(&buy, |_| reply(503, &body)).unwrap_err();
    let ProviderError::Failed(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(
        failure.message,
        "The size of this report exceeds the maximum allowed"
    );
}

#[test]
#[ignore = "needs recordings"]
fn risk() {
    for (name, domain, product, score) in [
        ("risk.json", "google.com", "risk", 0),
        ("risk_2.json", "hug.rest", "risk", 100),
        ("risk_evidence.json", "google.com", "risk-evidence", 0),
        ("reputation.json", "google.com", "reputation", 0),
        ("iris_enrich.json", "google.com", "iris-enrich", 0),
    ] {
        let walked = walked(name, &of_domain(Capability::Risk, domain, product));
        let record = &walked.records()[0];
        assert_eq!(record.get("score"), Some(&Value::Integer(score)), "{name}");
        let zero = score == 0 && product != "reputation";
        assert_eq!(record.get("zero_listed"), Some(&Value::Flag(zero)), "{name}");
        if score == 100 {
            assert_eq!(record.records("components").len(), 5);
            assert_eq!(text(record, "threats"), "phishing");
        }
    }
}

#[test]
#[ignore = "needs recordings"]
fn pivots() {
    let lookup_ = of_domain(Capability::Pivots, "amazon.com", "iris-investigate");
    let found = walked("iris_investigate.json", &lookup_);
    let counts: Vec<i64> = found
        .records()
        .iter()
        .map(|record| text(record, "count").parse().unwrap())
        .collect();
    assert!(
        counts.is_sorted() && counts[0] == 4,
        "rarest first, and nothing that one domain has alone"
    );
    let find = |pivot: &str, field: &str, value: &str| {
        let mut all = found.records().iter();
        all.find(|record| text(record, "pivot") == pivot && text(record, field) == value)
            .unwrap()
    };
    assert_eq!(
        text(
            find(
                "ssl-hash",
                "certificate",
                "08040755c8b6852a5db945a2b380571111defd2d"
            ),
            "count"
        ),
        "6"
    );
    assert_eq!(text(find("ip", "ip", "99.84.76.105"), "count"), "5");
    assert_eq!(
        text(
            find("registrant-email", "email", "hostmaster@amazon.com"),
            "count"
        ),
        "38463"
    );
    let shared = find("registrar", "organization", "MarkMonitor, Inc.");
    assert_eq!(
        texts(shared, &["count", "domain"]),
        "834849 ",
        "merged over both rows"
    );

    let query = question(Capability::Pivots, IndicatorKind::Email, "info@example.com");
    let refused = walked("limit_exceeded.json", &lookup(query, "iris-investigate"));
    assert_eq!(refused.answer().missing.len(), 1);
    assert_eq!(refused.calls.len(), 1);
}

#[test]
#[ignore = "needs recordings"]
fn account() {
    let query = question(Capability::Account, IndicatorKind::Phrase, "account");
    for (name, count, today) in [
        ("account_information.json", 43, "21"),
        ("account_information_2.json", 30, "767"),
    ] {
        let walked = walked(name, &lookup(query.clone(), "account-information"));
        assert_eq!(walked.records().len(), count, "{name}");
        let fields = ["product", "per_minute", "per_month", "used_today"];
        assert_eq!(
            texts(&walked.records()[0], &fields),
            format!("account-information 5 100000 {today}")
        );
        for product in DomainTools
            .descriptor()
            .offers
            .iter()
            .flat_map(|offer| &offer.products)
        {
            let bought = walked
                .records()
                .iter()
                .any(|record| product.id == *text(record, "product"));
            assert!(bought, "{} is an id of the vendor's", &product.id);
        }
    }
}

#[test]
#[ignore = "needs recordings"]
fn errors() {
    for (name, status, wanted) in [
        ("exception_handling.json", 400, "refused"),
        ("exception_handling_2.json", 404, "not found"),
        ("exception_handling_3.json", 403, "key refused"),
        ("exception_handling_4.json", 403, "key refused"),
        ("reverse_whois_2.json", 503, "refused"),
        ("limit_exceeded.json", 200, "good"),
    ] {
        let body = recording(name);
        let call = Call::get("api", "whois", "/v1/example.com/whois");
        let class = match DomainTools.classify(&call, &reply(status, &body)).class {
            ReplyClass::Good => "good",
            ReplyClass::NotFound => "not found",
            ReplyClass::KeyRefused(_) => "key refused",
            ReplyClass::Refused(_) => "refused",
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(class, wanted, "{name}");
    }
}
