use super::*;

/// A message of parts of one multipart, each with a link of its own.
fn parts(count: usize) -> String {
    let mut text = "From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    for at in 0..count {
        text += &format!("--b\r\n\r\nhttp://x.example/{at}\r\n");
    }
    text + "--b--\r\n"
}

/// A message that is attached to another, and so on.
fn nested(depth: usize) -> String {
    let mut text = "From: a@sender.example\r\n".to_owned();
    for at in 1..depth {
        text += &format!(
            "Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n\r\nhttp://x.example/{at}\r\n--b{at}\r\n"
        );
    }
    text + &format!("Content-Type: text/plain\r\n\r\nhttp://x.example/{depth}\r\n")
}

#[test]
fn a_message_over_a_mebibyte_is_refused() {
    let mut message = b"From: a@sender.example\r\n\r\n".to_vec();
    message.resize(MAX_BYTES, b'x');
    assert!(reading(&message).is_ok());
    message.resize(2 * MAX_BYTES, b'x');
    assert_eq!(reading(&message), Err(MessageError::TooLarge(2 * MAX_BYTES)));
}

#[test]
fn fifty_parts_are_read_and_more_refused() {
    let read = reading(parts(MAX_PARTS).as_bytes()).unwrap();
    assert_eq!(read.indicators.len() + read.excess.len(), MAX_PARTS + 1);
    for count in [MAX_PARTS + 1, 60, 20_000] {
        assert_eq!(reading(parts(count).as_bytes()), Err(MessageError::TooManyParts));
    }
}

#[test]
fn what_is_deeper_than_eight_is_not_read_and_said() {
    let read = reading(nested(MAX_DEPTH).as_bytes()).unwrap();
    assert_eq!(read.indicators.len(), MAX_DEPTH + 1);
    let read = reading(nested(12).as_bytes()).unwrap();
    assert_eq!(read.indicators.len(), MAX_DEPTH + 1);
    assert!(
        read.notes
            .iter()
            .any(|note| note.ends_with("were not read: deeper than 8")),
        "{:?}",
        read.notes
    );
    // Attached messages without end, which would overflow the stack of a reader that nests.
    let line = "Content-Type: message/rfc822\r\n\r\n";
    let endless = format!(
        "From: a@sender.example\r\n{}",
        line.repeat(MAX_BYTES / line.len() - 1)
    );
    let read = reading(endless.as_bytes()).unwrap();
    assert!(
        read.notes
            .iter()
            .any(|note| note == "1 parts were not read: deeper than 8"),
        "{:?}",
        read.notes
    );
}

#[test]
fn twenty_indicators_are_read_and_the_excess_named() {
    let links = |count: usize| -> String {
        (0..count)
            .map(|at| format!("http://x.example/{at}\r\n"))
            .collect()
    };
    let message = |count| format!("From: a@sender.example\r\n\r\n{}", links(count));
    let read = reading(message(200).as_bytes()).unwrap();
    assert_eq!(read.indicators.len(), MAX_INDICATORS);
    assert_eq!(read.excess.len(), 201 - MAX_INDICATORS);
    assert_eq!(read.excess[0].indicator.value(), "http://x.example/19");
    let read = reading(message(30_000).as_bytes()).unwrap();
    assert_eq!(read.excess.len(), MAX_NAMED);
    assert!(
        read.notes
            .iter()
            .any(|note| note == "only the first 2000 links were looked at")
    );
    assert!(
        read.notes
            .iter()
            .any(|note| note == "1781 more values were found than can be named"),
        "{:?}",
        read.notes
    );
}

#[test]
fn headers_beyond_their_limit_are_not_read_and_said() {
    let padding = "X-Padding: =?aa?q? =?aa?q?\r\n".repeat(4_000);
    let read = reading(format!("{padding}From: a@sender.example\r\n\r\nhttp://x.example/").as_bytes());
    assert_eq!(read, Err(MessageError::NoHeader));
    let message =
        format!("From: a@sender.example\r\n{padding}Reply-To: b@sender.example\r\n\r\nhttp://x.example/");
    let read = reading(message.as_bytes()).unwrap();
    assert_eq!(
        values(&read.indicators),
        [("sender", "a@sender.example"), ("url", "http://x.example/")]
    );
    assert!(
        read.notes
            .iter()
            .any(|note| note == "headers beyond 64 KiB were not read"),
        "{:?}",
        read.notes
    );
    // They could have said that there are parts.
    let hidden = format!(
        "From: a@sender.example\r\n{padding}Content-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n"
    );
    let read = reading(hidden.as_bytes()).unwrap();
    assert!(of(&read, "attachment").is_empty());
    let named: Vec<_> = read.unreadable.iter().map(|one| one.role).collect();
    assert_eq!(named, ["attachment"]);
}

#[test]
fn links_that_a_list_vouches_for_are_no_excess_and_take_no_other_s_place() {
    let trust = TrustPolicy {
        relays: &[],
        is_own: &own,
        is_popular: &|link, _| {
            let host = link.host()?;
            host.ends_with("popular.example")
                .then(|| "popular: popular.example on a list".to_owned())
        },
        is_inside: &|_| false,
        keep_query: false,
    };
    let message = |popular: usize, others: usize| {
        let mut text = "From: a@partner.example\r\nContent-Type: text/plain\r\n\r\n".to_owned();
        for at in 0..popular {
            text.push_str(&format!("https://www{at}.popular.example/{at}\r\n"));
        }
        for at in 0..others {
            text.push_str(&format!("https://other{at}.example/\r\n"));
        }
        super::read(text.as_bytes(), &trust).unwrap()
    };
    let newsletter = message(60, 1);
    assert_eq!(newsletter.indicators.len(), MAX_INDICATORS);
    assert!(newsletter.excess.is_empty());
    // The sender and the other link come first.
    assert_eq!(of(&newsletter, "url")[0], "https://other0.example/");
    assert_eq!(newsletter.ignored.len(), 60 - (MAX_INDICATORS - 2));
    assert_eq!(
        newsletter.ignored[0].reason,
        "popular: popular.example on a list; beyond the 20 that are scored"
    );
    let crowded = message(60, 30);
    assert_eq!(
        (crowded.indicators.len(), crowded.ignored.len()),
        (MAX_INDICATORS, 60)
    );
    assert_eq!(crowded.excess.len(), 31 - MAX_INDICATORS);
    assert!(
        values(&crowded.excess)
            .iter()
            .all(|(_, url)| url.contains("other"))
    );
}

#[test]
fn a_message_gets_its_line_ends_back_or_is_refused() {
    let message = "From: \"A\" <a@sender.example>\r\nTo: b@corp.example\r\nSubject: x\r\n\
        Content-Type: multipart/mixed; boundary=\"r\"\r\n\r\n--r\r\n\r\nhttp://x.example/a\r\n--r--\r\n";
    let expected = values(&reading(message.as_bytes()).unwrap().indicators)
        .into_iter()
        .map(|(role, value)| (role, value.to_owned()))
        .collect::<Vec<_>>();
    let once = message.replace("\r\n", r"\r\n");
    let quoted = once.replace('"', "\\\"");
    let twice = once.replace('\\', r"\\");
    let plain = message.replace("\r\n", r"\n");
    let ended = format!("{once}\n");
    for escaped in [once, quoted, twice, plain, ended] {
        let read = reading(escaped.as_bytes()).unwrap();
        let found: Vec<_> = values(&read.indicators)
            .into_iter()
            .map(|(role, value)| (role, value.to_owned()))
            .collect();
        assert_eq!(found, expected, "{escaped}");
    }
    for end in [" ", "<br>", "<br/>\t", "; "] {
        let glued = message.replace("\r\n", end);
        assert_eq!(
            reading(glued.as_bytes()),
            Err(MessageError::NoLineEnds),
            "{glued}"
        );
    }
    // What is written in a line is its text.
    let named = r"From: a@sender.example
Subject: use \n between lines: To: and Subject: follow

C:\new\readme\To: x
http://x.example/a\nb";
    let read = reading(named.as_bytes()).unwrap();
    assert_eq!(of(&read, "sender"), ["a@sender.example"]);
    assert_eq!(of(&read, "reply_to").len(), 0);
}
