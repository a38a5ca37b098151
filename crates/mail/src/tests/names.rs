//! Names without a scheme in running text.

use super::*;

fn urls(text: &str) -> Vec<String> {
    let read = read_text(text);
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

fn urls_of_page(body: &str) -> Vec<String> {
    let message = format!("From: a@sender.example\r\nContent-Type: text/html\r\n\r\n{body}");
    let read = reading(message.as_bytes()).unwrap();
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_name_in_a_sentence_is_a_link_whatever_follows_it() {
    for (text, expected) in [
        (
            "Go to shop-offers.com and enter code 4711",
            "http://shop-offers.com/",
        ),
        ("Confirm at royal-fee.co.uk", "http://royal-fee.co.uk/"),
        ("Confirm at royal-fee.co.uk.", "http://royal-fee.co.uk/"),
        ("(SHOP-OFFERS.COM)", "http://shop-offers.com/"),
        ("See Shop-Offers.Com, today", "http://shop-offers.com/"),
        ("Web:shop-offers.com", "http://shop-offers.com/"),
        ("**shop-offers.com**", "http://shop-offers.com/"),
        ("\u{201e}shop-offers.com\u{201c}", "http://shop-offers.com/"),
        ("Is it shop-offers.com?", "http://shop-offers.com/"),
        ("shop-offers.com?id=3", "http://shop-offers.com/"),
        ("shop-offers.com/ today", "http://shop-offers.com/"),
        ("shop-offers.com/?t=abc", "http://shop-offers.com/"),
        ("shop-offers.com/#/login", "http://shop-offers.com/"),
        ("shop-offers.com/~bob/x", "http://shop-offers.com/~bob/x"),
        ("shop-offers.com./x", "http://shop-offers.com/x"),
        ("bank-tan.de/ best\u{e4}tigen", "http://bank-tan.de/"),
        ("shop-offers.com:8443", "http://shop-offers.com:8443/"),
        ("at shop-offers.com:8443.", "http://shop-offers.com:8443/"),
        ("203.0.113.77/login", "http://203.0.113.77/login"),
        ("203.0.113.77:8080", "http://203.0.113.77:8080/"),
        ("shop.github.io", "http://shop.github.io/"),
        ("README.md and shop-offers.com", "http://shop-offers.com/"),
    ] {
        assert_eq!(urls(text), [expected], "{text}");
        assert_eq!(urls_of_page(&format!("<p>{text}</p>")), [expected], "{text}");
    }
}

#[test]
fn what_is_no_site_in_a_sentence_is_no_link() {
    for text in [
        "e.g. this, i.e. that, a.k.a. U.S.A. z.B. u.a. Ph.D.",
        "Node.js README.md setup.py main.rs build.sh report.zip clip.mov build.sh:10 setup.py?",
        "Mr.Smith Dr.med Dr.Med St.Gallen end.Next sentence. Done.In time. First.It was",
        "at 9.am and 10.pm version 1.2.3.4 v2.0 3.5/4 192.0.2.0/24 198.51.100.7",
        "jane.doe.me@corp.example x.com@y.example mailto:a.de a::b.de x=shop.com shop.com(1)",
        "file.txt my_file.info self._x.name",
        "co.uk com .com",
    ] {
        assert!(urls(text).is_empty(), "{text}: {:?}", urls(text));
    }
    for page in [
        "<script>x = shop.name; y = this.top</script><style>a.top{}</style>",
        "<p>jane@<b>shop-offers.com</b></p>",
        "<p>my<b>shop.com</b>(1)</p>",
    ] {
        assert!(urls_of_page(page).is_empty(), "{page}: {:?}", urls_of_page(page));
    }
    // A name is part of the link that it stands in.
    assert_eq!(
        urls("https://a.example/x,b.com/y shop.com/x,b.com"),
        ["https://a.example/x,b.com/y", "http://shop.com/x,b.com"]
    );
}

#[test]
fn a_name_that_tags_cut_is_read_whole() {
    assert_eq!(
        urls_of_page("<p>Go to shop-<b>offers.com</b> now</p>"),
        ["http://shop-offers.com/"]
    );
    assert_eq!(
        urls_of_page("Go to shop-offers.com<script>x.y</script>"),
        ["http://shop-offers.com/"]
    );
}

#[test]
fn names_of_machines_in_reports_and_logs_are_no_links() {
    for (kind, text) in [
        (
            "message/delivery-status",
            "Reporting-MTA: dns; mail.shop-offers.com",
        ),
        (
            "text/rfc822-headers",
            "Received: from mail.shop-offers.com by mx.shop-offers.com; x",
        ),
        (
            "text/plain; name=a.log\r\nContent-Disposition: attachment",
            "mail.shop-offers.com refused",
        ),
        (
            "text/calendar",
            "BEGIN:VCALENDAR\r\nX-SERVER:mail.shop-offers.com",
        ),
    ] {
        let message = format!("From: a@sender.example\r\nContent-Type: {kind}\r\n\r\n{text}\r\n");
        let read = reading(message.as_bytes()).unwrap();
        assert!(of(&read, "url").is_empty(), "{kind}: {read:?}");
    }
    let calendar = "BEGIN:VCALENDAR\r\nDESCRIPTION:Join at shop-offers.com\\, today\r\n";
    let message = format!("From: a@sender.example\r\nContent-Type: text/calendar\r\n\r\n{calendar}");
    let read = reading(message.as_bytes()).unwrap();
    assert_eq!(of(&read, "url"), ["http://shop-offers.com/"]);
}
