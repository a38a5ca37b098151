//! Tells privacy services, redactions and prose from people, so that they become no entity.
//!
//! The lists were written for this project from public registration data and are of November 2026. They name
//! services and stock phrases only; a name that merely contains a word such as "private" is left alone.

use super::indicator::{Indicator, IndicatorKind};
use super::words::words;

mod services;
mod withheld;

/// Those of the domains below that stand for a mailbox alone: the rest of such a contact is the registrant's.
const OF_MAILBOXES: &[&str] = &["contact.gandi.net", "o-w-o.info", "spamfree.bookmyname.com"];

/// Domains whose addresses forward to an unnamed person, or to none.
const FORWARDING_DOMAINS: &[&str] = &[
    "1and1-private-registration.com",
    "anonymize.com",
    "contact.gandi.net",
    "contactprivacy.com",
    "contactprivacy.email",
    "data-protected.net",
    "domaindiscreet.com",
    "domainprivacygroup.com",
    "domainsbyproxy.com",
    "gdpr-masked.com",
    "identity-protect.org",
    "myprivacy.ca",
    "networksolutionsprivateregistration.com",
    "o-w-o.info",
    "perfectprivacy.com",
    "privacy-link.com",
    "privacy.above.com",
    "privacy.co.com",
    "privacydotlink.com",
    "privacyguardian.org",
    "privacyprotect.org",
    "privatewho.is",
    "protecteddomainservices.com",
    "proxy.dreamhost.com",
    "regprivate.ru",
    "spamfree.bookmyname.com",
    "superprivacyservice.com",
    "tieredaccess.com",
    "whoisguard.com",
    "whoisprotection.cc",
    "whoistrustee.com",
    "withheldforprivacy.com",
];

/// Parts of a domain's label that only a privacy service carries, hyphens removed.
const FORWARDING_LABELS: &[&str] = &[
    "contactprivacy",
    "domainprivacy",
    "domainsbyproxy",
    "myprivacy",
    "privacyguardian",
    "privacyprotect",
    "privateregistration",
    "privatewhois",
    "whoisguard",
    "whoisprivacy",
    "whoisprotect",
    "whoisproxy",
    "withheldforprivacy",
];

/// Local parts that stand for no mailbox of the registrant.
const LOCAL_PARTS: &[&str] = &[
    "gdpr-masking",
    "gdpr-redacted",
    "redacted",
    "redacted-for-privacy",
    "not-disclosed",
];

/// Whole names, normalised, that name no person.
const EMPTY_NAMES: &[&str] = &[
    "1337 services llc",
    "admin contact",
    "administrator",
    "ano nymous",
    "anonymous",
    "anonymous registrant",
    "billing contact",
    "dns admin",
    "dns administrator",
    "dns manager",
    "domain admin",
    "domain administrator",
    "domain manager",
    "domain owner",
    "domain privacy",
    "domain privacy service",
    "domain registrant",
    "domains administrator",
    "confidential",
    "data masked",
    "hidden",
    "hidden by request",
    "host master",
    "hostmaster",
    "masked",
    "n a",
    "na",
    "no name",
    "nobody",
    "none",
    "none given",
    "not applicable",
    "not available",
    "not given",
    "not provided",
    "null",
    "obfuscated",
    "on behalf of owner",
    "on behalf of registrant",
    "owner",
    "personal data",
    "privacy",
    "privacy administrator",
    "privacy protected",
    "privacy service",
    "private",
    "private individual",
    "private person",
    "private registrant",
    "private registration",
    "private whois",
    "protected",
    "registrant",
    "registrant contact",
    "registration private",
    "tech contact",
    "technical contact",
    "undisclosed",
    "unknown",
    "whois agent",
    "whois privacy",
    "withheld",
    "individual",
    "personal",
    "personal use",
    "private use",
    "private user",
    "self",
    "myself",
    "home",
    "home user",
];

/// Words of a domain's parties, of which placeholders are made.
const PARTIES: &[&str] = &[
    "account",
    "admin",
    "administrative",
    "administrator",
    "behalf",
    "billing",
    "contact",
    "customer",
    "domain",
    "holder",
    "name",
    "of",
    "on",
    "owner",
    "registrant",
    "tech",
    "technical",
    "the",
];

/// Runs of whole words that only services, redactions and notices contain.
const PHRASES: &[&str] = &[
    "contact privacy inc",
    "data protected",
    "domain discreet privacy",
    "domain id shield",
    "domain protection services inc",
    "domains by proxy",
    "email form at",
    "gdpr masked",
    "gdpr redacted",
    "identity protection service",
    "identity protect limited",
    "jewella privacy",
    "knock knock whois not there",
    "masked for privacy",
    "hidden upon user request",
    "njalla",
    "perfect privacy llc",
    "please contact the registrar",
    "please query the rdds",
    "privacy guardian",
    "privacy hero",
    "privacy protect llc",
    "privacy protection service",
    "privacy service provided by",
    "privacydotlink",
    "privacyguardian org",
    "privacyprotect org",
    "private by design llc",
    "protection of private person",
    "proxy protection llc",
    "query the rdds",
    "redacted",
    "registration private",
    "restricted by request",
    "select contact domain holder link",
    "select request email form",
    "see privacyguardian",
    "statutory masking enabled",
    "super privacy service",
    "whois agent",
    "whois privacy protection",
    "whois privacy service",
    "whois privacy services",
    "whoisguard",
    "whoisprotection",
    "withheld for privacy",
    "yinsi baohu",
    "disclosed agent",
    "dynadot privacy",
    "fbo registrant",
    "namebright privacy",
    "privacy protected",
    "private registration",
    "private whois",
];

/// Tells whether a contact's value is a privacy service's, a redaction, a placeholder or prose.
///
/// Judges text with an at sign as an e-mail address, text of digits and signs as a telephone number, and
/// anything else as a name.
pub fn is_private_contact(text: &str) -> bool {
    if text.contains('@') {
        is_private_email(text)
    } else if Indicator::parse(IndicatorKind::Phone, text).is_ok()
        // A mask of "x" is no name either.
        || !text.chars().any(|c| c.is_alphabetic() && !matches!(c, 'x' | 'X'))
    {
        is_private_phone(text)
    } else {
        is_private_name(text)
    }
}

/// Tells whether the value of an e-mail field is no address, or one of a privacy service.
pub fn is_private_email(text: &str) -> bool {
    let Some(address) = valid_email(text) else {
        return true;
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return true;
    };
    let local = local.to_lowercase();
    LOCAL_PARTS.contains(&local.as_str())
        || is_forwarding(domain)
        || domain.split('.').any(is_forwarding_label)
}

/// Tells whether an address is that of a service which stands for a registrant: street and telephone beside it are the
/// service's, too.
pub fn is_service_mailbox(text: &str) -> bool {
    let Some(address) = valid_email(text) else {
        return false;
    };
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_known = is_forwarding(domain) || domain.split('.').any(is_forwarding_label);
    is_known && !OF_MAILBOXES.iter().any(|listed| is_below(domain, listed))
}

/// Tells whether a domain is a service's, or below one.
fn is_forwarding(domain: &str) -> bool {
    FORWARDING_DOMAINS.iter().any(|listed| is_below(domain, listed))
}

fn is_below(domain: &str, listed: &str) -> bool {
    domain
        .strip_suffix(listed)
        .is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

fn is_forwarding_label(label: &str) -> bool {
    let label = label.replace('-', "");
    FORWARDING_LABELS.iter().any(|part| label.contains(part))
}

/// Tells whether the name of a person or an organisation is a privacy service, a redaction or a notice.
pub fn is_private_name(text: &str) -> bool {
    let lower = text.to_lowercase();
    if lower.contains("://") || text.contains("***") {
        return true;
    }
    let words = words(text);
    let normal = words.join(" ");
    // Masks such as "xxxxx" and "-" hold no letter that means anything.
    if normal.chars().all(|c| matches!(c, 'x' | ' ' | '0')) || EMPTY_NAMES.contains(&normal.as_str()) {
        return true;
    }
    PHRASES.iter().any(|phrase| has_phrase(&words, phrase))
        || is_party_of(&lower)
        || is_customer(&words)
        || is_of_placeholders(&words)
        || withheld::is_withheld(&words)
        || services::is_service(text)
        || lower.split_whitespace().any(holds_service)
}

/// Tells whether a word is a service's name in one, or its domain: `WhoisGuard`, `MyPrivacy.net`.
fn holds_service(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    word.split('.').any(is_forwarding_label) || is_forwarding(word)
}

/// Tells the placeholders "registrant of example.com" and "on behalf of example.com technical contact" from a name: a domain,
/// and words for its parties.
fn is_party_of(lower: &str) -> bool {
    let (domains, others): (Vec<&str>, Vec<&str>) = lower
        .split_whitespace()
        .partition(|word| word.contains('.') && Indicator::parse(IndicatorKind::Domain, word).is_ok());
    domains.len() == 1 && others.contains(&"of") && others.iter().all(|word| PARTIES.contains(word))
}

/// Tells whether words are placeholders one by one, or one of them again and again: `none none`, `n/a n/a`.
fn is_of_placeholders(words: &[String]) -> bool {
    // "Na" is a name, too.
    let is_empty = |word: &String| word != "na" && EMPTY_NAMES.contains(&word.as_str());
    let repeats = |length: usize| {
        let mut parts = words.chunks(length);
        let first = parts.next().unwrap_or_default();
        first != ["na"] && EMPTY_NAMES.contains(&first.join(" ").as_str()) && parts.all(|part| part == first)
    };
    words.len() > 1 && (words.iter().all(is_empty) || (1..=words.len() / 2).any(repeats))
}

/// Tells a registrar's placeholder, such as `DreamHost Customer` or `Example Customer 0123456`, from a name.
fn is_customer(words: &[String]) -> bool {
    let is_number = |word: &&String| word.bytes().all(|byte| byte.is_ascii_digit());
    let last = words.iter().rev().find(|word| !is_number(word));
    last.is_some_and(|word| word == "customer")
}

/// Tells whether a name is that of a service which stands for a registrant, or says that it does: what else such a contact
/// holds is the service's, except its mailboxes.
pub fn is_proxy_name(text: &str) -> bool {
    let words = words(text);
    let is = |phrase: &&str| has_phrase(&words, phrase);
    let says = ["fbo registrant", "private registration", "private whois"];
    is_private_name(text)
        && (services::is_service(text)
            || says.iter().any(is)
            || has_phrase(&words, "on behalf of") && is_party_of(&text.to_lowercase()))
}

/// Tells whether a telephone number is none, masked, or a row of one digit.
pub fn is_private_phone(text: &str) -> bool {
    let Ok(phone) = Indicator::parse(IndicatorKind::Phone, text) else {
        return true;
    };
    let digits = phone
        .value()
        .split('x')
        .next()
        .unwrap_or_default()
        .trim_start_matches('+');
    // A country code may stand before the zeros: "+1.0000000000".
    digits.trim_end_matches('0').len() <= 3 || digits.chars().all(|c| digits.starts_with(c))
}

/// Returns the canonical address if the text is exactly one e-mail address, of whomever.
pub fn valid_email(text: &str) -> Option<String> {
    Indicator::parse(IndicatorKind::Email, text)
        .ok()
        .map(|address| address.value().to_owned())
}

/// Tells whether a run of words stands among others.
fn has_phrase(words: &[String], phrase: &str) -> bool {
    (0..words.len()).any(|at| {
        let mut rest = words.iter().skip(at);
        phrase
            .split(' ')
            .all(|word| rest.next().is_some_and(|other| other == word))
    })
}

#[cfg(test)]
mod tests;
