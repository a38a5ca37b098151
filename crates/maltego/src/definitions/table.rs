//! The definitions.

use super::{CATEGORY, Converter, EntityDefinition};
use crate::types::pivotd as own;

/// Before every standard type, whose expressions match parts of what ours match.
const FIRST: Option<u32> = Some(30);

const GROUP_NOTES: &[(&str, &str, &str)] = &[
    (
        "threatconnect.id",
        "The id of the group in ThreatConnect. Groups are the same only if it and the owner are.",
        "1184230",
    ),
    (
        "threatconnect.owner",
        "The organization, community or source that the group belongs to.",
        "Example Sharing Community",
    ),
];

pub(super) static DEFINITIONS: &[EntityDefinition] = &[
    EntityDefinition {
        entity: &own::ADVERSARY,
        plural: "Adversaries",
        about: "A person or group that attacks, as a threat-intelligence platform tracks it.",
        category: CATEGORY,
        icon: "PivotdAdversary",
        converter: None,
        conversion_order: None,
        sample: "Ashen Heron",
        notes: GROUP_NOTES,
    },
    EntityDefinition {
        entity: &own::CAMPAIGN,
        plural: "Campaigns",
        about: "Attacks that belong together, as a threat-intelligence platform tracks them.",
        category: CATEGORY,
        icon: "PivotdCampaign",
        converter: None,
        conversion_order: None,
        sample: "Paper Lantern",
        notes: GROUP_NOTES,
    },
    EntityDefinition {
        entity: &own::COMMUNITY,
        plural: "Intelligence communities",
        about: "An organization, community or source that shares threat intelligence.",
        category: CATEGORY,
        icon: "PivotdCommunity",
        converter: None,
        conversion_order: None,
        sample: "Example Sharing Community",
        notes: &[
            (
                "threatconnect.owner-id",
                "The id of the owner in ThreatConnect.",
                "42",
            ),
            (
                "threatconnect.owner-type",
                "Whether it is an organization, a community or a source.",
                "Community",
            ),
        ],
    },
    EntityDefinition {
        entity: &own::INCIDENT,
        plural: "Incident reports",
        about: "A report of an incident in a threat-intelligence platform, which holds indicators.",
        category: CATEGORY,
        icon: "PivotdIncident",
        converter: None,
        conversion_order: None,
        sample: "20130520A: Tendrit APT",
        notes: GROUP_NOTES,
    },
    EntityDefinition {
        entity: &own::MUTEX,
        plural: "Mutexes",
        about: "The name of a mutex, which malware takes so that it runs once.",
        category: CATEGORY,
        icon: "PivotdMutex",
        converter: Some(Converter {
            regex: r"^((?:Global\\|Local\\|\\BaseNamedObjects\\)[^\\]+)$",
            groups: &["text"],
        }),
        conversion_order: FIRST,
        sample: r"Global\example-mutex",
        notes: &[],
    },
    EntityDefinition {
        entity: &own::REGISTRY_KEY,
        plural: "Registry keys",
        about: "A key of the Windows registry, with its value where one is known.",
        category: CATEGORY,
        icon: "PivotdRegistryKey",
        converter: Some(Converter {
            regex: r"^((?:HKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS|CURRENT_CONFIG)|HKLM|HKCU|HKCR|HKU|HKCC|\\REGISTRY\\(?:MACHINE|USER))\\.+)$",
            groups: &["text"],
        }),
        conversion_order: FIRST,
        sample: r"HKLM\Software\Microsoft\Windows\CurrentVersion\Run\Updater",
        notes: &[],
    },
    EntityDefinition {
        entity: &own::TRACKER,
        plural: "Web trackers",
        about: "The id of an analytics or advertising account, which pages of one owner share.",
        category: CATEGORY,
        icon: "PivotdTracker",
        // The kind of a tracker is part of it, and a pasted text does not tell it.
        converter: None,
        conversion_order: None,
        sample: "UA-000000-1",
        notes: &[(
            "pivotd.tracker-kind",
            "Whose id it is. Trackers are the same only if it agrees.",
            "google-analytics",
        )],
    },
    EntityDefinition {
        entity: &own::USER_AGENT,
        plural: "User agents",
        about: "What a program calls itself in its HTTP requests.",
        category: CATEGORY,
        icon: "PivotdUserAgent",
        converter: Some(Converter {
            regex: r"^((?:Mozilla|Opera|curl|Wget|python-requests|Python-urllib|Go-http-client|okhttp|libwww-perl)/\d.*)$",
            groups: &["text"],
        }),
        conversion_order: FIRST,
        sample: "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:21.0) Gecko/20100101 Firefox/21.0",
        notes: &[],
    },
    EntityDefinition {
        entity: &own::WEB_COMPONENT,
        plural: "Web components",
        about: "Software that a host was seen with, with its version where one is known.",
        category: CATEGORY,
        icon: "PivotdWebComponent",
        converter: None,
        conversion_order: None,
        sample: "nginx 1.4.1",
        notes: &[],
    },
];

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::super::{definition, definitions};
    use crate::types;

    #[test]
    fn each_own_type_has_one_definition_with_texts() {
        let own: Vec<&str> = types::all()
            .filter(|one| one.short() == one.id)
            .map(|one| one.id)
            .collect();
        let defined: Vec<&str> = definitions().map(|one| one.entity.id).collect();
        assert_eq!(defined, own);
        for one in definitions() {
            let id = one.entity.id;
            assert_eq!(types::lookup(id), Some(one.entity), "{id}");
            assert_eq!(definition(id), Some(one), "{id}");
            for text in [one.plural, one.about, one.category, one.icon, one.sample] {
                assert!(!text.is_empty(), "{id}");
            }
            assert_eq!(one.notes.len(), one.entity.properties.len(), "{id}");
            for field in one.fields() {
                assert!(
                    !field.about.is_empty() && !field.sample.is_empty(),
                    "{id} {field:?}"
                );
            }
            for parent in one.parents() {
                assert!(types::lookup(parent).is_some(), "{id}");
            }
        }
        assert_eq!(definition("pivotd.Other"), None);
    }

    #[test]
    fn a_converter_takes_the_sample_of_its_type_and_of_no_other() {
        for one in definitions() {
            let Some(converter) = one.converter else {
                assert_eq!(one.conversion_order, None);
                continue;
            };
            assert!(one.conversion_order.is_some_and(|order| order < 50));
            let regex = Regex::new(converter.regex).unwrap();
            assert_eq!(regex.captures_len(), converter.groups.len() + 1);
            for group in converter.groups {
                assert_eq!(Some(*group), one.entity.value_property);
            }
            for other in definitions() {
                let found = regex.captures(other.sample).map(|found| found[1].to_owned());
                let expected = (other == one).then(|| other.sample.to_owned());
                assert_eq!(found, expected, "{} {}", one.entity.id, other.sample);
            }
            for text in [
                "www.example.org",
                "192.0.2.1",
                "Some words",
                "http://a.example/Mozilla/5.0",
                "",
            ] {
                assert!(!regex.is_match(text), "{} {text}", one.entity.id);
            }
        }
    }

    #[test]
    fn registry_keys_are_recognized_in_all_their_forms() {
        let converter = definition("pivotd.RegistryKey").unwrap().converter.unwrap();
        let regex = Regex::new(converter.regex).unwrap();
        for text in [
            r"HKEY_LOCAL_MACHINE\Software\X",
            r"HKCU\Run",
            r"\REGISTRY\USER\S-1-5-21\Run",
        ] {
            assert!(regex.is_match(text), "{text}");
        }
        for text in [r"HKLM", r"HKLM\", r"C:\HKLM\x", "HKLM Software"] {
            assert!(!regex.is_match(text), "{text}");
        }
    }
}
