//! Senders, however they are written.

use proptest::prelude::*;

use super::*;

fn from(value: &str) -> Read {
    reading(format!("From: {value}\r\nSubject: x\r\n\r\ntext\r\n").as_bytes()).unwrap()
}

#[test]
fn an_address_is_found_wherever_it_stands() {
    let address = "desk@shop.example";
    for value in [
        "desk@shop.example",
        "<desk@shop.example>",
        "<<desk@shop.example>>",
        "< desk@shop.example >",
        "Desk <desk@shop.example",
        "Desk desk@shop.example",
        "Desk desk@shop.example>",
        "\"Desk, Ltd\" <desk@shop.example>",
        "\"unclosed <desk@shop.example>",
        "Desk (of (nested) shop) <desk@shop.example>",
        "Desk (unclosed <desk@shop.example>",
        "desk (first) @ (second) shop.example",
        "desk@shop.example (Desk)",
        "<@relay.example,@other.example:desk@shop.example>",
        "Group: desk@shop.example;",
        "Group:<desk@shop.example>;",
        "mailto:desk@shop.example",
        "<mailto:desk@shop.example>",
        "=?utf-8?q?D=22=3Csk?= <desk@shop.example>",
        "=?utf-8?b?RGVzaywgTHRk?= <desk@shop.example>",
        "=?broken <desk@shop.example>",
        "Desk\r\n <desk@shop.example>",
        "\"desk\"@shop.example",
        "Desk <desk@shop.example> trailing",
        "Doe, John <desk@shop.example>",
        "desk@SHOP.example.",
        // Only where nothing else is an address: it stands in a comment, in quotes, in an encoded word, or is defanged.
        "Desk,(<desk@shop.example>)",
        "\"desk@shop.example\"",
        "=?utf-8?q?desk=40shop=2Eexample?=",
        "=?utf-8?b?ZGVza0BzaG9wLmV4YW1wbGU=?=",
        "desk[at]shop[.]example",
    ] {
        let read = from(value);
        assert_eq!(of(&read, "sender"), [address], "{value}: {read:?}");
        assert!(read.unreadable.is_empty(), "{value}: {read:?}");
        assert!(
            !read.facts.senders.is_empty() || value.contains("[at]"),
            "{value}"
        );
    }
}

#[test]
fn of_an_address_that_cannot_be_read_whole_the_domain_counts_and_a_note_shows_it() {
    let long = format!("{}@shop.example", "b".repeat(80));
    for value in [
        format!("<{long}>"),
        long,
        "<desk@<x@shop.example>".to_owned(),
        "\"John Doe\"@shop.example".to_owned(),
        "<\"John Doe\"@shop.example>".to_owned(),
        "<de sk@shop.example>".to_owned(),
        "<@shop.example>".to_owned(),
        "<desk;x@shop.example>".to_owned(),
    ] {
        let read = from(&value);
        assert_eq!(of(&read, "sender"), ["shop.example"], "{value}: {read:?}");
        assert!(read.unreadable.is_empty(), "{value}");
        let notes = read.notes.join("\n");
        assert!(
            notes.contains("cannot be read whole") && notes.contains("shop.example"),
            "{value}: {notes}"
        );
    }
    // Programs differ in which at sign they take: each domain that it could be counts.
    let read = from("<a@one.example@two.example>");
    assert_eq!(of(&read, "sender"), ["one.example", "two.example"]);
    let read = from("<a@one.example, <b@two.example>");
    assert_eq!(of(&read, "sender"), ["one.example", "two.example"]);
    let read = from("<desk@[192.0.2.7]>");
    assert_eq!(of(&read, "sender"), ["192.0.2.7"]);
}

#[test]
fn all_senders_count() {
    let read = from("<a@one.example>, B <b@two.example>; c@three.example");
    assert_eq!(
        of(&read, "sender"),
        ["a@one.example", "b@two.example", "c@three.example"]
    );
    let text = "From: <a@one.example>\r\nSender: agent@list.example\r\nFrom: <b@two.example>\r\nReply-To: \"x\" <<r@reply.example>>\r\nReturn-Path: <prvs=1=%=very.long.thing.that.is.longer.than.sixty.four.octets.as.they.are=x@bounce.example>\r\n\r\n";
    let read = reading(text.as_bytes()).unwrap();
    assert_eq!(of(&read, "sender"), ["a@one.example", "b@two.example"]);
    assert_eq!(of(&read, "sender_agent"), ["agent@list.example"]);
    assert_eq!(of(&read, "reply_to"), ["r@reply.example"]);
    assert_eq!(of(&read, "return_path"), ["bounce.example"]);
    assert!(
        read.notes
            .iter()
            .any(|note| note.contains("several From headers")),
        "{:?}",
        read.notes
    );
}

#[test]
fn a_name_that_shows_another_address_is_noted() {
    for value in [
        "ceo@corp-bank.example <a@evil.example>",
        "\"ceo@corp-bank.example\" <a@evil.example>",
        "a@evil.example (ceo@corp-bank.example)",
        "\"ceo@corp-bank.example\", <a@evil.example>",
        "\"ceo@corp-bank.example\",\r\n <a@evil.example>",
        "=?utf-8?q?ceo=40corp-bank=2Eexample?= <a@evil.example>",
    ] {
        let read = from(value);
        assert_eq!(of(&read, "sender"), ["a@evil.example"], "{value}");
        assert_eq!(
            ignored(&read),
            [("sender", "ceo@corp-bank.example", SHOWN_ONLY)],
            "{value}"
        );
        assert!(
            read.notes
                .iter()
                .any(|note| note.contains("display name shows another")),
            "{value}: {:?}",
            read.notes
        );
    }
    // It is a sender where the address behind the comma has a name of its own.
    let two = from("\"a@shop.example\", Desk <b@shop.example>");
    assert_eq!(of(&two, "sender"), ["a@shop.example", "b@shop.example"]);
    let same = from("\"A@evil.example\" <a@EVIL.example>");
    assert!(ignored(&same).is_empty() && of(&same, "sender").len() == 1);
}

#[test]
fn a_sender_of_which_not_even_the_domain_is_known_is_unreadable() {
    for (value, shown) in [
        ("Billing", "Billing"),
        ("<billing>", "billing"),
        ("a@", "a@"),
        ("a@localhost", "a@localhost"),
        ("<a@b_\u{200e}>", "a@b_U+200E"),
        ("", ""),
    ] {
        let read = from(value);
        assert!(of(&read, "sender").is_empty(), "{value}");
        let named: Vec<_> = read
            .unreadable
            .iter()
            .map(|one| (one.role, one.value.as_str()))
            .collect();
        assert_eq!(named, [("sender", shown)], "{value}");
    }
    let none = reading(b"Subject: x\r\n\r\ntext").unwrap();
    assert_eq!(none.unreadable[0].reason, "the message names no sender");
    // A return path that is none is a note, for only mail servers look at it.
    let read = reading(b"From: a@b.example\r\nReturn-Path: <odd>\r\n\r\n").unwrap();
    assert!(read.unreadable.is_empty());
    assert!(
        read.notes.iter().any(|note| note.contains("return_path")),
        "{:?}",
        read.notes
    );
    // Who reads the message answers the others.
    for (header, role) in [("Reply-To", "reply_to"), ("Sender", "sender_agent")] {
        for (value, is_named) in [
            ("Billing desk", true),
            ("\"Billing\" (desk)", true),
            ("<billing>", true),
            ("", false),
            ("<>", false),
            ("Doe, John <j@c.example>", false),
            ("Doe, j[at]c[.]example", false),
        ] {
            let message = format!("From: a@b.example\r\n{header}: {value}\r\n\r\n");
            let read = reading(message.as_bytes()).unwrap();
            let named: Vec<_> = read.unreadable.iter().map(|one| one.role).collect();
            assert_eq!(
                named,
                if is_named { vec![role] } else { vec![] },
                "{header}: {value}"
            );
            let known = of(&read, role);
            assert!(known.is_empty() || known == ["j@c.example"], "{header}: {value}");
        }
    }
}

#[test]
fn encoded_words_within_an_address_are_decoded() {
    for value in [
        "<=?utf-8?q?billing=40shop.example?=>",
        "Bob <=?utf-8?b?YmlsbGluZ0BzaG9wLmV4YW1wbGU=?=>",
        "Bob <billing@=?utf-8?q?shop.example?=>",
        "Bob <=?utf-8?q?billing?=@shop.example>",
        "billing@=?utf-8?q?shop.example?=",
        "billing=?utf-8?q?=40?=shop.example",
        "bill=?utf-8?q?ing=40sh?=op.example",
        "=?utf-8?q?billing?=@shop.example",
        "=?utf-8?q?bill?= =?utf-8?q?ing?=@shop.example",
    ] {
        for (name, role) in [
            ("From", "sender"),
            ("Reply-To", "reply_to"),
            ("Sender", "sender_agent"),
        ] {
            let message = format!("{name}: {value}\r\n\r\ntext");
            let read = reading(message.as_bytes()).unwrap();
            assert_eq!(of(&read, role), ["billing@shop.example"], "{name}: {value}");
        }
    }
    // A strict reader takes the address as it stands.
    let read = from("<=?utf-8?q?x=40two.example=2C?=@one.example>");
    assert_eq!(of(&read, "sender"), ["two.example", "one.example"]);
    let read = from("<x@one.example=?utf-8?q?=2Etwo=2Eexample?=>");
    assert_eq!(of(&read, "sender"), ["one.example", "x@one.example.two.example"]);
    // A name beside an address is none of it.
    let read = from("Desk=?utf-8?q?_of?= the=?utf-8?q?_shop?=<desk@shop.example>");
    assert_eq!(of(&read, "sender"), ["desk@shop.example"]);
    assert!(read.unreadable.is_empty(), "{read:?}");
}

#[test]
fn an_address_counts_in_every_role_and_mailbox_wherever_it_stands() {
    for value in [
        "=?utf-8?q?billing=40shop.example?=",
        "\"billing@shop.example\"",
        "Billing (<billing@shop.example>)",
        "billing@shop . example",
        "<billing@shop(c).example>",
        "billing@shop\r\n .example",
    ] {
        for (name, role) in [("Reply-To", "reply_to"), ("Sender", "sender_agent")] {
            let message = format!("From: a@b.example\r\n{name}: {value}\r\n\r\ntext");
            let read = reading(message.as_bytes()).unwrap();
            assert_eq!(of(&read, role), ["billing@shop.example"], "{name}: {value}");
        }
        let read = from(&format!("<a@b.example>, {value}"));
        assert_eq!(
            of(&read, "sender"),
            ["a@b.example", "billing@shop.example"],
            "{value}"
        );
    }
    // A dot at the end of an address belongs to a sentence.
    assert_eq!(
        of(&from("desk@shop.example. Thanks"), "sender"),
        ["desk@shop.example"]
    );
    let read = reading(b"From: a@b.example\r\nReply-To: <x@y_z>\r\n\r\n").unwrap();
    assert_eq!(read.unreadable[0].role, "reply_to");
}

#[test]
fn the_facts_are_those_of_the_headers() {
    let text = "Message-ID: <1.2@shop.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n\
        Subject: =?utf-8?q?Caf=C3=A9?=\r\n =?utf-8?q?_offer?=\u{202e}\r\nFrom: \"Desk\" <desk@shop.example>\r\n\
        To: A <a@corp.example>, b@corp.example\r\nCc: <c@corp.example>\r\n\r\ntext\r\n";
    let facts = reading(text.as_bytes()).unwrap().facts;
    assert_eq!(facts.message_id.as_deref(), Some("<1.2@shop.example>"));
    assert_eq!(facts.subject.as_deref(), Some("Caf\u{e9} offer"));
    assert_eq!(facts.date.as_deref(), Some("2026-11-02T10:00:00+01:00"));
    let of = |list: &[MailboxFact]| -> Vec<(String, String)> {
        list.iter()
            .map(|one| (one.name.clone(), one.address.clone()))
            .collect()
    };
    let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
    assert_eq!(of(&facts.senders), [pair("Desk", "desk@shop.example")]);
    assert_eq!(
        of(&facts.recipients.to),
        [pair("A", "a@corp.example"), pair("", "b@corp.example")]
    );
    assert_eq!(of(&facts.recipients.cc), [pair("", "c@corp.example")]);
    assert_eq!(format!("{facts:?}"), "MessageFacts(1 senders, 0 attachments)");
    let returns = reading(b"From: a@b.example\rSubject: x\r\rhttps://c.example/\r").unwrap();
    assert_eq!(
        values(&returns.indicators),
        [("sender", "a@b.example"), ("url", "https://c.example/")]
    );
    let nul = reading(b"From: a@b.example\0evil\r\n\r\n").unwrap().facts;
    assert_eq!(nul.senders[0].address, "a@b.exampleU+0000evil");
    let odd = reading(b"From: a@b.example\r\nDate: yesterday\r\n\r\n")
        .unwrap()
        .facts;
    assert_eq!((odd.date, odd.subject, odd.message_id), (None, None, None));
}

/// A display name that holds no address.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z ]{1,12} ",
        "\"[A-Za-z,;:<>() ]{0,12}\" ",
        "\\([A-Za-z,;:<> ]{0,12}\\) ",
        "=\\?utf-8\\?q\\?[A-Za-z=20_]{1,12}\\?= ",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_domain_of_a_sender_is_found_in_every_form(
        name in name(),
        local in "[a-z0-9.!#$%&'*+/=?^_`{|}~-]{0,90}",
        domain in "[a-z]{1,12}(-[a-z]{1,5})?\\.example",
        form in 0..7_usize,
        comment in "[a-z<> ]{0,8}",
    ) {
        let address = format!("{local}@{domain}");
        let value = match form {
            0 => format!("{name}<{address}>"),
            1 => format!("{name}<<{address}>>"),
            2 => format!("{name}<{address}"),
            3 => format!("{name}({comment})<{address}>({comment})"),
            4 => format!("{name}<x@<{address}>"),
            5 => format!("{name}<@relay.test:{address}>"),
            _ => format!("{name}< {address} >,"),
        };
        let read = from(&value);
        let senders = of(&read, "sender");
        let expected = format!("@{domain}");
        prop_assert!(
            senders.iter().any(|sender| *sender == domain || sender.ends_with(&expected)),
            "{}: {:?} {:?}", value, senders, read.notes
        );
        prop_assert!(read.unreadable.is_empty(), "{}", value);
    }

    #[test]
    fn any_sender_is_read_or_named(value in "[ -~\u{e9}\u{200e}]{0,80}") {
        let read = from(&value);
        let found = read.indicators.iter().any(|one| one.role == "sender")
            || read.ignored.iter().any(|one| one.role == "sender");
        prop_assert!(found || read.unreadable.iter().any(|one| one.role == "sender"), "{}", value);
    }
}

#[test]
fn copies_of_one_mailbox_hide_no_other_and_what_is_too_much_is_named() {
    let copies = "a@good.example, ".repeat(60);
    let read = from(&format!("{copies}b@evil.example"));
    assert_eq!(of(&read, "sender"), ["a@good.example", "b@evil.example"]);
    assert!(read.unreadable.is_empty());
    let many: String = (0..60).map(|at| format!("{at}@good.example, ")).collect();
    for header in ["From", "Reply-To", "Sender", "Return-Path"] {
        let message = format!("{header}: {many}b@evil.example\r\n\r\ntext\r\n");
        let read = reading(message.as_bytes()).unwrap();
        assert!(
            read.unreadable
                .iter()
                .any(|one| one.reason.starts_with("more than 50")),
            "{header}: {:?}",
            read.unreadable
        );
    }
}

#[test]
fn a_group_without_members_is_no_mailbox() {
    for group in [
        "undisclosed-recipients:;",
        "Undisclosed recipients: ;",
        "\"Undisclosed recipients\":;",
        "undisclosed-recipients:",
    ] {
        let read =
            reading(format!("From: a@sender.example\r\nReply-To: {group}\r\n\r\n").as_bytes()).unwrap();
        assert!(read.unreadable.is_empty(), "{group}: {read:?}");
        assert_eq!(values(&read.indicators), [("sender", "a@sender.example")]);
        // Without a sender, a message still is from an unknown one.
        let read = reading(format!("From: {group}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(read.unreadable.len(), 1, "{group}");
    }
    for (group, role) in [
        ("Team: b@evil.example;", "reply_to"),
        ("\"b@evil.example\":;", "reply_to"),
    ] {
        let read =
            reading(format!("From: a@sender.example\r\nReply-To: {group}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(of(&read, role), ["b@evil.example"], "{group}");
    }
    let read = reading(b"From: a@sender.example\r\nReply-To: Team: the boss;\r\n\r\n").unwrap();
    assert_eq!(read.unreadable.len(), 1, "{read:?}");
}
