use super::vendor;
use crate::config::read;

/// A file that is right; `transform` stands in line 3, `entity` in line 12.
const HEAD: &str = "[providers.domaintools]\n";
const TRANSFORM: &str = "[[transform]]
name = \"t.one\"
title = \"One\"
about = \"One.\"
set = \"Set\"
example = \"example.com\"
provider = \"domaintools\"
capability = \"whois-history\"
input = [\"maltego.Domain\"]
";
const ENTITY: &str = "[[transform.entity]]\nvalue = \"registrar\"\n";

fn faults(text: &str) -> String {
    match read("my.toml", text, false, &[], &vendor::ALL) {
        Ok(_) => "loads".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

/// Replaces one line of the transform or adds one to the entity.
fn transform(from: &str, to: &str) -> String {
    assert!(TRANSFORM.contains(from), "{from}");
    format!("{HEAD}{}{ENTITY}", TRANSFORM.replace(from, to))
}

fn entity(line: &str) -> String {
    format!("{HEAD}{TRANSFORM}{ENTITY}{line}\n")
}

#[test]
fn the_file_of_these_tests_is_right() {
    assert_eq!(faults(&entity("")), "loads");
}

#[test]
fn faults_of_sections_name_line_column_and_what_is_expected() {
    let cases: &[(&str, &str)] = &[
        ("[server\n", "my.toml:1:8: unclosed table, expected `]`"),
        (
            "[servr]\nlisten = \"x\"\n",
            "my.toml:1:2: unknown key \"servr\", did you mean \"server\"?",
        ),
        (
            "[server]\nlsten = \"x\"\n",
            "my.toml:2:1: unknown key \"lsten\", did you mean \"listen\"?",
        ),
        (
            "server = 5\n",
            "my.toml:1:10: expected a table, found a whole number",
        ),
        (
            "[server]\nlisten = \"8080\"\n",
            "my.toml:2:10: listen: expected an address and a port such as 127.0.0.1:8080, found \"8080\"",
        ),
        (
            "[server]\npublic_url = \"https://u:p@pivot.example\"\n",
            "my.toml:2:14: public_url: a URL must not hold a user or a password",
        ),
        (
            "[server]\npublic_url = \"https://pivot.example:0\"\n",
            "my.toml:2:14: public_url: a URL must not hold the port 0, which stands for any",
        ),
        (
            "[server]\ntls = \"after\"\n",
            "my.toml:2:7: tls: expected { certificate = \"…\", key = \"…\" }, or \"before\" where TLS ends in front of this server",
        ),
        (
            "[server]\ntls = { certificate = \"c.pem\" }\n",
            "my.toml:2:7: \"key\" is missing",
        ),
        (
            "[server]\nworkers = 0\n",
            "my.toml:2:11: workers: expected a whole number from 1 to 512, found 0",
        ),
        (
            "[server]\nbodies = \"16MB\"\n",
            "my.toml:2:10: bodies: expected at least twice max_body, which is 16777216 bytes",
        ),
        (
            "[server]\nmax_body = \"64MB\"\nbodies = \"65MB\"\n",
            "my.toml:3:10: bodies: expected at least twice max_body, which is 67108864 bytes",
        ),
        (
            "[server]\nwrong_tokens = \"60/fortnight\"\n",
            "my.toml:2:16: wrong_tokens: expected a rate such as 60/min, 5/s or 1000/h, found \"60/fortnight\"",
        ),
        (
            "[server]\nconnections = 1\n",
            "my.toml:2:15: connections: expected a whole number from 16 to 1000000, found 1",
        ),
        (
            "[server]\nmax_body = \"2XB\"\n",
            "my.toml:2:12: max_body: expected a size such as 512KB or 64MB, found \"2XB\"",
        ),
        (
            "[log]\nformat = \"jsn\"\n",
            "my.toml:2:10: format: unknown value \"jsn\", did you mean \"json\"?",
        ),
        (
            "[log]\nlevel = \"verbose\"\n",
            "my.toml:2:9: level: unknown level \"verbose\"; levels are off, error, warn, info, debug, trace, alone or behind a \
             target, as in \"warn,pivotd=debug\"",
        ),
        (
            "[deadlines]\nenrich = \"20\"\n",
            "my.toml:2:10: enrich: expected a duration such as 90s, 24h, 7d or 1h30m, found \"20\"",
        ),
        (
            "[deadlines]\nenrich = \"2h\"\n",
            "my.toml:2:10: enrich: expected a duration from 1s to 1h, found \"2h\"",
        ),
        (
            "[reputation]\nthreshold = 101\n",
            "my.toml:2:13: threshold: expected a whole number from 0 to 100, found 101",
        ),
        (
            "[scales]\nrisk = [{ from = 5, name = \"a\" },\n { from = 5, name = \"b\" }]\n",
            "my.toml:3:2: from: bands ascend, and 5 does not",
        ),
        (
            "[scales]\nrisk = [{ from = 5, name = \"a\", overlay = \"red\" }]\n",
            "my.toml:2:43: overlay: expected a colour such as #d32f2f, found \"red\"",
        ),
        (
            "[scales]\nrisk = [{ from = 5, name = \"a\", bookmark = \"gren\" }]\n",
            "my.toml:2:44: bookmark: unknown colour \"gren\", did you mean \"green\"?",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(faults(text), *expected, "{text}");
    }
}

#[test]
fn faults_of_providers_name_line_column_and_what_is_expected() {
    let cases: &[(&str, &str)] = &[
        (
            "[providers.domaintool]\n",
            "my.toml:1:12: unknown provider \"domaintool\", did you mean \"domaintools\"?",
        ),
        (
            "rates = \"60/min\"",
            "my.toml:2:1: unknown key \"rates\", did you mean \"rate\"?",
        ),
        (
            "rate = \"60/minute/x\"",
            "my.toml:2:8: rate: expected a rate such as 60/min, 5/s or 1000/h, found \"60/minute/x\"",
        ),
        (
            "rate = [\"60/min\", \"0/s\"]",
            "my.toml:2:8: rate: expected a rate such as 60/min, 5/s or 1000/h, found \"0/s\"",
        ),
        (
            "rate = { limit = \"60/min\", burts = 5 }",
            "my.toml:2:8: rate: unknown key \"burts\", did you mean \"burst\"?",
        ),
        (
            "budget = \"2000/year\"",
            "my.toml:2:10: budget: expected a budget such as 2000/day, 5000/month or 500/total, found \"2000/year\"",
        ),
        (
            "budget = { product = \"whois-histry\", limit = \"5/day\" }",
            "my.toml:2:10: budget: unknown product \"whois-histry\", did you mean \"whois-history\"?",
        ),
        (
            "budget = { product = \"whois-history\", limit = \"5/day\", unit = \"USD\" }",
            "my.toml:2:10: budget: whois-history is not billed in USD",
        ),
        (
            "budget = { limit = \"5/day\", unit = \"rows\" }",
            "my.toml:2:10: budget: unit: expected calls, records or a currency such as USD, found \"rows\"",
        ),
        (
            "budget = { limit = \"5/day\", max_price = 20 }",
            "my.toml:2:10: budget: max_price needs a currency as unit, such as USD",
        ),
        (
            "budget = \"2.5/day\"",
            "my.toml:2:10: budget: expected a whole number of calls, found \"2.5/day\"",
        ),
        (
            "resets = \"day 31 UTC\"",
            "my.toml:2:10: resets: expected a day from 1 to 28, found \"day 31 UTC\"",
        ),
        (
            "resets = \"Mars/Olympus\"",
            "my.toml:2:10: resets: expected a time zone such as UTC or Europe/Berlin, found \"Mars/Olympus\"",
        ),
        (
            "reserve = \"120%\"",
            "my.toml:2:11: reserve: expected a share from \"0%\" to \"100%\", found \"120%\"",
        ),
        (
            "ttl = \"soon\"",
            "my.toml:2:7: ttl: expected a duration such as 90s, 24h, 7d or 1h30m, found \"soon\"",
        ),
        (
            "ttl = { riks = \"6h\" }",
            "my.toml:2:9: unknown key \"riks\", did you mean \"risk\"?",
        ),
        (
            "auth = \"sigend\"",
            "my.toml:2:8: auth: unknown value \"sigend\", did you mean \"signed\"?",
        ),
        (
            "base_url = \"http://api.example\"",
            "my.toml:2:12: base_url: expected https; plain http goes to this machine only (localhost, 127.0.0.1, [::1])",
        ),
        (
            "base_url = \"https://api.example?x=1\"",
            "my.toml:2:12: base_url: a URL must not hold a query",
        ),
        (
            "base_url = \"https://api.example#x\"",
            "my.toml:2:12: base_url: a URL must not hold a fragment",
        ),
        (
            "base_url = \"https://u@api.example\"",
            "my.toml:2:12: base_url: a URL must not hold a user or a password",
        ),
        (
            "attempts = 11",
            "my.toml:2:12: attempts: expected a whole number from 1 to 10, found 11",
        ),
        (
            "enabled = \"yes\"",
            "my.toml:2:11: enabled: expected true or false, found a text",
        ),
        (
            "api_key = 5",
            "my.toml:2:11: api_key: expected { env = \"NAME\" }, { file = \"/path\" } or a text, found a whole number",
        ),
        (
            "api_key = { evn = \"X\" }",
            "my.toml:2:11: api_key: expected { env = \"NAME\" }, { file = \"/path\" } or a text, found a table with \"evn\", did you mean \"env\"?",
        ),
    ];
    for (line, expected) in cases {
        let text = if line.starts_with('[') {
            (*line).to_owned()
        } else {
            format!("{HEAD}{line}\n")
        };
        assert_eq!(faults(&text), *expected, "{line}");
    }
}

#[test]
fn faults_of_transforms_name_line_column_and_what_is_expected() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "title = \"One\"",
            "titel = \"One\"",
            "my.toml:2:1: \"title\" is missing\nmy.toml:4:1: unknown key \"titel\", did you mean \"title\"?",
        ),
        (
            "t.one",
            "T.One",
            "my.toml:3:8: name: expected lower-case letters, digits, dots and dashes, found \"T.One\"",
        ),
        (
            "provider = \"domaintools\"",
            "provider = \"domaintool\"",
            "my.toml:8:12: unknown provider \"domaintool\", did you mean \"domaintools\"?",
        ),
        (
            "provider = \"domaintools\"",
            "provider = \"risklist\"",
            "my.toml:8:12: provider \"risklist\" has no table [providers.risklist]\nmy.toml:9:14: risklist cannot answer \"whois-history\", expected one of risk",
        ),
        (
            "capability = \"whois-history\"",
            "capability = \"whois-histori\"",
            "my.toml:9:14: unknown capability \"whois-histori\", did you mean \"whois-history\"?",
        ),
        (
            "input = [\"maltego.Domain\"]",
            "input = [\"maltego.Domian\"]",
            "my.toml:10:10: unknown entity type \"maltego.Domian\", did you mean \"maltego.Domain\"?",
        ),
        (
            "input = [\"maltego.Domain\"]",
            "input = [\"Domain\"]",
            "my.toml:10:10: unknown entity type \"Domain\", did you mean \"maltego.Domain\"?",
        ),
        (
            "input = [\"maltego.Domain\"]",
            "input = [\"pivotd.Thing\"]",
            "my.toml:10:10: entity type \"pivotd.Thing\" is not declared",
        ),
        (
            "input = [\"maltego.Domain\"]",
            "input = [\"maltego.Domain\", \"maltego.Hash\"]",
            "my.toml:10:28: input: a maltego.Hash cannot be asked here; the provider takes domain",
        ),
        (
            "input = [\"maltego.Domain\"]",
            "params = { scope = \"current\" }\ninput = [\"maltego.Domain\"]",
            "my.toml:10:12: unknown parameter \"scope\"",
        ),
        (
            "example = \"example.com\"",
            "example = \"\"",
            "my.toml:7:11: example: must not be empty",
        ),
        (
            "example = \"example.com\"",
            "ttl = \"1y\"\nexample = \"example.com\"",
            "my.toml:7:7: ttl: expected a duration such as 90s, 24h, 7d or 1h30m, found \"1y\"",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(faults(&transform(from, to)), *expected, "{to}");
    }
    let twice = format!("{HEAD}{TRANSFORM}{ENTITY}{TRANSFORM}{ENTITY}");
    assert_eq!(
        faults(&twice),
        "my.toml:14:8: name: \"t.one\" is already the name of the transform in line 3"
    );
    assert_eq!(
        faults(&format!("{HEAD}{TRANSFORM}")),
        "my.toml:2:1: expected at least one [[transform.entity]]"
    );
}

#[test]
fn faults_of_entities_name_line_column_and_what_is_expected() {
    let cases: &[(&str, &str)] = &[
        (
            "fields = { regstrar = \"R\" }",
            "my.toml:13:12: unknown field \"regstrar\" of whois-history, did you mean \"registrar\"?",
        ),
        (
            "each = \"contact\"",
            "my.toml:13:8: each: whois-history has no list \"contact\", did you mean \"contacts\"?",
        ),
        (
            "each = \"contacts\"\nwhen = { rle = \"admin\" }",
            "my.toml:14:10: unknown field \"rle\" of contact, did you mean \"role\"?",
        ),
        (
            "when = \"private\"",
            "my.toml:13:8: when: expected a table such as { role = \"registrant\" }, found a text",
        ),
        (
            "link = \"{first_sen}\"",
            "my.toml:13:8: unknown field \"first_sen\" of whois-history, did you mean \"first_seen\"?",
        ),
        (
            "link = \"{first_seen\"",
            "my.toml:13:8: template \"{first_seen\": { is not closed by } at character 1",
        ),
        (
            "link = \"a [b]\"",
            "my.toml:13:8: template \"a [b]\": [..] needs a {field} in it at character 3",
        ),
        (
            "link = \"first_seen\"",
            "my.toml:13:8: \"first_seen\" is a field; write \"{first_seen}\"",
        ),
        (
            "link = \"{contacts}\"",
            "my.toml:13:8: field \"contacts\" is a list; walk it with each = \"contacts\"",
        ),
        (
            "show = [\"status\"]",
            "my.toml:13:9: unknown field \"status\" of whois-history, did you mean \"statuses\"?",
        ),
        (
            "type = \"maltego.Organisation\"",
            "my.toml:13:8: unknown entity type \"maltego.Organisation\", did you mean \"maltego.Organization\"?",
        ),
        (
            "band = { by = \"captures\", scale = \"risk\" }",
            "my.toml:13:35: unknown scale \"risk\"; scales stand in [scales]",
        ),
        (
            "band = { by = \"registrar\", scale = \"risk\" }",
            "my.toml:13:15: by: field \"registrar\" is no whole number",
        ),
        (
            "mark = { when = { private = true }, bookmark = \"rde\" }",
            "my.toml:13:48: bookmark: unknown colour \"rde\", did you mean \"red\"?",
        ),
        (
            "mark = { when = { private = true } }",
            "my.toml:13:8: mark: expected \"overlay\", \"bookmark\" or both",
        ),
        (
            "on = \"output\"",
            "my.toml:13:6: on: expected \"input\", found \"output\"",
        ),
        (
            "on = \"input\"",
            "my.toml:12:9: value: an annotated input keeps its own",
        ),
        (
            "[[transform.entity]]\nvalue = \"statuses\"",
            "my.toml:14:9: value: \"type\" is needed, since this field has none of its own",
        ),
        (
            "[[transform.entity]]\nvalue = \"{domain}!\"",
            "my.toml:14:9: value: \"type\" is needed, since a template has none of its own",
        ),
        (
            "[[transform.entity]]\ntype = \"maltego.Phrase\"",
            "my.toml:13:1: \"value\" is missing",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(faults(&entity(line)), *expected, "{line}");
    }
}

#[test]
fn every_fault_is_told_at_once_in_the_order_of_the_file() {
    let text = format!("[server]\nlisten = 1\n[log]\nlevle = \"info\"\n{HEAD}rate = \"x\"\n");
    let told = faults(&text);
    let places: Vec<&str> = told.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["my.toml:2:10", "my.toml:4:1", "my.toml:6:8"], "{told}");
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        faults("[log]\n\"größe\" = 1\n").lines().next(),
        Some("my.toml:2:1: unknown key \"größe\"")
    );
    let told = faults("server = { data = \"ä\", lsten = 1 }\n");
    assert_eq!(
        told,
        "my.toml:1:24: unknown key \"lsten\", did you mean \"listen\"?"
    );
}

#[test]
fn constraints_of_inputs_are_read_and_their_faults_are_placed() {
    let with = |constraint: &str| {
        let input = "input = [\"maltego.Domain\"]";
        faults(&transform(input, &format!("{input}\nconstraint = {constraint}")))
    };
    for right in [
        r#"{ type = "maltego.Domain" }"#,
        r#"{ property = { of = "value", equals = "a", ignore_case = true } }"#,
        r#"{ property = { of = "type", equals = "STRING" } }"#,
        r#"{ property = { of = "name", contains = "a" } }"#,
        r#"{ property = { of = "display_name", starts_with = "a" } }"#,
        r#"{ property = { all = [{ of = "name", equals = "fqdn" }, { of = "value", matches = "^a" }] } }"#,
        r#"{ any = [{ type = "maltego.Domain" }, { none = [{ property = { of = "value", ends_with = "." } }] }] }"#,
    ] {
        assert_eq!(with(right), "loads", "{right}");
    }
    for (wrong, told) in [
        ("1", "expected a table"),
        ("{}", "constraint: expected one of type, property, all, any, none"),
        (
            r#"{ type = "maltego.Domain", all = [] }"#,
            "type and all cannot stand in one table",
        ),
        (
            r#"{ type = "maltego.Domian" }"#,
            "did you mean \"maltego.Domain\"?",
        ),
        ("{ all = [] }", "all: expected 1 to 32 tables, found 0"),
        ("{ all = 1 }", "all: expected a list of tables"),
        (r#"{ property = { equals = "a" } }"#, "\"of\" is missing"),
        (
            r#"{ property = { of = "valu", equals = "a" } }"#,
            "of: unknown part \"valu\"",
        ),
        (
            r#"{ property = { of = "type", matches = "a" } }"#,
            "of: a type is compared as a whole",
        ),
        (r#"{ property = { of = "value", matches = "(" } }"#, "matches: "),
        (
            r#"{ property = { of = "value", matches = "a", ignore_case = true } }"#,
            "unknown key \"ignore_case\"",
        ),
        (
            r#"{ property = { of = "value", equals = 1 } }"#,
            "equals: expected a text",
        ),
    ] {
        let said = with(wrong);
        assert!(said.contains(told), "{wrong}: {said}");
        assert!(said.contains("my.toml:11:"), "{wrong}: {said}");
    }
}
