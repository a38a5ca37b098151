//! Which pages of popular sites a list of popular names vouches for.

use super::missing::compiled_in;
use super::*;
use crate::domain::{Lists, Purpose};

/// Pages that strangers write, or that lead to them.
const STRANGERS: &str = "
    https://www.facebook.com/account-review-554 https://www.facebook.com/help https://facebook.com/?story=9
    https://outlook.office365.com/book/team@other.example/ https://outlook.office.com/bookwithme/user/a
    https://bookings.office.com/b https://teams.microsoft.com/l/meetup-join/9 https://www.paypal.com/invoice/p/
    https://www.paypal.com/paypalme/shop https://www.linkedin.com/in/help https://www.linkedin.com/pulse/a-b
    https://www.linkedin.com/smart-links/QQ https://click.linkedin.com/q https://events.zoom.us/ev/q https://zoom.us/rec/share/q
    https://login.microsoftonline.com/common/oauth2/v2.0/authorize https://x.com/legal https://x.com/shop/status/7
    https://www.reddit.com/r/shop/ https://www.instagram.com/shop https://photos.google.com/share/q
    https://keep.google.com/u/0 https://colab.research.google.com/drive/q https://calendar.google.com/event
    https://chrome.google.com/webstore/detail/q https://play.google.com/store/apps/details https://share.icloud.com/photos/q
    https://shop.my.salesforce.com/q https://chat.openai.com/share/q https://www.amazon.com/clouddrive/share/q
    https://www.amazon.de/clouddrive/share/q https://na1.documents.adobe.com/public/q https://t.e.adobe.com/r/
    https://click.e.adobe.com/q https://click.email.microsoft.com/ https://t.email.salesforce.com/q
    https://www.google.fr/maps/q https://open.spotify.com/playlist/q https://chat.whatsapp.com/q https://www.paypal.com/help/forum";

const OPERATORS: &str = "
    https://www.microsoft.com/ https://microsoft.com/ https://www.paypal.com/ https://www.linkedin.com/
    https://www.microsoft.com/en-us/ https://www.microsoft.com/de-de/legal/terms-of-use https://www.linkedin.com/legal/privacy-policy
    https://www.paypal.com/signin https://www.apple.com/privacy/ https://www.adobe.com/privacy.html https://www.amazon.de/
    https://www.google.com/unsubscribe https://www.bbc.co.uk/news/q https://www.gstatic.com/images/q.png";

fn lists() -> Lists {
    let mut lists = Lists::built_in();
    for name in ["google.fr", "amazon.de"] {
        lists.add_entry(Purpose::Popular, name, "top.txt").unwrap();
    }
    lists
}

fn item(role: &str, value: &str, also: Vec<Evidence>) -> Assessment {
    let indicator = Indicator::guess(value).unwrap();
    let policy = compiled_in();
    let mut evidence = lists::evidence(&indicator, &lists().hits(&indicator), &policy.rules);
    evidence.push(Evidence::absent("domaintools", EvidenceStatus::NoData));
    evidence.extend(also);
    assess(role, &indicator, evidence, &policy, now())
}

fn decide(items: Vec<Assessment>) -> Decision {
    let titles = BTreeMap::new();
    combine(Request::new("", "", &titles), &compiled_in(), items).decision
}

#[test]
fn a_popular_site_vouches_for_its_own_pages_alone() {
    let rules = compiled_in().rules;
    let vouched = |page: &str| {
        let page = Indicator::guess(page).unwrap();
        lists::vouched_as_popular(&page, &lists().hits(&page), &rules).is_some()
    };
    for page in STRANGERS.split_whitespace() {
        assert!(!vouched(page), "{page}");
        assert_eq!(
            decide(vec![item("url", page, Vec::new())]),
            Decision::Unknown,
            "{page}"
        );
    }
    for page in OPERATORS.split_whitespace() {
        assert!(vouched(page), "{page}");
        assert_eq!(
            decide(vec![item("url", page, Vec::new())]),
            Decision::Below,
            "{page}"
        );
    }
}

#[test]
fn a_page_of_a_popular_site_is_known_where_the_site_itself_is_the_sender() {
    let page = || item("url", "https://news.microsoft.com/source/q", Vec::new());
    let of_domain = |role: &str, domain: &str| item(role, domain, Vec::new());
    assert_eq!(
        decide(vec![of_domain("domain", "microsoft.com"), page()]),
        Decision::Below
    );
    for (role, domain) in [
        ("domain", "paypal.com"),
        ("attached_sender", "microsoft.com"),
        ("email_domain", "microsoft.com"),
    ] {
        let found = decide(vec![of_domain(role, domain), page()]);
        assert_eq!(found, Decision::Unknown, "{role} {domain}");
    }
}

#[test]
fn popularity_holds_down_nothing_that_is_said_of_a_page_of_strangers() {
    let page = "https://www.linkedin.com/in/q";
    let found = item("url", page, vec![risk(87)]);
    assert_eq!((found.score, found.decision), (Some(87), Decision::Exceeds));
    // Blocking it would hit others still.
    assert!(!found.safe_to_block);
    let own = item("url", "https://www.linkedin.com/", vec![risk(87)]);
    assert_eq!((own.score, own.decision), (Some(50), Decision::Below));
}
