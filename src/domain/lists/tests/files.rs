use super::*;

fn read(purpose: Purpose, text: &str) -> Result<(Lists, usize), (usize, String)> {
    let mut lists = Lists::default();
    let count = lists.add(purpose, text, "list.txt")?;
    Ok((lists, count))
}

fn refused(purpose: Purpose, text: &str) -> (usize, String) {
    read(purpose, text).unwrap_err()
}

#[test]
fn a_broken_list_names_the_line() {
    let (line, reason) = refused(Purpose::DynamicDns, "fine.example\nnot a name\n");
    assert_eq!(line, 2);
    assert_eq!(reason, "expected a domain, found \"not a name\"");
    let (line, _) = refused(Purpose::Sinkhole, "{\n \"list\": [1]}");
    assert_eq!(line, 2);
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
    assert_eq!(line, 2);
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
