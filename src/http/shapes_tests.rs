use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn values(kind: Option<Kind>, given: &Value) -> Vec<String> {
    let read: OneOrMany = serde_json::from_value(given.clone()).unwrap();
    let shown = |item: Item| match item {
        Item::Text(text) => text,
        Item::Other(word) => format!("<{word}>"),
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
        let found = apart(kind, &text);
        prop_assert!(found.iter().all(|value| !value.trim().is_empty()));
        // Whatever is told apart, what people read of it stays, in its order.
        let readable = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).collect()
        };
        if listed(&text, 0).is_none() {
            prop_assert_eq!(readable(&found.concat()), readable(&text));
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
