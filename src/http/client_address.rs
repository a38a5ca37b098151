//! Finds the address that a client comes from: that of its connection, or what a proxy of `server.trusted_proxies` says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;

use crate::config::settings::ServerSettings;

const FORWARDED: &str = "forwarded";
const FORWARDED_FOR: &str = "x-forwarded-for";
/// So many addresses are looked through.
const MOST: usize = 16;

/// Is the address of a client of which a proxy says none that can be read: it is in no network.
pub(crate) const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Returns the address that a client comes from; none on the Unix socket alone, and [`UNKNOWN`] where a proxy says none that can be read.
pub(super) fn client_address(server: &ServerSettings, http: &HttpRequest) -> Option<IpAddr> {
    let peer = http.peer_addr()?.ip().to_canonical();
    if !server.trusts(peer) {
        return Some(peer);
    }
    // Each proxy adds the one that it was called by at the end: the last that is none of ours is the client.
    let mut said = forwarded(http).peekable();
    if said.peek().is_none() {
        return Some(peer);
    }
    let mut client = peer;
    for address in said.take(MOST) {
        client = address.unwrap_or(UNKNOWN);
        if !server.trusts(client) {
            break;
        }
    }
    Some(client)
}

/// Lists the addresses that proxies wrote down, the last one first; `None` for one that cannot be read. RFC 7239 goes before the older
/// header.
fn forwarded(http: &HttpRequest) -> impl Iterator<Item = Option<IpAddr>> {
    let values = |name: &str| -> Vec<String> {
        let values = http
            .headers()
            .get_all(name)
            .map(|value| value.to_str().unwrap_or("unknown"));
        values
            .flat_map(|value| value.split(','))
            .map(|item| item.trim().to_owned())
            .collect()
    };
    let mut said: Vec<String> = values(FORWARDED)
        .iter()
        .filter_map(|item| named_for(item))
        .collect();
    if said.is_empty() {
        said = values(FORWARDED_FOR);
    }
    said.into_iter().rev().map(|text| address(&text))
}

fn named_for(item: &str) -> Option<String> {
    item.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// Reads an address, with or without a port, and in brackets where it is IPv6.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let read = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let read = read.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    read.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::config::Loaded;
    use crate::providers::Providers;

    fn from(peer: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        let text = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]\n";
        let loaded: Loaded = crate::config::read("my.toml", text, false, &[], &Providers::default()).unwrap();
        let mut request = TestRequest::default().peer_addr(peer.parse().unwrap());
        for header in headers {
            request = request.append_header(*header);
        }
        client_address(&loaded.settings.server, &request.to_http_request()).map(|found| found.to_string())
    }

    #[test]
    fn a_trusted_proxy_says_where_a_client_comes_from_and_no_other_does() {
        let header = "x-forwarded-for";
        for (peer, headers, found) in [
            ("192.0.2.1:1", &[][..], Some("192.0.2.1")),
            ("192.0.2.1:1", &[(header, "198.51.100.9")], Some("192.0.2.1")),
            ("10.0.0.1:1", &[], Some("10.0.0.1")),
            ("10.0.0.1:1", &[(header, "198.51.100.9")], Some("198.51.100.9")),
            (
                "[::ffff:10.0.0.1]:1",
                &[(header, "198.51.100.9:4711")],
                Some("198.51.100.9"),
            ),
            // What the client wrote itself stands before.
            (
                "10.0.0.1:1",
                &[(header, "127.0.0.1, 198.51.100.9, 10.2.2.2")],
                Some("198.51.100.9"),
            ),
            (
                "10.0.0.1:1",
                &[(header, "127.0.0.1"), (header, "198.51.100.9")],
                Some("198.51.100.9"),
            ),
            ("10.0.0.1:1", &[(header, "10.1.1.1, 10.2.2.2")], Some("10.1.1.1")),
            ("10.0.0.1:1", &[(header, "unknown")], Some("0.0.0.0")),
            ("10.0.0.1:1", &[(header, "")], Some("0.0.0.0")),
            (
                "10.0.0.1:1",
                &[(header, "192.0.2.7, 198.51.100.9,")],
                Some("0.0.0.0"),
            ),
            ("10.0.0.1:1", &[("forwarded", "for=_hidden")], Some("0.0.0.0")),
            (
                "[2001:db8::1]:1",
                &[("forwarded", "for=\"[2001:db8:1::7]:99\";proto=https")],
                Some("2001:db8:1::7"),
            ),
            (
                "10.0.0.1:1",
                &[("forwarded", "for=192.0.2.60"), (header, "127.0.0.1")],
                Some("192.0.2.60"),
            ),
        ] {
            assert_eq!(from(peer, headers).as_deref(), found, "{peer} {headers:?}");
        }
    }
}
