//! Walks the fixtures and compares with the answers written beside them.

use super::*;

use Capability::{Components, HostPairs, IpDetails, Resolutions, Subdomains, Trackers, Whois, WhoisHistory};
use IndicatorKind::{Domain, Hostname, Ipv4};

#[test]
fn every_answer_is_read_as_it_is_written_beside_it() {
    for (name, capability, kind, value) in [
        ("passive-dns/found", Resolutions, Domain, "tendrit.example"),
        ("passive-dns/address", Resolutions, Ipv4, "192.0.2.44"),
        ("hosts/found", IpDetails, Ipv4, "192.0.2.44"),
        ("hosts/scored", IpDetails, Ipv4, "203.0.113.66"),
        ("hosts/unscored", IpDetails, Ipv4, "198.51.100.7"),
        ("hosts/half", IpDetails, Ipv4, "198.51.100.8"),
        ("subdomains/expanded", Subdomains, Domain, "tendrit.example"),
        ("components/found", Components, Domain, "tendrit.example"),
        ("trackers/found", Trackers, Hostname, "tendrit.example"),
        ("host-pairs/found", HostPairs, Domain, "tendrit.example"),
        ("whois/found", Whois, Domain, "tendrit.example"),
        ("whois/history", WhoisHistory, Domain, "tendrit.example"),
    ] {
        testing::expect(&Defender, name, &about(capability, kind, value));
    }
}

#[test]
fn names_of_subdomains_are_asked_for_only_where_they_are_missing() {
    let at_once = walk_fixtures(&about(Subdomains, Domain, "example.com")).unwrap();
    assert_eq!(at_once.calls.len(), 1);
    assert_eq!(
        at_once.records()[0].text("host").as_deref(),
        Some("www.example.com")
    );
    let never = walk(&about(Subdomains, Domain, "example.com"), |call| {
        reply(200, &format!(r#"{{"value":[{{"id":"{}"}}]}}"#, call.query.len()))
    });
    assert!(matches!(never, Err(ProviderError::Malformed(_))), "{never:?}");
}

/// Asks for components, links the first page so, and returns the answer with the queries that were asked after it.
fn followed(link: &str) -> (LookupTrace, Vec<Vec<(String, String)>>) {
    let walked = walk(&about(Components, Domain, "example.com"), |call| {
        let name = call.query.len();
        let mut body = serde_json::json!({"value": [{"name": format!("part {name}")}]});
        if call.query.is_empty() {
            body["@odata.nextLink"] = link.into();
        }
        reply(200, &body.to_string())
    });
    let walked = walked.unwrap();
    let after = walked.calls.iter().skip(1).map(|call| call.query.clone());
    let after = after.collect();
    (walked, after)
}

#[test]
fn a_link_is_followed_by_its_parameters_at_our_own_origin_and_path() {
    let long = format!("https://graph.microsoft.com/x?$skiptoken={}", "a".repeat(9000));
    let wide = format!("https://graph.microsoft.com/x?{}", "a=b&".repeat(40));
    for (link, pairs) in [
        (
            "https://graph.microsoft.com/v1.0/x?$skiptoken=a%2Bb&$top=2",
            Some(vec![("$skiptoken", "a+b"), ("$top", "2")]),
        ),
        (
            "https://elsewhere.example/steal?$skipToken=100",
            Some(vec![("$skipToken", "100")]),
        ),
        (
            "http://169.254.169.254/?cursor=z#$skip=3",
            Some(vec![("cursor", "z")]),
        ),
        ("?%24skip=5&$expand=everything", Some(vec![("$skip", "5")])),
        ("https://graph.microsoft.com/x?$expand=everything", None),
        ("https://graph.microsoft.com/x", None),
        ("nonsense", None),
        (long.as_str(), None),
        (wide.as_str(), None),
    ] {
        let (walked, after) = followed(link);
        for call in &walked.calls {
            assert_eq!(
                (call.origin.as_str(), &call.path, &call.server, call.headers.len()),
                ("graph", &walked.calls[0].path, &None, 0)
            );
        }
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let wanted: Vec<Vec<_>> = pairs
            .into_iter()
            .map(|pairs| pairs.into_iter().map(own).collect())
            .collect();
        assert_eq!(after, wanted, "{link}");
        assert_eq!(walked.answer().missing.is_empty(), !wanted.is_empty(), "{link}");
        assert!(!walked.answer().more);
    }
}

#[test]
fn our_own_parameters_stay_on_every_page() {
    let walked = walk(&about(Subdomains, Domain, "example.com"), |call| {
        let has = |wanted: &str| call.query.iter().any(|(name, _)| name == wanted);
        let body = match (has("$expand"), has("$skiptoken")) {
            (false, _) => serde_json::json!({"value": [{"id": "1"}]}),
            (true, false) => serde_json::json!({
                "value": [{"host": {"id": "www.example.com"}}],
                "@odata.nextLink": "https://graph.microsoft.com/x?$expand=nothing&$skiptoken=2",
            }),
            (true, true) => serde_json::json!({"value": [{"host": {"id": "mail.example.com"}}]}),
        };
        reply(200, &body.to_string())
    });
    let walked = walked.unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (3, 2));
    let expands = walked.calls[2].query.iter().filter(|(name, _)| name == "$expand");
    assert_eq!(
        expands.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        ["host"]
    );
    assert!(walked.answer().missing.is_empty());
}

/// Plays a list of components that never ends, one to a page.
fn endless(call: &Call) -> Reply {
    let at = call
        .query
        .first()
        .map_or(0, |(_, value)| value.parse::<u32>().unwrap());
    let link = format!("https://graph.microsoft.com/x?$skip={}", at + 1);
    let body = serde_json::json!({"@odata.nextLink": link, "value": [{"name": format!("part {at}")}]});
    reply(200, &body.to_string())
}

#[test]
fn an_endless_list_ends_and_is_gone_on_with_where_it_ended() {
    let lookup = about(Components, Domain, "example.com");
    let walked = walk(&lookup, endless).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (10, 10));
    assert_eq!((walked.answer().total, walked.answer().more), (None, true));
    assert!(walked.answer().missing.is_empty());
    let stored = serde_json::to_string(walked.answer()).unwrap();
    let held: Answer = serde_json::from_str(&stored).unwrap();
    let on = Lookup {
        earlier: Some(held.clone()),
        ..lookup.clone()
    };
    let walked = walk(&on, endless).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 12));
    assert_eq!(walked.calls[0].query, [("$skip".to_owned(), "10".to_owned())]);
    // What is held is not asked for again, and not lost where Graph no longer knows the place.
    let enough = Lookup {
        wanted: 10,
        ..on.clone()
    };
    assert!(walk(&enough, endless).unwrap().calls.is_empty());
    let lost = walk(&on, |_| reply(400, r#"{"error":{"code":"BadRequest"}}"#)).unwrap();
    assert_eq!(lost.records().len(), 10);
    assert_eq!(lost.answer().missing, ["components: BadRequest"]);
    // An answer that was kept without its place is read anew.
    let on = Lookup {
        earlier: Some(Answer {
            rest: Vec::new(),
            ..held
        }),
        ..lookup
    };
    let walked = walk(&on, endless).unwrap();
    assert!(walked.calls[0].query.is_empty());
    assert_eq!(walked.records().len(), 10);
}

#[test]
fn a_list_of_nothing_but_the_name_itself_is_told_as_that() {
    let walked = walk(&about(Subdomains, Domain, "example.com"), |_| {
        reply(200, r#"{"value":[{"host":{"id":"Example.com"}}]}"#)
    });
    let walked = walked.unwrap();
    assert_eq!(walked.calls.len(), 1);
    let answer = walked.answer();
    assert!(answer.records.is_empty() && !answer.is_not_found());
    assert_eq!(
        answer.left_out[0].text(),
        "1 row about nothing but what was asked"
    );
}

#[test]
fn rows_that_cannot_be_read_are_not_taken_for_nothing() {
    let own = r#"{"parentHost":{"id":"example.com"},"childHost":{"id":"example.com"},"artifact":{"id":"example.com"}}"#;
    for (capability, good) in [
        (Resolutions, r#"{"artifact":{"id":"192.0.2.44"}}"#),
        (Subdomains, r#"{"host":{"id":"www.example.com"}}"#),
        (Components, r#"{"name":"nginx"}"#),
        (Trackers, r#"{"value":"UA-1"}"#),
        (HostPairs, r#"{"childHost":{"id":"www.example.com"}}"#),
        (WhoisHistory, r#"{"whoisServer":"whois.example"}"#),
    ] {
        let lookup = about(capability, Domain, "example.com");
        let answer = |rows: &str| {
            // The second list of a question is empty.
            walk(&lookup, |call| match call.path.ends_with("Reverse") {
                true => reply(200, r#"{"value":[]}"#),
                false => reply(200, &format!(r#"{{"value":[{rows}]}}"#)),
            })
        };
        let none = answer(r#"{"id":"1"},7"#);
        assert!(
            matches!(none, Err(ProviderError::Malformed(_))),
            "{capability}: {none:?}"
        );
        let one = answer(&format!(r#"{good},{{"id":"1"}}"#)).unwrap();
        assert_eq!(one.records().len(), 1, "{capability}");
        assert_eq!(one.answer().missing, ["1 row could not be read"], "{capability}");
        if matches!(capability, Resolutions | HostPairs) {
            let own = answer(own).unwrap();
            assert!(own.records().is_empty(), "{capability}");
            assert_eq!(
                own.answer().left_out[0].text(),
                "1 row about nothing but what was asked",
                "{capability}"
            );
        }
    }
}

#[test]
fn one_list_of_two_is_a_part() {
    let lookup = about(Resolutions, Domain, "tendrit.example");
    let vendor = testing::vendor("defender");
    let walked = walk(&lookup, |call| match call.path.ends_with("Reverse") {
        true => reply(500, "<html>"),
        false => testing::play(&Defender, &vendor, call),
    });
    let walked = walked.unwrap();
    assert_eq!(walked.records().len(), 4);
    assert_eq!(walked.answer().missing, ["names that point here: HTTP 500"]);
}

#[test]
fn what_two_lists_say_is_told_once() {
    let row =
        r#"{"value":[{"recordType":"A","parentHost":{"id":"example.com"},"artifact":{"id":"192.0.2.44"}}]}"#;
    let walked = walk(&about(Resolutions, Ipv4, "192.0.2.44"), |_| reply(200, row)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 1));
    assert_eq!(walked.answer().total, Some(1));
}

#[test]
fn nobody_knows_is_no_score() {
    let walked = walk_fixtures(&about(IpDetails, Ipv4, "198.51.100.7")).unwrap();
    assert_eq!(walked.records()[0].get("score"), None);
    let neutral = r#"{"classification":"neutral","score":0,"rules":[]}"#;
    let walked = walk(&about(IpDetails, Ipv4, "198.51.100.7"), |_| reply(200, neutral)).unwrap();
    assert_eq!(walked.records()[0].get("score"), Some(&Value::Integer(0)));
}

#[test]
fn nothing_found_is_no_failure() {
    for offer in &Defender.descriptor().offers {
        for kind in &offer.inputs {
            let value = match kind {
                Ipv4 => "203.0.113.9",
                IndicatorKind::Ipv6 => "2001:db8::9",
                _ => "quiet.example",
            };
            let walked = walk_fixtures(&about(offer.capability, *kind, value)).unwrap();
            assert!(walked.answer().is_not_found(), "{}", offer.capability);
        }
    }
}
