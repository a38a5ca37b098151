//! Links in running text, in pages, calendars and attached files.

use proptest::prelude::*;

use super::*;

fn urls(text: &str) -> Vec<String> {
    let read = read_text(text);
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

#[test]
fn what_belongs_to_the_sentence_is_no_part_of_a_link() {
    let link = "https://a.example/p";
    for around in [
        "\u{201e}L\u{201c}",
        "\u{2019}L\u{2019}",
        "\u{ab}L\u{bb}",
        "\u{2014}L\u{2014}",
        "\u{2013}L\u{2013}x",
        "\u{3001}L\u{3002}",
        "\u{ff08}L\u{ff09}",
        "L\u{ff0c}x",
        "\u{300c}L\u{300d}",
        "L\u{1f600}",
        "L\u{2026}",
        "L\u{61f}",
        "L\u{37e}",
        "L\u{5be}",
        "L\u{200b}",
        "L\u{feff}",
        "(L)",
        "[L]",
        "{L}",
        "<L>",
        "\"L\"",
        "'L'",
        "`L`",
        "*L*",
        "_L_",
        "~L~",
        "L,",
        "L;",
        "L:",
        "L!",
        "L?",
        "L...",
        "a,L",
        "L|x",
        "[L](L)",
        "[x](L)",
        "![x](L \"t\")",
        "(see L).",
        "L\r\n",
        "<url:L>",
        "L, L; L",
        "L,L",
        "L;L",
        "(L)(L)",
        "x:L",
    ] {
        assert_eq!(urls(&around.replace('L', link)), [link], "{around}");
        // The same holds where only a host stands there.
        assert_eq!(
            urls(&around.replace('L', "https://a.example")),
            ["https://a.example/"],
            "{around}"
        );
    }
}

#[test]
fn links_side_by_side_are_all_read() {
    let two = ["https://a.example/x", "https://b.example/y"];
    for text in [
        "[A](B)",
        "(A)(B)",
        "A,B",
        "A, B",
        "A;B",
        "A B",
        "<A><B>",
        "\"A\" \"B\"",
        "[A]\r\n(B)",
        "A|B",
        "[![A](A)](B)",
        "[A]: B",
        "A\u{3001}B",
    ] {
        let text = text.replace('A', two[0]).replace('B', two[1]);
        assert_eq!(urls(&text), two, "{text}");
    }
    let hosts = "[https://www.a.example](https://b.example/login)";
    assert_eq!(urls(hosts), ["https://www.a.example/", "https://b.example/login"]);
}

#[test]
fn links_keep_what_is_theirs() {
    for (text, expected) in [
        ("https://a.example/wiki_(x)", "https://a.example/wiki_(x)"),
        ("(https://a.example/wiki_(x))", "https://a.example/wiki_(x)"),
        ("https://a.example/a,b;c", "https://a.example/a,b;c"),
        (
            "https://m\u{fc}nchen.example/stra\u{df}e",
            "https://xn--mnchen-3ya.example/stra%C3%9Fe",
        ),
        (
            "https://\u{4f8b}\u{3048}.example/\u{9053}\u{3002}",
            "https://xn--r8jz45g.example/%E9%81%93",
        ),
        ("http://user:pass@a.example:8080/x", "http://a.example:8080/x"),
        // What stands before an at sign is not asked.
        (
            "https://www.bank.example&login=1@evil.example/x",
            "https://evil.example/x",
        ),
        ("https://www.bank.example,x@evil.example", "https://evil.example/"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("https:\\\\a.example\\x", "https://a.example/x"),
        // Browsers leave these out of a host, and take the other for a dot.
        ("https://ev\u{ad}il.example/x", "https://evil.example/x"),
        ("https://evil\u{3002}example/x", "https://evil.example/x"),
        ("www.a.example/x", "http://www.a.example/x"),
        (
            "<https://a.example/long/\r\npath/x>",
            "https://a.example/long/path/x",
        ),
    ] {
        assert_eq!(urls(text), [expected], "{text}");
    }
    assert!(urls("w www. x@www.a.example https:// http:/// ://").is_empty());
}

#[test]
fn defanged_links_are_read_like_defanged_members() {
    for text in [
        "hxxps://a[.]example/p",
        "hXXps://a.example/p",
        "https://a[.]example/p",
        "https[:]//a[.]example/p",
        "hxxps[:]//a[.]example/p",
        "hxxps[://]a[.]example/p",
        "hxxps(:)//a(.)example/p",
        "hxxps:[//]a[.]example/p",
        "hxxps:[/][/]a[.]example[/]p",
        "https://a[.]example[/]p",
        "h**ps://a[dot]example/p",
        "hxxps://a (dot) example/p",
        "hxxps://a{.}example/p,",
        "(hxxps://a[.]example/p)",
    ] {
        assert_eq!(urls(text), ["https://a.example/p"], "{text}");
    }
    assert_eq!(urls("www[.]a[.]example/p"), ["http://www.a.example/p"]);
}

#[test]
fn a_link_that_cannot_be_read_is_named() {
    let long = format!("https://long.example/{}", "a".repeat(5_000));
    let read = read_text(&long);
    assert_eq!(
        (of(&read, "url"), read.unreadable.len()),
        (vec!["long.example"], 1)
    );
    for (text, shown) in [
        ("http://a.example:99999/x", "http://a.example:99999/x"),
        ("http://[broken/", "http://[broken/"),
    ] {
        let read = read_text(text);
        assert!(of(&read, "url").is_empty());
        let named: Vec<_> = read
            .unreadable
            .iter()
            .map(|one| (one.role, one.value.as_str()))
            .collect();
        assert_eq!(named, [("url", shown)], "{text}");
    }
}

#[test]
fn flowed_lines_and_soft_breaks_are_joined() {
    let message = "From: a@b.example\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\n\
        see https://a.example/long \r\n/path \r\n/x\r\n-- \r\nhttps://b.example/\r\n";
    let read = reading(message.as_bytes()).unwrap();
    assert_eq!(
        of(&read, "url"),
        ["https://a.example/long/path/x", "https://b.example/"]
    );
    let message = "From: a@b.example\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\n\
        > https://a.ex \r\n> ample/ \r\n> x\r\n>> https://c.ex \r\n> ample\r\n https://d.ex \r\n ample/\r\n";
    let found = reading(message.as_bytes()).unwrap();
    assert_eq!(
        of(&found, "url"),
        ["https://a.example/x", "https://c.ex/", "https://d.example/"]
    );
    let message = "From: a@b.example\r\nContent-Transfer-Encoding: Quoted-Printable (x)\r\n\r\nhttps://a.exam=  \r\nple/x=\r\ny\r\n";
    assert_eq!(
        of(&reading(message.as_bytes()).unwrap(), "url"),
        ["https://a.example/xy"]
    );
}

#[test]
fn calendars_are_unfolded_and_unescaped() {
    let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1@x.example\r\nORGANIZER;DIR=\"https://dir.example/\r\n d\":mailto:a@b.example\r\n\
        DESCRIPTION:Join https://one.exam\r\n ple/room\\nPass 1\\, or https://two.example/y\\; bye\r\nURL;VALUE=URI:https://three.example/u\r\n\
        LOCATION:https://four.example/l\\, room\r\nATTACH:https://five.example/f.pdf\r\nX-ALT-DESC;FMTTYPE=text/html:<a href=\"https://six.example/\r\n \
        h\">x</a>\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    for head in [
        "Content-Type: text/calendar; charset=utf-8; method=REQUEST",
        "Content-Type: application/octet-stream; name=invite.ics\r\nContent-Disposition: attachment",
    ] {
        let read = reading(format!("From: a@b.example\r\n{head}\r\n\r\n{calendar}").as_bytes()).unwrap();
        assert_eq!(
            of(&read, "url"),
            [
                "https://dir.example/d",
                "https://one.example/room",
                "https://two.example/y",
                "https://three.example/u",
                "https://four.example/l",
                "https://five.example/f.pdf",
                "https://six.example/h",
            ],
            "{head}"
        );
        let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert!(of(&read, "attachment").contains(&hello), "{head}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_hosts_of_a_text_do_not_depend_on_the_punctuation_around(
        hosts in proptest::collection::btree_set("[a-z]{3,9}", 1..6),
        before in "[\u{201e}\u{ab}\u{2014}\u{3001}\u{ff08}\u{1f600}(<\"' ]{0,3}",
        after in "[\u{201c}\u{bb}\u{2014}\u{3002}\u{ff09}\u{1f600})>\"',;:!.? ]{0,3}",
        path in "(/[a-z0-9]{1,8}){0,2}",
    ) {
        let links = hosts.iter().map(|host| format!("{before}https://{host}.example{path}{after}"));
        let text: Vec<String> = links.collect();
        let read = read_text(&text.join("\r\n"));
        let mut found: Vec<String> = read.indicators.iter().filter(|one| one.role == "url").filter_map(|one| one.indicator.host()).collect();
        found.sort();
        let expected: Vec<String> = hosts.iter().map(|host| format!("{host}.example")).collect();
        prop_assert_eq!(found, expected);
        prop_assert!(read.unreadable.is_empty());
    }

    #[test]
    fn any_text_is_read(text in "(https?|hxxp|www\\.|[:/.,;()\\[\\]{}<>@ \r\n\u{3002}\u{201d}a-c\u{fc}]){0,60}") {
        let read = read_text(&text);
        prop_assert!(read.indicators.len() <= MAX_INDICATORS);
    }
}

#[test]
fn defanged_links_of_texts_are_those_of_members() {
    for text in [
        "hxxps://evil\\.example/login",
        "httxs://evil.example/login",
        "https[:]//evil(.)example/login",
        "hxxps[:/]/evil.example/login",
        // The dots of a live one, too.
        "https://evil\\.example/login",
    ] {
        assert_eq!(urls(text), ["https://evil.example/login"], "{text}");
        let member = Indicator::parse(IndicatorKind::Url, text).unwrap();
        assert_eq!(member.value(), "https://evil.example/login", "{text}");
    }
    // A client goes to the address.
    assert_eq!(
        urls("https://0xc6336407\\.wikipedia\\.org/"),
        ["https://198.51.100.7/.wikipedia/.org/"]
    );
    let page =
        "From: a@b.example\r\nContent-Type: text/html\r\n\r\n<a href='hxxps://evil[.]example/login'>x</a>";
    let read = reading(page.as_bytes()).unwrap();
    assert_eq!(of(&read, "url"), ["https://evil.example/login"]);
}

#[test]
fn names_with_dots_in_brackets_are_links() {
    for text in [
        "evil[.]example/login",
        "see evil[.]example/login, please",
        "(evil[.]example/login)",
        "Host: evil(dot)example/login",
    ] {
        assert_eq!(urls(text), ["http://evil.example/login"], "{text}");
    }
    assert_eq!(
        urls("login.evil[.]example[.]test or 192[.]0[.]2[.]44:8080/x"),
        ["http://login.evil.example.test/", "http://192.0.2.44:8080/x"]
    );
    for text in [
        "desk@evil[.]example",
        "desk[at]mail[.]evil[.]example",
        "a[.]b",
        "x[.] y",
        "[.]",
        "array[0].length",
    ] {
        assert!(urls(text).is_empty(), "{text}: {:?}", urls(text));
    }
}

#[test]
fn what_ends_within_its_host_hides_no_link_behind_it() {
    for text in [
        "http://a[]/http://evil.example/x",
        "http://a[/http://evil.example/x",
        "hxxp://a{b/http://evil.example/x",
    ] {
        assert!(
            urls(text).contains(&"http://evil.example/x".to_owned()),
            "{text}: {:?}",
            urls(text)
        );
    }
}

#[test]
fn links_of_other_schemes_lead_to_the_server_that_they_name() {
    let page = |link: &str| {
        let message = format!("From: a@b.example\r\nContent-Type: text/html\r\n\r\n<a href=\"{link}\">x</a>");
        reading(message.as_bytes()).unwrap()
    };
    for (link, expected) in [
        ("file://evil.example/share/a.lnk", "evil.example"),
        ("file:////evil.example/share", "evil.example"),
        ("\\\\evil.example@8080\\share", "evil.example"),
        ("webcal://evil.example/cal.ics", "https://evil.example/cal.ics"),
        (
            "ms-word:ofe|u|https://evil.example/a.docx",
            "https://evil.example/a.docx",
        ),
        (
            "search-ms:query=x&amp;crumb=location:%5C%5Cevil.example%5Cshare",
            "evil.example",
        ),
        ("smb://192.0.2.44/x", "192.0.2.44"),
        (
            "javascript:location='https://evil.example/a'",
            "https://evil.example/a",
        ),
    ] {
        assert_eq!(of(&page(link), "url"), [expected], "{link}");
    }
    for link in [
        "mailto:a@b.example?body=x",
        "cid:image001.png@01D",
        "tel:+15550100",
        "about:blank",
        "javascript:void(0)",
        "file:///C:/Users/x/a.png",
        "C:\\Users\\x\\a.png",
        "x-apple-data-detectors://0",
        "#top",
        "/relative?a=b:c",
        "\\\\server\\share",
    ] {
        let read = page(link);
        assert!(
            of(&read, "url").is_empty() && read.unreadable.is_empty(),
            "{link}: {read:?}"
        );
    }
    for link in ["ms-msdt:/id PCWDiagnostic", "view-source:x"] {
        assert_eq!(page(link).unreadable.len(), 1, "{link}");
    }
    assert_eq!(urls("open \\\\evil.example\\share\\a.lnk now"), ["evil.example"]);
    assert_eq!(urls("open file://evil.example/share now"), ["evil.example"]);
}

#[test]
fn what_is_named_of_links_has_neither_user_nor_query() {
    let read = read_text(
        "http://jane:secret@a.example:99999/x?token=1 https://nam02.safelinks.protection.outlook.com/?data=jane#secret",
    );
    let named: Vec<_> = read
        .unreadable
        .iter()
        .chain(&read.sealed)
        .map(|one| one.value.as_str())
        .collect();
    assert_eq!(
        named,
        [
            "http://a.example:99999/x",
            "https://nam02.safelinks.protection.outlook.com/"
        ]
    );
}

/// A host that is cut where it goes on is no name of one's own network: it is read as members are, or named.
#[test]
fn no_link_is_cut_to_a_label_and_passed_over() {
    for link in [
        "https://career\u{24de}ffers.example/login",
        "https://\u{24d2}areeroffers.example/login",
        "https://careeroffers[.example/login",
        "https://careeroffers.]example/login",
        "https://careeroffers(.example/login",
        "https://career\u{200d}offers.example/login",
        "https://careeroffers\u{2024}example/login",
        "hxxps://careeroffers[.example/login",
    ] {
        for text in [
            link.to_owned(),
            format!("see {link}, please"),
            format!("<{link}>"),
        ] {
            let read = read_text(&text);
            assert_eq!(
                of(&read, "url"),
                ["https://careeroffers.example/login"],
                "{text}: {read:?}"
            );
        }
    }
    // Of several labels, too.
    assert_eq!(
        urls("https://login.career[.example/x or www.career[.example/x"),
        ["https://login.career.example/x", "http://www.career.example/x"]
    );
    for text in ["https://career[x.example/login", "http://intranet,b.example/x"] {
        let read = read_text(text);
        assert_eq!(
            (of(&read, "url").len(), read.unreadable.len()),
            (0, 1),
            "{text}: {read:?}"
        );
        assert!(ignored(&read).is_empty(), "{text}");
    }
    for text in [
        "http://intranet/x",
        "(http://intranet).",
        "http://intranet, b.example",
        "http://intranet\u{3002}",
        "\u{201e}http://intranet\u{201c}",
    ] {
        let read = read_text(text);
        assert!(read.unreadable.is_empty(), "{text}: {read:?}");
        assert_eq!(ignored(&read).len(), 1, "{text}");
    }
}

/// Scripts without spaces go on behind a link as if they were of it.
#[test]
fn what_is_written_behind_a_host_is_no_part_of_it() {
    for behind in [
        "\u{304b}\u{3089}\u{3069}\u{3046}\u{305e}",
        "\u{c5d0}\u{c11c}",
        "\u{2122}",
        "\u{3092}\u{898b}\u{308b}\u{3002}",
    ] {
        assert_eq!(
            urls(&format!("https://a.example{behind}")),
            ["https://a.example/"],
            "{behind}"
        );
        assert_eq!(
            urls(&format!("www.a.example{behind}")),
            ["http://www.a.example/"],
            "{behind}"
        );
    }
    assert_eq!(urls("https://\u{4f8b}\u{3048}.jp"), ["https://xn--r8jz45g.jp/"]);
}

#[test]
fn hosts_with_a_spelt_dot_or_a_line_end_within_are_read() {
    for text in [
        "https://career-offers[ . ]example/a",
        "https://career-offers[ dot ]example/a",
        "https://career-offers[d0t]example/a",
        "https://career-offers[punkt]example/a",
        "https://career-offers dot example/a",
        "https://career-offers DOT example/a",
        "https://career-offers.\r\nexample/a",
        "https://career-\r\noffers.example/a",
        "hxxp[s]://career-offers.example/a",
        "hxxp(s)://career-offers[.]example/a",
        "ht_tps://career-offers.example/a",
        "\"https:\\/\\/career-offers.example\\/a\"",
    ] {
        assert_eq!(urls(text), ["https://career-offers.example/a"], "{text}");
    }
    assert_eq!(urls("https://a.example.\r\nexample/b"), ["https://a.example/"]);
}

#[test]
fn links_with_no_space_between_are_several() {
    for text in [
        "https://a.example/ahttps://b.example/b",
        r"https://a.example/a\nhttps://b.example/b",
        r"https://a.example/a\r\nhttps://b.example/b",
    ] {
        assert_eq!(
            urls(text),
            ["https://a.example/a", "https://b.example/b"],
            "{text}"
        );
    }
    let inner = "https://a.example/r/https://b.example/";
    assert_eq!(urls(inner), [inner]);
}
