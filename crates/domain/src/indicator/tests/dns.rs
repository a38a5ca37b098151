//! Names that IDNA refuses and the DNS carries.

use super::*;

#[test]
fn what_the_dns_carries_is_a_name() {
    check(
        IndicatorKind::Hostname,
        &[
            // Begins with "xn--" and decodes to nothing, or to what IDNA does not allow.
            ("xn--hjdarna07-b07a.cf", Some("xn--hjdarna07-b07a.cf")),
            ("XN--A.Example.com", Some("xn--a.example.com")),
            ("www.xn--0.example", Some("www.xn--0.example")),
            // A label that begins with a digit cannot stand beside one from right to left (RFC 5893).
            ("1.xn--mgba3a4f16a", Some("1.xn--mgba3a4f16a")),
            ("1.\u{627}\u{6cc}\u{631}\u{627}\u{646}", Some("1.xn--mgba3a4f16a")),
            ("xn--a.b\u{fc}cher.example", Some("xn--a.xn--bcher-kva.example")),
            ("_sip._tcp.Example.com", Some("_sip._tcp.example.com")),
            ("*.example.com", Some("*.example.com")),
            (
                "114.96/27.2.0.192.in-addr.arpa",
                Some("114.96/27.2.0.192.in-addr.arpa"),
            ),
            (
                "0/26.8.b.d.0.1.0.0.2.ip6.arpa.",
                Some("0/26.8.b.d.0.1.0.0.2.ip6.arpa"),
            ),
            ("ab--cd.example.com", Some("ab--cd.example.com")),
            ("96/27.example.com", None),
            ("*a.example.com", None),
            ("example.*", None),
            ("xn--a..example.com", None),
            ("xn--a.exam\u{fffd}ple.com", None),
        ],
    );
    let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    assert_eq!(longest.len(), 253);
    check(
        IndicatorKind::Hostname,
        &[
            (&longest, Some(&longest)),
            (&format!("{longest}."), Some(&longest)),
            (&format!("{longest}b"), None),
            (
                &format!("xn--{}.example", "a".repeat(59)),
                Some(&format!("xn--{}.example", "a".repeat(59))),
            ),
            (&format!("xn--{}.example", "a".repeat(60)), None),
        ],
    );
}

#[test]
fn urls_and_mailboxes_stand_on_such_names() {
    check(
        IndicatorKind::Url,
        &[
            ("http://xn--a.example.com/x", Some("http://xn--a.example.com/x")),
            (
                "HTTPS://user:secret@XN--A.example.com:8443/a b?q=1#top",
                Some("https://xn--a.example.com:8443/a%20b?q=1"),
            ),
            ("http://1.xn--mgba3a4f16a:80", Some("http://1.xn--mgba3a4f16a/")),
            ("http://*.example.com/", Some("http://*.example.com/")),
            (
                "hxxp://xn--a[.]example[.]com/x",
                Some("http://xn--a.example.com/x"),
            ),
            ("http://xn--a.example.com:99999/", None),
            ("gopher://xn--a.example.com/", None),
        ],
    );
    check(
        IndicatorKind::Email,
        &[("a@XN--A.example.com", Some("a@xn--a.example.com"))],
    );
    let url = Indicator::guess("https://xn--a.example.com:8443/a?b=c").unwrap();
    assert_eq!(url.host().as_deref(), Some("xn--a.example.com"));
    assert_eq!(url.ip(), None);
    assert_eq!(url.registrable().unwrap().value(), "example.com");
    assert_eq!(url.without_query().value(), "https://xn--a.example.com:8443/a");
    let json = serde_json::to_string(&url).unwrap();
    assert_eq!(serde_json::from_str::<Indicator>(&json).unwrap(), url);
    let literal = Indicator::guess("http://[2001:db8::1]:8080/?x").unwrap();
    assert_eq!(literal.ip().unwrap().to_string(), "2001:db8::1");
    assert_eq!(literal.host(), None);
}

#[test]
fn such_names_have_registrable_domains_and_no_false_spelling() {
    let cases = [
        ("a.xn--hjdarna07-b07a.cf", Some("xn--hjdarna07-b07a.cf")),
        ("1.xn--mgba3a4f16a", Some("1.xn--mgba3a4f16a")),
        ("a.1.xn--mgba3a4f16a", Some("1.xn--mgba3a4f16a")),
        ("xn--a.example.xn--p1ai", Some("example.xn--p1ai")),
        ("*.example.co.uk", Some("example.co.uk")),
        ("114.96/27.2.0.192.in-addr.arpa", Some("192.in-addr.arpa")),
    ];
    for (host, expected) in cases {
        assert_eq!(registrable_domain(host).as_deref(), expected, "{host}");
    }
    for name in [
        "xn--hjdarna07-b07a.cf",
        "1.xn--mgba3a4f16a",
        "xn--a.xn--bcher-kva.example",
    ] {
        assert_eq!(to_unicode(name), name);
    }
    // A registry's own suffix that has a site is a host.
    for name in ["gov.uk", "vic.gov.au", "co.uk"] {
        let read = Indicator::read(name).unwrap();
        assert_eq!(
            (read.indicator.kind(), read.indicator.value()),
            (IndicatorKind::Hostname, name)
        );
        assert_eq!(
            Indicator::read_as(&[IndicatorKind::Domain], name)
                .unwrap()
                .indicator
                .value(),
            name
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_name_within_the_limits_survives(
        labels in prop::collection::vec("(xn--)?[a-zA-Z0-9_-]{1,59}|\\*", 1..8),
        last in "[a-z]{2,12}",
    ) {
        let name = format!("{}.{last}", labels.join("."));
        let read = Indicator::parse(IndicatorKind::Hostname, &name);
        if name.len() <= 253 {
            let read = read.unwrap();
            // What IDNA decodes it may spell anew, in lower case; all else stays.
            let same = read.value().eq_ignore_ascii_case(&name);
            prop_assert!(same, "{name} became {}", read.value());
            let url = Indicator::parse(IndicatorKind::Url, &format!("https://{name}/x?y")).unwrap();
            prop_assert_eq!(url.host(), Some(read.value().to_owned()));
            prop_assert_eq!(Indicator::read(&name).unwrap().note, None);
        } else {
            prop_assert!(read.is_err());
        }
    }
}
