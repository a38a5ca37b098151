//! The canonical form of each kind of indicator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::invisible;
use super::names::canonical_name;
use super::refang::{refang, refang_url};
use super::{HashType, MAX_LEN};

/// The longest local part of an address in octets (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest address in octets (RFC 5321, 4.5.3.1.3, without the angle brackets).
const MAX_EMAIL: usize = 254;
/// The longest text of a person, organisation, phrase or incident, in octets.
const MAX_TEXT: usize = 512;

/// Returns a name of at least two labels. Some registries' own suffixes, such as `gov.uk`, are names of sites, too.
pub(super) fn domain(raw: &str) -> Option<String> {
    hostname(raw)
}

/// Returns a fully qualified host name.
pub(super) fn hostname(raw: &str) -> Option<String> {
    canonical_name(&refang(raw)).filter(|name| name.contains('.'))
}

/// Returns an address; an IPv4 address mapped into IPv6 becomes IPv4.
pub(super) fn address(raw: &str) -> Option<IpAddr> {
    let plain = refang(raw);
    match plain.parse::<Ipv4Addr>() {
        Ok(v4) => Some(IpAddr::V4(v4)),
        Err(_) => plain
            .parse::<Ipv6Addr>()
            .ok()
            .map(|v6| IpAddr::V6(v6).to_canonical()),
    }
}

/// Reads a network in CIDR form, and clears the bits of its hosts; one of IPv4 addresses mapped into IPv6 becomes one of
/// IPv4.
pub fn network(text: &str) -> Option<IpNet> {
    /// The bits before the IPv4 address.
    const BEFORE: u8 = 96;
    let net: IpNet = text.parse().ok()?;
    let mapped = match (net.addr(), net.addr().to_canonical()) {
        (IpAddr::V6(_), v4 @ IpAddr::V4(_)) => net
            .prefix_len()
            .checked_sub(BEFORE)
            .and_then(|length| IpNet::new(v4, length).ok()),
        _ => None,
    };
    Some(mapped.unwrap_or(net).trunc())
}

/// Returns a network in canonical form.
pub(super) fn netblock(raw: &str) -> Option<String> {
    network(&refang(raw)).map(|net| net.to_string())
}

/// Returns a URL with a canonical host, without user information and fragment.
///
/// The fragment never reaches a server, so two URLs that differ in it name the same resource.
pub(super) fn url(raw: &str) -> Option<String> {
    let text = refang_url(raw);
    match Url::parse(&text) {
        Ok(url) => bare_url(url),
        Err(_) => url_of_odd_host(&text),
    }
}

fn bare_url(mut url: Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https" | "ftp") {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_fragment(None);
    let host = match url.host()? {
        Host::Domain(name) => canonical_name(name)?,
        Host::Ipv4(_) => return Some(url.into()),
        Host::Ipv6(v6) => match v6.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(_) => return Some(url.into()),
        },
    };
    url.set_host(Some(&host)).ok()?;
    Some(url.into())
}

/// Reads a URL whose host IDNA refuses and the DNS carries: another host stands for it while the rest is read.
fn url_of_odd_host(text: &str) -> Option<String> {
    const STAND_IN: &str = "host.invalid";
    let (scheme, rest) = text.trim().split_once("://")?;
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        _ => (host, ""),
    };
    let host = canonical_name(host)?;
    let stand_in = format!("{scheme}://{STAND_IN}:{port}{tail}");
    let url = bare_url(Url::parse(&stand_in).ok()?)?;
    let (scheme, rest) = url.split_once("://")?;
    Some(format!("{scheme}://{host}{}", rest.strip_prefix(STAND_IN)?))
}

/// Cuts the host out of a canonical URL, which has no user; an IPv6 address without its brackets.
pub(super) fn host_of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority.split(':').next(),
    }
}

/// Returns an address for mail: the local part as it came, the domain as A-labels in lower case.
pub(super) fn email(raw: &str) -> Option<String> {
    let plain = refang(raw);
    // Directories write `SMTP:` before an address.
    let plain = match plain.split_once(':') {
        Some((scheme, rest))
            if ["mailto", "smtp"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known)) =>
        {
            // Of the links for mail this takes those that are an address alone.
            if rest.starts_with('/') || rest.contains('?') {
                return None;
            }
            rest
        }
        _ => plain.as_str(),
    };
    let (local, domain) = plain.split_once('@')?;
    // Quotes around what needs none say nothing (RFC 5322, 3.2.4).
    let unquoted = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'));
    let local = unquoted.unwrap_or(local);
    let allowed = |c: char| match c {
        '.' | '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^' | '_' | '`'
        | '{' | '|' | '}' | '~' => true,
        c => c.is_alphanumeric(),
    };
    if !(1..=MAX_LOCAL).contains(&local.len()) || !local.chars().all(allowed) {
        return None;
    }
    let domain = canonical_name(domain).filter(|name| name.contains('.'))?;
    let address = format!("{local}@{domain}");
    (address.len() <= MAX_EMAIL).then_some(address)
}

/// Returns a file hash as hexadecimal digits in lower case.
pub(super) fn hash(raw: &str) -> Option<String> {
    HashType::of(raw)?;
    Some(raw.to_ascii_lowercase())
}

/// Returns a certificate's SHA-1 or SHA-256 fingerprint without colons and spaces.
pub(super) fn certificate(raw: &str) -> Option<String> {
    let digits: String = raw.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    match HashType::of(&digits)? {
        HashType::Sha1 | HashType::Sha256 => Some(digits.to_ascii_lowercase()),
        HashType::Md5 | HashType::Sha512 => None,
    }
}

/// Returns an autonomous system as `AS` and its number.
pub(super) fn asn(raw: &str) -> Option<String> {
    let digits = match raw.get(..2) {
        Some(head) if head.eq_ignore_ascii_case("as") => raw.get(2..)?.trim_start(),
        _ => raw,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u32>().ok().map(|number| format!("AS{number}"))
}

/// Returns text without invisible characters, white space collapsed to single spaces. Joiners stay inside of words,
/// where some scripts need them.
pub(super) fn text(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len().min(MAX_LEN));
    let seen = invisible::without(raw, false);
    for word in seen
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    (1..=MAX_TEXT).contains(&out.len()).then_some(out)
}
