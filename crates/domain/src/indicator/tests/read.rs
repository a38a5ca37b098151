//! Values as people paste them.

use super::*;
use crate::indicator::is_invisible;

/// What is read as these kinds, and whether a note says so.
fn read(kinds: &[IndicatorKind], raw: &str) -> Option<(String, Option<String>)> {
    let taken = Indicator::read_as(kinds, raw).ok()?;
    Some((taken.indicator.value().to_owned(), taken.note))
}

fn takes(kinds: &[IndicatorKind], cases: &[(&str, &str)]) {
    for (raw, expected) in cases {
        let (value, note) = read(kinds, raw).unwrap_or_else(|| panic!("{raw} was not read"));
        assert_eq!(value, *expected, "{raw}");
        let note = note.unwrap_or_else(|| panic!("{raw}: no note"));
        assert_eq!(note, format!("taken {expected} of {}", visible(raw.trim(), 80)));
    }
}

fn refuses(kinds: &[IndicatorKind], cases: &[&str]) {
    for raw in cases {
        assert_eq!(read(kinds, raw), None, "{raw}");
    }
}

#[test]
fn a_value_that_stands_alone_is_read_as_among_quotes() {
    let kinds = [IndicatorKind::Hash, IndicatorKind::Ipv4, IndicatorKind::Hostname];
    for raw in [
        "n87.example",
        "N87.Example",
        "n87.example.",
        "xn--bcher-kva.example",
        "192.0.2.44",
        "192.0.2.044",
        "d41d8cd98f00b204e9800998ecf8427e",
        "as64496",
        "a..example",
        "-",
        "word",
    ] {
        let alone = read(&kinds, raw);
        let value = |read: Option<(String, Option<String>)>| read.map(|(value, _)| value);
        assert_eq!(
            value(alone.clone()),
            value(read(&kinds, &format!("\"{raw}\""))),
            "{raw}"
        );
        assert!(alone.is_none_or(|(_, note)| note.is_none()), "{raw}");
    }
}

#[test]
fn names_are_taken_out_of_what_stands_around_them() {
    takes(
        &[IndicatorKind::Hostname],
        &[
            (r"example\.com", "example.com"),
            (r"www\.example\.com", "www.example.com"),
            ("example[.com", "example.com"),
            ("example.]com", "example.com"),
            ("example(.com", "example.com"),
            ("example [.] com", "example.com"),
            ("example [dot] com", "example.com"),
            ("www dot example DOT com", "www.example.com"),
            ("example.com:8080", "example.com"),
            ("example.com,", "example.com"),
            ("\u{201c}example.com\u{201d};", "example.com"),
            ("(example.com", "example.com"),
            ("https://www.example.com/a?b", "www.example.com"),
            ("hxxps[:]//host[.]example/a", "host.example"),
            ("hxxp://user@host.example:81/", "host.example"),
            ("//example.com/a", "example.com"),
            ("example.com/a/b", "example.com"),
            ("jane@example.com", "example.com"),
            ("tcp://example.com:443", "example.com"),
        ],
    );
    refuses(
        &[IndicatorKind::Hostname],
        &[
            "example.com:https",
            "a@b.example, c@d.example",
            "example.com:70000",
            "exa mple.com",
            "see example.com or example.net",
            "example[com",
            "https://",
            "192.0.2.44:443",
            "https://192.0.2.44/",
            "",
            "\u{200b}",
        ],
    );
}

#[test]
fn addresses_are_taken_out_of_what_stands_around_them() {
    let both = [IndicatorKind::Ipv4, IndicatorKind::Ipv6];
    takes(
        &both,
        &[
            ("192.0.2.44:443", "192.0.2.44"),
            ("192.0.2.44:8080/a", "192.0.2.44"),
            ("192.0.2.44/32", "192.0.2.44"),
            ("192[.]0[.]2[.]44/32", "192.0.2.44"),
            (r"192\.0\.2\.44", "192.0.2.44"),
            ("192 [.] 0 [.] 2 [.] 44", "192.0.2.44"),
            ("http://192.0.2.44/a", "192.0.2.44"),
            ("2001:db8::44/128", "2001:db8::44"),
            ("[2001:db8::44]:443", "2001:db8::44"),
            ("http://[2001:db8::44]:8080/", "2001:db8::44"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:192.0.2.44/128", "192.0.2.44"),
            ("192.0.2.44.", "192.0.2.44"),
        ],
    );
    refuses(
        &both,
        &[
            "192.0.2.0/24",
            "2001:db8::/32",
            "192.0.2.44/33",
            "192.0.2.044",
            "192.0.2.44 192.0.2.45",
            "192.0.2.44:x",
            "example.com",
        ],
    );
    // A network that is asked for as one stays one.
    let network = Indicator::read_as(&[IndicatorKind::Netblock], "192.0.2.44/32").unwrap();
    assert_eq!((network.indicator.value(), network.note), ("192.0.2.44/32", None));
}

#[test]
fn mailboxes_are_taken_out_of_what_stands_around_them() {
    takes(
        &[IndicatorKind::Email, IndicatorKind::Phrase],
        &[
            ("Jane <a@b.example>", "a@b.example"),
            ("\"Doe, Jane\" <a@b.example>", "a@b.example"),
            ("\"x@other.example\" <a@b.example>", "a@b.example"),
            ("a@b.example (Jane)", "a@b.example"),
            ("mailto:a@b.example?subject=Hello", "a@b.example"),
            ("a at b dot example", "a@b.example"),
            ("a [at] b [dot] example", "a@b.example"),
            ("Jane <a [at] b [.] example>", "a@b.example"),
            ("a@b.example;", "a@b.example"),
            ("<a@b.example>, <a@b.example>", "a@b.example"),
        ],
    );
    refuses(
        &[IndicatorKind::Email],
        &[
            "a@b.example, c@d.example",
            "A <a@b.example>, C <c@d.example>",
            "write me at example dot com please",
            "Jane <>",
            "sip:user@b.example",
            "\"jane doe\"@b.example",
            "a@[192.0.2.44]",
        ],
    );
    // Where words are taken, too, what is no address is words.
    assert_eq!(
        read(&[IndicatorKind::Email, IndicatorKind::Phrase], "Jane Doe"),
        Some(("Jane Doe".to_owned(), None))
    );
}

#[test]
fn hashes_are_taken_out_of_what_stands_around_them() {
    let [md5, sha1, sha256, sha512] = [32, 40, 64, 128].map(|len| "aB".repeat(len / 2));
    for (name, digits) in [
        ("MD5=", &md5),
        ("md5:", &md5),
        ("MD5 : ", &md5),
        ("SHA1=", &sha1),
        ("SHA-1: ", &sha1),
        ("sha256:", &sha256),
        ("SHA-256 = ", &sha256),
        ("SHA256 (report.pdf) = ", &sha256),
        ("sha2-256:", &sha256),
        ("sha512sum ", &sha512),
        ("\"", &sha256),
    ] {
        let raw = format!("{name}{digits}");
        let (value, note) = read(&[IndicatorKind::Hash], &raw).unwrap_or_else(|| panic!("{raw}"));
        assert_eq!(value, digits.to_lowercase());
        assert!(note.unwrap().starts_with("taken abab"));
        assert_eq!(Indicator::read(&raw).unwrap().indicator.value(), value);
    }
    let listed = format!("{sha256}  report.pdf");
    assert_eq!(
        read(&[IndicatorKind::Hash], &listed).unwrap().0,
        sha256.to_lowercase()
    );
    let octets = vec!["ab"; 16].join(":");
    assert_eq!(read(&[IndicatorKind::Hash], &octets).unwrap().0, "ab".repeat(16));
    let print = format!("SHA1 Fingerprint={}", vec!["AB"; 20].join(":"));
    assert_eq!(
        read(&[IndicatorKind::Certificate], &print).unwrap().0,
        "ab".repeat(20)
    );
    // The name and the length tell different things; an import hash is none of a file.
    refuses(
        &[IndicatorKind::Hash],
        &[&format!("md5:{sha256}"), &format!("imphash={md5}"), "MD5=", "md5"],
    );
}

#[test]
fn urls_are_taken_out_of_what_stands_around_them() {
    takes(
        &[IndicatorKind::Url],
        &[
            ("http://example[.com/a", "http://example.com/a"),
            ("hxxp://example [.] com/a", "http://example.com/a"),
            ("www.example.com", "http://www.example.com/"),
            ("example.com/a?b=c", "http://example.com/a?b=c"),
            ("192.0.2.44:8080/a", "http://192.0.2.44:8080/a"),
            ("//example.com/a", "http://example.com/a"),
        ],
    );
    refuses(
        &[IndicatorKind::Url],
        &[
            "no url",
            "jane@example.com",
            "javascript:alert(1)",
            "ssh://example.com",
            "192.0.2.0/24",
        ],
    );
}

#[test]
fn kinds_that_nobody_names_are_told_apart() {
    for (raw, kind, value) in [
        ("192.0.2.44:443", IndicatorKind::Ipv4, "192.0.2.44"),
        ("192.0.2.44:443/tcp", IndicatorKind::Ipv4, "192.0.2.44"),
        ("[2001:db8::44]:53/udp", IndicatorKind::Ipv6, "2001:db8::44"),
        (
            "www.example.com:53/UDP",
            IndicatorKind::Hostname,
            "www.example.com",
        ),
        ("192.0.2.44/32", IndicatorKind::Ipv4, "192.0.2.44"),
        ("2001:db8::/128", IndicatorKind::Ipv6, "2001:db8::"),
        (
            "192.0.2.44:8080/a",
            IndicatorKind::Url,
            "http://192.0.2.44:8080/a",
        ),
        ("example.com/a", IndicatorKind::Url, "http://example.com/a"),
        ("example.com/tcp", IndicatorKind::Url, "http://example.com/tcp"),
        ("example.com:443", IndicatorKind::Domain, "example.com"),
        ("www.example.com:443", IndicatorKind::Hostname, "www.example.com"),
        (r"example\.com", IndicatorKind::Domain, "example.com"),
        ("Jane <a@b.example>", IndicatorKind::Email, "a@b.example"),
        ("AS64500 Example Org", IndicatorKind::Asn, "AS64500"),
        ("\u{200e}192.0.2.44", IndicatorKind::Ipv4, "192.0.2.44"),
    ] {
        let taken = Indicator::read(raw).unwrap();
        assert_eq!(
            (taken.indicator.kind(), taken.indicator.value()),
            (kind, value),
            "{raw}"
        );
        assert!(taken.note.is_some(), "{raw}");
    }
    for raw in [
        "192.0.2.0/24",
        "114.96/27.2.0.192.in-addr.arpa",
        "*.example.com",
        "example[.]com",
    ] {
        assert_eq!(Indicator::read(raw).unwrap().note, None, "{raw}");
    }
    for raw in [
        "contact me at evil.example",
        "a b c",
        "e.g. this",
        "a@b.example, c@d.example",
        "sip:user@b.example",
        "\"jane doe\"@b.example",
        "a@[192.0.2.44]",
        "a@192.0.2.44",
        "192.0.2.44/33",
        "md5",
    ] {
        assert!(Indicator::read(raw).is_err(), "{raw}");
    }
}

#[test]
fn what_cannot_be_seen_is_left_out_and_said() {
    for hidden in [
        '\u{200b}',
        '\u{200e}',
        '\u{200f}',
        '\u{feff}',
        '\u{ad}',
        '\u{202c}',
        '\u{2066}',
        '\u{e0061}',
    ] {
        for (kind, value) in [
            (IndicatorKind::Hostname, "www.example.com"),
            (IndicatorKind::Ipv4, "192.0.2.44"),
            (IndicatorKind::Ipv6, "2001:db8::1"),
            (IndicatorKind::Url, "http://example.com/a"),
            (IndicatorKind::Email, "a@b.example"),
            (IndicatorKind::Hash, "d41d8cd98f00b204e9800998ecf8427e"),
            (IndicatorKind::Phone, "+15550100"),
        ] {
            let (head, tail) = value.split_at(4);
            for raw in [
                format!("{hidden}{value}"),
                format!("{value}{hidden}"),
                format!(" {hidden} {value} {hidden}"),
                format!("{head}{hidden}{tail}"),
            ] {
                let (read, note) = read(&[kind], &raw).unwrap_or_else(|| panic!("{kind} {raw:?}"));
                assert_eq!(read, value, "{raw:?}");
                let code = format!("U+{:04X}", u32::from(hidden));
                assert!(note.unwrap().contains(&code), "{raw:?}");
            }
        }
        let refused = Indicator::read(&format!("no{hidden} value")).unwrap_err();
        let code = format!("noU+{:04X} value", u32::from(hidden));
        assert_eq!(refused.given(), code);
    }
    // In names of people nothing of it is seen either, and joiners are letters of some scripts.
    let name = Indicator::parse(IndicatorKind::Person, "\u{202a}Ada Love\u{ad}lace\u{202c}").unwrap();
    assert_eq!(name.value(), "Ada Lovelace");
    let joined = "\u{646}\u{627}\u{645}\u{647}\u{200c}\u{627}\u{6cc}";
    assert_eq!(parse(IndicatorKind::Person, joined).as_deref(), Some(joined));
    let read = Indicator::read_name(&format!("{joined}.com")).unwrap();
    assert_eq!(read.indicator.value(), "xn--mgba3gch31f060k.com");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_was_read_is_read_again(raw in plausible()) {
        let kinds = IndicatorKind::ALL.iter().map(|kind| Indicator::read_as(&[*kind], &raw));
        for taken in kinds.chain([Indicator::read(&raw), Indicator::read_name(&raw)]).flatten() {
            let read = Indicator::read_as(&[taken.indicator.kind()], taken.indicator.value()).unwrap();
            prop_assert_eq!(&read.indicator, &taken.indicator);
            prop_assert_eq!(&read.note, &None);
            // What is canonical reads as itself without its kind, too, unless that is free text or a network of one.
            let parsed = Indicator::parse(taken.indicator.kind(), taken.indicator.value());
            prop_assert_eq!(parsed.as_ref(), Ok(&taken.indicator));
        }
        if let Err(error) = Indicator::read(&raw) {
            prop_assert!(!error.given().chars().any(is_invisible));
        }
    }

    #[test]
    fn a_value_in_invisible_characters_is_that_value(
        raw in plausible(),
        before in "[\u{200b}\u{200e}\u{200f}\u{feff}\u{ad}\u{202a}-\u{202e}]{0,3}",
        after in "[\u{200b}\u{200e}\u{200f}\u{feff}\u{ad}\u{202a}-\u{202e}]{0,3}",
    ) {
        let plain = Indicator::read(&raw).map(|taken| taken.indicator);
        let around = Indicator::read(&format!("{before}{raw}{after}")).map(|taken| taken.indicator);
        if let Ok(plain) = plain {
            prop_assert_eq!(around.as_ref(), Ok(&plain));
        }
    }
}

/// What stands around a value is taken off so often and no oftener: each look costs as much as the text is long.
#[test]
fn layers_around_a_value_are_bounded() {
    let layers = |count: usize| format!("{}example.com{}", "(,".repeat(count), ",)".repeat(count));
    for (count, is_read) in [(1, true), (7, true), (8, false), (1000, false)] {
        let text = layers(count);
        assert_eq!(Indicator::read(&text).is_ok(), is_read, "{count} layers");
        let kinds = [IndicatorKind::Domain, IndicatorKind::Url];
        assert_eq!(
            Indicator::read_as(&kinds, &text).is_ok(),
            is_read,
            "{count} layers"
        );
    }
    // Of one kind they cost nothing.
    let text = format!("{}example.com{}", "(".repeat(2000), ")".repeat(2000));
    assert!(Indicator::read(&text).is_ok());
}

/// What looks like the end of a host and may be a part of it, as clients read it, leaves the value open.
#[test]
fn what_could_be_the_rest_of_a_host_is_left() {
    let readings = |given: &str| {
        let kinds = [IndicatorKind::Url, IndicatorKind::Email, IndicatorKind::Hostname];
        let of_kind = kinds.map(|kind| Indicator::read_as(&[kind], given));
        of_kind
            .into_iter()
            .chain([Indicator::read(given), Indicator::read_name(given)])
            .flatten()
            .collect::<Vec<_>>()
    };
    let mut is_read = false;
    for sign in "\u{2044}\u{2215}\u{29f8}\u{2571}\u{fe52}\u{589}\u{66a}\u{3001}\u{3011}\u{2026}\u{201c}\u{2019}\u{ff0f}\u{ff1f}\u{ff03}\u{ff20}\u{ff1a}\u{ff0c}\u{ff1b}\u{1f600}".chars() {
        for given in [
            format!("https://bank.example{sign}login.evil.example/x"),
            format!("https://bank.example{sign}login.evil.example"),
            format!("bank.example{sign}evil.example"),
            format!("hxxp://bank[.]example{sign}evil[.]example"),
            format!("x@bank.example{sign}evil.example"),
        ] {
            for taken in readings(&given) {
                let is_whole = taken.indicator.value().contains("evil.example");
                assert!(taken.remainder.is_some() || is_whole, "{given}: {taken:?}");
                is_read = true;
            }
        }
    }
    assert!(is_read);
    for escape in ["%40", "%2f", "%3f", "%23", "%00", "%20", "%2e", "%"] {
        for given in [
            format!("https://bank.example{escape}evil.example/x"),
            format!("bank.example{escape}evil.example"),
            format!("bank.example{escape}evil.example/x"),
        ] {
            for taken in readings(&given) {
                assert!(
                    taken.indicator.value().contains("evil.example"),
                    "{given}: {taken:?}"
                );
            }
        }
    }
    takes(
        &[IndicatorKind::Ipv4],
        &[("fe80::1%eth0", "fe80::1"), ("http://[fe80::1]/", "fe80::1")],
    );
}

/// Of two addresses either may be meant, however they are put together.
#[test]
fn of_two_mailboxes_none_is_taken() {
    refuses(
        &[IndicatorKind::Email],
        &[
            "mailto:a@a.example,b@b.example",
            "mailto:a@a.example;b@b.example",
            "mailto:a@a.example%2Cb@b.example",
            "mailto:a@a.example?cc=b@b.example",
            "mailto:a@a.example?subject=x&BCC=b@b.example",
            "mailto:?to=a@a.example&to=b@b.example",
            "mailto:a@a.example?to=b%40b.example",
            "<a@a.example>b@b.example",
            "<a@a.example> b@b.example",
            "Jane <a@a.example>, b@b.example",
            "mailto:a@a.example,b@@b",
        ],
    );
    takes(
        &[IndicatorKind::Email],
        &[
            ("mailto:?to=a@a.example", "a@a.example"),
            ("mailto://a@a.example", "a@a.example"),
            ("mailto:a%40a.example", "a@a.example"),
            ("mailto:a@a.example?subject=b%40b.example", "a@a.example"),
            ("mailto:a@a.example?cc=a@A.example", "a@a.example"),
        ],
    );
}

/// Characters that no host holds end it, wherever a value with a host is read.
#[test]
fn what_stands_behind_a_host_is_no_part_of_it() {
    let host = "a.example";
    for behind in [
        "\u{1f600}",
        "\u{3001}",
        "\u{2019}",
        "\u{bb}",
        "\u{2014}x",
        "\u{2026}",
        "\u{ff09}",
        "\u{304b}\u{3089}\u{3069}\u{3046}\u{305e}",
        "\u{ff0c}x",
        "\u{1f600}/login",
    ] {
        for (kind, given, expected) in [
            (
                IndicatorKind::Hostname,
                format!("{host}{behind}"),
                host.to_owned(),
            ),
            (
                IndicatorKind::Url,
                format!("https://{host}{behind}"),
                format!("https://{host}/"),
            ),
            (
                IndicatorKind::Url,
                format!("hxxps://a[.]example{behind}"),
                format!("https://{host}/"),
            ),
            (
                IndicatorKind::Email,
                format!("x@{host}{behind}"),
                format!("x@{host}"),
            ),
        ] {
            takes(&[kind], &[(&given, &expected)]);
            let guessed = Indicator::read(&given).unwrap();
            assert_eq!(guessed.indicator.value(), expected, "{given}");
        }
    }
    takes(
        &[IndicatorKind::Hostname],
        &[
            ("\u{201e}a.example", "a.example"),
            ("\u{2192} a.example", "a.example"),
            ("a.com\u{1f600}.wikipedia.org", "a.com"),
        ],
    );
    // What a name holds, or what clients read as such, stays.
    for (given, expected) in [
        ("m\u{fc}nchen.de", "xn--mnchen-3ya.de"),
        ("career\u{24de}ffers.example", "careeroffers.example"),
        ("a\u{2024}example", "a.example"),
        ("i\u{2764}.ws", "xn--i-7iq.ws"),
        ("\u{201c}a.example\u{201d}", "a.example"),
    ] {
        let read = read(&[IndicatorKind::Hostname], given);
        assert_eq!(read, Some((expected.to_owned(), None)), "{given}");
    }
    // Of two things that could be meant, none is.
    refuses(
        &[IndicatorKind::Hostname, IndicatorKind::Email],
        &["x@a.example@b.example", "<x@a.example><y@b.example>"],
    );
    assert!(Indicator::read("x@a.example@b.example").is_err());
}
