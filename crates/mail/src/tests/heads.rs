//! Who sent what a text forwards or quotes.

use super::*;

const EVIL: &str = "x@evil-desk.example";

fn carried(read: &Read) -> Vec<&str> {
    of(read, "attached_sender")
}

fn text(text: &str) -> Read {
    reading(
        format!("From: user@corp.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}")
            .as_bytes(),
    )
    .unwrap()
}

fn page(page: &str) -> Read {
    reading(
        format!("From: user@corp.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}").as_bytes(),
    )
    .unwrap()
}

#[test]
fn the_sender_of_a_message_that_a_text_forwards_is_asked_about() {
    for head in [
        // Gmail, Outlook, Apple Mail, Thunderbird, and others.
        "---------- Forwarded message ---------\r\nFrom: The Boss <x@evil-desk.example>\r\nDate: Mon, 2 Nov 2026\r\nSubject: pay\r\nTo: <user@corp.example>",
        "---------- Forwarded message ---------\nFrom: *The Boss* <x@evil-desk.example>\nDate: Mon\nSubject: pay",
        "*From:* The Boss <x@evil-desk.example>\r\n*Sent:* Monday\r\n*To:* User <user@corp.example>\r\n*Subject:* pay",
        "________________________________\r\nVon: The Boss <x@evil-desk.example>\r\nGesendet: Montag, 2. November 2026 10:00\r\nAn: User\r\nBetreff: Zahlung",
        "De\u{a0}: The Boss [mailto:x@evil-desk.example]\r\nEnvoy\u{e9}\u{a0}: lundi\r\n\u{c0}\u{a0}: User\r\nObjet\u{a0}: paiement",
        "De: The Boss <x@evil-desk.example>\r\nEnviado el: lunes\r\nPara: User\r\nAsunto: pago",
        "Da: The Boss <x@evil-desk.example>\r\nInviato: lunedi\r\nA: User\r\nOggetto: bonifico",
        "Van: The Boss <x@evil-desk.example<mailto:x@evil-desk.example>>\r\nVerzonden: maandag\r\nAan: User\r\nOnderwerp: betaling",
        "Begin forwarded message:\r\n\r\n> From: \"The Boss\" <x@evil-desk.example>\r\n> Subject: pay\r\n> Date: 2 November 2026\r\n> To: user@corp.example",
        "-------- Forwarded Message --------\r\nSubject: \tpay\r\nDate: \tMon, 2 Nov 2026\r\nFrom: \tThe Boss <x@evil-desk.example>\r\nTo: \tuser@corp.example",
        "-------- Weitergeleitete Nachricht --------\r\nBetreff: \tpay\r\nDatum: \tMon\r\nVon: \tx@evil-desk.example\r\nAn: \tuser@corp.example",
        ">> From: x@evil-desk.example\r\n>> To: user@corp.example\r\n>> Subject: pay",
        // Lines that programs fold, long lists of recipients, and addresses that people made dead.
        "From: The Boss of All the Bosses of the Company\r\n <x@evil-desk.example>\r\nDate: Mon\r\nTo: a@corp.example,\r\n b@corp.example,\r\n c@corp.example\r\nSubject: pay",
        "From: x[at]evil-desk[.]example\r\nSent: Monday\r\nSubject: pay",
        "\u{53d1}\u{4ef6}\u{4eba}\u{ff1a}Boss <x@evil-desk.example>\r\n\u{65e5}\u{671f}\u{ff1a}2026\r\n\u{4e3b}\u{9898}\u{ff1a}pay",
    ] {
        let read = text(&format!(
            "please look\r\n\r\n{head}\r\n\r\nhttps://www.bank.example/\r\n"
        ));
        assert_eq!(carried(&read), [EVIL], "{head}");
        assert!(read.unreadable.is_empty(), "{head}: {read:?}");
        // They did not send the message itself.
        assert_eq!(read.senders.len(), 1, "{head}");
    }
}

#[test]
fn heads_in_pages_are_read_as_people_see_them() {
    for head in [
        "<div style=\"border:none\"><p class=MsoNormal><b>From:</b> The Boss &lt;<a href=\"mailto:x@evil-desk.example\">x@evil-desk.example</a>&gt; <br>\r\n<b>Sent:</b> Monday<br>\r\n<b>To:</b> User<br>\r\n<b>Subject:</b> pay</p></div>",
        "<p><b><span>Von:</span></b><span> The Boss &lt;x@evil-desk.example&gt;</span></p>\r\n\r\n<p><b>Gesendet:</b> Montag</p>\r\n\r\n\r\n<p><b>An:</b> User</p><p><b>Betreff:</b> x</p>",
        "<div class=gmail_quote>---------- Forwarded message ---------<br>From: <b>The Boss</b> <span dir=\"auto\">&lt;<a\r\n href=\"mailto:x@evil-desk.example\">x@evil-desk.example</a>&gt;</span><br>Date: Mon<br>Subject: pay<br></div>",
        "<table><tr><th>From: </th><td>The Boss &lt;x@evil-desk.example&gt;</td></tr><tr><th>Date: </th><td>Mon</td></tr><tr><th>Subject:</th><td>x</td></tr></table>",
        "<div><b>From: </b><a href=\"mailto:x@evil-desk.example\">The Boss</a></div><div><b>Subject: </b>pay</div><div><b>Date: </b>Mon</div>",
        "<style>p{a:b}</style><!-- From: c --><pre>From: x@evil-desk.example\nTo: user@corp.example\nSubject: x</pre>",
    ] {
        let read = page(&format!("<html><body>please look{head}</body></html>"));
        assert_eq!(carried(&read), [EVIL], "{head}");
    }
}

#[test]
fn what_is_no_head_names_no_sender() {
    for words in [
        "From: x@evil-desk.example",
        "From: x@evil-desk.example\r\nTo: you",
        "Write to x@evil-desk.example\r\nDate: Monday\r\nSubject: pay\r\nTo: you",
        "From: Vienna\r\nhe went\r\nto Rome\r\nSubject: a letter to x@evil-desk.example",
        "From: x@evil-desk.example\r\n\r\n\r\nDate: Monday\r\nSubject: pay",
        "https://a.example/from:x@evil-desk.example\r\nDate: Monday\r\nSubject: pay",
    ] {
        let read = text(words);
        assert!(carried(&read).is_empty(), "{words}: {read:?}");
        assert!(read.unreadable.is_empty(), "{words}");
    }
    // Own senders are ignored, and one without an address is noted.
    let own = text("From: A <a@corp.example>\r\nSent: Monday\r\nTo: B\r\nSubject: x");
    assert!(carried(&own).is_empty(), "{own:?}");
    assert!(
        own.ignored.iter().any(|one| one.value == "a@corp.example"),
        "{own:?}"
    );
    let nameless = text("From: A Colleague\r\nSent: Monday\r\nTo: B\r\nSubject: x");
    assert!(
        nameless
            .notes
            .iter()
            .any(|note| note.contains("no sender's address")),
        "{nameless:?}"
    );
    assert!(nameless.unreadable.is_empty());
}

#[test]
fn all_heads_count_and_what_is_too_much_is_named() {
    let head = |at: usize| {
        format!(
            "From: a{at}@sender{at}.example\r\nReply-To: b{at}@sender{at}.example\r\nDate: Mon\r\nSubject: x\r\n\r\ntext\r\n\r\n"
        )
    };
    let two = text(&(head(1) + &head(2)));
    assert_eq!(
        carried(&two),
        [
            "a1@sender1.example",
            "b1@sender1.example",
            "a2@sender2.example",
            "b2@sender2.example"
        ]
    );
    let many: String = (0..80).map(head).collect();
    let read = text(&many);
    assert!(
        read.unreadable.iter().any(|one| one.role == "attached_sender"),
        "{:?}",
        read.unreadable
    );
    // A text and a page that say the same count once.
    let same: String = (0..80).map(|_| head(1)).collect();
    assert!(text(&same).unreadable.is_empty());
}

#[test]
fn who_sent_a_message_before_a_list_put_itself_in_from_is_asked_about() {
    for header in [
        "X-Original-From: Boss <x@evil-desk.example>",
        "X-Original-Sender: x@evil-desk.example",
    ] {
        let message =
            format!("From: \"'Boss' via Finance\" <finance@corp.example>\r\n{header}\r\n\r\nhi\r\n");
        let read = reading(message.as_bytes()).unwrap();
        assert_eq!(carried(&read), [EVIL], "{header}");
    }
    let same = "From: Boss <X@evil-desk.example>\r\nX-Original-Sender: x@evil-desk.example\r\n\r\nhi\r\n";
    let read = reading(same.as_bytes()).unwrap();
    assert!(carried(&read).is_empty(), "{read:?}");
}
