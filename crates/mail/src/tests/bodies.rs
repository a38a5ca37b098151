//! Where the bodies of parts begin, and headers that contradict each other.

use super::*;

const LINK: &str = "https://c.example/login";

fn urls(message: &str) -> Vec<String> {
    let read = reading(message.as_bytes()).unwrap();
    assert!(read.unreadable.is_empty(), "{message}: {:?}", read.unreadable);
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_body_without_an_empty_line_before_it_is_read() {
    let page = format!("<html><a href='{LINK}'>x</a></html>");
    let encoded = "PGEgaHJlZj1odHRwczovL2MuZXhhbXBsZS9sb2dpbj4=";
    for message in [
        format!("From: a@b.example\nSubject: x\nsee {LINK}\n"),
        format!("From: a@b.example\nSubject: x\nsee {LINK}\n\n"),
        format!("From: a@b.example\nSubject: x\nsee {LINK}\n\nbye\n"),
        format!("From: a@b.example\r\nSubject: x\r\n{LINK}\r\n"),
        format!("From: a@b.example\n{page}\n"),
        format!("From: a@b.example\n<p>{LINK}</p>\n"),
        format!("From: a@b.example\nContent-Type: text/html\n{page}\n\nbye"),
        format!(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n{page}\n--b--\n"
        ),
        format!(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n--b\nContent-Type: text/html\n\n{page}\n--b--\n"
        ),
        format!(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nsee {LINK}\nnote: x\n\nbye\n--b--\n"
        ),
        format!("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n{LINK}\n--b--\n"),
        format!(
            "From: a@b.example\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n{encoded}\n\n"
        ),
        // A line that was folded without white space ends no headers for many programs.
        format!("From: a@b.example\nSubject: x\nbroken fold\nContent-Type: text/html\n\n<a href={LINK}>"),
    ] {
        assert_eq!(urls(&message), [LINK], "{message}");
    }
    // The first line of a mailbox is no header, and no text.
    assert_eq!(
        urls(&format!(
            "From a@b.example Mon Nov 2\nFrom: a@b.example\n\n{LINK}"
        )),
        [LINK]
    );
}

#[test]
fn a_file_is_unclear_where_programs_differ_in_where_it_begins() {
    let message = "From: a@b.example\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\naGVsbG8=\r\n\r\nd29ybGQ=\r\n";
    let read = reading(message.as_bytes()).unwrap();
    assert_eq!(read.unreadable.len(), 1, "{read:?}");
    assert_eq!(read.unreadable[0].value, "a.zip");
}

#[test]
fn headers_of_a_part_that_contradict_each_other_make_it_unclear() {
    for (head, is_clear) in [
        (
            "Content-Type: text/plain\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64",
            false,
        ),
        (
            "Content-Type: application/zip\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
            false,
        ),
        (
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
            false,
        ),
        (
            "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=x",
            false,
        ),
        (
            "Content-Type: text/plain\r\nContent-Type: TEXT/plain\r\nContent-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: Base64",
            true,
        ),
        (
            "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit",
            true,
        ),
    ] {
        let part = "aGVsbG8=";
        let message = format!(
            "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{head}\r\n\r\n{part}\r\n--b--\r\n"
        );
        let read = reading(message.as_bytes()).unwrap();
        assert_eq!(
            read.unreadable.is_empty(),
            is_clear,
            "{head}: {:?}",
            read.unreadable
        );
        assert!(of(&read, "attachment").is_empty(), "{head}");
    }
}
