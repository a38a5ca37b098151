//! Declares the capabilities: what can be asked, and the one record type that answers it.
//!
//! A record type is shared by all providers of a capability, so a mapping in `transforms.toml`
//! works whoever answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Says what a field holds; the mapping derives entity types from it, the catalogue checks names against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Flag,
    /// A day or a point in time.
    Date,
    /// An IPv4 or IPv6 address, canonical.
    Address,
    /// A domain or host name, canonical A-label form.
    Host,
    /// A URL, canonical.
    Url,
    /// An e-mail address, canonical.
    Email,
    /// A file hash, lower-case hex.
    Hash,
    /// A certificate hash, lower-case hex.
    Certificate,
    /// A person's name.
    Person,
    /// An organisation's name.
    Organization,
    /// A telephone number.
    Phone,
    /// A range of addresses, `first-last` (v4 or v6).
    Netblock,
    /// An autonomous system's number without "AS".
    AsNumber,
    /// Several texts.
    Texts,
    /// A list of records.
    Records(&'static Schema),
}

impl Kind {
    /// Tells whether values of this kind are single texts.
    #[must_use]
    pub fn is_textual(&self) -> bool {
        !matches!(
            self,
            Self::Integer | Self::Flag | Self::Date | Self::Texts | Self::Records(_)
        )
    }

    /// Returns the Maltego entity type that a value of this kind becomes by itself, if it has one.
    ///
    /// Names and addresses have two each; the caller decides between them by the value.
    #[must_use]
    pub fn entity_type(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address => "maltego.IPv4Address",
            Self::Host => "maltego.Domain",
            Self::Url => "maltego.URL",
            Self::Email => "maltego.EmailAddress",
            Self::Hash => "maltego.Hash",
            Self::Certificate => "maltego.SSLCertificateHash",
            Self::Person => "maltego.Person",
            Self::Organization => "maltego.Organization",
            Self::Phone => "maltego.PhoneNumber",
            Self::Netblock => "maltego.Netblock",
            Self::AsNumber => "maltego.AS",
            _ => return None,
        })
    }
}

/// Declares one field of a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in records, mappings and JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// Declares a record type.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Name for messages.
    pub name: &'static str,
    /// Its fields; names are unique.
    pub fields: &'static [Field],
}

impl Schema {
    /// Returns the field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the schema of the list field of that name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&'static Schema> {
        match self.field(name)?.kind {
            Kind::Records(schema) => Some(schema),
            _ => None,
        }
    }
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// Declares a contact of a registration.
pub static CONTACT: Schema = Schema {
    name: "contact",
    fields: &[
        field("role", Kind::Text),
        field("name", Kind::Person),
        field("organization", Kind::Organization),
        field("email", Kind::Email),
        field("phone", Kind::Phone),
        field("fax", Kind::Phone),
        field("street", Kind::Text),
        field("city", Kind::Text),
        field("state", Kind::Text),
        field("postal", Kind::Text),
        field("country", Kind::Text),
    ],
};

/// Declares a name server of a domain.
pub static NAME_SERVER: Schema = Schema {
    name: "name server",
    fields: &[field("name", Kind::Host)],
};

/// Declares a domain that stands beside another.
pub static NEIGHBOUR: Schema = Schema {
    name: "neighbour",
    fields: &[field("domain", Kind::Host)],
};

/// Declares a component of a risk score.
pub static COMPONENT: Schema = Schema {
    name: "component",
    fields: &[field("name", Kind::Text), field("score", Kind::Integer)],
};

static WHOIS_HISTORY: Schema = Schema {
    name: "whois-history",
    fields: &[
        field("domain", Kind::Host),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("captures", Kind::Integer),
        field("private", Kind::Flag),
        field("registrar", Kind::Organization),
        field("registrant", Kind::Text),
        field("created", Kind::Date),
        field("updated", Kind::Date),
        field("expires", Kind::Date),
        field("statuses", Kind::Texts),
        field("server", Kind::Text),
        field("record", Kind::Text),
        field("name_servers", Kind::Records(&NAME_SERVER)),
        field("contacts", Kind::Records(&CONTACT)),
    ],
};

static WHOIS: Schema = Schema {
    name: "whois",
    fields: &[
        field("domain", Kind::Host),
        field("ip", Kind::Address),
        field("captured", Kind::Date),
        field("registrar", Kind::Organization),
        field("registrar_url", Kind::Text),
        field("iana_id", Kind::Text),
        field("registrant", Kind::Text),
        field("created", Kind::Date),
        field("updated", Kind::Date),
        field("expires", Kind::Date),
        field("statuses", Kind::Texts),
        field("server", Kind::Text),
        field("record", Kind::Text),
        field("abuse_email", Kind::Email),
        field("abuse_phone", Kind::Phone),
        field("netblock", Kind::Netblock),
        field("cidr", Kind::Text),
        field("asn", Kind::AsNumber),
        // The name of the network or autonomous system in its registry, such as `EXAMPLE-NET`.
        field("network_name", Kind::Text),
        field("organization", Kind::Organization),
        field("country", Kind::Text),
        // Whether the domain's delegation is signed.
        field("dnssec", Kind::Flag),
        field("name_servers", Kind::Records(&NAME_SERVER)),
        field("contacts", Kind::Records(&CONTACT)),
    ],
};

static IP_HISTORY: Schema = Schema {
    name: "ip-history",
    fields: &[
        field("domain", Kind::Host),
        field("ip", Kind::Address),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("current", Kind::Flag),
        field("action", Kind::Text),
    ],
};

static NAMESERVER_HISTORY: Schema = Schema {
    name: "nameserver-history",
    fields: &[
        field("domain", Kind::Host),
        field("nameserver", Kind::Host),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("current", Kind::Flag),
        field("action", Kind::Text),
    ],
};

static REGISTRAR_HISTORY: Schema = Schema {
    name: "registrar-history",
    fields: &[
        field("domain", Kind::Host),
        field("registrar", Kind::Organization),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("current", Kind::Flag),
        field("created", Kind::Date),
        field("updated", Kind::Date),
        field("expires", Kind::Date),
    ],
};

static REVERSE_WHOIS: Schema = Schema {
    name: "reverse-whois",
    fields: &[
        field("domain", Kind::Host),
        field("registrar", Kind::Organization),
        field("registrant", Kind::Text),
        field("created", Kind::Date),
        field("expires", Kind::Date),
        field("first_seen", Kind::Date),
        field("active", Kind::Flag),
        field("risk", Kind::Integer),
    ],
};

static DOMAINS_ON_IP: Schema = Schema {
    name: "domains-on-ip",
    fields: &[field("ip", Kind::Address), field("domain", Kind::Host)],
};

static NEIGHBOURS: Schema = Schema {
    name: "neighbours",
    fields: &[
        field("ip", Kind::Address),
        field("count", Kind::Integer),
        field("domains", Kind::Records(&NEIGHBOUR)),
    ],
};

static DOMAINS_ON_NAMESERVER: Schema = Schema {
    name: "domains-on-nameserver",
    fields: &[
        field("nameserver", Kind::Host),
        field("domain", Kind::Host),
        field("role", Kind::Text),
    ],
};

static RISK: Schema = Schema {
    name: "risk",
    fields: &[
        field("domain", Kind::Host),
        field("score", Kind::Integer),
        field("components", Kind::Records(&COMPONENT)),
        field("evidence", Kind::Texts),
        field("threats", Kind::Texts),
        field("zero_listed", Kind::Flag),
    ],
};

static PIVOTS: Schema = Schema {
    name: "pivots",
    fields: &[
        field("domain", Kind::Host),
        field("pivot", Kind::Text),
        field("count", Kind::Integer),
        field("ip", Kind::Address),
        field("host", Kind::Host),
        field("nameserver", Kind::Host),
        field("mailserver", Kind::Host),
        field("email", Kind::Email),
        field("person", Kind::Person),
        field("organization", Kind::Organization),
        field("phone", Kind::Phone),
        field("certificate", Kind::Certificate),
        field("tracker", Kind::Text),
        field("asn", Kind::AsNumber),
        field("text", Kind::Text),
    ],
};

static RESOLUTIONS: Schema = Schema {
    name: "resolutions",
    fields: &[
        // The name that was resolved, and what it resolved to: `value` as the vendor has it, `ip` or `host`
        // where it is an address or a name.
        field("name", Kind::Host),
        field("type", Kind::Text),
        field("value", Kind::Text),
        field("ip", Kind::Address),
        field("host", Kind::Host),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        // How often it was seen. Not `count`: that one says how many share a value, and rare ones come first.
        field("observations", Kind::Integer),
        // The sensor, resolver or collector, where the vendor names it.
        field("collector", Kind::Text),
    ],
};

static IP_DETAILS: Schema = Schema {
    name: "ip-details",
    fields: &[
        field("ip", Kind::Address),
        field("asn", Kind::AsNumber),
        field("as_name", Kind::Organization),
        field("organization", Kind::Organization),
        // Who rents it out, where the vendor tells them from who announces it.
        field("hosting", Kind::Organization),
        field("netblock", Kind::Netblock),
        field("cidr", Kind::Text),
        // As it reads on a map: city, region, country.
        field("location", Kind::Text),
        field("city", Kind::Text),
        field("country", Kind::Text),
        field("country_code", Kind::Text),
        field("latitude", Kind::Text),
        field("longitude", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("tags", Kind::Texts),
        field("sinkhole", Kind::Flag),
        field("compromised", Kind::Flag),
        field("dynamic_dns", Kind::Flag),
        field("classification", Kind::Text),
        field("score", Kind::Integer),
        field("reasons", Kind::Texts),
    ],
};

static SUBDOMAINS: Schema = Schema {
    name: "subdomains",
    fields: &[
        field("domain", Kind::Host),
        field("host", Kind::Host),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

static COMPONENTS: Schema = Schema {
    name: "components",
    fields: &[
        field("host", Kind::Host),
        field("component", Kind::Text),
        field("version", Kind::Text),
        field("category", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

static TRACKERS: Schema = Schema {
    name: "trackers",
    fields: &[
        field("host", Kind::Host),
        field("tracker", Kind::Text),
        field("kind", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

static HOST_PAIRS: Schema = Schema {
    name: "host-pairs",
    fields: &[
        // The other host by name or address, and which side of the pair it stands on: `parent` or `child`.
        field("host", Kind::Host),
        field("ip", Kind::Address),
        field("side", Kind::Text),
        field("cause", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

static OWNERS: Schema = Schema {
    name: "owners",
    fields: &[
        field("owner", Kind::Text),
        field("id", Kind::Text),
        field("kind", Kind::Text),
    ],
};

static INCIDENTS: Schema = Schema {
    name: "incidents",
    fields: &[
        // The vendor's id of the group, its type (`Incident`, `Adversary`, `Campaign` …) and who owns it.
        field("id", Kind::Text),
        field("type", Kind::Text),
        field("name", Kind::Text),
        field("owner", Kind::Text),
        field("status", Kind::Text),
        field("date", Kind::Date),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("added", Kind::Date),
        field("updated", Kind::Date),
        field("tags", Kind::Texts),
        field("description", Kind::Text),
        field("link", Kind::Url),
    ],
};

static INCIDENT_INDICATORS: Schema = Schema {
    name: "incident-indicators",
    fields: &[
        // The vendor's type and text, and the same as what it is.
        field("type", Kind::Text),
        field("value", Kind::Text),
        field("host", Kind::Host),
        field("ip", Kind::Address),
        field("url", Kind::Url),
        field("email", Kind::Email),
        field("hash", Kind::Hash),
        field("md5", Kind::Hash),
        field("sha1", Kind::Hash),
        field("sha256", Kind::Hash),
        field("cidr", Kind::Netblock),
        field("asn", Kind::AsNumber),
        field("user_agent", Kind::Text),
        field("mutex", Kind::Text),
        field("registry_key", Kind::Text),
        // Skulls from 0 to 5 and confidence from 0 to 100, where somebody set them.
        field("rating", Kind::Text),
        field("confidence", Kind::Integer),
        field("score", Kind::Integer),
        field("owner", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("tags", Kind::Texts),
        field("description", Kind::Text),
        field("link", Kind::Url),
    ],
};

static CONTACTS: Schema = Schema {
    name: "contacts",
    fields: &[
        // Exactly one of them is what was contacted; a user agent is what it was contacted with.
        field("host", Kind::Host),
        field("ip", Kind::Address),
        field("url", Kind::Url),
        field("user_agent", Kind::Text),
        field("port", Kind::Integer),
        field("protocol", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        // The highest threat score from 0 to 100 of the samples that touched it, and which these are.
        field("score", Kind::Integer),
        field("severity", Kind::Integer),
        field("confidence", Kind::Integer),
        field("samples", Kind::Texts),
        field("behaviors", Kind::Texts),
        field("country", Kind::Text),
        field("asn", Kind::AsNumber),
        // What the vendor's engines say of it.
        field("malicious", Kind::Integer),
        field("engines", Kind::Integer),
    ],
};

static SANDBOX_FILES: Schema = Schema {
    name: "sandbox-files",
    fields: &[
        field("hash", Kind::Hash),
        field("md5", Kind::Hash),
        field("sha1", Kind::Hash),
        field("sha256", Kind::Hash),
        field("path", Kind::Text),
        field("kind", Kind::Text),
        field("size", Kind::Integer),
        // How it came to be: submitted, disk, memory, network, extracted.
        field("origin", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("score", Kind::Integer),
        field("samples", Kind::Texts),
    ],
};

static SANDBOX_TRACES: Schema = Schema {
    name: "sandbox-traces",
    fields: &[
        // Exactly one of the two.
        field("mutex", Kind::Text),
        field("registry_key", Kind::Text),
        field("process", Kind::Text),
        field("action", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("score", Kind::Integer),
        field("samples", Kind::Texts),
    ],
};

static SAMPLES: Schema = Schema {
    name: "samples",
    fields: &[
        field("hash", Kind::Hash),
        field("md5", Kind::Hash),
        field("sha1", Kind::Hash),
        field("sha256", Kind::Hash),
        field("filename", Kind::Text),
        field("score", Kind::Integer),
        field("state", Kind::Text),
        field("private", Kind::Flag),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("runs", Kind::Integer),
        field("samples", Kind::Texts),
        field("behaviors", Kind::Texts),
        field("tags", Kind::Texts),
    ],
};

static FILE: Schema = Schema {
    name: "file",
    fields: &[
        field("md5", Kind::Hash),
        field("sha1", Kind::Hash),
        field("sha256", Kind::Hash),
        field("sha512", Kind::Hash),
        field("names", Kind::Texts),
        field("kind", Kind::Text),
        field("size", Kind::Integer),
        field("threat", Kind::Text),
        field("score", Kind::Integer),
        // What the vendor's engines say: how many call it malicious or suspicious, of how many.
        field("malicious", Kind::Integer),
        field("suspicious", Kind::Integer),
        field("engines", Kind::Integer),
        // The same as people read it: `12 of 70`.
        field("detections", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("tags", Kind::Texts),
    ],
};

static PARTS: Schema = Schema {
    name: "parts",
    fields: &[
        field("host", Kind::Host),
        field("domain", Kind::Host),
        field("email_domain", Kind::Host),
        field("ip", Kind::Address),
    ],
};

static ACCOUNT: Schema = Schema {
    name: "account",
    fields: &[
        field("product", Kind::Text),
        field("per_minute", Kind::Integer),
        field("per_hour", Kind::Integer),
        field("per_month", Kind::Integer),
        field("absolute", Kind::Integer),
        field("used_today", Kind::Integer),
        field("used_month", Kind::Integer),
        field("expires", Kind::Date),
    ],
};

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
                match self { $(Self::$variant => &$schema,)* }
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
    /// Values that other domains share, with how many do.
    Pivots = "pivots" => PIVOTS;
    /// What a name resolved to, and which names resolved to an address, as passive DNS saw it.
    Resolutions = "resolutions" => RESOLUTIONS;
    /// Network, place and reputation of an address.
    IpDetails = "ip-details" => IP_DETAILS;
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
    /// Host, registrable domain and e-mail domain of a value; nobody is asked.
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
