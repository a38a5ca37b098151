//! Tests what the machine decides: which server is asked, which link is followed, and what a failure costs.

use super::*;
use crate::domain::{Failure, FailureKind};
use crate::providers::{Replied, Step};

fn server(kind: IndicatorKind, value: &str, product: &'static str) -> String {
    match Rdap.start(&of(kind, value, product)) {
        Ok(Step::Calls { calls, .. }) => {
            assert_eq!(calls.len(), 1);
            format!("{} {}", calls[0].server.clone().unwrap(), calls[0].path)
        }
        other => panic!("{other:?}"),
    }
}

fn refusal(lookup: &Lookup) -> String {
    match Rdap.start(lookup) {
        Err(ProviderError::Unsupported(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_nearest_key_decides() {
    use IndicatorKind::{Asn, Domain, Ipv4, Ipv6};
    for (kind, value, product, expected) in [
        (
            Domain,
            "example.com",
            "domain",
            "https://rdap.registry.example/com/v1/ /domain/example.com",
        ),
        (
            Domain,
            "tendrit.co.example",
            "domain",
            "https://rdap.second.example/ /domain/tendrit.co.example",
        ),
        // Ends of labels are no ends of names.
        (
            Domain,
            "inco.example",
            "domain",
            "https://rdap.registry.example/com/v1/ /domain/inco.example",
        ),
        (
            Ipv4,
            "192.0.2.44",
            "ip",
            "https://rdap.nearer.example/ /ip/192.0.2.44",
        ),
        (
            Ipv4,
            "192.1.2.3",
            "ip",
            "https://rdap.ipv4.example/ /ip/192.1.2.3",
        ),
        (
            Ipv6,
            "2001:db8::44",
            "ip",
            "https://rdap.ipv6.example/ /ip/2001:db8::44",
        ),
        (
            Asn,
            "AS64500",
            "autnum",
            "https://rdap.asn.example/ /autnum/64500",
        ),
        (
            Asn,
            "AS64513",
            "autnum",
            "https://rdap.asn.example/ /autnum/64513",
        ),
        (
            Asn,
            "AS64512",
            "autnum",
            "https://rdap.wide.example/ /autnum/64512",
        ),
    ] {
        assert_eq!(server(kind, value, product), expected);
    }
}

#[test]
fn an_unknown_server_is_not_not_found() {
    // Whichever product the engine tries last, people are told the same.
    for product in ["domain", "ip", "autnum", "registrar"] {
        for (kind, value, expected) in [
            (
                IndicatorKind::Domain,
                "example.xyz",
                "RDAP knows no server for .xyz",
            ),
            (
                IndicatorKind::Domain,
                "example.kg",
                "RDAP knows no server for .kg",
            ),
            (
                IndicatorKind::Ipv4,
                "198.51.100.1",
                "RDAP knows no server for 198.51.100.1",
            ),
            (
                IndicatorKind::Ipv6,
                "2001:db9::1",
                "RDAP knows no server for 2001:db9::1",
            ),
            (IndicatorKind::Asn, "AS65001", "RDAP knows no server for AS65001"),
        ] {
            assert_eq!(refusal(&of(kind, value, product)), expected);
        }
    }
    assert!(refusal(&of(IndicatorKind::Ipv4, "192.0.2.44", "domain")).contains("is not about"));
    assert!(refusal(&of(IndicatorKind::Email, "a@example.com", "domain")).contains("no whois of a email"));
}

#[test]
fn the_bundled_files_are_right() {
    for file in &Rdap.descriptor().files {
        assert_eq!((file.check)(&file.bundled), Ok(()), "{}", file.name);
        assert!(file.refresh_s >= 24 * 3600);
    }
    let lookup = |kind, value: &str, product| {
        let lookup = testing::lookup(&Rdap, question(Capability::Whois, kind, value), product);
        let Ok(Step::Calls { calls, .. }) = Rdap.start(&lookup) else {
            panic!("{value}")
        };
        assert!(
            Rdap.servers(&lookup.files)
                .contains(calls[0].server.as_ref().unwrap())
        );
        calls[0].server.clone().unwrap()
    };
    assert_eq!(
        lookup(IndicatorKind::Domain, "example.com", "domain"),
        "https://rdap.verisign.com/com/v1/"
    );
    assert_eq!(
        lookup(IndicatorKind::Ipv4, "193.0.0.1", "ip"),
        "https://rdap.db.ripe.net/"
    );
    assert_eq!(
        lookup(IndicatorKind::Ipv6, "2001:db8::1", "ip"),
        "https://rdap.apnic.net/"
    );
    assert_eq!(
        lookup(IndicatorKind::Asn, "AS3333", "autnum"),
        "https://rdap.db.ripe.net/"
    );
}

#[test]
fn broken_files_are_refused() {
    type Check = fn(&[u8]) -> Result<(), String>;
    let checks: [(Check, &str); 9] = [
        (bootstrap::check_names, "<html>"),
        (bootstrap::check_names, "{}"),
        (bootstrap::check_names, r#"{"services":[]}"#),
        (
            bootstrap::check_names,
            r#"{"services":[[["kg"],["http://rdap.example/"]]]}"#,
        ),
        (
            bootstrap::check_networks,
            r#"{"services":[[["192.0.2"],["https://rdap.example/"]]]}"#,
        ),
        (
            bootstrap::check_numbers,
            r#"{"services":[[["9-1"],["https://rdap.example/"]]]}"#,
        ),
        (bootstrap::check_registrars, "<html></html>"),
        (bootstrap::check_registrars, "ID,RDAP Base URL\n1,\n"),
        (
            bootstrap::check_registrars,
            "ID,RDAP Base URL\n1,http://rdap.example/\n",
        ),
    ];
    for (check, text) in checks {
        assert!(check(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_bad_character_in_a_file_costs_itself() {
    let names = b"\xef\xbb\xbf{\"description\":\"caf\xe9\",\"services\":[[[\"exam\xffple\",\"test\"],[\"https://a.exa\xe9mple/\",\
                  \"https://b.example/x\xff\",\"https://rdap.test/\"]],[[\"kg\"],[\"https://rdap.kg/\"]]]}";
    assert_eq!(bootstrap::check_names(names), Ok(()));
    let registrars = b"\xef\xbb\xbfID,Registrar Name,RDAP Base URL\n41,Caf\xe9 Names,https://rdap.cafe.example/\n42,Other \
                       Names,https://rdap.other.example/\n43,Third,https://rdap.th\xffird.example/\n";
    assert_eq!(bootstrap::check_registrars(registrars), Ok(()));
    let files: Files = BTreeMap::from([
        (bootstrap::DNS.into(), bytes::Bytes::from_static(names)),
        (
            bootstrap::REGISTRARS.into(),
            bytes::Bytes::from_static(registrars),
        ),
    ])
    .into();
    let of_name = |name: &str| bootstrap::of_name(&files, name).map(|url| url.to_string());
    assert_eq!(of_name("a.test").as_deref(), Some("https://rdap.test/"));
    assert_eq!(of_name("a.kg").as_deref(), Some("https://rdap.kg/"));
    assert_eq!(of_name("a.exam\u{fffd}ple"), None);
    let of_registrar = |id: &str| bootstrap::of_registrar(&files, id).map(|url| url.to_string());
    assert_eq!(of_registrar("41").as_deref(), Some("https://rdap.cafe.example/"));
    assert_eq!(of_registrar("42").as_deref(), Some("https://rdap.other.example/"));
    assert_eq!(of_registrar("43"), None);
    assert!(
        Rdap.servers(&files)
            .iter()
            .all(|server| server.is_ascii() && !server.contains('%'))
    );
    let numbers = b"{\"services\":[[[\"64496-64511\",\"6\xff\"],[\"https://rdap.example/\"]]]}\n";
    assert_eq!(bootstrap::check_numbers(numbers), Ok(()));
    // A file of which no key is left has none.
    let lost = b"{\"services\":[[[\"6\xff\"],[\"https://rdap.example/\"]]]}";
    assert!(bootstrap::check_numbers(lost).is_err());
}

#[test]
fn servers_are_those_of_the_files_and_no_others() {
    let servers = Rdap.servers(&files());
    assert!(servers.contains(&"https://rdap.registrar.example/v1/".to_owned()));
    assert!(servers.contains(&"https://rdap.registrar.example".to_owned()));
    assert!(servers.iter().all(|server| server.starts_with("https://")));
    let odd = r#"{"services":[[["com"],["https://user@rdap.example/","https://rdap.example/?a=b","http://127.0.0.1:9/x","http://192.0.2.1/"]]]}"#;
    let files: Files =
        BTreeMap::from([(bootstrap::DNS.into(), bytes::Bytes::from_static(odd.as_bytes()))]).into();
    assert_eq!(
        Rdap.servers(&files),
        ["http://127.0.0.1:9/x/", "http://127.0.0.1:9"]
    );
}

fn thin(links: &serde_json::Value) -> String {
    serde_json::json!({
        "objectClassName": "domain", "ldhName": "example.com", "links": links,
        "entities": [{"roles": ["registrar"], "publicIds": [{"type": "IANA Registrar ID", "identifier": 7}]}],
    })
    .to_string()
}

fn related(href: &str) -> serde_json::Value {
    serde_json::json!({"rel": "related", "type": "application/rdap+json", "href": href})
}

#[test]
fn a_link_is_followed_to_a_known_server_only() {
    let asked = |links: serde_json::Value| {
        let walked = walk(&Rdap, &of_domain("example.com"), |call| {
            match call.product.as_str() {
                "domain" => reply(200, &thin(&links)),
                _ => reply(404, ""),
            }
        })
        .unwrap();
        let blind = walked.answer().source.blind.is_some();
        let call = walked.calls.get(1);
        let to = call.map(|call| {
            let query: Vec<String> = call
                .query
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!(
                "{}{}?{}",
                call.server.clone().unwrap(),
                call.path,
                query.join("&")
            )
        });
        (to, blind)
    };
    let known = "https://rdap.registrar.example/any/path/EXAMPLE.COM?a=b";
    assert_eq!(
        asked(serde_json::json!([
            related("https://rdap.elsewhere.example/domain/example.com"),
            related(known)
        ])),
        (Some(known.to_owned()), false)
    );
    for other in [
        "http://rdap.registrar.example/v1/domain/example.com",
        "https://rdap.registrar.example:8443/v1/domain/example.com",
        "https://rdap.registrar.example.evil.example/v1/domain/example.com",
        "https://169.254.169.254/latest/meta-data/example.com",
    ] {
        assert_eq!(
            asked(serde_json::json!([related(other)])),
            (None, true),
            "{other}"
        );
    }
    for none in [
        serde_json::json!([]),
        serde_json::json!([related("no address of example.com")]),
        serde_json::json!([related("https://rdap.registrar.example/v1/entity/5")]),
        serde_json::json!([{"rel": "related", "type": "text/html", "href": known}]),
        serde_json::json!([{"rel": "self", "type": "application/rdap+json", "href": known}]),
    ] {
        assert_eq!(asked(none), (None, false));
    }
}

#[test]
fn a_redirect_is_followed_once_to_a_known_server() {
    const NETWORK: &str = r#"{"startAddress":"192.0.2.0","endAddress":"192.0.2.255","name":"X"}"#;
    let sends = |status, location: &str| {
        let mut sends = reply(status, "");
        sends.headers.insert("location".into(), location.to_owned());
        sends
    };
    let lookup = of(IndicatorKind::Ipv4, "192.0.2.44", "ip");
    let to = |status, location: &str| {
        walk(&Rdap, &lookup, |call| match call.path.as_str() {
            "/ip/192.0.2.44" => sends(status, location),
            _ => reply(200, NETWORK),
        })
    };
    let refused = |walked: Result<LookupTrace, ProviderError>, what: &str| match walked {
        Err(ProviderError::Failed(failure)) => {
            assert_eq!(failure.kind, FailureKind::Refused, "{what}");
            assert!(failure.message.contains("not followed"), "{what}");
        }
        other => panic!("{what}: {other:?}"),
    };
    for status in [301, 302, 303, 307, 308] {
        let walked = to(status, "https://rdap.ipv4.example/new/ip/192.0.2.44?a=b").unwrap();
        let call = &walked.calls[1];
        assert_eq!(walked.calls.len(), 2, "{status}");
        assert_eq!(
            (call.server.as_deref(), call.path.as_str(), call.product.as_str()),
            (Some("https://rdap.ipv4.example"), "/new/ip/192.0.2.44", "ip")
        );
        assert_eq!(call.query, [("a".to_owned(), "b".to_owned())]);
        assert_eq!(text(&walked.records()[0], "network_name"), "X");
    }
    // Without scheme and host it is the same server.
    let walked = to(302, "/other/192.0.2.44").unwrap();
    assert_eq!(
        walked.calls[1].server.as_deref(),
        Some("https://rdap.nearer.example")
    );
    let long = format!("https://rdap.ipv4.example/{}", "x".repeat(2000));
    for other in [
        "https://rdap.elsewhere.example/ip/192.0.2.44",
        "http://rdap.ipv4.example/ip/192.0.2.44",
        "https://rdap.ipv4.example:8443/ip/192.0.2.44",
        "https://169.254.169.254/latest/meta-data/",
        "//rdap.elsewhere.example/ip",
        "file:///etc/passwd",
        "https://",
        long.as_str(),
    ] {
        refused(to(302, other), other);
    }
    // Sent to where it asked, it does not ask again.
    let asked = std::cell::Cell::new(0);
    let same = walk(&Rdap, &lookup, |call| {
        asked.set(asked.get() + 1);
        sends(302, &call.path)
    });
    refused(same, "the same address");
    assert_eq!(asked.get(), 1);
    refused(to(300, "https://rdap.ipv4.example/x"), "a choice of several");
    // Servers that send back and forth are left.
    let round = walk(&Rdap, &lookup, |call| {
        let next = if call.path == "/a" { "/b" } else { "/a" };
        sends(301, &format!("https://rdap.ipv4.example{next}"))
    });
    refused(round, "a round");
    // The one that has it now may not know it either.
    let walked = walk(&Rdap, &lookup, |call| match call.path.as_str() {
        "/a" => reply(404, ""),
        _ => sends(301, "/a"),
    })
    .unwrap();
    assert!(walked.answer().is_not_found());
}

#[test]
fn a_registrars_redirect_is_followed_too_and_costs_its_contacts_only() {
    let links = serde_json::json!([related("https://rdap.registrar.example/v1/domain/example.com")]);
    let registrar =
        r#"{"objectClassName":"domain","ldhName":"example.com","port43":"whois.registrar.example"}"#;
    let asked = |location: &str| {
        walk(&Rdap, &of_domain("example.com"), |call| {
            match (call.product.as_str(), call.path.as_str()) {
                ("domain", _) => reply(200, &thin(&links)),
                (_, "/v1/domain/example.com") => {
                    let mut sends = reply(302, "");
                    sends.headers.insert("location".into(), location.to_owned());
                    sends
                }
                _ => reply(200, registrar),
            }
        })
        .unwrap()
    };
    let followed = asked("/v2/domain/example.com");
    assert_eq!(followed.calls.len(), 3);
    assert_eq!(text(&followed.records()[0], "server"), "whois.registrar.example");
    assert!(followed.answer().missing.is_empty());
    let left = asked("https://rdap.elsewhere.example/domain/example.com");
    assert_eq!(left.calls.len(), 2);
    assert!(
        left.answer().missing[0].ends_with("not followed"),
        "{:?}",
        left.answer().missing
    );
}

#[test]
fn the_registrars_failure_costs_its_contacts_only() {
    let lookup = of_domain("example.com");
    let start = || Rdap.start(&lookup).unwrap();
    let Step::Calls { then, .. } = start() else {
        panic!()
    };
    let links = serde_json::json!([related("https://rdap.registrar.example/v1/domain/example.com")]);
    let Step::Calls { then, .. } = then(vec![Replied::Good(reply(200, &thin(&links)))]).unwrap() else {
        panic!("the registrar is asked")
    };
    let failure = Failure::new(FailureKind::TimedOut, "rdap", "no answer in time");
    let Step::Done(answers) = then(vec![Replied::Failed(failure)]).unwrap() else {
        panic!("nothing more is asked")
    };
    assert_eq!(
        answers[0].missing,
        ["the registrar's contacts: no answer in time"]
    );
    assert_eq!(answers[0].records.len(), 1);
    // The registry's failure is the answer's.
    let Step::Calls { then, .. } = start() else {
        panic!()
    };
    let failure = Failure::new(FailureKind::Unavailable, "rdap", "down");
    assert!(matches!(
        then(vec![Replied::Failed(failure)]),
        Err(ProviderError::Failed(_))
    ));
    for (status, body, expected) in [
        (404, "", "its server does not know the name"),
        (
            200,
            r#"{"objectClassName":"domain","ldhName":"example.net"}"#,
            "another name",
        ),
        (200, "{}", "no registration"),
        (500, "", "HTTP 500"),
    ] {
        let walked = walk(&Rdap, &lookup, |call| match call.product.as_str() {
            "domain" => reply(200, &thin(&links)),
            _ => reply(status, body),
        })
        .unwrap();
        let missing = walked.answer().missing.join("");
        assert!(missing.contains(expected), "{missing}");
        assert_eq!(text(&walked.records()[0], "domain"), "example.com");
    }
}

#[test]
fn cards_are_read_in_any_shape() {
    let contact = |card: serde_json::Value| {
        let entity = serde_json::json!({"roles": "REGISTRANT", "vcardArray": ["vcard", card]});
        let body =
            serde_json::json!({"objectClassName": "domain", "handle": "x", "entities": entity}).to_string();
        let walked = walk(&Rdap, &of_domain("example.com"), |_| reply(200, &body)).unwrap();
        let contacts = walked.records()[0].records("contacts").to_vec();
        contacts.first().map(testing::plain)
    };
    assert_eq!(
        contact(serde_json::json!([
            ["FN", null, "text", "Anton Kranz"],
            ["tel", [], "uri", "TEL:+1.5555550100"],
            ["org", {}, "text", ["Kranz", "Logistics"]],
            ["adr", {"label": "9 Dock St\nPort Example"}, "text", null],
            [], "nonsense", null, ["email"],
        ])),
        Some(serde_json::json!({
            "role": "registrant", "name": "Anton Kranz", "phone": "+1.5555550100",
            "organization": "Kranz, Logistics", "street": "9 Dock St, Port Example",
        }))
    );
    // A name that stands for the organisation is one, and not a person.
    assert_eq!(
        contact(serde_json::json!([
            ["kind", {}, "text", "org"],
            ["fn", {}, "text", "Kranz Logistics"]
        ])),
        Some(serde_json::json!({"role": "registrant", "organization": "Kranz Logistics"}))
    );
    assert_eq!(
        contact(serde_json::json!([
            ["fn", {}, "text", "Redacted for Privacy"],
            ["tel", {}, "uri", "tel:+1.5555550100"]
        ])),
        None
    );
    assert_eq!(contact(serde_json::json!({"fn": "no list"})), None);
}
