//! Reads back what is exported.

use std::path::Path;

use serde_json::Value;

use crate::place::Place;

#[test]
fn exports_can_be_read_back() {
    let place = Place::new();
    let out = place.folder.path().join("tds");
    let folder = out.to_str().unwrap();
    let refused = place.bad(&["export", "csv", "--out", folder]);
    assert!(refused.contains("public_url"), "{refused}");
    place.good(&[
        "export",
        "csv",
        "--out",
        folder,
        "--public-url",
        "https://pivot.example.org/",
    ]);
    let rows = read_all(&out, "transforms");
    let column =
        |row: &[String], name: &str| row[rows[0].iter().position(|head| head == name).unwrap()].clone();
    let history: Vec<_> = rows
        .iter()
        .filter(|row| column(row, "URL") == "https://pivot.example.org/run/domaintools.ip-history")
        .collect();
    assert!(history.len() > 1, "a row for each input type");
    assert_eq!(column(history[0], "Name"), "domaintools.ip-history");
    assert_eq!(column(history[0], "entityName"), "maltego.Domain");
    let dns = history
        .iter()
        .find(|row| column(row, "entityName") == "maltego.DNSName")
        .unwrap();
    assert_eq!(column(dns, "Name"), "domaintools.ip-history-dnsname");
    assert!(
        column(dns, "transformSettingIDs")
            .split(';')
            .any(|id| id == "global#pivotd.token")
    );
    assert!(
        column(dns, "outputEntities")
            .split(';')
            .any(|id| id == "maltego.IPv4Address")
    );
    let mut names: Vec<String> = rows[1..].iter().map(|row| column(row, "Name")).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "names are distinct");
    let settings = read_all(&out, "settings");
    assert_eq!(
        settings[0],
        ["Name", "Type", "Display", "DefaultValue", "Optional", "Popup"]
    );
    let named = |name: &str| settings.iter().filter(|row| row[0] == name).collect::<Vec<_>>();
    assert_eq!(named("global#pivotd.token").len(), 1, "once");
    let buy = named("domaintools.buy");
    assert_eq!(
        buy[0][1..],
        ["boolean", buy[0][2].as_str(), "false", "True", "Yes"]
    );
    for row in &rows[1..] {
        for id in column(row, "transformSettingIDs").split(';') {
            assert_eq!(named(id).len(), 1, "{id} is described");
        }
    }
    let openapi: Value = serde_json::from_str(&place.good(&["export", "openapi"])).unwrap();
    assert!(openapi["paths"]["/v1/alerts/score"].is_object());
    for (edition, member, version) in [
        ("3.1", "openapi", "3.1"),
        ("3.0", "openapi", "3.0.3"),
        ("2.0", "swagger", "2.0"),
    ] {
        let printed = place.good(&["export", "openapi", "--spec", edition]);
        let document: Value = serde_json::from_str(&printed).unwrap();
        assert!(
            document[member].as_str().unwrap().starts_with(version),
            "{edition}"
        );
    }
    assert!(
        !place.data().join("pivotd.redb").exists(),
        "an export opens no store"
    );
}

/// Reads `name.csv`, or its parts, under one head.
#[test]
fn a_file_of_ones_own_starts_from_the_one_that_is_compiled_in() {
    let place = Place::new();
    let file = place.folder.path().join("own.toml");
    std::fs::write(&file, place.good(&["export", "config"])).unwrap();
    let checked = place.good(&["check", "--config", file.to_str().unwrap()]);
    assert!(checked.contains("domaintools.ip-history"), "{checked}");
    assert!(!checked.contains("export config"), "{checked}");
    // One that says only what differs has nobody to ask.
    std::fs::write(&file, "[reputation]\nthreshold = 60\n").unwrap();
    let mut check = place.command(&["check", "--config", file.to_str().unwrap()]);
    let set: Vec<_> = check.get_envs().map(|(name, _)| name.to_owned()).collect();
    for name in set
        .iter()
        .filter(|name| name.to_string_lossy().starts_with("PIVOTD__PROVIDERS__"))
    {
        check.env_remove(name);
    }
    let checked = check.output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(said.contains("pivotd export config"), "{said}");
}

fn read_all(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name));
    paths.sort();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for path in paths {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(path)
            .unwrap();
        let part: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        assert!(part.len() <= 101);
        let skip = usize::from(!rows.is_empty());
        assert!(rows.is_empty() || rows[0] == part[0]);
        rows.extend(part.into_iter().skip(skip));
    }
    rows
}
