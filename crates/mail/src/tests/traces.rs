use super::*;

/// Reads a message of these headers; returns the relay, and the notes.
fn relay(headers: &str) -> (Option<String>, Vec<String>) {
    let message = format!("{headers}From: a@sender.example\r\n\r\ntext\r\n");
    let read = reading(message.as_bytes()).unwrap();
    let found = read.indicators.into_iter().find(|one| one.role == "relay");
    (found.map(|one| one.indicator.value().to_owned()), read.notes)
}

#[test]
fn the_last_hop_is_read_from_headers_of_all_makes() {
    let cases = [
        // Postfix, with a name that claims another address.
        (
            "from [203.0.113.66] (evil.example [192.0.2.44]) by mx1.corp.example (Postfix) with ESMTP id 1; Sat, 21 Nov 2026 09:12:00 +0000",
            "192.0.2.44",
        ),
        (
            "from x.example (x.example [IPv6:2001:db8::44])\r\n\tby mx1.corp.example\r\n\t(Postfix) with ESMTPS id 1;\r\n\tSat, 21 Nov 2026 09:12:00 +0000",
            "2001:db8::44",
        ),
        // Exchange.
        (
            "from x.example (192.0.2.44) by mx1.corp.example (10.0.0.5) with Microsoft SMTP Server (TLS) id 15.1.2; Sat, 21 Nov 2026 09:12:00 +0000",
            "192.0.2.44",
        ),
        (
            "from x.example (2001:db8:1::44) by mx1.corp.example (10.0.0.5) with Microsoft SMTP Server id 15.1.2; Sat, 21 Nov 2026 09:12:00 +0000",
            "2001:db8:1::44",
        ),
        // Exim.
        (
            "from [192.0.2.44] (helo=[203.0.113.66]) by mx1.corp.example with esmtp (Exim 4.98) id 1; Sat, 21 Nov 2026 09:12:00 +0000",
            "192.0.2.44",
        ),
        (
            "from x.example ([192.0.2.44] helo=y.example) by mx1.corp.example with esmtp id 1; Sat, 21 Nov 2026 09:12:00 +0000",
            "192.0.2.44",
        ),
        // The one who took it is known by address.
        (
            "from x.example ([192.0.2.44]) by [198.51.100.7] with ESMTP; Sat, 21 Nov 2026 09:12:00 +0000",
            "192.0.2.44",
        ),
    ];
    for (line, expected) in cases {
        let (found, notes) = relay(&format!("Received: {line}\r\n"));
        assert_eq!(found.as_deref(), Some(expected), "{line}: {notes:?}");
    }
}

#[test]
fn a_line_that_is_but_a_remark_is_passed() {
    let real = "Received: from x.example (HELO y) (192.0.2.44) by mx1.corp.example with SMTP; 21 Nov 2026 09:12:00 -0000\r\n";
    for remark in [
        "(qmail 1234 invoked by uid 89); 21 Nov 2026 09:12:00 -0000",
        "(qmail 1234 invoked from network);\r\n\t21 Nov 2026 09:12:00 -0000",
        "(nullmailer pid 1 invoked by uid 0)",
    ] {
        let top = format!(
            "Received: {remark}\r\nAuthentication-Results: mx1.corp.example; dmarc=fail header.from=sender.example\r\n{real}"
        );
        let between = format!(
            "Received: from edge ([198.51.100.3]) by mx1.corp.example; x\r\nReceived: {remark}\r\n{real}"
        );
        for lines in [top, between] {
            let (found, notes) = relay(&lines);
            assert_eq!(found.as_deref(), Some("192.0.2.44"), "{lines}: {notes:?}");
        }
    }
    // A line that names its writer is no remark.
    let stranger = "Received: (from root@localhost) by stranger.example (8.17.1) id x; x\r\n";
    assert_eq!(relay(&format!("{stranger}{real}")).0, None);
}

#[test]
fn hops_inside_are_passed_and_forged_ones_never_reached() {
    let inside = "Received: from localhost (localhost [127.0.0.1]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n\
        Received: from edge ([198.51.100.3]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n";
    let real =
        "Received: from x.example ([192.0.2.44]) by edge.internal; Sat, 21 Nov 2026 09:12:00 +0000\r\n";
    let forged = "Received: from mx1.corp.example ([203.0.113.9]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n";
    let (found, notes) = relay(&format!("{inside}{real}{forged}"));
    assert_eq!(found.as_deref(), Some("192.0.2.44"), "{notes:?}");
    // A private address of no known relay ends the walk, and is nothing to ask about.
    let lone = "Received: from printer ([10.9.9.9]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n";
    let stranger =
        "Received: from x ([203.0.113.9]) by stranger.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n";
    let message = format!("{lone}{stranger}From: a@sender.example\r\n\r\n");
    let read = reading(message.as_bytes()).unwrap();
    assert_eq!(
        ignored(&read),
        [("relay", "10.9.9.9", "a private or reserved address")]
    );
}

#[test]
fn without_a_trusted_header_there_is_no_relay() {
    let cases = [
        ("", "the message has no Received header"),
        (
            "Received: from x ([192.0.2.44]) by stranger.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n",
            "not of a trusted relay",
        ),
        (
            "Received: from x ([192.0.2.44]) by evilcorp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n",
            "not of a trusted relay",
        ),
        (
            "Received: from ([198.51.100.3]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n",
            "no hop before",
        ),
        (
            "Received: from userid by mx1.corp.example with local; Sat, 21 Nov 2026 09:12:00 +0000\r\n",
            "does not say by address",
        ),
        ("Received: \r\n", "not of a trusted relay"),
    ];
    for (headers, expected) in cases {
        let (found, notes) = relay(headers);
        assert_eq!(found, None, "{headers}");
        assert!(
            notes.iter().any(|note| note.contains(expected)),
            "{headers}: {notes:?}"
        );
    }
    let nobody = TrustPolicy {
        relays: &[],
        is_own: &own,
        is_popular: &|_, _| None,
        is_inside: &|indicator| own(indicator).is_some(),
        keep_query: false,
    };
    let read = read(PHISH, &nobody).unwrap();
    assert!(read.indicators.iter().all(|one| one.role != "relay"));
    assert!(read.authentication.is_empty());
    assert!(
        read.notes
            .iter()
            .any(|note| note.starts_with("no relay is trusted")),
        "{:?}",
        read.notes
    );
}

#[test]
fn only_trusted_relays_authenticate() {
    let received = "Received: from x ([192.0.2.44]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n";
    let line = |id: &str| format!("Authentication-Results: {id}; dmarc=pass header.from=bank.example\r\n");
    let read = |headers: String| {
        let read = reading(format!("{headers}From: a@bank.example\r\n\r\n").as_bytes()).unwrap();
        let ignored = read.notes.iter().any(|note| note.contains("were not counted"));
        (read.authentication, ignored)
    };
    let (found, ignored) = read(format!("{}{received}", line("mx1.corp.example 1")));
    assert_eq!((found.len(), ignored), (1, false));
    // The sender cannot write above the relay's own line, whatever name stands there.
    for id in [
        "filter.example",
        "corp",
        "mx1.corp.example:25",
        "(mx1.corp.example) filter",
    ] {
        let (found, ignored) = read(format!("{}{received}", line(id)));
        assert_eq!((found.len(), ignored), (1, false), "{id}");
        let below = format!("{}{received}{}", line(id), line("mx1.corp.example"));
        assert_eq!(read(below).0.len(), 1, "{id}");
        assert_eq!(
            read(format!("{received}{}", line(id))),
            (Vec::new(), true),
            "{id}"
        );
    }
    // A filter that found nothing of the kind leaves it to the relay.
    let (found, _) = read(format!(
        "Authentication-Results: filter; x-spam=none\r\n{received}{}",
        line("mx1.corp.example")
    ));
    assert_eq!(found.len(), 1);
    for forged in [
        format!(
            "{received}Received: from y by z.example\r\n{}",
            line("mx1.corp.example")
        ),
        line("mx1.corp.example"),
    ] {
        assert_eq!(read(forged.clone()), (Vec::new(), true), "{forged}");
    }
    let odd = "Authentication-Results: MX1.corp.example; none; spf/1 = softfail (\"; dkim=pass) \
        smtp.mailfrom=\"a;dkim=pass\"@x.example; dkim=pass reason=\"x;spf=pass\" header.i=@sig.example; iprev=pass; dkim; =pass;dkim=P@ss\r\n";
    let (found, _) = read(format!("{odd}{received}"));
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.method, one.result.as_str(), one.domain.as_deref()))
        .collect();
    assert_eq!(
        found,
        [("spf", "softfail", None), ("dkim", "pass", Some("sig.example"))]
    );
}

#[test]
fn relays_are_networks_addresses_and_names() {
    assert_eq!(
        "*.Corp.example".parse(),
        Ok(Relay::Name("corp.example".to_owned()))
    );
    assert_eq!("198.51.100.9/28".parse::<Relay>(), "198.51.100.0/28".parse());
    assert_eq!(
        "2001:db8::5".parse(),
        Ok(Relay::Network("2001:db8::5/128".parse().unwrap()))
    );
    assert!(
        "no relay"
            .parse::<Relay>()
            .unwrap_err()
            .to_string()
            .contains("no relay")
    );
}
