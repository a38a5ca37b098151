//! Names as people see them, whatever cuts them: tags, elements that are not shown, marks, invisible characters.

use super::*;

fn page(body: &str) -> Vec<String> {
    let message = format!("From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}");
    let read = reading(message.as_bytes()).unwrap();
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

fn text(body: &str) -> Vec<String> {
    let read = read_text(body);
    of(&read, "url").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_name_that_tags_cut_is_read_whole() {
    for body in [
        "<p>Go to shop-<b>offers.com/login</b></p>",
        "<p>Go to shop-<i>offers.com</i>/login</p>",
        "<p>Go to shop-off<span class=x>ers.com/login</span> now</p>",
        "<p>Go to shop-<a name=x>offers.com/login</a></p>",
        "<p>Go to <u>shop</u>-<b>offers</b>.com/login</p>",
        "<p>Go to <u>shop-offers.</u><b>com/login</b></p>",
    ] {
        assert_eq!(page(body), ["http://shop-offers.com/login"], "{body}");
    }
    for body in [
        "<p>Go to shop-<b>www.offers.com/login</b></p>",
        "<p>Go to shop-<b>www.offers[.]com/login</b></p>",
    ] {
        let found = page(body);
        assert_eq!(found, ["http://shop-www.offers.com/login"], "{body}");
    }
    // A name of its own stays one.
    for body in [
        "<p>Go to <b>offers.com/login</b></p>",
        "<p>Go to:<b>offers.com/login</b></p>",
        "<p>shop<br><b>offers.com/login</b></p>",
        "<td>shop</td><td>offers.com/login</td>",
    ] {
        assert_eq!(page(body), ["http://offers.com/login"], "{body}");
    }
}

/// The text before an element counts, although the page ends within it.
#[test]
fn an_element_that_is_never_closed_hides_nothing_before_it() {
    for open in [
        "<span style='display:none'>x",
        "<div hidden>x",
        "<style>p { color: red }",
        "<script>var a = 1;",
        "<template>x<b>y",
        "<title>x",
    ] {
        let body = format!("<p>Go to shop-offers.com {open}");
        assert_eq!(page(&body), ["http://shop-offers.com/"], "{body}");
        let inner = body.replace('\'', "&apos;");
        let framed = format!("<iframe srcdoc=\"{inner}\"></iframe>");
        assert_eq!(page(&framed), ["http://shop-offers.com/"], "{framed}");
    }
}

#[test]
fn what_is_not_shown_cuts_no_name() {
    for cut in [
        "<script>var a = 1;</script>",
        "<style>p { color: red }</style>",
        "<meta name=x content=y>",
        "<span style='display:none'>x y</span>",
        "<div style=\"color: red; DISPLAY : none\">x <div>y</div></div>",
        "<div hidden>x</div>",
        "<template>x</template>",
        "<title>x y</title>",
        "<p style='font-size:0px'></p>",
        "<img src=cid:a width=\"1\" height=\"1\">",
        "<img style='width:0;height:0'>",
        "<input type=hidden name=a value=b>",
        "<br style='display:none'>",
        "<div style='display:inline'></div>",
        "<!-- a word -->",
        "<!-->",
        "<!--->",
        "<!--[if mso]><![endif]-->",
        "<!--[if !mso]><!-- --><!--<![endif]-->",
        "&shy;",
        "&zwnj;",
        "&#8203;",
        "<b>\u{2060}</b>",
    ] {
        let body = format!("<p>Go to shop{cut}offers.com/login</p>");
        assert_eq!(page(&body), ["http://shopoffers.com/login"], "{body}");
        let body = format!("<p>Go to shop{cut}offers.com now</p>");
        assert_eq!(page(&body), ["http://shopoffers.com/"], "{body}");
    }
    // What is hidden is read by itself, and what is only small is shown.
    let body = "<p>shop-<span style='display:none'>other.com/x</span>offers.com/login</p>";
    assert_eq!(page(body), ["http://other.com/x", "http://shop-offers.com/login"]);
    for shown in [
        "<span style='font-size:0.9em'> </span>",
        "<div style='line-height:0'></div>",
        "<img style='border-width:0' src=cid:a>",
        "<div class='hidden'></div>",
    ] {
        let body = format!("<p>shop{shown}offers.com/login</p>");
        assert_eq!(page(&body), ["http://offers.com/login"], "{body}");
    }
}

/// Where a style hides something, what people see may begin behind a tag.
#[test]
fn a_style_that_hides_leaves_both_readings() {
    let body = "<style>.x { display: none }</style><p><b class=x>shop</b>offers.com/login</p>";
    assert_eq!(
        page(body),
        ["http://offers.com/login", "http://shopoffers.com/login"]
    );
}

#[test]
fn invisible_characters_cut_no_name_of_a_text() {
    for unseen in [
        "\u{ad}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}", "\u{180e}",
    ] {
        for (written, expected) in [
            (
                format!("Go to shop{unseen}offers.com now"),
                "http://shopoffers.com/",
            ),
            (
                format!("Go to shop{unseen}offers.com/login"),
                "http://shopoffers.com/login",
            ),
            (
                format!("Go to shopoffers{unseen}.com/login"),
                "http://shopoffers.com/login",
            ),
            (
                format!("Go to shop{unseen}www.offers.com/x"),
                "http://shopwww.offers.com/x",
            ),
            (
                format!("Go to w{unseen}ww.offers.com/x"),
                "http://www.offers.com/x",
            ),
            (
                format!("Go to shop{unseen}offers[.]com/x"),
                "http://shopoffers.com/x",
            ),
            (
                format!("Go to ht{unseen}tps://offers.com/x"),
                "https://offers.com/x",
            ),
        ] {
            assert_eq!(text(&written), [expected], "{written:?}");
        }
    }
}

#[test]
fn the_tags_of_enriched_text_cut_no_name() {
    let message = "From: a@b.example\r\nContent-Type: text/enriched\r\n\r\nGo to shop-<bold>offers.com/login</bold> now";
    assert_eq!(
        of(&reading(message.as_bytes()).unwrap(), "url"),
        ["http://shop-offers.com/login"]
    );
}
