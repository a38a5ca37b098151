//! Makes the properties that a value has by itself, whatever record it stands in.

use smol_str::{SmolStr, ToSmolStr};

use pivotd_domain::indicator::{HashType, to_unicode};
use pivotd_maltego::{Property, is_invisible, types};

/// Names a property that a value can have by itself.
pub(super) struct ValueProperty {
    pub(super) name: SmolStr,
    pub(super) title: SmolStr,
    /// Whether every value of the type has it.
    pub(super) is_certain: bool,
}

/// Lists the properties that [`value_properties`] can set for a type.
pub(super) fn own_properties(type_id: &str) -> Vec<ValueProperty> {
    let more: &[(&str, bool)] = match type_id {
        "maltego.URL" => &[("short-title", true), ("title", true)],
        "maltego.Hash" | "maltego.SSLCertificateHash" => &[("hash_type", false)],
        "maltego.Person" => &[("person.firstnames", false), ("person.lastname", false)],
        "maltego.Domain" | "maltego.DNSName" | "maltego.NSRecord" | "maltego.MXRecord"
        | "maltego.Website" => &[("pivotd.unicode", false)],
        _ => &[],
    };
    let value = types::value_property(type_id).map(|name| (name, true));
    let all = value.into_iter().chain(more.iter().copied());
    all.map(|(name, is_certain)| {
        let property = match name {
            "pivotd.unicode" => unicode_property(""),
            name => declared(type_id, name, ""),
        };
        ValueProperty {
            name: property.name,
            title: property.display_name,
            is_certain,
        }
    })
    .collect()
}

/// Makes the property that holds the Unicode form of a name in Punycode.
fn unicode_property(unicode: &str) -> Property {
    Property::loose("pivotd.unicode", "Unicode form", unicode)
}

/// Sets the value property, always explicitly, and what else belongs to a value of the type.
pub(super) fn value_properties(type_id: &str, value: &str, out: &mut Vec<Property>) {
    if let Some(name) = types::value_property(type_id) {
        out.push(declared(type_id, name, value));
    }
    match type_id {
        // The client draws the short title under the icon, not the URL.
        "maltego.URL" => {
            out.push(declared(type_id, "short-title", value));
            out.push(declared(type_id, "title", value));
        }
        "maltego.Hash" | "maltego.SSLCertificateHash" => {
            if let Some(hash) = HashType::of(value) {
                out.push(declared(type_id, "hash_type", hash.name()));
            }
        }
        "maltego.Person" => {
            if let Some((first, last)) = two_words(value) {
                out.push(declared(type_id, "person.firstnames", first));
                out.push(declared(type_id, "person.lastname", last));
            }
        }
        "maltego.Domain" | "maltego.DNSName" | "maltego.NSRecord" | "maltego.MXRecord"
        | "maltego.Website"
            if value.contains("xn--") =>
        {
            let unicode = to_unicode(value);
            // A form with characters that cannot be seen would look like another name.
            if unicode != value && !unicode.chars().any(is_invisible) {
                out.push(unicode_property(&unicode));
            }
        }
        _ => {}
    }
}

/// Splits a name that is plainly a first and a last name.
fn two_words(name: &str) -> Option<(&str, &str)> {
    let (first, last) = name.split_once(' ')?;
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || "-'’".contains(c));
    (is_word(first) && is_word(last)).then_some((first, last))
}

/// Makes a property of a standard type with its label and matching rule.
pub(super) fn declared(type_id: &str, name: &str, value: &str) -> Property {
    match types::property(type_id, name) {
        Some(known) => Property {
            name: SmolStr::new_static(known.name),
            display_name: SmolStr::new_static(known.display_name),
            value: value.to_smolstr(),
            strict: known.strict,
        },
        None => Property::loose(name, name, value),
    }
}
