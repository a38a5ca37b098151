//! Finds the host in what a person pastes without its scheme.

use std::net::{IpAddr, Ipv6Addr};

use super::read::outside;
use super::refang::mend;
use super::{canonical, extent};

/// Tells a host without a scheme behind whose sign of a path, a query or a part another host stands:
/// `a.example?b.example`. Names of files that end as top-level domains do are none.
pub fn holds_two(text: &str) -> bool {
    let is_sign = |c: char| matches!(c, '/' | '\\' | '?' | '#');
    let mended = mend(outside(text));
    let Some((host, tail)) = mended.split_once(is_sign).filter(|(host, _)| !host.contains(':')) else {
        return false;
    };
    let next = tail
        .trim_start_matches(is_sign)
        .split(is_sign)
        .next()
        .unwrap_or_default();
    let is_name = next.contains('.') && extent::is_known(next) && canonical::hostname(next).is_some();
    let is_file = ends_as_file(next) || next.ends_with(".pl");
    host.contains('.') && ((is_name && !is_file) || next.parse::<IpAddr>().is_ok())
}

/// Tells a name that ends as files do, with a top-level domain that is known.
pub fn ends_as_file(name: &str) -> bool {
    const FILES: [&str; 7] = ["md", "mov", "ps", "py", "rs", "sh", "zip"];
    let last = name.rsplit_once('.').map_or("", |(_, last)| last);
    FILES.iter().any(|end| end.eq_ignore_ascii_case(last))
}

/// Cuts the host out, where no other stands behind it.
pub(super) fn only_host(text: &str) -> Option<&str> {
    (!holds_two(text)).then(|| host_of(text)).flatten()
}

/// Cuts the host out of a URL, of a host with a port or a path, and of what stands behind an `@`.
pub(super) fn host_of(text: &str) -> Option<&str> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text.strip_prefix("//").unwrap_or(text)),
    };
    if scheme.is_some_and(|scheme| {
        !scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.*".contains(&b))
    }) {
        return None;
    }
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    // Behind white space stands something else, which may be meant as well.
    if tail.trim_end().contains(char::is_whitespace) {
        return None;
    }
    // The length of a network is no path: 192.0.2.0/24 is not the address 192.0.2.0.
    let is_length = tail.strip_prefix('/').is_some_and(|tail| {
        let is_number = !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit());
        is_number || tail.parse::<IpAddr>().is_ok()
    });
    if is_length && authority.parse::<IpAddr>().is_ok() {
        return None;
    }
    let host = match authority.rsplit_once('@') {
        // Without a scheme, a list of mailboxes can stand there.
        Some((user, _)) if scheme.is_none() && user.contains(['@', ',', ';', ' ']) => return None,
        Some((_, host)) => host,
        None => authority,
    };
    if let Some(v6) = host.strip_prefix('[') {
        let (v6, after) = v6.split_once(']')?;
        return (after.is_empty() || after.strip_prefix(':').is_some_and(is_port)).then_some(v6);
    }
    // The zone of a link-local address is the asker's own. Else an escape may be any sign, and the host anywhere.
    let host = match host.split_once('%') {
        Some((address, _)) => address.parse::<Ipv6Addr>().is_ok().then_some(address)?,
        None => host,
    };
    match host.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => is_port(port).then_some(host),
        _ => Some(host),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}
