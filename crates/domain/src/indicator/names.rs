//! Names of the DNS: their canonical form and where a registration begins.

use std::borrow::Cow;

use idna::AsciiDenyList;
use psl::Type;

use super::registries::is_registry;

/// The longest name in octets, as text without the trailing dot (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;
/// The longest label in octets (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// Tells whether a name is a registered one or stands below one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// The name equals its registrable domain.
    Domain,
    /// The name is below a registrable domain, or is no registrable name at all.
    Host,
}

/// Returns a host name in canonical form: A-labels, lower case, no trailing dot.
///
/// What the DNS carries is a name, whether IDNA takes it or not (RFC 2181, section 11): labels may hold underscores,
/// begin with hyphens, be `*`, or begin with `xn--` and decode to nothing. Labels below `in-addr.arpa` and `ip6.arpa`
/// may hold slashes (RFC 2317). `None` for empty or over-long labels, over-long names, other characters, and what a
/// browser would read as an address.
pub(super) fn canonical_name(raw: &str) -> Option<String> {
    let ascii = match idna::domain_to_ascii_cow(raw.as_bytes(), AsciiDenyList::URL) {
        Ok(ascii) => ascii,
        Err(_) => Cow::Owned(ascii_by_label(raw)?),
    };
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let is_reverse = is_reverse(name);
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && (label == "*"
                || label.bytes().all(|b| {
                    b.is_ascii_lowercase()
                        || b.is_ascii_digit()
                        || matches!(b, b'-' | b'_')
                        || (is_reverse && b == b'/')
                }))
    };
    let last = name.rsplit('.').next()?;
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    (name.len() <= MAX_NAME && !numeric && last != "*" && name.split('.').all(is_label))
        .then(|| name.to_owned())
}

/// Tells a name below the zones of addresses.
fn is_reverse(name: &str) -> bool {
    [".in-addr.arpa", ".ip6.arpa"]
        .iter()
        .any(|zone| name.ends_with(zone))
}

/// Returns a name that IDNA refuses as a whole: ASCII labels as they are, in lower case, and the A-labels of others.
///
/// IDNA refuses a whole name for one label that does not decode, and for labels that cannot stand beside each other
/// (RFC 5893). The DNS knows neither rule.
fn ascii_by_label(raw: &str) -> Option<String> {
    if raw.len() > 4 * MAX_NAME {
        return None;
    }
    let labels: Option<Vec<Cow<'_, str>>> = raw
        .split(is_dot)
        .map(|label| {
            if label.is_ascii() {
                Some(Cow::Owned(label.to_ascii_lowercase()))
            } else {
                idna::domain_to_ascii_cow(label.as_bytes(), AsciiDenyList::URL).ok()
            }
        })
        .collect();
    Some(labels?.join("."))
}

/// Tells the characters that separate labels (RFC 3490, section 3.1), and the one that UTS 46 reads as a dot, too.
pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{2024}' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Tells a top-level domain that the suffix list knows, as an A-label or a U-label.
pub(crate) fn is_top_level(label: &str) -> bool {
    psl::suffix(to_unicode(label).as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Returns the registrable domain of a host name: one label more than its public suffix.
///
/// Suffixes of the ICANN section of the Public Suffix List count, and of its private section those of registries:
/// `foo.github.io` gives `github.io`, and `www.foo.us.com` gives `foo.us.com`. The last label is the suffix of a name
/// the list does not know. `None` for addresses, for bare suffixes and for what is no name.
pub fn registrable_domain(host: &str) -> Option<String> {
    let name = canonical_name(host)?;
    registrable_of(&name).map(str::to_owned)
}

/// Cuts the registrable domain out of a canonical name.
pub(super) fn registrable_of(name: &str) -> Option<&str> {
    last_labels(name, suffix_labels(name, is_registry)? + 1)
}

/// Cuts the registrable domain out of a canonical name as if no zone of the private section were a registry's.
pub(crate) fn registrable_of_icann(name: &str) -> Option<&str> {
    last_labels(name, suffix_labels(name, |_| false)? + 1)
}

/// Cuts what is registered out of a canonical name below a registry's zone; `None` where it is not below it.
pub(crate) fn registered_below<'n>(name: &'n str, zone: &str) -> Option<&'n str> {
    name.strip_suffix(zone)?.strip_suffix('.')?;
    last_labels(name, zone.split('.').count() + 1)
}

/// Cuts so many labels off the end of a name, and gives them; `None` where there are fewer.
fn last_labels(name: &str, mut labels: usize) -> Option<&str> {
    let mut start = name.len();
    for (at, _) in name.rmatch_indices('.').chain([(0, "")]) {
        labels -= 1;
        start = at;
        if labels == 0 {
            break;
        }
    }
    if labels > 0 {
        return None;
    }
    let cut = name.get(start..)?;
    Some(cut.strip_prefix('.').unwrap_or(cut))
}

/// Counts the labels of a canonical name's public suffix. Of suffixes in the private section, those count below which
/// people register names; the name of such a suffix itself is registered below another one.
fn suffix_labels(name: &str, is_registry: impl Fn(&str) -> bool) -> Option<usize> {
    // The list holds non-Latin suffixes in one spelling only; labels correspond one to one.
    let spelled = unicode_by_label(name);
    let mut rest = spelled.as_ref();
    loop {
        let suffix = psl::suffix(rest.as_bytes())?;
        let text = std::str::from_utf8(suffix.as_bytes()).ok()?;
        let counts = suffix.typ() != Some(Type::Private) || (text.len() < spelled.len() && is_registry(text));
        if counts {
            return Some(text.split('.').count());
        }
        // A private suffix stands below a registry's: look again from its parent upwards.
        let (_, parent) = text.split_once('.')?;
        let at = rest.len().checked_sub(parent.len())?;
        rest = rest.get(at..)?;
    }
}

/// Tells whether the suffix of a canonical name, as the private section of the Public Suffix List has it, is the zone
/// of a registry.
pub(crate) fn is_private_registry(suffix: &str) -> bool {
    is_registry(&unicode_by_label(suffix))
}

/// Tells a name below a suffix that the Public Suffix List knows, or below the one for examples (RFC 2606).
pub fn is_below_known_suffix(host: &str) -> bool {
    let Some(name) = canonical_name(host) else {
        return false;
    };
    let spelled = unicode_by_label(&name);
    let suffix = psl::suffix(spelled.as_bytes());
    let is_known = suffix.is_some_and(|suffix| suffix.is_known() && suffix.as_bytes().len() < spelled.len());
    is_known || name.ends_with(".example")
}

/// Tells whether a name equals its registrable domain.
pub fn name_kind(host: &str) -> NameKind {
    match canonical_name(host) {
        Some(name) if registrable_of(&name) == Some(name.as_str()) => NameKind::Domain,
        _ => NameKind::Host,
    }
}

/// Returns a name with U-labels for people to read; a name that IDNA refuses stays as it is.
pub fn to_unicode(name: &str) -> String {
    match idna::domain_to_unicode(name) {
        (unicode, Ok(())) => unicode,
        (_, Err(_)) => name.to_owned(),
    }
}

/// Returns a name with every label as a U-label that has one, for comparisons with the suffix list.
fn unicode_by_label(name: &str) -> Cow<'_, str> {
    if !name.contains("xn--") {
        return Cow::Borrowed(name);
    }
    let labels: Vec<String> = name.split('.').map(to_unicode).collect();
    Cow::Owned(labels.join("."))
}
