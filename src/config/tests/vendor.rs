//! A descriptor that offers everything, so that configuration can be tested without any provider's code.

use std::sync::{Arc, LazyLock};

use crate::domain::Capability;
use crate::domain::IndicatorKind::{
    self, Certificate, Domain, Email, Hostname, Ipv4, Organization, Person, Phone, Phrase,
};
use crate::providers::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Param, Product,
    Provider, ProviderError, ProviderOption, Providers, Reply, Step, Unit, Values, names,
};

fn offer(capability: Capability, inputs: &[IndicatorKind], products: &[Product], params: &[Param]) -> Offer {
    Offer {
        params: params.to_vec(),
        max_calls: 4,
        ..Offer::of(capability, inputs, products)
    }
}

pub(crate) static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new("api", "https://api.domaintools.com")],
        credentials: vec![
            CredentialField::plain("username", "API username"),
            CredentialField::secret("api_key", "API key"),
        ],
        options: vec![ProviderOption::new("auth", &["signed", "open-key", "header"])],
        offers: vec![
            offer(
                Capability::WhoisHistory,
                &[Domain],
                &[Product::calls("whois-history").billed(Unit::Records)],
                &[],
            ),
            offer(
                Capability::Whois,
                &[Domain, Ipv4],
                &[Product::calls("parsed-whois"), Product::calls("whois")],
                &[],
            ),
            offer(
                Capability::IpHistory,
                &[Domain],
                &[Product::calls("hosting-history")],
                &[],
            ),
            offer(
                Capability::NameserverHistory,
                &[Domain],
                &[Product::calls("hosting-history")],
                &[],
            ),
            offer(
                Capability::RegistrarHistory,
                &[Domain],
                &[Product::calls("hosting-history")],
                &[],
            ),
            offer(
                Capability::ReverseWhois,
                &[Email, Person, Organization, Phone, Phrase],
                &[Product::calls("reverse-whois").billed(Unit::Money("USD".into()))],
                &[Param::new(
                    "scope",
                    "records",
                    Values::one_of(&["current", "historic"]),
                )],
            ),
            offer(
                Capability::DomainsOnIp,
                &[Ipv4],
                &[Product::calls("reverse-ip")],
                &[],
            ),
            offer(
                Capability::Neighbours,
                &[Domain],
                &[Product::calls("reverse-ip")],
                &[],
            ),
            offer(
                Capability::DomainsOnNameserver,
                &[Hostname, Domain],
                &[Product::calls("reverse-name-server")],
                &[],
            ),
            offer(
                Capability::Risk,
                &[Domain],
                &[Product::calls("risk-evidence"), Product::calls("risk")],
                &[],
            ),
            offer(
                Capability::Pivots,
                &[Domain, Ipv4, Email, Certificate],
                &[Product::calls("iris-investigate")],
                &[],
            ),
        ],
        default_rate: names(&["20/min"]),
        ..Descriptor::new("domaintools", "DomainTools")
    })
});

/// A provider that can do little.
static SMALL: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new("api", "https://risklist.example")],
        offers: vec![offer(
            Capability::Risk,
            &[Domain],
            &[Product::calls("lists")],
            &[],
        )],
        default_rate: Vec::new(),
        ..Descriptor::new("risklist", "Risk List")
    })
});

/// Is a provider that is described and never asked.
pub(crate) struct Described(pub(crate) Arc<Descriptor>);

impl Provider for Described {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &self.0
    }

    fn start(&self, _: &Lookup) -> Result<Step, ProviderError> {
        Err(ProviderError::Unsupported("only described".to_owned()))
    }

    fn classify(&self, _: &Call, _: &Reply) -> Classification {
        unreachable!("nothing is asked")
    }

    fn sign(&self, _: &mut Call, _: &ExposedKey<'_>, _: jiff::Timestamp) -> Result<(), ProviderError> {
        unreachable!("nothing is asked")
    }
}

/// Makes the set of these providers.
pub(crate) fn described(descriptors: &[&Arc<Descriptor>]) -> Providers {
    let described = |one: &&Arc<Descriptor>| Arc::new(Described(Arc::clone(one))) as Arc<dyn Provider>;
    descriptors.iter().map(described).collect()
}

/// Every provider of these tests.
pub(crate) static ALL: LazyLock<Providers> = LazyLock::new(|| described(&[&DESCRIPTOR, &SMALL]));

/// The same, and those that the compiled-in file names beside them.
pub(crate) fn all() -> Providers {
    let others = Providers::built_in().without(&DESCRIPTOR.name);
    ALL.iter().chain(&others).cloned().collect()
}
