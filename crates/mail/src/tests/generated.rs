use proptest::prelude::*;

use std::collections::HashSet;

use super::*;

/// Octets with the shape of messages, so that the property reaches beyond refusals.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("From: a@b.example\r\n".to_owned()),
        Just("Content-Type: multipart/mixed; boundary=b\r\n".to_owned()),
        Just("Content-Type: multipart/digest; boundary=\"c\"\n".to_owned()),
        Just("Content-Type: message/rfc822\r\n".to_owned()),
        Just("Content-Type: text/html; charset=utf-7\r\n".to_owned()),
        Just("Content-Transfer-Encoding: base64\r\n".to_owned()),
        Just("Content-Transfer-Encoding: quoted-printable\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("--b\r\n".to_owned()),
        Just("--b--\r\n".to_owned()),
        Just("--c\n".to_owned()),
        "(Received|From|Reply-To|Return-Path|Authentication-Results|Content-Type|Content-Disposition): [ -~\t\u{e9}]{0,60}\r?\n",
        "Content-(Type: multipart/mixed|Disposition: attachment)(; ?(boundary|name|filename|charset)\\*?[0-9x\0]{0,2}\\*?=[abc'%\"]{0,6}){0,5}\r\n",
        "Received: (from|by|\\(|\\)|\\[|\\]|[a-f0-9:.]{0,12}|;| |\r\n ){0,20}\r\n",
        "Authentication-Results: mx1.corp.example; ((spf|dkim|dmarc)=|\\(|\\)|\"|;|\\\\| |[a-z.]{1,8}){0,12}\r\n",
        "<[a-z/!-]{0,6} (href|src|style)?=?[\"']?(http://|//|&#x?[0-9a-f]{0,7};?)?[!-~\u{e9}]{0,20}[\"']?>?",
        "https?://(urldefense.com/v3/__|www.google.com/url\\?q=|x.example/)[!-~\u{e9}]{0,30} ",
    ];
    let bytes = prop_oneof![
        4 => line.prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(bytes, 0..60).prop_map(|lines| lines.concat())
}

/// A local part and the start of a name, unlike any other by its number.
fn word() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,8}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn anything_is_read_within_limits_or_refused(bytes in octets()) {
        if let Ok(read) = reading(&bytes) {
            prop_assert!(read.indicators.len() <= MAX_INDICATORS);
            prop_assert!(read.excess.is_empty() || read.indicators.len() == MAX_INDICATORS);
            prop_assert!(read.excess.len() <= MAX_NAMED && read.ignored.len() <= MAX_NAMED);
            let all: HashSet<_> = read.indicators.iter().chain(&read.excess).map(|one| &one.indicator).collect();
            prop_assert_eq!(all.len(), read.indicators.len() + read.excess.len());
            for one in read.indicators.iter().chain(&read.excess) {
                prop_assert_eq!(own(&one.indicator), None);
                if one.role == "url" {
                    prop_assert!(!one.indicator.value().contains(['?', '#']), "{}", one.indicator);
                }
            }
        }
    }

    #[test]
    fn a_message_gives_exactly_what_was_put_in(
        sender in word(),
        reply in proptest::option::of(word()),
        hop in any::<u8>(),
        links in proptest::collection::vec((word(), any::<bool>()), 0..8),
        files in proptest::collection::hash_set("[ -~]{1,200}", 0..4),
        encoded in any::<bool>(),
    ) {
        use base64::Engine as _;
        use sha2::Digest as _;
        let mut expected = vec![("sender", format!("{sender}@from.example"))];
        let mut text = format!(
            "Received: from x ([192.0.2.{hop}]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n\
             From: \"Somebody\" <{sender}@from.example>\r\n"
        );
        if let Some(reply) = reply {
            text += &format!("Reply-To: {reply}@reply.example\r\n");
            expected.push(("reply_to", format!("{reply}@reply.example")));
        }
        expected.push(("relay", format!("192.0.2.{hop}")));
        text += "Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n";
        let mut urls = Vec::new();
        for (at, (word, html)) in links.iter().enumerate() {
            let link = format!("http://host{at}.example/{word}");
            text += &if *html {
                format!("--=_b\r\nContent-Type: text/html\r\n\r\n<a href=\"{link}?q=1\">x</a>\r\n")
            } else {
                format!("--=_b\r\n\r\nsee {link}#top now\r\n")
            };
            urls.push(("url", link));
        }
        for file in &files {
            let (encoding, body) = if encoded {
                ("base64", base64::engine::general_purpose::STANDARD.encode(file))
            } else {
                ("quoted-printable", file.bytes().map(|b| format!("={b:02X}")).collect())
            };
            text += &format!(
                "--=_b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
            );
            let digest = sha2::Sha256::digest(file.as_bytes());
            expected.push(("attachment", digest.iter().map(|octet| format!("{octet:02x}")).collect()));
        }
        expected.extend(urls);
        text += "--=_b--\r\n";
        let read = reading(text.as_bytes()).unwrap();
        let found: Vec<_> = values(&read.indicators)
            .into_iter()
            .map(|(role, value)| (role, value.to_owned()))
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert!(read.ignored.is_empty() && read.excess.is_empty());
    }
}
