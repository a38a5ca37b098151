//! The entity types, standard ones and our own: ids, ancestry, value properties and matching rules.
//!
//! Maltego merges two entities when type, value and all *strict* properties agree, so a wrong rule here puts a
//! second node on the graph. Types outside the table (custom ones, or standard ones without a mapping)
//! are legal everywhere; the look-ups just know nothing about them.

mod a_to_j;
mod l_to_z;
mod legacy;
pub(crate) mod pivotd;

use std::collections::HashMap;
use std::sync::LazyLock;

use pivotd_domain::IndicatorKind;

pub use legacy::{LEGACY, LegacyProperty, legacy_of};

/// Prefix of every standard type's full id.
const NAMESPACE: &str = "maltego.";

/// Names the kind of values a property holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PropertyKind {
    /// Free text.
    Text,
    /// Several texts.
    Texts,
    /// A URL.
    Url,
    /// A whole number.
    Int,
    /// Several whole numbers.
    Ints,
    /// A floating-point number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// A date with a time.
    DateTime,
    /// A colour, `#rrggbb`.
    Color,
}

/// Describes one property of an entity type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PropertyType {
    /// The id on the wire, e.g. `as.number`.
    pub name: &'static str,
    /// The label in the client's property view.
    pub display_name: &'static str,
    /// What its values are.
    pub kind: PropertyKind,
    /// Whether two entities merge only if this property agrees.
    pub strict: bool,
}

/// Describes one entity type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntityType {
    /// The full id, e.g. `maltego.Domain`.
    pub id: &'static str,
    /// The label in the client's palette.
    pub display_name: &'static str,
    /// Full ids of all ancestors, nearest first.
    pub bases: &'static [&'static str],
    /// The property that holds the value; `None` only for `maltego.Unknown`.
    pub value_property: Option<&'static str>,
    /// The property drawn under the icon; differs from the value for URL and Document.
    pub display_property: Option<&'static str>,
    /// The properties this type declares or redeclares; [`property`] also finds inherited ones.
    pub properties: &'static [PropertyType],
}

impl EntityType {
    /// Returns the name of the older v2 protocol: the full id without `maltego.`.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.id.strip_prefix(NAMESPACE).unwrap_or(self.id)
    }
}

/// Returns the last part of an id, of a type or of a property: `IPv4Address` of `maltego.IPv4Address`.
#[must_use]
pub fn last_part(id: &str) -> &str {
    id.rsplit_once('.').map_or(id, |(_, last)| last)
}

/// Names the entity type that an indicator of a kind is by itself; `None` for kinds that several types have.
#[must_use]
pub const fn of(kind: IndicatorKind) -> Option<&'static str> {
    Some(match kind {
        IndicatorKind::Domain => "maltego.Domain",
        IndicatorKind::Hostname => "maltego.DNSName",
        IndicatorKind::Ipv4 => "maltego.IPv4Address",
        IndicatorKind::Ipv6 => "maltego.IPv6Address",
        IndicatorKind::Netblock => "maltego.Netblock",
        IndicatorKind::Asn => "maltego.AS",
        IndicatorKind::Url => "maltego.URL",
        IndicatorKind::Email => "maltego.EmailAddress",
        IndicatorKind::Hash => "maltego.Hash",
        IndicatorKind::Phone => "maltego.PhoneNumber",
        IndicatorKind::Person => "maltego.Person",
        IndicatorKind::Organization => "maltego.Organization",
        _ => return None,
    })
}

/// Is a type with those that it inherits from, nearest first.
struct Lineage {
    own: &'static EntityType,
    bases: Vec<&'static EntityType>,
}

/// Finds types by their full ids. Each entity of an answer asks for its type's properties, so ancestors are resolved once.
static LINEAGES: LazyLock<HashMap<&'static str, Lineage>> = LazyLock::new(|| {
    let by_id: HashMap<&str, &'static EntityType> = all().map(|one| (one.id, one)).collect();
    let lineage = |own: &'static EntityType| Lineage {
        own,
        bases: own
            .bases
            .iter()
            .filter_map(|base| by_id.get(base).copied())
            .collect(),
    };
    all().map(|own| (own.id, lineage(own))).collect()
});

/// Finds a type by its full id. Ids are case-sensitive, as they are for the client.
#[must_use]
pub fn lookup(id: &str) -> Option<&'static EntityType> {
    LINEAGES.get(id).map(|lineage| lineage.own)
}

/// Finds a standard type by full id, by v2 name, or by one of the two v2 names that differ from the id
/// (`IPAddress` and `ASNumber`, as canari's client sends them).
#[must_use]
pub fn by_any_name(name: &str) -> Option<&'static EntityType> {
    match name.strip_prefix(NAMESPACE).unwrap_or(name) {
        "IPAddress" => by_short("IPv4Address"),
        "ASNumber" => by_short("AS"),
        short => by_short(short).or_else(|| lookup(name)),
    }
}

fn by_short(short: &str) -> Option<&'static EntityType> {
    [a_to_j::TYPES, l_to_z::TYPES].into_iter().find_map(|table| {
        let at = table.binary_search_by(|t| t.short().cmp(short)).ok()?;
        table.get(at)
    })
}

/// Lists every type of the table.
pub fn all() -> impl Iterator<Item = &'static EntityType> {
    a_to_j::TYPES.iter().chain(l_to_z::TYPES).chain(pivotd::TYPES)
}

/// Tells whether `id` is `ancestor` or inherits from it, for full ids. A type outside the table is only itself.
#[must_use]
pub fn is_a(id: &str, ancestor: &str) -> bool {
    id == ancestor || lookup(id).is_some_and(|t| t.bases.contains(&ancestor))
}

/// Returns the id of the property that holds the value of type `id`.
#[must_use]
pub fn value_property(id: &str) -> Option<&'static str> {
    lookup(id)?.value_property
}

/// Finds a property of type `id` by its wire id, its own ones before inherited ones.
#[must_use]
pub fn property(id: &str, name: &str) -> Option<&'static PropertyType> {
    let Lineage { own, bases } = LINEAGES.get(id)?;
    std::iter::once(own)
        .chain(bases)
        .find_map(|known| known.properties.iter().find(|property| property.name == name))
}

const fn strict(name: &'static str, display_name: &'static str, kind: PropertyKind) -> PropertyType {
    PropertyType {
        name,
        display_name,
        kind,
        strict: true,
    }
}

const fn loose(name: &'static str, display_name: &'static str, kind: PropertyKind) -> PropertyType {
    PropertyType {
        name,
        display_name,
        kind,
        strict: false,
    }
}
