//! Checks what is written in the vendor's query language.

use proptest::prelude::*;

use pivotd_domain::{Indicator, IndicatorKind};

use crate::threatconnect::tql;

fn holding(kind: IndicatorKind, value: &str) -> String {
    let text = tql::holding(&Indicator::parse(kind, value).unwrap());
    let (_, inner) = text.split_once("hasIndicator(").unwrap();
    inner.strip_suffix(')').unwrap().to_owned()
}

#[test]
fn indicators_are_searched_in_each_form_that_the_vendor_may_hold() {
    use IndicatorKind::{Email, Hash, Hostname, Ipv4, Ipv6, Url};
    let md5 = "a".repeat(32);
    let upper = md5.to_uppercase();
    let hash = format!("summary contains \"{md5}\" or summary contains \"{upper}\"");
    for (kind, value, expected) in [
        (Hostname, "WWW.Example.com", r#"summary = "www.example.com""#),
        (Ipv4, "192.0.2.1", r#"summary = "192.0.2.1""#),
        (
            Ipv6,
            "2001:db8::1",
            r#"summary in ("2001:db8::1", "2001:db8:0:0:0:0:0:1")"#,
        ),
        (Email, "a@example.com", r#"summary = "a@example.com""#),
        (
            Email,
            "Ann@example.com",
            r#"summary in ("Ann@example.com", "ann@example.com")"#,
        ),
        (
            Url,
            "http://example.com",
            r#"summary in ("http://example.com/", "http://example.com")"#,
        ),
        (
            Url,
            "http://example.com/a/?q='x'",
            r#"summary = "http://example.com/a/?q=%27x%27""#,
        ),
        (Hash, upper.as_str(), hash.as_str()),
    ] {
        assert_eq!(holding(kind, value), expected, "{value}");
    }
}

#[test]
fn incidents_are_searched_by_name_owner_or_all() {
    let text = |kind, value: &str| tql::incidents(&Indicator::parse(kind, value).unwrap());
    assert_eq!(text(IndicatorKind::Phrase, " * "), r#"typeName in ("Incident")"#);
    assert_eq!(
        text(IndicatorKind::Phrase, "O'Hara \\ \"x\" `y`"),
        r#"typeName in ("Incident") and summary contains "O\'Hara \\ \"x\" \`y\`""#
    );
    assert_eq!(
        text(IndicatorKind::Community, "Common Community"),
        r#"typeName in ("Incident") and ownerName = "Common Community""#
    );
    // An owner of that name is asked for, not all of them.
    assert!(text(IndicatorKind::Community, "*").ends_with("ownerName = \"*\""));
}

/// Reads a quoted string as the vendor's language does; returns it and what stands behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut letters = text.strip_prefix('"')?.chars();
    let mut out = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push(letters.next()?),
            '"' => return Some((out, letters.as_str())),
            '\'' | '`' => return None,
            other => out.push(other),
        }
    }
    None
}

proptest! {
    #[test]
    fn a_quoted_text_reads_as_itself_and_ends_where_it_ends(
        text in prop_oneof!["\\PC{0,40}", "[\\\\\"'`a) ]{0,24}"],
    ) {
        let quoted = tql::quoted(&text);
        prop_assert_eq!(unquoted(&quoted), Some((text, "")));
    }

    #[test]
    fn no_name_leaves_its_string(text in "[\\\\\"'`a) (=]{1,24}") {
        let Ok(phrase) = Indicator::parse(IndicatorKind::Phrase, &text) else { return Ok(()) };
        let written = tql::incidents(&phrase);
        let head = "typeName in (\"Incident\") and summary contains ";
        let (read, rest) = unquoted(written.strip_prefix(head).unwrap()).unwrap();
        prop_assert_eq!((read.as_str(), rest), (phrase.value(), ""));
    }
}
