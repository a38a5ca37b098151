use super::*;

/// Returns the URLs of a body of one type, and the notes.
fn urls(kind: &str, body: &str) -> (Vec<String>, Vec<String>) {
    let message = format!("From: a@sender.example\r\nContent-Type: {kind}\r\n\r\n{body}");
    let read = reading(message.as_bytes()).unwrap();
    let found = read.indicators.iter().filter(|one| one.role == "url");
    (
        found.map(|one| one.indicator.value().to_owned()).collect(),
        read.notes,
    )
}

#[test]
fn broken_encodings_and_parts_still_give_their_links() {
    let read = reading(BROKEN).unwrap();
    assert_eq!(
        values(&read.indicators),
        [
            ("url", "http://quoted.example/caf%C3%A9/long"),
            ("url", "http://base64.example/path"),
            ("url", "http://lost.example/x"),
            ("url", "http://last.example/"),
        ]
    );
    assert!(
        read.notes
            .iter()
            .any(|note| note == "1 parts are broken and were read as text")
    );
    let unreadable: Vec<_> = read
        .unreadable
        .iter()
        .map(|one| (one.role, one.value.as_str()))
        .collect();
    assert_eq!(
        unreadable,
        [
            ("sender", "juergen@b\u{fffd}cher.example"),
            ("attachment", "multipart/alternative"),
        ]
    );
}

#[test]
fn links_are_found_in_text() {
    let (found, _) = urls(
        "text/plain",
        "See http://a.example/x, (HTTPS://B.example/y) and <http://c.example/z?q=1#top>;\r\n\
         http://d.example/wiki_(x). and hxxp://e.example, http://f[.]example, not xhttp:/g.example\r\n\
         http://user:secret@h.example/ \u{201c}http://i.example\u{201d} http://[2001:db8::1]/v6 http://",
    );
    assert_eq!(
        found,
        [
            "http://a.example/x",
            "https://b.example/y",
            "http://c.example/z",
            "http://d.example/wiki_(x)",
            "http://e.example/",
            "http://f.example/",
            "http://h.example/",
            "http://i.example/",
            "http://[2001:db8::1]/v6",
        ]
    );
}

#[test]
fn links_are_found_in_pages() {
    let page = "<!DOCTYPE html PUBLIC \"x\" \"http://dtd.example/\"><html xmlns='http://ns.example/'>\
        <base HREF = http://a.example/x?y=1><a title=\"1 > 0\" href='http://b.example/?a=1&amp;b=2'>B</a>\
        <a href=\"h&#116;tp&#x3a;//c&#46example/\">C</a><img src=//d.example/p.png>\
        <meta http-equiv=refresh content=\"0; url=http://e.example/go\">\
        <!--[if mso]><v:rect href=\"http://f.example/\"></v:rect><![endif]-->\
        text http://g.example/h&nbsp;more 1 < 2 <form action=\"\nhttp://h.example/post\t\"><td background=http:\\\\i.example\\j>\
        <a href=\"javascript:alert(1)\"><a href=/relative><a href=\"http://j.example/unclosed>";
    let (found, _) = urls("text/html; charset=utf-8", page);
    assert_eq!(
        found,
        [
            "http://a.example/x",
            "http://b.example/",
            "http://c.example/",
            "https://d.example/p.png",
            "http://e.example/go",
            "http://f.example/",
            "http://g.example/h",
            "http://h.example/post",
            "http://i.example/j",
            "http://j.example/unclosed",
            // It is relative to the base.
            "http://a.example/relative",
        ]
    );
}

#[test]
fn wrappers_are_taken_off_without_asking() {
    let cases = [
        (
            "https://eu01.safelinks.protection.outlook.com/?url=http%3A%2F%2Fx.example%2Fa%3Fb%3Dc&data=1",
            "http://x.example/a",
        ),
        (
            "https://urldefense.proofpoint.com/v1/url?u=http://x.example/a&k=1",
            "http://x.example/a",
        ),
        (
            "https://urldefense.proofpoint.com/v2/url?u=http-3A__x.example_a-2Db-5Fc&d=1",
            "http://x.example/a-b_c",
        ),
        (
            "https://urldefense.com/v3/__http://x.example/a__;!!abc!def$",
            "http://x.example/a",
        ),
        // Two replaced characters, then a run of two.
        (
            "https://urldefense.com/v3/__http://x.example/*a*b**Ac__;KyQkKw!!abc!def$",
            "http://x.example/+a$b$+c",
        ),
        (
            "https://www.google.com/url?sa=t&q=http://x.example/a",
            "http://x.example/a",
        ),
        (
            "https://www.google.co.uk/url?url=http://x.example/a",
            "http://x.example/a",
        ),
        (
            "https://linkprotect.cudasvc.com/url?a=http%3a%2f%2fx.example%2fa&c=E",
            "http://x.example/a",
        ),
        // What only looks like a wrapper stays.
        (
            "https://safelinks.protection.outlook.com.example/?url=http://x.example/a",
            "https://safelinks.protection.outlook.com.example/",
        ),
        (
            "https://www.google.com.evil.example/url?q=http://x.example/a",
            "https://www.google.com.evil.example/url",
        ),
    ];
    for (link, expected) in cases {
        let (found, notes) = urls("text/plain", link);
        assert_eq!(found, [expected], "{link}: {notes:?}");
    }
    let (found, notes) = urls(
        "text/plain",
        "https://protect-eu.mimecast.com/s/abcDEF?domain=x.example",
    );
    // The wrapper names the host; where it leads stays sealed.
    assert_eq!(found, ["x.example"]);
    assert!(
        notes.iter().any(|note| note.starts_with("1 links stay wrapped")),
        "{notes:?}"
    );
}

#[test]
fn wrappers_are_taken_off_to_a_depth_and_sealed_beyond() {
    let mut link = "http://x.example/a".to_owned();
    for levels in 1..=6 {
        let escaped: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
        link = format!("https://linkprotect.cudasvc.com/url?a={escaped}");
        let read = read_text(&link);
        if levels <= 5 {
            assert_eq!(of(&read, "url"), ["http://x.example/a"], "{levels}");
            assert!(read.sealed.is_empty(), "{levels}");
        } else {
            assert!(of(&read, "url").is_empty(), "{levels}");
            assert_eq!(read.sealed.len(), 1, "{levels}");
        }
    }
}

#[test]
fn attachments_are_what_is_not_shown() {
    let body = "--b\r\nContent-Type: text/html\r\n\r\n<img src=cid:logo>\r\n\
        --b\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\n\r\nlogo\r\n\
        --b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\npicture\r\n\
        --b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n<a href=http://x.example/>\r\n\
        --b\r\nContent-Type: application/pdf\r\n\r\n\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\ncGRm\r\n--b--";
    let message =
        format!("From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}");
    let read = reading(message.as_bytes()).unwrap();
    let digest = |text: &str| {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(text.as_bytes());
        digest
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect::<String>()
    };
    assert_eq!(
        values(&read.indicators),
        [
            ("sender", "a@sender.example"),
            ("attachment", &digest("picture")),
            ("attachment", &digest("<a href=http://x.example/>")),
            ("attachment", &digest("pdf")),
            ("url", "http://x.example/"),
        ]
    );
}

#[test]
fn a_text_whose_encoding_or_charset_is_unknown_is_named() {
    for head in [
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: b64",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-unknown",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode",
        "Content-Type: text/html; charset=ibm037",
        "Content-Type: text/html; charset=utf-32",
        "Content-Type: text/html; charset=iso-2022-kr",
    ] {
        let message = format!("From: a@b.example\r\n{head}\r\n\r\nhttps://c.example/ \u{e9}");
        let read = reading(message.as_bytes()).unwrap();
        assert_eq!(read.unreadable.len(), 1, "{head}: {:?}", read.unreadable);
    }
    let known = reading(
        b"From: a@b.example\r\nContent-Transfer-Encoding: (as usual) base64\r\n\r\naHR0cHM6Ly9jLmV4YW1wbGUvbG9naW4=",
    );
    let known = known.unwrap();
    assert_eq!(of(&known, "url"), ["https://c.example/login"]);
    assert!(known.unreadable.is_empty());
}

#[test]
fn parts_behind_the_closing_boundary_are_read() {
    let (found, _) = urls(
        "multipart/mixed; boundary=b",
        "--b\r\n\r\na\r\n--b--\r\n--b\r\nContent-Type: text/html\r\n\r\n<a href='https://c.example/x'>\r\n--b--\r\n",
    );
    assert_eq!(found, ["https://c.example/x"]);
    let message = "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\na\r\n--b--\r\n\
        --b\r\nContent-Type: application/zip\r\n\r\nPK\r\n--b--\r\n";
    assert_eq!(of(&reading(message.as_bytes()).unwrap(), "attachment").len(), 1);
}

#[test]
fn links_that_browsers_open_without_a_scheme_are_read() {
    for page in [
        "<a href=\"\\\\c.example/x\">",
        "<a href=\"/\\c.example/x\">",
        "<meta http-equiv=refresh content=\"0;url=//c.example/x\">",
        "<set attributeName=href to=//c.example/x>",
        "<animate values=\"https://c.example/x;https://c.example/x\">",
        "<a x:href=https://c.example/x>",
        "<a href=\"javascript:location.href='https://c.example/x'\">",
    ] {
        let (found, _) = urls("text/html", page);
        assert_eq!(found, ["https://c.example/x"], "{page}");
    }
    assert_eq!(
        urls("text/html", "<a href=www.c.example/x>").0,
        ["http://www.c.example/x"]
    );
}

#[test]
fn calendars_of_any_line_end_and_in_quoted_printable_are_read() {
    for calendar in [
        "BEGIN:VCALENDAR\r\r\nDESCRIPTION:https://c.exam\r\r\n ple/x\r\r\n",
        "BEGIN:VCALENDAR\rDESCRIPTION:https://c.exam\r ple/x\r",
        "BEGIN:VCALENDAR\r\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:https://c=2Eexample/x\r\n",
        "BEGIN:VCALENDAR\r\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:See=0D=0A=\r\nhttps://c=2Eex=\r\nample/x=\r\n\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nDESCRIPTION;\r\n ENCODING=QUOTED-PRINTABLE:https://c=2Eex=\r\n ample/x\r\n",
        "BEGIN:VCALENDAR\r\nDESCRIPTION:a=\r\nURL:https://c.example/x\r\n",
        "BEGIN:VCALENDAR\r\nATTACH:data:text/html;base64,PGEgaHJlZj1odHRwczovL2MuZXhhbXBsZS94Pg==\r\n",
    ] {
        assert_eq!(
            urls("text/calendar", calendar).0,
            ["https://c.example/x"],
            "{calendar}"
        );
    }
}

#[test]
fn files_in_calendars_have_names_and_links() {
    // <a href=https://c.example/x>
    let data = "PGEgaHJlZj1odHRwczovL2MuZXhhbXBsZS94Pg==";
    for (parameters, name, kind) in [
        (
            "ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.htm",
            Some("a.htm"),
            "application/octet-stream",
        ),
        (
            "FMTTYPE=text/html;VALUE=BINARY;ENCODING=BASE64",
            None,
            "text/html",
        ),
        (
            "FILENAME=\"a;b.html\";VALUE=BINARY;ENCODING=\"BASE64\"",
            Some("a;b.html"),
            "application/octet-stream",
        ),
        (
            "ENCODING=b;X-FILENAME=a.htm",
            Some("a.htm"),
            "application/octet-stream",
        ),
    ] {
        let message = format!(
            "From: a@b.example\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nATTACH;{parameters}:{data}\r\n"
        );
        let read = reading(message.as_bytes()).unwrap();
        assert_eq!(of(&read, "url"), ["https://c.example/x"], "{parameters}");
        let file = &read.facts.attachments[0];
        assert_eq!(
            (file.name.as_deref(), file.content_type.as_str()),
            (name, kind),
            "{parameters}"
        );
        assert_eq!(file.size, 28);
    }
}

#[test]
fn a_line_of_white_space_ends_no_headers() {
    let message = "From: a@sender.example\r\nSubject: x\r\n \t\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naHR0cDovL3guZXhhbXBsZS8=\r\n--b--\r\n";
    let read = reading(message.as_bytes()).unwrap();
    assert_eq!(of(&read, "url"), ["http://x.example/"]);
}
