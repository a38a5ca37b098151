//! Relative links of pages whose place is told by headers.

use super::*;

fn urls(message: &str) -> Vec<String> {
    let read = reading(message.as_bytes()).unwrap();
    assert!(read.unreadable.is_empty(), "{message}: {:?}", read.unreadable);
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

fn page(headers: &str, body: &str) -> Vec<String> {
    urls(&format!(
        "From: a@b.example\r\n{headers}Content-Type: text/html\r\n\r\n{body}\r\n"
    ))
}

#[test]
fn relative_links_lead_to_where_the_headers_say_that_the_page_stands() {
    for (headers, href, expected) in [
        (
            "Content-Base: https://forms.example/\r\n",
            "/sign-in",
            "https://forms.example/sign-in",
        ),
        (
            "content-base: \"https://forms.example/a/\"\r\n",
            "sign-in",
            "https://forms.example/a/sign-in",
        ),
        (
            "Content-Base: <https://forms.example\r\n\t/a/>\r\n",
            "sign-in",
            "https://forms.example/a/sign-in",
        ),
        (
            "Content-Location: https://forms.example/a/b.html\r\n",
            "c.php?x=1",
            "https://forms.example/a/c.php",
        ),
        (
            "Content-Location: //forms.example/\r\n",
            "c.php",
            "https://forms.example/c.php",
        ),
    ] {
        let found = page(headers, &format!("<a href=\"{href}\">x</a>"));
        assert_eq!(found, [expected], "{headers}");
    }
    // A page that says it itself needs no header; programs that know only one of two headers differ.
    let base = "<base href=\"https://own.example/\"><a href=\"x\">x</a>";
    assert_eq!(
        page("Content-Base: https://forms.example/\r\n", base),
        ["https://own.example/", "https://own.example/x"]
    );
    assert_eq!(
        page(
            "Content-Base: https://forms.example/\r\nContent-Location: https://other.example/\r\n",
            "<a href=/x>"
        ),
        ["https://forms.example/x", "https://other.example/x"]
    );
    assert_eq!(
        page(
            "Content-Base: https://forms.example/\r\nContent-Location: a/b.html\r\n",
            "<a href=x>"
        ),
        ["https://forms.example/x", "https://forms.example/a/x"]
    );
    // What a program without the header would open counts, too.
    assert_eq!(
        page(
            "Content-Base: https://forms.example/\r\n",
            "<a href=\"shop-offers.com/x\">"
        ),
        [
            "http://shop-offers.com/x",
            "https://forms.example/shop-offers.com/x"
        ]
    );
    for headers in [
        "Content-Location: image001.png\r\n",
        "Content-Base: cid:x\r\n",
        "Content-Base: \r\n",
    ] {
        assert!(
            page(headers, "<a href=\"/x\">x</a><a href=\"#y\">y</a>").is_empty(),
            "{headers}"
        );
    }
}

#[test]
fn every_way_in_which_a_page_names_a_relative_link_counts() {
    let head = "Content-Base: https://forms.example/\r\n";
    for body in [
        "<form action=/in>",
        "<base href='./'><a href='in'>",
        "<base target=_blank><a href=in>",
        "<meta http-equiv=refresh content=\"0; URL='/in'\">",
        "<meta http-equiv=refresh content='3,url=in'>",
        "<iframe srcdoc=\"<a href='/in'>x</a>\"></iframe>",
    ] {
        let found = page(head, body);
        assert_eq!(
            found.last().map(String::as_str),
            Some("https://forms.example/in"),
            "{body}: {found:?}"
        );
    }
    let based = "<base href='https://c.example/'><iframe srcdoc=\"<a href='in'>x</a>\"></iframe>";
    assert_eq!(page("", based), ["https://c.example/", "https://c.example/in"]);
}

#[test]
fn a_part_without_a_place_has_that_of_the_parts_around() {
    let message = |outer: &str, inner: &str| {
        format!(
            "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\
             Content-Type: multipart/related; boundary=i\r\n{outer}\r\n--i\r\nContent-Type: text/html\r\n{inner}\r\n\
             <a href=\"x\">x</a>\r\n--i--\r\n--o--\r\n"
        )
    };
    let outer = "Content-Base: https://forms.example/\r\n";
    let located = "Content-Location: https://forms.example/y\r\n";
    assert_eq!(urls(&message(outer, "")), ["https://forms.example/x"]);
    assert_eq!(urls(&message(located, "")), ["https://forms.example/x"]);
    assert_eq!(
        urls(&message(outer, "Content-Location: a/b\r\n")),
        ["https://forms.example/a/x"]
    );
    assert_eq!(
        urls(&message(outer, "Content-Location: https://own.example/a\r\n")),
        ["https://own.example/x"]
    );
    // An attached message stands by itself.
    let attached = format!(
        "From: a@b.example\r\n{outer}Content-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\nContent-Type: text/html\r\n\r\n<a href=x>"
    );
    assert!(urls(&attached).is_empty());
}
