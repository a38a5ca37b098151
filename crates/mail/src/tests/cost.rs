//! What strangers' messages cost: time that grows with their length, and not with its square.
#![expect(clippy::disallowed_methods, reason = "the test reads how long its thread ran")]

use std::fmt::Write;
use std::time::Duration;

use super::*;

/// The longer message.
const LENGTH: usize = 512 * 1024;
/// What takes less is not worth comparing.
const FLOOR: Duration = Duration::from_millis(2);

/// Returns how long this thread has run, as Linux counts it: waiting for others is no part of it. Zero elsewhere, where
/// nothing is then compared.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn time(message: &[u8]) -> Duration {
    let start = on_cpu();
    // Whether it is refused or read, it must not take long.
    let _ = reading(message);
    on_cpu().saturating_sub(start)
}

/// Compares a message with one of a quarter of its length: 4 times as long is even growth, 16 times its square.
fn grows_evenly(what: &str, max: usize, message: impl Fn(usize) -> String) {
    let (short, long) = (message(max / 4), message(max));
    assert!(long.len() <= MAX_BYTES, "{what} has {} octets", long.len());
    let (mut least, mut max) = (Duration::MAX, Duration::MAX);
    // The best of a few runs counts, since noise only makes them longer; most need one.
    for _ in 0..12 {
        least = least.min(time(short.as_bytes()));
        max = max.min(time(long.as_bytes()));
        if max < least.max(FLOOR) * 10 {
            return;
        }
    }
    panic!("{what}: {least:?} for a quarter, {max:?} for the whole");
}

const TEXT: &str = "From: a@sender.example\r\n\r\n";
const PAGE: &str = "From: a@sender.example\r\nContent-Type: text/html\r\n\r\n";

fn filled(head: &str, unit: &str, length: usize) -> String {
    let count = length.saturating_sub(head.len()) / unit.len();
    format!("{head}{}", unit.repeat(count))
}

#[test]
fn pages_of_one_thing_over_and_over() {
    for unit in [
        "<",
        ">",
        "<a",
        "<a ",
        "<a href=",
        "<a href=\"",
        "<a href='",
        "<!--",
        "&",
        "&#",
        "&#x",
        "&a",
        "&amp;",
        "://",
        "http://",
        "http://a&",
        "=\"",
        "= ",
        "<a x='>",
        "<a x=\"'>",
        "<a x='\"",
        "(",
        "[)",
        "\"'",
        "<a =",
        "/",
        "<a style=\"http://",
        "http://x.example/ ",
        "<a href=http://x.example/>",
        "http://x.example/((((",
        "\u{2028}",
        ".",
        "http://x.example/....",
        "<b>http://x.example",
        "<i>a</i>",
        "</b ",
        "<base href=a ",
        "<!---->",
        "<wbr>a",
        "a.com/",
        "a.com/x(",
        "a.com ",
        "a.com.",
        "a.com:1",
        "a.com/ ",
        "a:b.com@",
        "<b>a.com</b>",
        "<!--[if ",
        "a<b>&shy;</b>",
        "<style>a</style>",
        "<div hidden>a",
        "a.com&shy;",
        "\u{8bf7}a",
        "data:text/html,",
        "cid:",
        "\"data:image/",
        "From: a@b.example\nTo: b\nDate: c\n",
        "to:\n",
        "from:\rpriority:\r",
    ] {
        grows_evenly(unit, LENGTH, |length| filled(PAGE, unit, length));
        grows_evenly(unit, LENGTH, |length| filled(TEXT, unit, length));
    }
}

#[test]
fn messages_of_the_most_octets() {
    let page = "<a href=http://x.example/>";
    grows_evenly(page, MAX_BYTES, |length| filled(PAGE, page, length));
    let text = "http://x,";
    grows_evenly(text, MAX_BYTES, |length| filled(TEXT, text, length));
}

#[test]
fn senders_of_one_thing_over_and_over() {
    for unit in [
        "<",
        ">",
        "\"",
        "\\\"",
        "(",
        "=?",
        "=?a?q?",
        "@",
        "a@",
        "a@b.example,",
        "<a@b.example",
        "<\">",
        ":",
        ";",
        " @ ",
        "x=?a?q?b?=",
        "<=?a?q?b?=",
    ] {
        grows_evenly(unit, 60 * 1024, |length| {
            filled("From: ", unit, length) + "\r\n\r\n"
        });
    }
}

#[test]
fn one_link_that_never_ends() {
    for (first, unit) in [
        ("http://", "a"),
        ("http://", "a."),
        ("http://x.example/", "%2e"),
        ("http://x.example/?", "a=b&"),
        ("http://x.example/", ")"),
        ("http://x.example/", "&amp"),
        (
            "https://nam02.safelinks.protection.outlook.com/?url=",
            "https%3A%2F%2F",
        ),
        ("https://urldefense.com/v3/__", "**A"),
        ("<a href=\"", "&#x41;"),
    ] {
        let head = format!("{PAGE}{first}");
        grows_evenly(unit, LENGTH, |length| filled(&head, unit, length));
    }
}

#[test]
fn bodies_in_every_encoding() {
    for (encoding, unit) in [
        ("base64", "QUFB"),
        ("base64", "="),
        ("base64", "Q"),
        ("quoted-printable", "="),
        ("quoted-printable", "=41"),
        ("quoted-printable", "=\r\n"),
        ("x-unknown", "a"),
    ] {
        let head = format!(
            "From: a@sender.example\r\nContent-Type: text/html; charset=utf-7\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        );
        grows_evenly(unit, LENGTH, |length| filled(&head, unit, length));
    }
}

#[test]
fn lines_that_look_like_boundaries() {
    let head = "From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=\"--\"\r\n\r\n";
    for unit in [
        "--",
        "--\r\n",
        "----\r\n",
        "----x\r\n",
        "\r\n",
        "\r",
        "-",
        "--b\r\n",
    ] {
        grows_evenly(unit, LENGTH, |length| filled(head, unit, length));
    }
}

#[test]
fn multiparts_in_multiparts_and_messages_in_messages() {
    let multipart = |length: usize| {
        let mut text = "From: a@sender.example\r\n".to_owned();
        for at in 0..MAX_DEPTH {
            let _ = write!(
                text,
                "Content-Type: multipart/digest; boundary=b{at}\r\n\r\n--b{at}\r\n"
            );
        }
        filled(&text, "\r\n--b\r\n", length)
    };
    grows_evenly("multipart", LENGTH, multipart);
    let unit = "Content-Type: message/rfc822\r\n\r\n";
    grows_evenly("message", LENGTH, |length| {
        filled("From: a@sender.example\r\n", unit, length)
    });
}

/// Blocks of headers, each as long as is read, in as many parts as fit.
#[test]
fn headers_of_one_thing_over_and_over() {
    const BLOCK: usize = 60 * 1024;
    for unit in [
        "From: =?utf-8?q?a?= =?utf-8?b?YQ==?=\r\n",
        " =?utf-8?q?=41?=",
        " =?",
        "=?a?q?",
        "=?utf-8?q?",
        "(",
        "\\(",
        "\"",
        "<",
        "a@b.example,",
        "group:a@b.example;",
        ",",
        ";",
        "; a*0*=%41",
        "; a=\"",
        "%41",
        "X-A: b\r\n",
        "Received: from a by mx1.corp.example; x\r\n",
        " by mx1.corp.example",
        "Authentication-Results: mx1.corp.example; spf=pass\r\n",
        "; spf=pass smtp.mailfrom=a",
        "=",
        "\r\n ",
        ":",
    ] {
        for name in ["From", "Received", "Authentication-Results", "Content-Type"] {
            let message = |length: usize| {
                let mut text =
                    "From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
                for _ in 0..(length / (BLOCK + 64)).max(1) {
                    let block = filled(&format!("{name}: "), unit, BLOCK.min(length));
                    let _ = write!(text, "--b\r\n{block}\r\n\r\n");
                }
                text
            };
            grows_evenly(&format!("{name}: {unit}"), LENGTH, message);
        }
    }
}

/// Time may grow evenly with a message's length and still be far too much.
#[test]
fn no_text_costs_many_times_what_plain_links_do() {
    const MOST: u32 = 25;
    let length = LENGTH / 2;
    let plain = filled(TEXT, "http://x.example/ ", length);
    let plain = (0..4)
        .map(|_| time(plain.as_bytes()))
        .min()
        .unwrap_or_default()
        .max(FLOOR);
    for unit in [
        "http://a[]/",
        "http://a[/",
        "http://!",
        "http://!x",
        "www.a[]/",
        "a[.]",
        "a[.]b/",
        "1[.]",
        "[.]a",
        "\\\\a.b\\",
        "\\\\",
        "file://a",
        "[:]//",
        "https://a\\.",
    ] {
        let message = filled(TEXT, unit, length);
        let took = (0..4).map(|_| time(message.as_bytes())).min().unwrap_or_default();
        assert!(
            took < plain * MOST,
            "{unit}: {took:?}, where plain links take {plain:?}"
        );
    }
}
