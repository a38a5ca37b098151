use super::*;

const GOOD: &str = "https://www.wikipedia.org/";
const EVIL: &str = "https://evil.example/";

fn of(link: &str) -> LinkTarget {
    unwrap(Url::parse(link).unwrap())
}

fn links(link: &str) -> Vec<String> {
    of(link).links.into_iter().map(String::from).collect()
}

#[test]
fn a_plain_link_is_itself() {
    for link in [
        EVIL,
        "https://www.google.com/search?q=evil.example",
        "ftp://evil.example/a",
    ] {
        let found = of(link);
        assert_eq!(found.links, [Url::parse(link).unwrap()]);
        assert!(!found.is_wrapped && found.sealed.is_empty());
    }
}

#[test]
fn a_wrapper_that_names_several_links_leads_to_each_of_them() {
    for link in [
        format!("https://www.google.com/url?q={GOOD}&q={EVIL}"),
        format!("https://www.google.com/url?q={GOOD}&url={EVIL}"),
        format!("https://l.facebook.com/l.php?u={GOOD}&u={EVIL}"),
        format!("https://nam02.safelinks.protection.outlook.com/?url={GOOD}&URL={EVIL}"),
    ] {
        assert_eq!(links(&link), [GOOD, EVIL], "{link}");
        assert!(of(&link).is_wrapped);
    }
    assert_eq!(
        links(&format!("https://www.google.com/url?q={EVIL}&q={EVIL}")),
        [EVIL]
    );
}

#[test]
fn names_that_a_site_does_not_take_are_no_decoys() {
    assert_eq!(
        links(&format!("https://www.google.com/url?Q={GOOD}&q={EVIL}")),
        [EVIL]
    );
    assert_eq!(
        links(&format!("https://l.facebook.com/l.php?U={GOOD}&u={EVIL}")),
        [EVIL]
    );
    // Words beside a link are what was searched for.
    let searched = format!("https://www.google.com/url?sa=t&q=some%20words&url={EVIL}");
    assert_eq!(
        (links(&searched), of(&searched).sealed),
        (vec![EVIL.to_owned()], Vec::new())
    );
}

#[test]
fn what_cannot_be_read_beside_a_link_is_sealed() {
    let found = of(&format!("https://www.google.com/url?q={GOOD}&q=evil.example/a"));
    assert_eq!(found.links, [Url::parse(GOOD).unwrap()]);
    assert_eq!(found.sealed.len(), 1);
    for link in [
        "https://www.bing.com/ck/a?u=%21%21",
        "https://www.linkedin.com/slink?code=abc",
        "https://protect-eu.mimecast.com/s/abc?domain=evil.example",
    ] {
        let found = of(link);
        assert!(found.links.is_empty() && found.sealed.len() == 1, "{link}");
    }
    let hosts = of("https://protect-eu.mimecast.com/s/abc?domain=evil.example").sealed;
    assert_eq!(hosts[0].hosts, [Indicator::name("evil.example").unwrap()]);
}

#[test]
fn links_within_links_are_opened_up_to_a_bound() {
    let wrap = |inner: &str| {
        let coded: String = url::form_urlencoded::byte_serialize(inner.as_bytes()).collect();
        format!("https://www.google.de/url?q={coded}")
    };
    let mut link = EVIL.to_owned();
    for _ in 0..MAX_WRAPPERS {
        link = wrap(&link);
    }
    assert_eq!(links(&link), [EVIL]);
    let found = of(&wrap(&link));
    assert!(found.links.is_empty() && found.sealed.len() == 1);
    // Many in one.
    let many: String = (0..100).map(|at| format!("&q=https://{at}.example/")).collect();
    let found = of(&format!("https://www.google.com/url?a=b{many}"));
    assert_eq!((found.links.len(), found.sealed.len()), (MAX_LINKS - 1, 1));
}

#[test]
fn pages_that_a_site_shows_as_its_own_are_told_from_it() {
    for link in [
        "https://www.google.com/amp/s/evil.example/",
        "https://translate.google.com/translate?sl=de&u=https://evil.example/",
        "https://www.google.co.uk/url?q=https://evil.example/",
        "https://duckduckgo.com/l/?uddg=https%3A%2F%2Fevil.example%2F",
    ] {
        assert_eq!(links(link), [EVIL], "{link}");
    }
    for host in [
        "google.evil.example",
        "google.evil",
        "www.google.com.evil.example",
        "agoogle.com",
    ] {
        let link = format!("https://{host}/url?q={GOOD}");
        assert_eq!(links(&link), std::slice::from_ref(&link));
    }
}

#[test]
fn every_gateway_stands_on_the_list_of_those_that_rewrite_links() {
    let lists = crate::Lists::built_in();
    for host in [
        "urlsand.esvalabs.com",
        "nam02.safelinks.protection.outlook.com",
        "url.us.m.mimecastprotect.com",
    ] {
        let hits = lists.hits(&Indicator::name(host).unwrap());
        assert!(
            hits.iter().any(|hit| hit.purpose == crate::Purpose::SafeLink),
            "{host}"
        );
    }
}

#[test]
fn what_may_be_kept_of_a_link_has_neither_user_nor_query() {
    let link = Url::parse("https://jane:secret@evil.example/a?token=1#part").unwrap();
    assert_eq!(shown(link.clone(), false), "https://evil.example/a");
    assert_eq!(shown(link.clone(), true), "https://evil.example/a?token=1");
    assert_eq!(indicator(link, false).unwrap().value(), "https://evil.example/a");
    let long = Url::parse(&format!("{EVIL}?{}", "a".repeat(MAX_LEN))).unwrap();
    assert_eq!(indicator(long, true).unwrap().value(), EVIL);
}

#[test]
fn what_is_no_page_within_a_wrapper_names_its_server() {
    let found = of("https://www.google.com/url?q=file://evil.example/share");
    assert!(found.links.is_empty());
    assert_eq!(found.sealed[0].hosts, [Indicator::name("evil.example").unwrap()]);
    let found = of("https://www.google.com/url?q=mailto:a@b.example");
    assert!(found.links.is_empty() && found.sealed.is_empty());
}

#[test]
fn redirects_of_large_sites_are_opened_or_sealed() {
    let coded = "aHR0cHMlM2ElMmYlMmZldmlsLmV4YW1wbGUlMmY";
    for link in [
        "https://r.search.yahoo.com/_ylt=A/RV=2/RE=1/RO=10/RU=https%3a%2f%2fevil.example%2f/RK=2/RS=x-"
            .to_owned(),
        format!("https://www.bing.com/aclick?ld=x&u={coded}&rlid=y"),
        format!("https://www.google.com/pagead/aclk?sa=L&adurl={EVIL}"),
        format!("https://web.facebook.com/l.php?u={EVIL}"),
        format!("https://facebook.com/flx/warn/?u={EVIL}"),
        format!("https://scanmail.trustwave.com/?c=1&d=abc&u={EVIL}"),
        format!("https://antiphishing.vadesecure.com/v4?f=1&u={EVIL}"),
        format!("https://m365.eu.vadesecure.com/safeproxy/v4?f=1&u={EVIL}"),
        format!("https://www.baidu.com/link?url={EVIL}"),
    ] {
        assert_eq!(links(&link), [EVIL], "{link}");
        assert!(of(&link).is_wrapped && of(&link).sealed.is_empty(), "{link}");
    }
    for link in [
        "https://www.baidu.com/link?url=abc",
        "https://r.search.yahoo.com/_ylt=A/RS=x",
    ] {
        let found = of(link);
        assert!(found.links.is_empty() && found.sealed.len() == 1, "{link}");
    }
}

#[test]
fn a_link_in_the_query_of_a_large_site_counts_beside_the_page() {
    for link in [
        "https://www.youtube.com/signin?next=https://evil.example/",
        "https://sites.google.com/view/x?y=https://evil.example/",
        "https://mail.firm.example/fmlurlsvc/?fewReq=x&url=https://evil.example/",
        "https://login.microsoftonline.com/common/oauth2/authorize?client_id=1&redirect_uri=https%3A%2F%2Fevil.example%2F",
        "https://firm.okta.com/oauth2/v1/authorize?redirect_uri=https%3A%2F%2Fevil.example%2F&scope=x",
        "https://www.paypal.com/signin?return_to=https://evil.example/",
        "https://www.amazon.de/ap/signin?openid.return_to=https%3A%2F%2Fevil.example%2F",
        "https://appleid.apple.com/auth/authorize?redirect_uri=//evil.example/",
        "https://firm.my.salesforce.com/services/oauth2/authorize?redirect_url=https://evil.example/",
        "https://auth.services.adobe.com/x?continue=https%3A%2F%2Fevil.example%2F",
        "https://slack.com/openid/connect/authorize?redirect_uri=https://evil.example/",
    ] {
        assert_eq!(links(link), [link, EVIL], "{link}");
    }
    for link in [
        "https://accounts.google.com/login?continue=https://mail.google.com/",
        "https://shop.example/?next=https://evil.example/",
        "https://login.microsoftonline.com/x?redirect_uri=https://www.microsoftonline.com/y",
        "https://www.paypal.com/signin?path=//a/b",
    ] {
        assert_eq!(links(link), [link], "{link}");
    }
}

#[test]
fn a_link_that_opens_a_program_is_read_for_the_link_in_it() {
    let Link::Other { links, .. } = read("onenote:https://evil.example/a") else {
        panic!("it names a server");
    };
    assert_eq!(links, [Url::parse("https://evil.example/a").unwrap()]);
    assert_eq!(read("onenote:notebook"), Link::Nowhere);
}
