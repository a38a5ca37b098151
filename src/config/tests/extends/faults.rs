//! Faults of a file that lies over the compiled-in one, and of what it inherits.

use super::*;

#[test]
fn faults_of_a_file_that_lies_over_another_name_line_column_and_what_is_expected() {
    let cases: &[(&str, &str)] = &[
        (
            "[providers.virustotl]\nremove = true\n",
            "my.toml:2:12: remove: the built-in file has no providers.virustotl, did you mean \"virustotal\"?",
        ),
        (
            "[[transform]]\nname = \"sandbx\"\nremove = true\n",
            "my.toml:3:8: remove: the built-in file has no transform.sandbx, did you mean \"sandbox\"?",
        ),
        (
            "[[transform]]\nremove = true\n",
            "my.toml:2:1: \"name\" is missing",
        ),
        (
            "[reputation.sources.virustotal]\nengnes = { remove = true }\n",
            "my.toml:3:1: remove: the built-in file has no reputation.sources.virustotal.engnes, did you mean \"engines\"?",
        ),
        (
            "[scales]\nnone.such = { remove = true }\n",
            "my.toml:3:1: none: expected a list of bands, found a table\n\
             my.toml:3:6: remove: the built-in file has no scales.none.such",
        ),
        (
            "[providers.circl]\nremove = true\nrate = [\"1/s\"]\n",
            "my.toml:4:1: \"rate\" cannot stand beside remove = true, which takes providers.circl away",
        ),
        (
            "[[transform]]\nname = \"sandbox\"\ntitle = \"x\"\nremove = true\n",
            "my.toml:4:1: \"title\" cannot stand beside remove = true, which takes transform.sandbox away",
        ),
        (
            "[providers.circl]\nremove = false\n",
            "my.toml:3:10: remove: expected true, found false",
        ),
        (
            "[[transform]]\nname = \"sandbox\"\nremove = \"yes\"\n",
            "my.toml:4:10: remove: expected true, found \"yes\"",
        ),
        (
            "[[transform]]\nname = \"sandbox\"\n[[transform]]\nname = \"sandbox\"\n",
            "my.toml:5:8: name: \"sandbox\" is already the name of the transform in line 3",
        ),
        (
            "[[transform]]\ntitle = \"x\"\n",
            "my.toml:2:1: \"name\" is missing\nmy.toml:2:1: \"about\" is missing\nmy.toml:2:1: \"set\" is missing\n\
             my.toml:2:1: \"example\" is missing\nmy.toml:2:1: \"provider\" is missing\nmy.toml:2:1: \"capability\" is missing\n\
             my.toml:2:1: \"input\" is missing",
        ),
        (
            "[[transform]]\nname = \"sandbox\"\nentity = []\n",
            "my.toml:2:1: expected at least one [[transform.entity]]",
        ),
        (
            "[[transform]]\nname = \"sandbox\"\ninputs = [\"maltego.Hash\"]\n",
            "my.toml:4:1: unknown key \"inputs\", did you mean \"input\"?",
        ),
        (
            "[transform]\nname = \"sandbox\"\n",
            "my.toml:2:1: transform: expected [[transform]] tables, found a table",
        ),
        (
            "[server]\nlsten = \"x\"\n[servr]\n",
            "my.toml:3:1: unknown key \"lsten\", did you mean \"listen\"?\n\
             my.toml:4:2: unknown key \"servr\", did you mean \"server\"?",
        ),
    ];
    for (text, said) in cases {
        assert_eq!(&faults(text), said, "{text}");
    }
    let whole = |text: &str| match read("my.toml", text, false, &[], &vendor::all()) {
        Ok(_) => "loads".to_owned(),
        Err(errors) => errors.to_string(),
    };
    for (text, said) in [
        (
            "[log]\n[server]\nextends = \"built-in\"\n",
            "my.toml:3:1: unknown key \"extends\"; it stands above the first table",
        ),
        (
            "\nextends = \"builtin\"\n[servr]\n",
            "my.toml:2:11: extends: expected \"built-in\", found \"builtin\"",
        ),
        (
            "extends = [\"built-in\"]\n",
            "my.toml:1:11: extends: expected \"built-in\", found [\"built-in\"]",
        ),
        (
            "extend = \"built-in\"\n",
            "my.toml:1:1: unknown key \"extend\", did you mean \"extends\"?",
        ),
        (
            "[providers.circl]\nremove = true\n",
            "my.toml:2:1: unknown key \"remove\"",
        ),
        (
            "server = 5\nextends = \"built-in\"\nproviders = 6\n",
            "my.toml:1:10: expected a table, found a whole number\nmy.toml:3:13: expected a table, found a whole number",
        ),
    ] {
        assert_eq!(whole(text), said, "{text}");
    }
}

/// Returns line and column of a text of the compiled-in file, behind another.
fn place(behind: &str, text: &str) -> String {
    let from = DEFAULT_FILE.find(behind).unwrap();
    let at = from + DEFAULT_FILE.get(from..).unwrap().find(text).unwrap();
    let before = DEFAULT_FILE.get(..at).unwrap();
    let line = before.lines().count() + usize::from(before.ends_with('\n'));
    let column = before.len() - before.rfind('\n').unwrap();
    format!("{BUILT_IN_NAME}:{line}:{column}")
}

/// Returns the place that lies behind a text on the line of another.
fn after(place: &str, text: &str) -> String {
    let (line, column) = place.rsplit_once(':').unwrap();
    format!("{line}:{}", column.parse::<usize>().unwrap() + text.len())
}

#[test]
fn a_fault_that_a_file_causes_in_an_inherited_value_says_what_brought_it_about() {
    let said = faults("[scales]\nengines = { remove = true }\n");
    let scale = place("name       = \"virustotal.reputation\"", "scale = \"engines\"");
    let at = after(&scale, "scale = ");
    assert_eq!(
        said,
        format!(
            "{at}: unknown scale \"engines\"; scales stand in [scales] (inherited by the transform \
             \"virustotal.reputation\"; my.toml:3:1 takes scales.engines away)"
        )
    );
    let said = faults("[reputation.sources.dns.mail]\nremove = true\n");
    let at = place("[reputation.sources.dns]", "[\"mail\"]");
    assert_eq!(
        said,
        format!(
            "{at}: context: no rules for the measure of \"mail\" (inherited; my.toml:2:25 takes reputation.sources.dns.mail away)"
        )
    );
    let said = faults(
        "[[transform]]\nname = \"abuseipdb.reputation\"\nprovider = \"rdap\"\ncapability = \"whois\"\n",
    );
    let at = place("name       = \"abuseipdb.reputation\"", "measure");
    let first = said.lines().next().unwrap();
    assert!(
        first.starts_with(&format!(
            "{at}: unknown field \"measure\" of whois, expected one of domain, "
        )) && first
            .ends_with("(inherited by the transform \"abuseipdb.reputation\", which my.toml:2:1 changes)"),
        "{at}: {said}"
    );
    // Both at once make no sense: its provider goes, and the transform is changed.
    let said = faults(
        "[providers.circl]\nremove = true\n[[transform]]\nname = \"circl.resolutions\"\nttl = \"1h\"\n",
    );
    let at = place("name       = \"circl.resolutions\"", "\"circl\"");
    assert_eq!(
        said,
        format!(
            "{at}: provider \"circl\" has no table [providers.circl] (inherited by the transform \"circl.resolutions\"; \
             my.toml:2:12 takes providers.circl away)"
        )
    );
}
