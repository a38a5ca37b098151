#![expect(clippy::disallowed_methods, reason = "one test reads recordings")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Cursor, Read as _};

use proptest::prelude::*;

use super::{LocalRunner, configuration, local_configuration};
use crate::discovery::Seed;
use crate::listing::{ListedTransform, Listing, ListingEntry, TransformSetting};
use crate::settings::SettingKind;
use crate::tests::elements::{Element, elements};
use crate::types;

/// Opens an archive.
fn open(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut members = BTreeMap::new();
    let mut last = String::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        assert!(last < name, "{last} before {name}");
        assert!(file.enclosed_name().is_some(), "{name}");
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert!(members.insert(name.clone(), content).is_none(), "{name}");
        last = name;
    }
    members
}

fn text<'a>(members: &'a BTreeMap<String, Vec<u8>>, name: &str) -> &'a str {
    let content = members.get(name).unwrap_or_else(|| panic!("no {name}"));
    std::str::from_utf8(content).unwrap()
}

fn is_xml(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !matches!(ending, Some("png" | "machine" | "properties"))
}

fn seed(base_url: &str) -> Seed {
    Seed {
        name: "pivotd".to_owned(),
        base_url: base_url.to_owned(),
        version: "0.1.0".to_owned(),
    }
}

fn transform(name: &str, set: &str, inputs: &[&str], outputs: &[&str]) -> ListedTransform {
    let own = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    ListedTransform {
        name: name.to_owned(),
        title: format!("To it [{name}]"),
        about: "What it does.".to_owned(),
        set: set.to_owned(),
        inputs: own(inputs),
        constraint: None,
        outputs: own(outputs),
        settings: Vec::new(),
        is_offered: true,
    }
}

fn listing() -> Listing {
    let mut resolutions = transform(
        "resolutions",
        "DNS",
        &["maltego.Domain", "maltego.IPv4Address"],
        &["maltego.DNSName", "maltego.IPv4Address"],
    );
    resolutions.settings = vec![
        TransformSetting {
            name: "global#acme.key".to_owned(),
            kind: SettingKind::Text,
            display: "Key".to_owned(),
            default: None,
            optional: true,
            popup: false,
            secret: true,
        },
        TransformSetting {
            name: "since".to_owned(),
            kind: SettingKind::Date,
            display: "Not before".to_owned(),
            default: Some("2013-01-01".to_owned()),
            optional: false,
            popup: true,
            secret: false,
        },
    ];
    let mut keyless = transform("keyless", "Other", &["maltego.Hash"], &["maltego.Phrase"]);
    keyless.is_offered = false;
    Listing::new(vec![
        transform(
            "threatconnect.indicators",
            "Incidents",
            &["pivotd.Incident"],
            &["maltego.Domain"],
        ),
        resolutions,
        keyless,
    ])
}

const BASE: &str = "https://pivot.example.org";

fn made() -> BTreeMap<String, Vec<u8>> {
    open(&configuration(&listing(), &seed(BASE)).unwrap())
}

fn made_local() -> BTreeMap<String, Vec<u8>> {
    let arguments = |entry: ListingEntry<'_>| {
        let all = [
            "run",
            "--type",
            entry.input,
            "--token-file",
            "/home/an na/token",
            &entry.transform.name,
        ];
        all.map(str::to_owned).to_vec()
    };
    let runner = LocalRunner {
        command: "/usr/local/bin/pivotd",
        arguments: &arguments,
        folder: "/",
    };
    open(&local_configuration(&listing(), "0.1.0", &runner).unwrap())
}

#[test]
fn a_configuration_has_all_that_a_client_imports() {
    let members = made();
    let mut names: BTreeSet<String> = members.keys().cloned().collect();
    for size in ["", "24", "32", "48", "96"] {
        assert!(
            names.contains(&format!("Icons/pivotd/PivotdMutex{size}.png")),
            "{size}"
        );
    }
    names.retain(|name| !name.ends_with(".png"));
    let types = [
        "Adversary",
        "Campaign",
        "Community",
        "Incident",
        "Mutex",
        "RegistryKey",
        "Tracker",
        "UserAgent",
        "WebComponent",
    ];
    let mut expected: BTreeSet<String> = types
        .iter()
        .flat_map(|one| {
            [
                format!("Entities/pivotd.{one}.entity"),
                format!("Icons/pivotd/Pivotd{one}.xml"),
            ]
        })
        .collect();
    expected.extend(
        [
            "EntityCategories/pivotd.category",
            "Icons/pivotd/Pivotd.xml",
            "Machines/pivotd_FollowDomain.machine",
            "Machines/pivotd_FollowDomain.properties",
            "Machines/pivotd_FollowIncident.machine",
            "Machines/pivotd_FollowIncident.properties",
            "Seeds/pivotd.hub",
            "Seeds/pivotd.seed",
            "Servers/pivotd.tas",
            "TransformRepositories/Remote/paterva.v2.resolutions-ipv4address.transform",
            "TransformRepositories/Remote/paterva.v2.resolutions-ipv4address.transformsettings",
            "TransformRepositories/Remote/paterva.v2.resolutions.transform",
            "TransformRepositories/Remote/paterva.v2.resolutions.transformsettings",
            "TransformRepositories/Remote/paterva.v2.threatconnect.indicators.transform",
            "TransformRepositories/Remote/paterva.v2.threatconnect.indicators.transformsettings",
            "TransformSets/dns.set",
            "TransformSets/incidents.set",
            "version.properties",
        ]
        .map(str::to_owned),
    );
    assert_eq!(names, expected);
}

#[test]
fn a_remote_transform_says_what_it_takes_gives_and_asks() {
    let members = made();
    let name = "TransformRepositories/Remote/paterva.v2.resolutions-ipv4address.transform";
    assert_eq!(
        text(&members, name),
        r#"<MaltegoTransform name="paterva.v2.resolutions-ipv4address" displayName="To it [resolutions]" abstract="false" template="false" visibility="public" description="What it does." author="pivotd" owner="pivotd" locationRelevance="global" version="0.1.0" requireDisplayInfo="false">
   <Properties>
      <Fields>
         <Property name="global#acme.key" type="string" nullable="true" hidden="false" readonly="false" description="Key" popup="false" abstract="false" visibility="public" auth="true" displayName="Key">
            <SampleValue></SampleValue>
         </Property>
         <Property name="since" type="date" nullable="false" hidden="false" readonly="false" description="Not before" popup="true" abstract="false" visibility="public" auth="false" displayName="Not before">
            <DefaultValue>2013-01-01</DefaultValue>
            <SampleValue></SampleValue>
         </Property>
      </Fields>
   </Properties>
   <InputConstraints>
      <Entity type="maltego.IPv4Address"/>
   </InputConstraints>
   <OutputEntities>
      <Entity type="maltego.DNSName"/>
      <Entity type="maltego.IPv4Address"/>
   </OutputEntities>
   <Help><![CDATA[What it does.]]></Help>
   <Disclaimer><![CDATA[]]></Disclaimer>
   <defaultSets>
      <Set name="DNS"/>
   </defaultSets>
   <StealthLevel>0</StealthLevel>
   <ProtocolVersion>2.0</ProtocolVersion>
</MaltegoTransform>
"#
    );
    assert_eq!(
        text(&members, &format!("{name}settings")),
        "<TransformSettings enabled=\"true\" disclaimerAccepted=\"false\" showHelp=\"true\" runWithAll=\"true\" \
         favorite=\"false\"/>\n"
    );
}

#[test]
fn entity_types_have_converters_and_fields_where_the_definition_has() {
    let members = made();
    assert_eq!(
        text(&members, "Entities/pivotd.Mutex.entity"),
        r#"<MaltegoEntity id="pivotd.Mutex" displayName="Mutex" displayNamePlural="Mutexes" description="The name of a mutex, which malware takes so that it runs once." category="pivotd" smallIconResource="PivotdMutex" largeIconResource="PivotdMutex" allowedRoot="true" conversionOrder="30" visible="true">
   <BaseEntities>
      <BaseEntity>maltego.Phrase</BaseEntity>
   </BaseEntities>
   <Converter>
      <Value><![CDATA[^((?:Global\\|Local\\|\\BaseNamedObjects\\)[^\\]+)$]]></Value>
      <RegexGroups>
         <RegexGroup property="text"/>
      </RegexGroups>
   </Converter>
   <Properties value="text" displayValue="text">
      <Groups/>
      <Fields/>
   </Properties>
</MaltegoEntity>
"#
    );
    let incident = elements(text(&members, "Entities/pivotd.Incident.entity"));
    assert_eq!(incident[0].get("conversionOrder"), "2147483647");
    let base: Vec<&str> = incident
        .iter()
        .filter(|one| one.path.ends_with("/BaseEntity"))
        .map(|one| one.text.as_str())
        .collect();
    assert_eq!(base, ["maltego.Incident"]);
    let fields: Vec<_> = incident
        .iter()
        .filter(|one| one.path.ends_with("/Field"))
        .collect();
    assert_eq!(fields.len(), 2);
    assert_eq!(fields[0].get("name"), "threatconnect.id");
    assert_eq!(fields[0].get("type"), "string");
    assert!(!incident.iter().any(|one| one.path.ends_with("/Converter")));
}

#[test]
fn the_server_lists_all_transforms_and_the_seeds_agree() {
    let members = made();
    assert_eq!(
        text(&members, "Servers/pivotd.tas"),
        r#"<MaltegoServer name="pivotd" enabled="true" url="https://pivot.example.org/runner">
   <LastSync>1970-01-01 00:00:00.000 UTC</LastSync>
   <Protocol version="2.0"/>
   <Authentication type="none"/>
   <Transforms>
      <Transform name="paterva.v2.threatconnect.indicators"/>
      <Transform name="paterva.v2.resolutions"/>
      <Transform name="paterva.v2.resolutions-ipv4address"/>
   </Transforms>
   <Seeds>
      <Seed>https://pivot.example.org/seed</Seed>
   </Seeds>
</MaltegoServer>
"#
    );
    assert_eq!(
        text(&members, "Seeds/pivotd.seed"),
        r#"<TransformSeed url="https://pivot.example.org/seed" name="pivotd" description="pivotd" enabled="true">
   <GlobalTransformProperties>
      <Fields/>
   </GlobalTransformProperties>
   <GlobalTransformSettings/>
</TransformSeed>
"#
    );
    let hub = elements(text(&members, "Seeds/pivotd.hub"));
    assert_eq!(hub[0].path, "Seed");
    assert_eq!(hub[0].get("Name"), "pivotd");
    let url = hub.iter().find(|one| one.path == "Seed/Url").unwrap();
    assert_eq!(
        (url.text.as_str(), url.get("Visible")),
        ("https://pivot.example.org/seed", "false")
    );
    let icon = hub.iter().find(|one| one.path == "Seed/Icon/Url").unwrap();
    assert_eq!(icon.text, "https://pivot.example.org/icon.png");
    let custom = hub.iter().find(|one| one.path == "Seed/Custom").unwrap();
    assert_eq!(custom.text, "true");
    assert_eq!(
        text(&members, "version.properties"),
        "maltego.client.name=pivotd\nmaltego.client.subtitle=\nmaltego.client.version=0.1.0\nmaltego.graph.version=1.2\n\
         maltego.mtz.version=1.0\nmaltego.pandora.version=1.4.2\n"
    );
}

#[test]
fn a_local_transform_starts_the_program_with_its_name_and_type() {
    let members = made_local();
    assert!(
        members
            .keys()
            .all(|name| !name.contains("Remote") && !name.starts_with("Seeds/"))
    );
    let name = "TransformRepositories/Local/pivotd.resolutions-ipv4address.transform";
    assert_eq!(
        text(&members, &format!("{name}settings")),
        r#"<TransformSettings enabled="true" disclaimerAccepted="false" showHelp="true" runWithAll="true" favorite="false">
   <Properties>
      <Property name="transform.local.command" type="string" popup="false">/usr/local/bin/pivotd</Property>
      <Property name="transform.local.parameters" type="string" popup="false">run --type maltego.IPv4Address --token-file "/home/an na/token" resolutions</Property>
      <Property name="transform.local.working-directory" type="string" popup="false">/</Property>
      <Property name="transform.local.debug" type="boolean" popup="false">false</Property>
   </Properties>
</TransformSettings>
"#
    );
    let all = elements(text(&members, name));
    let order: Vec<&str> = all
        .iter()
        .filter(|one| one.path.matches('/').count() < 2)
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(
        order,
        [
            "MaltegoTransform",
            "MaltegoTransform/TransformAdapter",
            "MaltegoTransform/Properties",
            "MaltegoTransform/InputConstraints",
            "MaltegoTransform/OutputEntities",
            "MaltegoTransform/defaultSets",
            "MaltegoTransform/StealthLevel",
        ]
    );
    let input = all
        .iter()
        .find(|one| one.path.ends_with("InputConstraints/Entity"))
        .unwrap();
    assert_eq!(
        (input.get("type"), input.get("min"), input.get("max")),
        ("maltego.IPv4Address", "1", "1")
    );
    let fields: Vec<&str> = all
        .iter()
        .filter(|one| one.path.ends_with("/Property"))
        .map(|one| one.get("name"))
        .collect();
    assert_eq!(
        fields,
        [
            "transform.local.command",
            "transform.local.parameters",
            "transform.local.working-directory",
            "transform.local.debug",
        ]
    );
    let server = elements(text(&members, "Servers/Local.tas"));
    assert_eq!(
        (server[0].get("name"), server[0].get("url")),
        ("Local", "http://localhost")
    );
    let protocol = server.iter().find(|one| one.path.ends_with("/Protocol")).unwrap();
    assert_eq!(protocol.get("version"), "0.0");
}

/// Demands that all that one member says of another is there.
fn check_references(members: &BTreeMap<String, Vec<u8>>) {
    let documents: Vec<(&String, Vec<Element>)> = members
        .keys()
        .filter(|name| is_xml(name))
        .map(|name| (name, elements(text(members, name))))
        .collect();
    let values = |folder: &str, path: &str, attribute: &str| -> Vec<String> {
        let within = documents.iter().filter(|(name, _)| name.starts_with(folder));
        let named = within
            .flat_map(|(_, all)| all)
            .filter(|one| one.path.ends_with(path));
        named.map(|one| one.get(attribute).to_owned()).collect()
    };
    let transforms = values("TransformRepositories/", "MaltegoTransform", "name");
    let known: HashSet<&String> = transforms.iter().collect();
    assert_eq!(known.len(), transforms.len(), "names of transforms are unique");
    let set_of = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
    assert_eq!(
        set_of(&values("Servers/", "Transforms/Transform", "name")),
        set_of(&transforms)
    );
    assert_eq!(
        set_of(&values("TransformSets/", "Transforms/Transform", "name")),
        set_of(&transforms)
    );
    assert_eq!(
        set_of(&values("TransformRepositories/", "defaultSets/Set", "name")),
        set_of(&values("TransformSets/", "TransformSet", "name"))
    );
    let sets = values("TransformSets/", "TransformSet", "name");
    assert_eq!(set_of(&sets).len(), sets.len(), "names of sets are unique");
    let entities = values("Entities/", "MaltegoEntity", "id");
    assert_eq!(set_of(&entities).len(), entities.len());
    let categories = set_of(&values("EntityCategories/", "EntityCategory", "name"));
    assert!(set_of(&values("Entities/", "MaltegoEntity", "category")).is_subset(&categories));
    for icon in values("Entities/", "MaltegoEntity", "smallIconResource") {
        assert!(
            members.contains_key(&format!("Icons/pivotd/{icon}.xml")),
            "{icon}"
        );
    }
    for (name, all) in &documents {
        if name.starts_with("Entities/") {
            for base in all.iter().filter(|one| one.path.ends_with("/BaseEntity")) {
                assert!(types::lookup(&base.text).is_some(), "{name} {}", base.text);
            }
        }
        if name.ends_with(".transform") {
            assert!(members.contains_key(&format!("{name}settings")), "{name}");
        }
    }
    for (name, code) in members.iter().filter(|(name, _)| name.ends_with(".machine")) {
        let code = std::str::from_utf8(code).unwrap();
        let strings = |call: &str| -> Vec<String> {
            let parts = code.split(call).skip(1);
            parts
                .map(|part| part.split('"').next().unwrap().to_owned())
                .collect()
        };
        let runs = strings("run(\"");
        assert!(!runs.is_empty(), "{name}");
        for run in runs {
            assert!(known.contains(&run), "{name} runs {run}");
        }
        for id in strings("type(\"") {
            assert!(types::lookup(&id).is_some(), "{name} {id}");
        }
        assert!(members.contains_key(&name.replace(".machine", ".properties")));
    }
}

#[test]
fn what_members_say_of_each_other_is_there() {
    check_references(&made());
    check_references(&made_local());
}

#[test]
fn equal_input_gives_equal_bytes() {
    let make = || configuration(&listing(), &seed(BASE)).unwrap();
    assert_eq!(make(), make());
}

#[test]
fn a_token_is_inside_where_the_url_has_one_and_else_nowhere() {
    let holding = |base_url: &str| -> Vec<String> {
        let members = open(&configuration(&listing(), &seed(base_url)).unwrap());
        let holds = |content: &[u8]| String::from_utf8_lossy(content).contains("secret-token");
        let with = members.into_iter().filter(|(_, content)| holds(content));
        with.map(|(name, _)| name).collect()
    };
    assert_eq!(holding(BASE), Vec::<String>::new());
    assert_eq!(
        holding("https://pivot.example.org/t/secret-token"),
        ["Seeds/pivotd.hub", "Seeds/pivotd.seed", "Servers/pivotd.tas"]
    );
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("]]></Help><x a=\"".to_owned()),
        Just("\u{0}\u{1}\r\n\t\u{fffe}".to_owned()),
        Just("run(\"x\") } // \\ ${y}".to_owned()),
        Just("../../etc/passwd".to_owned()),
        Just(String::new()),
    ]
}

prop_compose! {
    fn any_setting()(
        name in any_text(), display in any_text(), default in proptest::option::of(any_text()), flags in any::<[bool; 3]>(),
    ) -> TransformSetting {
        TransformSetting {
            name,
            kind: SettingKind::DateRange,
            display,
            default,
            optional: flags[0],
            popup: flags[1],
            secret: flags[2],
        }
    }
}

prop_compose! {
    fn any_transform()(
        title in any_text(), about in any_text(), set in any_text(),
        inputs in proptest::collection::vec(any_text(), 1..4), outputs in proptest::collection::vec(any_text(), 0..3),
        settings in proptest::collection::vec(any_setting(), 0..3), is_offered in any::<bool>(),
    ) -> ListedTransform {
        ListedTransform { name: String::new(), title, about, set, inputs, constraint: None, outputs, settings, is_offered }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_listing_gives_members_that_can_be_read(
        mut transforms in proptest::collection::vec(any_transform(), 0..4), base_url in any_text(), version in any_text(),
    ) {
        for (at, transform) in transforms.iter_mut().enumerate() {
            transform.name = format!("t.{at}");
        }
        let offered = transforms.iter().filter(|one| one.is_offered).count();
        let listing = Listing::new(transforms);
        let seed = Seed { name: version.clone(), base_url, version: version.clone() };
        let runner = LocalRunner {
            command: &version,
            arguments: &|entry| vec![version.clone(), entry.input.to_owned()],
            folder: "",
        };
        for bytes in [
            configuration(&listing, &seed).unwrap(),
            local_configuration(&listing, &version, &runner).unwrap(),
        ] {
            let members = open(&bytes);
            for name in members.keys().filter(|name| is_xml(name)) {
                prop_assert!(!elements(text(&members, name)).is_empty());
            }
            let entries = listing.offered_entries().count();
            prop_assert!(entries >= offered);
            let files = members.keys().filter(|name| name.ends_with(".transform")).count();
            prop_assert_eq!(files, entries);
            prop_assert_eq!(text(&members, "version.properties").lines().count(), 6);
        }
    }
}

/// Lists the elements and attributes of a document, each once.
fn names(xml: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for one in elements(xml) {
        for (attribute, _) in &one.attributes {
            names.insert(format!("{}@{attribute}", one.path));
        }
        names.insert(one.path);
    }
    names
}

#[test]
#[ignore = "needs recordings"]
fn members_have_the_elements_and_attributes_of_recorded_ones() {
    let wire = std::env::var_os("PIVOTD_WIRE")
        .unwrap_or_else(|| panic!("PIVOTD_WIRE names no folder of recordings"));
    let folder = std::path::Path::new(&wire).join("real/client-config");
    let recorded = |name: &str| names(&std::fs::read_to_string(folder.join(name)).unwrap());
    let members = made();
    let written = |name: &str| names(text(&members, name));
    let remote = "TransformRepositories/Remote/paterva.v2.threatconnect.indicators.transform";
    for (own, other, more, less) in [
        (
            remote.to_owned(),
            "remote-transform/paterva.v2.PPv8RangeHashSHA1.transform",
            &[
                "MaltegoTransform/defaultSets/Set",
                "MaltegoTransform/defaultSets/Set@name",
            ][..],
            &[][..],
        ),
        (
            format!("{remote}settings"),
            "remote-transform/paterva.v2.PPv8RangeHashSHA1.transformsettings",
            &[],
            &[],
        ),
        (
            "Servers/pivotd.tas".to_owned(),
            "x-hibp2_Servers/haveibeenpwned.tas",
            &[],
            &[],
        ),
        ("Seeds/pivotd.seed".to_owned(), "x-hibp_Seeds/hibp.seed", &[], &[]),
        (
            "Seeds/pivotd.hub".to_owned(),
            "x-hibp2_Seeds/have i been pwned_.hub",
            &[],
            &[
                "Seed/Badges",
                "Seed/Help",
                "Seed/Provider/Email",
                "Seed/Provider/Website",
                "Seed/Statistics",
                "Seed/Tags",
                "Seed/Tags/Tag",
                "Seed/Tags/Tag@Type",
            ],
        ),
    ] {
        let mut expected = recorded(other);
        expected.retain(|name| !less.contains(&name.as_str()));
        expected.extend(more.iter().map(|&name| name.to_owned()));
        assert_eq!(written(&own), expected, "{own}");
    }
    let keys = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
            .collect()
    };
    let recorded = std::fs::read_to_string(folder.join("hibp-version.properties")).unwrap();
    assert_eq!(keys(text(&members, "version.properties")), keys(&recorded));
}
