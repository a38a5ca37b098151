//! Knows the names of desks: departments and mailboxes that stand where a contact's name is asked for.
//!
//! The words were written for this project from public registration data and are of November 2026.

mod languages;

use crate::words::words;
use languages::{BESIDE, OF_OTHER_LANGUAGES, holds};

/// Words that make a name a desk's.
const DESK: &[&str] = &[
    "abuse",
    "addressing",
    "admin",
    "administrator",
    "administrators",
    "admins",
    "cert",
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
    "helpline",
    "hostmaster",
    "hostmasters",
    "ipadmin",
    "ipadmins",
    "iphostmaster",
    "ipmaster",
    "ipnoc",
    "irt",
    "lir",
    "mailbox",
    "maintainer",
    "netadmin",
    "netops",
    "noc",
    "operations",
    "ops",
    "peering",
    "poc",
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
    "admincontact",
    "techcontact",
    "billingcontact",
];

/// Desks that hold no word of their own.
const WHOLE: &[&str] = &[
    "computer emergency response team",
    "copyright agent",
    "customer service",
    "customer services",
    "dmca agent",
    "dns tech",
    "domain administration",
    "domain management",
    "domain manager",
    "domain name manager",
    "domain name services",
    "domain services",
    "domain team",
    "domain tech",
    "domain technician",
    "incident response team",
    "internet services",
    "ip management",
    "ip manager",
    "ip services",
    "ip team",
    "it department",
    "it services",
    "it team",
    "legal team",
    "network administration",
    "network engineer",
    "network engineering",
    "network information center",
    "network information centre",
    "network management",
    "network manager",
    "network security",
    "network services",
    "network team",
    "security incident response team",
    "security team",
    "service desk",
    "tech team",
    "technical role",
    "technical services",
    "technical staff",
    "technical team",
    "trust and safety",
    "zone manager",
    "domain billing",
    "domain names",
    "domain registration",
    "general counsel",
    "intellectual property",
    "legal",
    "security office",
    "web master",
    "accounts payable",
    "accounts receivable",
    "it abteilung",
    "service informatique",
    "direction informatique",
    "service technique",
    "service clients",
    "bilgi islem",
    "sistem yoneticisi",
    "servizi informatici",
    "tecnologias de informacion",
];

/// Words that end the title of a position, and those that begin one before "of".
const POSITIONS: &[&str] = &[
    "administrator",
    "analyst",
    "architect",
    "coordinator",
    "director",
    "engineer",
    "manager",
    "officer",
    "president",
    "secretary",
    "specialist",
    "supervisor",
    "technician",
];
const HEADS: &[&str] = &[
    "chair",
    "chief",
    "dean",
    "director",
    "head",
    "manager",
    "president",
    "vp",
];

/// Words that stand before the word of a position.
const RANKS: &[&str] = &[
    "assistant",
    "associate",
    "chief",
    "deputy",
    "executive",
    "financial",
    "junior",
    "lead",
    "managing",
    "principal",
    "senior",
    "technology",
    "vice",
];

/// Tells whether a text is the name of a desk and of nothing else.
pub(super) fn is_desk(text: &str) -> bool {
    let words = words(text);
    let is_desk = |word: &String| DESK.contains(&word.as_str()) || holds(OF_OTHER_LANGUAGES, word);
    let known = |word: &String| {
        is_desk(word) || holds(BESIDE, word) || word.bytes().all(|byte| byte.is_ascii_digit())
    };
    words.iter().any(is_desk) && words.iter().all(known)
        || WHOLE.contains(&words.join(" ").as_str())
        || is_title(&words)
}

/// Tells whether words are the title of a position: "Director of Network Services", "Chief Information Officer".
fn is_title(words: &[String]) -> bool {
    let is_of = |list: &[&str], word: Option<&String>| word.is_some_and(|word| list.contains(&word.as_str()));
    let rest = match words {
        [vice, rest @ ..] if vice == "vice" => rest,
        words => words,
    };
    let is_head = is_of(HEADS, rest.first()) && is_of(&["for", "of"], rest.get(1)) && rest.len() > 2;
    let is_position = is_of(POSITIONS, words.last())
        && words.len() > 1
        && words.iter().rev().skip(1).all(|word| {
            RANKS.contains(&word.as_str()) || holds(BESIDE, word) || DESK.contains(&word.as_str())
        });
    is_head || is_position
}

/// Tells whether a text names a desk, perhaps a company's: "Example NOC".
pub(super) fn names_desk(text: &str) -> bool {
    words(text).iter().any(|word| DESK.contains(&word.as_str()))
}
