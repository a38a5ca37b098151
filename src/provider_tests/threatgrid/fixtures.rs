//! Walks the fixtures and compares with the answers written beside them.

use super::*;

fn expect(name: &str, query: Query) {
    testing::expect(&ThreatGrid, name, &lookup(query));
}

#[test]
fn samples() {
    let domain = question(Capability::Samples, IndicatorKind::Domain, "tendrit.example");
    expect("search/found", domain);
    let address = question(Capability::Samples, IndicatorKind::Ipv4, "192.0.2.44");
    expect("search/address", address);
    let address = question(Capability::Samples, IndicatorKind::Ipv6, "2001:db8::25");
    expect("search/address6", address);
    for (name, url) in [
        ("search/url", "http://tendrit.example/gate.php?id=7"),
        ("search/url-plain", "https://tendrit.example/plain"),
    ] {
        expect(name, question(Capability::Samples, IndicatorKind::Url, url));
    }
    expect("search/of-sha256", of_hash(Capability::Samples, SHA256));
    let dropped = "bf129dd4d17ad0d9fc561ecb1b7cba1b3d6ece3752d10b9b961391b3eeba25d3";
    expect("search/pages", of_hash(Capability::Samples, dropped));
}

#[test]
fn files_that_ran() {
    expect("analysis/contacts", of_hash(Capability::Contacts, SHA256));
    expect("analysis/files", of_hash(Capability::SandboxFiles, MD5));
    expect("analysis/traces", of_hash(Capability::SandboxTraces, SHA1));
}

#[test]
fn every_hash_finds_the_same() {
    let contacts = |hash: &str| {
        let walked = walk(of_hash(Capability::Contacts, hash)).unwrap();
        walked.records().to_vec()
    };
    let known = contacts(SHA256);
    assert!(!known.is_empty());
    assert_eq!(contacts(SHA1), known);
    assert_eq!(contacts(MD5), known);
}

#[test]
fn what_runs_show_is_merged() {
    let walked = walk(of_hash(Capability::Contacts, SHA256)).unwrap();
    assert_eq!(
        all(&walked, "host"),
        ["tendrit.example", "update.career-offers.example"],
        "once each, without reverse look-ups, bare labels, and where a reply pointed to"
    );
    let tendrit = &walked.records()[0];
    assert_eq!(text(tendrit, "score"), "95", "the highest of both runs");
    assert_eq!(
        (text(tendrit, "first_seen"), text(tendrit, "last_seen")),
        (
            "2013-05-21T08:12:45Z".to_owned(),
            "2013-06-02T09:30:00Z".to_owned()
        )
    );
    assert_eq!(
        text(tendrit, "samples"),
        format!("{}, {}", "b2".repeat(16), "a1".repeat(16))
    );
    assert_eq!(
        all(&walked, "ip"),
        ["192.0.2.44", "2001:db8::25", "198.51.100.7", "192.0.2.44"],
        "neither the sandbox's own network nor its resolver; a second port is a second record"
    );
    assert_eq!(
        all(&walked, "user_agent"),
        ["Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; TNDT)"]
    );
    // The search answers the sibling question on its way.
    assert_eq!(walked.answers[1].query, of_hash(Capability::Samples, SHA256));
    assert_eq!(text(&walked.answers[1].records[0], "runs"), "3");
}

#[test]
fn a_window_goes_to_the_vendor() {
    let query = of_hash(Capability::Contacts, SHA256)
        .with("since", "2013-05-01")
        .with("until", "2013-05-31");
    let walked = walk(query).unwrap();
    let sent: Vec<_> = walked.calls[0]
        .query
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(
        sent.contains(&"2013-05-01T00:00:00Z") && sent.contains(&"2013-05-31T23:59:59Z"),
        "{sent:?}"
    );
    assert_eq!(walked.calls.len(), 3, "one run lies in the window");
    let params = &walked.answers[1].query.params;
    assert_eq!(params.len(), 2, "the sibling answer is that of the same window");
}

#[test]
fn no_more_runs_are_read_than_asked_for() {
    let walked = walk(of_hash(Capability::SandboxFiles, SHA256).with("runs", "1")).unwrap();
    assert_eq!(walked.calls.len(), 2);
    assert!(walked.calls[1].path.contains(&"b2".repeat(16)), "the newest one");
    let blind = walked.answer().source.blind.clone().unwrap();
    assert!(
        blind.contains("newest 1 of 2 runs")
            && blind.contains("1 of 3 runs have no analysis: fail (rejected_whitelist)"),
        "{blind}"
    );
    assert!(walked.answer().missing.is_empty());
}

#[test]
fn thresholds_say_what_they_hide() {
    let scored = |least: &str| {
        let query = of_hash(Capability::SandboxFiles, SHA256).with("min-score", least);
        walk(query).unwrap()
    };
    assert_eq!(scored("90").calls.len(), 2, "one run scores 95");
    let none = scored("96");
    assert_eq!((none.calls.len(), none.records().len()), (1, 0));
    assert!(
        none.answer()
            .missing
            .iter()
            .any(|text| text.contains("no score of 96")),
        "{:?}",
        none.answer().missing
    );

    let rated = |severity: &str| {
        let query = of_hash(Capability::Contacts, SHA256)
            .with("severity", severity)
            .with("confidence", "80");
        walk(query).unwrap()
    };
    let named = rated("80");
    assert_eq!(all(&named, "host"), ["tendrit.example"]);
    assert_eq!(all(&named, "ip"), [""; 0], "no behavior names an address");
    assert_eq!(all(&named, "url").len(), 2, "a URL goes with its host");
    assert_eq!(all(&named, "user_agent").len(), 1, "so does a user agent");
    let host = &named.records()[0];
    assert_eq!(
        (
            text(host, "severity"),
            text(host, "confidence"),
            text(host, "behaviors")
        ),
        (
            "90".to_owned(),
            "95".to_owned(),
            "network-dynamic-dns, network-beacon".to_owned()
        )
    );
    let feed = named
        .calls
        .iter()
        .find(|call| call.path.ends_with("/iocs/feeds/ips"))
        .unwrap();
    let sent = |name: &str| {
        let found = feed.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(sent("sample"), format!("{},{}", "b2".repeat(16), "a1".repeat(16)));
    assert_eq!(
        (sent("after"), sent("before")),
        (
            "2013-05-21T00:00:00Z".to_owned(),
            "2013-06-03T23:59:59Z".to_owned()
        ),
        "the days of the runs, and the one behind them"
    );
    let none = rated("100");
    assert!(none.records().is_empty() && !none.answer().is_not_found());
    let said = |walked: &LookupTrace| -> Vec<String> {
        walked
            .answer()
            .left_out
            .iter()
            .map(crate::domain::OmittedRecords::text)
            .collect()
    };
    let below = |count: usize, severity: &str| {
        format!(
            "{count} contacts that no behavior of the asked severity and confidence names (severity {severity}, confidence 80)"
        )
    };
    let all = walk(of_hash(Capability::Contacts, SHA256))
        .unwrap()
        .records()
        .len();
    assert!(said(&none).contains(&below(all, "100")), "{:?}", said(&none));
    assert!(
        !said(&none).iter().any(|text| text.contains("show none")),
        "{:?}",
        said(&none)
    );
    let missing = &none.answer().missing;
    assert!(
        !missing.iter().any(|text| text.contains("contacts")),
        "{missing:?}"
    );
    assert!(
        said(&named).contains(&below(all - named.records().len(), "80")),
        "{:?}",
        said(&named)
    );
}
