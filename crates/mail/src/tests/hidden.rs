//! Files and messages in parts that call themselves messages or calendars.

use super::*;

fn parts(head: &str, body: &str) -> Read {
    let message = format!(
        "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=frame\r\n\r\n--frame\r\n\r\nhi\r\n\
         --frame\r\n{head}\r\n\r\n{body}\r\n--frame--\r\n"
    );
    reading(message.as_bytes()).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

const PROGRAM: &[u8] = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00 program";
const ARCHIVE: &[u8] = b"PK\x03\x04 archive";
const MESSAGE: &str = "From: c@sender.example\r\nSubject: s\r\n\r\nhttps://shop-offers.example/in\r\n";

#[test]
fn a_file_that_calls_itself_a_message_or_a_calendar_is_a_file() {
    for head in [
        "Content-Type: message/rfc822; name=a.exe\r\nContent-Disposition: attachment; filename=a.exe",
        "Content-Type: message/rfc822",
        "Content-Type: message/rfc822; name=a.eml",
        "Content-Type: message/global; name=a.zip",
        "Content-Type: message/news",
        "Content-Type: message/x-unheard",
        "Content-Type: message/delivery-status",
        "Content-Type: message/disposition-notification; name=a.txt",
        "Content-Type: message",
        "Content-Type: text/calendar; name=a.exe\r\nContent-Disposition: inline",
        "Content-Type: text/calendar; name=invite.ics",
        "Content-Type: text/calendar",
        "Content-Type: text/rfc822-headers",
        "Content-Type: text/enriched",
        "Content-Type: text/plain",
        "Content-Type: text/plain\r\nContent-Disposition: inline\r\nContent-Disposition: attachment; filename=a.exe",
    ] {
        for content in [PROGRAM, ARCHIVE] {
            let head = format!("{head}\r\nContent-Transfer-Encoding: base64");
            let read = parts(&head, &base64(content));
            assert_eq!(of(&read, "attachment").len(), 1, "{head}: {read:?}");
            assert_eq!(read.facts.attachments[0].size, content.len() as u64, "{head}");
        }
    }
    // A page, named as one.
    let page = "<html><a href=https://shop-offers.example/in>x</a></html>";
    for kind in [
        "message/rfc822",
        "message/global",
        "message/delivery-status",
        "text/calendar",
    ] {
        let read = parts(&format!("Content-Type: {kind}; name=a.html"), page);
        assert_eq!(of(&read, "attachment").len(), 1, "{kind}");
        assert_eq!(of(&read, "url"), ["https://shop-offers.example/in"], "{kind}");
    }
}

#[test]
fn a_message_of_any_type_is_read() {
    for (head, is_file) in [
        ("Content-Type: message/rfc822", false),
        (
            "Content-Type: message/rfc822; name=\"Re: news of shop.com\"",
            false,
        ),
        (
            "Content-Type: message/rfc822; name=\"Offer v1.2 (draft).eml\"",
            false,
        ),
        ("Content-Type: message/global", false),
        ("Content-Type: message/news", true),
        ("Content-Type: message/x-unheard", true),
        ("Content-Type: message/rfc822; name=a.hta", true),
    ] {
        for encoded in [false, true] {
            let read = if encoded {
                let head = format!("{head}\r\nContent-Transfer-Encoding: base64");
                parts(&head, &base64(MESSAGE.as_bytes()))
            } else {
                parts(head, MESSAGE.trim_end())
            };
            assert_eq!(of(&read, "attached_sender"), ["c@sender.example"], "{head}");
            assert_eq!(of(&read, "url"), ["https://shop-offers.example/in"], "{head}");
            assert_eq!(of(&read, "attachment").len(), usize::from(is_file), "{head}");
            assert!(read.unreadable.is_empty(), "{head}: {:?}", read.unreadable);
        }
    }
}

#[test]
fn a_message_whose_encoding_programs_read_differently_is_named() {
    for head in [
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: x-odd",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
    ] {
        let read = parts(head, MESSAGE);
        assert_eq!(read.unreadable.len(), 1, "{head}: {:?}", read.unreadable);
        assert_eq!(of(&read, "url"), ["https://shop-offers.example/in"], "{head}");
    }
}

#[test]
fn reports_and_invitations_are_no_files() {
    let calendar = "BEGIN:VCALENDAR\r\nSUMMARY:x\r\nEND:VCALENDAR";
    let wide: Vec<u8> = calendar.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (head, body) in [
        (
            "Content-Type: message/delivery-status",
            "Reporting-MTA: dns; mx.b.example".to_owned(),
        ),
        (
            "Content-Type: message/delivery-status; name=details.txt",
            "Reporting-MTA: dns; mx.b.example".to_owned(),
        ),
        (
            "Content-Type: message/feedback-report",
            "Feedback-Type: abuse".to_owned(),
        ),
        (
            "Content-Type: text/calendar; method=REQUEST; name=invite.ics",
            calendar.to_owned(),
        ),
        (
            "Content-Type: text/calendar; charset=utf-16\r\nContent-Transfer-Encoding: base64",
            base64(&wide),
        ),
        ("Content-Type: message/rfc822", String::new()),
    ] {
        let read = parts(head, &body);
        assert!(of(&read, "attachment").is_empty(), "{head}: {read:?}");
        assert!(read.unreadable.is_empty(), "{head}: {:?}", read.unreadable);
    }
}
