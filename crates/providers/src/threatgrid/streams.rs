//! Reads what one run contacted from its network streams.
//!
//! Streams are a map by number. `decoded` is a list of requests and responses for HTTP, a list of such lists in older
//! answers, and for DNS a map of `{query: {query_data}, answers: […]}`; other protocols are not decoded further.

use super::common::{canonical, entries, is_outside, verbatim};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::{Node, address, host};
use pivotd_domain::IndicatorKind;

/// The port of DNS.
const DNS: i64 = 53;
/// How deep lists in `decoded` are walked.
const DEPTH: usize = 3;

/// Holds one thing that was contacted, or a user agent that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetworkContact {
    /// The record's field: `host`, `ip`, `url` or `user_agent`.
    pub(super) field: &'static str,
    pub(super) value: String,
    pub(super) port: Option<i64>,
    pub(super) protocol: Option<String>,
    /// The host or address that a URL or a user agent went to.
    pub(super) to: Option<String>,
}

/// Takes in what a report tells.
struct Sink<'a> {
    take: &'a mut dyn FnMut(NetworkContact),
    /// How many texts were too long.
    too_long: usize,
    /// What was passed over.
    others: Rows,
}

/// Reads a report of network streams, in the order of the streams, each touch as often as it is there. Returns how many
/// texts were too long, and what was passed over.
pub(super) fn read(body: Node<'_>, take: &mut dyn FnMut(NetworkContact)) -> (usize, Rows) {
    let mut sink = Sink {
        take,
        too_long: 0,
        others: Rows::default(),
    };
    for stream in entries(body.get("data").get("items")) {
        if stream.members().next().is_none() {
            sink.others.lose(1);
            continue;
        }
        let names = ["protocol", "service", "transport"];
        let protocol = names.iter().find_map(|name| stream.get(name).text());
        let protocol = protocol.map(|name| name.to_ascii_uppercase());
        let port = stream
            .get("dst_port")
            .integer()
            .filter(|port| (1..=65_535).contains(port));
        let all = stream.get("dst");
        if all.text().is_some() && all.address().is_none() {
            sink.others.lose(1);
        }
        let destination = all.address().filter(|address| is_outside(address));
        if all.address().is_some() && destination.is_none() {
            sink.others.extend([Row::LeftOut(SkipReason::Inside, None)]);
        }
        // Whom a sample asks for names is the sandbox's resolver, the same one for every sample. Another protocol on
        // its port is none, and malware likes that port.
        let resolver = match protocol.as_deref() {
            Some("DNS") => true,
            None | Some("UDP") => port == Some(DNS),
            _ => false,
        };
        if let Some(value) = destination.clone().filter(|_| !resolver) {
            (sink.take)(NetworkContact {
                field: "ip",
                value,
                port,
                protocol: protocol.clone(),
                to: None,
            });
        }
        decoded(
            stream.get("decoded"),
            destination.as_deref(),
            protocol.as_deref(),
            DEPTH,
            &mut sink,
        );
    }
    (sink.too_long, sink.others)
}

fn decoded(
    node: Node<'_>,
    destination: Option<&str>,
    protocol: Option<&str>,
    depth: usize,
    into: &mut Sink<'_>,
) {
    if depth == 0 {
        return;
    }
    let mut below = |node| decoded(node, destination, protocol, depth - 1, into);
    if node.is_list() {
        node.many().for_each(below);
    } else if node.get("query").is_object() {
        name(node.get("query").get("query_data"), into);
    } else if node.get("host").exists() || node.get("url").exists() || node.get("method").exists() {
        request(node, destination, protocol, into);
    } else if node.is_object() {
        for entry in entries(node) {
            if entry.is_object() || entry.is_list() {
                below(entry);
            }
        }
    }
}

/// Takes a name that was asked for; reverse look-ups are none that was contacted.
fn name(node: Node<'_>, into: &mut Sink<'_>) {
    let Some(host) = node.host() else {
        // A label alone is a name of the sandbox's own network.
        if let Some(text) = node.text() {
            into.others.extend([match text.contains('.') {
                true => Row::Unread,
                false => Row::LeftOut(SkipReason::Inside, None),
            }]);
        }
        return;
    };
    if host.ends_with(".arpa") {
        into.others.extend([Row::LeftOut(SkipReason::Reverse, None)]);
    } else {
        let value = host;
        (into.take)(NetworkContact {
            field: "host",
            value,
            port: None,
            protocol: Some("DNS".to_owned()),
            to: None,
        });
    }
}

/// Takes a request apart: where it went, for which URL, and as which user agent.
fn request(node: Node<'_>, destination: Option<&str>, protocol: Option<&str>, into: &mut Sink<'_>) {
    let named = node.get("host").text().unwrap_or_default();
    let named = without_port(named.trim());
    let to = host(named)
        .or_else(|| address(named))
        .or_else(|| destination.map(str::to_owned));
    let mut touch = |field, value: String| {
        (into.take)(NetworkContact {
            field,
            value,
            port: None,
            protocol: protocol.map(str::to_owned),
            to: to.clone().filter(|_| field != "host"),
        });
    };
    if let Some(value) = host(named) {
        touch("host", value);
    }
    let urls = ["url", "decoded_url"].map(|name| node.get(name).text());
    let url = urls
        .iter()
        .flatten()
        .find_map(|text| canonical(IndicatorKind::Url, text));
    // Mere paths stand beside the host that they are of.
    let is_path = urls
        .iter()
        .flatten()
        .all(|text| text.starts_with('/') || text == "*");
    let mut misread = usize::from(url.is_none() && !is_path);
    if let Some(value) = url {
        touch("url", value);
    }
    if !named.is_empty() && host(named).is_none() && address(named).is_none() {
        misread += usize::from(canonical(IndicatorKind::Hostname, named).is_none());
    }
    let mut too_long = 0;
    for (header, value) in node.get("headers").members() {
        if !header.eq_ignore_ascii_case("user-agent") {
            continue;
        }
        for text in value.many().filter_map(Node::text) {
            match verbatim(text) {
                Some(value) => touch("user_agent", value),
                None => too_long += 1,
            }
        }
    }
    into.too_long += too_long;
    into.others.lose(misread);
}

/// Cuts a port off a host name or an IPv4 address.
fn without_port(named: &str) -> &str {
    match named.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_resolver_is_left_out() {
        let stream =
            |dst: &str, protocol: &str| serde_json::json!({"dst": dst, "dst_port": 53, "protocol": protocol});
        let streams = serde_json::json!([
            stream("203.0.113.1", "DNS"),
            {"dst": "203.0.113.2", "dst_port": "53", "transport": "UDP"},
            stream("203.0.113.3", "HTTP"),
            {"dst": "203.0.113.4", "dst_port": 53, "transport": "TCP"},
            {"dst": "fe80::1"}, {"dst": "10.1.2.3"}, {"dst": "239.1.2.3"}, {"dst": "no address"},
            {"dst": "203.0.113.5", "dst_port": 0},
        ]);
        let body = serde_json::json!({"data": {"items": streams}});
        let mut found = Vec::new();
        let body = crate::kit::json::Json::from(&body);
        let body = crate::kit::tolerant::Node::of(&body);
        read(body, &mut |touch| found.push(touch));
        let found: Vec<_> = found
            .iter()
            .map(|touch| (touch.value.as_str(), touch.port))
            .collect();
        assert_eq!(
            found,
            [
                ("203.0.113.3", Some(53)),
                ("203.0.113.4", Some(53)),
                ("203.0.113.5", None)
            ]
        );
    }
}
