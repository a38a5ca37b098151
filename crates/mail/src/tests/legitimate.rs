//! What ordinary mail has and nothing hides in: charsets and encodings of other names, empty files.

use super::*;

const LINK: &str = "https://shop.example/x";

fn text(head: &str, body: &str) -> Read {
    reading(format!("From: a@b.example\r\n{head}\r\n\r\n{body}\r\n").as_bytes()).unwrap()
}

#[test]
fn ascii_is_read_in_every_charset_that_reads_it_as_that() {
    let body = format!("hello, see {LINK}");
    for charset in [
        "cp437",
        "cp737",
        "ibm437",
        "x-unknown",
        "iso-8859-7",
        "iso-2022-kr",
        "hz-gb-2312",
        "iso-2022-cn-ext",
        "utf-7",
        "x-utf-7",
        " us-ascii ",
        "\"\"",
    ] {
        let read = text(&format!("Content-Type: text/plain; charset={charset}"), &body);
        assert_eq!(of(&read, "url"), [LINK], "{charset}");
        assert!(read.unreadable.is_empty(), "{charset}: {:?}", read.unreadable);
    }
    for (charset, body) in [
        ("cp437", "gr\u{fc}n"),
        ("x-utf-7", "a+ImIDkQ-b"),
        ("iso-2022-kr", "\x1b$)C\x0e9Y\x0f"),
        ("hz-gb-2312", "~{VPND~}"),
        ("x-unknown", "a\0b\0"),
    ] {
        let read = text(&format!("Content-Type: text/plain; charset={charset}"), body);
        assert_eq!(read.unreadable.len(), 1, "{charset}");
    }
}

#[test]
fn a_text_that_is_not_encoded_is_read_however_that_is_written() {
    for encoding in [
        "8 bit",
        "7 bit",
        "8Bit",
        "8bits",
        "8-bit",
        "utf-8",
        "US-ASCII",
        "text/plain",
        "(none) 8 bit",
    ] {
        let head = format!("Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}");
        let read = text(&head, LINK);
        assert_eq!(of(&read, "url"), [LINK], "{encoding}");
        assert!(read.unreadable.is_empty(), "{encoding}: {:?}", read.unreadable);
    }
    for encoding in ["8", "9 bit", "quoted printable", "x-secret"] {
        let head = format!("Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}");
        assert_eq!(text(&head, LINK).unreadable.len(), 1, "{encoding}");
    }
}

/// SHA-256 of no octets.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn an_empty_file_is_named_and_not_asked_about() {
    let head = "Content-Disposition: attachment; filename=a.zip";
    for part in [
        format!(
            "Content-Type: application/zip; name=a.zip\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        ),
        format!(
            "Content-Type: application/zip\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n \r\n"
        ),
        format!("Content-Type: text/plain\r\n{head}\r\n\r\n"),
        format!("Content-Type: application/ms-tnef\r\n{head}\r\n\r\n"),
    ] {
        let head = "Content-Type: multipart/mixed; boundary=b";
        let read = text(head, &format!("--b\r\n\r\nhi\r\n--b\r\n{part}\r\n--b--"));
        assert_eq!(
            ignored(&read),
            [("attachment", NOTHING, "an empty file")],
            "{part}"
        );
        let facts = &read.facts.attachments;
        assert_eq!(
            (
                facts.len(),
                facts[0].name.as_deref(),
                facts[0].size,
                facts[0].sha256.as_str()
            ),
            (1, Some("a.zip"), 0, NOTHING),
            "{part}"
        );
        assert!(
            read.unreadable.is_empty() && of(&read, "attachment").is_empty(),
            "{part}"
        );
    }
    // White space alone is a file of its own, in which nothing is, either; a blank text is no file.
    let read = text("Content-Type: text/plain; name=a.txt", " \r\n ");
    assert_eq!((ignored(&read).len(), read.facts.attachments.len()), (1, 1));
    let read = text("Content-Type: text/plain", " \r\n ");
    assert_eq!((ignored(&read).len(), read.facts.attachments.len()), (0, 0));
}

/// Reads a page of one link.
fn linked(link: &str) -> Read {
    text("Content-Type: text/html", &format!("<a href=\"{link}\">x</a>"))
}

#[test]
fn a_link_that_opens_a_program_leads_to_no_site() {
    for link in [
        "things:///show",
        "omnifocus:///task/x",
        "evernote:///view",
        "message:%3Cid@example.com%3E",
        "message://%3Cid@example.com%3E",
        "bitcoin:1A",
        "magnet:?xt=1",
        "ms-settings:x",
        "obsidian://open?vault=a",
        "doi:10.1000/182",
        "gopher2:x",
        "note://a b",
        "geo2:1,2",
    ] {
        let read = linked(link);
        assert!(
            of(&read, "url").is_empty() && read.unreadable.is_empty(),
            "{link}: {read:?} {:?}",
            read.unreadable.first().map(|one| &one.value)
        );
    }
}

#[test]
fn a_link_that_may_open_a_site_is_read_or_named() {
    for (link, expected) in [
        (
            "things:///add?notes=https%253A%252F%252Fevil.example%252Fa",
            "https://evil.example/a",
        ),
        ("microsoft-edge:evil.example/a", "http://evil.example/a"),
        ("microsoft-edge:https://evil.example/a", "https://evil.example/a"),
        (
            "googlechrome://navigate?url=https://evil.example/a",
            "https://evil.example/a",
        ),
        ("feed:evil.example/rss", "http://evil.example/rss"),
        ("VIEW-SOURCE:evil.example/a", "http://evil.example/a"),
        ("intent://evil.example/a#Intent;scheme=https;end", "evil.example"),
        ("program://evil.example/a", "evil.example"),
    ] {
        assert_eq!(of(&linked(link), "url"), [expected], "{link}");
    }
    for link in [
        "ms-msdt:/id PCWDiagnostic",
        "search-ms:query=x",
        "view-source:x",
        "microsoft-edge:?url=x",
        "program:open?url=http%253Ax",
        "evil.example:open",
        "http://[broken/",
    ] {
        assert_eq!(linked(link).unreadable.len(), 1, "{link}");
    }
}
