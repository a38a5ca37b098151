use super::vendor;
use crate::config::{ConfigErrors, Loaded, read};
use crate::domain::Indicator;

const HEAD: &str = "[providers.domaintools]\n[lists]\n";

fn with(lines: &str, pairs: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let variables: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read(
        "my.toml",
        &format!("{HEAD}{lines}"),
        false,
        &variables,
        &vendor::ALL,
    )
}

fn faults(lines: &str) -> String {
    match with(lines, &[]) {
        Ok(_) => "loads".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

/// Writes hits as `purpose entry by whom`.
fn hits(loaded: &Loaded, value: &str) -> Vec<String> {
    let hits = loaded.settings.lists.hits(&Indicator::guess(value).unwrap());
    hits.iter()
        .map(|hit| format!("{} {} by {}", hit.purpose.name(), hit.entry, hit.list))
        .collect()
}

fn effective<'a>(loaded: &'a Loaded, path: &str) -> Option<&'a str> {
    let found = loaded.origins.iter().find(|setting| setting.path == path);
    found.map(|setting| setting.value.as_str())
}

#[test]
fn files_and_entries_are_read_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (top, more) = (folder.path().join("top.csv"), folder.path().join("more.json"));
    std::fs::write(&top, "1,news.example\n2,shop.example\n").unwrap();
    std::fs::write(
        &more,
        r#"{"name": "Mail", "type": "substring", "list": ["@bin.example"]}"#,
    )
    .unwrap();
    let lines = format!(
        "popular = [{top:?}]\ndisposable = {more:?}\nown_entries = [\"corp.example\", \"198.51.100.0/24\"]\n\
         trusted_entries = \"jo@partner.example\"\n"
    );
    let loaded = with(&lines, &[]).unwrap();
    for (value, expected) in [
        ("www.shop.example", "popular shop.example by top.csv"),
        ("a@bin.example", "disposable bin.example by Mail"),
        ("198.51.100.9", "own 198.51.100.0/24 by lists.own_entries"),
        ("vpn.corp.example", "own corp.example by lists.own_entries"),
        (
            "jo@partner.example",
            "trusted jo@partner.example by lists.trusted_entries",
        ),
    ] {
        assert_eq!(hits(&loaded, value), [expected], "{value}");
    }
    let counted = format!("{} (2 entries)", top.display());
    assert_eq!(effective(&loaded, "lists.popular"), Some(counted.as_str()));
    assert_eq!(effective(&loaded, "lists.built_in"), Some("true"));
    assert_eq!(effective(&loaded, "lists.cdn"), None);
}

#[test]
fn odd_entries_of_a_file_are_skipped_and_named_for_every_list() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("theirs.txt");
    for purpose in crate::domain::Purpose::ALL {
        let good = |at: usize| match purpose {
            crate::domain::Purpose::EmptyFile => format!("{at:032x}\n"),
            _ => format!("n{at}.example\n"),
        };
        // Not even text: what another encoding makes of a name.
        let mut bytes: Vec<u8> = (0..99).flat_map(|at| good(at).into_bytes()).collect();
        bytes.extend(b"caf\xe9 .example\n");
        std::fs::write(&file, bytes).unwrap();
        let loaded = with(&format!("{} = {file:?}", purpose.key()), &[]).unwrap();
        let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        let named = format!(
            "{}: {}: 1 odd entry is skipped: line 100: expected ",
            purpose.key(),
            file.display()
        );
        assert!(
            warnings.iter().any(|warning| warning.contains(&named)),
            "{warnings:?}"
        );
        let counted = format!("{} (99 entries, 1 odd one skipped)", file.display());
        assert_eq!(
            effective(&loaded, &format!("lists.{}", purpose.key())),
            Some(counted.as_str())
        );
    }
}

#[test]
fn built_in_lists_are_used_all_or_none_or_some() {
    let known =
        |loaded: &Loaded| ["10.0.0.1", "8.8.8.8", "bit.ly"].map(|value| !hits(loaded, value).is_empty());
    for (lines, expected) in [
        ("", [true, true, true]),
        ("built_in = true", [true, true, true]),
        ("built_in = false", [false, false, false]),
        ("built_in = []", [false, false, false]),
        ("built_in = [\"reserved\", \"shortener\"]", [true, false, true]),
        ("built_in = \"resolver\"", [false, true, false]),
    ] {
        assert_eq!(known(&with(lines, &[]).unwrap()), expected, "{lines}");
    }
    for (value, expected) in [
        ("false", [false, false, false]),
        ("resolver, shortener", [false, true, true]),
    ] {
        let loaded = with("", &[("PIVOTD__LISTS__BUILT_IN", value)]).unwrap();
        assert_eq!(known(&loaded), expected, "{value}");
    }
    // The suffix list is no list of ours.
    let loaded = with("built_in = false", &[]).unwrap();
    assert!(loaded.settings.lists.hosting("evil.github.io").is_some());
}

#[test]
fn faults_say_what_is_wrong_with_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let (text, json) = (folder.path().join("own.txt"), folder.path().join("cdn.json"));
    std::fs::write(&text, "fine.example\nnot a name\n").unwrap();
    std::fs::write(&json, r#"{"type": "regex", "list": []}"#).unwrap();
    for (lines, expected) in [
        (
            format!("own = {text:?}"),
            format!(
                "my.toml:3:7: own: {}:2: expected a domain, an address, a network, an e-mail address or a hash, found \
                 \"not a name\"; 1 of 2 entries are odd, which is more than a tenth",
                text.display()
            ),
        ),
        (
            format!("cdn = [{json:?}]"),
            format!(
                "my.toml:3:7: cdn: {}:1: type regex: patterns are not read; write the domains as a list of type \
                 hostname, the networks as one of type cidr",
                json.display()
            ),
        ),
        (
            "cloud = 5".to_owned(),
            "my.toml:3:9: cloud: expected a list of texts, found a whole number".to_owned(),
        ),
        (
            "own_entries = [\"a.example\", \"com\",\n \"a b\"]".to_owned(),
            "my.toml:3:29: own_entries: entry 2: expected a domain, an address, a network, an e-mail address or a \
             hash, found \"com\"\n\
             my.toml:4:2: own_entries: entry 3: expected a domain, an address, a network, an e-mail address or a \
             hash, found \"a b\""
                .to_owned(),
        ),
        (
            "built_in = [\"poplar\"]".to_owned(),
            "my.toml:3:12: built_in: unknown list \"poplar\", did you mean \"popular\"?".to_owned(),
        ),
        (
            "built_in = 5".to_owned(),
            "my.toml:3:12: built_in: expected true or false, found a whole number".to_owned(),
        ),
        (
            "popular_entries = [\"a.example\"]".to_owned(),
            "my.toml:3:1: unknown key \"popular_entries\"".to_owned(),
        ),
    ] {
        let told = faults(&lines);
        assert!(told.starts_with(&expected), "{lines}: {told}\n{expected}");
    }
    let told = faults("scanner = \"/nowhere/scanners.txt\"");
    assert!(
        told.starts_with("my.toml:3:11: scanner: /nowhere/scanners.txt: cannot be read: "),
        "{told}"
    );
}
