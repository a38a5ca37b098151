//! Says what record types are made of.

use std::sync::LazyLock;

use super::Capability;

/// Says what a field holds; the mapping derives entity types from it, the catalogue checks names against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Flag,
    /// A day or a point in time.
    Date,
    /// An IPv4 or IPv6 address, canonical.
    Address,
    /// A domain or host name, canonical A-label form.
    Host,
    /// A URL, canonical.
    Url,
    /// An e-mail address, canonical.
    Email,
    /// A file hash, lower-case hex.
    Hash,
    /// A certificate hash, lower-case hex.
    Certificate,
    /// A person's name.
    Person,
    /// An organisation's name.
    Organization,
    /// A telephone number.
    Phone,
    /// A range of addresses, `first-last` (v4 or v6).
    Netblock,
    /// An autonomous system's number without "AS".
    AsNumber,
    /// Several texts.
    Texts,
    /// A list of records.
    Records(&'static Schema),
}

impl Kind {
    /// Tells whether values of this kind are single texts.
    #[must_use]
    pub fn is_textual(&self) -> bool {
        !matches!(
            self,
            Self::Integer | Self::Flag | Self::Date | Self::Texts | Self::Records(_)
        )
    }

    /// Returns the Maltego entity type that a value of this kind becomes by itself, if it has one.
    ///
    /// Names and addresses have two each; the caller decides between them by the value.
    #[must_use]
    pub fn entity_type(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address => "maltego.IPv4Address",
            Self::Host => "maltego.Domain",
            Self::Url => "maltego.URL",
            Self::Email => "maltego.EmailAddress",
            Self::Hash => "maltego.Hash",
            Self::Certificate => "maltego.SSLCertificateHash",
            Self::Person => "maltego.Person",
            Self::Organization => "maltego.Organization",
            Self::Phone => "maltego.PhoneNumber",
            Self::Netblock => "maltego.Netblock",
            Self::AsNumber => "maltego.AS",
            _ => return None,
        })
    }
}

/// Declares one field of a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in records, mappings and JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// Declares a record type.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Name for messages.
    pub name: &'static str,
    /// Its fields; names are unique.
    pub fields: &'static [Field],
}

impl Schema {
    /// Returns the field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the schema of the list field of that name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&'static Schema> {
        match self.field(name)?.kind {
            Kind::Records(schema) => Some(schema),
            _ => None,
        }
    }
}

/// Is the number of a field's name. Names that schemas declare are numbered in their order, so that ids sort as names do. One
/// name has one id in all schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(u16);

/// The declared names, in order, each once.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names = Vec::new();
    let mut schemas: Vec<&'static Schema> = Capability::ALL.iter().map(|one| one.schema()).collect();
    while let Some(schema) = schemas.pop() {
        names.extend(schema.fields.iter().map(|field| field.name));
        schemas.extend(schema.fields.iter().filter_map(|field| match field.kind {
            Kind::Records(inner) => Some(inner),
            _ => None,
        }));
    }
    names.sort_unstable();
    names.dedup();
    names
});

impl FieldId {
    /// Finds the id of a name; `None` where no schema declares it.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let at = NAMES.binary_search(&name).ok()?;
        u16::try_from(at).ok().map(Self)
    }

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_name_has_an_id_and_ids_sort_as_names_do() {
        for (at, name) in NAMES.iter().enumerate() {
            let id = FieldId::of(name).unwrap();
            assert_eq!((usize::from(id.0), id.name()), (at, *name));
        }
        assert!(FieldId::of("first_seen") < FieldId::of("last_seen"));
        assert_eq!(FieldId::of("no such field"), None);
    }
}
