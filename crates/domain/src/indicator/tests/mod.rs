mod dns;
mod read;

use proptest::prelude::*;

use super::*;

fn parse(kind: IndicatorKind, raw: &str) -> Option<String> {
    Indicator::parse(kind, raw).ok().map(|indicator| indicator.value)
}

fn check(kind: IndicatorKind, cases: &[(&str, Option<&str>)]) {
    for (raw, expected) in cases {
        assert_eq!(parse(kind, raw).as_deref(), *expected, "{kind}: {raw}");
    }
}

#[test]
fn kinds_keep_their_names() {
    for kind in IndicatorKind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
    assert!("Domain".parse::<IndicatorKind>().is_err());
}

#[test]
fn domains_are_canonical() {
    check(
        IndicatorKind::Domain,
        &[
            ("Example.COM.", Some("example.com")),
            ("  `example[.]com` ", Some("example.com")),
            ("example(dot)com", Some("example.com")),
            ("[\"example{.}com\"]", Some("example.com")),
            ("mail.example.co.uk", Some("mail.example.co.uk")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("fa\u{df}.example", Some("xn--fa-hia.example")),
            ("example\u{3002}com", Some("example.com")),
            ("gov.uk", Some("gov.uk")),
            ("com", None),
            ("192.0.2.1", None),
            ("192.0.2.0x1", None),
            ("2001:db8::1", None),
            ("exa mple.com", None),
            ("example..com", None),
            (".example.com", None),
            ("exam/ple.com", None),
            ("", None),
            (".", None),
        ],
    );
    assert_eq!(
        parse(IndicatorKind::Domain, &format!("{}.example", "a".repeat(64))),
        None
    );
    assert_eq!(
        parse(
            IndicatorKind::Domain,
            &format!("{}example", "abcdefg.".repeat(32))
        ),
        None
    );
}

#[test]
fn hostnames_are_canonical() {
    check(
        IndicatorKind::Hostname,
        &[
            ("_dmarc.Example.com", Some("_dmarc.example.com")),
            ("-a-.example.net", Some("-a-.example.net")),
            ("github.io", Some("github.io")),
            ("localhost", None),
            ("www.example.com/path", None),
            ("www.example.com:80", None),
        ],
    );
}

#[test]
fn addresses_are_canonical() {
    check(
        IndicatorKind::Ipv4,
        &[
            ("192[.]0[.]2[.]44", Some("192.0.2.44")),
            ("192.0.2.044", None),
            ("192.0.2", None),
            ("0xc0.0.2.1", None),
            ("192.0.2.1/24", None),
        ],
    );
    check(
        IndicatorKind::Ipv6,
        &[
            ("2001:0DB8:0:0:0:0:0:1", Some("2001:db8::1")),
            ("[2001[:]db8::1]", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("fe80::1%eth0", None),
        ],
    );
    let mapped = Indicator::parse(IndicatorKind::Ipv6, "::ffff:192.0.2.1").unwrap();
    assert_eq!(mapped.kind(), IndicatorKind::Ipv4);
    check(
        IndicatorKind::Netblock,
        &[("192.0.2.77/24", Some("192.0.2.0/24")), ("192.0.2.1", None)],
    );
    check(
        IndicatorKind::Asn,
        &[
            ("as 64500", Some("AS64500")),
            ("64500", Some("AS64500")),
            ("AS", None),
        ],
    );
}

#[test]
fn urls_are_canonical() {
    check(
        IndicatorKind::Url,
        &[
            ("hxxp://EXAMPLE[.]com/a[.]b", Some("http://example.com/a.b")),
            ("hXXps[:]//example.com", Some("https://example.com/")),
            ("hxxp[://]example[.]com:80/x", Some("http://example.com/x")),
            ("<http://example.com/a[.]b>", Some("http://example.com/a[.]b")),
            (
                "http://user:secret@example.com./x?q=1#top",
                Some("http://example.com/x?q=1"),
            ),
            (
                "http://b\u{fc}cher.example/",
                Some("http://xn--bcher-kva.example/"),
            ),
            ("http://[::ffff:192.0.2.1]:8080/", Some("http://192.0.2.1:8080/")),
            ("http://[2001:DB8:0::1]/", Some("http://[2001:db8::1]/")),
            ("ftp://example.com/file", Some("ftp://example.com/file")),
            ("javascript:alert(1)", None),
            ("file:///etc/hosts", None),
            ("example.com/path", None),
            ("http://example.com[/]path", Some("http://example.com/path")),
            ("hxxps[:]//host[.]example/a", Some("https://host.example/a")),
            (
                "hxxp[:][/][/]host[.]example[/]a[/]b",
                Some("http://host.example/a/b"),
            ),
            (
                r"http://www\.example\.com/a\.b",
                Some("http://www.example.com/a.b"),
            ),
            (r"http://example.com\.git/x", Some("http://example.com/.git/x")),
            ("http://example.com/a[/]b", Some("http://example.com/a[/]b")),
            ("http://", None),
            ("http://exa..mple.com/", None),
        ],
    );
}

#[test]
fn other_kinds_are_canonical() {
    check(
        IndicatorKind::Email,
        &[
            ("John.Doe@EXAMPLE.com", Some("John.Doe@example.com")),
            ("john[at]example[dot]com", Some("john@example.com")),
            ("<mailto:john@example.com>", Some("john@example.com")),
            ("john@b\u{fc}cher.example", Some("john@xn--bcher-kva.example")),
            ("SMTP:John@example.com", Some("John@example.com")),
            ("\"john.doe\"@example.com", Some("john.doe@example.com")),
            ("\"john doe\"@example.com", None),
            ("sip:john@example.com", None),
            ("john@[192.0.2.1]", None),
            ("john@example", None),
            ("john@192.0.2.1", None),
            ("john doe@example.com", None),
            ("a@b@example.com", None),
            ("@example.com", None),
        ],
    );
    let md5 = "D41D8CD98F00B204E9800998ECF8427E";
    check(
        IndicatorKind::Hash,
        &[(md5, Some("d41d8cd98f00b204e9800998ecf8427e")), ("d41d8", None)],
    );
    assert_eq!(
        Indicator::parse(IndicatorKind::Hash, md5).unwrap().hash_type(),
        Some(HashType::Md5)
    );
    let colons = vec!["AB"; 20].join(":");
    check(
        IndicatorKind::Certificate,
        &[(&colons, Some("ab".repeat(20).as_str())), (md5, None)],
    );
    check(
        IndicatorKind::Phone,
        &[
            ("+1 (555) 010-0123", Some("+15550100123")),
            ("+44 (0)20 7946 0000", Some("+442079460000")),
            ("+1.5550100 ext. 12", Some("+15550100x12")),
            ("tel:5550100", Some("5550100")),
            ("+1.5550100 [1234]", Some("+15550100x1234")),
            ("+1.5550100 (ext 5)", Some("+15550100x5")),
            ("+1.5550100 poste 12", Some("+15550100x12")),
            ("+49 5550100 Durchwahl 5", Some("+495550100x5")),
            ("+1 5550100x12", Some("+15550100x12")),
            ("555-CALL", None),
            ("12", None),
        ],
    );
    check(
        IndicatorKind::Person,
        &[
            (" Ada \t\n  Lovelace ", Some("Ada Lovelace")),
            ("\u{7}", None),
            ("\"Ada\"", Some("\"Ada\"")),
        ],
    );
}

#[test]
fn guessing_tells_kinds_apart() {
    let cases = [
        ("hxxp://example[.]com", IndicatorKind::Url),
        ("192[.]0[.]2[.]1", IndicatorKind::Ipv4),
        ("2001:db8::1", IndicatorKind::Ipv6),
        ("192.0.2.0/24", IndicatorKind::Netblock),
        ("john@example.com", IndicatorKind::Email),
        ("d41d8cd98f00b204e9800998ecf8427e", IndicatorKind::Hash),
        ("example.com", IndicatorKind::Domain),
        ("www.example.com", IndicatorKind::Hostname),
        ("co.uk", IndicatorKind::Hostname),
        ("as.example", IndicatorKind::Domain),
        ("AS64500", IndicatorKind::Asn),
    ];
    for (raw, kind) in cases {
        assert_eq!(Indicator::guess(raw).map(|found| found.kind()), Ok(kind), "{raw}");
    }
    assert!(Indicator::guess("nothing of the kind").is_err());
    assert_eq!(
        Indicator::name("www.example.com").unwrap().kind(),
        IndicatorKind::Hostname
    );
    assert_eq!(
        Indicator::name("example.com").unwrap().kind(),
        IndicatorKind::Domain
    );
}

#[test]
fn registrable_domains_follow_the_registries_only() {
    let cases = [
        ("foo.github.io", Some("github.io")),
        ("github.io", Some("github.io")),
        ("a.b.example.co.uk", Some("example.co.uk")),
        ("bucket.s3.eu-west-1.amazonaws.com", Some("amazonaws.com")),
        ("x.y.example", Some("y.example")),
        ("x.y.test", Some("y.test")),
        ("www.example.xn--55qx5d.cn", Some("example.xn--55qx5d.cn")),
        ("a.example.xn--p1ai", Some("example.xn--p1ai")),
        ("a.b.city.kawasaki.jp", Some("city.kawasaki.jp")),
        ("a.b.c.kawasaki.jp", Some("b.c.kawasaki.jp")),
        ("WWW.EXAMPLE.COM.", Some("example.com")),
        ("co.uk", None),
        ("com", None),
        ("192.0.2.1", None),
    ];
    for (host, expected) in cases {
        assert_eq!(registrable_domain(host).as_deref(), expected, "{host}");
    }
    assert_eq!(name_kind("github.io"), NameKind::Domain);
    assert_eq!(name_kind("foo.github.io"), NameKind::Host);
    assert_eq!(to_unicode("xn--bcher-kva.example"), "b\u{fc}cher.example");
    let url = Indicator::guess("http://www.example.co.uk/x").unwrap();
    assert_eq!(url.registrable().unwrap().value(), "example.co.uk");
    let mail = Indicator::guess("a@mail.example.net").unwrap();
    assert_eq!(mail.registrable().unwrap().to_string(), "example.net");
    assert_eq!(Indicator::guess("http://192.0.2.1/").unwrap().registrable(), None);
}

#[test]
fn errors_are_short_and_printable() {
    let error = Indicator::parse(
        IndicatorKind::Ipv4,
        &format!("\u{1b}[31m\u{202e}{}", "x".repeat(500)),
    )
    .unwrap_err();
    assert!(error.given().starts_with("U+001B[31mU+202Exx"));
    assert!(error.given().ends_with("x…"));
    assert!(error.given().chars().count() < 100);
    assert_eq!(error.expected(), "an IPv4 address such as 192.0.2.1");
    let text = Indicator::parse(IndicatorKind::Domain, "com")
        .unwrap_err()
        .to_string();
    assert_eq!(text, "\"com\" is not a domain such as example.com");
}

#[test]
fn json_is_checked_when_read() {
    let read = |text: &str| serde_json::from_str::<Indicator>(text);
    let indicator = read(r#"{"kind":"domain","value":"Example.com"}"#).unwrap();
    assert_eq!(
        serde_json::to_string(&indicator).unwrap(),
        r#"{"kind":"domain","value":"example.com"}"#
    );
    assert!(read(r#"{"kind":"domain","value":"com"}"#).is_err());
}

/// Text in the shape of indicators, so that the properties reach beyond refusals.
fn plausible() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\[\\]().:/@{}a-zA-Z0-9 _%#?+-]{0,40}",
        "(hxxp|http|HTTPS|ftp)(://|\\[:\\]//)(\\PC{0,8}@)?[a-z0-9\u{fc}\u{df}.\\[\\]-]{1,20}(\\.|\\[\\.\\])[a-z]{2,6}\\.?(:[0-9]{1,4})?(/\\PC{0,12})?",
        "[A-Za-z0-9._+-]{1,12}(@|\\[at\\])[\u{e4}\u{131}\u{130}a-zA-Z0-9-]{1,12}\\.(co\\.uk|com|example|github\\.io)\\.?",
        "[\\PC.]{1,12}\\.[\\PC]{1,6}",
        "[a-z0-9]{1,4}(\\.|\\\\.)(com|example|w8)[/\\\\?#][a-z\u{304}/\\\\.,;:!?*_~'()%# -]{0,10}",
        "xn--[a-z0-9-]{1,12}\\.[a-z]{2,5}",
        "[0-9a-fA-F:]{2,40}",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2})?",
        "\\+?[0-9 ().x-]{4,24}",
        "([0-9A-F]{2}:){19}[0-9A-F]{2}|([0-9a-fA-F]{32}){1,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn canonical_is_canonical_again(raw in plausible()) {
        for kind in IndicatorKind::ALL {
            if let Ok(once) = Indicator::parse(kind, &raw) {
                let twice = Indicator::parse(once.kind(), once.value());
                prop_assert_eq!(Ok(&once), twice.as_ref());
                prop_assert!(once.value().len() <= MAX_LEN && !once.value().is_empty());
            }
        }
        if let Ok(guessed) = Indicator::guess(&raw) {
            let again = Indicator::parse(guessed.kind(), guessed.value());
            prop_assert_eq!(Ok(guessed), again);
        }
    }

    #[test]
    fn the_registrable_of_a_registrable_is_itself(raw in plausible()) {
        for kind in IndicatorKind::ALL {
            let Some(domain) = Indicator::parse(kind, &raw).ok().and_then(|found| found.registrable()) else {
                continue;
            };
            prop_assert_eq!(domain.registrable(), Some(domain.clone()));
            prop_assert_eq!(name_kind(domain.value()), NameKind::Domain);
            let again = Indicator::parse(IndicatorKind::Domain, domain.value());
            prop_assert_eq!(Ok(domain), again);
        }
    }
}
