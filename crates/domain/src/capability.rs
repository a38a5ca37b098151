//! Declares the capabilities: what can be asked, and the one record type that answers it.
//!
//! A record type is shared by all providers of a capability, so a mapping in `transforms.toml`
//! works whichever provider answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::schema::Schema;
use super::schemas;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal => $schema:ident;)*) => {
        /// Names what can be asked of a provider.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Capability { $($(#[$doc])* $variant,)* }

        impl Capability {
            /// Lists every capability.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in `transforms.toml`, metrics and the cache key.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the record type that answers it.
            #[must_use]
            pub fn schema(self) -> &'static Schema {
                match self { $(Self::$variant => &schemas::$schema,)* }
            }
        }
    };
}

capabilities! {
    /// Distinct periods of a domain's registration with contacts and name servers.
    WhoisHistory = "whois-history" => WHOIS_HISTORY;
    /// The current registration of a domain or an address.
    Whois = "whois" => WHOIS;
    /// Addresses that a domain has had.
    IpHistory = "ip-history" => IP_HISTORY;
    /// Name servers that a domain has had.
    NameserverHistory = "nameserver-history" => NAMESERVER_HISTORY;
    /// Registrars that a domain has had.
    RegistrarHistory = "registrar-history" => REGISTRAR_HISTORY;
    /// Domains whose registration names a person, organisation, e-mail address or phrase.
    ReverseWhois = "reverse-whois" => REVERSE_WHOIS;
    /// Names that resolve to an address.
    DomainsOnIp = "domains-on-ip" => DOMAINS_ON_IP;
    /// A domain's addresses and the names beside it.
    Neighbours = "neighbours" => NEIGHBOURS;
    /// Domains that a name server serves.
    DomainsOnNameserver = "domains-on-nameserver" => DOMAINS_ON_NAMESERVER;
    /// A published risk from 0 to 100.
    Risk = "risk" => RISK;
    /// What a source says for or against an indicator, on its own scale; one record for each thing it says.
    Reputation = "reputation" => REPUTATION;
    /// Values that other domains share, with how many do.
    Pivots = "pivots" => PIVOTS;
    /// What a name resolved to, and which names resolved to an address, as passive DNS saw it.
    Resolutions = "resolutions" => RESOLUTIONS;
    /// Network, place and reputation of an address.
    IpDetails = "ip-details" => IP_DETAILS;
    /// Who takes a domain's mail, and what it says of mail in its name: MX, SPF, DMARC.
    MailPolicy = "mail-policy" => MAIL_POLICY;
    /// Names below a domain.
    Subdomains = "subdomains" => SUBDOMAINS;
    /// Software that a host was seen with.
    Components = "components" => COMPONENTS;
    /// Ids of trackers and analytics accounts on a host's pages.
    Trackers = "trackers" => TRACKERS;
    /// Hosts that refer to a host, or that it refers to.
    HostPairs = "host-pairs" => HOST_PAIRS;
    /// Communities, sources and organisations whose data the key may see.
    Owners = "owners" => OWNERS;
    /// Incidents by text, or of a community.
    Incidents = "incidents" => INCIDENTS;
    /// Incidents, adversaries and campaigns that hold an indicator.
    IncidentsOf = "incidents-of" => INCIDENTS;
    /// The indicators of an incident.
    IncidentIndicators = "incident-indicators" => INCIDENT_INDICATORS;
    /// What a file contacted when it ran in a sandbox: names, addresses, URLs, and with which user agents.
    Contacts = "contacts" => CONTACTS;
    /// Files that a file brought along or made when it ran in a sandbox.
    SandboxFiles = "sandbox-files" => SANDBOX_FILES;
    /// Mutexes and registry keys of a file that ran in a sandbox.
    SandboxTraces = "sandbox-traces" => SANDBOX_TRACES;
    /// Sandbox samples that touched an indicator, or runs of a file.
    Samples = "samples" => SAMPLES;
    /// A file's other hashes, names, and what is known of it.
    File = "file" => FILE;
    /// Host, registrable domain and e-mail domain of a value; no provider is asked.
    Parts = "parts" => PARTS;
    /// What a key is entitled to, and what the vendor says was used.
    Account = "account" => ACCOUNT;
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = ();

    /// Reads a capability's name.
    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|capability| capability.name() == name)
            .ok_or(())
    }
}
