//! Says who gives names below a zone to customers, and as what.
//!
//! Registries register names below their zones, dynamic DNS services point names at their customers' addresses, hosts
//! serve what customers put there. The administrator's lists go first, then the built-in ones, then the private section
//! of the Public Suffix List, which holds all three: what no list of ours names there is hosting.

use super::index::suffixes;
use super::purpose::Purpose;
use super::{List, Lists, SUFFIX_LIST};
use crate::indicator::{
    Indicator, NameKind, is_private_registry, name_kind, registered_below, registrable_of_icann,
};

/// Says as what customers have names below a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZoneKind {
    /// They point them at their own addresses.
    DynamicDns,
    /// They registered them.
    Registry,
    /// The operator serves what they put there.
    Hosting,
}

impl ZoneKind {
    /// Returns the words for people: who gives names there.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::DynamicDns => "dynamic DNS",
            Self::Hosting => "hosting",
        }
    }

    const fn of(purpose: Purpose) -> Option<Self> {
        match purpose {
            Purpose::Registry => Some(Self::Registry),
            Purpose::DynamicDns => Some(Self::DynamicDns),
            Purpose::SharedHosting => Some(Self::Hosting),
            _ => None,
        }
    }
}

/// Is the zone that a name stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone<'l, 'n> {
    /// As what customers have names there.
    pub kind: ZoneKind,
    /// The zone's own name; it is the name itself where that serves customers' content.
    pub name: &'n str,
    /// Who says so.
    pub list: &'l str,
}

impl Lists {
    /// Finds the zone of a canonical name: the nearest that stands above it, or a host of customers' content that it is.
    #[must_use]
    pub fn zone<'l, 'n>(&'l self, name: &'n str) -> Option<Zone<'l, 'n>> {
        if let Some(zone) = self.listed_zone(name, |list| !list.is_built_in()) {
            return Some(zone);
        }
        let suffix = private_suffix(name);
        if let Some(zone) = self.listed_zone(name, List::is_built_in) {
            // Operators have zones below their zones.
            let nearest = suffix.filter(|suffix| suffix.len() > zone.name.len());
            return Some(Zone {
                name: nearest.unwrap_or(zone.name),
                ..zone
            });
        }
        let name = suffix?;
        let kind = if is_private_registry(name) {
            ZoneKind::Registry
        } else {
            ZoneKind::Hosting
        };
        Some(Zone {
            kind,
            name,
            list: SUFFIX_LIST,
        })
    }

    fn listed_zone<'l, 'n>(&'l self, name: &'n str, counts: impl Fn(&List) -> bool) -> Option<Zone<'l, 'n>> {
        suffixes(name).find_map(|entry| {
            let found = self.index.at(entry);
            let lists = found.filter_map(|found| self.lists.get(usize::from(found.list)));
            lists
                .filter(|list| counts(list))
                .filter_map(|list| Some((ZoneKind::of(list.purpose)?, &*list.name)))
                // The zone of a registry or of a dynamic DNS service is its operator's own name.
                .filter(|(kind, _)| *kind == ZoneKind::Hosting || entry.len() < name.len())
                .min()
                .map(|(kind, list)| Zone {
                    kind,
                    name: entry,
                    list,
                })
        })
    }

    /// Returns the registrable domain of an indicator, by the suffix list and the administrator's lists.
    #[must_use]
    pub fn registrable(&self, indicator: &Indicator) -> Option<Indicator> {
        let host = indicator.host()?;
        let listed = self.listed_zone(&host, |list| !list.is_built_in());
        match listed {
            Some(zone) if zone.kind == ZoneKind::Registry => registered_below(&host, zone.name),
            Some(_) => registrable_of_icann(&host),
            None => return indicator.registrable(),
        }
        .map(|domain| Indicator::domain_of(domain.to_owned()))
    }

    /// Tells whether a name equals its registrable domain, by the suffix list and the administrator's lists.
    #[must_use]
    pub fn name_kind(&self, host: &str) -> NameKind {
        match self.listed_zone(host, |list| !list.is_built_in()) {
            None => name_kind(host),
            Some(zone) => {
                let registered = match zone.kind {
                    ZoneKind::Registry => registered_below(host, zone.name),
                    ZoneKind::DynamicDns | ZoneKind::Hosting => registrable_of_icann(host),
                };
                if registered == Some(host) {
                    NameKind::Domain
                } else {
                    NameKind::Host
                }
            }
        }
    }

    /// Says who calls a name one of a dynamic DNS service: a name below such a zone, not the zone itself.
    ///
    /// The name has to be canonical.
    #[must_use]
    pub fn dynamic_dns<'l>(&'l self, name: &str) -> Option<&'l str> {
        self.in_zone(name, ZoneKind::DynamicDns)
    }

    /// Says who calls a name one where customers put content of their own: below a zone of the private section of the
    /// Public Suffix List that is no registry's, or at or below an entry for shared hosting.
    ///
    /// The name has to be canonical.
    #[must_use]
    pub fn hosting<'l>(&'l self, name: &str) -> Option<&'l str> {
        self.in_zone(name, ZoneKind::Hosting)
    }

    fn in_zone<'l>(&'l self, name: &str, kind: ZoneKind) -> Option<&'l str> {
        self.zone(name)
            .filter(|zone| zone.kind == kind)
            .map(|zone| zone.list)
    }

    /// Tells whether a built-in list is overruled by one of the administrator's that knows the zone of a name otherwise.
    pub(super) fn is_overruled(&self, list: &List, name: &str) -> bool {
        let Some(kind) = ZoneKind::of(list.purpose).filter(|_| list.is_built_in()) else {
            return false;
        };
        self.listed_zone(name, |list| !list.is_built_in())
            .is_some_and(|zone| zone.kind != kind)
    }
}

/// Cuts the suffix out of a name that stands below one of the private section.
pub(super) fn private_suffix(name: &str) -> Option<&str> {
    let suffix = psl::suffix(name.as_bytes())?;
    let start = name.len().checked_sub(suffix.as_bytes().len())?;
    let below = start > 0 && suffix.typ() == Some(psl::Type::Private);
    below.then(|| name.get(start..)).flatten()
}
