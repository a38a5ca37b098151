//! Tests providers against what replayed vendors say, and what transforms make of that. They need the fixtures, the catalogue and the
//! configuration, so they stand here and not in the crate of the providers.

mod abuseipdb;
mod circl;
mod cof;
mod contacts;
mod defender;
mod dns;
mod dnsdb;
mod domaintools;
mod emailrep;
mod fixtures;
mod greynoise;
mod ipqs;
mod mnemonic;
mod passivetotal;
mod properties;
mod rdap;
mod spamhaus;
mod testing;
mod threatconnect;
mod threatgrid;
mod virustotal;
