//! Takes links out of the wrappers that mail gateways put around them, without asking anybody.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use url::Url;

use super::Unreadable;
use super::unicode::visible;
use crate::domain::indicator::{Indicator, IndicatorKind, MAX_LEN};

/// How many wrappers are taken off one link.
const MAX_WRAPPERS: usize = 3;

/// Padding is left out by some and not by others.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

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
}

/// Makes an indicator of a link; `None` for what leads to no server, such as `mailto:` and `cid:`.
pub(super) fn indicator(link: &str, keep_query: bool, tally: &mut Tally) -> Option<Indicator> {
    let link = link.trim();
    // Readers of mail that meet a link without a scheme take the page's, which a message does not have.
    let whole = if link.starts_with("//") {
        format!("https:{link}")
    } else if link
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("hxxp"))
    {
        Indicator::parse(IndicatorKind::Url, link)
            .map_or_else(|_| link.to_owned(), |url| url.value().to_owned())
    } else {
        link.to_owned()
    };
    let mut url = match parse(&whole) {
        Some(url) => url,
        None => {
            if looks_like_web(&whole) {
                tally
                    .unreadable
                    .push(unreadable(&whole, "no URL that a client could open"));
            }
            return None;
        }
    };
    let mut is_wrapped = false;
    for _ in 0..MAX_WRAPPERS {
        let Some(inner) = inner(&url).and_then(|inner| parse(inner.trim())) else {
            break;
        };
        url = inner;
        is_wrapped = true;
    }
    tally.unwrapped += usize::from(is_wrapped);
    if is_sealed(&url) {
        tally.sealed.push(unreadable(
            url.as_str(),
            "only the mail gateway knows where it leads",
        ));
    }
    if !keep_query {
        url.set_query(None);
    }
    let indicator = Indicator::parse(IndicatorKind::Url, url.as_str());
    if indicator.is_err() {
        tally
            .unreadable
            .push(unreadable(&whole, "no URL that can be asked about"));
    }
    indicator.ok()
}

fn unreadable(text: &str, reason: &str) -> Unreadable {
    Unreadable {
        role: "url",
        value: visible(text),
        reason: reason.to_owned(),
    }
}

fn parse(text: &str) -> Option<Url> {
    // Wrappers are long: the limit of an indicator holds for what is in them.
    let url = (text.len() <= 4 * MAX_LEN).then(|| Url::parse(text).ok())??;
    (matches!(url.scheme(), "http" | "https" | "ftp") && url.has_host()).then_some(url)
}

fn looks_like_web(text: &str) -> bool {
    let head = text.get(..4).unwrap_or_default();
    head.eq_ignore_ascii_case("http")
}

/// Tells links whose target only the gateway's own database knows.
fn is_sealed(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let mimecast = below(host, "mimecast.com") || below(host, "mimecastprotect.com");
    mimecast && (url.path().starts_with("/s/") || url.path().starts_with("/r/"))
}

fn below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|above| above.ends_with('.'))
}

/// Returns what is in a wrapper; `None` where a link is none.
fn inner(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let query = |names: &[&str]| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(name, _)| names.contains(&name.as_ref()))
            .map(|(_, value)| value.into_owned())
    };
    if below(host, "safelinks.protection.outlook.com") || below(host, "safelinks.protection.office365.us") {
        return query(&["url"]);
    }
    if matches!(
        host,
        "urldefense.proofpoint.com" | "urldefense.com" | "urldefense.us"
    ) {
        let path = url.path();
        return if path.starts_with("/v1/") {
            query(&["u"])
        } else if path.starts_with("/v2/") {
            let escaped = query(&["u"])?.replace('-', "%").replace('_', "/");
            Some(percent_decode_str(&escaped).decode_utf8_lossy().into_owned())
        } else {
            proofpoint_v3(url.as_str())
        };
    }
    let google = host
        .strip_prefix("www.google.")
        .or_else(|| host.strip_prefix("google."));
    if google.is_some_and(|suffix| suffix.len() <= 6) && url.path() == "/url" {
        return query(&["q", "url"]);
    }
    if host == "linkprotect.cudasvc.com" {
        return query(&["a", "url"]);
    }
    None
}

/// Decodes `…/v3/__LINK__;REPLACED!!…`: an asterisk stands for the next replaced character, two and a letter for a run
/// of them, whose length the letter says: A is 2, B is 3, and on through the alphabet of base64.
fn proofpoint_v3(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("/v3/__")?;
    let (link, rest) = rest.split_once("__;")?;
    let (replaced, _) = rest.split_once('!')?;
    let replaced = URL_SAFE.decode(replaced).ok()?;
    let replaced = String::from_utf8(replaced).ok()?;
    let mut replaced = replaced.chars();
    let mut out = String::with_capacity(link.len());
    let mut chars = link.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '*' {
            out.push(c);
        } else if chars.next_if_eq(&'*').is_some() {
            let alphabet = base64::alphabet::URL_SAFE.as_str();
            let run = alphabet.find(chars.next()?)? + 2;
            out.extend(replaced.by_ref().take(run));
        } else {
            out.push(replaced.next()?);
        }
    }
    Some(out)
}
