use proptest::prelude::*;

use super::{Seed, is_json_wanted, list};
use crate::listing::{ListedTransform, Listing, TransformSetting};
use crate::settings::SettingKind;
use crate::tests::elements as read;

/// One element: how deep it stands, its name and its attributes.
type Element = (usize, String, Vec<(String, String)>);

/// Reads XML to its elements' names with their attributes, in order, and says how deep each stands.
fn elements(xml: &str) -> Vec<Element> {
    let told = |one: read::Element| {
        let name = one.name().to_owned();
        (one.path.matches('/').count(), name, one.attributes)
    };
    read::elements(xml).into_iter().map(told).collect()
}

fn seed(base_url: &str) -> Seed {
    Seed {
        name: "pivotd".to_owned(),
        base_url: base_url.to_owned(),
        version: "0.1.0".to_owned(),
    }
}

#[test]
fn a_seed_names_one_application_by_both_urls_and_no_other_server() {
    let xml = seed("https://pivot.example.org/t/a&b").xml();
    let all = elements(&xml);
    let names: Vec<_> = all
        .iter()
        .map(|(depth, name, _)| (*depth, name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            (0, "MaltegoMessage"),
            (1, "MaltegoTransformDiscoveryMessage"),
            (2, "TransformApplications"),
            (3, "TransformApplication"),
            (2, "OtherSeedServers"),
        ]
    );
    let of = |name: &str| {
        let found = all[3].2.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(of("URL"), Some("https://pivot.example.org/t/a&b/runner"));
    assert_eq!(of("V3URL"), Some("https://pivot.example.org/t/a&b"));
    assert_eq!(of("name"), Some("pivotd"));
    assert_eq!(of("requireAPIKey"), Some("false"));
    assert!(
        xml.starts_with("<MaltegoMessage"),
        "nothing stands before the root"
    );
}

#[test]
fn json_goes_to_who_asks_for_it_and_to_newer_protocols() {
    for (accept, protocol, json) in [
        (None, None, false),
        (Some("*/*"), None, false),
        (Some("text/html, image/gif, *; q=.2"), None, false),
        (Some("application/json"), None, true),
        (Some("application/json, text/plain, */*"), None, true),
        (Some("Application/Problem+JSON; q=0.5"), None, true),
        (Some("text/xml, application/json"), None, false),
        (Some("application/xhtml+xml, application/json"), None, false),
        (Some("text/xml"), Some("3.3"), true),
        (None, Some("3"), true),
        (None, Some("3.1"), true),
        (Some("application/json"), Some("2.0"), false),
        (None, Some("nonsense"), false),
    ] {
        assert_eq!(is_json_wanted(accept, protocol), json, "{accept:?} {protocol:?}");
    }
}

fn setting(name: &str, kind: SettingKind) -> TransformSetting {
    TransformSetting {
        name: name.to_owned(),
        kind,
        display: "What it is".to_owned(),
        default: None,
        optional: true,
        popup: false,
        secret: false,
    }
}

fn transform(name: &str, inputs: &[&str]) -> ListedTransform {
    ListedTransform {
        name: name.to_owned(),
        title: "To addresses [Acme]".to_owned(),
        about: "Every address.".to_owned(),
        set: "Addresses".to_owned(),
        inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
        constraint: None,
        outputs: vec!["maltego.IPv4Address".to_owned()],
        settings: vec![
            TransformSetting {
                secret: true,
                ..setting("global#acme.key", SettingKind::Text)
            },
            TransformSetting {
                default: Some("30".to_owned()),
                popup: true,
                ..setting("acme.days", SettingKind::Int)
            },
        ],
        is_offered: true,
    }
}

#[test]
fn a_list_has_an_entry_for_each_input_with_settings_and_outputs() {
    let mut keyless = transform("acme.keyless", &["maltego.Hash"]);
    keyless.is_offered = false;
    let listing = Listing::new(vec![
        transform(
            "acme.hosts",
            &["maltego.Domain", "maltego.DNSName", "maltego.Website"],
        ),
        keyless,
    ]);
    let xml = list(&listing, "0.1.0");
    let all = elements(&xml);
    let of = |at: usize, name: &str| {
        let found = all[at].2.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let transforms: Vec<usize> = (0..all.len()).filter(|at| all[*at].1 == "Transform").collect();
    let names: Vec<_> = transforms
        .iter()
        .map(|at| of(*at, "TransformName").unwrap())
        .collect();
    assert_eq!(names, ["acme.hosts", "acme.hosts-dnsname"]);
    let first = transforms[0];
    let children: Vec<_> = all[first + 1..transforms[1]]
        .iter()
        .map(|(depth, name, _)| (*depth, name.as_str()))
        .collect();
    assert_eq!(
        children,
        [
            (4, "UIInputRequirements"),
            (5, "Input"),
            (5, "Input"),
            (4, "OutputEntities"),
            (5, "OutputEntity"),
            (4, "InputEntity"),
        ]
    );
    let (secret, days) = (first + 2, first + 3);
    assert_eq!(of(secret, "Auth"), Some("True"));
    assert_eq!(of(secret, "Type"), Some("string"));
    assert_eq!(of(secret, "DefaultValue"), Some(""));
    assert_eq!(of(days, "Auth"), None);
    assert_eq!(
        (
            of(days, "Type"),
            of(days, "DefaultValue"),
            of(days, "Optional"),
            of(days, "Popup")
        ),
        (Some("int"), Some("30"), Some("True"), Some("True"))
    );
    assert!(
        xml.contains("<InputEntity>maltego.DNSName</InputEntity>"),
        "{xml}"
    );
}

proptest! {
    #[test]
    fn any_texts_are_written_as_xml_that_can_be_read(
        title in any::<String>(), about in any::<String>(), input in any::<String>(), default in any::<String>(),
    ) {
        let mut one = transform("acme.any", &[&input]);
        one.title = title.clone();
        one.about = about;
        one.settings[0].default = Some(default);
        let xml = list(&Listing::new(vec![one]), "1");
        let all = elements(&xml);
        let written = &all[3].2.iter().find(|(name, _)| name == "UIDisplayName").unwrap().1;
        let kept: String = title.chars().filter(|c| crate::is_xml_char(*c)).collect();
        prop_assert_eq!(written, &kept);
    }
}
