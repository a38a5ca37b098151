//! Names of the DNS: their canonical form and where a registration begins.

use idna::AsciiDenyList;
use psl::Type;

/// The longest name in octets, as text without the trailing dot (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;
/// The longest label in octets (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// Tells whether a name is what somebody registered or something below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// The name equals its registrable domain.
    Domain,
    /// The name is below a registrable domain, or is no registrable name at all.
    Host,
}

/// Returns a host name in canonical form: A-labels, lower case, no trailing dot.
///
/// Labels may hold underscores and begin with hyphens, because names in the DNS do. `None` for empty or
/// over-long labels, over-long names, other characters, and what a browser would read as an address.
pub(super) fn canonical_name(raw: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_cow(raw.as_bytes(), AsciiDenyList::URL).ok()?;
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    let last = name.rsplit('.').next()?;
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    (name.len() <= MAX_NAME && !numeric && name.split('.').all(is_label)).then(|| name.to_owned())
}

/// Returns the registrable domain of a host name: one label more than its public suffix.
///
/// Only the ICANN section of the Public Suffix List counts, since registries answer for nothing else:
/// `foo.github.io` gives `github.io`. The last label is the suffix of a name the list does not know.
/// `None` for addresses, for bare suffixes and for what is no name.
pub fn registrable_domain(host: &str) -> Option<String> {
    let name = canonical_name(host)?;
    registrable_of(&name).map(str::to_owned)
}

/// Cuts the registrable domain out of a canonical name.
pub(super) fn registrable_of(name: &str) -> Option<&str> {
    let mut labels = icann_suffix_labels(name)? + 1;
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

/// Counts the labels of a canonical name's public suffix.
fn icann_suffix_labels(name: &str) -> Option<usize> {
    // The list holds non-Latin suffixes in one spelling only; labels correspond one to one.
    let spelled = to_unicode(name);
    let mut rest = spelled.as_str();
    loop {
        let suffix = psl::suffix(rest.as_bytes())?;
        let text = std::str::from_utf8(suffix.as_bytes()).ok()?;
        if suffix.typ() != Some(Type::Private) {
            return Some(text.split('.').count());
        }
        // A private suffix stands below a registry's: look again from its parent upwards.
        let (_, parent) = text.split_once('.')?;
        let at = rest.len().checked_sub(parent.len())?;
        rest = rest.get(at..)?;
    }
}

/// Tells whether a name equals its registrable domain.
pub fn name_kind(host: &str) -> NameKind {
    match canonical_name(host) {
        Some(name) if registrable_of(&name) == Some(name.as_str()) => NameKind::Domain,
        _ => NameKind::Host,
    }
}

/// Returns a name with U-labels for people to read; a label that cannot be decoded stays as it is.
pub fn to_unicode(name: &str) -> String {
    match idna::domain_to_unicode(name) {
        (unicode, Ok(())) => unicode,
        (_, Err(_)) => name.to_owned(),
    }
}
