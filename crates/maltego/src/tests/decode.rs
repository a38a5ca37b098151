use super::{accept, domain, value_of};
use crate::decode::decode;

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

#[test]
fn utf8_is_borrowed_and_marks_and_blanks_before_it_go() {
    let plain = decode("<a>é</a>".as_bytes());
    assert!(matches!(plain.text, std::borrow::Cow::Borrowed("<a>é</a>")));
    assert_eq!(
        (plain.encoding, plain.guessed, plain.skipped_lines),
        ("UTF-8", false, 0)
    );
    let padded = decode("\u{feff}\r\n \n\u{feff}<a/>".as_bytes());
    assert_eq!((&*padded.text, padded.skipped_lines), ("<a/>", 2));
}

#[test]
fn utf16_is_read_in_both_orders_with_and_without_mark() {
    for little in [true, false] {
        for mark in [true, false] {
            let bytes = utf16(
                "<?xml version='1.0' encoding='UTF-16'?><a>日本 😀</a>",
                little,
                mark,
            );
            let decoded = decode(&bytes);
            assert!(decoded.text.ends_with("<a>日本 😀</a>"), "{little} {mark}");
            assert!(!decoded.guessed);
        }
    }
}

#[test]
fn a_declared_encoding_is_obeyed_and_an_impossible_one_ignored() {
    let latin = decode(b"<?xml version=\"1.0\" encoding = 'ISO-8859-1' ?><a>caf\xe9</a>");
    assert!(latin.text.ends_with("café</a>") && !latin.guessed);
    let cyrillic = decode(b"<?xml version='1.0' encoding='windows-1251'?><a>\xc4\xe0</a>");
    assert!(cyrillic.text.ends_with("<a>Да</a>"));
    for label in ["UTF-16", "no-such-thing", ""] {
        let text = format!("<?xml version='1.0' encoding='{label}'?><a>é</a>");
        assert_eq!(decode(text.as_bytes()).text, text);
    }
}

#[test]
fn undeclared_bytes_that_are_no_utf8_become_windows_1252_and_say_so() {
    let decoded = decode(b"<a>M\xfcnchen \x80</a>");
    assert_eq!(
        (&*decoded.text, decoded.encoding, decoded.guessed),
        ("<a>München €</a>", "windows-1252", true)
    );
}

#[test]
fn forbidden_characters_vanish_and_allowed_controls_stay() {
    assert_eq!(
        decode("<a>\0x\u{1}\u{fffe}y\u{ffff}\t\u{7f}\u{85}\u{fffd}</a>".as_bytes()).text,
        "<a>xy\t\u{7f}\u{85}\u{fffd}</a>"
    );
}

#[test]
fn whole_requests_pass_in_every_encoding() {
    let text = domain("<Value>straße.example</Value>");
    assert_eq!(
        accept(utf16(&text, true, true)).entities[0].value(),
        "straße.example"
    );
    assert_eq!(
        accept(utf16(&text, false, false)).entities[0].value(),
        "straße.example"
    );
    assert_eq!(
        accept(format!("\u{feff}\n{text}")).entities[0].value(),
        "straße.example"
    );
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(accept(&latin).entities[0].value(), "straße.example");
    assert_eq!(value_of("a\u{1}b\0c"), "abc");
}
