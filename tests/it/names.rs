//! Names and values as people give them: pasted, refused by IDNA, below registries and hosting.

use serde_json::json;

use crate::support::{Builder, Entity, TestApp, answering};

const IP_HISTORY: &str = "domaintools.ip-history";

#[tokio::test]
async fn pasted_values_are_taken_and_the_client_is_told() {
    let app = TestApp::start().await;
    let plain = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let expected = plain.entities();
    assert!(!expected.is_empty());
    for raw in [
        r"example\.com",
        "example[.com",
        "example [.] com",
        "example.com:8080",
        "https://example.com/a",
        "hxxps[:]//example[.]com/a",
        "\u{200e}example.com",
        "example.com\u{feff}",
        "exam\u{200b}ple.com",
    ] {
        let answer = app.run(IP_HISTORY, Entity::domain(raw)).await;
        assert_eq!(answer.entities(), expected, "{raw:?}: {}", answer.body);
        let said = answer.said("Inform");
        assert!(said.contains("taken example.com of "), "{raw:?}: {said}");
    }
    let before = app.vendor.attempts();
    let answer = app.run(IP_HISTORY, Entity::domain("no\u{200e} name")).await;
    let said = answer.said("PartialError");
    assert!(said.starts_with("noU+200E name: "), "{said}");
    assert_eq!(app.vendor.attempts(), before);
}

#[tokio::test]
async fn of_two_values_in_one_nothing_is_asked() {
    let app = TestApp::start().await;
    for (type_id, raw) in [
        (
            "maltego.URL",
            "https://example.com/ https://career-offers.example/",
        ),
        (
            "maltego.URL",
            "https://example.com/ | https://career-offers.example/",
        ),
        (
            "maltego.URL",
            "[https://example.com/](https://career-offers.example/)",
        ),
        ("maltego.Domain", "https://example.com%40career-offers.example/x"),
        ("maltego.Domain", "example.com\u{2044}login.career-offers.example"),
        ("maltego.EmailAddress", "<a@example.com>b@career-offers.example"),
        (
            "maltego.EmailAddress",
            "mailto:a@example.com,b@career-offers.example",
        ),
    ] {
        let answer = app.run("domaintools.risk", Entity::new(type_id, raw)).await;
        assert!(answer.entities().is_empty(), "{raw}: {}", answer.body);
        assert!(!answer.said("PartialError").is_empty(), "{raw}: {}", answer.body);
    }
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn what_people_registered_below_a_registry_is_asked_about_as_itself() {
    let app = TestApp::start().await;
    for (value, asked, zone) in [
        ("evil.ru.com", "evil.ru.com", "ru.com"),
        ("www.evil.us.com", "evil.us.com", "us.com"),
        ("www.evil.com.de", "evil.com.de", "com.de"),
    ] {
        for transform in ["domaintools.risk", "domaintools.whois"] {
            let answer = app.run(transform, Entity::new("maltego.DNSName", value)).await;
            let said = answer.said("Inform");
            assert!(
                said.contains(&format!(
                    "{asked} is registered below {zone}, the zone of a registry"
                )),
                "{transform} {value}: {said}"
            );
            assert!(
                !said.contains("dynamic DNS") && !said.contains("hosting"),
                "{said}"
            );
        }
        let paths: Vec<String> = app.vendor.seen().iter().map(|seen| format!("{seen:?}")).collect();
        assert!(paths.iter().any(|path| path.contains(asked)), "{paths:?}");
        let of_zone = |path: &String| path.replace(asked, "").contains(zone);
        assert!(!paths.iter().any(of_zone), "{paths:?}");
    }
}

#[tokio::test]
async fn a_customers_name_is_never_told_what_is_known_of_its_service() {
    let app = TestApp::start().await;
    for (value, service) in [
        ("alice.github.io", "hosting"),
        ("alice.duckdns.org", "dynamic DNS"),
    ] {
        for transform in ["domaintools.risk", "domaintools.whois", "domaintools.ip-history"] {
            let answer = app.run(transform, Entity::domain(value)).await;
            let said = answer.said("Inform");
            assert!(
                said.contains(&format!("this is a name of a {service} service")),
                "{transform} {value}: {said}"
            );
            assert!(answer.entities().is_empty());
        }
    }
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn a_registrys_own_suffix_is_asked_about() {
    let app = TestApp::start().await;
    for value in ["gov.uk", "vic.gov.au"] {
        for transform in [IP_HISTORY, "domaintools.whois"] {
            let before = app.vendor.attempts();
            let answer = app.run(transform, Entity::domain(value)).await;
            assert_eq!(answer.said("PartialError"), "", "{value}");
            assert!(
                app.vendor.attempts() > before,
                "{transform} {value}: {}",
                answer.body
            );
        }
    }
}

/// A suffix of a registry is asked for under its own name, and what is known of it is shown.
#[tokio::test]
async fn what_is_known_of_a_registrys_own_suffix_is_shown() {
    let names = [("gov.uk", "198.51.100.61"), ("vic.gov.au", "198.51.100.62")];
    let mut exchanges = Vec::new();
    for (name, address) in names {
        exchanges.push((
            format!("GET /v1/{name}/hosting-history"),
            json!({"response": {"domain_name": name, "registrar_history": [], "nameserver_history": [], "ip_history": [
                {"domain": name.to_uppercase(), "post_ip": address, "pre_ip": null, "action": "N",
                 "actiondate": "2019-02-03", "action_in_words": "New"},
            ]}}),
        ));
        exchanges.push((
            format!("GET /v1/{name}/whois/parsed"),
            json!({"response": {
                "registrant": "Office of Names", "name_servers": ["NS1.HOSTING.EXAMPLE"],
                "registration": {"created": "1996-08-01", "expires": "", "updated": "", "registrar": "", "statuses": []},
                "whois": {"date": "2026-01-14", "record": format!("Domain Name: {name}\nName Server: ns1.hosting.example\n")},
                "parsed_whois": {
                    "domain": name, "created_date": "1996-08-01T00:00:00+00:00", "updated_date": "", "expired_date": "",
                    "statuses": [], "name_servers": ["ns1.hosting.example"], "registrar": {"name": "Harbour Names Ltd"},
                    "contacts": {},
                },
            }}),
        ));
    }
    let app = Builder::new()
        .plays("domaintools", answering("domaintools", exchanges))
        .start()
        .await;
    for (name, address) in names {
        let history = app.run(IP_HISTORY, Entity::domain(name)).await;
        assert_eq!(history.said("PartialError"), "", "{name}");
        let found = history.entities();
        assert!(
            found.contains(&("maltego.IPv4Address".to_owned(), address.to_owned())),
            "{name}: {found:?}"
        );
        let whois = app.run("domaintools.whois", Entity::domain(name)).await;
        let found = whois.entities();
        assert!(
            found.contains(&("maltego.Domain".to_owned(), name.to_owned()))
                && found.iter().any(|(_, value)| value == "ns1.hosting.example"),
            "{name}: {}",
            whois.body
        );
        assert_eq!(whois.said("PartialError"), "", "{name}");
    }
    let asked: Vec<String> = app
        .vendor
        .seen()
        .iter()
        .map(|seen| seen.path.clone())
        .filter(|path| path != "/v1/account")
        .collect();
    assert!(
        asked.iter().all(|path| names
            .iter()
            .any(|(name, _)| path.starts_with(&format!("/v1/{name}/")))),
        "nobody else is asked about: {asked:?}"
    );
    for (name, _) in names {
        assert!(
            asked.contains(&format!("/v1/{name}/hosting-history")),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn one_name_that_idna_refuses_costs_the_others_nothing() {
    let app = Builder::new().demo().start().await;
    let names = [
        "xn--hjdarna07-b07a.cf",
        "1.xn--mgba3a4f16a",
        "_dmarc.example.org",
        "*.example.org",
        "114.96/27.2.0.192.in-addr.arpa",
    ];
    let url = "http://xn--a.example.org/x";
    let score = async |body| {
        let answer = app.post_json("/v1/alerts/score", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let alone = score(json!({"domain": "example.com"})).await;
    let all: Vec<&str> = ["example.com"].into_iter().chain(names).collect();
    let scored = score(json!({"domain": all, "url": url})).await;
    let of = |value: &str| {
        let indicators = scored["indicators"].as_array().unwrap();
        let found = indicators.iter().find(|one| one["indicator"] == value);
        found.unwrap_or_else(|| panic!("{value}: {scored}")).clone()
    };
    for name in names.into_iter().chain([url]) {
        of(name);
    }
    assert_eq!(of("example.com")["score"], alone["indicators"][0]["score"]);
    assert!(alone["indicators"][0]["score"].is_u64());
}

/// A name that DNS carries and IDNA refuses is asked as it is, and shown as it is.
#[tokio::test]
async fn names_that_idna_refuses_are_asked_and_shown() {
    let names = ["xn--hjdarna07-b07a.cf", "xn--a.example.org", "*.example.org"];
    let row = |resolve: &str, value: &str| {
        json!({"recordType": "CNAME", "resolve": resolve, "resolveType": "domain", "value": value, "source": ["a"],
               "firstSeen": "2024-04-02 11:20:09", "lastSeen": "2024-06-30 23:58:01"})
    };
    let exchanges = names.iter().enumerate().map(|(at, name)| {
        let next = names[(at + 1) % names.len()];
        (
            format!("GET /dns/passive\nquery: query={}", name.replace('*', "%2A")),
            json!({"queryValue": name, "queryType": "domain", "totalRecords": 1, "results": [row(next, name)]}),
        )
    });
    let app = Builder::new()
        .with(["passivetotal"])
        .plays("passivetotal", answering("passivetotal", exchanges.collect()))
        .start()
        .await;
    for (at, name) in names.iter().enumerate() {
        let entity = Entity::new("maltego.DNSName", name);
        let answer = app.run("passivetotal.resolutions", entity).await;
        let next = names[(at + 1) % names.len()];
        let found: Vec<String> = answer.entities().into_iter().map(|(_, value)| value).collect();
        assert!(found.contains(&next.to_owned()), "{name}: {}", answer.body);
        assert_eq!(answer.said("PartialError"), "", "{name}");
    }
}
