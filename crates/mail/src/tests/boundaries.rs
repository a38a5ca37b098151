//! Boundaries and other parameters that programs for mail read differently.

use super::*;

const PAGE: &str = "Content-Type: text/html\r\n\r\n<a href=\"https://shop-offers.example/in\">x</a>\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n\r\nhi\r\n";

fn multipart(parameters: &str, body: &str) -> Read {
    let message = format!("From: a@b.example\r\nContent-Type: multipart/mixed; {parameters}\r\n\r\n{body}");
    reading(message.as_bytes()).unwrap()
}

#[test]
fn a_boundary_of_several_values_makes_the_parts_unclear() {
    for parameters in [
        "boundary=a1; boundary*=us-ascii''b1",
        "boundary*=us-ascii''b1; boundary=a1",
        "boundary=a1; boundary*0=b1",
        "boundary*0=a1; boundary=b1",
        "boundary=a1; boundary=b1",
        "boundary=a1; BOUNDARY=\"b1\"",
        "boundary=a1; boundary (x)=b1",
        "boundary*0=a; boundary*0=b; boundary*1=1",
        "boundary*0=a; boundary*2=1",
        "boundary*0=a; boundary*x=1",
        "boundary*x=a; boundary*y=1",
        "boundary*4294967295=a; boundary*18446744073709551615=1; boundary*99999999999999999999=2",
        "boundary=a1; boundary*0*=us-ascii''b; boundary*1*=%31",
        "(; boundary=a1); boundary=b1",
        "name=\"x; boundary=a1; boundary=b1",
    ] {
        let body = format!("--a1\r\n{TEXT}--a1--\r\n--b1\r\n{PAGE}--b1--\r\n");
        let read = multipart(parameters, &body);
        assert!(!read.unreadable.is_empty(), "{parameters}");
    }
    for parameters in [
        "boundary=a1",
        "boundary=\"a1\"",
        "boundary=a1; boundary=a1",
        "boundary=\"a1\"; boundary*=us-ascii''a1",
        "boundary*0=a; boundary*1=1",
        "boundary=a1; charset=utf-8; name=\"x; y\"",
        "boundary=a1 (made by hand)",
        "boundary=\"a1 \"",
        "type=\"text/html\"; boundary=\"a1\";",
    ] {
        let read = multipart(parameters, &format!("--a1\r\n{PAGE}--a1--\r\n"));
        assert!(read.unreadable.is_empty(), "{parameters}: {:?}", read.unreadable);
        assert_eq!(
            of(&read, "url"),
            ["https://shop-offers.example/in"],
            "{parameters}"
        );
    }
}

#[test]
fn a_line_that_only_some_take_for_a_delimiter_makes_the_parts_unclear() {
    for (parameters, between) in [
        ("boundary=b1", "--b1X"),
        ("boundary=b1", "--b1 foo"),
        ("boundary=b1", "--b1: foo"),
        ("boundary=b1", "--b1--foo"),
        ("boundary=b1", "--b1--\r\n--b1X"),
        ("boundary=b1", "text\r--b1"),
        ("boundary=b1(a)", "--b1(a)"),
        ("boundary=\"b\\1\"", "--b\\1"),
        ("boundary='b1'", "--b1"),
    ] {
        let real = match parameters {
            "boundary='b1'" => "'b1'",
            _ => "b1",
        };
        let body = format!("--{real}\r\n{TEXT}{between}\r\n{PAGE}--{real}--\r\n");
        let read = multipart(parameters, &body);
        assert!(!read.unreadable.is_empty(), "{parameters} {between}");
    }
    // Before the first part, and in one without an empty line.
    for body in [
        format!("--b1X\r\n{PAGE}--b1\r\n{TEXT}--b1--\r\n"),
        "--b1\r\nContent-Type: text/plain\r\n--b1X: y\r\nContent-Type: text/html\r\n\r\nhi\r\n--b1--\r\n"
            .to_owned(),
    ] {
        let read = multipart("boundary=b1", &body);
        assert!(!read.unreadable.is_empty(), "{body}");
    }
}

#[test]
fn boundaries_of_which_one_goes_on_from_the_other_are_clear() {
    let inner = |behind: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=b1-alt\r\n\r\n--b1-alt\r\n{TEXT}--b1-alt\r\n{PAGE}--b1-alt--\r\n{behind}"
        )
    };
    let body = |behind: &str| {
        format!(
            "preamble\r\n--b1\r\n{}--b1\r\n{TEXT}--b1--\r\nfooter\r\n",
            inner(behind)
        )
    };
    let read = multipart("boundary=b1", &body("\r\n"));
    assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
    assert_eq!(of(&read, "url"), ["https://shop-offers.example/in"]);
    // What stands behind its end is a part for programs that compare the beginnings.
    let read = multipart("boundary=b1", &body(PAGE));
    assert!(!read.unreadable.is_empty());
    // A message with parts of its own, and one that is decoded first.
    let message = format!(
        "Content-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\n{}",
        inner("")
    );
    let read = multipart("boundary=b1", &format!("--b1\r\n{message}--b1--\r\n"));
    assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
    let hidden = "Content-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\n\r\nhi\r\n--b1X\r\n";
    let read = multipart("boundary=b1", &format!("--b1\r\n{hidden}{PAGE}--b1--\r\n"));
    assert!(!read.unreadable.is_empty());
}

#[test]
fn an_external_body_of_several_places_is_unclear() {
    let body = "Content-Type: message/external-body; access-type=url; url=\"https://a.example/\"; url=\"https://shop-offers.example/in\"\r\n\r\nContent-Type: text/html\r\n\r\n";
    let read = multipart("boundary=b1", &format!("--b1\r\n{body}--b1--\r\n"));
    assert_eq!(read.unreadable.len(), 1, "{:?}", read.unreadable);
}
