//! Tells the names of privacy services by how they are made.
//!
//! A service's name says what it hides and that it hides it (`Domain Privacy Trustee SA`), or is a company's of nothing
//! but privacy (`Perfect Privacy, LLC`). The words are of November 2026.

use crate::party::is_form;
use crate::words::words;

/// Words for what is hidden.
const WHAT: &[&str] = &[
    "contact",
    "domain",
    "domains",
    "id",
    "identity",
    "owner",
    "registrant",
    "registration",
    "registrations",
    "whois",
];

/// Words for who hides it.
const WHO: &[&str] = &[
    "guard",
    "guardian",
    "masking",
    "protect",
    "protected",
    "protection",
    "protector",
    "service",
    "services",
    "shield",
    "trustee",
];

/// Words of which one beside a word for what is hidden is enough.
const HIDING: &[&str] = &[
    "anonymization",
    "anonymizer",
    "masking",
    "privacy",
    "protect",
    "protected",
    "protection",
    "proxy",
    "shield",
    "trustee",
];

/// What a registrar's record is of. Of other things, such as identities, others protect people, too.
const RECORDS: &[&str] = &[
    "domain",
    "domains",
    "registrant",
    "registration",
    "registrations",
    "whois",
];

/// Words that are a service's name where only the form of a company stands behind.
const ALONE: &[&str] = &["anonymise", "anonymize", "privacy"];

/// Words of those that privacy is the subject of, such as authorities for the protection of data.
const OF_OTHERS: &[&str] = &[
    "agency",
    "association",
    "authority",
    "commission",
    "commissioner",
    "council",
    "data",
    "institute",
    "international",
    "ministry",
    "university",
];

/// Tells whether a name is a privacy service's.
pub(super) fn is_service(text: &str) -> bool {
    let words = words(text);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(OF_OTHERS) {
        return false;
    }
    beside(&words, &["privacy"], WHAT)
        || beside(&words, &["privacy"], WHO)
        || beside(&words, &["proxy"], RECORDS)
        || beside(&words, &["proxy"], &["protect", "protection"])
        || beside(&words, RECORDS, HIDING)
        || is_company_of_privacy(text)
}

/// Tells whether a word of each list stand side by side, or with one word between them.
fn beside(words: &[String], one: &[&str], other: &[&str]) -> bool {
    let is = |word: Option<&String>, list: &[&str]| word.is_some_and(|word| list.contains(&word.as_str()));
    (0..words.len()).any(|at| {
        let here = words.get(at);
        [1, 2].into_iter().any(|far| {
            let there = words.get(at + far);
            is(here, one) && is(there, other) || is(here, other) && is(there, one)
        })
    })
}

/// Tells a company whose name ends in privacy, such as `Perfect Privacy, LLC`.
fn is_company_of_privacy(text: &str) -> bool {
    let parts: Vec<&str> = text.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    let is_alone = |part: &&str| matches!(words(part).as_slice(), [one] if ALONE.contains(&one.as_str()));
    parts.iter().position(is_alone).is_some_and(|at| {
        let form: Vec<&str> = parts.iter().skip(at + 1).copied().collect();
        at <= 1 && is_form(&form)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_how_their_names_are_made() {
        for name in [
            "Whois Privacy Corp.",
            "Anonymize, Inc.",
            "Domain Privacy Trustee SA",
            "Domain Protection Services, Inc.",
            "Super Privacy Service LTD c/o Dynadot",
            "Perfect Privacy, LLC",
            "Jewella Privacy LLC",
            "Digital Privacy Corporation",
            "Contact Privacy Inc. Customer 0123456789",
            "Proxy Protection LLC",
            "Domains By Proxy, LLC",
            "Privacy Protection Service INC d/b/a PrivacyProtect.org",
            "Whois Privacy Protection Foundation",
            "1API GmbH Whois Privacy",
            "Moniker Privacy Services",
            "Domain Whois Protection Service",
        ] {
            assert!(is_service(name), "{name}");
        }
        for name in [
            "Privacy International",
            "Private Bank of Example",
            "Fire Protection Services, Inc.",
            "Data Protection Commission",
            "Identity Protection Ltd",
            "Proxy Networks, Inc.",
            "Privacy Protection Authority",
            "Privacy Rights Campaign Ltd",
            "Trustee Services Ltd",
            "Registration Bureau Example GmbH",
            "Example Domain Holdings LLC",
            "Jane Privacy",
            "Privacy and Data Protection Services GmbH",
        ] {
            assert!(!is_service(name), "{name}");
        }
    }
}
