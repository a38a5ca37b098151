use super::*;

fn read(purpose: Purpose, text: &str) -> Result<(Lists, usize), (usize, String)> {
    let mut lists = Lists::default();
    let added = lists.add(purpose, text, "list.txt")?;
    assert_eq!((added.odd, added.named.len()), (0, 0), "{:?}", added.named);
    Ok((lists, added.entries))
}

fn refused(purpose: Purpose, text: &str) -> (usize, String) {
    read(purpose, text).unwrap_err()
}

#[test]
fn a_broken_list_names_the_line() {
    let (line, reason) = refused(Purpose::DynamicDns, "fine.example\nnot a name\n");
    assert_eq!(line, 2);
    assert_eq!(
        reason,
        "expected a domain, found \"not a name\"; 1 of 2 entries are odd, which is more than a tenth"
    );
    let (line, _) = refused(Purpose::Sinkhole, "{\n \"list\": [1,]}");
    assert_eq!(line, 2);
    let (line, reason) = refused(Purpose::Sinkhole, "{\n \"list\": [1]}");
    assert_eq!((line, reason.as_str()), (1, "entry 1: expected a text"));
    for (purpose, entry, expected) in [
        (Purpose::DynamicDns, "192.0.2.1", "expected a domain"),
        (Purpose::Popular, "192.0.2.0/24", "expected a domain"),
        (
            Purpose::Cdn,
            "com",
            "expected an address, a network or a host name",
        ),
        (
            Purpose::Cdn,
            "a@b.example",
            "expected an address, a network or a host name",
        ),
        (Purpose::EmptyFile, "b.example", "expected an MD5"),
        (Purpose::Own, "com", "expected a domain, an address, a network"),
        (Purpose::Own, "https://b.example/", "expected a domain"),
        (Purpose::Own, "0.0.0.0/0", "0.0.0.0/0 would be every address"),
        (Purpose::Cloud, "::/0", "::/0 would be every address"),
        (Purpose::Popular, "1,", "expected a domain"),
        (Purpose::Popular, "x,b.example", "expected a domain"),
    ] {
        let (line, reason) = refused(purpose, &format!("# top\n{entry}\n"));
        assert!(reason.starts_with(expected), "{entry}: {reason}");
        assert_eq!(line, 2, "{entry}");
    }
    let (_, reason) = refused(Purpose::Cdn, &"x ".repeat(500));
    assert!(reason.len() < 200, "{reason}");
}

/// What others' lists hold now and then, each with a purpose whose lists cannot have it.
const ODD: [(Purpose, &str); 12] = [
    (Purpose::Popular, "marketingplatform.google...."),
    (Purpose::Popular, "a..example"),
    (Purpose::Cdn, ".barclays"),
    (Purpose::Cloud, "fe80::1%eth0"),
    (Purpose::Resolver, "2001:db8::/129"),
    (Purpose::Sinkhole, "0.0.0.0/0"),
    (Purpose::Own, "not a name"),
    (Purpose::Trusted, "https://b.example/"),
    (Purpose::EmptyFile, "e3b0c442"),
    (Purpose::FreeMail, "mail example"),
    (Purpose::Disposable, "\u{fffd}.example"),
    (Purpose::Scanner, "192.0.2.0/33"),
];

fn good(purpose: Purpose, at: usize) -> String {
    if purpose == Purpose::EmptyFile {
        format!("{at:032x}")
    } else {
        format!("n{at}.example")
    }
}

#[test]
fn an_odd_entry_is_skipped_and_named_and_costs_no_other() {
    for (purpose, odd) in ODD {
        for place in [0, 7, 19] {
            let mut entries: Vec<String> = (0..19).map(|at| good(purpose, at)).collect();
            entries.insert(place, odd.to_owned());
            let text = format!("# theirs\n{}\n", entries.join("\n"));
            let json = serde_json::json!({"name": "Theirs", "list": entries}).to_string();
            for (text, named) in [
                (text, format!("line {}: ", place + 2)),
                (json, format!("entry {}: ", place + 1)),
            ] {
                let mut lists = Lists::default();
                let added = lists.add(purpose, &text, "theirs.txt").unwrap();
                assert_eq!((added.entries, added.odd), (19, 1), "{odd}");
                assert!(added.named[0].starts_with(&named), "{:?}", added.named);
                for at in 0..19 {
                    assert_eq!(shown(&lists, &good(purpose, at)).len(), 1, "{odd} {at}");
                }
            }
        }
    }
}

#[test]
fn an_entry_that_is_no_text_costs_no_other() {
    for odd in [
        "null",
        "1",
        "-1",
        "1.5",
        "true",
        "[\"a.example\", [1]]",
        "{\"a\": {\"b\": 1}}",
    ] {
        let good: Vec<String> = (0..10).map(|at| format!("\"n{at}.example\"")).collect();
        let text = format!("{{\"list\": [{odd}, {}]}}", good.join(","));
        let added = Lists::default().add(Purpose::Cdn, &text, "x").unwrap();
        assert_eq!((added.entries, added.odd), (10, 1), "{odd}");
        assert_eq!(added.named, ["entry 1: expected a text"]);
    }
}

#[test]
fn a_tenth_may_be_odd_and_no_more() {
    let read = |good: usize, odd: usize| {
        let mut text: String = (0..good).map(|at| format!("n{at}.example\n")).collect();
        text.extend((0..odd).map(|_| "not a name\n"));
        Lists::default().add(Purpose::Popular, &text, "x")
    };
    for (good, odd, taken) in [
        (9, 1, true),
        (8, 1, false),
        (90, 10, true),
        (90, 11, false),
        (0, 1, false),
        (0, 0, true),
    ] {
        assert_eq!(read(good, odd).is_ok(), taken, "{good} {odd}");
    }
    let added = read(900, 100).unwrap();
    assert_eq!((added.entries, added.odd, added.named.len()), (900, 100, 10));
    let (_, reason) = read(90, 11).unwrap_err();
    assert!(
        reason.ends_with("; 11 of 101 entries are odd, which is more than a tenth"),
        "{reason}"
    );
}

#[test]
fn lines_hold_names_in_any_spelling() {
    let text = "\u{feff}# ours\r\nBücher.Example. # with a comment\r\n\r\n*.lab.example\r\n.mil\r\ncorp\r\n";
    let (lists, count) = read(Purpose::Trusted, text).unwrap();
    assert_eq!(count, 4);
    for (value, entry) in [
        ("www.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("lab.example", "lab.example"),
        ("fleet.mil", "mil"),
        ("wiki.corp", "corp"),
    ] {
        assert_eq!(shown(&lists, value), [format!("trusted {entry}")], "{value}");
    }
    assert_eq!(lists.hits(&indicator("lab.example"))[0].list.as_ref(), "list.txt");
}

#[test]
fn top_lists_come_with_ranks() {
    let text =
        "rank,domain,hosts\n1,first.example,7\n 2 , second.example\n\"3\",\"third.example\"\r\n4,com\n";
    let (lists, count) = read(Purpose::Popular, text).unwrap();
    assert_eq!(count, 4);
    for name in ["first.example", "second.example", "third.example"] {
        assert_eq!(shown(&lists, &format!("www.{name}")), [format!("popular {name}")]);
    }
    let (line, _) = refused(Purpose::Popular, "1,first.example\nrank,domain\n");
    assert_eq!(line, 2, "a heading stands in the first line");
}

#[test]
fn warning_lists_say_how_their_entries_are_meant() {
    let list =
        |form: &str, entries: &str| format!(r#"{{"list": [{entries}], "type": "{form}", "name": "Theirs"}}"#);
    // Hosts, each by itself; a dot says that what is below is meant.
    let (lists, _) = read(
        Purpose::Popular,
        &list("string", r#""a.example", ".b.example", "\u0063.example""#),
    )
    .unwrap();
    assert_eq!(shown(&lists, "a.example"), ["popular a.example"]);
    assert!(shown(&lists, "www.a.example").is_empty());
    assert_eq!(shown(&lists, "www.b.example"), ["popular b.example"]);
    assert_eq!(shown(&lists, "c.example"), ["popular c.example"]);
    assert_eq!(lists.hits(&indicator("a.example"))[0].list.as_ref(), "Theirs");
    // Elsewhere a value is what the purpose says.
    let (lists, _) = read(Purpose::Shortener, &list("string", r#""a.example""#)).unwrap();
    assert_eq!(shown(&lists, "www.a.example"), ["shortener a.example"]);
    let (lists, _) = read(Purpose::Popular, &list("hostname", r#""a.example""#)).unwrap();
    assert_eq!(shown(&lists, "www.a.example"), ["popular a.example"]);
    let (lists, count) = read(
        Purpose::Resolver,
        &list("cidr", r#""192.0.2.7", "2001:db8::/32""#),
    )
    .unwrap();
    assert_eq!(count, 2);
    assert_eq!(shown(&lists, "192.0.2.7"), ["resolver 192.0.2.7"]);
    assert_eq!(shown(&lists, "2001:db8::9"), ["resolver 2001:db8::/32"]);
    let (lists, _) = read(
        Purpose::Disposable,
        &list("substring", r#""@bin.example", "bin2.example""#),
    )
    .unwrap();
    assert_eq!(shown(&lists, "a@bin.example"), ["disposable bin.example"]);
    assert_eq!(shown(&lists, "a@bin2.example"), ["disposable bin2.example"]);
}

#[test]
fn warning_lists_that_are_not_read_say_what_to_do() {
    for (purpose, text, expected) in [
        (
            Purpose::Own,
            r#"{"type": "regex", "list": ["^a\\."]}"#,
            "type regex: patterns are not read; write",
        ),
        (
            Purpose::Own,
            r#"{"type": "fuzzy", "list": []}"#,
            "type \"fuzzy\": expected string, hostname, cidr or substring",
        ),
        (
            Purpose::Disposable,
            r#"{"type": "substring", "list": ["a.example", "binmail"]}"#,
            "entry 2: expected a domain, since parts of values are not searched for, found \"binmail\"",
        ),
        (
            Purpose::Own,
            r#"{"type": "substring", "list": ["192.0.2.1"]}"#,
            "entry 1: expected a domain, since",
        ),
        (
            Purpose::Cdn,
            r#"{"type": "cidr", "list": ["192.0.2.0/24", "192.0.2.0/33"]}"#,
            "entry 2: expected an address",
        ),
        (Purpose::Cdn, r#"{"name": "x"}"#, "missing field `list`"),
    ] {
        let (line, reason) = refused(purpose, text);
        assert!(reason.starts_with(expected), "{reason}");
        assert_eq!(line, 1);
    }
}

#[test]
fn an_entry_that_is_read_twice_is_one_entry_and_the_wider_meaning_holds() {
    let narrow = r#"{"type": "string", "name": "one", "list": ["a.example"]}"#;
    let wide = r#"{"type": "hostname", "name": "one", "list": ["a.example"]}"#;
    for order in [[narrow, wide], [wide, narrow], [wide, wide]] {
        let mut lists = Lists::default();
        for text in order {
            lists.add(Purpose::Popular, text, "x").unwrap();
        }
        assert_eq!(shown(&lists, "www.a.example"), ["popular a.example"]);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics_the_reader(text in ".{0,80}", entry in "[-@.*#,:/a-z0-9é\"]{0,40}") {
        for purpose in Purpose::ALL {
            for text in [
                text.clone(),
                entry.clone(),
                format!("1,{entry}"),
                serde_json::json!({"type": "substring", "list": [entry.clone(), text.clone()]}).to_string(),
                format!("{{\"list\": {text}}}"),
            ] {
                // Whatever was read, it is found again without a panic.
                let mut lists = Lists::default();
                let _ = lists.add(purpose, &text, "x");
                if let Ok(asked) = Indicator::guess(&entry) {
                    let _ = lists.hits(&asked);
                }
            }
        }
    }
}
