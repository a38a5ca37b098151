//! Brings values into one form, whichever provider wrote them: equal things become one entity. All values of entities
//! pass here.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

use pivotd_domain::{Country, Indicator, IndicatorKind, Kind, privacy};
use pivotd_maltego::visible;

/// What may stand behind a comma after a name without being its first name.
const TITLES: [&str; 14] = [
    "jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "dr", "mba", "inc", "llc", "ltd", "corp",
];

/// Returns the one form of a value; `None` where it is a redaction or a privacy service's notice.
///
/// `country` is where a telephone number belongs, as the record says.
pub(super) fn canonical<'a>(
    kind: Option<Kind>,
    value: Cow<'a, str>,
    country: Option<&str>,
) -> Option<Cow<'a, str>> {
    let value = trimmed(visible(value));
    Some(match kind {
        // Mail servers may tell local parts by case, and hardly one does: providers write one mailbox in many ways.
        Some(Kind::Email) if value.chars().any(char::is_uppercase) => Cow::Owned(value.to_lowercase()),
        Some(Kind::Phone) => phone(value, country),
        Some(Kind::Person | Kind::Organization) if privacy::is_private_name(&value) => return None,
        Some(Kind::Person) => {
            let name = person(composed(value));
            Some(name).filter(|name| !privacy::is_private_name(name))?
        }
        Some(Kind::Organization) => composed(value),
        _ => value,
    })
}

/// Returns what values are told apart by; the names of persons and organizations by [`name_key`].
pub(super) fn told_apart_by<'a>(kind: Option<Kind>, value: &Cow<'a, str>) -> Cow<'a, str> {
    if is_name(kind) {
        Cow::Owned(name_key(value))
    } else {
        value.clone()
    }
}

/// Tells values that name a person or an organization.
pub(super) fn is_name(kind: Option<Kind>) -> bool {
    matches!(kind, Some(Kind::Person | Kind::Organization))
}

/// Returns what a name is told apart by: its letters, digits and symbols, regardless of case, of punctuation, of blanks
/// and of how accents are composed. The order of words counts.
#[must_use]
pub fn name_key(name: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(name);
    let mut key = String::with_capacity(composed.len());
    for c in composed.to_lowercase().chars() {
        match c {
            '.' | '\'' | '’' | '`' => {}
            ',' | ';' | ':' | '"' | '“' | '”' | '„' | '«' | '»' | '(' | ')' | '[' | ']' | '-' | '–' | '_' =>
            {
                key.push(' ');
            }
            other => key.push(other),
        }
    }
    let words: Vec<&str> = key.split_whitespace().collect();
    if words.is_empty() {
        composed.into_owned()
    } else {
        words.join(" ")
    }
}

/// Tells a text that is all in capitals.
pub(super) fn is_shouted(text: &str) -> bool {
    !text.contains(char::is_lowercase)
}

/// Returns the form in which entities have what an indicator is; `None` where its value says less than what was given.
#[must_use]
pub fn entity_value(indicator: &Indicator) -> Option<String> {
    let value = indicator.value();
    let kind = match indicator.kind() {
        IndicatorKind::Email => Kind::Email,
        IndicatorKind::Phone => Kind::Phone,
        // The number alone.
        IndicatorKind::Asn => return Some(value.strip_prefix("AS").unwrap_or(value).to_owned()),
        IndicatorKind::Domain
        | IndicatorKind::Hostname
        | IndicatorKind::Ipv4
        | IndicatorKind::Ipv6
        | IndicatorKind::Url
        | IndicatorKind::Hash
        | IndicatorKind::Certificate => return Some(value.to_owned()),
        IndicatorKind::Netblock
        | IndicatorKind::Person
        | IndicatorKind::Organization
        | IndicatorKind::Phrase
        | IndicatorKind::Incident
        | IndicatorKind::Community => return None,
    };
    canonical(Some(kind), Cow::Borrowed(value), None).map(Cow::into_owned)
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// Composes accents with their letters (NFC): a client compares names by their octets.
fn composed(name: Cow<'_, str>) -> Cow<'_, str> {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    if nfc.is_normalized(&name) {
        name
    } else {
        Cow::Owned(nfc.normalize(&name).into_owned())
    }
}

/// Puts a name that was written surname first in the order of speech: `Kranz, Anton` is `Anton Kranz`.
fn person(value: Cow<'_, str>) -> Cow<'_, str> {
    let Some((last, first)) = value.split_once(',') else {
        return value;
    };
    let (last, first) = (last.trim(), first.trim());
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphabetic() || " .-'’".contains(c));
    let bare = first.trim_end_matches('.').to_lowercase().replace('.', "");
    if !is_name(last) || !is_name(first) || TITLES.contains(&bare.as_str()) {
        return value;
    }
    Cow::Owned(format!("{first} {last}"))
}

/// Writes a telephone number with `+` and calling code where that is certain (E.164), else without signs.
fn phone<'a>(value: Cow<'a, str>, country: Option<&str>) -> Cow<'a, str> {
    let Ok(read) = Indicator::parse(IndicatorKind::Phone, &value) else {
        return value;
    };
    let (digits, extension) = match read.value().split_once('x') {
        Some((digits, extension)) => (digits, Some(extension)),
        None => (read.value(), None),
    };
    let calling = country.and_then(Country::find).map(|country| country.calling);
    let number = international(digits, calling.unwrap_or_default());
    let number = number.as_deref().unwrap_or(digits);
    let text = match extension {
        Some(extension) => format!("{number}x{extension}"),
        None => number.to_owned(),
    };
    if text == value { value } else { Cow::Owned(text) }
}

/// Returns digits with `+` and calling code; `None` where that is a guess.
fn international(digits: &str, calling: &str) -> Option<String> {
    if digits.starts_with('+') {
        return None;
    }
    if let Some(rest) = digits.strip_prefix("00").filter(|rest| !rest.starts_with('0')) {
        return Some(format!("+{rest}"));
    }
    let led = !calling.is_empty() && digits.starts_with(calling);
    match calling {
        "" => None,
        // Of a number of the North American plan, the first digit is never 1, which is also what is dialled before it.
        "1" if led => Some(format!("+{digits}")),
        "1" => (digits.len() == 10).then(|| format!("+1{digits}")),
        "7" if led && digits.len() == 11 => Some(format!("+{digits}")),
        "7" => digits
            .strip_prefix('8')
            .filter(|rest| rest.len() == 10)
            .map(|rest| format!("+7{rest}")),
        // A number that begins like the calling code may be a national one, unless it is too long for that.
        _ if led && digits.len() >= 11 => Some(format!("+{digits}")),
        // Italy keeps its zero; the others dial it at home only.
        "39" | "378" => None,
        _ => digits
            .strip_prefix('0')
            .filter(|rest| rest.len() >= 7 && !rest.starts_with('0'))
            .map(|rest| format!("+{calling}{rest}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(kind: Kind, value: &str, country: Option<&str>) -> Option<String> {
        canonical(Some(kind), Cow::Borrowed(value), country).map(Cow::into_owned)
    }

    #[test]
    fn a_telephone_number_has_one_form_where_its_country_is_known() {
        let same = |country: &str, texts: &[&str], wanted: &str| {
            for text in texts {
                let got = one(Kind::Phone, text, Some(country));
                assert_eq!(got.as_deref(), Some(wanted), "{text} in {country}");
            }
        };
        same(
            "US",
            &["15550123", "+15550123", "+1.5550123", "1 555-0123"],
            "+15550123",
        );
        same(
            "United States",
            &["2025550123", "+1 (202) 555-0123"],
            "+12025550123",
        );
        same(
            "NL",
            &["020 555 0123", "+31.205550123", "0031205550123", "31205550123"],
            "+31205550123",
        );
        same(
            "RU",
            &["8 495 5550123", "+74955550123", "74955550123"],
            "+74955550123",
        );
        same(
            "GB",
            &["+44 (0)20 7000 0100 ext. 7", "+442070000100x7"],
            "+442070000100x7",
        );
        // What may be a national number stays as it is, and so does what has no country.
        same("IN", &["9123456789"], "9123456789");
        same("IT", &["0612345678"], "0612345678");
        assert_eq!(one(Kind::Phone, "15550123", None).as_deref(), Some("15550123"));
        assert_eq!(one(Kind::Phone, "+1.5550123", None).as_deref(), Some("+15550123"));
    }

    #[test]
    fn what_cannot_be_seen_is_no_part_of_a_value() {
        let name = "\u{feff}evil\u{202e}gpj.\u{200b}exe\u{ad} ";
        assert_eq!(one(Kind::Text, name, None).as_deref(), Some("evilgpj.exe"));
    }

    #[test]
    fn mailboxes_and_names_have_one_form() {
        assert_eq!(
            one(Kind::Email, "Dana.Weber@mail.example", None).as_deref(),
            Some("dana.weber@mail.example")
        );
        for name in ["Weber, Dana", "Dana Weber"] {
            assert_eq!(
                one(Kind::Person, name, None).as_deref(),
                Some("Dana Weber"),
                "{name}"
            );
        }
        for name in ["Weber, Jr.", "Acme, Inc", "Weber, Dana, Mrs", "Room 7, Floor 2"] {
            assert_eq!(one(Kind::Person, name, None).as_deref(), Some(name));
        }
        for kind in [Kind::Person, Kind::Organization] {
            assert_eq!(one(kind, "REDACTED FOR PRIVACY", None), None);
        }
    }

    #[test]
    fn names_are_told_apart_by_letters_alone() {
        for (one, other) in [
            ("Acme, Inc.", "ACME INC"),
            ("Acme Inc.", "acme,inc"),
            ("M\u{fc}ller GmbH", "Mu\u{308}ller GmbH"),
            ("Beispiel S.A.", "Beispiel SA"),
            ("Anton Kranz", "ANTON  KRANZ"),
        ] {
            assert_eq!(name_key(one), name_key(other), "{one}");
        }
        for (one, other) in [("A&B Ltd", "AB Ltd"), ("Anton Kranz", "Kranz Anton"), (".", "-")] {
            assert_ne!(name_key(one), name_key(other), "{one}");
        }
    }

    proptest! {
        #[test]
        fn the_one_form_stays_as_it_is(
            text in "\\PC{0,30}|[+0-9 .()x-]{0,24}|[A-Za-z]{1,9}, ?[A-Za-z]{1,9}",
            country in prop::option::of("[A-Z]{2}"),
        ) {
            for kind in [Kind::Email, Kind::Phone, Kind::Person, Kind::Organization, Kind::Host] {
                if let Some(once) = one(kind, &text, country.as_deref()) {
                    prop_assert_eq!(one(kind, &once, country.as_deref()), Some(once.clone()));
                }
            }
        }
    }
}
