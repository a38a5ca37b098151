//! Who may report a message, so that what it carries is read in its place.

use super::*;

const INNER: &str = "Received: from x.example ([192.0.2.44]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n\
    From: b@sender.example\r\n\r\nhttp://inner.example/a\r\n";

/// A message from inside, by its header, that carries another; `trace` stands on top.
fn carrying(trace: &str) -> String {
    format!(
        "{trace}From: boss@corp.example\r\nReply-To: c@evil.example\r\nContent-Type: multipart/mixed; boundary=r\r\n\r\n\
         --r\r\nContent-Type: text/plain\r\n\r\nhttp://outer.example/pay\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n{INNER}\r\n--r--\r\n"
    )
}

fn outside(results: &str) -> String {
    format!(
        "Authentication-Results: mx1.corp.example; {results}\r\nReceived: from evil.example ([203.0.113.9]) by mx1.corp.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    )
}

const INNER_ONLY: [(&str, &str); 3] = [
    ("sender", "b@sender.example"),
    ("relay", "192.0.2.44"),
    ("url", "http://inner.example/a"),
];

#[test]
fn a_report_that_never_was_outside_is_what_it_carries() {
    let inside = "Received: from mail ([10.0.0.9]) by mx1.corp.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n";
    let read = reading(carrying(inside).as_bytes()).unwrap();
    assert_eq!(values(&read.indicators), INNER_ONLY);
}

#[test]
fn a_report_from_outside_is_one_only_if_a_trusted_relay_found_its_sender_right() {
    for results in [
        "dmarc=pass header.from=corp.example",
        "spf=pass smtp.mailfrom=boss@corp.example",
        "dkim=pass header.d=corp.example; spf=softfail smtp.mailfrom=list.example",
    ] {
        let read = reading(carrying(&outside(results)).as_bytes()).unwrap();
        assert_eq!(values(&read.indicators), INNER_ONLY, "{results}");
    }
    for results in [
        "dmarc=fail header.from=corp.example",
        "spf=none",
        // Right, but about another name.
        "spf=pass smtp.mailfrom=evil.example",
        "dkim=pass header.d=evil.example; dmarc=fail header.from=corp.example",
        "dmarc=pass header.from=evil.example",
    ] {
        let read = reading(carrying(&outside(results)).as_bytes()).unwrap();
        let found = values(&read.indicators);
        for wanted in [
            ("reply_to", "c@evil.example"),
            ("relay", "203.0.113.9"),
            ("url", "http://outer.example/pay"),
            ("url", "http://inner.example/a"),
        ] {
            assert!(found.contains(&wanted), "{results}: {found:?}");
        }
        assert!(!found.contains(&("sender", "b@sender.example")), "{results}");
        assert!(
            read.notes.iter().any(|note| note.contains("came from outside")),
            "{results}: {:?}",
            read.notes
        );
    }
}

#[test]
fn a_report_of_which_no_relay_tells_hides_nothing() {
    // Results that anybody could have written count for nothing.
    let forged = "Authentication-Results: mx9.evil.example; dmarc=pass header.from=corp.example\r\n";
    let forged_hop =
        "Received: from mail ([10.0.0.9]) by mx.evil.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n";
    for trace in ["", forged, forged_hop] {
        for relays in [relays(), Vec::new()] {
            let trust = Trust {
                relays: &relays,
                is_own: &own,
                is_popular: &|_| None,
                keep_query: false,
            };
            let read = read(carrying(trace).as_bytes(), &trust).unwrap();
            let found = values(&read.indicators);
            for wanted in [
                ("sender", "b@sender.example"),
                ("reply_to", "c@evil.example"),
                ("url", "http://inner.example/a"),
                ("url", "http://outer.example/pay"),
            ] {
                assert!(found.contains(&wanted), "{trace}: {found:?}");
            }
            assert!(
                read.notes
                    .iter()
                    .any(|note| note.contains("the report itself was read, too")),
                "{:?}",
                read.notes
            );
        }
    }
}
