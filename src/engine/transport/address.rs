//! Says which addresses a provider's calls may go to, and checks it when a name is resolved.

use std::io;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Says which addresses a provider's calls may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressPolicy {
    /// Private and shared addresses (an appliance).
    pub(super) private: bool,
    /// Loopback, only where the base URL itself is loopback.
    pub(super) loopback: bool,
}

impl AddressPolicy {
    /// Tells whether an address may be connected to. Link-local and metadata addresses never are.
    #[must_use]
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match unwrapped(address) {
            IpAddr::V4(v4) => {
                let [a, b, ..] = v4.octets();
                let shared = a == 100 && (64..128).contains(&b);
                // The metadata service of another large cloud has an address inside the shared range.
                if v4.octets() == [100, 100, 100, 200] {
                    false
                } else if v4.is_loopback() {
                    self.loopback
                } else if v4.is_private() || shared {
                    self.private
                } else {
                    !(v4.is_link_local()
                        || v4.is_unspecified()
                        || v4.is_broadcast()
                        || v4.is_multicast()
                        || a == 0)
                }
            }
            IpAddr::V6(v6) => {
                // The metadata service of one large cloud has an address inside the unique-local range.
                let metadata = v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254];
                if v6.is_loopback() {
                    self.loopback
                } else if v6.is_unique_local() {
                    self.private && !metadata
                } else {
                    !(v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast())
                }
            }
        }
    }
}

/// Returns the IPv4 address that an IPv6 one stands for: mapped, or translated by NAT64's well-known prefix.
fn unwrapped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => match v6.octets() {
            [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => IpAddr::V6(v6),
        },
        v4 => v4,
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
pub(super) fn is_loopback(url: &Url) -> bool {
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
        for address in ["198.51.100.7", "2001:db8::7"] {
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
