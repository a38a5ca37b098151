//! Reads links of all schemes, and takes them out of the wrappers that mail gateways and well-known sites put around
//! them. No server is asked.

mod schemes;
#[cfg(test)]
mod tests;
mod wrappers;

use url::Url;

use super::indicator::{Indicator, IndicatorKind, MAX_LEN};
pub use schemes::{Link, read};
pub(super) use wrappers::gateway_zones;
use wrappers::{Wrapper, look};

/// How many wrappers are taken off one link.
const MAX_WRAPPERS: usize = 5;
/// How many links are looked at because of one: a wrapper may name several.
const MAX_LINKS: usize = 8;

/// Says where a link leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkTarget {
    /// The links in the wrappers, or the link itself where nothing is around it. There are several where a wrapper names
    /// several, since only its server can tell which one counts; there is none where all are sealed, or lead to no
    /// server, such as `mailto:`.
    pub links: Vec<Url>,
    /// Wrappers that cannot be taken off.
    pub sealed: Vec<Sealed>,
    /// Whether some link was taken out of a wrapper.
    pub is_wrapped: bool,
}

/// Holds a wrapper that cannot be taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The wrapper as it stands; see [`shown`].
    pub link: Url,
    /// Hosts that the wrapper names. They are something to ask about, and vouch for nothing.
    pub hosts: Vec<Indicator>,
    /// Why, in plain words.
    pub reason: &'static str,
}

/// Takes the wrappers off a link with scheme http, https or ftp.
#[must_use]
pub fn unwrap(link: Url) -> LinkTarget {
    let mut out = LinkTarget::default();
    let mut waiting = vec![(link, 0)];
    let keep = |out: &mut LinkTarget, link: Url| {
        if !out.links.contains(&link) {
            out.links.push(link);
        }
    };
    let mut count = 0;
    while let Some((link, taken)) = waiting.pop() {
        count += 1;
        if count > MAX_LINKS {
            out.seal(link, Vec::new(), "too many links in one");
            break;
        }
        match look(&link) {
            Wrapper::None => {
                out.is_wrapped |= taken > 0;
                keep(&mut out, link);
            }
            Wrapper::Beside(inner) => {
                out.is_wrapped |= taken > 0;
                keep(&mut out, link.clone());
                for text in inner.into_iter().rev().filter(|_| taken < MAX_WRAPPERS) {
                    match read(&text) {
                        Link::Web(inner) => waiting.push((inner, taken + 1)),
                        _ => out.seal(link.clone(), Vec::new(), "what is in it is no URL"),
                    }
                }
            }
            Wrapper::Sealed(hosts) => out.seal(link, hosts, "only the mail gateway knows where it leads"),
            Wrapper::Open(_) if taken == MAX_WRAPPERS => {
                out.seal(link, Vec::new(), "too many wrappers around one link");
            }
            Wrapper::Open(inner) => {
                let read: Vec<(String, Link)> = inner
                    .into_iter()
                    .map(|text| {
                        let found = read(&text);
                        (text, found)
                    })
                    .collect();
                let is_some = read.iter().any(|(_, link)| matches!(link, Link::Web(_)));
                // Words beside a link are what was searched for.
                let is_unclear = |text: &str, found: &Link| match found {
                    Link::Unreadable => true,
                    Link::Relative => !is_some || text.contains('.'),
                    Link::Web(_) | Link::Other { .. } | Link::Nowhere => false,
                };
                if read.iter().any(|(text, found)| is_unclear(text, found)) {
                    out.seal(link.clone(), Vec::new(), "what is in its wrapper is no URL");
                }
                // The first is looked at first.
                for (_, found) in read.into_iter().rev() {
                    match found {
                        Link::Web(inner) => waiting.push((inner, taken + 1)),
                        Link::Other { links, hosts } => {
                            waiting.extend(links.into_iter().map(|inner| (inner, taken + 1)));
                            out.seal(link.clone(), hosts, "what is in its wrapper is no page");
                        }
                        Link::Nowhere | Link::Relative | Link::Unreadable => {}
                    }
                }
            }
        }
    }
    out
}

impl LinkTarget {
    fn seal(&mut self, link: Url, hosts: Vec<Indicator>, reason: &'static str) {
        self.sealed.push(Sealed { link, hosts, reason });
    }
}

/// Reads a link that a client opens by asking a server: http, https or ftp. One without a scheme, `//host`, is of https.
///
/// Wrappers are long: the limit of an indicator holds for what is in them, see [`indicator`].
#[must_use]
pub fn web(text: &str) -> Option<Url> {
    let text = text.trim();
    if text.len() > 4 * MAX_LEN {
        return None;
    }
    let url = if text.starts_with("//") {
        Url::parse(&format!("https:{text}"))
    } else {
        Url::parse(text)
    };
    url.ok().filter(|url| is_web(url) && url.has_host())
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "ftp")
}

/// Makes an indicator of a link; of one that is too long, without its query.
#[must_use]
pub fn indicator(mut link: Url, keep_query: bool) -> Option<Indicator> {
    if !keep_query {
        link.set_query(None);
    }
    if link.as_str().len() > MAX_LEN {
        link.set_query(None);
        link.set_fragment(None);
    }
    Indicator::parse(IndicatorKind::Url, link.as_str()).ok()
}

/// Returns a link as it may be kept: without user information and fragment, and without its query unless that is kept.
#[must_use]
pub fn shown(mut link: Url, keep_query: bool) -> String {
    // These fail for links without a host only, which have no user.
    let _ = link.set_username("");
    let _ = link.set_password(None);
    link.set_fragment(None);
    if !keep_query {
        link.set_query(None);
    }
    link.into()
}
