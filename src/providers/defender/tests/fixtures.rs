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

#[test]
fn a_link_gives_a_place_in_the_list_and_nothing_else() {
    let lookup = about(Components, Domain, "example.com");
    for (link, query) in [
        (
            "https://graph.microsoft.com/v1.0/x?$skiptoken=a%2Bb&evil=1",
            Some("$skiptoken=a+b"),
        ),
        (
            "https://elsewhere.example/steal?$skip=100&$top=1",
            Some("$skip=100"),
        ),
        (
            "http://169.254.169.254/?%24skiptoken=z#$skip=3",
            Some("$skiptoken=z"),
        ),
        ("https://graph.microsoft.com/v1.0/x?page=2", None),
        ("nonsense", None),
    ] {
        let walked = walk(&lookup, |call| {
            let link = if call.query.is_empty() { link } else { "" };
            let name = call.query.len();
            reply(
                200,
                &serde_json::json!({"@odata.nextLink": link, "value": [{"name": format!("part {name}")}]})
                    .to_string(),
            )
        });
        let walked = walked.unwrap();
        let asked: Vec<String> = walked
            .calls
            .iter()
            .skip(1)
            .map(|call| {
                assert_eq!(
                    (call.origin, &call.path, &call.server),
                    ("graph", &walked.calls[0].path, &None)
                );
                let pairs: Vec<_> = call
                    .query
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                pairs.join("&")
            })
            .collect();
        assert_eq!(asked, query.into_iter().collect::<Vec<_>>(), "{link}");
        assert_eq!(walked.answer().missing.is_empty(), query.is_some(), "{link}");
        assert!(!walked.answer().more);
    }
}

#[test]
fn an_endless_list_ends() {
    let walked = walk(&about(Components, Domain, "example.com"), |call| {
        let at = call
            .query
            .first()
            .map_or(0, |(_, value)| value.parse::<u32>().unwrap());
        let link = format!("https://graph.microsoft.com/x?$skip={}", at + 1);
        let body = serde_json::json!({"@odata.nextLink": link, "value": [{"name": format!("part {at}")}]});
        reply(200, &body.to_string())
    });
    let walked = walked.unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (10, 10));
    assert_eq!(
        walked.answer().missing,
        ["the vendor has more than these 10 pages"]
    );
    assert_eq!((walked.answer().total, walked.answer().more), (None, false));
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
    for offer in Defender.descriptor().offers {
        for kind in offer.inputs {
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
