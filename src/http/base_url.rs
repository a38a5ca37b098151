//! Finds the URL under which clients reach the server, which seeds, exports and descriptions hand out.
//!
//! `server.public_url` says it. Where it is not set, a proxy that the configuration trusts says it in headers. A `Host` header
//! alone decides nothing but which loopback name is used: any client could write another server's name into it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;

use super::problem::Problem;
use crate::config::settings::ServerSettings;
use crate::net::tls::OverTls;

const FORWARDED: &str = "forwarded";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_PORT: &str = "x-forwarded-port";
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// The longest path that a proxy can say it takes away.
const LONGEST_PREFIX: usize = 256;

/// Returns the URL under which this client reaches the server, without a slash at its end.
///
/// # Errors
/// The [`Problem`] where it is not known, which says what to set.
pub(super) fn base_url(server: &ServerSettings, http: &HttpRequest) -> Result<String, Problem> {
    if let Some(url) = &server.public_url {
        return Ok(url.clone());
    }
    let peer = http.peer_addr().map(|peer| peer.ip().to_canonical());
    if peer.is_some_and(|peer| server.trusts(peer))
        && let Some(forwarded) = Forwarded::read(http)
    {
        return forwarded.base_url().ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid-request",
                "The forwarded headers cannot be read",
                "the proxy's headers (Forwarded, or X-Forwarded-Host, and beside it -Proto, -Port and -Prefix) name no scheme, host, \
                 port and path that a URL can be made of; mend them, or set server.public_url",
            )
        });
    }
    let is_local = server.listen.ip().to_canonical().is_loopback();
    let host = header(http, "host").filter(|host| is_local && is_loopback(host));
    let own = match host {
        Some(host) => Some(format!(
            "{}://{host}",
            scheme(http.conn_data::<OverTls>().is_some())
        )),
        None => server.own_url(),
    };
    own.ok_or_else(|| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "not-configured",
            "The server does not know its own URL",
            "server.public_url is not set, and no proxy of server.trusted_proxies says by which URL clients come; set the former \
             to what clients call",
        )
    })
}

impl ServerSettings {
    /// Returns the URL under which clients reach the server, as far as the configuration alone says it.
    pub(super) fn own_url(&self) -> Option<String> {
        let is_local = self.listen.ip().to_canonical().is_loopback() && self.listen.port() != 0;
        // Where proxies say by which URL clients come, it is not the one that is listened on.
        let is_local = is_local && self.trusted_proxies.is_empty();
        let local = || is_local.then(|| format!("{}://{}", scheme(self.tls.is_some()), self.listen));
        self.public_url.clone().or_else(local)
    }

    /// Tells whether what a peer says of its own clients is believed.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }
}

fn scheme(is_tls: bool) -> &'static str {
    if is_tls { "https" } else { "http" }
}

/// Is what a proxy says of the client's request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Forwarded<'a> {
    scheme: Option<&'a str>,
    host: Option<&'a str>,
    port: Option<&'a str>,
    prefix: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    /// Reads the headers of a proxy; `None` where it says nothing of scheme, host, port and path. Of several values the last one counts,
    /// which the proxy in front of this server added: those before it may be the client's.
    fn read(http: &'a HttpRequest) -> Option<Self> {
        let mut forwarded = Self {
            scheme: last(http, FORWARDED_PROTO),
            host: last(http, FORWARDED_HOST),
            port: last(http, FORWARDED_PORT),
            prefix: last(http, FORWARDED_PREFIX),
        };
        // RFC 7239 goes before the older headers.
        for pair in last(http, FORWARDED).into_iter().flat_map(|one| one.split(';')) {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.trim();
            let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let value = quoted.unwrap_or(value);
            match name.trim() {
                name if name.eq_ignore_ascii_case("host") => forwarded.host = Some(value),
                name if name.eq_ignore_ascii_case("proto") => forwarded.scheme = Some(value),
                _ => {}
            }
        }
        (forwarded != Self::default()).then_some(forwarded)
    }

    /// Puts the URL together; `None` where a part is none.
    fn base_url(&self) -> Option<String> {
        let scheme = match self.scheme {
            None => "https",
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
            Some(_) => return None,
        };
        let host = self.host?;
        let has_port = port_of(host).is_some();
        let host = match self.port {
            Some(port) if !has_port => format!("{host}:{port}"),
            _ => host.to_owned(),
        };
        let prefix = self.prefix.unwrap_or_default().trim_end_matches('/');
        if !is_host_and_port(&host) || !is_prefix(prefix) {
            return None;
        }
        // The default port is left out, as clients write it.
        let url = url::Url::parse(&format!("{scheme}://{host}{prefix}")).ok()?;
        // An address that is written in another way than usual (0x7f.1, 017700000001) is taken from no header.
        let name = port_of(&host).map_or(host.as_str(), |(name, _)| name);
        if url.host_str().is_none_or(|read| !is_same_host(read, name)) {
            return None;
        }
        Some(url.as_str().trim_end_matches('/').to_owned())
    }
}

fn header<'a>(http: &'a HttpRequest, name: &str) -> Option<&'a str> {
    http.headers().get(name)?.to_str().ok().map(str::trim)
}

/// Returns the last value of a header that can be repeated and can list several.
fn last<'a>(http: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let value = http.headers().get_all(name).last()?.to_str().ok()?;
    let value = value.rsplit(',').next().unwrap_or(value).trim();
    (!value.is_empty()).then_some(value)
}

/// Returns the port behind a host, and where it stands.
fn port_of(host: &str) -> Option<(&str, &str)> {
    let (name, port) = host.rsplit_once(':')?;
    // The colons of an IPv6 address stand between brackets.
    (!port.contains(']')).then_some((name, port))
}

/// Tells whether a text is a host name or an address, with or without a port, and nothing else.
fn is_host_and_port(text: &str) -> bool {
    let (name, port) = port_of(text).map_or((text, None), |(name, port)| (name, Some(port)));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    let is_name = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let is_label = |label: &str| {
                !label.is_empty()
                    && label.len() <= 63
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            };
            name.len() <= 253 && name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
        }
    };
    is_port && is_name
}

/// Tells whether two texts name a host alike: letters of both cases, and addresses in any of IPv6's spellings.
fn is_same_host(read: &str, written: &str) -> bool {
    let address = |text: &str| {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<std::net::Ipv6Addr>().ok()
    };
    read.eq_ignore_ascii_case(written) || address(read).is_some_and(|read| Some(read) == address(written))
}

/// Tells whether a text is a path of plain steps, or nothing.
fn is_prefix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    text.is_empty()
        || (text.starts_with('/')
            && text.len() <= LONGEST_PREFIX
            && text.bytes().all(is_plain)
            && !text.contains("//")
            && !text.split('/').any(|step| step == "." || step == ".."))
}

/// Tells whether a `Host` is a name of this machine's own loopback, with or without a port.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = port_of(host).map_or(host, |(name, _)| name);
    is_host_and_port(host) && matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use actix_web::test::TestRequest;

    use super::*;
    use crate::config::Loaded;
    use crate::providers::Providers;

    fn server(text: &str) -> ServerSettings {
        let text = format!("[server]\n{text}\n");
        let loaded: Loaded =
            crate::config::read("my.toml", &text, false, &[], &Providers::default()).unwrap();
        loaded.settings.server
    }

    fn found(server: &ServerSettings, peer: &str, headers: &[(&str, &str)]) -> Result<String, u16> {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = TestRequest::default().peer_addr(peer);
        for header in headers {
            request = request.append_header(*header);
        }
        base_url(server, &request.to_http_request()).map_err(|problem| problem.status)
    }

    const BEYOND: &str =
        "listen = \"0.0.0.0:8080\"\ntls = \"before\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]";

    #[test]
    fn the_public_url_goes_before_all_headers() {
        let server = server("public_url = \"https://pivot.example.org/ti/\"");
        let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example")];
        assert_eq!(
            found(&server, "127.0.0.1:1", &headers).as_deref(),
            Ok("https://pivot.example.org/ti")
        );
    }

    #[test]
    fn a_trusted_proxy_says_how_its_clients_come() {
        let server = server(BEYOND);
        for (headers, url) in [
            (
                &[("x-forwarded-host", "pivot.example.org")][..],
                "https://pivot.example.org",
            ),
            (
                &[
                    ("x-forwarded-host", "pivot.example.org:8443"),
                    ("x-forwarded-proto", "HTTPS"),
                ],
                "https://pivot.example.org:8443",
            ),
            (
                &[
                    ("x-forwarded-host", "pivot.example.org"),
                    ("x-forwarded-proto", "http"),
                    ("x-forwarded-port", "8080"),
                ],
                "http://pivot.example.org:8080",
            ),
            (
                &[
                    ("x-forwarded-host", "evil.example, pivot.example.org"),
                    ("x-forwarded-prefix", "/ti/"),
                ],
                "https://pivot.example.org/ti",
            ),
            (
                &[
                    ("x-forwarded-host", "evil.example"),
                    ("x-forwarded-host", "[2001:db8::1]:443"),
                ],
                "https://[2001:db8::1]",
            ),
            (
                &[("x-forwarded-host", "[2001:DB8:0::1]:444")],
                "https://[2001:db8::1]:444",
            ),
            (
                &[("x-forwarded-host", "Pivot.Example.org")],
                "https://pivot.example.org",
            ),
            (
                &[
                    ("x-forwarded-host", "old.example"),
                    (
                        "forwarded",
                        "host=evil.example;proto=http, for=192.0.2.1;host=\"pivot.example.org:444\";Proto=https",
                    ),
                ],
                "https://pivot.example.org:444",
            ),
        ] {
            assert_eq!(
                found(&server, "10.1.2.3:99", headers).as_deref(),
                Ok(url),
                "{headers:?}"
            );
            assert_eq!(
                found(&server, "[::ffff:10.1.2.3]:99", headers).as_deref(),
                Ok(url)
            );
            assert_eq!(
                found(&server, "192.0.2.1:99", headers),
                Err(500),
                "the peer is no proxy of ours"
            );
        }
    }

    #[test]
    fn what_is_no_host_port_or_path_is_refused() {
        let server = server(BEYOND);
        for headers in [
            &[("x-forwarded-host", "a b")][..],
            &[("x-forwarded-host", "user@pivot.example")],
            &[("x-forwarded-host", "pivot.example/path")],
            &[("x-forwarded-host", "pivot.example:0")],
            &[("x-forwarded-host", "pivot.example:http")],
            &[("x-forwarded-host", "pivot.example:65536")],
            &[("x-forwarded-host", "0x7f.1")],
            &[("x-forwarded-host", "2130706433:8080")],
            &[("forwarded", "host=017700000001")],
            &[
                ("x-forwarded-host", "pivot.example:8080"),
                ("x-forwarded-proto", "javascript"),
            ],
            &[("x-forwarded-host", "\"><script>")],
            &[("x-forwarded-host", "[::1")],
            &[
                ("x-forwarded-host", "pivot.example"),
                ("x-forwarded-prefix", "/../x"),
            ],
            &[
                ("x-forwarded-host", "pivot.example"),
                ("x-forwarded-prefix", "//evil.example"),
            ],
            &[
                ("x-forwarded-host", "pivot.example"),
                ("x-forwarded-prefix", "/a?b"),
            ],
            &[
                ("x-forwarded-host", "pivot.example"),
                ("x-forwarded-port", "80/x"),
            ],
            &[("forwarded", "host=\"a;b\"")],
            // A proxy that says how clients come must say under which name.
            &[("x-forwarded-proto", "https")],
            &[("x-forwarded-prefix", "/pre"), ("host", "127.0.0.1:8080")],
            &[("x-forwarded-port", "443")],
            &[("forwarded", "proto=https")],
        ] {
            assert_eq!(found(&server, "10.1.2.3:99", headers), Err(400), "{headers:?}");
        }
    }

    #[test]
    fn a_server_behind_a_trusted_proxy_does_not_know_its_own_url() {
        let local = "listen = \"127.0.0.1:8080\"";
        assert_eq!(server(local).own_url().as_deref(), Some("http://127.0.0.1:8080"));
        let proxied = format!("{local}\ntrusted_proxies = [\"127.0.0.1\"]");
        assert_eq!(server(&proxied).own_url(), None);
        let named = format!("{proxied}\npublic_url = \"https://pivot.example\"");
        assert_eq!(server(&named).own_url().as_deref(), Some("https://pivot.example"));
    }

    #[test]
    fn a_host_header_alone_chooses_among_loopback_names_only() {
        let local = server("listen = \"127.0.0.1:8080\"");
        for (host, url) in [
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:9", "http://127.0.0.1:9"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("evil.example", "http://127.0.0.1:8080"),
            ("localhost.evil.example", "http://127.0.0.1:8080"),
            ("localhost:80@evil.example", "http://127.0.0.1:8080"),
            ("localhost:99999999", "http://127.0.0.1:8080"),
            ("localhost:0", "http://127.0.0.1:8080"),
            ("localhost:", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(
                found(&local, "127.0.0.1:1", &[("host", host)]).as_deref(),
                Ok(url),
                "{host}"
            );
            assert_eq!(
                found(&server(BEYOND), "127.0.0.1:1", &[("host", host)]),
                Err(500),
                "{host}"
            );
        }
    }
}
