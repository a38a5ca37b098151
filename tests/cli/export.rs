//! Reads back what is exported.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::place::{Desk, Place};

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

#[test]
fn a_configuration_for_clients_has_no_token_unless_one_is_given() {
    let place = Place::new();
    let at = |name: &str| place.folder.path().join(name);
    let refused = place.bad(&["export", "mtz"]);
    assert!(refused.contains("public_url"), "{refused}");
    let url = ["--public-url", "https://pivot.example.org/"];
    place.good(&[&["export", "mtz"], &url[..]].concat());
    let shared = members(&at("pivotd.mtz"));
    assert_eq!(
        place.good(&[&["export", "mtz", "--out", "again.mtz"], &url[..]].concat()),
        ""
    );
    assert_eq!(
        std::fs::read(at("pivotd.mtz")).unwrap(),
        std::fs::read(at("again.mtz")).unwrap()
    );
    let content = |members: &[(String, Vec<u8>)], name: &str| {
        let found = members.iter().find(|(known, _)| known == name);
        String::from_utf8(found.unwrap_or_else(|| panic!("no {name}")).1.clone()).unwrap()
    };
    let server = content(&shared, "Servers/pivotd.tas");
    assert!(
        server.contains("url=\"https://pivot.example.org/runner\""),
        "{server}"
    );
    let history = "TransformRepositories/Remote/paterva.v2.domaintools.ip-history.transform";
    let written = content(&shared, history);
    assert!(
        written.contains("<Property name=\"global#pivotd.token\" type=\"string\""),
        "{written}"
    );
    // Where their provider has no key, transforms are written on demand.
    let without_key = |arguments: &[&str]| {
        let mut command = place.command(&[arguments, &url[..]].concat());
        let output = command.env_remove("DOMAINTOOLS_API_KEY").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    };
    without_key(&["export", "mtz", "--out", "few.mtz"]);
    without_key(&["export", "mtz", "--out", "all.mtz", "--all"]);
    let has_history = |name: &str| members(&at(name)).iter().any(|(known, _)| known == history);
    assert_eq!((has_history("few.mtz"), has_history("all.mtz")), (false, true));
    assert_eq!(members(&at("all.mtz")), shared);

    std::fs::write(at("token"), "a-token_of-anna\n").unwrap();
    let own = ["export", "mtz", "--token-file", "token", "--out", "anna.mtz"];
    place.good(&[&own[..], &url[..]].concat());
    let mode = std::fs::metadata(at("anna.mtz")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let holds = |members: &[(String, Vec<u8>)]| {
        let with = members
            .iter()
            .filter(|(_, content)| String::from_utf8_lossy(content).contains("a-token_of-anna"));
        with.count()
    };
    assert_eq!((holds(&shared), holds(&members(&at("anna.mtz")))), (0, 3));
    let seed = content(&members(&at("anna.mtz")), "Seeds/pivotd.seed");
    assert!(
        seed.contains("url=\"https://pivot.example.org/t/a-token_of-anna/seed\""),
        "{seed}"
    );
    std::fs::write(at("token"), "no token\n").unwrap();
    let refused = place.bad(&[&own[..], &url[..]].concat());
    assert!(refused.contains("expected a client token"), "{refused}");

    let local = [
        "export",
        "mtz",
        "--local",
        "--command",
        "/opt/pivotd",
        "--token-file",
        "token",
        "--out",
        "local.mtz",
    ];
    place.good(&[&local[..], &url[..]].concat());
    let local = members(&at("local.mtz"));
    assert_eq!(holds(&local), 0);
    let settings = "TransformRepositories/Local/pivotd.domaintools.ip-history.transformsettings";
    let settings = content(&local, settings);
    let parameters = format!(
        ">run --format xml --type maltego.Domain --server https://pivot.example.org --token-file {} \
         domaintools.ip-history --<",
        at("token").display()
    );
    assert!(
        settings.contains(">/opt/pivotd<") && settings.contains(&parameters),
        "{settings}"
    );
}

#[test]
fn a_server_hands_out_the_bytes_that_the_export_writes() {
    let place = Place::new();
    let server = place.serve();
    let token = place.good(&["tokens", "create", "anna", "--maltego"]);
    let (base_url, token) = token.trim().trim_end_matches("/seed").rsplit_once("/t/").unwrap();
    std::fs::write(place.folder.path().join("token"), token).unwrap();
    let own = [
        "export",
        "mtz",
        "--token-file",
        "token",
        "--public-url",
        &server.url,
    ];
    place.good(&own);
    let url = format!("{}/t/{token}/runner?Command=_CONFIG", server.url);
    let served = place.runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().await.unwrap().bytes().await.unwrap()
    });
    let written = std::fs::read(place.folder.path().join("pivotd.mtz")).unwrap();
    assert!(
        served == written,
        "{base_url}: {} and {} bytes",
        served.len(),
        written.len()
    );
}

#[test]
fn local_transforms_are_those_of_a_server_elsewhere_and_run_there() {
    let (place, desk) = (Place::new(), Desk::new());
    let server = place.serve();
    let token = place.good(&["tokens", "create", "anna", "--scope", "transforms"]);
    std::fs::write(desk.folder.path().join("token"), &token).unwrap();
    let export = format!("export|mtz|--local|--server|{}|--token-file|token", server.url);
    desk.good(&export);
    let members = members(&desk.folder.path().join("pivotd.mtz"));
    let settings = "TransformRepositories/Local/pivotd.domaintools.ip-history-dnsname.transformsettings";
    let (_, settings) = members.iter().find(|(name, _)| name == settings).unwrap();
    let settings = String::from_utf8(settings.clone()).unwrap();
    let field = |name: &str| -> String {
        let rest = settings.split(name).nth(1).unwrap();
        let inside = rest.split_once('>').unwrap().1.split('<').next().unwrap();
        inside.to_owned()
    };
    assert_eq!(field("transform.local.command"), env!("CARGO_BIN_EXE_pivotd"));
    let parameters = field("transform.local.parameters");
    for given in [
        ["www.example.com", "fqdn=www.example.com"],
        ["www.example.com", ""],
        // Other servers give entities properties of any name.
        ["www.example.com", "fqdn=www.example.com#Some Field=x"],
        ["www.example.com", "no pair#fqdn=www.example.com#http://x=y"],
        ["www.example.com", "#"],
    ] {
        let line = parameters.split(' ').chain(given).collect::<Vec<_>>().join("|");
        let xml = desk.good(&line);
        assert!(
            xml.starts_with("<MaltegoMessage>") && xml.contains("<Value>192.0.2."),
            "{line}: {xml}"
        );
    }
    let dash = parameters.split(' ').chain(["-v", "fqdn=-v"]);
    let said = desk.command(&dash.collect::<Vec<_>>().join("|"));
    assert!(
        said.stdout.starts_with(b"<MaltegoMessage>"),
        "a value is no option: {said:?}"
    );
    assert!(said.status.success(), "what is wrong is in the answer");
    std::fs::write(desk.folder.path().join("token"), "wrong").unwrap();
    let refused = desk.bad(&export);
    assert!(!refused.contains("wrote"), "{refused}");
}

#[test]
fn a_hub_item_is_printed_in_both_forms() {
    let place = Place::new();
    let url = ["--public-url", "https://pivot.example.org"];
    let xml = place.good(&[&["export", "hub-item"], &url[..]].concat());
    assert!(
        xml.contains("<Url Visible=\"false\">https://pivot.example.org/seed</Url>"),
        "{xml}"
    );
    let json = place.good(&[&["export", "hub-item", "--format", "json"], &url[..]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["id"], "pivotd");
    assert_eq!(json["iconUrl"], "https://pivot.example.org/icon.png");
    assert_eq!(json["provider"]["name"], "pivotd");
}

/// Reads an archive, each member's name with its content.
fn members(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut members = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        members.push((file.name().unwrap().into_owned(), content));
    }
    members
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
