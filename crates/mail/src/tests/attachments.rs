//! What a reader of mail would save.

use super::*;

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    pivotd_domain::hex::hex(&sha2::Sha256::digest(bytes))
}

/// Reads a message of one multipart with these parts.
fn parts(parts: &[&str]) -> Read {
    let mut text = "From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    for part in parts {
        text += &format!("--b\r\n{part}\r\n");
    }
    reading((text + "--b--\r\n").as_bytes()).unwrap()
}

#[test]
fn base64_is_decoded_as_far_as_it_goes() {
    let hello = digest(b"hello");
    for (encoding, body) in [
        ("base64", "aGVsbG8="),
        ("base64", "aGVsbG8"),
        ("BASE64", "aGVs\r\nbG8=\r\n"),
        ("base64 (as usual)", "aGVsbG8="),
        ("\"base64\"", "aGVsbG8="),
        ("base64;", "aG!Vs bG*8="),
    ] {
        let part =
            format!("Content-Type: application/pdf\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}");
        let read = parts(&[&part]);
        assert_eq!(of(&read, "attachment"), [&hello], "{encoding} {body}");
    }
    // Readers differ where padding stands in the middle: both files count.
    let read = parts(&[
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=aGVsbG8=",
    ]);
    assert_eq!(of(&read, "attachment"), [digest(b"hellohello"), hello]);
}

#[test]
fn uuencoded_files_are_taken_out_of_texts() {
    let file = "begin 644 note.txt\r\n%:&5L;&\\\r\n`\r\nend\r\n";
    for (head, rest) in [
        ("Content-Type: text/plain", "see https://a.example/x\r\n"),
        ("Content-Type: text/plain", ""),
        (
            "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: x-uuencode",
            "",
        ),
        (
            "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: uuencode",
            "",
        ),
    ] {
        let read = parts(&[&format!("{head}\r\n\r\n{rest}{file}{rest}")]);
        assert_eq!(of(&read, "attachment"), [digest(b"hello")], "{head}");
        assert_eq!(of(&read, "url").len(), usize::from(!rest.is_empty()), "{head}");
        assert_eq!(read.facts.attachments[0].size, 5);
    }
    // One that is cut off is saved as far as it goes; words are no file.
    let cut = parts(&["Content-Type: text/plain\r\n\r\nbegin 644 x\r\n%:&5L;&\\"]);
    assert_eq!(of(&cut, "attachment"), [digest(b"hello")]);
    let words = parts(&["\r\nbegin 644 words\r\nand then go to https://a.example/x\r\nend"]);
    assert!(of(&words, "attachment").is_empty());
    assert_eq!(of(&words, "url"), ["https://a.example/x"]);
}

#[test]
fn a_file_is_one_however_it_is_called() {
    let png = "\\x89PNG";
    for (head, is_file) in [
        ("Content-Type: image/png; name=invoice.exe", true),
        (
            "Content-Type: image/png\r\nContent-Disposition: inline; filename=invoice.exe\r\nContent-ID: <x>",
            true,
        ),
        ("Content-Type: image/svg+xml; name=logo.svg", true),
        ("Content-Type: image/svg+xml\r\nContent-ID: <x>", true),
        ("Content-Type: image/png; name=logo.png", true),
        ("Content-Type: text/html; name=invoice.html", true),
        ("Content-Type: text/csv", true),
        ("Content-Type: text/plain", false),
        ("Content-Type: message/delivery-status", false),
        ("Content-Type: audio/wav", true),
    ] {
        let read = parts(&[&format!("{head}\r\n\r\n{png} data")]);
        assert_eq!(of(&read, "attachment").len(), usize::from(is_file), "{head}");
        assert_eq!(read.facts.attachments.len(), usize::from(is_file), "{head}");
    }
    // Octets that are no picture's.
    for start in ["PK\u{3}\u{4}", "MZ", "%PDF-", "<svg>"] {
        let read = parts(&[&format!(
            "Content-Type: image/png\r\nContent-ID: <x>\r\n\r\n{start} data"
        )]);
        assert_eq!(of(&read, "attachment").len(), 1, "{start}");
    }
}

#[test]
fn attached_pages_are_read_for_their_links_by_any_sign() {
    let page = "<html><a href=\"https://page.example/login\">x</a></html>";
    for head in [
        "Content-Type: application/octet-stream; name=form.htm",
        "Content-Type: application/octet-stream; name=\"FORM.HTML\"\r\nContent-Disposition: attachment",
        "Content-Type: application/octet-stream",
        "Content-Type: image/svg+xml; name=logo.svg",
        "Content-Type: application/pdf; name=x.pdf",
        "Content-Type: text/plain; name=x.txt",
    ] {
        let read = parts(&[&format!("{head}\r\n\r\n{page}")]);
        assert_eq!(of(&read, "url"), ["https://page.example/login"], "{head}");
    }
    let eml = "Content-Type: application/octet-stream; name=mail.eml\r\n\r\nFrom: x@y.example\r\n\r\nhttps://eml.example/x";
    assert_eq!(of(&parts(&[eml]), "url"), ["https://eml.example/x"]);
    let wide: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([vec![0xff, 0xfe], wide].concat())
    };
    let read = parts(&[&format!(
        "Content-Type: text/html; name=x.html\r\nContent-Transfer-Encoding: base64\r\n\r\n{wide}"
    )]);
    assert_eq!(of(&read, "url"), ["https://page.example/login"]);
}

#[test]
fn what_cannot_be_read_of_attachments_is_named() {
    for (part, value) in [
        (
            "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: x-odd\r\n\r\ndata",
            "a.zip",
        ),
        (
            "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
            "application/zip",
        ),
        (
            "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nno file",
            "a.zip",
        ),
        (
            "Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\ndata",
            "winmail.dat",
        ),
        (
            "Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\ndata",
            "smime.p7m",
        ),
        (
            "Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\n-----BEGIN PGP MESSAGE-----",
            "encrypted.asc",
        ),
    ] {
        let read = parts(&[part]);
        let named: Vec<_> = read
            .unreadable
            .iter()
            .map(|one| (one.role, one.value.as_str()))
            .collect();
        assert_eq!(named, [("attachment", value)], "{part}");
    }
    let signature = parts(&[
        "Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\nx",
    ]);
    assert!(signature.unreadable.is_empty() && of(&signature, "attachment").is_empty());
    // A boundary that no header names is guessed, as programs for mail do.
    let read = reading(b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\nContent-Type: application/pdf\r\n\r\nhello\r\n--x--\r\n").unwrap();
    assert_eq!(of(&read, "attachment"), [digest(b"hello")]);
}

#[test]
fn a_uuencoded_file_and_the_text_in_its_place_both_count() {
    let text = parts(&["\r\nbegin 2026 with us\r\nHTTPS://CAREER-OFFERS.EXAMPLE/A\r\nend\r\n"]);
    assert_eq!(of(&text, "url"), ["https://career-offers.example/A"]);
    let page = b"<a href=https://career-offers.example/a>x</a>";
    let page: String = std::iter::once(char::from(32 + 45))
        .chain(page.chunks(3).flat_map(|three| {
            let bits = three.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b));
            [18, 12, 6, 0].map(|shift| char::from(32 + (bits >> shift & 63) as u8))
        }))
        .collect();
    let read = parts(&[&format!("\r\nbegin 644 a.htm\r\n{page}\r\n`\r\nend\r\n")]);
    assert_eq!(of(&read, "url"), ["https://career-offers.example/a"], "{page}");
    assert_eq!(read.facts.attachments[0].size, 45);
}

#[test]
fn what_is_encrypted_in_the_text_or_by_a_program_of_ones_own_is_named() {
    for part in [
        "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----",
        "\r\nHi,\r\n> -----BEGIN PGP MESSAGE-----\r\n>\r\n> hQEMA",
        "Content-Type: text/html\r\n\r\n<pre>-----BEGIN PGP MESSAGE-----\nhQEMA</pre>",
        "Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\r\n\r\nvxx",
        "Content-Type: application/octet-stream; name=message.rpmsg\r\n\r\nvxx",
    ] {
        let read = parts(&[part]);
        assert!(
            read.unreadable
                .iter()
                .any(|one| one.reason.starts_with("encrypted")),
            "{part}"
        );
    }
    let signed =
        parts(&["\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nthe line -----BEGIN PGP MESSAGE-----"]);
    assert!(signed.unreadable.is_empty(), "{signed:?}");
}
