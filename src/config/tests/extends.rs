//! Tests files that lie over the compiled-in one.

mod faults;

use std::collections::BTreeSet;

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::vendor;
use crate::config::extends::{Scope, lay_over};
use crate::config::tree::{Data, Node, parse};
use crate::config::{BUILT_IN_NAME, ConfigErrors, DEFAULT_FILE, Loaded, Origin, load, located, read, server};

const EXTENDS: &str = "extends = \"built-in\"\n";

/// Reads a file over the compiled-in one; its own lines begin with the second.
fn over(text: &str) -> Result<Loaded, ConfigErrors> {
    over_with(text, false, &[])
}

fn over_with(text: &str, is_public: bool, variables: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let variables: Vec<(String, String)> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let text = format!("{EXTENDS}{text}");
    read("my.toml", &text, is_public, &variables, &vendor::all())
}

fn good(text: &str) -> Loaded {
    over(text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn faults(text: &str) -> String {
    over(text).map_or_else(|errors| errors.to_string(), |_| "loads".to_owned())
}

fn built_in() -> Loaded {
    load(None, &[], &vendor::all()).unwrap()
}

fn names(loaded: &Loaded) -> Vec<&str> {
    let transforms = loaded.settings.transforms.iter();
    transforms.map(|spec| spec.name.as_str()).collect()
}

fn values(loaded: &Loaded) -> Vec<(&str, &str)> {
    let values = loaded.origins.iter();
    values
        .map(|one| (one.path.as_str(), one.value.as_str()))
        .collect()
}

fn changes(loaded: &Loaded) -> Vec<String> {
    let changes = loaded.changes.as_ref().unwrap().iter();
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let line = |one: &crate::config::OverlayChange| {
        format!(
            "{}: {} -> {} ({})",
            one.path,
            said(&one.built_in),
            said(&one.here),
            one.origin
        )
    };
    changes.map(line).collect()
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.warnings.iter().map(ToString::to_string).collect()
}

/// Lists every value with its path and where it is written.
fn leaves(path: &str, node: &Node, found: &mut Vec<(String, String, Origin)>) {
    match &node.data {
        Data::Table(entries) => {
            for entry in entries {
                leaves(&format!("{path}/{}", entry.name), &entry.node, found);
            }
        }
        Data::List(nodes) if path == "/transform" => {
            for node in nodes {
                let name = node.at(&["name"]).map(Node::shown).unwrap_or_default();
                leaves(&format!("{path}/{name}"), node, found);
            }
        }
        _ => found.push((path.to_owned(), node.shown(), node.origin.clone())),
    }
}

fn merged(text: &str) -> Vec<(String, String, Origin)> {
    let mut tree = parse("my.toml", text).unwrap();
    let extension = lay_over(&mut tree, Scope::Whole).unwrap().unwrap();
    assert!(extension.problems.is_empty(), "{:?}", extension.problems);
    let mut found = Vec::new();
    leaves("", &tree, &mut found);
    found
}

fn untouched() -> Vec<(String, String, Origin)> {
    let mut found = Vec::new();
    leaves("", &parse(BUILT_IN_NAME, DEFAULT_FILE).unwrap(), &mut found);
    found
}

#[test]
fn a_file_that_says_nothing_is_the_built_in_one() {
    let (own, whole) = (good(""), built_in());
    assert_eq!(values(&own), values(&whole));
    assert_eq!(format!("{:?}", own.settings), format!("{:?}", whole.settings));
    assert_eq!(own.changes, Some(Vec::new()));
    assert_eq!(whole.changes, None, "it is complete");
    let is_own = |one: &crate::config::Effective| matches!(&one.origin, Origin::File { file, .. } if **file == *"my.toml");
    assert!(!own.origins.iter().any(is_own));
    assert_eq!(merged(EXTENDS), untouched());
}

#[test]
fn a_file_that_says_all_that_the_built_in_one_says_is_the_built_in_one() {
    let (own, whole) = (good(DEFAULT_FILE), built_in());
    assert_eq!(values(&own), values(&whole));
    assert_eq!(names(&own), names(&whole));
    assert_eq!(own.changes, Some(Vec::new()));
    assert_eq!(own.settings.scales, whole.settings.scales);
    assert_eq!(
        format!("{:?}", own.settings.reputation),
        format!("{:?}", whole.settings.reputation)
    );
    for (own, whole) in own.settings.transforms.iter().zip(&whole.settings.transforms) {
        let own = crate::catalogue::TransformSpec {
            line: whole.line,
            ..own.as_ref().clone()
        };
        assert_eq!(format!("{own:?}"), format!("{whole:?}"));
    }
}

#[test]
fn tables_merge_transforms_merge_by_name_and_other_lists_replace() {
    let loaded = good(
        "[providers.virustotal]
rate = [\"1000/min\"]
budget = []
ttl.reputation = \"12h\"
[reputation]
threshold = 60
never_block = [\"own\"]
lists = { disposable = 40 }
[[transform]]
name = \"sandbox\"
input = \"maltego.Hash\"
ttl = \"1h\"
[[transform]]
name = \"corp.whois\"
title = \"To registrar\"
about = \"The registrar.\"
set = \"Corp\"
example = \"example.com\"
provider = \"rdap\"
capability = \"whois\"
input = [\"maltego.Domain\"]
[[transform.entity]]
value = \"registrar\"
type = \"maltego.Company\"
",
    );
    let (settings, whole) = (&loaded.settings, built_in().settings);
    let provider = &settings.providers["virustotal"];
    assert_eq!(provider.rate[0].limit.get(), 1000);
    assert!(provider.budget.is_empty());
    assert_eq!(provider.ttl.by_capability["reputation"].as_secs(), 12 * 3600);
    assert_eq!(
        provider.ttl.not_found,
        whole.providers["virustotal"].ttl.not_found
    );
    assert_eq!(settings.reputation.never_block, ["own"]);
    assert_eq!(settings.reputation.name, whole.reputation.name);
    assert!(settings.reputation.lists.contains_key("anonymizer"));
    let names = names(&loaded);
    let before: Vec<&str> = whole.transforms.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names[..before.len()], before[..]);
    assert_eq!(names[before.len()..], ["corp.whois"]);
    let at = before.iter().position(|name| *name == "sandbox").unwrap();
    let (own, old) = (&settings.transforms[at], &whole.transforms[at]);
    assert_eq!(own.ttl.unwrap().as_secs(), 3600);
    assert_eq!(own.inputs.len(), 1);
    assert_eq!(
        (&own.title, own.entities.len(), own.providers()),
        (&old.title, old.entities.len(), old.providers())
    );
    let told = changes(&loaded);
    assert_eq!(
        told,
        [
            "providers.virustotal.rate: [\"4/min\"] -> [\"1000/min\"] (my.toml:3:8)",
            "providers.virustotal.budget: [\"500/day\"] -> [] (my.toml:4:10)",
            "providers.virustotal.ttl.reputation: \"6h\" -> \"12h\" (my.toml:5:18)",
            "reputation.threshold: 50 -> 60 (my.toml:7:13)",
            told[4].as_str(),
            "reputation.lists.disposable: 30 -> 40 (my.toml:9:24)",
            "transform.sandbox.input: [\"maltego.Hash\"] -> \"maltego.Hash\" (my.toml:12:9)",
            "transform.sandbox.ttl: - -> \"1h\" (my.toml:13:7)",
            "transform.corp.whois: - -> \"To registrar\" (my.toml:14:1)",
        ]
    );
    assert!(
        told[4].starts_with("reputation.never_block: [\"own\", \"trusted\"")
            && told[4].ends_with("] -> [\"own\"] (my.toml:8:15)"),
        "{}",
        told[4]
    );
}

#[test]
fn a_table_that_is_one_value_replaces() {
    let text = "[providers.virustotal]\napi_key = { file = \"/nowhere/key\" }\n\
                [reputation.sources.virustotal]\nengines = { words = { bad = 50 } }\nsuspicious-engines = [[0, 0], [9, 9]]\n";
    let loaded = good(text);
    let shown = values(&loaded);
    let value = |path: &str| {
        shown
            .iter()
            .find(|(known, _)| *known == path)
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(
        value("reputation.sources.virustotal.engines"),
        "{ words = { bad = 50 } }"
    );
    assert_eq!(
        value("reputation.sources.virustotal.suspicious-engines"),
        "[[0, 0], [9, 9]]"
    );
    assert_eq!(value("reputation.sources.virustotal.reliability"), "\"B\"");
    assert!(value("providers.virustotal.api_key").contains("/nowhere/key"));
}

#[test]
fn what_is_removed_is_gone() {
    let loaded = good(
        "[reputation.sources.dns]
remove = true
[reputation.sources.spamhaus.zrd]
remove = true
[reputation.sources.spamhaus]
context = [\"zen.pbl\"]
[reputation.lists]
disposable = { remove = true }
[providers.virustotal.ttl]
remove = true
[scales]
suspicion = [{ from = 1, name = \"low\" }]
[[transform]]
name = \"threatgrid.samples\"
remove = true
",
    );
    let rules = &loaded.settings.reputation;
    assert!(!rules.sources.contains_key("dns"));
    assert!(!rules.sources["spamhaus"].measures.contains_key("zrd"));
    assert!(rules.sources["spamhaus"].measures.contains_key("zen"));
    assert!(!rules.lists.contains_key("disposable") && rules.lists.contains_key("anonymizer"));
    let ttl = &loaded.settings.providers["virustotal"].ttl;
    assert!(ttl.by_capability.is_empty());
    assert!(!names(&loaded).contains(&"threatgrid.samples"));
    assert_eq!(names(&loaded).len(), built_in().settings.transforms.len() - 1);
    assert_eq!(loaded.settings.scales["suspicion"].bands.len(), 1);
    assert_eq!(warnings(&loaded), warnings(&built_in()));
    let told = changes(&loaded);
    assert!(
        told.iter()
            .any(|line| line.starts_with("transform.threatgrid.samples: \"To ")
                && line.ends_with(" -> - (my.toml:14:1)"))
    );
}

#[test]
fn the_transforms_of_a_provider_go_with_it_and_those_of_several_lose_it() {
    let loaded = good("[providers.circl]\nremove = true\n[providers.threatgrid]\nremove = true\n");
    assert!(!loaded.settings.providers.contains_key("circl"));
    let names = names(&loaded);
    let left: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| name.starts_with("circl.") || name.starts_with("threatgrid."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let transform = |name: &str| {
        loaded
            .settings
            .transforms
            .iter()
            .find(|spec| spec.name == name)
            .unwrap()
    };
    assert_eq!(transform("sandbox").providers(), ["virustotal"]);
    assert!(!transform("resolutions").providers().contains(&"circl".to_owned()));
    let told = warnings(&loaded);
    let circl = "my.toml:2:12: providers.circl is taken away, and with it the transforms that ask no other provider: \
                 circl.resolutions";
    assert!(told.iter().any(|line| line == circl), "{told:?}");
    assert!(changes(&loaded).contains(
        &"transform.sandbox.provider: [\"threatgrid\", \"virustotal\"] -> [\"virustotal\"] (my.toml:4:12)".to_owned()
    ));
    // One that is removed by name is no surprise.
    let silent = good(
        "[providers.circl]\nremove = true\n[[transform]]\nname = \"circl.resolutions\"\nremove = true\n",
    );
    assert_eq!(warnings(&silent), warnings(&built_in()));
    // A transform of the file itself that asks it is a fault, as in a complete file.
    let said = faults(
        "[providers.circl]\nremove = true\n[[transform]]\nname = \"resolutions\"\nprovider = [\"circl\", \"dnsdb\"]\n",
    );
    assert_eq!(
        said,
        "my.toml:6:13: provider \"circl\" has no table [providers.circl]"
    );
    // All at once.
    let none = good("[providers]\nremove = true\n");
    assert!(none.settings.providers.is_empty());
    assert!(
        none.settings
            .transforms
            .iter()
            .all(|spec| spec.providers().is_empty())
    );
    let all = good("[transform]\nremove = true\n");
    assert!(all.settings.transforms.is_empty());
    let count = built_in().settings.transforms.len();
    assert_eq!(
        changes(&all),
        [format!("transform: {count} transforms -> - (my.toml:2:2)")]
    );
    assert!(warnings(&none).contains(&"providers: there is none, so no provider is asked".to_owned()));
}

#[test]
fn a_key_in_a_file_that_others_can_read_is_refused_and_none_is_shown() {
    let text = "[providers.virustotal]\napi_key = \"canary-77aa\"\n";
    let said = over_with(text, true, &[]).unwrap_err().to_string();
    assert!(
        said.starts_with("my.toml:3:11: api_key: stands in a file that everybody on this machine can read"),
        "{said}"
    );
    assert!(!said.contains("canary"), "{said}");
    assert!(
        over_with("[log]\nlevel = \"warn\"\n", true, &[]).is_ok(),
        "no key stands there"
    );
    let loaded = good(text);
    let key = &loaded.settings.providers["virustotal"].credentials["api_key"];
    assert_eq!(key.value.expose_secret(), "canary-77aa");
    assert_eq!(
        changes(&loaded),
        ["providers.virustotal.api_key: { env = \"VIRUSTOTAL_API_KEY\" } -> \"••••••\" (my.toml:3:11)"]
    );
    // A part of a key that another way to sign would use is not told either.
    let unused = good("[providers.threatconnect]\nauth = \"token\"\nsecret_key = \"canary-77aa\"\n");
    assert!(
        !changes(&unused).concat().contains("canary"),
        "{:?}",
        changes(&unused)
    );
}

#[test]
fn a_variable_goes_before_the_file_and_cannot_say_what_it_lies_over() {
    let loaded = over_with(
        "[providers.virustotal]\nconcurrency = 8\n",
        false,
        &[
            ("PIVOTD__PROVIDERS__VIRUSTOTAL__CONCURRENCY", "9"),
            ("PIVOTD__EXTENDS", "built-in"),
        ],
    )
    .unwrap();
    assert_eq!(loaded.settings.providers["virustotal"].concurrency, 9);
    assert_eq!(
        changes(&loaded),
        ["providers.virustotal.concurrency: - -> \"9\" (PIVOTD__PROVIDERS__VIRUSTOTAL__CONCURRENCY)"]
    );
    let said =
        "PIVOTD__EXTENDS: matches no setting; it is ignored: what a file lies over is said in the file";
    assert!(
        warnings(&loaded).contains(&said.to_owned()),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn every_reader_lays_the_file_over_the_built_in_one_and_relative_paths_begin_where_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("extends = \"built-in\"\n[server]\ndata = \"here\"\n[log]\nfile = \"log\"\n");
    let here = folder.path().join("here");
    let settings = load(Some(&file), &[], &vendor::all()).unwrap().settings;
    assert_eq!(settings.server.data, here);
    assert_eq!(settings.log.file.as_deref(), Some(&*folder.path().join("log")));
    assert_eq!(located(Some(&file), &[]).unwrap().0.data, here);
    assert_eq!(server(Some(&file), &[]).unwrap().data, here);
    // What is inherited begins where the compiled-in file's begins. Faults of other sections stop neither of these two.
    write("extends = \"built-in\"\n[providers.none]\nremove = true\nrate = 4\n");
    let own = built_in().settings.server.data;
    assert_eq!(located(Some(&file), &[]).unwrap().0.data, own);
    assert_eq!(server(Some(&file), &[]).unwrap().data, own);
    write("extends = \"built-in\"\n[server]\ndata = { remove = false }\n");
    let said = located(Some(&file), &[]).unwrap_err().to_string();
    assert!(
        said.ends_with("my.toml:3:19: remove: expected true, found false"),
        "{said}"
    );
    write("extends = \"built\"\n[server]\ndata = \"here\"\n");
    let said = located(Some(&file), &[]).unwrap_err().to_string();
    assert!(
        said.ends_with("my.toml:1:11: extends: expected \"built-in\", found \"built\""),
        "{said}"
    );
    assert_eq!(
        server(Some(&file), &[]).unwrap().data,
        here,
        "for looking after a server"
    );
}

/// Names of compiled-in transforms, in their order.
fn built_in_names() -> Vec<String> {
    names(&built_in()).into_iter().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What a file says has its value and its place; all else has those of the compiled-in file, in its order.
    #[test]
    fn merging_keeps_what_is_not_said_with_its_place_and_the_order_of_transforms(
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        settings in prop::collection::btree_map(
            prop::sample::select(vec!["server/listen", "log/level", "deadlines/enrich", "reputation/sources/rdap/reliability",
                "providers/virustotal/rate", "providers/virustotal/ttl/default", "cache/memory", "lists/own_entries"]),
            "[a-z]{1,6}",
            0..6,
        ),
        added in prop::collection::btree_set("own\\.[a-z]{1,4}", 0..3),
    ) {
        let all = built_in_names();
        let removed: BTreeSet<&String> = removed.iter().map(|index| index.get(&all)).collect();
        let mut touched: Vec<&String> = Vec::new();
        for index in &chosen {
            let name = index.get(&all);
            if !removed.contains(name) && !touched.contains(&name) {
                touched.push(name);
            }
        }
        let mut text = EXTENDS.to_owned();
        for (path, value) in &settings {
            text.push_str(&format!("{} = \"{value}\"\n", path.replace('/', ".")));
        }
        for name in &added {
            text.push_str(&format!("[[transform]]\nname = \"{name}\"\n"));
        }
        for name in &touched {
            text.push_str(&format!("[[transform]]\nname = \"{name}\"\nabout = \"own\"\n"));
        }
        for name in &removed {
            text.push_str(&format!("[[transform]]\nname = \"{name}\"\nremove = true\n"));
        }
        let found = merged(&text);
        let is_removed = |path: &str| removed.iter().any(|name| path.starts_with(&format!("/transform/\"{name}\"/")));
        let is_touched = |path: &str| touched.iter().any(|name| {
            path == format!("/transform/\"{name}\"/about") || path == format!("/transform/\"{name}\"/name")
        });
        let is_set = |path: &str| settings.keys().any(|key| path == format!("/{key}"));
        let before = untouched();
        let kept: Vec<_> = before.iter().filter(|(path, _, _)| !is_removed(path) && !is_touched(path) && !is_set(path)).collect();
        let is_built_in = |origin: &Origin| origin.is_built_in();
        let inherited: Vec<_> = found.iter().filter(|(_, _, origin)| is_built_in(origin)).collect();
        prop_assert_eq!(inherited, kept);
        for (path, value, origin) in &found {
            if let Some(given) = settings.iter().find(|(key, _)| *path == format!("/{key}")).map(|(_, value)| value) {
                prop_assert_eq!(value, &format!("{given:?}"));
                prop_assert!(!is_built_in(origin));
            }
        }
        let ends = |path: &str| path.strip_prefix("/transform/")?.strip_suffix("/name").map(|name| name.trim_matches('"').to_owned());
        let order: Vec<String> = found.iter().filter_map(|(path, _, _)| ends(path)).collect();
        let expected: Vec<String> = all.iter().filter(|name| !removed.contains(name)).chain(&added).cloned().collect();
        prop_assert_eq!(order, expected);
    }
}

#[test]
fn a_tenant_of_a_provider_is_laid_over_by_its_name() {
    let loaded = good(
        "[providers.virustotal.tenants.acme]\napi_key = \"canary-77aa\"\nbudget = \"5/day\"\n\
         [providers.virustotal.tenants.globex]\nrate = { limit = \"8/s\", burst = 4 }\n",
    );
    let provider = &loaded.settings.providers["virustotal"];
    assert!(provider.tenants["acme"].key.is_some() && provider.tenants["globex"].key.is_none());
    let path = "providers.virustotal.tenants";
    assert_eq!(
        changes(&loaded),
        [
            format!("{path}.acme.api_key: - -> \"••••••\" (my.toml:3:11)"),
            format!("{path}.acme.budget: - -> \"5/day\" (my.toml:4:10)"),
            format!("{path}.globex.rate: - -> {{ limit = \"8/s\", burst = 4 }} (my.toml:6:8)"),
        ]
    );
}
