//! Reads recorded answers, where the variable `PIVOTD_SAMPLES` names the folder that holds `rdap/`.

use super::*;

fn read(file: &str, domain: &str) -> Option<Record> {
    let folder = std::env::var_os("PIVOTD_SAMPLES")?;
    let body = std::fs::read_to_string(std::path::Path::new(&folder).join("rdap").join(file)).unwrap();
    let lookup = testing::lookup(
        &Rdap,
        question(Capability::Whois, IndicatorKind::Domain, domain),
        "domain",
    );
    let walked = walk(&Rdap, &lookup, |call| match call.product {
        "domain" => reply(200, &body),
        _ => reply(404, ""),
    })
    .unwrap();
    Some(walked.answers[0].records[0].clone())
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
fn registries() {
    let Some(google) = read("domain_google_com_thin.json", "google.com") else {
        return;
    };
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

    let dutch = read("domain_bouwjaren_nl_full.json", "bouwjaren.nl").unwrap();
    assert_eq!(text(&dutch, "registrar"), "OmniRegistrar");
    assert_eq!(text(&dutch, "created"), "2011-12-31");
    assert!(contacts(&dutch).contains(&"registrant|DirectDomain (Commercive B.V.)|||".to_owned()));

    let bond = read(
        "domain_folding-beds-76808_bond_full.json",
        "folding-beds-76808.bond",
    )
    .unwrap();
    assert_eq!(text(&bond, "registrar"), "Key-Systems LLC");
    assert_eq!(text(&bond, "expires"), "2026-01-21");
    assert!(contacts(&bond).is_empty(), "empty cards are nobody");
}

#[test]
fn registrars() {
    let Some(google) = read("domain_google_com_full.json", "google.com") else {
        return;
    };
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
        let record = read(file, domain).unwrap();
        let left: Vec<String> = contacts(&record)
            .into_iter()
            .filter(|contact| !contact.starts_with("abuse|"))
            .collect();
        assert!(left.is_empty(), "a privacy service is nobody: {left:?}");
    }
    let integra = read(
        "domain_integramarketingec_com_full.json",
        "integramarketingec.com",
    )
    .unwrap();
    assert_eq!(
        contacts(&integra),
        ["registrant||Integra Marketing||", "reseller|Google Workspace|||"]
    );
}
