use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn values(kind: Option<Kind>, given: &Value) -> Vec<String> {
    let read: OneOrMany = serde_json::from_value(given.clone()).unwrap();
    let shown = |item: Item| match item {
        Item::Text(text) => text,
        Item::Other(word) => format!("<{word}>"),
        Item::Long(_) | Item::More | Item::Rest => "<more>".to_owned(),
    };
    read.values(kind).map(shown).collect()
}

#[test]
fn values_are_found_in_every_shape_that_templates_write() {
    let two = ["a.example", "b.example"];
    for given in [
        json!(two),
        json!([null, "a.example", "", null, "b.example", " "]),
        json!([["a.example"], [], [["b.example"]]]),
        json!("a.example, b.example"),
        json!("a.example,b.example,"),
        json!("a.example; b.example"),
        json!("a.example b.example"),
        json!("a.example\nb.example\n"),
        json!("a.example\r\n\r\n  b.example"),
        json!(["a.example\nb.example"]),
        json!("[\"a.example\", \"b.example\"]"),
        json!(" [\"a.example\", null, \"b.example\", \"\"] "),
        json!("['a.example', 'b.example']"),
        json!(["[\"a.example\"]", "b.example"]),
    ] {
        assert_eq!(values(Some(Kind::Domain), &given), two, "{given}");
        assert_eq!(values(None, &given), two, "{given}");
    }
    for empty in [
        json!(null),
        json!(""),
        json!([]),
        json!([null, ""]),
        json!("[]"),
        json!("\n"),
    ] {
        let read: Option<OneOrMany> = serde_json::from_value(empty.clone()).unwrap();
        let found: Vec<Item> = read.iter().flat_map(|read| read.values(Some(Kind::Ip))).collect();
        assert!(found.is_empty(), "{empty}");
    }
    assert_eq!(
        values(Some(Kind::Hash), &json!([12, -3, 1.5])),
        ["12", "-3", "1.5"]
    );
    assert_eq!(
        values(
            Some(Kind::Ip),
            &json!(["192.0.2.1", {"a": [1]}, true, "192.0.2.2"])
        ),
        ["192.0.2.1", "<an object>", "<true or false>", "192.0.2.2"]
    );
}

#[test]
fn links_keep_their_commas_and_are_taken_apart_before_a_scheme() {
    assert_eq!(
        values(Some(Kind::Url), &json!("https://a.example/x,y;z")),
        ["https://a.example/x,y;z"]
    );
    for given in [
        "https://a.example/, http://b.example/",
        "https://a.example/,http://b.example/",
        "https://a.example/ http://b.example/",
        "https://a.example/\nhttp://b.example/",
        "https://a.example/;http://b.example/",
        "[\"https://a.example/\",\"http://b.example/\"]",
    ] {
        assert_eq!(
            values(Some(Kind::Url), &json!(given)),
            ["https://a.example/", "http://b.example/"],
            "{given}"
        );
    }
    assert_eq!(
        values(Some(Kind::Url), &json!("a.example/x, b.example/y")),
        ["a.example/x", "b.example/y"]
    );
    assert_eq!(
        values(Some(Kind::Url), &json!("https://a.example/?u=http://b.example/")),
        ["https://a.example/?u=http://b.example/"]
    );
}

#[test]
fn mailboxes_keep_their_names() {
    let email = |given: &str| values(Some(Kind::Email), &json!(given));
    assert_eq!(email("a@x.example, b@y.example"), ["a@x.example", "b@y.example"]);
    assert_eq!(email("a@x.example;b@y.example"), ["a@x.example", "b@y.example"]);
    assert_eq!(email("a@x.example b@y.example"), ["a@x.example", "b@y.example"]);
    assert_eq!(
        email("Doe, Jo <jo@x.example>, \"Roe, Al; x\" <al@y.example>"),
        ["Doe, Jo <jo@x.example>", "\"Roe, Al; x\" <al@y.example>"]
    );
}

#[test]
fn that_there_are_more_values_than_are_looked_at_is_told() {
    let many = vec!["https://a.example/"; MOST_VALUES];
    let last = |given: Value| {
        let read: OneOrMany = serde_json::from_value(given).unwrap();
        let found: Vec<Item> = read.values(Some(Kind::Url)).collect();
        (found.len(), found.last().cloned().unwrap())
    };
    let good = Item::Text("https://a.example/".to_owned());
    let exactly = [
        json!(many),
        json!(many.join(" ")),
        json!(many.join("\n")),
        json!(json!(many).to_string()),
        json!([many[1..].join(", "), many[0]]),
    ];
    for given in exactly {
        assert_eq!(last(given), (MOST_VALUES, good.clone()));
    }
    let evil = "https://evil.example/";
    let mut longer = many.clone();
    longer.push(evil);
    let more = [
        json!(longer),
        json!([many, [evil, evil]]),
        json!([many, [true]]),
        json!(longer.join(" ")),
        json!(longer.join("\n")),
        json!(json!(longer).to_string()),
        json!([many.join(", "), evil]),
    ];
    for given in more {
        assert_eq!(last(given), (MOST_VALUES + 1, Item::More));
    }
}

/// Returns the values of a text, and whether it was looked at as a whole.
fn results(kind: Option<Kind>, text: &str) -> (usize, bool) {
    let read: OneOrMany = serde_json::from_value(json!(text)).unwrap();
    let found: Vec<Item> = read.values(kind).collect();
    let is_whole = !found.iter().any(Item::is_more);
    (found.len(), is_whole)
}

#[test]
fn what_a_text_costs_grows_with_its_length_and_is_bounded() {
    // Each would take minutes to hours where parts are looked at again for each part before them.
    const LENGTH: usize = MOST_BYTES / 2;
    for part in [
        "a ",
        "\\n",
        "<br> ",
        "\\naaaa",
        "a\u{2014}",
        "/a.b\u{2014}",
        "((",
        "http://a.b ",
    ] {
        for kind in [None, Some(Kind::Url), Some(Kind::Domain)] {
            let (count, _) = results(kind, &part.repeat(LENGTH / part.len()));
            assert!(count <= MOST_VALUES + 1, "{part}: {count}");
        }
        assert!(
            !results(None, &part.repeat(2 * MOST_BYTES / part.len())).1,
            "{part}"
        );
    }
    let words = "a.b c ".repeat(MOST_WORDS + 1);
    assert!(!results(Some(Kind::Domain), &words).1);
    // What is no value by its letters costs nothing.
    let plain = format!("{}a.example b.example", "word ".repeat(MOST_WORDS + 1));
    assert_eq!(results(Some(Kind::Domain), &plain), (3, true));
}

#[test]
fn a_text_is_looked_at_up_to_a_bound_and_the_rest_is_told() {
    let many = "a.example ".repeat(MOST_BYTES / 10 + 1);
    let told = |given: Value| {
        let read: OneOrMany = serde_json::from_value(given).unwrap();
        let mut asked = crate::ask::score::Alert::default();
        crate::http::soar::values::add(&mut asked, Some(Kind::Ip), &read);
        asked
            .excess
            .iter()
            .map(|one| one.reason.clone())
            .collect::<Vec<_>>()
    };
    let long = format!("192.0.2.1 {}", "\u{e9} ".repeat(MOST_BYTES));
    for given in [
        json!(long),
        json!([long]),
        json!(["192.0.2.1", long, "192.0.2.2"]),
    ] {
        let told = told(given);
        assert!(told.len() == 1 && told[0].contains("262144 bytes"), "{told:?}");
    }
    // A list that is a text is one still where it is cut.
    assert!(
        !results(
            Some(Kind::Domain),
            &json!(vec!["a.example"; MOST_BYTES / 10]).to_string()
        )
        .1
    );
    // One that holds nothing keeps its place.
    let read: OneOrMany = serde_json::from_value(json!([
        null,
        "",
        "a.example",
        " ",
        ["b.example", null],
        {},
        "c.example"
    ]))
    .unwrap();
    let places: Vec<usize> = read.elements().iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [2, 4, 6, 7]);
    let one: OneOrMany = serde_json::from_value(json!(["", "a.example"])).unwrap();
    assert_eq!(one.elements().first().map(|(place, _)| *place), Some(1));
    // Of a batch each element is answered.
    let read: OneOrMany = serde_json::from_value(json!(["a.example", many])).unwrap();
    let elements = read.elements();
    assert!(elements.len() == 2 && elements[1].1.text().unwrap_err().1.contains("262144 bytes"));
}

proptest! {
    #[test]
    fn a_plain_word_is_no_value(word in "[0-9A-Za-z]{1,31}") {
        if crate::http::soar::lines::is_plain_word(&word) {
            prop_assert!(crate::domain::Indicator::guess(&word).is_err(), "{word}");
            for kind in Kind::ALL {
                prop_assert!(kind.read(&word).is_err(), "{word}");
            }
        }
    }
}

#[test]
fn long_white_space_takes_no_longer_than_other_text() {
    // A test of every space against all that follow would take minutes.
    let text = format!("https://a.example/{}b", " ".repeat(100_000));
    assert_eq!(
        apart(Some(Kind::Url), &text, &ReadBudget::default()),
        std::slice::from_ref(&text)
    );
    let two = format!(
        "https://a.example/{}https://b.example/",
        " \u{3000}".repeat(50_000)
    );
    assert_eq!(
        apart(Some(Kind::Url), &two, &ReadBudget::default()),
        ["https://a.example/", "https://b.example/"]
    );
}

#[test]
fn a_member_that_is_no_value_is_refused() {
    for wrong in [json!({"value": 1}), json!(true)] {
        let error = serde_json::from_value::<OneOrMany>(wrong.clone()).unwrap_err();
        assert_eq!(error.to_string(), "expected a text or a list of texts", "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_text_is_lost_and_none_panics(text in ".{0,60}", kind in 0_usize..6) {
        let kind = Kind::ALL.get(kind).copied();
        let found = apart(kind, &text, &ReadBudget::default());
        prop_assert!(found.iter().all(|value| !value.trim().is_empty()));
        // Whatever is told apart, what people read of it stays, in its order.
        // The ends of lines that are written out are no text.
        let readable = |text: &str| -> String {
            let ends = ["\\r", "\\n", "\\t", "<br>", "<br/>", "<br />", "<BR>", "<BR/>", "<BR />", "<Br>"];
            let text = ends.iter().fold(text.to_owned(), |text, end| text.replace(end, "\0"));
            text.chars().filter(|c| c.is_alphanumeric()).collect()
        };
        if listed(&text, 0).is_none() {
            prop_assert_eq!(readable(&found.join("\0")), readable(&text));
        }
    }

    #[test]
    fn junk_beside_good_values_costs_none_of_them(
        junk in prop_oneof![
            Just(json!(null)), Just(json!(1)), Just(json!({})), Just(json!([])), Just(json!(true)), Just(json!(1e300)),
            ".{0,40}".prop_map(Value::from),
        ],
        at in 0_usize..3,
    ) {
        let mut list = vec![json!("a.example"), json!("b.example")];
        list.insert(at, junk);
        let found = values(Some(Kind::Domain), &Value::from(list));
        for good in ["a.example", "b.example"] {
            prop_assert!(found.iter().any(|value| value == good), "{found:?}");
        }
    }
}

#[test]
fn a_link_begins_with_any_spelling_of_its_scheme() {
    for second in [
        "hxxp(:)//b.example/",
        "hxxp[://]b.example/",
        "http:[/][/]b.example/",
        "https:\\\\b.example",
    ] {
        let given = json!(format!("https://a.example/,{second}"));
        assert_eq!(
            values(Some(Kind::Url), &given),
            ["https://a.example/", second],
            "{second}"
        );
    }
}

#[test]
fn what_is_left_of_a_text_is_a_value_too() {
    let [md5, sha1] = [32, 40].map(|len| "ab".repeat(len / 2));
    let two = format!("{md5} {md5}");
    let [first, second] = [format!("MD5: {md5}"), format!("SHA1: {sha1}")];
    let labelled = format!("{first} {second}");
    let files = format!("{md5}  a.exe {sha1}  b.exe");
    let [one, other] = [format!("{md5} a.exe"), format!("{sha1} b.exe")];
    let mixed = format!("https://a.example/ {md5}");
    for (kind, given, expected) in [
        (
            Some(Kind::Domain),
            "https://a.example/ https://b.example/",
            vec!["https://a.example/", "https://b.example/"],
        ),
        (
            Some(Kind::Domain),
            "a.example/x b.example/y",
            vec!["a.example/x", "b.example/y"],
        ),
        (
            Some(Kind::Domain),
            "a.example\u{3001}b.example",
            vec!["a.example", "b.example"],
        ),
        (
            Some(Kind::Domain),
            "a.example\u{2014}b.example",
            vec!["a.example", "b.example"],
        ),
        (
            Some(Kind::Domain),
            "https://a.example/ hxxps://b[x",
            vec!["https://a.example/", "hxxps://b[x"],
        ),
        (Some(Kind::Domain), &mixed, vec!["https://a.example/", &md5]),
        (Some(Kind::Domain), "example [.] com", vec!["example [.] com"]),
        (
            Some(Kind::Domain),
            "\u{201c}a.example\u{201d}",
            vec!["\u{201c}a.example\u{201d}"],
        ),
        (
            Some(Kind::Url),
            "https://a.example/x b.example/y",
            vec!["https://a.example/x", "b.example/y"],
        ),
        (
            Some(Kind::Url),
            "https://a.example/x b.example",
            vec!["https://a.example/x", "b.example"],
        ),
        (Some(Kind::Url), &mixed, vec!["https://a.example/", &md5]),
        (
            Some(Kind::Url),
            "https://a.example\u{3001}b.example",
            vec!["https://a.example", "b.example"],
        ),
        (
            Some(Kind::Url),
            "https://a.example/my file.pdf",
            vec!["https://a.example/my file.pdf"],
        ),
        (
            Some(Kind::Url),
            "hxxp://www . b.example/a",
            vec!["hxxp://www . b.example/a"],
        ),
        (Some(Kind::Hash), &two, vec![&md5, &md5]),
        (Some(Kind::Hash), &labelled, vec![&first, &second]),
        (Some(Kind::Hash), &files, vec![&one, &other]),
        (None, &one, vec![&one]),
        (
            Some(Kind::Email),
            "<x@a.example><y@b.example>",
            vec!["<x@a.example>", "<y@b.example>"],
        ),
        (
            Some(Kind::Email),
            "X <x@a.example> Y <y@b.example>",
            vec!["X <x@a.example>", "Y <y@b.example>"],
        ),
        (
            Some(Kind::Email),
            "x@a.example b.example",
            vec!["x@a.example", "b.example"],
        ),
        (
            Some(Kind::Email),
            "x@a.example@b.example",
            vec!["x@a.example@b.example"],
        ),
    ] {
        assert_eq!(values(kind, &json!(given)), expected, "{given}");
    }
}

#[test]
fn line_ends_that_are_written_out_separate_values() {
    for given in [
        r"a.example\nb.example",
        r"a.example\r\nb.example\r\n",
        r"a.example\tb.example",
        "a.example<br>b.example",
        "a.example <br/> b.example",
    ] {
        for kind in [Some(Kind::Domain), None] {
            assert_eq!(values(kind, &json!(given)), ["a.example", "b.example"], "{given}");
        }
    }
    assert_eq!(
        values(Some(Kind::Ip), &json!(r"10.0.0.1\n198.51.100.7")),
        ["10.0.0.1", "198.51.100.7"]
    );
    for given in [
        r"https://a.example/a\nhttps://b.example/b",
        "https://a.example/ahttps://b.example/b",
        r"https:\/\/a.example\/a\nhttps:\/\/b.example\/b",
    ] {
        assert_eq!(
            values(Some(Kind::Url), &json!(given)),
            ["https://a.example/a", "https://b.example/b"],
            "{given}"
        );
    }
    for whole in [
        r"https://a.example\news.html",
        "https://a.example/?u=x%3Dhttps://b.example/",
        "https://web.archive.example/web/2026/https://b.example/",
    ] {
        assert_eq!(values(Some(Kind::Url), &json!(whole)), [whole]);
    }
}

#[test]
fn links_with_a_label_are_links() {
    for given in [
        "<https://a.example/b|label>",
        "<https://a.example/b|a.example>",
        "[label](https://a.example/b)",
        "[https://a.example/b|https://a.example/b]",
    ] {
        assert_eq!(
            values(Some(Kind::Url), &json!(given)),
            ["https://a.example/b"],
            "{given}"
        );
    }
    assert_eq!(
        values(Some(Kind::Domain), &json!("[b.example](https://a.example/)")),
        ["https://a.example/", "b.example"]
    );
    assert_eq!(
        values(Some(Kind::Url), &json!("URL: https://a.example/")),
        ["URL: https://a.example/"]
    );
}

#[test]
fn a_word_for_nothing_is_no_value() {
    for word in ["None", "null", "undefined", "NaN", "N/A", " - "] {
        let read: OneOrMany = serde_json::from_value(json!([word, "a.example"])).unwrap();
        assert_eq!(read.absent().collect::<Vec<_>>(), [word.trim()]);
        assert_eq!(
            values(Some(Kind::Domain), &json!([word, "a.example"])),
            ["a.example"]
        );
    }
    // Of a batch each element is answered.
    assert_eq!(values(None, &json!(["None"])), ["None"]);
}
