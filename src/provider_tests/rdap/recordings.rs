//! Reads recorded answers, from `rdap/` in the folder that `PIVOTD_SAMPLES` names.

use super::*;

fn read(file: &str, domain: &str) -> Record {
    let path = testing::recordings("PIVOTD_SAMPLES").join("rdap").join(file);
    let body = std::fs::read_to_string(path).unwrap();
    let lookup = testing::lookup(
        &Rdap,
        question(Capability::Whois, IndicatorKind::Domain, domain),
        "domain",
    );
    let walked = walk(&Rdap, &lookup, |call| match call.product.as_str() {
        "domain" => reply(200, &body),
        _ => reply(404, ""),
    })
    .unwrap();
    walked.answers[0].records[0].clone()
}

fn contacts(record: &Record) -> Vec<String> {
    let fields = ["role", "name", "organization", "email", "country"];
    record
        .records("contacts")
        .iter()
        .map(|contact| fields.map(|field| text(contact, field)).join("|"))
        .collect()
}

#[test]
#[ignore = "needs recordings"]
fn registries() {
    let google = read("domain_google_com_thin.json", "google.com");
    let fields = [
        "registrar",
        "iana_id",
        "created",
        "updated",
        "expires",
        "abuse_email",
        "abuse_phone",
    ];
    assert_eq!(
        fields.map(|field| text(&google, field)),
        [
            "MarkMonitor Inc.",
            "292",
            "1997-09-15",
            "2019-09-09",
            "2028-09-14",
            "abusecomplaints@markmonitor.com",
            "+1.2086851750"
        ]
    );
    assert_eq!(google.records("name_servers").len(), 4);
    assert_eq!(text(&google.records("name_servers")[0], "name"), "ns1.google.com");
    assert!(contacts(&google).is_empty());

    let dutch = read("domain_bouwjaren_nl_full.json", "bouwjaren.nl");
    assert_eq!(text(&dutch, "registrar"), "OmniRegistrar");
    assert_eq!(text(&dutch, "created"), "2011-12-31");
    // A company form makes an organization of a name without a label.
    let found = contacts(&dutch);
    let organization = "registrant||DirectDomain (Commercive B.V.)|";
    assert!(found.iter().any(|one| one.starts_with(organization)), "{found:?}");

    let bond = read(
        "domain_folding-beds-76808_bond_full.json",
        "folding-beds-76808.bond",
    );
    assert_eq!(text(&bond, "registrar"), "Key-Systems LLC");
    assert_eq!(text(&bond, "expires"), "2026-01-21");
    assert!(contacts(&bond).is_empty(), "empty cards are nobody");
}

#[test]
#[ignore = "needs recordings"]
fn registrars() {
    let google = read("domain_google_com_full.json", "google.com");
    assert_eq!(contacts(&google), ["registrant||Google LLC||US"]);
    assert_eq!(
        text(&google, "registrar_url"),
        "https://www.markmonitor.com/about-us/"
    );
    for (file, domain) in [
        ("domain_mobile365365607_com_full.json", "mobile365365607.com"),
        ("domain_tampaacsupply_com_full.json", "tampaacsupply.com"),
        ("domain_edeasmarca_com_full.json", "edeasmarca.com"),
    ] {
        let record = read(file, domain);
        let left = contacts(&record);
        assert!(left.is_empty(), "a privacy service is nobody: {left:?}");
        assert!(!text(&record, "abuse_email").is_empty(), "{domain}");
    }
    let integra = read(
        "domain_integramarketingec_com_full.json",
        "integramarketingec.com",
    );
    assert_eq!(
        contacts(&integra),
        ["registrant||Integra Marketing||", "reseller|Google Workspace|||"]
    );
}

#[test]
#[ignore = "needs recordings"]
fn iana_s_file_says_who_answers_for_a_system() {
    let path = testing::recordings("PIVOTD_SAMPLES").join("rdap/bootstrap_asn.json");
    let body = std::fs::read(path).unwrap();
    assert_eq!(bootstrap::check_numbers(&body), Ok(()));
    let services: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let theirs: Files = BTreeMap::from([(bootstrap::ASN.into(), body.into())]).into();
    let servers = Rdap.servers(&theirs);
    assert!(
        servers.iter().all(|server| server.starts_with("https://")),
        "{servers:?}"
    );
    for (number, expected) in [
        (1, "https://rdap.arin.net/registry/"),
        (3333, "https://rdap.db.ripe.net/"),
        (4608, "https://rdap.apnic.net/"),
        (36_864, "https://rdap.afrinic.net/rdap/"),
        (328_703, "https://rdap.afrinic.net/rdap/"),
        (28_000, "https://rdap.lacnic.net/rdap/"),
    ] {
        let server = bootstrap::of_number(&theirs, number).map(|url| url.to_string());
        assert_eq!(server.as_deref(), Some(expected), "AS{number}");
    }
    let reserved = bootstrap::of_number(&theirs, 64_512);
    assert_eq!(reserved, None, "a private system is nobody's");
    // What is compiled in says the same at both ends of every range.
    let query = question(Capability::Whois, IndicatorKind::Asn, "AS1");
    let bundled = testing::lookup(&Rdap, query, "autnum").files;
    let services = services["services"].as_array().unwrap().iter();
    let ranges = services.flat_map(|service| service[0].as_array().unwrap());
    let mut ends = 0;
    for end in ranges.flat_map(|range| range.as_str().unwrap().split('-')) {
        let number = end.parse().unwrap();
        assert_eq!(
            bootstrap::of_number(&bundled, number),
            bootstrap::of_number(&theirs, number),
            "AS{number}"
        );
        ends += 1;
    }
    assert!(ends > 100, "{ends}");
}
