use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::http::soar::testing::any_json;

fn asked(body: &Value) -> Asked {
    members(&decode(body.to_string().as_bytes()).unwrap())
}

fn scored(body: &Value) -> Vec<(String, String)> {
    let indicators = asked(body).indicators;
    let shown = |(role, indicator): (String, crate::domain::Indicator)| (role, indicator.value().to_owned());
    indicators.into_iter().map(shown).collect()
}

#[test]
fn what_clearly_is_of_another_kind_is_taken_as_that_and_said() {
    for (member, given, role, value) in [
        ("domain", "192.0.2.44", "ip", "192.0.2.44"),
        ("ip", "career-offers.example", "domain", "career-offers.example"),
        (
            "email",
            "career-offers.example",
            "domain",
            "career-offers.example",
        ),
        // Of an address for mail the domain is meant, where a domain was asked for.
        (
            "domain",
            "billing@career-offers.example",
            "domain",
            "career-offers.example",
        ),
        ("ip", "2001:db8::44", "ip", "2001:db8::44"),
    ] {
        let found = asked(&json!({member: given}));
        let [(found_role, indicator)] = &found.indicators[..] else {
            panic!("{given}: {found:?}");
        };
        assert_eq!((found_role.as_str(), indicator.value()), (role, value), "{given}");
        assert_eq!(
            found.notes.is_empty(),
            given == value && member == role,
            "{given}: {:?}",
            found.notes
        );
        assert!(found.unreadable.is_empty());
    }
}

#[test]
fn urls_are_taken_out_of_their_wrappers() {
    let long = format!(
        "https://www.google.com/url?x={}&q=https://evil.example/login",
        "y".repeat(3000)
    );
    for (member, given) in [
        ("url", "https://www.google.com/url?q=https://evil.example/login"),
        ("url", "hxxps://www.google[.]com/url?q=https://evil.example/login"),
        (
            "url",
            "https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2Flogin&data=05",
        ),
        (
            "url",
            "https://urldefense.com/v3/__https://evil.example/login__;!!abc!def$",
        ),
        ("ip", "https://www.google.com/url?q=https://evil.example/login"),
        ("url", long.as_str()),
    ] {
        let found = asked(&json!({member: given}));
        let [(role, indicator)] = &found.indicators[..] else {
            panic!("{given}: {found:?}");
        };
        assert_eq!(
            (role.as_str(), indicator.value()),
            ("url", "https://evil.example/login"),
            "{given}"
        );
        assert_eq!(found.notes.len(), 1, "{given}: {:?}", found.notes);
        assert!(
            found.unreadable.is_empty() && found.sealed.is_empty(),
            "{given}: {found:?}"
        );
    }
    let note = &asked(&json!({"url": "https://www.google.com/url?q=https://evil.example/login"})).notes[0];
    assert!(
        note.contains(
            "https://evil.example/login was taken out of the wrapper https://www.google.com/url?q="
        ),
        "{note}"
    );
    // Beside one that is sealed, what can be read is scored.
    let sealed = "https://secure-web.cisco.com/1aB-c_d/token";
    let found = asked(&json!({"url": [sealed, sealed, "https://good.example/"]}));
    assert_eq!((found.indicators.len(), found.sealed.len()), (1, 1));
    assert_eq!(found.sealed[0].value, sealed);
    assert_eq!(found.sealed[0].r#type, Some(crate::domain::IndicatorKind::Url));
    assert!(found.unreadable.is_empty() && found.notes.is_empty(), "{found:?}");
    // A link in the query of a host that is no wrapper stays where it is.
    let plain = "https://shop.example/url?q=https://evil.example/login";
    assert_eq!(
        scored(&json!({"url": plain})),
        [("url".to_owned(), plain.to_owned())]
    );
}

#[test]
fn what_is_too_much_is_told_and_costs_no_other() {
    let many: Vec<String> = (0..70).map(|at| format!("n{at}.example")).collect();
    let found = asked(&json!({"domain": many}));
    assert_eq!((found.indicators.len(), found.excess.len()), (50, 20));
    assert_eq!(found.excess[0].value, "n50.example");
    // Again and again the same is one; what is listed stays few.
    let again: Vec<String> = (0..5000).map(|at| format!("not {} a name", at % 200)).collect();
    let found = asked(&json!({"domain": again}));
    assert_eq!((found.unreadable.len(), found.indicators.len()), (50, 0));
    assert!(
        found.notes.iter().any(|note| note.contains("more values")),
        "{:?}",
        found.notes
    );
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(name in "(email|domain|ip|url|hash|tlp|pap|threshold|message|providers|x)", value in any_json()) {
        let body = json!({name: value});
        if let Ok(alert) = decode(body.to_string().as_bytes()) {
            let found = members(&alert);
            prop_assert!(found.indicators.len() <= 50);
        }
    }

    #[test]
    fn one_value_among_good_ones_costs_none_of_them(
        member in "(email|domain|ip|url|hash)",
        junk in any_json(),
        at in 0_usize..3,
    ) {
        let good = match member.as_str() {
            "email" => ["a@one.example", "b@two.example"],
            "ip" => ["192.0.2.1", "2001:db8::2"],
            "url" => ["https://one.example/x", "http://two.example/"],
            "hash" => ["d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
            _ => ["one.example", "two.example"],
        };
        let mut list: Vec<Value> = good.iter().map(|value| json!(value)).collect();
        list.insert(at, junk);
        let found = scored(&json!({member.clone(): list}));
        for good in good {
            prop_assert!(found.iter().any(|(role, value)| *role == member && value == good), "{found:?}");
        }
    }
}

#[test]
fn a_value_behind_another_is_never_dropped() {
    for given in [
        "example.com?career-offers.example",
        "example.com#career-offers.example",
        "example.com\\career-offers.example",
        "example.com/career-offers.example",
    ] {
        let found = asked(&json!({"domain": given}));
        assert!(
            found.indicators.is_empty() && found.unreadable.len() == 1,
            "{given}: {found:?}"
        );
    }
    assert_eq!(
        scored(&json!({"domain": "example.com/index.html"})),
        [("domain".to_owned(), "example.com".to_owned())]
    );
    for given in ["192.0.2.0/255.255.255.0", "192.0.2.1/192.0.2.2"] {
        let found = asked(&json!({"ip": given}));
        assert!(
            found.indicators.is_empty() && found.unreadable.len() == 1,
            "{given}: {found:?}"
        );
    }
}

#[test]
fn labels_before_values_are_taken_off_and_words_for_nothing_are_told() {
    for (member, given, value) in [
        ("ip", "IP: 192.0.2.44", "192.0.2.44"),
        ("ip", "ip=192.0.2.44", "192.0.2.44"),
        ("domain", "Domain: career-offers.example", "career-offers.example"),
        ("domain", "Domain Name: EXAMPLE.COM", "example.com"),
        ("url", "URL: https://a.example/b", "https://a.example/b"),
    ] {
        assert_eq!(
            scored(&json!({member: given})),
            [(member.to_owned(), value.to_owned())],
            "{given}"
        );
    }
    let found = asked(&json!({"domain": ["None", "a.example"], "ip": "n/a"}));
    assert!(found.unreadable.is_empty() && found.indicators.len() == 1);
    assert_eq!(
        found.notes,
        ["domain: None stands for no value", "ip: n/a stands for no value"]
    );
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(br#"{"domain": "a.example"}"#);
    assert!(decode(&marked).is_ok());
}

#[test]
fn what_stands_behind_a_url_is_no_part_of_it() {
    let url = "https://www.shop.example/hacked.php";
    for words in [
        " (malicious)",
        " - Phishing",
        " [malicious]",
        " malicious",
        ";malicious",
        "|Phishing",
        " \u{2192} blocked",
        " (1 hit)",
        ",null",
        ",N/A",
        ".",
        "\u{2026}",
        "**",
        "\u{201d}",
        "\u{bb}",
        "`",
        "</a>",
        "&nbsp;",
    ] {
        let given = format!("{url}{words}");
        let found = asked(&json!({"url": [given]}));
        let [(role, indicator)] = &found.indicators[..] else {
            panic!("{given}: {found:?}");
        };
        assert_eq!((role.as_str(), indicator.value()), ("url", url), "{given}");
        assert_eq!(found.notes.len(), 1, "{given}: {:?}", found.notes);
        assert!(found.unreadable.is_empty(), "{given}: {:?}", found.unreadable);
        // In a batch alike.
        let one = crate::http::soar::values::guess(&given).unwrap().only().unwrap();
        assert_eq!(
            (one.indicator.value(), one.note.is_some()),
            (url, true),
            "{given}"
        );
    }
    // What could be part of it, or a value, is told and costs the closing.
    for rest in [" (+1 more)", " report.pdf", "?q=a b&c=d", " is a page", "\"x\""] {
        let given = format!("{url}{rest}");
        let found = asked(&json!({"url": given}));
        assert_eq!(
            (found.indicators.len(), found.unreadable.len()),
            (1, 1),
            "{given}: {found:?}"
        );
        let one = crate::http::soar::values::guess(&given).unwrap().only();
        assert!(one.is_err(), "{given}: {one:?}");
    }
    for between in [" and ", " -> ", "->", " \u{2192} ", " & ", ",null,", ", "] {
        let other = "https://b.example/x";
        let given = format!("{url}{between}{other}");
        let values: Vec<String> = scored(&json!({"url": given}))
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        assert_eq!(values, [url, other], "{given}");
    }
}
