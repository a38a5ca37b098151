//! Runs each command alone and beside a server.

use pivotd::replay::demo::API_KEY;
use serde_json::Value;

use crate::place::{Place, bare, both_ways, fails};

#[test]
fn tokens_are_shown_once_listed_and_revoked() {
    both_ways(|place| {
        let arguments = [
            "tokens",
            "create",
            "anna",
            "--scope",
            "enrich",
            "--scope",
            "buy",
            "--rate",
            "60",
            "--expires",
            "90d",
        ];
        let token = place.good(&arguments);
        assert_eq!(token.lines().count(), 1, "alone on standard output");
        assert!(token.starts_with("pvtd_"));
        let list = place.good(&["tokens", "list"]);
        let row = list.lines().find(|line| line.contains("anna")).unwrap();
        assert!(
            row.contains("enrich buy") && row.contains("60") && row.contains("default"),
            "{row}"
        );
        assert!(!list.contains(token.trim()));
        let id = row.split_whitespace().next().unwrap();
        assert!(place.good(&["tokens", "revoke", id]).contains("anna"));
        assert!(!place.good(&["tokens", "list"]).contains("anna"));
        assert!(place.bad(&["tokens", "revoke", "anna"]).contains("tokens list"));
        assert!(place.bad(&["tokens", "create", "a|b"]).contains("letters"));
    });
}

#[test]
fn the_clock_is_told_and_confirmed() {
    both_ways(|place| {
        assert!(place.good(&["clock"]).contains("is believed"));
        assert!(place.good(&["clock", "--confirm"]).contains("is believed"));
    });
}

#[test]
fn a_token_made_beside_the_server_is_taken_at_once() {
    let place = Place::new();
    let server = place.serve();
    let token = place.good(&["tokens", "create", "soar"]);
    let url = format!("{}/v1/domain/career-offers.example/reputation", server.url);
    let ask = |token: String| {
        place.runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client
                .get(&url)
                .bearer_auth(token)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        })
    };
    assert_eq!(ask(token.trim().to_owned()), 200);
    place.good(&["tokens", "revoke", "soar"]);
    assert_eq!(ask(token.trim().to_owned()), 401);
}

#[test]
fn a_transform_runs_in_every_format_and_is_asked_once() {
    both_ways(|place| {
        let ask = [
            "run",
            "domaintools.ip-history",
            "hxxp://www.example[.]com/",
            "--type",
            "url",
        ];
        let table = place.good(&ask);
        assert!(
            table.contains("192.0.2.10") && table.contains("2004-05-08"),
            "{table}"
        );
        assert!(table.contains("asked now"), "{table}");
        assert!(table.contains("asked for example.com"), "{table}");
        let calls = place.vendor_calls();
        assert!(calls > 0);
        let json = place.json(&["run", "domaintools.ip-history", "example.com", "--format", "json"]);
        assert_eq!(json["cache"], "hit");
        assert!(json.get("sample_data").is_none() && json.get("xml").is_none());
        let entities = json["entities"].as_array().unwrap();
        assert!(entities.iter().any(|entity| entity["value"] == "192.0.2.10"));
        let xml = place.good(&[
            "run",
            "domaintools.ip-history",
            "example.com",
            "--format",
            "xml",
            "--limit",
            "2",
        ]);
        assert!(
            xml.starts_with("<MaltegoMessage>") || xml.starts_with("<?xml"),
            "{xml}"
        );
        assert_eq!(xml.matches("<Entity ").count(), 2);
        assert_eq!(
            place.vendor_calls(),
            calls,
            "later runs are answered by the store"
        );
        let window = ["--set", "since=2013-01-01", "--format", "json"];
        let some = place.json(&[&["run", "domaintools.ip-history", "example.com"], &window[..]].concat());
        let some = some["entities"].as_array().unwrap();
        assert!(!some.is_empty() && some.len() < entities.len());
    });
}

#[test]
fn what_cannot_be_run_is_said_with_what_can() {
    both_ways(|place| {
        let unknown = place.bad(&["run", "domaintools.ip-histori", "example.com"]);
        assert!(
            unknown.contains("did you mean \"domaintools.ip-history\""),
            "{unknown}"
        );
        let value = place.bad(&["run", "domaintools.ip-history", "not a name"]);
        assert!(value.contains("expected"), "{value}");
        let setting = place.bad(&[
            "run",
            "domaintools.ip-history",
            "example.com",
            "--set",
            "colour=red",
        ]);
        assert!(setting.contains("domaintools.since"), "{setting}");
        let date = place.bad(&[
            "run",
            "domaintools.ip-history",
            "example.com",
            "--set",
            "since=soon",
        ]);
        assert!(date.contains("since"), "{date}");
        let secret = [
            "run",
            "domaintools.ip-history",
            "example.com",
            "--set",
            "global#domaintools.api-key=canary",
        ];
        let refused = place.bad(&secret);
        assert!(
            refused.contains("secret") && !refused.contains("canary"),
            "{refused}"
        );
        let without_provider = place.bad(&["run", "ip-history", "example.com"]);
        assert!(
            without_provider.contains("did you mean \"domaintools.ip-history\""),
            "{without_provider}"
        );
        let type_id = place.bad(&["run", "domaintools.risk", "example.com", "--type", "Domian"]);
        assert!(type_id.contains("did you mean \"Domain\""), "{type_id}");
        assert_eq!(place.vendor_calls(), 0);
    });
}

#[test]
fn a_local_transform_is_given_value_and_properties() {
    both_ways(|place| {
        let run = |value: &str, properties: &str| {
            let ask = [
                "run",
                "domaintools.ip-history",
                "--format",
                "xml",
                value,
                properties,
            ];
            place.good(&ask)
        };
        for (value, properties) in [
            ("example.com", "fqdn=example.com#whois-info="),
            ("", "fqdn=example.com#whois-info=a\\=b"),
            ("example.com", "fqdn=example.com"),
        ] {
            let xml = run(value, properties);
            assert!(xml.contains("<Value>192.0.2.10</Value>"), "{properties}: {xml}");
        }
        let name = [
            "run",
            "domaintools.ip-history",
            "www.example.com",
            "--format",
            "json",
        ];
        assert_eq!(place.json(&name)["input_type"], "maltego.DNSName");
        let few = ["run", "domaintools.ip-history", "example.com", "--limit", "1"];
        let few = place.good(&few);
        assert!(
            few.contains("raise --limit for more") && !few.contains("slider"),
            "{few}"
        );
    });
}

#[test]
fn indicators_are_scored() {
    both_ways(|place| {
        let ask = |command| place.good(&[command, "career-offers[.]example", "nobody-knows-this.example"]);
        let table = ask("score");
        assert_eq!(ask("enrich"), table, "its old name goes on");
        let row = table
            .lines()
            .find(|line| line.starts_with("career-offers.example"))
            .unwrap();
        assert!(
            row.contains("87") && row.contains("malicious") && row.contains("exceeds"),
            "{row}"
        );
        let other = table
            .lines()
            .find(|line| line.starts_with("nobody-knows-this.example"))
            .unwrap();
        assert!(other.contains(" - "), "not known is no score: {other}");
        let json = place.json(&[
            "score",
            "career-offers.example",
            "--threshold",
            "87",
            "--format",
            "json",
        ]);
        assert_eq!(json["max_score"], 87);
        assert_eq!(json["decision"], "below", "87 is not more than 87");
        // One that cannot be read costs no other.
        let wrong = place.good(&["score", "career-offers.example", "no indicator"]);
        assert!(
            wrong.contains("career-offers.example scores 87") && wrong.contains("Not readable: no indicator"),
            "{wrong}"
        );
        let wrong = place.bad(&["score", "no indicator"]);
        assert!(wrong.contains("no indicator"), "{wrong}");
    });
}

#[test]
fn a_score_is_explained_by_what_each_source_said() {
    let folder = tempfile::tempdir().unwrap();
    let ask = bare(&[
        "score",
        "--demo",
        "--explain",
        "career-offers.example",
        "nobody-knows-this.example",
    ])
    .current_dir(folder.path())
    .output()
    .unwrap();
    assert_eq!(ask.status.code(), Some(0), "{ask:?}");
    let text = String::from_utf8(ask.stdout).unwrap();
    let (known, unknown) = text.split_once("\nnobody-knows-this.example\n").unwrap();
    let row = |source: &str| {
        let mut rows = known.lines().filter(|line| line.starts_with(source));
        rows.next().unwrap_or_else(|| panic!("{source}: {text}"))
    };
    let risk = row("domaintools");
    assert!(risk.contains("malicious 87%") && risk.contains(" A "), "{risk}");
    assert!(row("rdap").contains("malicious 35%"), "of the demo's day: {text}");
    assert!(row("defender").contains("no_data"), "{text}");
    let points: i32 = known
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('+')?.split_once(' '))
        .map(|(points, _)| points.parse::<i32>().unwrap())
        .sum();
    let sum = known
        .lines()
        .find(|line| line.trim_start().starts_with("= "))
        .unwrap();
    assert!(
        sum.contains(&format!("= {points}, threshold 50: exceeds")),
        "{sum}"
    );
    assert!(sum.contains("recommended: block"), "{sum}");
    assert!(
        unknown.contains("= not known, threshold 50: unknown"),
        "{unknown}"
    );
    assert!(unknown.contains("policy 2026-11-"), "{unknown}");
}

#[test]
fn rules_are_tried_on_cases() {
    let place = Place::new();
    let write = |name: &str, text: &str| {
        let file = place.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/policy-cases.toml");
    let said = place.good(&["policy", "test", shipped]);
    assert!(!said.contains("WRONG"), "{said}");
    let cases = std::fs::read_to_string(shipped)
        .unwrap()
        .matches("[[case]]")
        .count();
    assert!(
        said.contains(&format!("{cases} of {cases} cases as expected")),
        "{said}"
    );

    let case = "[[case]]\nname = \"a high risk\"\nindicator = \"career-offers.example\"\n\
                evidence = [{ source = \"domaintools\", risk = 60 }]\n\
                expect = { decision = \"exceeds\", score = [60, 70] }\n";
    let cases = write("cases.toml", case);
    place.good(&["policy", "test", &cases]);
    let strict = write("strict.toml", "[reputation]\nthreshold = 60\n");
    let failing = place
        .command(&["policy", "test", &cases, "--config", &strict])
        .output()
        .unwrap();
    assert_eq!(failing.status.code(), Some(1), "{failing:?}");
    let said = String::from_utf8(failing.stdout).unwrap();
    assert!(
        said.contains("a high risk: decision below, expected exceeds") && said.contains("0 of 1"),
        "{said}"
    );

    let broken = write("broken.toml", &case.replace("decision", "desicion"));
    let said = place.bad(&["policy", "test", &broken]);
    assert!(
        said.contains("broken.toml") && said.contains("desicion"),
        "{said}"
    );
    let purpose = write(
        "purpose.toml",
        &case.replace("source = \"domaintools\", risk = 60", "list = \"popularity\""),
    );
    let said = place.bad(&["policy", "test", &purpose]);
    assert!(
        said.contains("a high risk") && said.contains("popularity") && said.contains("popular"),
        "{said}"
    );
    for (right, wrong, part) in [
        ("\"exceeds\"", "\"exceed\"", "expected one of exceeds"),
        ("\"domaintools\"", "\"domaintool\"", "domaintools"),
        (
            "risk = 60",
            "measure = \"engine\", value = 3",
            "no rules for \"engine\" of domaintools",
        ),
    ] {
        let slip = write("slip.toml", &case.replace(right, wrong));
        let said = place.bad(&["policy", "test", &slip]);
        assert!(said.contains(part), "{said}");
    }
    let missing = place.bad(&["policy", "test", "nowhere.toml"]);
    assert!(missing.contains("nowhere.toml cannot be read"), "{missing}");
    assert!(
        !place.data().join("pivotd.redb").exists(),
        "rules are tried without a store"
    );
}

#[test]
fn stored_answers_are_counted_shown_and_removed() {
    both_ways(|place| {
        place.good(&["run", "domaintools.ip-history", "example.com"]);
        place.good(&["score", "career-offers.example"]);
        // The engine writes answers soon, not at once; the next commit waits for all before it.
        place.good(&["tokens", "create", "sync"]);
        assert!(place.good(&["cache", "stats"]).contains("ip-history"));
        let shown = place.good(&["cache", "show", "example[.]com"]);
        assert!(shown.contains("ip-history") && !shown.contains("risk"), "{shown}");
        let purged = place.good(&[
            "cache",
            "purge",
            "--indicator",
            "example.com",
            "--capability",
            "ip-history",
        ]);
        assert!(purged.contains("removed 1 stored answer"), "{purged}");
        let shown = place.good(&["cache", "show", "example.com"]);
        // The vendor's one answer told the name servers, too; that part was not chosen.
        assert!(!shown.contains("ip-history"), "{shown}");
        let calls = place.vendor_calls();
        place.good(&["run", "domaintools.ip-history", "example.com"]);
        assert!(place.vendor_calls() > calls, "what was removed is asked again");
        place.good(&["cache", "purge", "--all"]);
        assert!(
            place
                .good(&["cache", "show", "career-offers.example"])
                .contains("nothing")
        );
    });
    let place = Place::new();
    fails(place.command(&["cache", "purge"]).output().unwrap(), 2);
}

#[test]
fn decisions_are_found_explained_and_made_again() {
    both_ways(|place| {
        let nothing = place.good(&["decisions", "list"]);
        assert!(nothing.contains("no such decision is kept"), "{nothing}");
        place.good(&["score", "career-offers.example"]);
        let listed = place.good(&[
            "decisions",
            "list",
            "--indicator",
            "career-offers[.]example",
            "--decision",
            "exceeds",
        ]);
        assert!(
            listed.contains("career-offers") && listed.contains("exceeds"),
            "{listed}"
        );
        let mut words = listed.split_whitespace();
        let id = words.find(|word| word.len() == 36 && word.split('-').count() == 5);
        let id = id.unwrap().to_owned();
        assert!(
            place
                .good(&["decisions", "list", "--to", "2020-01-31"])
                .contains("no such decision")
        );
        let by_id = place.good(&["decisions", "explain", &id]);
        let by_indicator = place.good(&["decisions", "explain", "career-offers.example"]);
        assert_eq!(by_id, by_indicator);
        for part in [
            id.as_str(),
            "under policy",
            "points  domaintools: ",
            "evidence ",
            "comes to the same",
        ] {
            assert!(by_id.contains(part), "{part}: {by_id}");
        }
        let missing = place.bad(&[
            "decisions",
            "explain",
            "career-offers.example",
            "--at",
            "2020-01-31",
        ]);
        assert!(missing.contains("no such decision is kept"), "{missing}");
        let replayed = place.good(&["decisions", "replay"]);
        assert!(replayed.contains("of 1 decision, 0 would change"), "{replayed}");
        let policy = place.folder.path().join("policy.toml");
        std::fs::write(&policy, "extends = \"built-in\"\n[reputation]\nthreshold = 100\n").unwrap();
        let replayed = place.good(&["decisions", "replay", "--policy", policy.to_str().unwrap()]);
        assert!(replayed.contains("of 1 decision, 1 would change"), "{replayed}");
        assert!(
            replayed.contains("exceeds (") && replayed.contains(" then, "),
            "{replayed}"
        );
    });
    let place = Place::new();
    fails(
        place
            .command(&["decisions", "list", "--from", "monday"])
            .output()
            .unwrap(),
        2,
    );
}

#[test]
fn decisions_are_counted_and_removed() {
    both_ways(|place| {
        assert!(place.good(&["decisions", "stats"]).contains("no decision"));
        place.good(&["score", "career-offers.example"]);
        let stats = place.good(&["decisions", "stats"]);
        let client = stats.lines().last().unwrap().split_whitespace().next().unwrap();
        assert!(stats.contains("Decisions"), "{stats}");
        let removed = place.good(&["decisions", "remove", "--older-than", "1d"]);
        assert!(removed.contains("removed 0 decisions"), "{removed}");
        let removed = place.good(&["decisions", "remove", "--client", client]);
        assert!(removed.contains("removed 1 decision"), "{removed}");
        assert!(place.good(&["decisions", "stats"]).contains("no decision"));
        place.good(&["score", "career-offers.example"]);
        assert!(
            place
                .good(&["decisions", "remove", "--all"])
                .contains("removed 1 decision")
        );
    });
    let place = Place::new();
    fails(place.command(&["decisions", "remove"]).output().unwrap(), 2);
}

#[test]
fn keys_are_tested_without_being_shown() {
    both_ways(|place| {
        let output = place.command(&["keys", "test"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("the key works") && text.contains("hosting-history"),
            "{text}"
        );
        assert!(!text.contains(API_KEY) && !String::from_utf8_lossy(&output.stderr).contains(API_KEY));
        assert!(place.bad(&["keys", "test", "nobody"]).contains("domaintools"));
    });
    let place = Place::new();
    let wrong = "another-key-that-must-not-be-shown";
    let refused = fails(
        place
            .command(&["keys", "test"])
            .env("DOMAINTOOLS_API_KEY", wrong)
            .output()
            .unwrap(),
        1,
    );
    assert!(
        refused.contains("DomainTools") && !refused.contains(wrong),
        "{refused}"
    );
    let online = place
        .command(&["check", "--online"])
        .env("DOMAINTOOLS_API_KEY", wrong)
        .output()
        .unwrap();
    assert!(fails(online, 1).contains("DomainTools"));
    assert!(place.good(&["check", "--online"]).contains("the key works"));
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    let place = Place::new();
    assert!(place.good(&["check"]).contains("domaintools.ip-history"));
    let file = place.folder.path().join("broken.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:0\"\nlissen = \"x\"\n").unwrap();
    let said = place.bad(&["check", "--config", file.to_str().unwrap()]);
    assert!(
        said.contains("broken.toml:3") && said.contains("listen"),
        "{said}"
    );
    assert!(
        !place.data().join("pivotd.redb").exists(),
        "a check opens no store"
    );
    let exposed = place
        .command(&["check"])
        .env("PIVOTD__SERVER__LISTEN", "0.0.0.0:8080")
        .output()
        .unwrap();
    assert!(fails(exposed, 1).contains("public_url"));
}

#[test]
fn newcomers_need_neither_key_nor_server() {
    let folder = tempfile::tempdir().unwrap();
    let demo = |arguments: &[&str]| {
        let output = bare(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let table = demo(&["run", "--demo", "domaintools.ip-history", "example.com"]);
    assert!(
        table.contains("192.0.2.10") && table.contains("sample data"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let without = demo(&[
        "run",
        "--demo",
        "passivetotal.resolutions",
        "briefing-press.example",
        "--set",
        "exclude-sinkholes=true",
    ]);
    assert!(
        !without.contains("203.0.113.103") && without.contains("1 sinkhole left out"),
        "{without}"
    );
    let json: Value = serde_json::from_str(&demo(&[
        "run",
        "--demo",
        "domaintools.ip-history",
        "example.com",
        "--format",
        "json",
    ]))
    .unwrap();
    assert_eq!(json["sample_data"], true);
    assert!(demo(&["score", "--demo", "career-offers.example"]).contains("sample data"));
    let scored = demo(&["score", "--demo", "career-offers.example", "--format", "json"]);
    let json: Value = serde_json::from_str(&scored).unwrap();
    let evidence = json["indicators"][0]["evidence"].as_array().unwrap();
    let risk = evidence
        .iter()
        .find(|one| one["source"] == "domaintools")
        .unwrap();
    let observed = risk["observed_at"].as_str().unwrap();
    assert!(
        observed.starts_with("2026-11-22T09:"),
        "the demo's day never changes: {observed}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn the_url_of_an_analyst_is_printed_once_and_works_until_it_is_revoked() {
    let place = Place::new();
    let mut command = place.command(&["serve"]);
    command.env("PIVOTD__SERVER__PUBLIC_URL", "https://pivot.example.org/ti/");
    let server = place.spawn(command);
    let printed = place
        .command(&["tokens", "create", "anna", "--maltego"])
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let (out, said) = (
        String::from_utf8(printed.stdout).unwrap(),
        String::from_utf8(printed.stderr).unwrap(),
    );
    // What the server says of itself, whatever the command's own configuration says.
    let below = out
        .trim_end()
        .strip_prefix("https://pivot.example.org/ti/t/")
        .unwrap();
    let token = below.strip_suffix("/seed").unwrap();
    assert_eq!(out.lines().count(), 1);
    assert!(
        said.contains("Data Hub") && said.contains("/runner?Command=_CONFIG'"),
        "{said}"
    );
    let list = place.good(&["tokens", "list"]);
    let row = list.lines().find(|line| line.contains("anna")).unwrap();
    assert!(
        !list.contains(token) && row.contains("transforms") && !row.contains("enrich"),
        "{list}"
    );
    let seed = || {
        let url = format!("{}/t/{token}/seed", server.url);
        place.runtime.block_on(async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = http.get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    };
    let (status, body) = seed();
    assert_eq!(status, 200);
    assert!(
        body.contains(&format!("https://pivot.example.org/ti/t/{token}/runner")),
        "{body}"
    );
    place.good(&["tokens", "revoke", "anna"]);
    assert_eq!(seed().0, 401);
    let refused = place.bad(&["tokens", "create", "anna", "--maltego", "--scope", "enrich"]);
    assert!(refused.contains("transforms"), "{refused}");
    server.stop();
}
