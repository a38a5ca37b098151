//! Checks what the day of a registration is told as.

use super::*;

fn registered(domain: &str) -> Lookup {
    Lookup {
        files: files(),
        ..testing::lookup(
            &Rdap,
            question(Capability::Reputation, IndicatorKind::Domain, domain),
            "domain",
        )
    }
}

#[test]
fn the_registry_alone_is_asked() {
    testing::expect(&Rdap, "domain/registered", &registered("career-offers.example"));
    // One that links to its registrar's answer, too.
    let walked = walk_fixtures(&registered("example.com")).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (1, 1));
}

#[test]
fn a_name_that_is_not_registered_is_not_found() {
    let walked = walk_fixtures(&registered("quiet.example")).unwrap();
    assert!(walked.answer().is_not_found());
}

#[test]
fn without_a_day_nothing_is_said() {
    let of = |events: &str| {
        let body = format!(r#"{{"objectClassName":"domain","ldhName":"example.com","events":{events}}}"#);
        walk(&Rdap, &registered("example.com"), |_| reply(200, &body)).unwrap()
    };
    for events in [
        "[]",
        r#"[{"eventAction":"expiration","eventDate":"2027-02-11T21:05:48Z"}]"#,
        r#"[{"eventAction":"registration","eventDate":"long ago"}]"#,
    ] {
        let undated = of(events);
        let answer = undated.answer();
        // It exists, so it does not pass for not found; and nothing speaks for or against it.
        assert!(answer.records.is_empty() && !answer.is_not_found(), "{events}");
        assert_eq!(
            answer.left_out[0].text(),
            "it is registered, and since when is not told"
        );
    }
    let known = of(r#"[{"eventAction":"Registration","eventDate":"2026-11-02T23:59:59.0Z"}]"#);
    let record = &known.records()[0];
    assert_eq!(text(record, "reasons"), "registered 2026-11-02");
    assert_eq!(text(record, "first_seen"), "2026-11-02");
    assert_eq!(
        record.get("value"),
        None,
        "how old it is, depends on when that is asked"
    );
}

#[test]
fn only_domains_are_asked_about() {
    let query = question(Capability::Reputation, IndicatorKind::Ipv4, "192.0.2.44");
    let asked = testing::lookup(&Rdap, query, "ip");
    assert!(matches!(
        walk_fixtures(&asked),
        Err(ProviderError::Unsupported(_))
    ));
}

#[test]
#[ignore = "needs recordings"]
fn a_recorded_registration() {
    let folder = testing::recordings("PIVOTD_SAMPLES").join("rdap");
    for (file, domain, reason) in [
        (
            "domain_google_com_thin.json",
            "google.com",
            "registered 1997-09-15 by MarkMonitor Inc.",
        ),
        (
            "domain_bouwjaren_nl_full.json",
            "bouwjaren.nl",
            "registered 2011-12-31 by OmniRegistrar",
        ),
        (
            "domain_biteveda_store_thin.json",
            "biteveda.store",
            "registered 2026-01-16 by HOSTINGER operations, UAB",
        ),
    ] {
        let body = std::fs::read_to_string(folder.join(file)).unwrap();
        // The servers are those that are compiled in.
        let query = question(Capability::Reputation, IndicatorKind::Domain, domain);
        let lookup = testing::lookup(&Rdap, query, "domain");
        let walked = walk(&Rdap, &lookup, |_| reply(200, &body)).unwrap();
        assert_eq!(text(&walked.records()[0], "reasons"), reason);
    }
}
