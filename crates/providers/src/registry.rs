//! Lists the providers that are compiled in, one line each, and holds those that a configuration can name.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::abuseipdb::AbuseIpDb;
use super::circl::Circl;
use super::defender::Defender;
use super::dns::Dns;
use super::dnsdb::Dnsdb;
use super::domaintools::DomainTools;
use super::emailrep::EmailRep;
use super::greynoise::GreyNoise;
use super::ipqs::Ipqs;
use super::mnemonic::Mnemonic;
use super::passivetotal::PassiveTotal;
use super::rdap::Rdap;
use super::spamhaus::Spamhaus;
use super::threatconnect::ThreatConnect;
use super::threatgrid::ThreatGrid;
use super::virustotal::VirusTotal;
use super::{Descriptor, Provider};

/// Holds a set of providers, each name once. A configuration is read against one, and keeps it.
#[derive(Debug, Clone, Default)]
pub struct Providers(Arc<[Arc<dyn Provider>]>);

impl Providers {
    /// Makes the set of those that are compiled in; adding one takes one line here.
    #[must_use]
    pub fn built_in() -> Self {
        Self(Arc::from([
            Arc::new(AbuseIpDb) as Arc<dyn Provider>,
            Arc::new(Circl),
            Arc::new(Defender),
            Arc::new(Dns),
            Arc::new(Dnsdb),
            Arc::new(DomainTools),
            Arc::new(EmailRep),
            Arc::new(GreyNoise),
            Arc::new(Ipqs),
            Arc::new(Mnemonic),
            Arc::new(PassiveTotal),
            Arc::new(Rdap),
            Arc::new(Spamhaus),
            Arc::new(ThreatConnect),
            Arc::new(ThreatGrid),
            Arc::new(VirusTotal),
        ]))
    }

    /// Returns the set with a provider, in place of one of the same name.
    #[must_use]
    pub fn with(&self, provider: Arc<dyn Provider>) -> Self {
        let rest = self.without(&provider.descriptor().name);
        rest.iter().cloned().chain([provider]).collect()
    }

    /// Returns the set without the provider of that name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let others = self.iter().filter(|known| known.descriptor().name != name);
        others.cloned().collect()
    }

    /// Returns the provider of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.iter().find(|known| known.descriptor().name == name)
    }

    /// Returns what the provider of that name can do.
    #[must_use]
    pub fn descriptor(&self, name: &str) -> Option<&Arc<Descriptor>> {
        self.descriptors().find(|known| known.name == name)
    }

    /// Returns all of them, in the order of their registration.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<dyn Provider>> {
        self.0.iter()
    }

    /// Returns what each can do.
    pub fn descriptors(&self) -> impl Iterator<Item = &Arc<Descriptor>> + Clone {
        self.iter().map(|known| known.descriptor())
    }
}

impl FromIterator<Arc<dyn Provider>> for Providers {
    fn from_iter<I: IntoIterator<Item = Arc<dyn Provider>>>(providers: I) -> Self {
        Self(providers.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Providers {
    type Item = &'a Arc<dyn Provider>;
    type IntoIter = std::slice::Iter<'a, Arc<dyn Provider>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Holds the providers that the next configuration can name. What is changed here is taken over by a reload; until then the
/// configuration at work keeps the providers that it was read with.
#[derive(Debug)]
pub struct Registry(ArcSwap<Providers>);

impl Registry {
    /// Begins with these providers.
    #[must_use]
    pub fn new(providers: Providers) -> Self {
        Self(ArcSwap::from_pointee(providers))
    }

    /// Returns the providers.
    #[must_use]
    pub fn current(&self) -> Arc<Providers> {
        self.0.load_full()
    }

    /// Adds a provider, in place of one of the same name.
    pub fn register(&self, provider: &Arc<dyn Provider>) {
        self.0.rcu(|known| known.with(Arc::clone(provider)));
    }

    /// Takes the provider of that name away.
    pub fn remove(&self, name: &str) {
        self.0.rcu(|known| known.without(name));
    }
}
