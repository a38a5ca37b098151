//! What trusted relays found out, and what senders wrote in their name.

use super::*;

const FAILS: &str = "spf=fail (sender IP is 192.0.2.7)\r\n smtp.mailfrom=partner.example; dkim=none (message not signed)\r\n \
    header.d=none;dmarc=fail action=none header.from=partner.example;compauth=fail reason=000";

/// Reads headers with these relays; returns the relay, and methods with results.
fn read_with(relays: &[&str], headers: &str) -> (Option<String>, Vec<String>, Vec<String>) {
    let relays: Vec<Relay> = relays.iter().map(|relay| relay.parse().unwrap()).collect();
    let trust = TrustPolicy {
        relays: &relays,
        is_own: &|_| None,
        is_popular: &|_, _| None,
        is_inside: &|_| false,
        keep_query: false,
    };
    let message = format!("{headers}From: a@partner.example\r\n\r\ntext\r\n");
    let read = read(message.as_bytes(), &trust).unwrap();
    let relay = of(&read, "relay").first().map(|relay| (*relay).to_owned());
    let results = read.authentication.iter();
    let results = results
        .map(|one| format!("{}={}", one.method, one.result))
        .collect();
    (relay, results, read.notes)
}

const EXCHANGE: &str = "Received: from mail.sender.example (192.0.2.7) by\r\n AM0EUR.mail.protection.outlook.com (10.13.54.12) with\r\n \
    Microsoft SMTP Server id 15.20.1.1; Mon, 2 Nov 2026 10:00:00 +0000\r\n";

#[test]
fn results_without_a_name_count_above_the_relays_own_line_only() {
    let fails = format!("Authentication-Results: {FAILS}\r\n");
    let forged = "Authentication-Results: spf=pass smtp.mailfrom=partner.example; dmarc=pass header.from=partner.example\r\n";
    let all = ["spf=fail", "dkim=none", "dmarc=fail"];
    for mark in [
        "",
        "\u{feff}",
        "\r\n\r\n",
        "From someone Mon Nov  2 10:00:00 2026\r\n",
    ] {
        for below in [
            "",
            forged,
            "Received: from x ([203.0.113.9]) by AM0EUR.mail.protection.outlook.com; x\r\n",
        ] {
            let (relay, results, notes) =
                read_with(&["outlook.com"], &format!("{mark}{fails}{EXCHANGE}{below}"));
            assert_eq!(relay.as_deref(), Some("192.0.2.7"), "{below}: {notes:?}");
            assert_eq!(results, all, "{below}");
        }
    }
    // What only the sender wrote never counts.
    for below in [
        forged.to_owned(),
        format!("Received: from x by y.outlook.com; x\r\n{forged}"),
        "ARC-Authentication-Results: i=1; outlook.com; dmarc=pass\r\n".to_owned(),
    ] {
        let (relay, results, _) = read_with(&["outlook.com"], &format!("{EXCHANGE}{below}"));
        assert_eq!(
            (relay.as_deref(), results.len()),
            (Some("192.0.2.7"), 0),
            "{below}"
        );
    }
    // Nor where no relay is trusted.
    let (_, results, _) = read_with(&["corp.example"], &format!("{fails}{EXCHANGE}"));
    assert!(results.is_empty());
}

#[test]
fn lines_of_googles_machines_are_inside_above_its_own_line_only() {
    let inner = "Received: by 2002:a05:7022:1:b0:8e:1:2 with SMTP id a; Mon, 2 Nov 2026 10:00:02 -0800 (PST)\r\n\
        X-Received: by 2002:a05:6a20:1:b0:9f:1:2 with SMTP id b; Mon, 02 Nov 2026 10:00:01 -0800 (PST)\r\n";
    let own = "Received: from m.sender.example (m.sender.example. [192.0.2.7])\r\n        by mx.google.com with ESMTPS id c\r\n        for <a@corp.example>; Mon, 02 Nov 2026 10:00:00 -0800 (PST)\r\n";
    let found = "Authentication-Results: mx.google.com; spf=fail (google.com: x) smtp.mailfrom=x@partner.example; dmarc=fail (p=NONE) header.from=partner.example\r\n";
    let forged = "Authentication-Results: mx.google.com; spf=pass smtp.mailfrom=partner.example; dkim=pass header.d=partner.example; dmarc=pass header.from=partner.example\r\n";
    let google = ["mx.google.com"];
    for inner in ["", inner, &inner.repeat(3)] {
        let (relay, results, notes) = read_with(&google, &format!("{inner}{own}{found}"));
        assert_eq!(relay.as_deref(), Some("192.0.2.7"), "{notes:?}");
        assert_eq!(results, ["spf=fail", "dmarc=fail"]);
        // The relay's own header comes first: what the sender wrote in its name does not undo it.
        let (_, results, _) = read_with(&google, &format!("{inner}{own}{found}{forged}"));
        assert_eq!(results, ["spf=fail", "dmarc=fail", "dkim=pass"]);
        let (relay, ..) = read_with(
            &google,
            &format!("{inner}{own}{inner}Received: from x ([203.0.113.9]) by mx.google.com; x\r\n"),
        );
        assert_eq!(relay.as_deref(), Some("192.0.2.7"));
    }
    // Without the relay's own line, or by an address that is not of 10.0.0.0/8, nothing is told.
    let foreign = inner.replace("2002:a05", "2002:c000");
    let with_from = inner.replace("Received: by", "Received: from x ([203.0.113.9]) by");
    for headers in [
        inner.to_owned(),
        format!("{inner}Received: from x ([203.0.113.9]) by evil.example; x\r\n{found}"),
        format!("{foreign}{own}{found}"),
        format!("{with_from}{own}{found}"),
    ] {
        let (relay, results, _) = read_with(&google, &headers);
        assert_eq!((relay, results.len()), (None, 0), "{headers}");
    }
}

#[test]
fn the_address_is_what_the_relay_saw_and_not_what_the_sender_says() {
    let cases = [
        ("from by (unknown [192.0.2.7]) by mx1.corp.example", "192.0.2.7"),
        (
            "from [10.0.0.1] (x.example [192.0.2.7]) by mx1.corp.example",
            "192.0.2.7",
        ),
        (
            "from x (203.0.113.9) (x [192.0.2.7]) by mx1.corp.example",
            "192.0.2.7",
        ),
        (
            "from unknown (HELO 203.0.113.9) (192.0.2.7) by mx1.corp.example with SMTP",
            "192.0.2.7",
        ),
        (
            "from unknown (HELO x) (user@192.0.2.7) by mx1.corp.example",
            "192.0.2.7",
        ),
        (
            "from 192.0.2.7 (EHLO mail.x.example) by mx1.corp.example with SMTP",
            "192.0.2.7",
        ),
        ("from [192.0.2.7] by mx1.corp.example with ESMTP", "192.0.2.7"),
        (
            "from x.example [192.0.2.7] by mx1.corp.example with ESMTP (SMTPD-11.5)",
            "192.0.2.7",
        ),
        (
            "from x.example [203.0.113.9] (x.example [192.0.2.7]) by mx1.corp.example",
            "192.0.2.7",
        ),
        (
            "from x ([192.0.2.7]:4711 helo=[203.0.113.9]) by mx1.corp.example with esmtp (Exim 4)",
            "192.0.2.7",
        ),
        (
            "from x (x [192.0.2.7] (may be forged)) by mx1.corp.example (8.15/8.15) with ESMTP",
            "192.0.2.7",
        ),
        (
            "from x (x [::ffff:192.0.2.7]) (AUTH: LOGIN u, TLS: TLSv1.2) by mx1.corp.example",
            "192.0.2.7",
        ),
        (
            "from x (x [IPv6:2001:db8::7]) by mx1.corp.example (Postfix)",
            "2001:db8::7",
        ),
        (
            "from [IPv6:2001:db8::7] (helo=x) by mx1.corp.example with esmtp",
            "2001:db8::7",
        ),
        (
            "from x ([fe80::1%eth0] ) (x [192.0.2.7]) by mx1.corp.example",
            "192.0.2.7",
        ),
    ];
    for (line, expected) in cases {
        let (relay, _, notes) = read_with(&["corp.example"], &format!("Received: {line}; x\r\n"));
        assert_eq!(relay.as_deref(), Some(expected), "{line}: {notes:?}");
    }
    // A sender that calls itself a relay is where the walk ends, and is told.
    let (relay, results, notes) = read_with(
        &["corp.example"],
        "Received: from mx2.corp.example (x [192.0.2.7]) by mx1.corp.example; x\r\n\
         Received: from y ([203.0.113.9]) by mx2.corp.example; x\r\n\
         Authentication-Results: mx2.corp.example; dmarc=pass\r\n",
    );
    assert_eq!((relay.as_deref(), results.len()), (Some("192.0.2.7"), 0));
    assert!(
        notes
            .iter()
            .any(|note| note.contains("calls itself a trusted relay")),
        "{notes:?}"
    );
}

#[test]
fn only_a_pass_for_the_senders_own_domain_vouches_for_it() {
    let relays: Vec<Relay> = vec!["corp.example".parse().unwrap()];
    let trust = TrustPolicy {
        relays: &relays,
        is_own: &|_| None,
        is_popular: &|_, _| None,
        is_inside: &|_| false,
        keep_query: false,
    };
    let is_doubtful = |from: &str, results: &str| {
        let results = if results.is_empty() {
            String::new()
        } else {
            format!("Authentication-Results: mx1.corp.example; {results}\r\n")
        };
        let message = format!(
            "{results}Received: from x ([203.0.113.9]) by mx1.corp.example; x\r\n{from}Subject: x\r\n\r\ntext\r\n"
        );
        read(message.as_bytes(), &trust).unwrap().is_sender_doubtful()
    };
    let from = "From: a@partner.example\r\n";
    let two = "From: a@partner.example, b@bank.example\r\n";
    for (from, results, expected) in [
        (from, "", false),
        (from, "dmarc=pass header.from=partner.example", false),
        (from, "dmarc=pass", false),
        (from, "dkim=pass header.d=mail.partner.example", false),
        (from, "dmarc=pass header.from=evil.example", true),
        (from, "spf=pass smtp.mailfrom=evil.example", true),
        (from, "spf=pass", true),
        (from, "spf=pass smtp.mailfrom=partner.example; dmarc=fail", true),
        // Of two senders each has to be found right.
        (two, "dmarc=pass header.from=partner.example", true),
        (two, "dmarc=pass", true),
        (
            two,
            "dkim=pass header.d=partner.example; dkim=pass header.d=bank.example",
            false,
        ),
        ("", "dmarc=pass header.from=partner.example", false),
        ("X: y\r\n", "", false),
    ] {
        assert_eq!(is_doubtful(from, results), expected, "{from}{results}");
    }
}

/// Exchange Online's lines about itself, and what took a message from another tenant or from a program for mail.
#[test]
fn a_mailbox_server_of_exchange_takes_messages_from_strangers_too() {
    let exchange = ["outlook.com", "outlook.office365.com"];
    let inner = "Received: from AM7EUR03FT011.eop-EUR03.prod.protection.outlook.com (2603:10a6:20b:312:cafe::7a)\r\n by \
        AS8PR04CA0058.outlook.office365.com (2603:10a6:20b:312::33) with Microsoft SMTP Server; x\r\n";
    let between = "Received: from AS8PR04CA0058.eurprd04.prod.outlook.com (2603:10a6:20b:312::33)\r\n by \
        DB9PR04MB1.eurprd04.prod.outlook.com (2603:10a6:10:240::5) with Microsoft SMTP Server; x\r\n";
    let frontend = "Received: from EUR05-VI1-obe.outbound.protection.outlook.com (40.107.21.98)\r\n by \
        AM7EUR03FT011.mail.protection.outlook.com (100.127.140.1) with Microsoft SMTP Server; x\r\n";
    // What the sending tenant wrote, and what a stranger wrote in its name.
    let others = "Received: from VI1PR04MB2.eurprd04.prod.outlook.com (2603:10a6:800:1::9) by VI1PR04MB3.eurprd04.prod.outlook.com \
        (2603:10a6:800:2::9); x\r\nReceived: from x (203.0.113.66) by VI1PR04MB2.eurprd04.prod.outlook.com; x\r\n\
        Authentication-Results: outlook.com; dmarc=pass header.from=partner.example\r\n";
    let (relay, results, notes) = read_with(&exchange, &format!("{between}{inner}{frontend}{others}"));
    assert_eq!(
        (relay.as_deref(), results.len()),
        (Some("40.107.21.98"), 0),
        "{notes:?}"
    );
    // A machine is listed by one of its names only, and calls itself by the other.
    let own = format!("Authentication-Results: {FAILS}\r\n");
    let (relay, results, notes) = read_with(
        &["outlook.com"],
        &format!("{between}{inner}{own}{EXCHANGE}{others}"),
    );
    assert_eq!(
        (relay.as_deref(), results.len()),
        (Some("192.0.2.7"), 3),
        "{notes:?}"
    );
    // Handed in by a program for mail, with the password of some account.
    for called in ["desktop", "VI1PR04MB2.eurprd04.prod.outlook.com"] {
        for address in ["203.0.113.9", "2001:db8::9", "2603:1020:700::9"] {
            let submitted = format!(
                "Received: from {called} ({address}) by AS8PR04CA0058.eurprd04.prod.outlook.com (2603:10a6:20b:312::33); x\r\n"
            );
            let (relay, results, _) = read_with(&exchange, &format!("{between}{submitted}{others}"));
            assert_eq!((relay.as_deref(), results.len()), (Some(address), 0));
        }
    }
}

/// Some programs write no address of who handed a message in.
#[test]
fn a_line_without_an_address_hides_no_stranger() {
    let below = "Received: from y (y [192.0.2.7]) by mx1.corp.example; x\r\n\
        Authentication-Results: mx1.corp.example; dmarc=pass header.from=partner.example\r\n";
    for (line, is_inside) in [
        (
            "from evil.example by mx1.corp.example (MDaemon PRO v20) with ESMTP",
            false,
        ),
        ("from (unknown) by mx1.corp.example with SMTP", false),
        ("from evil.example by mx1.corp.example with SMTP (LMTP)", false),
        ("from mx1.corp.example by mx1.corp.example with ESMTP", true),
        ("from mx1 by imap.corp.example with LMTP id x", true),
        ("from root by mx1.corp.example with local (Exim 4.96)", true),
        ("by mx1.corp.example (Postfix, from userid 1000) id x", true),
        (
            "(from root@localhost) by mx1.corp.example (8.17.1/8.17.1/Submit) id x",
            true,
        ),
    ] {
        let (relay, results, notes) =
            read_with(&["corp.example"], &format!("Received: {line}; x\r\n{below}"));
        let expected = if is_inside {
            (Some("192.0.2.7"), 1)
        } else {
            (None, 0)
        };
        assert_eq!((relay.as_deref(), results.len()), expected, "{line}: {notes:?}");
    }
}

#[test]
fn the_clouds_of_the_government_are_walked_as_the_commercial_one() {
    let exchange = ["outlook.com", "office365.us"];
    let between = "Received: from CY1P110CA0046.NAMP110.PROD.OUTLOOK.COM (2001:489a:200:400::16)\r\n by \
        DM3P110MB0444.NAMP110.PROD.OUTLOOK.COM (2001:489a:200:413::12) with Microsoft SMTP Server; x\r\n";
    let inner = "Received: from BN3USG02FT003.eop-usg02.itar.protection.office365.us (2001:489a:2202:4::200)\r\n by \
        CY1P110CA0046.office365.us (2001:489a:200:400::16) with Microsoft SMTP Server; x\r\n";
    let own = format!("Authentication-Results: {FAILS}\r\n");
    let frontend = |called: &str, from: &str| {
        format!(
            "Received: from {called} ({from}) by\r\n BN3USG02FT003.mail.protection.office365.us (10.97.24.77) with Microsoft SMTP Server; x\r\n"
        )
    };
    let others = "Received: from x (203.0.113.66) by CY1P110MB0001.NAMP110.PROD.OUTLOOK.COM; x\r\n\
        Authentication-Results: outlook.com; dmarc=pass header.from=partner.example\r\n";
    for relays in [&exchange[..], &exchange[..1]] {
        for (called, from) in [
            ("mail.sender.example", "192.0.2.7"),
            // Another tenant of the same cloud.
            (
                "USG02-BN3-obe.outbound.protection.office365.us",
                "2001:489a:2202:d::62a",
            ),
        ] {
            let headers = format!("{between}{inner}{own}{}{others}", frontend(called, from));
            let (relay, results, notes) = read_with(relays, &headers);
            assert_eq!((relay.as_deref(), results.len()), (Some(from), 3), "{notes:?}");
        }
    }
    // Handed in by a program for mail.
    let submitted = "Received: from desktop (2001:db8::9) by CY1P110MB0001.NAMP110.PROD.OUTLOOK.COM (2001:489a:200:400::9); x\r\n";
    let (relay, _, _) = read_with(&exchange, &format!("{between}{submitted}{others}"));
    assert_eq!(relay.as_deref(), Some("2001:db8::9"));
}
