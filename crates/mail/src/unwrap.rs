//! Makes indicators of the links of a message.

use std::borrow::Cow;

use super::unicode::visible;
use super::{MAX_NAMED, Unreadable};
use pivotd_domain::indicator::Indicator;
use pivotd_domain::indicator::refang::refang_url;
use pivotd_domain::links::{self, Link};

/// Counts what was met.
#[derive(Default)]
pub(super) struct LinkCounts {
    unwrapped: usize,
    pub(super) sealed: Vec<Unreadable>,
    pub(super) unreadable: Vec<Unreadable>,
}

impl LinkCounts {
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

/// Makes indicators of a link; none for what leads to no server, such as `mailto:` and `cid:`, and for what could not
/// be read, which `tally` then names.
pub(super) fn indicators(link: &str, keep_query: bool, tally: &mut LinkCounts) -> Vec<Indicator> {
    // Reporters defang what they found.
    let whole = refang_url(link.trim());
    let (urls, mut found) = match links::read(&whole) {
        Link::Web(url) => (vec![url], Vec::new()),
        Link::Other { links, hosts } => (links, hosts),
        Link::Nowhere | Link::Relative => return Vec::new(),
        Link::Unreadable => {
            tally.refuse(&bare(&whole, keep_query), "no URL that a client could open");
            return Vec::new();
        }
    };
    for url in urls {
        let unwrapped = links::unwrap(url);
        tally.unwrapped += usize::from(unwrapped.is_wrapped);
        for sealed in unwrapped.sealed {
            tally.seal(&links::shown(sealed.link, keep_query), sealed.reason);
            found.extend(sealed.hosts);
        }
        for url in unwrapped.links {
            let indicator = links::indicator(url.clone(), keep_query);
            if indicator.is_none() {
                tally.refuse(&bare(&whole, keep_query), "no URL that can be asked about");
            }
            // The host of one that cannot be read still is something to ask about.
            let host = || url.host_str().and_then(|host| Indicator::name(host).ok());
            found.extend(indicator.or_else(host));
        }
    }
    found
}

/// Returns the text of a link as it may be kept: see [`links::shown`].
fn bare(text: &str, keep_query: bool) -> Cow<'_, str> {
    let ends: &[char] = if keep_query { &['#'] } else { &['?', '#'] };
    let text = text.split(ends).next().unwrap_or_default();
    let is_slash = |c: char| matches!(c, '/' | '\\');
    let (scheme, rest) = text.split_at(text.find(is_slash).unwrap_or(text.len()));
    let target = rest.trim_start_matches(is_slash);
    let (authority, path) = target.split_at(target.find(is_slash).unwrap_or(target.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}//{host}{path}")),
        None => Cow::Borrowed(text),
    }
}
