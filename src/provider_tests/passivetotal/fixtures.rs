//! Walks the fixtures and compares with the answers written beside them.

use super::*;

use Capability::{
    Components, HostPairs, IpDetails, Reputation, Resolutions, ReverseWhois, Subdomains, Trackers, Whois,
};
use IndicatorKind::{Domain, Email, Hostname, Ipv4, Organization, Person, Phone};

#[test]
fn every_answer_is_read_as_it_is_written_beside_it() {
    for (name, capability, kind, value) in [
        ("dns/found", Resolutions, Domain, "tendrit.example"),
        ("dns/address", Resolutions, Ipv4, "192.0.2.44"),
        ("enrichment/found", IpDetails, Ipv4, "192.0.2.44"),
        ("enrichment/sinkhole", IpDetails, Ipv4, "198.51.100.7"),
        ("enrichment/unflagged", IpDetails, Ipv4, "198.51.100.8"),
        ("enrichment/subdomains", Subdomains, Domain, "tendrit.example"),
        (
            "host-attributes/components",
            Components,
            Domain,
            "tendrit.example",
        ),
        ("host-attributes/trackers", Trackers, Hostname, "tendrit.example"),
        ("host-attributes/pairs", HostPairs, Domain, "tendrit.example"),
        ("reputation/found", Reputation, Domain, "tendrit.example"),
        ("whois/found", Whois, Domain, "tendrit.example"),
        ("whois/flat", Whois, Domain, "flat.example"),
        ("whois/email", ReverseWhois, Email, "a.kranz@mailbox.example"),
    ] {
        testing::expect(&PassiveTotal, name, &about(capability, kind, value));
    }
}

#[test]
fn registrants_are_searched_by_the_field_that_fits() {
    for (kind, value) in [
        (Person, "Anton Kranz"),
        (Organization, "Tendrit Holdings"),
        (Phone, "+1 555 0100"),
    ] {
        let walked = walk_fixtures(&about(ReverseWhois, kind, value)).unwrap();
        assert_eq!(walked.records().len(), 1, "{value}");
    }
}

#[test]
fn the_sinkhole_flag_is_asked_for_only_where_it_is_missing() {
    let at_once = walk_fixtures(&about(IpDetails, Ipv4, "198.51.100.7")).unwrap();
    assert_eq!(at_once.calls.len(), 1);
    assert_eq!(at_once.records()[0].get("sinkhole"), Some(&Value::Flag(true)));
    let asked = walk_fixtures(&about(IpDetails, Ipv4, "192.0.2.44")).unwrap();
    assert_eq!(asked.calls.len(), 2);
    assert_eq!(asked.records()[0].get("sinkhole"), Some(&Value::Flag(false)));
    let lacking = walk_fixtures(&about(IpDetails, Ipv4, "198.51.100.8")).unwrap();
    assert_eq!(
        lacking.records()[0].get("sinkhole"),
        None,
        "a failed call is no \"no\""
    );
    assert_eq!(
        lacking.answer().missing,
        ["whether it is a sinkhole: This search is not available."]
    );
}

#[test]
fn an_address_of_which_nothing_else_is_known_can_be_a_sinkhole() {
    let asked = |flag: &'static str, status| {
        walk(&about(IpDetails, Ipv4, "203.0.113.9"), move |call| {
            match call.path.as_str() {
                "/enrichment" => reply(404, "{}"),
                _ => reply(status, flag),
            }
        })
    };
    let sinkhole = asked(r#"{"sinkhole":true}"#, 200).unwrap();
    assert_eq!(sinkhole.records()[0].get("sinkhole"), Some(&Value::Flag(true)));
    for nothing in [r#"{"sinkhole":false}"#, "{}"] {
        assert!(asked(nothing, 200).unwrap().answer().is_not_found(), "{nothing}");
    }
    assert!(asked("{}", 404).unwrap().answer().is_not_found());
    // Whether it is one is not known: that is no "not found".
    assert!(matches!(asked("{}", 500), Err(ProviderError::Failed(_))));
}

#[test]
fn a_class_that_nobody_knows_is_none() {
    for (said, class) in [
        ("unknown", None),
        ("UNKNOWN", None),
        ("malicious", Some("malicious")),
    ] {
        let body = format!(r#"{{"sinkhole":false,"classification":"{said}"}}"#);
        let walked = walk(&about(IpDetails, Ipv4, "203.0.113.9"), |_| reply(200, &body)).unwrap();
        let told = walked.records()[0].text("classification");
        assert_eq!(told.as_deref(), class, "{said}");
    }
}

#[test]
fn pages_are_read_as_far_as_they_are_wanted() {
    let whole = about(Components, Domain, "tendrit.example");
    let first = Lookup {
        wanted: 2,
        ..whole.clone()
    };
    let walked = walk_fixtures(&first).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (1, 2));
    assert_eq!((walked.answer().more, walked.answer().total), (true, Some(3)));
    let walked = walk_fixtures(&whole).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 3));
    assert_eq!((walked.answer().more, walked.answer().total), (false, Some(3)));
}

#[test]
fn a_vendor_that_gives_the_same_page_for_ever_is_seen_through() {
    let body = r#"{"totalRecords":900,"results":[{"label":"nginx"}]}"#;
    let walked = walk(&about(Components, Domain, "example.com"), |_| reply(200, body)).unwrap();
    assert_eq!(walked.calls.len(), 2);
    assert_eq!(walked.answer().missing, ["components: the same page came twice"]);
    let endless = walk(&about(Components, Domain, "example.com"), |call| {
        let page = &call.query.iter().find(|(name, _)| name == "page").unwrap().1;
        reply(
            200,
            &format!(r#"{{"totalRecords":900,"results":[{{"label":"part-{page}"}}]}}"#),
        )
    });
    let endless = endless.unwrap();
    assert_eq!((endless.calls.len(), endless.answer().more), (10, true));
    assert_eq!(endless.answer().total, Some(900));
    assert!(endless.answer().missing.is_empty());
}

#[test]
fn more_of_a_held_answer_is_read_from_the_page_behind_it() {
    let page = |call: &Call| {
        let value = |wanted| call.query.iter().find(|(name, _)| name == wanted);
        let page: usize = value("page").unwrap().1.parse().unwrap();
        let direction = value("direction").map_or("", |(_, value)| value);
        // There are three rows of each direction, and two rows to a page; of parents there is one page.
        let rows = match (direction, page) {
            ("children", 0) => r#"{"child":"a.example"},{"child":"b.example"}"#,
            ("children", 1) => r#"{"child":"c.example"}"#,
            ("parents", 0) => r#"{"parent":"d.example"},{"id":"no pair"}"#,
            _ => panic!("{call:?}"),
        };
        let total = if direction == "children" { 3 } else { 2 };
        reply(200, &format!(r#"{{"totalRecords":{total},"results":[{rows}]}}"#))
    };
    let first = Lookup {
        wanted: 3,
        ..about(HostPairs, Domain, "example.com")
    };
    let held = walk(&first, page).unwrap().answer().clone();
    assert_eq!((held.records.len(), held.more, held.total), (3, true, Some(5)));
    assert_eq!(held.missing, ["1 row could not be read"]);
    let more = Lookup {
        wanted: 12,
        earlier: Some(held.clone()),
        ..first.clone()
    };
    let walked = walk(&more, page).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (1, 4));
    assert_eq!(walked.records()[..3], held.records[..]);
    assert_eq!(
        walked.answer().missing,
        ["1 row could not be read"],
        "it stays missing"
    );
    assert_eq!((walked.answer().more, walked.answer().total), (false, Some(5)));
    // What failed is no loss of what is held.
    let walked = walk(&more, |_| reply(500, "{}")).unwrap();
    assert_eq!(walked.records(), held.records);
    assert_eq!(
        walked.answer().missing,
        ["children: HTTP 500", "1 row could not be read"]
    );
}

#[test]
fn rows_that_cannot_be_read_are_not_taken_for_nothing() {
    let results = |rows: &str| format!(r#"{{"results":[{rows}]}}"#);
    let labels = |rows: &str| format!(r#"{{"subdomains":[{rows}]}}"#);
    let no_row = r#"{"recordHash":"1"}"#;
    for (capability, kind, value, good) in [
        (Resolutions, Domain, "example.com", r#"{"resolve":"192.0.2.44"}"#),
        (Subdomains, Domain, "example.com", r#""www""#),
        (Components, Domain, "example.com", r#"{"label":"nginx"}"#),
        (Trackers, Domain, "example.com", r#"{"attributeValue":"UA-1"}"#),
        (ReverseWhois, Person, "Anton Kranz", r#"{"domain":"example.com"}"#),
    ] {
        let lookup = about(capability, kind, value);
        let answer = |rows: &str| {
            let body = if capability == Subdomains {
                labels(rows)
            } else {
                results(rows)
            };
            walk(&lookup, |_| reply(200, &body))
        };
        let none = answer(no_row);
        assert!(
            matches!(none, Err(ProviderError::Malformed(_))),
            "{capability}: {none:?}"
        );
        let one = answer(&format!("{good},{no_row},{no_row}")).unwrap();
        assert_eq!(one.records().len(), 1, "{capability}");
        assert_eq!(one.answer().missing, ["2 rows could not be read"], "{capability}");
    }
    // What says only what was asked about was read.
    for (capability, body) in [
        (
            Resolutions,
            results(r#"{"resolve":"example.com","value":"example.com"}"#),
        ),
        (
            HostPairs,
            results(r#"{"parent":"example.com","child":"example.com"}"#),
        ),
        (Subdomains, labels(r#""""#)),
    ] {
        let walked = walk(&about(capability, Domain, "example.com"), |_| reply(200, &body));
        let walked = walked.unwrap();
        assert!(walked.records().is_empty(), "{capability}");
        let left_out = walked.answer().left_out[0].text();
        assert!(
            left_out.ends_with("about nothing but what was asked"),
            "{capability}: {left_out}"
        );
    }
}

#[test]
fn no_record_of_a_domain_is_said_in_several_ways() {
    let whois = |body: &str| walk(&about(Whois, Domain, "example.com"), |_| reply(200, body));
    for body in ["{}", r#"{"results":[]}"#, r#"{"results":[{}]}"#] {
        assert!(whois(body).unwrap().answer().is_not_found(), "{body}");
    }
    let walked = whois(r#"{"results":[{"id":1},{"registrar":"R"}]}"#).unwrap();
    assert_eq!(walked.records()[0].text("registrar").as_deref(), Some("R"));
    for body in [r#"{"results":[{"id":1}]}"#, r#"{"queryValue":"example.com"}"#] {
        assert!(matches!(whois(body), Err(ProviderError::Malformed(_))), "{body}");
    }
}

#[test]
fn one_direction_of_pairs_is_a_part_and_none_a_failure() {
    let pairs = about(HostPairs, Domain, "example.com");
    let is_parents = |call: &Call| call.query.iter().any(|(_, value)| value == "parents");
    let half = walk(&pairs, |call| match is_parents(call) {
        true => reply(500, "{}"),
        false => reply(
            200,
            r#"{"results":[{"parent":"example.com","child":"example.net"}]}"#,
        ),
    });
    let half = half.unwrap();
    assert_eq!(half.records()[0].text("side").as_deref(), Some("child"));
    assert_eq!(half.answer().missing, ["parents: HTTP 500"]);
    let none = walk(&pairs, |call| match is_parents(call) {
        true => reply(500, "{}"),
        false => reply(404, "{}"),
    });
    assert!(matches!(none, Err(ProviderError::Failed(_))), "{none:?}");
}

#[test]
fn nothing_found_is_no_failure() {
    for (capability, kind, value) in [
        (Resolutions, Domain, "quiet.example"),
        (Resolutions, Ipv4, "203.0.113.9"),
        (IpDetails, Ipv4, "203.0.113.9"),
        (Subdomains, Domain, "quiet.example"),
        (Components, Domain, "quiet.example"),
        (Trackers, Domain, "quiet.example"),
        (HostPairs, Domain, "quiet.example"),
        (Whois, Domain, "quiet.example"),
        (ReverseWhois, Email, "nobody@example.org"),
    ] {
        let walked = walk_fixtures(&about(capability, kind, value)).unwrap();
        assert!(walked.answer().is_not_found(), "{capability}");
    }
}

#[test]
fn a_reputation_that_nobody_knows_is_not_found() {
    let nothing = walk_fixtures(&about(Reputation, Ipv4, "192.0.2.44")).unwrap();
    assert!(nothing.answer().is_not_found(), "{nothing:?}");
    let other = walk(&about(Reputation, Ipv4, "192.0.2.44"), |_| reply(200, "{}"));
    assert!(matches!(other, Err(ProviderError::Malformed(_))), "{other:?}");
}

#[test]
#[ignore = "needs recordings"]
fn a_recorded_reputation() {
    let path = testing::recordings("PIVOTD_SAMPLES").join("passivetotal/reputation_demisto.json");
    let body = std::fs::read_to_string(path).unwrap();
    let walked = walk(&about(Reputation, Domain, "2020-windows.com"), |_| {
        reply(200, &body)
    })
    .unwrap();
    let record = &walked.records()[0];
    let text = |name| record.text(name).unwrap_or_default().into_owned();
    assert_eq!(
        (text("word"), text("value")),
        ("malicious".to_owned(), "100".to_owned())
    );
    let Some(Value::Texts(reasons)) = record.get("reasons") else {
        panic!("three rules");
    };
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0].ends_with("(severity 5)"), "{reasons:?}");
}
