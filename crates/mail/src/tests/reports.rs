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
    // Results that any sender could have written count for nothing.
    let forged = "Authentication-Results: mx9.evil.example; dmarc=pass header.from=corp.example\r\n";
    let forged_hop =
        "Received: from mail ([10.0.0.9]) by mx.evil.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n";
    for trace in ["", forged, forged_hop] {
        for relays in [relays(), Vec::new()] {
            let trust = TrustPolicy {
                relays: &relays,
                is_own: &own,
                is_popular: &|_, _| None,
                is_inside: &|indicator| own(indicator).is_some(),
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

/// A report from inside: a text, a file, and the message that it carries.
fn reporting(text: &str) -> String {
    format!(
        "Received: from mail ([10.0.0.9]) by mx1.corp.example; Sat, 21 Nov 2026 10:00:00 +0000\r\nFrom: boss@corp.example\r\n\
         Content-Type: multipart/mixed; boundary=r\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\
         --r\r\nContent-Type: application/zip; name=a.zip\r\n\r\nhello\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n{INNER}\r\n--r--\r\n"
    )
}

#[test]
fn a_link_that_the_reporter_quotes_is_that_of_the_report_still() {
    let read = reading(reporting("is http://inner.example/a bad?").as_bytes()).unwrap();
    assert_eq!(of(&read, "url"), ["http://inner.example/a"]);
}

#[test]
fn the_files_of_a_report_count_beside_those_that_it_carries() {
    let read = reading(reporting("see http://outer.example/pay").as_bytes()).unwrap();
    assert_eq!(of(&read, "url"), ["http://inner.example/a"]);
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(of(&read, "attachment"), [hello]);
    assert!(read.facts.attachments.is_empty(), "{:?}", read.facts);
}

/// Calls corp.example one's own, and partner.example trusted.
fn known(indicator: &Indicator) -> Option<String> {
    let domain = indicator.registrable()?;
    let is_known = ["corp.example", "partner.example"].contains(&domain.value());
    is_known.then(|| "known".to_owned())
}

#[test]
fn whom_one_trusts_reports_nothing() {
    let relays = relays();
    let trust = TrustPolicy {
        relays: &relays,
        is_own: &known,
        is_popular: &|_, _| None,
        is_inside: &|indicator| own(indicator).is_some(),
        keep_query: false,
    };
    let results = outside("dmarc=pass header.from=partner.example");
    let message = carrying(&results).replace("boss@corp.example", "boss@partner.example");
    let read = read(message.as_bytes(), &trust).unwrap();
    for wanted in ["http://outer.example/pay", "http://inner.example/a"] {
        assert!(of(&read, "url").contains(&wanted), "{read:?}");
    }
    assert_eq!(of(&read, "relay"), ["203.0.113.9"]);
}

#[test]
fn a_pass_for_another_name_of_ones_own_vouches_for_no_reporter() {
    let relays = relays();
    let trust = TrustPolicy {
        relays: &relays,
        is_own: &known,
        is_popular: &|_, _| None,
        is_inside: &|indicator| known(indicator).is_some(),
        keep_query: false,
    };
    for (results, outer) in [
        ("spf=pass smtp.mailfrom=partner.example", true),
        ("dmarc=pass header.from=partner.example", true),
        ("dmarc=pass", false),
    ] {
        let read = read(carrying(&outside(results)).as_bytes(), &trust).unwrap();
        let found = of(&read, "url").contains(&"http://outer.example/pay");
        assert_eq!(found, outer, "{results}");
    }
}

/// A message with these parts from one sender.
fn with_parts(from: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--r\r\n{part}\r\n")).collect();
    format!("From: {from}\r\nContent-Type: multipart/mixed; boundary=r\r\n\r\n{parts}--r--\r\n")
}

#[test]
fn the_senders_of_all_attached_messages_count() {
    let one =
        "Content-Type: message/rfc822\r\n\r\nFrom: ceo@bad1.example\r\nReply-To: x@bad3.example\r\n\r\nhello";
    let other = "Content-Type: message/rfc822\r\n\r\nFrom: hr@bad2.example\r\n\r\nhello";
    let headers = "Content-Type: text/rfc822-headers\r\n\r\nFrom: ceo@bad1.example\r\nSubject: x";
    let digest = "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nFrom: ceo@bad1.example\r\n\r\nx\r\n\
        --d\r\n\r\nFrom: hr@bad2.example\r\n\r\ny\r\n--d--";
    let both: &[&str] = &["ceo@bad1.example", "hr@bad2.example"];
    let all: &[&str] = &["ceo@bad1.example", "x@bad3.example", "hr@bad2.example"];
    let first: &[&str] = &["ceo@bad1.example"];
    for (from, parts, expected) in [
        ("user@corp.example", vec![one, other], all),
        ("user@corp.example", vec![digest], both),
        ("user@corp.example", vec![headers], first),
        ("a@sender.example", vec![one], &all[..2]),
        ("a@sender.example", vec![headers], first),
    ] {
        let read = reading(with_parts(from, &parts).as_bytes()).unwrap();
        assert_eq!(of(&read, "attached_sender"), expected, "{from} {parts:?}");
        // They are not who sent the message that carries them.
        assert_eq!(read.senders.len(), 1);
        assert_eq!(read.facts.senders.len(), 1);
    }
    let nobody = "Content-Type: message/rfc822\r\n\r\nFrom: the boss\r\n\r\nhello";
    let read = reading(with_parts("user@corp.example", &[other, nobody]).as_bytes()).unwrap();
    assert!(
        read.unreadable
            .iter()
            .any(|one| (one.role, one.value.as_str()) == ("attached_sender", "the boss")),
        "{read:?}"
    );
}
