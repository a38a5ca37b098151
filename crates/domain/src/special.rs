//! Holds the networks that are set aside: the special-purpose registries of IANA, and the addresses at which clouds
//! serve their own machines. Whatever judges an address by its network asks here.

use std::net::IpAddr;
use std::sync::OnceLock;

use ipnet::IpNet;

/// Says what a network is set aside for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// This machine itself.
    Loopback,
    /// A network of one's own, or one that a carrier's customers share.
    Private,
    /// One link, on which no router passes it on. Many clouds serve their metadata there.
    Link,
    /// No host on the internet: unspecified, multicast, reserved, benchmarks and the like.
    NoHost,
    /// Anycast and experiments of the protocols themselves; registries and DNS may show it.
    Protocol,
    /// An IPv4 address inside of an IPv6 one, which a relay or a translator would reach.
    Embedded,
    /// A service of a cloud for its own machines, with their credentials.
    Cloud,
    /// Documentation: what examples and tests use.
    Documentation,
    /// Not assigned yet.
    Unassigned,
}

use Special::{Cloud, Documentation, Embedded, Link, Loopback, NoHost, Private, Protocol, Unassigned};

/// The networks. Where one stands inside of another, it stands first. Of November 2026:
/// <https://www.iana.org/assignments/iana-ipv4-special-registry> and `iana-ipv6-special-registry`.
const NETWORKS: [(&str, Special); 56] = [
    ("100.100.100.200/32", Cloud),
    ("168.63.129.16/32", Cloud),
    ("192.0.0.192/32", Cloud),
    ("fd00:ec2::/32", Cloud),
    ("fd00:c1::/32", Cloud),
    ("fd00:42::42/128", Cloud),
    ("fd20:ce::254/128", Cloud),
    ("0.0.0.0/8", NoHost),
    ("10.0.0.0/8", Private),
    ("100.64.0.0/10", Private),
    ("127.0.0.0/8", Loopback),
    ("169.254.0.0/16", Link),
    ("172.16.0.0/12", Private),
    ("192.0.0.0/24", NoHost),
    ("192.0.2.0/24", Documentation),
    ("192.31.196.0/24", Protocol),
    ("192.52.193.0/24", Protocol),
    ("192.88.99.0/24", NoHost),
    ("192.168.0.0/16", Private),
    ("192.175.48.0/24", Protocol),
    ("198.18.0.0/15", NoHost),
    ("198.51.100.0/24", Documentation),
    ("203.0.113.0/24", Documentation),
    ("224.0.0.0/4", NoHost),
    ("240.0.0.0/4", NoHost),
    ("::/128", NoHost),
    ("::1/128", Loopback),
    // Compatible, mapped and translated addresses of IPv4 (RFC 4291, RFC 2765).
    ("::/96", Embedded),
    ("::ffff:0:0/96", Embedded),
    ("::ffff:0:0:0/96", Embedded),
    ("64:ff9b::/96", Embedded),
    ("64:ff9b:1::/48", NoHost),
    ("100::/64", NoHost),
    ("100:0:0:1::/64", NoHost),
    // Teredo.
    ("2001::/32", Embedded),
    ("2001:2::/48", NoHost),
    ("2001:10::/28", NoHost),
    ("2001::/23", Protocol),
    ("2001:db8::/32", Documentation),
    // 6to4.
    ("2002::/16", Embedded),
    ("2620:4f:8000::/48", Protocol),
    ("3fff::/20", Documentation),
    ("5f00::/16", NoHost),
    ("fc00::/7", Private),
    ("fe80::/10", Link),
    ("fec0::/10", NoHost),
    ("ff00::/8", NoHost),
    // Not assigned (RFC 4291, section 2.4): what is global begins with 001.
    ("::/8", Unassigned),
    ("100::/8", Unassigned),
    ("200::/7", Unassigned),
    ("400::/6", Unassigned),
    ("800::/5", Unassigned),
    ("1000::/4", Unassigned),
    ("4000::/2", Unassigned),
    ("8000::/1", Unassigned),
    ("3ffe::/16", Unassigned),
];

fn networks() -> &'static [(IpNet, Special)] {
    static READ: OnceLock<Vec<(IpNet, Special)>> = OnceLock::new();
    READ.get_or_init(|| {
        let read = |(text, special): &(&str, Special)| Some((text.parse().ok()?, *special));
        NETWORKS.iter().filter_map(read).collect()
    })
}

/// Says what the network of an address is set aside for; `None` for those of the internet. An IPv4 address that is
/// written as an IPv6 one is the IPv4 address.
#[must_use]
pub fn special(address: IpAddr) -> Option<Special> {
    let address = address.to_canonical();
    let of = |(network, _): &&(IpNet, Special)| network.contains(&address);
    networks().iter().find(of).map(|(_, special)| *special)
}

/// Tells whether no host on the internet has an address. Addresses of documentation count as those of the internet, so
/// that examples work; so do those that hold an IPv4 address, which a host may have.
#[must_use]
pub fn is_inside(address: IpAddr) -> bool {
    match special(address) {
        // They stand in networks that are set aside, except for this one.
        Some(Cloud) => address.to_canonical() != IpAddr::from([168, 63, 129, 16]),
        special => special.is_some_and(leads_nowhere),
    }
}

/// Lists the networks that lead to no host on the internet, as they are written.
pub fn nobodys() -> impl Iterator<Item = &'static str> {
    let found = NETWORKS.iter().filter(|(_, special)| leads_nowhere(*special));
    found.map(|(network, _)| *network)
}

fn leads_nowhere(special: Special) -> bool {
    matches!(special, Loopback | Private | Link | NoHost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_can_be_read_and_stands_before_those_around_it() {
        assert_eq!(networks().len(), NETWORKS.len());
        for (at, (network, special)) in networks().iter().enumerate() {
            let around = networks()
                .iter()
                .take(at)
                .find(|(before, _)| before.contains(network));
            assert_eq!(around, None, "{network} {special:?} is never found");
        }
    }

    #[test]
    fn addresses_are_told_by_the_registries() {
        for (address, expected) in [
            ("8.8.8.8", None),
            ("2a00:1450::1", None),
            ("2001:4860:4860::8888", None),
            ("100.63.255.255", None),
            ("100.64.0.1", Some(Private)),
            ("100.100.100.200", Some(Cloud)),
            ("168.63.129.16", Some(Cloud)),
            ("168.63.129.17", None),
            ("192.0.0.9", Some(NoHost)),
            ("192.0.0.192", Some(Cloud)),
            ("192.0.1.0", None),
            ("255.255.255.255", Some(NoHost)),
            ("::ffff:10.0.0.1", Some(Private)),
            ("::10.0.0.1", Some(Embedded)),
            ("::ffff:0:10.0.0.1", Some(Embedded)),
            ("64:ff9b::a00:1", Some(Embedded)),
            ("64:ff9b:1::a00:1", Some(NoHost)),
            ("2001:0:a00:1::", Some(Embedded)),
            ("2001:1::1", Some(Protocol)),
            ("2001:200::1", None),
            ("2002:a00:1::", Some(Embedded)),
            ("2001:db8::1", Some(Documentation)),
            ("3fff:fff::1", Some(Documentation)),
            ("fec0::1", Some(NoHost)),
            ("fd00:ec2::254", Some(Cloud)),
            ("fd12::1", Some(Private)),
            ("4000::1", Some(Unassigned)),
        ] {
            assert_eq!(special(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn what_somebody_may_have_is_not_inside() {
        let inside = |address: &str| is_inside(address.parse().unwrap());
        for address in [
            "10.1.2.3",
            "fe80::1",
            "::1",
            "100.100.100.200",
            "fec0::7",
            "198.18.0.1",
        ] {
            assert!(inside(address), "{address}");
        }
        for address in [
            "192.0.2.1",
            "2001:db8::1",
            "2002:c000:201::1",
            "168.63.129.16",
            "1.1.1.1",
        ] {
            assert!(!inside(address), "{address}");
        }
    }
}
