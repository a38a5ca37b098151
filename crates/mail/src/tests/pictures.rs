//! Which pictures are shown in place, and which are files.

use super::*;

const PNG: &str = "iVBORw0KGgpjb2Rl";
const SHOWN: &str = "1 pictures are shown in the message and were not looked at";

fn digest() -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(PNG).unwrap();
    pivotd_domain::hex::hex(&sha2::Sha256::digest(bytes))
}

/// Returns what notes say of pictures.
fn pictures(read: &Read) -> Vec<&String> {
    let notes = read.notes.iter();
    notes.filter(|note| note.contains("pictures are shown")).collect()
}

/// Reads a message of a page and a picture with these headers.
fn page_and(page: &str, kind: &str, headers: &str) -> Read {
    let text = format!(
        "From: a@sender.example\r\nContent-Type: multipart/{kind}; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n{page}\r\n\
         --b\r\n{headers}\r\nContent-Transfer-Encoding: base64\r\n\r\n{PNG}\r\n--b--\r\n"
    );
    reading(text.as_bytes()).unwrap()
}

#[test]
fn a_picture_that_a_page_shows_is_told_with_its_digest_and_leaves_nothing_open() {
    let inline = "Content-Type: image/png; name=code.png\r\nContent-Disposition: inline; filename=code.png\r\nContent-ID: <Code@1>";
    for page in [
        "Scan it: <img src=\"cid:Code@1\">",
        "<IMG SRC='CID:code%401'>",
        "<img src=cid:code@1>",
        "<img src=\"c&#105;d:code&#64;1\">",
        "<td style=\"background:url(cid:code@1)\">",
    ] {
        let read = page_and(page, "related", inline);
        assert!(of(&read, "attachment").is_empty(), "{page}: {read:?}");
        assert!(
            read.facts.attachments.is_empty() && read.unreadable.is_empty(),
            "{page}"
        );
        let told: Vec<_> = read
            .facts
            .pictures
            .iter()
            .map(|one| (one.name.as_deref(), one.sha256.clone()))
            .collect();
        assert_eq!(told, [(Some("code.png"), digest())], "{page}");
        assert_eq!(pictures(&read), [SHOWN], "{page}");
    }
}

#[test]
fn a_picture_that_no_page_shows_is_a_file() {
    for (page, headers) in [
        ("Hi", "Content-Type: image/png; name=scan.png"),
        ("Hi", "Content-Type: image/png"),
        ("Hi", "Content-Type: image/png\r\nContent-Disposition: inline"),
        (
            "Hi",
            "Content-Type: image/jpeg\r\nContent-Disposition: inline\r\nContent-ID: <code>",
        ),
        (
            "<img src=cid:other>",
            "Content-Type: image/png\r\nContent-ID: <code>",
        ),
        (
            "<img src=cid:codes>",
            "Content-Type: image/png\r\nContent-ID: <code>",
        ),
    ] {
        for kind in ["mixed", "related"] {
            let read = page_and(page, kind, headers);
            assert_eq!(of(&read, "attachment"), [digest()], "{page} {headers}");
            assert_eq!(read.facts.attachments.len(), 1, "{page} {headers}");
            assert!(
                read.facts.pictures.is_empty() && pictures(&read).is_empty(),
                "{headers}"
            );
        }
    }
    // The page of another message shows nothing of this one.
    let other = "Content-Type: message/rfc822\r\n\r\nFrom: b@sender.example\r\nContent-Type: text/html\r\n\r\n<img src=cid:code>";
    let text = format!(
        "From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{other}\r\n\
         --b\r\nContent-Type: image/png\r\nContent-ID: <code>\r\nContent-Transfer-Encoding: base64\r\n\r\n{PNG}\r\n--b--\r\n"
    );
    assert_eq!(of(&reading(text.as_bytes()).unwrap(), "attachment"), [digest()]);
    // One that cannot be decoded is named.
    let broken = "--b\r\nContent-Type: image/png; name=a.png\r\nContent-ID: <x>\r\nContent-Transfer-Encoding: x-odd\r\n\r\ndata\r\n--b--";
    let text =
        format!("From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{broken}\r\n");
    let read = reading(text.as_bytes()).unwrap();
    assert_eq!(
        (read.unreadable.len(), read.unreadable[0].value.as_str()),
        (1, "a.png")
    );
}

#[test]
fn pictures_that_stand_in_the_page_itself_are_told() {
    for page in [
        format!("<img src=\"data:image/png;base64,{PNG}\">"),
        format!("<img src='DATA:image/png;base64,{PNG}'>"),
        format!("<img src=data:image/png;base64,{PNG}>"),
        format!("<td style=\"background:url(data:image/png;base64,{PNG})\">"),
    ] {
        let text = format!("From: a@sender.example\r\nContent-Type: text/html\r\n\r\n{page}\r\n");
        let read = reading(text.as_bytes()).unwrap();
        let told: Vec<_> = read
            .facts
            .pictures
            .iter()
            .map(|one| (one.content_type.as_str(), one.size, one.sha256.clone()))
            .collect();
        assert_eq!(told, [("image/png", 12, digest())], "{page}");
        assert_eq!(pictures(&read), [SHOWN], "{page}");
        assert!(of(&read, "attachment").is_empty());
    }
    let many = "<img src=\"data:image/gif;base64,R0lGODlh\">".repeat(300);
    let text = format!("From: a@sender.example\r\nContent-Type: text/html\r\n\r\n{many}\r\n");
    let read = reading(text.as_bytes()).unwrap();
    assert_eq!(read.facts.pictures.len(), MAX_NAMED);
    assert!(pictures(&read)[0].starts_with("300 pictures"), "{:?}", read.notes);
}
