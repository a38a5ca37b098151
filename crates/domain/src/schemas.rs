//! Declares the record types, one for all the providers that answer a capability.

use super::schema::{Field, Kind, Schema};

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
        // What is dialled behind the number.
        field("extension", Kind::Text),
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

pub(super) static WHOIS_HISTORY: Schema = Schema {
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

pub(super) static WHOIS: Schema = Schema {
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
        // The roles whose contacts are redacted or a privacy service's.
        field("withheld", Kind::Texts),
        // The roles of contacts that are named, and whose mailbox, telephone and address are a privacy service's.
        field("masked", Kind::Texts),
        // Names of contacts that could not be read as a person's or an organization's.
        field("unread", Kind::Texts),
        // Whether the domain's delegation is signed.
        field("dnssec", Kind::Flag),
        field("name_servers", Kind::Records(&NAME_SERVER)),
        field("contacts", Kind::Records(&CONTACT)),
    ],
};

pub(super) static IP_HISTORY: Schema = Schema {
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

pub(super) static NAMESERVER_HISTORY: Schema = Schema {
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

pub(super) static REGISTRAR_HISTORY: Schema = Schema {
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

pub(super) static REVERSE_WHOIS: Schema = Schema {
    name: "reverse-whois",
    fields: &[
        field("domain", Kind::Host),
        field("registrar", Kind::Organization),
        field("registrant", Kind::Text),
        field("created", Kind::Date),
        field("expires", Kind::Date),
        // `last_seen` is when the record was taken that names the value.
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("active", Kind::Flag),
        field("risk", Kind::Integer),
    ],
};

pub(super) static DOMAINS_ON_IP: Schema = Schema {
    name: "domains-on-ip",
    fields: &[field("ip", Kind::Address), field("domain", Kind::Host)],
};

pub(super) static NEIGHBOURS: Schema = Schema {
    name: "neighbours",
    fields: &[
        field("ip", Kind::Address),
        field("count", Kind::Integer),
        field("domains", Kind::Records(&NEIGHBOUR)),
    ],
};

pub(super) static DOMAINS_ON_NAMESERVER: Schema = Schema {
    name: "domains-on-nameserver",
    fields: &[
        field("nameserver", Kind::Host),
        field("domain", Kind::Host),
        field("role", Kind::Text),
    ],
};

pub(super) static RISK: Schema = Schema {
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

pub(super) static PIVOTS: Schema = Schema {
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
        // What kind of tracker it is, by the same words as in `trackers`.
        field("kind", Kind::Text),
        field("asn", Kind::AsNumber),
        field("location", Kind::Text),
        field("country", Kind::Text),
        field("country_code", Kind::Text),
        field("text", Kind::Text),
    ],
};

pub(super) static RESOLUTIONS: Schema = Schema {
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

pub(super) static IP_DETAILS: Schema = Schema {
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

pub(super) static REPUTATION: Schema = Schema {
    name: "reputation",
    fields: &[
        // The vendor's scale by a stable name, such as `engines` or `classification`; a policy knows what its numbers
        // and words mean. `value` is a number on it, `word` stands where it has words instead.
        field("measure", Kind::Text),
        field("value", Kind::Integer),
        field("word", Kind::Text),
        // The scale to people: `0-100`, `engines of 94`.
        field("scale", Kind::Text),
        // Why, in the vendor's words, the weightiest first.
        field("reasons", Kind::Texts),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
        field("tags", Kind::Texts),
        field("link", Kind::Url),
    ],
};

/// Declares a server that takes mail for a domain.
pub static MAIL_SERVER: Schema = Schema {
    name: "mail server",
    fields: &[
        field("name", Kind::Host),
        // The lowest is tried first.
        field("preference", Kind::Integer),
    ],
};

pub(super) static MAIL_POLICY: Schema = Schema {
    name: "mail-policy",
    fields: &[
        field("domain", Kind::Host),
        // Who takes its mail, the first to be tried first, and the same as records.
        field("mx", Kind::Texts),
        field("mail_servers", Kind::Records(&MAIL_SERVER)),
        // Whether it says that it takes no mail at all (RFC 7505).
        field("null_mx", Kind::Flag),
        // Whether it has an IPv4 address, to which mail goes where there is no mail server.
        field("has_a", Kind::Flag),
        // Who may send mail in its name, and what is said of everybody else: `-all`, `~all`, `?all`, `+all` or `none`.
        field("spf", Kind::Text),
        field("spf_all", Kind::Text),
        // What is to become of mail that fails: `none`, `quarantine`, `reject`; `missing` where nothing is said.
        field("dmarc", Kind::Text),
        field("dmarc_policy", Kind::Text),
        // The domain that says it, where it is the one above.
        field("dmarc_domain", Kind::Host),
    ],
};

pub(super) static SUBDOMAINS: Schema = Schema {
    name: "subdomains",
    fields: &[
        field("domain", Kind::Host),
        field("host", Kind::Host),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

pub(super) static COMPONENTS: Schema = Schema {
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

pub(super) static TRACKERS: Schema = Schema {
    name: "trackers",
    fields: &[
        field("host", Kind::Host),
        field("tracker", Kind::Text),
        field("kind", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

pub(super) static HOST_PAIRS: Schema = Schema {
    name: "host-pairs",
    fields: &[
        // The other host by name or address, and which side of the pair it stands on: `parent` or `child`.
        field("host", Kind::Host),
        field("ip", Kind::Address),
        field("side", Kind::Text),
        // The name below the host that was asked about to which the pair belongs, where it is not the host itself.
        field("subdomain", Kind::Host),
        field("cause", Kind::Text),
        field("first_seen", Kind::Date),
        field("last_seen", Kind::Date),
    ],
};

pub(super) static OWNERS: Schema = Schema {
    name: "owners",
    fields: &[
        field("owner", Kind::Text),
        field("id", Kind::Text),
        field("kind", Kind::Text),
    ],
};

pub(super) static INCIDENTS: Schema = Schema {
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

pub(super) static INCIDENT_INDICATORS: Schema = Schema {
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
        // Skulls from 0 to 5 and confidence from 0 to 100, where they were set.
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

pub(super) static CONTACTS: Schema = Schema {
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

pub(super) static SANDBOX_FILES: Schema = Schema {
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

pub(super) static SANDBOX_TRACES: Schema = Schema {
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

pub(super) static SAMPLES: Schema = Schema {
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

pub(super) static FILE: Schema = Schema {
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

pub(super) static PARTS: Schema = Schema {
    name: "parts",
    fields: &[
        field("host", Kind::Host),
        field("domain", Kind::Host),
        field("email_domain", Kind::Host),
        field("ip", Kind::Address),
    ],
};

pub(super) static ACCOUNT: Schema = Schema {
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
