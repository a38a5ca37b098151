//! Lists the providers; adding one takes one line here.

use super::Provider;
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

/// Holds every provider that this program knows.
static PROVIDERS: &[&dyn Provider] = &[
    &AbuseIpDb,
    &Circl,
    &Defender,
    &Dns,
    &Dnsdb,
    &DomainTools,
    &EmailRep,
    &GreyNoise,
    &Ipqs,
    &Mnemonic,
    &PassiveTotal,
    &Rdap,
    &Spamhaus,
    &ThreatConnect,
    &ThreatGrid,
    &VirusTotal,
];

/// Returns every provider that this program knows.
#[must_use]
pub fn all() -> &'static [&'static dyn Provider] {
    PROVIDERS
}

/// Returns the provider of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    all()
        .iter()
        .copied()
        .find(|provider| provider.descriptor().name == name)
}
