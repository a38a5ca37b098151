//! Knows the popular sites on which strangers write, and which of their pages are the operator's own.
//!
//! A site of millions of users has pages of strangers under most of its paths, at hosts of its customers and behind its
//! counters of clicks. No list of these is whole, so that here the few pages are named that the operator alone writes.

use url::Url;

use super::index::suffixes;
use crate::indicator::{Indicator, IndicatorKind};

/// Sites where strangers put pages, posts, files, forms, invoices, invitations or programs, or that send on to others.
const SITES: &str = "
    adobe.com airbnb.com aliexpress.com amazon.com apple.com atlassian.com atlassian.net auth0.com baidu.com bing.com
    booking.com calendly.com chatgpt.com cloudflare.com constantcontact.com discord.com docusign.com docusign.net ebay.com
    etsy.com eventbrite.com facebook.com flickr.com force.com freshdesk.com gofundme.com google.com hubspot.com icloud.com
    imdb.com indeed.com instagram.com intercom.io intuit.com line.me linkedin.com list-manage.com live.com mailchimp.com
    meetup.com messenger.com microsoft.com microsoftonline.com mozilla.org msn.com naver.com office.com office365.com
    okta.com openai.com oracle.com patreon.com paypal.com paypal.me pinterest.com quora.com reddit.com
    salesforce.com samsung.com sendgrid.net service-now.com shopify.com skype.com slack.com snapchat.com soundcloud.com
    spotify.com squareup.com stackexchange.com stackoverflow.com steamcommunity.com stripe.com substack.com telegram.org
    threads.net tiktok.com tripadvisor.com trustpilot.com twitch.tv twitter.com vimeo.com vk.com webex.com weibo.com
    whatsapp.com wikimedia.org wikipedia.org wix.com x.com xing.com yahoo.com yandex.com yandex.ru yelp.com youtube.com
    zendesk.com zoho.com zoom.us";

/// Such sites that have a domain of the same name in many countries.
const OF_COUNTRIES: [&str; 7] = [
    "airbnb",
    "amazon",
    "ebay",
    "google",
    "pinterest",
    "tripadvisor",
    "yahoo",
];

/// Sites where the first word of a path is the name of any user, whatever the word says.
const OF_NAMES: [&str; 18] = [
    "calendly.com",
    "facebook.com",
    "flickr.com",
    "instagram.com",
    "messenger.com",
    "patreon.com",
    "paypal.me",
    "pinterest.com",
    "snapchat.com",
    "soundcloud.com",
    "substack.com",
    "twitch.tv",
    "twitter.com",
    "vimeo.com",
    "vk.com",
    "weibo.com",
    "x.com",
    "youtube.com",
];

/// Words of paths that lead to pages of the operator's own.
const OWN_PAGES: [&str; 41] = [
    "about",
    "about-us",
    "accessibility",
    "account",
    "agb",
    "conditions",
    "contact",
    "contact-us",
    "cookie-policy",
    "cookies",
    "copyright",
    "datenschutz",
    "email-preferences",
    "faq",
    "help",
    "home",
    "impressum",
    "imprint",
    "index",
    "kontakt",
    "legal",
    "login",
    "logout",
    "optout",
    "opt-out",
    "policies",
    "policy",
    "preferences",
    "privacy",
    "privacy-policy",
    "privacypolicy",
    "privacystatement",
    "security",
    "signin",
    "support",
    "terms",
    "terms-of-service",
    "terms-of-use",
    "termsofuse",
    "trademarks",
    "unsubscribe",
];

/// Returns the domain of the site to which a canonical host belongs, where strangers write on that.
pub(crate) fn site(host: &str) -> Option<&str> {
    let is_site = |name: &&str| SITES.split_ascii_whitespace().any(|site| site == *name);
    suffixes(host).find(is_site).or_else(|| {
        let suffix = psl::suffix(host.as_bytes()).filter(psl::Suffix::is_known)?;
        let is_of_country = |name: &&str| {
            name.split_once('.').is_some_and(|(first, above)| {
                above.as_bytes() == suffix.as_bytes() && OF_COUNTRIES.contains(&first)
            })
        };
        suffixes(host).find(is_of_country)
    })
}

/// Tells a page at a popular host that strangers may have written, or that may lead to them: at a site on which they write,
/// every page but its first and those that say by their path that they are the operator's.
#[must_use]
pub fn may_be_of_strangers(page: &Indicator) -> bool {
    if page.kind() != IndicatorKind::Url {
        return false;
    }
    let Ok(url) = Url::parse(page.value()) else {
        return true;
    };
    let host = url.host_str().unwrap_or_default();
    let Some(site) = site(host) else { return false };
    let is_main = host == site || host.strip_prefix("www.") == Some(site);
    let path = url.path().trim_matches('/').to_ascii_lowercase();
    if path.is_empty() {
        return !is_main || url.query().is_some();
    }
    let mut words = path.split('/').peekable();
    words.next_if(|word| is_language(word));
    let is_own = |word: &str| {
        let plain = word.split_once('.').map_or(word, |(plain, _)| plain);
        OWN_PAGES.contains(&plain)
    };
    !is_main || OF_NAMES.contains(&site) || !words.all(is_own)
}

/// Tells a word of a path that names a language, and maybe a country: `de`, `en-us`. Behind `in` stand people.
fn is_language(word: &str) -> bool {
    if word == "in" {
        return false;
    }
    let mut parts = word.split(['-', '_']);
    let is_code = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.next().is_some_and(is_code) && parts.next().is_none_or(is_code) && parts.next().is_none()
}
