//! Pages as people see them: text that tags cut, relative links, links without a scheme, links in attributes.

use super::*;

const LINK: &str = "https://shop-offers.example/login";

fn page(body: &str) -> Vec<String> {
    let message = format!("From: a@b.example\r\nContent-Type: text/html\r\n\r\n{body}");
    let read = reading(message.as_bytes()).unwrap();
    let found = of(&read, "url")
        .into_iter()
        .chain(read.ignored.iter().map(|one| one.value.as_str()));
    found.map(str::to_owned).collect()
}

#[test]
fn tags_within_a_word_do_not_end_a_link() {
    for body in [
        "<p>https://shop-<wbr>offers.example/login</p>",
        "<p>https://shop-off<wbr/>ers.example/lo<WBR>gin</p>",
        "<p>https://shop-<!-- x -->offers.example/login</p>",
        "<p>https://shop-<!x>offers.example/login</p>",
        "https://shop-off<span>ers.exam</span>ple/login",
        "<i>ht</i><b>tps:</b><u x='>'>//shop-offers.exa<x-y>mple</x-y></u>/login",
        "<p>https://shop-<a name=x>offers</a>.example/login<br>now",
    ] {
        assert!(page(body).contains(&LINK.to_owned()), "{body}: {:?}", page(body));
    }
    // No tag that ends a word joins, nor does a link of its own.
    for body in [
        "<td>https://shop-offers.example/login</td><td>more</td>",
        "https://shop-offers.example/login<br>more",
        "<a href=https://shop-offers.example/login>https://shop-offers.example/login</a>more",
        "<b>https://shop-offers.example/login</b> more",
        "<p>https://shop-offers.example/login<p>more",
    ] {
        assert_eq!(page(body), [LINK], "{body}");
    }
    // A name that is one does not become another by the word behind it.
    assert_eq!(page("<b>www.shop.de</b>Tel <b>x</b>"), ["http://www.shop.de/"]);
    // What is hidden in the middle hides nothing.
    let hidden = "https://evil.example<span style='display:none'>.good.example</span>/x";
    assert!(
        page(hidden).contains(&"https://evil.example/".to_owned()),
        "{:?}",
        page(hidden)
    );
}

#[test]
fn relative_links_lead_to_the_base_of_the_page() {
    assert_eq!(
        page(
            "<a href=early></a><base target=_blank><base href='https://c.example/forms/'><base href='https://d.example/'>\
              <a href='d/view?x=1'>x</a><a href='/top'>y</a><a href='#here'>z</a><a href='mailto:x@y.example'>m</a>"
        ),
        [
            "https://c.example/forms/",
            "https://d.example/",
            "https://c.example/forms/early",
            "https://c.example/forms/d/view",
            "https://c.example/top",
        ]
    );
    assert_eq!(
        page("<base href='//c.example/'><a href=a>"),
        ["https://c.example/", "https://c.example/a"]
    );
    assert!(page("<a href='d/view'>x</a>").is_empty());
}

#[test]
fn pages_and_scripts_in_links_are_read_in_every_form() {
    let encoded = "PGEgaHJlZj0naHR0cHM6Ly9zaG9wLW9mZmVycy5leGFtcGxlL2xvZ2luJz54PC9hPg==";
    for body in [
        format!("<a href='data:text/html;base64,{encoded}'>"),
        format!("<a href=' DATA:text/html;charset=utf-8;base64 ,{encoded}'>"),
        format!("<meta http-equiv=refresh content='0;url=data:text/html;base64,{encoded}'>"),
        format!("<a onclick=\"location='data:text/html;base64,{encoded}'\">"),
        "<a href='data:text/html,%3Ca%20href%3D%22https%3A%2F%2Fshop-offers.example%2Flogin%22%3E'>"
            .to_owned(),
        "<a href=\"javascript:location='https://shop-offers.example/login'\">".to_owned(),
        "<a href=\"java\nscript:location='https:\\/\\/shop-offers.example/login'\">".to_owned(),
        "<a href='javascript:location=%22https%3A%2F%2Fshop-offers.example%2Flogin%22'>".to_owned(),
        "<a onclick=\"location='https:\\/\\/shop-offers.example/login'\">".to_owned(),
        "<a href=https:///shop-offers.example/login>".to_owned(),
        "see https:///shop-offers.example/login".to_owned(),
    ] {
        assert_eq!(page(&body), [LINK], "{body}");
    }
}

#[test]
fn a_name_with_a_path_is_a_link() {
    let urls = |text: &str| {
        let read = read_text(text);
        of(&read, "url")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for text in [
        "Sign in at shop-offers.com/login today",
        "(shop-offers.com/login).",
        "shop-offers.com/login,",
        "Link:\tSHOP-offers.com/login",
        "\u{201e}shop-offers.com/login\u{201c}",
        "and/or ...shop-offers.com/login!",
        "\u{8bf7}\u{8bbf}\u{95ee}shop-offers.com/login",
        "https://shop-offers.com/login and shop-offers.com/login",
    ] {
        let found = urls(text);
        assert!(
            found.len() <= 2
                && found
                    .last()
                    .is_some_and(|link| link.ends_with("://shop-offers.com/login")),
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        urls("at career-offers.example/login"),
        ["http://career-offers.example/login"]
    );
    assert_eq!(urls("at shop.co.uk:8080/x"), ["http://shop.co.uk:8080/x"]);
    assert_eq!(urls("m\u{fc}nchen.de/x"), ["http://xn--mnchen-3ya.de/x"]);
    assert_eq!(
        page("<p>Sign in at shop-<wbr>offers.com/login today</p>"),
        ["http://shop-offers.com/login"]
    );
    for text in [
        "and/or 1.5/2 v1.2/v1.3 a.m./p.m. U.S./U.K. z.B./x",
        "desk@shop-offers.com/x",
        "/srv/shop.com/x ./shop.com/x ~/shop.com/x a=shop.com/x",
        "co.uk/x com/x .com/x",
        "file.txt/x Node.js/Express array[0].com/x",
    ] {
        assert!(urls(text).is_empty(), "{text}: {:?}", urls(text));
    }
    assert!(page("<script>x = e.name/2 + this.top/3</script><style>a.top/b</style>").is_empty());
}

#[test]
fn a_site_without_a_scheme_is_a_link_of_a_page() {
    let page = "From: a@b.example\r\nContent-Type: text/html\r\n\r\n<a href=\"career-offers.example/login\">x</a><a href=\"a/b.html\">y</a>";
    let read = reading(page.as_bytes()).unwrap();
    assert_eq!(of(&read, "url"), ["http://career-offers.example/login"]);
}

#[test]
fn a_link_of_a_page_without_a_scheme_leads_to_the_site_that_it_names() {
    for (href, expected) in [
        ("shop-offers.com", "http://shop-offers.com/"),
        ("shop-offers.com?x=1", "http://shop-offers.com/"),
        ("login.shop-offers.com", "http://login.shop-offers.com/"),
        ("shop-offers.com/#/login", "http://shop-offers.com/"),
        ("shop-offers.com:8443", "http://shop-offers.com:8443/"),
        ("shop-offers.com:8443/x", "http://shop-offers.com:8443/x"),
        ("203.0.113.77", "http://203.0.113.77/"),
        ("203.0.113.77:8080/x", "http://203.0.113.77:8080/x"),
        ("bank-login.pl", "http://bank-login.pl/"),
    ] {
        let found = page(&format!("<a href=\"{href}\">Sign in</a>"));
        assert_eq!(found, [expected], "{href}");
    }
    for href in [
        "index.html",
        "img.png",
        "README.md",
        "files.zip",
        "a/shop.com",
        "./shop.com",
        "?x=shop.com",
        "#shop.com",
        "tel:5",
        "com",
    ] {
        let found = page(&format!("<a href=\"{href}\">x</a>"));
        assert!(found.is_empty(), "{href}: {found:?}");
    }
    let based = page("<base href='https://c.example/'><a href='shop-offers.com'>x</a>");
    assert_eq!(based, ["https://c.example/", "https://c.example/shop-offers.com"]);
}

#[test]
fn pages_hide_nothing_in_attributes() {
    let page = "<base href='https://base.example/'><area href=https://area.example/><svg><a xlink:href=\"https://svg.example/\"/></svg>\
        <meta http-equiv=refresh content=\"0; url='https://meta.example/'\"><form action=https://form.example/><button formaction=https://button.example/>\
        <iframe srcdoc=\"<a href='https://srcdoc.example/'>x</a>\"></iframe><a onclick=\"location='https://click.example/'\">x</a>\
        <iframe src=\"data:text/html;base64,PGEgaHJlZj0naHR0cHM6Ly9kYXRhLmV4YW1wbGUvJz54PC9hPg==\"></iframe>\
        <p xmlns:x=\"https://ns.example/\">https&#58;//text.example/&nbsp;x</p><script>if(a<b){location=\"https://script.example/\"}</script>";
    let message = format!("From: a@b.example\r\nContent-Type: text/html\r\n\r\n{page}");
    let read = reading(message.as_bytes()).unwrap();
    let mut hosts: Vec<String> = read
        .indicators
        .iter()
        .filter(|one| one.role == "url")
        .filter_map(|one| one.indicator.host())
        .collect();
    hosts.sort();
    let expected = [
        "area", "base", "button", "click", "data", "form", "meta", "script", "srcdoc", "svg", "text",
    ];
    assert_eq!(hosts, expected.map(|name| format!("{name}.example")));
}
