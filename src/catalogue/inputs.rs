//! Decides what an entity's value is read as, and which further types a transform on domains takes.

use super::InputSpec;
use crate::domain::IndicatorKind as Kind;
use crate::maltego::types;

/// Types that stand on a domain, so that a transform on domains takes them too.
const ON_DOMAINS: [&str; 4] = [
    "maltego.DNSName",
    "maltego.Website",
    "maltego.URL",
    "maltego.EmailAddress",
];

/// Lists what a value of an entity type can be read as, the nearest first; nothing where it says nothing.
///
/// Types inherit from their ancestors: an `NSRecord` is a `DNSName`.
fn kinds_of(type_id: &str) -> &'static [Kind] {
    const TABLE: &[(&str, &[Kind])] = &[
        ("maltego.Domain", &[Kind::Domain]),
        ("maltego.DNSName", &[Kind::Hostname]),
        ("maltego.IPv4Address", &[Kind::Ipv4]),
        ("maltego.IPv6Address", &[Kind::Ipv6]),
        ("maltego.URL", &[Kind::Url]),
        ("maltego.EmailAddress", &[Kind::Email, Kind::Phrase]),
        ("maltego.SSLCertificateHash", &[Kind::Certificate]),
        ("maltego.Hash", &[Kind::Hash, Kind::Certificate]),
        ("maltego.Person", &[Kind::Person, Kind::Phrase]),
        ("maltego.Organization", &[Kind::Organization, Kind::Phrase]),
        ("maltego.Company", &[Kind::Organization, Kind::Phrase]),
        ("maltego.PhoneNumber", &[Kind::Phone, Kind::Phrase]),
        ("maltego.Netblock", &[Kind::Netblock]),
        ("maltego.AS", &[Kind::Asn]),
        ("maltego.Incident", &[Kind::Incident, Kind::Phrase]),
        ("pivotd.Community", &[Kind::Community]),
        ("maltego.Alias", &[Kind::Phrase]),
        (
            "maltego.Phrase",
            &[
                Kind::Phrase,
                Kind::Url,
                Kind::Ipv4,
                Kind::Ipv6,
                Kind::Email,
                Kind::Hash,
                Kind::Domain,
                Kind::Hostname,
            ],
        ),
    ];
    let own = std::iter::once(type_id);
    let bases = types::lookup(type_id)
        .into_iter()
        .flat_map(|known| known.bases.iter().copied());
    own.chain(bases)
        .find_map(|id| TABLE.iter().find(|(known, _)| *known == id))
        .map_or(&[], |(_, kinds)| kinds)
}

/// Makes the input of a type for offers that take these kinds; `None` where its value can become none of them.
///
/// A value that stands on a domain and is taken only as a domain is cut to its registrable part. A property that
/// holds the query can hold anything, so it is read as whatever the offer takes.
pub(crate) fn input(
    type_id: &str,
    query: Option<&str>,
    offered: &[Kind],
    may_cut: bool,
) -> Option<InputSpec> {
    let make = |kinds: Vec<Kind>, registrable| InputSpec {
        type_id: type_id.to_owned(),
        query: query.map(str::to_owned),
        kinds,
        registrable,
    };
    if query.is_some() {
        return (!offered.is_empty()).then(|| make(offered.to_vec(), false));
    }
    let kinds = kinds_of(type_id);
    let direct: Vec<Kind> = kinds
        .iter()
        .copied()
        .filter(|kind| offered.contains(kind))
        .collect();
    let takes_hosts = offered.contains(&Kind::Hostname);
    if !direct.is_empty() {
        // People draw host names as domains, too; a vendor that knows only domains is asked for the domain.
        let registrable = may_cut && direct == [Kind::Domain] && !takes_hosts;
        return Some(make(direct, registrable));
    }
    let stands_on_domain = matches!(kinds.first(), Some(Kind::Hostname | Kind::Url | Kind::Email));
    let cut = may_cut && stands_on_domain && offered.contains(&Kind::Domain);
    cut.then(|| make(kinds.iter().copied().take(1).collect(), true))
}

/// Adds the types that stand on a domain to a transform that takes domains; those named already stay as they are.
pub(crate) fn widen(inputs: &mut Vec<InputSpec>, offered: &[Kind]) {
    let takes_domains = inputs.iter().any(|input| input.type_id == "maltego.Domain");
    if !takes_domains || !offered.contains(&Kind::Domain) {
        return;
    }
    for type_id in ON_DOMAINS {
        if !inputs.iter().any(|input| input.type_id == type_id) {
            inputs.extend(input(type_id, None, offered, true));
        }
    }
}
