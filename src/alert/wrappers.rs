//! Knows the wrappers that mail gateways and well-known sites put around links, and what is in them.
//!
//! A host is one only if it is exactly the vendor's, or below it where the vendor has many. What is said here of a
//! vendor's form was seen in its links; a link of a gateway's that has another form is sealed, never taken for a link to
//! the gateway.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use url::Url;

/// Padding is left out by some and not by others.
const fn lenient(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    GeneralPurpose::new(
        alphabet,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    )
}

const URL_SAFE: GeneralPurpose = lenient(&base64::alphabet::URL_SAFE);
const STANDARD: GeneralPurpose = lenient(&base64::alphabet::STANDARD);

/// Says what a link is.
pub(super) enum Wrapper {
    /// No wrapper.
    None,
    /// A wrapper, and the link in it.
    Open(String),
    /// A wrapper whose link only its vendor can tell, and the host of that link where the wrapper names it.
    Sealed(Option<String>),
}

/// Looks at a link.
pub(super) fn look(url: &Url) -> Wrapper {
    let Some(host) = url.host_str() else {
        return Wrapper::None;
    };
    if let Some(found) = gateway(host, url) {
        return match found {
            Some(inner) => Wrapper::Open(inner),
            None => Wrapper::Sealed(query(url, &["domain", "d"]).filter(|name| name.contains('.'))),
        };
    }
    site(host, url).map_or(Wrapper::None, Wrapper::Open)
}

/// Returns a value of the query by one of its names, in any case.
fn query(url: &Url, names: &[&str]) -> Option<String> {
    let mut pairs = url.query_pairs();
    let named = |given: &str| names.iter().any(|name| name.eq_ignore_ascii_case(given));
    pairs
        .find(|(name, value)| named(name) && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

fn is_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Returns what is in the wrapper of a mail gateway: `Some(None)` where only its vendor can tell, `None` for no gateway.
fn gateway(host: &str, url: &Url) -> Option<Option<String>> {
    let path = url.path();
    let below = |domain: &str| is_or_below(host, domain);
    // Microsoft Safe Links: worldwide and GCC, GCC High and DoD, 21Vianet; any path, `/ap/…` of Office included.
    let safe_links = [
        "safelinks.protection.outlook.com",
        "safelinks.protection.office365.us",
        "safelinks.protection.partner.outlook.cn",
        "safelinks.protection.outlook.cn",
        "safelinks.protection.outlook.de",
    ];
    if safe_links.iter().any(|domain| below(domain)) {
        return Some(query(url, &["url"]));
    }
    // Safe Links of Teams.
    if (host == "statics.teams.cdn.office.net" || host == "staticsint.teams.cdn.office.net")
        && path.contains("/safelinks/")
    {
        return Some(query(url, &["url"]));
    }
    if matches!(
        host,
        "urldefense.proofpoint.com" | "urldefense.com" | "urldefense.us"
    ) {
        return Some(if path.starts_with("/v1/") {
            query(url, &["u"])
        } else if path.starts_with("/v2/") {
            query(url, &["u"]).map(|coded| percent_decoded(&coded.replace('-', "%").replace('_', "/")))
        } else {
            proofpoint_v3(url.as_str())
        });
    }
    if host == "linkprotect.cudasvc.com" {
        return Some(query(url, &["a", "url"]));
    }
    // Cisco Secure Email: a token, then the link as one segment.
    if host == "secure-web.cisco.com" {
        let last = path.rsplit('/').next().map(percent_decoded);
        return Some(last.filter(|last| last.contains("://")));
    }
    // Sophos Email: the link in Base64.
    if below("protection.sophos.com") {
        let coded =
            query(url, &["u"]).map(|coded| coded.replace('-', "+").replace('_', "/").replace(' ', "+"));
        let decoded = coded.and_then(|coded| STANDARD.decode(coded).ok());
        return Some(decoded.and_then(|bytes| String::from_utf8(bytes).ok()));
    }
    if host == "clicktime.symantec.com" || host == "clicktime.cloud.postoffice.net" {
        return Some(query(url, &["u"]));
    }
    // Check Point Harmony, once Avanan: the link between three underscores.
    if host == "url.avanan.click" || host == "protect.checkpoint.com" {
        return Some(check_point(url.as_str()));
    }
    if ["fireeye.com", "trellix.com"].iter().any(|domain| below(domain)) && host.contains("protect") {
        return Some(query(url, &["u"]));
    }
    // Trend Micro Email Security.
    if below("trendmicro.com") && path.contains("/clicktime/") {
        return Some(query(url, &["url"]));
    }
    // Libraesva, TitanHQ, OpenText EdgePilot.
    if below("urlsand.esvalabs.com") || host == "link.edgepilot.com" {
        return Some(query(url, &["u"]));
    }
    if host == "linklock.titanhq.com" {
        return Some(query(url, &["url"]));
    }
    // Mimecast, Forcepoint, Inky, Intermedia, Hornetsecurity: tokens that only their own servers know.
    let mimecast = (below("mimecast.com") || below("mimecastprotect.com"))
        && ["/s/", "/r/"].iter().any(|start| path.starts_with(start));
    let sealed = mimecast
        || below("mailcontrol.com") && path.starts_with("/sr/")
        || below("inky.com") && path.starts_with("/link")
        || host == "url.emailprotection.link"
        || below("hornetsecurity.com") && host.starts_with("atpscan.");
    sealed.then_some(None)
}

/// Returns what is behind a site's own redirect.
fn site(host: &str, url: &Url) -> Option<String> {
    let path = url.path();
    let google = host
        .strip_prefix("www.google.")
        .or_else(|| host.strip_prefix("google."));
    let is_google = google.is_some_and(|suffix| {
        matches!(suffix.len(), 2 | 3)
            || suffix.starts_with("co.")
            || suffix.starts_with("com.") && suffix.len() <= 6
    });
    if is_google && path == "/url" {
        return query(url, &["q", "url"]);
    }
    if is_google && let Some(rest) = path.strip_prefix("/amp/s/") {
        return Some(format!("https://{rest}"));
    }
    match host {
        "www.googleadservices.com" | "adclick.g.doubleclick.net" | "googleads.g.doubleclick.net" => {
            query(url, &["adurl"])
        }
        "slack-redir.net" => query(url, &["url"]),
        "www.linkedin.com" | "linkedin.com" if path.starts_with("/redir/") || path == "/safety/go" => {
            query(url, &["url"])
        }
        "l.facebook.com" | "lm.facebook.com" | "l.instagram.com" => query(url, &["u"]),
        "www.youtube.com" | "youtube.com" if path == "/redirect" => query(url, &["q"]),
        "www.bing.com" | "bing.com" if path.starts_with("/ck/") => {
            let coded = query(url, &["u"])?;
            let bytes = URL_SAFE.decode(coded.strip_prefix("a1")?).ok()?;
            String::from_utf8(bytes).ok()
        }
        _ => None,
    }
}

fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Gives a link back the second slash that some programs take from a link within a link, and the colon that some
/// encode.
fn whole(link: &str) -> Option<String> {
    let (scheme, rest) = ["https", "http", "ftp"].iter().find_map(|scheme| {
        let rest = link.strip_prefix(scheme)?;
        let colon = [":", "%3A", "%3a"]
            .iter()
            .find_map(|colon| rest.strip_prefix(colon))?;
        Some((scheme, colon))
    })?;
    Some(format!("{scheme}://{}", rest.trim_start_matches('/')))
}

/// Reads `…/v2/___LINK___.SIGNATURE` and `…/v2/r01/___LINK___.SIGNATURE`.
fn check_point(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("/___")?;
    whole(rest.split("___").next()?)
}

/// Decodes `…/v3/__LINK__;REPLACED!!…`: an asterisk stands for the next replaced octet, two and a letter for a run of
/// them, whose length in octets of UTF-8 the letter says: A is 2, B is 3, and on through the alphabet of base64.
fn proofpoint_v3(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("/v3/__")?;
    let (link, rest) = rest.rsplit_once("__;")?;
    let (replaced, _) = rest.split_once('!')?;
    let mut replaced = URL_SAFE.decode(replaced).ok()?.into_iter();
    let mut out = Vec::with_capacity(link.len());
    let mut octets = link.bytes().peekable();
    while let Some(b) = octets.next() {
        if b != b'*' {
            out.push(b);
        } else if octets.next_if_eq(&b'*').is_some() {
            let letter = char::from(octets.next()?);
            let run = base64::alphabet::URL_SAFE.as_str().find(letter)? + 2;
            out.extend(replaced.by_ref().take(run));
        } else {
            out.push(replaced.next()?);
        }
    }
    whole(&String::from_utf8(out).ok()?)
}
