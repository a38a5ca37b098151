//! Follows hints as they are written, in a shell.

use std::path::Path;
use std::process::Command;

use crate::place::Place;

/// Returns the command that a message names.
fn hinted(said: &str) -> String {
    let command = said
        .split('`')
        .nth(1)
        .unwrap_or_else(|| panic!("no command: {said}"));
    command.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_hint_names_the_configuration_that_was_named_and_works_when_it_is_followed() {
    let place = Place::new();
    let config = place.folder.path().join("my.toml");
    std::fs::write(&config, "[server]\ndata = \"elsewhere\"\n").unwrap();
    std::fs::create_dir(place.folder.path().join("elsewhere")).unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command
            .args(["--config", "my.toml"])
            .env_remove("PIVOTD__SERVER__DATA");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let hint = hinted(&ask(&["tokens", "list"]));
    assert_eq!(hint, "pivotd tokens create NAME --config my.toml");
    let program = Path::new(env!("CARGO_BIN_EXE_pivotd"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::iter::once(program.parent().unwrap().to_path_buf()).chain(std::env::split_paths(&path));
    let mut shell = Command::new("sh");
    let followed = shell
        .args(["-c", &hint.replace("NAME", "soar")])
        .current_dir(place.folder.path())
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env_remove("PIVOTD_CONFIG")
        .env_remove("PIVOTD__SERVER__DATA")
        .output()
        .unwrap();
    assert!(followed.status.success(), "{followed:?}");
    assert!(ask(&["tokens", "list"]).contains("soar"));
}
