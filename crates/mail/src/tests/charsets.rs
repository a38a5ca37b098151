//! Charsets of texts: wide characters in either order, and what contradicts itself.

use base64::Engine as _;

use super::*;

const PAGE: &str = "<p>Sign in</p><a href=\"https://shop-offers.example/in\">x</a>";

/// Returns a text in four-octet or two-octet characters.
fn wide(text: &str, octets: usize, is_big: bool) -> Vec<u8> {
    let octets_of = |c: char| {
        let mut all = u32::from(c).to_be_bytes()[4 - octets..].to_vec();
        if !is_big {
            all.reverse();
        }
        all
    };
    text.chars().flat_map(octets_of).collect()
}

fn page(parameters: &str, content: &[u8]) -> Read {
    let encoded = base64::engine::general_purpose::STANDARD.encode(content);
    let message = format!(
        "From: a@b.example\r\nContent-Type: text/html{parameters}\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n"
    );
    reading(message.as_bytes()).unwrap()
}

#[test]
fn texts_of_wide_characters_are_read_in_either_order() {
    for (octets, is_big, names) in [
        (
            2,
            true,
            "utf-16 utf-16be UTF16 ucs-2 iso-10646-ucs-2 csUnicode unicode unicodefffe utf-8",
        ),
        (
            2,
            false,
            "utf-16 utf-16le ucs_2 iso-10646-ucs-2 unicode unicodefeff utf-8",
        ),
        (4, true, "utf-32 utf-32be UTF_32 ucs-4 iso-10646-ucs-4"),
        (4, false, "utf-32 utf-32le utf32 ucs-4"),
    ] {
        for marked in [false, true] {
            let text = if marked {
                format!("\u{feff}{PAGE}")
            } else {
                PAGE.to_owned()
            };
            let content = wide(&text, octets, is_big);
            for name in names.split(' ') {
                let read = page(&format!("; charset={name}"), &content);
                assert_eq!(
                    of(&read, "url"),
                    ["https://shop-offers.example/in"],
                    "{name} {is_big} {marked}"
                );
                assert!(
                    read.unreadable.is_empty(),
                    "{name} {is_big} {marked}: {:?}",
                    read.unreadable
                );
            }
            let read = page("", &content);
            assert_eq!(
                of(&read, "url"),
                ["https://shop-offers.example/in"],
                "{octets} {is_big} {marked}"
            );
            assert!(read.unreadable.is_empty(), "{octets} {is_big} {marked}");
        }
    }
}

#[test]
fn a_text_in_both_orders_hides_nothing() {
    let both = [wide(PAGE, 2, true), wide(&PAGE.replace("/in", "/on"), 2, false)].concat();
    let read = page("; charset=utf-16", &both);
    let mut found = of(&read, "url");
    found.sort_unstable();
    assert_eq!(
        found,
        ["https://shop-offers.example/in", "https://shop-offers.example/on"]
    );
    // A mark that only some look for.
    let marked = [b"\xfe\xff", PAGE.as_bytes()].concat();
    let read = page("; charset=iso-8859-1", &marked);
    assert_eq!(of(&read, "url"), ["https://shop-offers.example/in"]);
    // A name that the octets show to be wrong.
    let read = page("; charset=utf-16", PAGE.as_bytes());
    assert_eq!(of(&read, "url"), ["https://shop-offers.example/in"]);
}

#[test]
fn a_text_that_its_charset_makes_no_text_of_is_named() {
    for (parameters, content) in [
        ("; charset=utf-32", PAGE.as_bytes().to_vec()),
        ("; charset=utf-8", [wide(PAGE, 4, true), vec![0; 400]].concat()),
        ("; charset=utf-8; charset=utf-16le", wide(PAGE, 2, false)),
        (
            "; charset=utf-8; charset*=us-ascii''utf-16le",
            wide(PAGE, 2, false),
        ),
        (
            "; charset*0=utf-; charset*1=16le; charset=utf-8",
            PAGE.as_bytes().to_vec(),
        ),
        (
            "; charset=utf-8; charset=utf-7",
            b"+AGgAdAB0AHAAcwA6AC8ALw-shop-offers.example/in".to_vec(),
        ),
    ] {
        let read = page(parameters, &content);
        assert!(!read.unreadable.is_empty(), "{parameters}");
    }
    for parameters in [
        "; charset=utf-8; charset=iso-8859-1",
        "; charset=utf-8; charset=UTF-8",
        "; charset=us-ascii; charset*=us-ascii''utf-8",
        "; charset=x-mac-cyrillic",
    ] {
        let read = page(parameters, PAGE.as_bytes());
        assert!(read.unreadable.is_empty(), "{parameters}: {:?}", read.unreadable);
        assert_eq!(
            of(&read, "url"),
            ["https://shop-offers.example/in"],
            "{parameters}"
        );
    }
}
