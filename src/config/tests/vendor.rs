//! A descriptor that offers everything, so that configuration can be tested without any provider's code.

use crate::domain::Capability;
use crate::domain::IndicatorKind::{
    self, Certificate, Domain, Email, Hostname, Ipv4, Organization, Person, Phone, Phrase,
};
use crate::providers::{
    self, CredentialField, Descriptor, Offer, Origin, Param, Product, ProviderOption, Unit, Values,
};

const fn offer(
    capability: Capability,
    inputs: &'static [IndicatorKind],
    products: &'static [Product],
    params: &'static [Param],
) -> Offer {
    Offer {
        capability,
        inputs,
        products,
        params,
        max_calls: 4,
        ..providers::OFFER
    }
}

const fn calls(id: &'static str) -> Product {
    Product {
        id,
        unit: Unit::Calls,
        blind: None,
        max_batch: 1,
    }
}

pub(crate) static DESCRIPTOR: Descriptor = Descriptor {
    name: "domaintools",
    title: "DomainTools",
    origins: &[Origin {
        name: "api",
        base_url: "https://api.domaintools.com",
    }],
    credentials: &[
        CredentialField::plain("username", "API username"),
        CredentialField::secret("api_key", "API key"),
    ],
    options: &[ProviderOption {
        name: "auth",
        values: &["signed", "open-key", "header"],
    }],
    offers: &[
        offer(
            Capability::WhoisHistory,
            &[Domain],
            &[Product {
                id: "whois-history",
                unit: Unit::Records,
                blind: None,
                max_batch: 1,
            }],
            &[],
        ),
        offer(
            Capability::Whois,
            &[Domain, Ipv4],
            &[calls("parsed-whois"), calls("whois")],
            &[],
        ),
        offer(Capability::IpHistory, &[Domain], &[calls("hosting-history")], &[]),
        offer(
            Capability::NameserverHistory,
            &[Domain],
            &[calls("hosting-history")],
            &[],
        ),
        offer(
            Capability::RegistrarHistory,
            &[Domain],
            &[calls("hosting-history")],
            &[],
        ),
        offer(
            Capability::ReverseWhois,
            &[Email, Person, Organization, Phone, Phrase],
            &[Product {
                id: "reverse-whois",
                unit: Unit::Money("USD"),
                blind: None,
                max_batch: 1,
            }],
            &[Param {
                name: "scope",
                title: "records",
                values: Values::OneOf(&["current", "historic"]),
            }],
        ),
        offer(Capability::DomainsOnIp, &[Ipv4], &[calls("reverse-ip")], &[]),
        offer(Capability::Neighbours, &[Domain], &[calls("reverse-ip")], &[]),
        offer(
            Capability::DomainsOnNameserver,
            &[Hostname, Domain],
            &[calls("reverse-name-server")],
            &[],
        ),
        offer(
            Capability::Risk,
            &[Domain],
            &[calls("risk-evidence"), calls("risk")],
            &[],
        ),
        offer(
            Capability::Pivots,
            &[Domain, Ipv4, Email, Certificate],
            &[calls("iris-investigate")],
            &[],
        ),
    ],
    default_rate: &["20/min"],
    ..providers::DESCRIPTOR
};

/// A provider that can do little.
pub(crate) static SMALL: Descriptor = Descriptor {
    name: "risklist",
    title: "Risk List",
    origins: &[Origin {
        name: "api",
        base_url: "https://risklist.example",
    }],
    offers: &[offer(Capability::Risk, &[Domain], &[calls("lists")], &[])],
    default_rate: &[],
    ..providers::DESCRIPTOR
};

/// Every descriptor of these tests.
pub(crate) static ALL: &[&Descriptor] = &[&DESCRIPTOR, &SMALL];

/// The same, and those that the compiled-in file names beside them.
pub(crate) fn all() -> Vec<&'static Descriptor> {
    let known = crate::providers::registry::all().iter();
    let others = known
        .map(|provider| provider.descriptor())
        .filter(|descriptor| descriptor.name != DESCRIPTOR.name);
    ALL.iter().copied().chain(others).collect()
}
