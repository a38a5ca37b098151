//! What is refused, and how it is said.

use super::{accept, domain};
use crate::request::{ReadErrorKind as Kind, ReadLimits, read};

fn refusal(body: &str) -> Kind {
    read(body.as_bytes(), &ReadLimits::default()).unwrap_err().kind
}

#[test]
fn broken_documents_are_malformed() {
    for body in [
        "<MaltegoMessage><oops",
        "<a><Entity></a>",
        "<a><Entity/>",
        "<a><Entity/></a></b>",
        "<a><Entity/></a><a/>",
        "<a><Entity/></a>trailing",
        "leading<a><Entity/></a>",
        "<a><Entity Type=x/></a>",
        "<a><Entity><Value><![CDATA[x</Value></Entity></a>",
        "{\"json\": true}",
    ] {
        assert!(
            matches!(refusal(body), Kind::Malformed(_)),
            "{body}: {:?}",
            refusal(body)
        );
    }
    assert_eq!(refusal(""), Kind::Empty);
    assert_eq!(refusal(" \r\n\0"), Kind::Empty);
    assert_eq!(refusal("<a><Entities/></a>"), Kind::NoEntity);
}

#[test]
fn document_types_are_refused_with_their_place() {
    for dtd in [
        "<!DOCTYPE m [<!ENTITY x SYSTEM \"file:///nowhere\">]>",
        "<!DOCTYPE m>",
        "<!DOCTYPE m [<!ENTITY x \"y\">]>",
    ] {
        let error = read(
            format!("\n<?xml version='1.0'?>\n  {dtd}<a/>").as_bytes(),
            &ReadLimits::default(),
        )
        .unwrap_err();
        assert_eq!((error.kind, error.line, error.column), (Kind::Doctype, 3, 3));
    }
}

#[test]
fn an_undeclared_entity_is_named_but_never_at_length() {
    let error = read(
        domain("\n<Value>é&nbsp;</Value>").as_bytes(),
        &ReadLimits::default(),
    )
    .unwrap_err();
    assert_eq!(
        (error.kind.clone(), error.line, error.column),
        (Kind::UnknownEntity("nbsp".into()), 2, 9)
    );
    assert_eq!(
        error.to_string(),
        "the entity reference &nbsp; is not known (line 2, column 9)"
    );
    assert_eq!(
        refusal("<Entity Type='&oops;'/>"),
        Kind::UnknownEntity("oops".into())
    );
    let long = format!("<Entity><Value>&{};</Value></Entity>", "s".repeat(500));
    assert_eq!(refusal(&long), Kind::UnknownEntity("s".repeat(16)));
    assert!(
        !read(b"<a><secret-tag></other></a>", &ReadLimits::default())
            .unwrap_err()
            .to_string()
            .contains("secret")
    );
}

#[test]
fn every_limit_holds_exactly() {
    let read_with =
        |limits: ReadLimits, body: &str| read(body.as_bytes(), &limits).map_err(|error| error.kind);
    let base = ReadLimits::default();
    let body = "<a><b><Entity T='1' U='2'><AdditionalFields><Field Name='n'>four</Field></AdditionalFields>\
                <Value>five5</Value></Entity><Entity/></b></a>";
    let length = body.len();
    for (fits, breaks, kind) in [
        (
            ReadLimits {
                bytes: length,
                ..base
            },
            ReadLimits {
                bytes: length - 1,
                ..base
            },
            Kind::TooLarge,
        ),
        (
            ReadLimits { depth: 5, ..base },
            ReadLimits { depth: 4, ..base },
            Kind::TooMany("nested elements"),
        ),
        (
            ReadLimits { entities: 2, ..base },
            ReadLimits { entities: 1, ..base },
            Kind::TooMany("entities"),
        ),
        (
            ReadLimits { fields: 1, ..base },
            ReadLimits { fields: 0, ..base },
            Kind::TooMany("fields"),
        ),
        (
            ReadLimits {
                attributes: 2,
                ..base
            },
            ReadLimits {
                attributes: 1,
                ..base
            },
            Kind::TooMany("attributes"),
        ),
        (
            ReadLimits { text: 10, ..base },
            ReadLimits { text: 9, ..base },
            Kind::TooMany("bytes of text"),
        ),
    ] {
        assert!(read_with(fits, body).is_ok(), "{kind:?}");
        assert_eq!(read_with(breaks, body).unwrap_err(), kind);
    }
    // Bytes are counted as they were sent; of the text, after decoding: each of these becomes two.
    let latin = [b"<Entity><Value>".as_slice(), &[0xe9; 8], b"</Value></Entity>"].concat();
    assert_eq!(latin.len(), 40);
    let tight = ReadLimits {
        bytes: 40,
        text: 16,
        ..base
    };
    assert!(read(&latin, &tight).is_ok());
    let tight = ReadLimits {
        bytes: 40,
        text: 15,
        ..base
    };
    assert_eq!(
        read(&latin, &tight).unwrap_err().kind,
        Kind::TooMany("bytes of text")
    );
    let settings = "<a><TransformFields><Field Name='a'/><Field Name='a'/></TransformFields><Entity/></a>";
    assert_eq!(
        read_with(ReadLimits { fields: 1, ..base }, settings).unwrap_err(),
        Kind::TooMany("settings")
    );
}

#[test]
fn a_value_up_to_the_cap_passes() {
    let long = "x".repeat(1_000_000);
    assert_eq!(
        accept(domain(&format!("<Value>{long}</Value>"))).entities[0]
            .value
            .len(),
        1_000_000
    );
}
