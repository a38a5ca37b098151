//! Knows the names of desks: departments and mailboxes that stand where a contact's name is asked for.
//!
//! The words were written for this project from public registration data and are of November 2026.

/// Words that make a name a desk's.
const DESK: &[&str] = &[
    "abuse",
    "addressing",
    "admin",
    "administrator",
    "administrators",
    "admins",
    "contact",
    "contacts",
    "csirt",
    "department",
    "dept",
    "desk",
    "dns",
    "dnsadmin",
    "domainadmin",
    "domains",
    "helpdesk",
    "hostmaster",
    "hostmasters",
    "ipadmin",
    "ipadmins",
    "iphostmaster",
    "ipmaster",
    "ipnoc",
    "irt",
    "lir",
    "maintainer",
    "netadmin",
    "netops",
    "noc",
    "operations",
    "ops",
    "peering",
    "postmaster",
    "registrar",
    "registry",
    "role",
    "routing",
    "soc",
    "spam",
    "support",
    "sysadmin",
    "webmaster",
    "whois",
];

/// Words that stand beside them.
const BESIDE: &[&str] = &[
    "account",
    "accounts",
    "address",
    "administration",
    "administrative",
    "and",
    "billing",
    "center",
    "centre",
    "corporate",
    "customer",
    "customers",
    "data",
    "division",
    "domain",
    "e",
    "email",
    "engineering",
    "engineers",
    "for",
    "general",
    "global",
    "group",
    "handle",
    "help",
    "host",
    "hosting",
    "incident",
    "info",
    "information",
    "internet",
    "ip",
    "isp",
    "it",
    "mail",
    "management",
    "manager",
    "managers",
    "master",
    "name",
    "names",
    "network",
    "networks",
    "object",
    "of",
    "office",
    "online",
    "operation",
    "operator",
    "operators",
    "owner",
    "person",
    "policy",
    "primary",
    "registrant",
    "registration",
    "registrations",
    "report",
    "reporting",
    "reports",
    "resource",
    "resources",
    "response",
    "safety",
    "security",
    "server",
    "servers",
    "service",
    "services",
    "staff",
    "system",
    "systems",
    "team",
    "tech",
    "technical",
    "the",
    "trust",
    "unit",
    "user",
    "web",
    "zone",
];

/// Desks that hold no word of their own.
const WHOLE: &[&str] = &[
    "customer service",
    "customer services",
    "domain manager",
    "domain name manager",
    "domain name services",
    "domain services",
    "internet services",
    "ip management",
    "ip manager",
    "ip services",
    "ip team",
    "it department",
    "it services",
    "it team",
    "network administration",
    "network engineering",
    "network engineer",
    "network information center",
    "network information centre",
    "network management",
    "network manager",
    "network security",
    "network services",
    "network team",
    "security team",
    "technical services",
    "technical staff",
    "technical team",
    "trust and safety",
    "zone manager",
];

fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Tells whether a text is the name of a desk and of nothing else.
pub(super) fn is_desk(text: &str) -> bool {
    let words = words(text);
    let known = |word: &String| {
        DESK.contains(&word.as_str())
            || BESIDE.contains(&word.as_str())
            || word.bytes().all(|byte| byte.is_ascii_digit())
    };
    let has_desk = words.iter().any(|word| DESK.contains(&word.as_str()));
    has_desk && words.iter().all(known) || WHOLE.contains(&words.join(" ").as_str())
}

/// Tells whether a text names a desk, perhaps a company's: "Example NOC".
pub(super) fn names_desk(text: &str) -> bool {
    words(text).iter().any(|word| DESK.contains(&word.as_str()))
}
