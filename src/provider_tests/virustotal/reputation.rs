//! Checks what is made of the engines' verdicts.

use serde_json::json;

use super::*;

use IndicatorKind::{Domain, Hash, Hostname, Ipv4, Url};

fn reputation(kind: IndicatorKind, value: &str) -> Lookup {
    let product = match kind {
        Ipv4 => "ip_addresses",
        Url => "urls",
        Hash => "files",
        _ => "domains",
    };
    testing::lookup(
        &VirusTotal,
        question(Capability::Reputation, kind, value),
        product,
    )
}

#[test]
fn every_kind_is_read_as_it_is_written_beside_it() {
    for (name, kind, value) in [
        ("reputation/domain", Domain, "career-offers.example"),
        ("reputation/clean", Domain, "example.com"),
        ("reputation/address", Ipv4, "198.51.100.7"),
        ("reputation/url", Url, "http://career-offers.example/apply"),
        ("reputation/file", Hash, SHA256),
    ] {
        testing::expect(&VirusTotal, name, &reputation(kind, value));
    }
}

#[test]
fn what_was_never_analysed_is_not_found() {
    for (kind, value) in [
        (Hostname, "never.tendrit.example"),
        (Domain, "notfound.example"),
        (Ipv4, "192.0.2.44"),
        (IndicatorKind::Ipv6, "2001:db8::9"),
        (Url, "http://tendrit.example/never-seen"),
        // It is known, without a verdict.
        (Hash, "6ca0fa2674cdc58af08c183fdf771041a9fedc14"),
        (Hash, "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
    ] {
        let walked = match kind {
            IndicatorKind::Ipv6 => {
                let query = question(Capability::Reputation, kind, value);
                walk(&testing::lookup(&VirusTotal, query, "ip_addresses"))
            }
            _ => walk(&reputation(kind, value)),
        };
        let walked = walked.unwrap();
        assert!(walked.answer().is_not_found(), "{value}: {walked:?}");
        assert_eq!(walked.calls.len(), 1);
    }
}

#[test]
fn engines_without_a_verdict_do_not_count() {
    let of = |statistics: serde_json::Value| {
        let body = json!({"data": {"attributes": {"last_analysis_stats": statistics}}}).to_string();
        let asked = reputation(Domain, "example.com");
        testing::walk(&VirusTotal, &asked, |_| testing::reply(200, &body)).unwrap()
    };
    let silent = of(json!({"timeout": 7, "failure": 2, "type-unsupported": 4, "confirmed-timeout": 1}));
    assert!(silent.answer().is_not_found());
    let two = of(json!({"malicious": 1, "undetected": 1, "timeout": 90, "failure": 3}));
    assert_eq!(text(&two.records()[0], "scale"), "engines of 2");
    // That no engine detects a file is no word for it; that engines call a page harmless is.
    let measure = |statistics| text(&of(statistics).records()[0], "measure");
    assert_eq!(measure(json!({"undetected": 70})), "undetected");
    assert_eq!(measure(json!({"undetected": 30, "harmless": 60})), "engines");
    assert_eq!(measure(json!({"undetected": 30, "suspicious": 1})), "engines");
    // A suspicion is a record of its own, beside the count of those that are sure.
    let suspected = of(json!({"suspicious": 2, "harmless": 8}));
    let rows: Vec<_> = suspected
        .records()
        .iter()
        .map(|record| (text(record, "measure"), text(record, "value")))
        .collect();
    let row = |measure: &str, value: &str| (measure.to_owned(), value.to_owned());
    assert_eq!(rows, [row("engines", "0"), row("suspicious-engines", "2")]);
}

#[test]
fn one_product_answers_for_one_kind() {
    for (kind, value, wrong) in [
        (Domain, "example.com", "files"),
        (Ipv4, "192.0.2.44", "domains"),
        (Url, "http://example.com/", "domains"),
        (Hash, SHA256, "urls"),
    ] {
        let lookup = Lookup {
            product: wrong.into(),
            ..reputation(kind, value)
        };
        assert!(
            matches!(walk(&lookup), Err(ProviderError::Unsupported(_))),
            "{kind}"
        );
    }
}

#[test]
fn a_file_and_its_reputation_are_one_call() {
    let reputation = walk(&reputation(Hash, SHA256)).unwrap();
    let file = walk(&lookup(of_hash(Capability::File, SHA256))).unwrap();
    assert_eq!((reputation.calls.len(), file.calls.len()), (1, 1));
    let [told, known] = &reputation.answers[..] else {
        panic!("two answers");
    };
    assert_eq!(file.answers, [known.clone(), told.clone()]);
    assert!(!told.is_not_found() && !known.is_not_found());
}

#[test]
fn an_answer_without_attributes_is_malformed() {
    let asked = reputation(Domain, "example.com");
    let walked = testing::walk(&VirusTotal, &asked, |_| testing::reply(200, r#"{"data":{}}"#));
    assert!(matches!(walked, Err(ProviderError::Malformed(_))), "{walked:?}");
}

#[test]
fn the_input_is_marked() {
    let lookup = reputation(Domain, "career-offers.example");
    let lines = testing::mapped(&VirusTotal, "virustotal.reputation", "maltego.Domain", &lookup);
    let [line] = &lines[..] else {
        panic!("the input alone: {lines:?}");
    };
    for part in [
        "maltego.Domain career-offers.example; ",
        "virustotal.malicious=9; ",
        "virustotal.scale=engines of 94; ",
        "virustotal.suspicious=1; ",
        "virustotal.tags=newly-registered",
        "; Red",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(
        testing::mapped(
            &VirusTotal,
            "virustotal.reputation",
            "maltego.IPv4Address",
            &reputation(Ipv4, "192.0.2.44")
        )
        .is_empty()
    );
    testing::every_example_is_found(&VirusTotal);
}
