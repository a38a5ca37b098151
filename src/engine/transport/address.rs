//! Says which addresses a provider's calls may go to, and checks it when a name is resolved.

use std::io;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::domain::special::{Special, special};

/// Says which addresses a provider's calls may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressPolicy {
    /// Private and shared addresses (an appliance).
    pub(super) private: bool,
    /// Loopback, only where the base URL itself is loopback.
    pub(super) loopback: bool,
}

impl AddressPolicy {
    /// Tells whether an address may be connected to. Of those that are set aside only private ones and loopback may,
    /// where the configuration says so; and those of documentation, at which no host is.
    #[must_use]
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match special(translated(address)) {
            None | Some(Special::Documentation) => true,
            Some(Special::Loopback) => self.loopback,
            Some(Special::Private) => self.private,
            Some(_) => false,
        }
    }
}

/// Returns the IPv4 address that an IPv6 one is translated to by the well-known prefix of NAT64 (RFC 6052), through which
/// networks without IPv4 reach everybody; every other address stays as it is.
fn translated(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.octets() {
            [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
}

/// Resolves names and drops addresses that the policy forbids.
pub(super) struct CheckedResolver {
    pub(super) policy: AddressPolicy,
    /// The proxy's own host: it may be private, whatever the provider is.
    pub(super) proxy: Option<String>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        let host = name.as_str().to_owned();
        let is_proxy = self.proxy.as_deref() == Some(host.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .iter()
                .copied()
                .filter(|address| is_proxy || policy.allows(address.ip()))
                .collect();
            if allowed.is_empty() && !found.is_empty() {
                let message = format!("{host} resolves to an address that providers may not have");
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, message).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Tells whether a URL names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns the address that a URL names without a name.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: AddressPolicy, address: &str) -> bool {
        policy.allows(address.parse().unwrap())
    }

    #[test]
    fn addresses_are_judged_by_their_range() {
        let public = AddressPolicy {
            private: false,
            loopback: false,
        };
        let appliance = AddressPolicy {
            private: true,
            loopback: false,
        };
        let local = AddressPolicy {
            private: false,
            loopback: true,
        };
        for address in [
            "198.51.100.7",
            "2001:db8::7",
            "1.1.1.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(allows(public, address), "{address}");
        }
        for address in [
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "fd12::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(
                !allows(public, address) && allows(appliance, address),
                "{address}"
            );
        }
        for address in [
            "169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "100.100.100.200",
            "fe80::1",
            "0.0.0.0",
            "::",
            "fd00:ec2::254",
            "224.0.0.1",
            "ff02::1",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b::a83f:8110",
            "2002:a9fe:a9fe::1",
            "2002:7f00:1::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "::169.254.169.254",
            "::ffff:0:10.0.0.1",
            "fec0::1",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "192.0.0.192",
            "192.0.0.170",
            "192.88.99.1",
            "198.18.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "100::1",
            "5f00::1",
            "2001:2::1",
            "2001:20::1",
            "fd20:ce::254",
            "8000::1",
        ] {
            assert!(
                !allows(appliance, address) && !allows(local, address),
                "{address}"
            );
        }
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(!allows(appliance, address) && allows(local, address), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_forbidden_address_is_refused_at_connect_time() {
        let policy = AddressPolicy {
            private: true,
            loopback: false,
        };
        let resolver = CheckedResolver { policy, proxy: None };
        let refused = resolver.resolve("localhost".parse().unwrap()).await;
        let message = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("may not have"), "{message}");
        let allowed = CheckedResolver {
            policy: AddressPolicy {
                loopback: true,
                ..policy
            },
            proxy: None,
        };
        assert!(
            allowed
                .resolve("localhost".parse().unwrap())
                .await
                .is_ok_and(|mut found| found.next().is_some())
        );
    }
}
