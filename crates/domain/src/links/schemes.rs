//! Tells links by their schemes: those that lead to a page, those that lead to another server, and those that lead to
//! none.

use std::borrow::Cow;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::{ParseError, Url};

use super::web;
use crate::indicator::refang::{mend_url, refang_url};
use crate::indicator::{Indicator, is_below_known_suffix, without};

/// Schemes with which a client asks no server, whatever stands in the link: they write a message, make a call, or show a
/// message or a part of it.
const NOWHERE: [&str; 24] = [
    "about",
    "applewebdata",
    "blob",
    "callto",
    "cid",
    "data",
    "facetime",
    "facetime-audio",
    "fax",
    "geo",
    "im",
    "mailto",
    "message",
    "mid",
    "sip",
    "sips",
    "skype",
    "sms",
    "smsto",
    "spotify",
    "tel",
    "urn",
    "webkit-fake-url",
    "xmpp",
];

/// Schemes that browsers fetch or open as a page: what they name may be a site without slashes before it.
const FETCHED: [&str; 24] = [
    "brave",
    "feed",
    "feeds",
    "file",
    "filesystem",
    "firefox",
    "firefox-focus",
    "ftp",
    "ftps",
    "gopher",
    "googlechrome",
    "googlechromes",
    "http",
    "https",
    "intent",
    "jar",
    "mhtml",
    "microsoft-edge",
    "opera-http",
    "opera-https",
    "read",
    "view-source",
    "ws",
    "wss",
];

/// Schemes whose program runs a command or fetches something that the link says in words of its own.
const COMMANDS: [&str; 16] = [
    "hcp",
    "its",
    "jnlp",
    "jnlps",
    "ldap",
    "ldaps",
    "mk",
    "ms-appinstaller",
    "ms-its",
    "ms-itss",
    "ms-msdt",
    "ms-officecmd",
    "ms-search",
    "search",
    "search-ms",
    "shell",
];

/// How many times a link is decoded in search of another in it.
const MAX_DECODED: usize = 3;

/// Says what a text is as a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// A link of scheme http, https or ftp, or of one that stands for them.
    Web(Url),
    /// A link of another scheme: the links in it, and the server that it names.
    Other {
        /// Such as the document of `ms-word:ofe|u|https://…`.
        links: Vec<Url>,
        /// Such as that of `file://host/share`.
        hosts: Vec<Indicator>,
    },
    /// A link with which a client asks no server.
    Nowhere,
    /// No link of its own: it leads within the page or the site that it stands on.
    Relative,
    /// Meant as a link, but none that a client could open, or of a scheme of which it is unknown where it leads.
    Unreadable,
}

/// Reads a text that stands where a link should, defanged or not.
#[must_use]
pub fn read(text: &str) -> Link {
    let text = refang_url(text.trim());
    let mended = || match as_it_stands(&mend_url(&without(&text, true))) {
        Link::Web(url) => Some(Link::Web(url)),
        _ => None,
    };
    let is_odd = |url: &Url| {
        url.domain()
            .is_some_and(|name| name.contains(['(', ')', '{', '}']))
    };
    match as_it_stands(&text) {
        // Programs for mail make a link of it.
        Link::Relative if begins_site(&text) => {
            web(&format!("http://{text}")).map_or(Link::Relative, Link::Web)
        }
        // People leave brackets open, and clients pass over what cannot be seen.
        Link::Unreadable => mended().unwrap_or(Link::Unreadable),
        Link::Web(url) if is_odd(&url) => mended().unwrap_or(Link::Web(url)),
        found => found,
    }
}

/// Tells a host that begins with `www`.
fn begins_site(text: &str) -> bool {
    text.get(..4).is_some_and(|www| www.eq_ignore_ascii_case("www."))
}

fn as_it_stands(text: &str) -> Link {
    if let Some(url) = web(text) {
        return Link::Web(url);
    }
    if let Some(host) = share(text) {
        return named(host);
    }
    match Url::parse(text) {
        Ok(url) => other(&url, text),
        Err(ParseError::RelativeUrlWithoutBase) => Link::Relative,
        // A scheme alone, as templates leave it, leads nowhere, and a program names things as it likes.
        Err(_) => match text.split_once(':') {
            Some((scheme, rest)) if rest.contains(char::is_alphanumeric) => {
                let is_site = host_of(rest).is_some_and(|host| host.contains('.'));
                if is_site || is_unclear(&scheme.to_ascii_lowercase(), rest) {
                    Link::Unreadable
                } else {
                    Link::Nowhere
                }
            }
            _ => Link::Nowhere,
        },
    }
}

/// Reads a link of another scheme.
fn other(url: &Url, text: &str) -> Link {
    let scheme = url.scheme();
    // A letter alone is a drive.
    if scheme.len() == 1 || NOWHERE.contains(&scheme) || scheme.starts_with("x-apple-") {
        return Link::Nowhere;
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    if scheme == "file" {
        // Three slashes lead to a file of one's own; behind more of them stands another machine.
        let rest = text.split_once(':').map_or("", |(_, rest)| rest);
        let slashes = rest.len() - rest.trim_start_matches(['/', '\\']).len();
        let far = (slashes > 3).then(|| host_of(rest)).flatten();
        return host.or(far).map_or(Link::Nowhere, named);
    }
    // Calendars are fetched over HTTP.
    if matches!(scheme, "webcal" | "webcals") {
        let rest = text.split_once(':').map_or("", |(_, rest)| rest);
        return web(&format!("https:{rest}")).map_or(Link::Unreadable, Link::Web);
    }
    let decoded = decoded(text);
    let behind = decoded.split_once(':').map_or("", |(_, rest)| rest);
    let links = inner(behind);
    let shared = behind.split_once("\\\\").and_then(|(_, rest)| host_of(rest));
    let mut hosts = Vec::new();
    let mut is_unreadable = false;
    for host in host.into_iter().chain(shared) {
        match named(host) {
            Link::Other { hosts: more, .. } => hosts.extend(more),
            Link::Unreadable => is_unreadable = true,
            _ => {}
        }
    }
    if !links.is_empty() || !hosts.is_empty() {
        Link::Other { links, hosts }
    } else if FETCHED.contains(&scheme)
        && let Some(url) = site(behind)
    {
        Link::Other {
            links: vec![url],
            hosts,
        }
    } else if is_unreadable || host.is_none() && is_unclear(scheme, behind) {
        Link::Unreadable
    } else {
        Link::Nowhere
    }
}

/// Tells a link of which it is unknown where it leads: browsers fetch its scheme, a command stands in it, or another link that
/// cannot be read; or its scheme is the name of a site before a port.
fn is_unclear(scheme: &str, rest: &str) -> bool {
    let says = rest.contains(char::is_alphanumeric);
    let lower = decoded(rest).to_ascii_lowercase();
    let holds_link = ["http:", "https:", "ftp:", "\\\\"]
        .iter()
        .any(|start| lower.contains(start));
    says && (FETCHED.contains(&scheme)
        || COMMANDS.contains(&scheme)
        || is_below_known_suffix(scheme)
        || holds_link && !matches!(scheme, "javascript" | "vbscript"))
}

/// Reads the site that a link names without slashes: `microsoft-edge:shop.example/login`.
fn site(rest: &str) -> Option<Url> {
    let front = rest.split(['/', '?', '#', ':']).next()?;
    is_below_known_suffix(front).then(|| web(&format!("http://{rest}")))?
}

/// Decodes what is percent-encoded, also where that was done several times.
fn decoded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_DECODED {
        let plain = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if plain == text {
            break;
        }
        text = Cow::Owned(plain);
    }
    text
}

/// Returns the links within a link of another scheme, up to a few.
fn inner(text: &str) -> Vec<Url> {
    let starts = text.match_indices("://").filter_map(|(at, _)| {
        let head = text.get(..at)?.to_ascii_lowercase();
        let scheme = ["https", "http", "ftp"]
            .iter()
            .find(|scheme| head.ends_with(**scheme))?;
        text.get(at - scheme.len()..)
    });
    let end = |c: char| c.is_whitespace() || matches!(c, '|' | '"' | '\'' | '`' | '<' | '>');
    let links = starts.take(4).filter_map(|link| web(link.split(end).next()?));
    links.collect()
}

/// Returns the machine of `\\host\share` or `//host/share`.
fn share(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\\\\").or_else(|| text.strip_prefix("//"))?;
    host_of(rest)
}

/// Cuts the machine off, without a port as shares over HTTP have it (`host@8080`).
fn host_of(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(['\\', '/']);
    let host = rest.split(['\\', '/', '@', '?', '#', '&']).next()?;
    (!host.is_empty()).then_some(host)
}

/// Reads the name or address of a server. A name of one label means something within a network only.
fn named(host: &str) -> Link {
    let bare = host.trim_matches(['[', ']']);
    let address = bare.parse::<IpAddr>().ok().map(Indicator::from);
    match address.or_else(|| Indicator::name(bare).ok()) {
        Some(host) => Link::Other {
            links: Vec::new(),
            hosts: vec![host],
        },
        None if host.contains('.') => Link::Unreadable,
        None => Link::Nowhere,
    }
}
