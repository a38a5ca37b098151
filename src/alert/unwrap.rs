//! Makes indicators of links, and takes off the wrappers around them without asking any server.

use url::Url;

use super::unicode::visible;
use super::wrappers::{self, Wrapper};
use super::{MAX_NAMED, Unreadable};
use crate::domain::indicator::{Indicator, IndicatorKind, MAX_LEN};

/// How many wrappers are taken off one link.
const MAX_WRAPPERS: usize = 5;

/// Counts what was met.
#[derive(Default)]
pub(super) struct Tally {
    unwrapped: usize,
    pub(super) sealed: Vec<Unreadable>,
    pub(super) unreadable: Vec<Unreadable>,
}

impl Tally {
    /// Says it in plain words.
    pub(super) fn note(&self, notes: &mut Vec<String>) {
        if self.unwrapped > 0 {
            notes.push(format!(
                "{} links were taken out of the wrapper of a mail gateway",
                self.unwrapped
            ));
        }
        if !self.sealed.is_empty() {
            notes.push(format!(
                "{} links stay wrapped: what they lead to is known to the gateway only",
                self.sealed.len()
            ));
        }
        if !self.unreadable.is_empty() {
            notes.push(format!("{} links cannot be read as URLs", self.unreadable.len()));
        }
    }

    fn seal(&mut self, link: &str, reason: &str) {
        push(&mut self.sealed, link, reason);
    }

    fn refuse(&mut self, link: &str, reason: &str) {
        push(&mut self.unreadable, link, reason);
    }
}

/// Names a link once.
fn push(list: &mut Vec<Unreadable>, link: &str, reason: &str) {
    let value = visible(link);
    if list.len() < MAX_NAMED && list.iter().all(|known| known.value != value) {
        list.push(Unreadable {
            role: "url",
            value,
            reason: reason.to_owned(),
        });
    }
}

/// Makes an indicator of a link; `None` for what leads to no server, such as `mailto:` and `cid:`, and for what could not
/// be read, which `tally` then names.
pub(super) fn indicator(link: &str, keep_query: bool, tally: &mut Tally) -> Option<Indicator> {
    let link = link.trim();
    // Readers of mail that meet a link without a scheme take the page's, which a message does not have.
    let whole = if link.starts_with("//") {
        format!("https:{link}")
    } else {
        // Reporters defang what they found.
        let is_dead = link
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("hxxp"));
        let plain = is_dead
            .then(|| Indicator::parse(IndicatorKind::Url, link).ok())
            .flatten();
        plain.map_or_else(|| link.to_owned(), |url| url.value().to_owned())
    };
    let Some(mut url) = parse(&whole) else {
        if looks_like_web(&whole) {
            tally.refuse(&whole, "no URL that a client could open");
        }
        return None;
    };
    let mut is_wrapped = false;
    for taken in 0..=MAX_WRAPPERS {
        match wrappers::look(&url) {
            Wrapper::None => break,
            Wrapper::Open(_) if taken == MAX_WRAPPERS => {
                tally.seal(url.as_str(), "too many wrappers around one link");
                return None;
            }
            Wrapper::Open(inner) => {
                let inner = inner.trim();
                match parse(inner) {
                    Some(inner) => url = inner,
                    // What a client opens without a server, such as `mailto:`, is no link.
                    None if Url::parse(inner).is_ok_and(|inner| !is_web(&inner)) => return None,
                    None => {
                        tally.seal(url.as_str(), "what is in its wrapper is no URL");
                        return None;
                    }
                }
                is_wrapped = true;
            }
            Wrapper::Sealed(host) => {
                tally.seal(url.as_str(), "only the mail gateway knows where it leads");
                // The wrapper of some names the host: that is something to ask about, and vouches for nothing.
                return host.and_then(|name| Indicator::name(&name).ok());
            }
        }
    }
    tally.unwrapped += usize::from(is_wrapped);
    if !keep_query {
        url.set_query(None);
    }
    let mut indicator = Indicator::parse(IndicatorKind::Url, url.as_str());
    if indicator.is_err() && url.as_str().len() > MAX_LEN {
        // The host counts, however long the rest is.
        url.set_query(None);
        url.set_fragment(None);
        indicator = Indicator::parse(IndicatorKind::Url, url.as_str());
    }
    if indicator.is_err() {
        tally.refuse(&whole, "no URL that can be asked about");
        // Its host still is something to ask about.
        return url.host_str().and_then(|host| Indicator::name(host).ok());
    }
    indicator.ok()
}

fn parse(text: &str) -> Option<Url> {
    // Wrappers are long: the limit of an indicator holds for what is in them.
    let url = (text.len() <= 4 * MAX_LEN).then(|| Url::parse(text).ok())??;
    (is_web(&url) && url.has_host()).then_some(url)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "ftp")
}

/// Tells a text that was meant to lead to a server. A scheme alone, as templates leave it, leads nowhere.
fn looks_like_web(text: &str) -> bool {
    let head = text.get(..4).unwrap_or_default();
    let rest = text.split_once(':').map_or("", |(_, rest)| rest);
    head.eq_ignore_ascii_case("http") && rest.contains(|c: char| c.is_alphanumeric())
}
