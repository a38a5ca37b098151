//! The alert's decision over two corpora of mail, as their playbook asks for it: with every source, with one that is
//! limited, and without DNS. `scripts/mail-corpora` writes the messages and what the vendors know of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pivotd::config;
use pivotd::replay::{DnsFault, Fault, Matcher, Vendor};
use serde_json::{Value, json};

use crate::support::{Builder, TestApp, answering, providers};

/// Every source that speaks for a score and that the replay plays.
const SOURCES: [&str; 11] = [
    "abuseipdb",
    "defender",
    "dns",
    "emailrep",
    "greynoise",
    "ipqs",
    "passivetotal",
    "spamhaus",
    "threatconnect",
    "threatgrid",
    "virustotal",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn knowledge() -> Value {
    let text = fs::read_to_string(root().join("tests/corpora/knowledge.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn entries(knowledge: &Value, part: &str) -> Vec<(String, u64)> {
    let part = knowledge[part].as_object().unwrap();
    part.iter()
        .map(|(name, number)| (name.clone(), number.as_u64().unwrap()))
        .collect()
}

/// Makes a vendor that answers these requests, and all others as its fixtures do.
fn domaintools(knowledge: &Value) -> Vendor {
    let mut exchanges = Vec::new();
    for (domain, risk) in entries(knowledge, "risk") {
        let answer = json!({"response": {"domain": domain, "risk_score": risk, "components": []}});
        exchanges.push((format!("GET /v1/risk\nquery: domain={domain}"), answer));
        let row = json!({"domain": domain, "domain_risk": {"risk_score": risk, "components": []}});
        let answer = json!({"response": {"limit_exceeded": false, "results_count": 1, "results": [row], "missing_domains": []}});
        exchanges.push((format!("POST /v1/iris-enrich/\nform: domain={domain}"), answer));
    }
    let missing = json!({"response": {"limit_exceeded": false, "results_count": 0, "results": [], "missing_domains": ["it"]}});
    exchanges.push(("POST /v1/iris-enrich/\nform: domain=*".to_owned(), missing));
    answering("domaintools", exchanges)
}

fn virustotal(knowledge: &Value) -> Vendor {
    let stats = |engines: u64| {
        json!({
            "last_analysis_date": 1_794_758_400,
            "last_analysis_stats": {"harmless": 60, "malicious": engines, "suspicious": 0, "undetected": 30, "timeout": 0},
        })
    };
    let mut exchanges = Vec::new();
    for (url, engines) in entries(knowledge, "urls") {
        let id = URL_SAFE_NO_PAD.encode(&url);
        let mut attributes = stats(engines);
        attributes["url"] = json!(url);
        let answer = json!({"data": {"type": "url", "id": id, "attributes": attributes}});
        exchanges.push((format!("GET /api/v3/urls/{id}"), answer));
    }
    for (sha256, engines) in entries(knowledge, "files") {
        let mut attributes = stats(engines);
        attributes["sha256"] = json!(sha256);
        let answer = json!({"data": {"type": "file", "id": sha256, "attributes": attributes}});
        exchanges.push((format!("GET /api/v3/files/{sha256}"), answer));
    }
    answering("virustotal", exchanges)
}

fn abuseipdb(knowledge: &Value) -> Vendor {
    let answer = |(address, confidence): (String, u64)| {
        let request = format!("GET /api/v2/check\nquery: ipAddress={address}&maxAgeInDays=90");
        let body = json!({"data": {
            "ipAddress": address, "isPublic": true, "ipVersion": 4, "isWhitelisted": false,
            "abuseConfidenceScore": confidence, "totalReports": confidence, "numDistinctUsers": 20,
            "lastReportedAt": "2026-11-20T10:00:00+00:00",
        }});
        (request, body)
    };
    let exchanges = entries(knowledge, "addresses").into_iter().map(answer).collect();
    answering("abuseipdb", exchanges)
}

/// Starts a server of the company `corp.example`, with lists, relays and sources.
async fn company() -> TestApp {
    let knowledge = knowledge();
    let names = |part: &str| -> String {
        let names = knowledge[part].as_array().unwrap();
        names
            .iter()
            .map(|name| format!("{}\n", name.as_str().unwrap()))
            .collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let list = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let environment = [
        ("PIVOTD__LISTS__POPULAR", list("popular.txt", names("popular"))),
        ("PIVOTD__LISTS__TRUSTED", list("trusted.txt", names("trusted"))),
        ("PIVOTD__LISTS__OWN_ENTRIES", "corp.example".to_owned()),
        (
            "PIVOTD__ALERTS__TRUSTED_RELAYS",
            "mx.corp.example,outlook.com,mx.google.com".to_owned(),
        ),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let loaded = config::load(None, &environment, &providers()).unwrap().settings;
    Builder::new()
        .with(SOURCES)
        .plays("domaintools", domaintools(&knowledge))
        .plays("virustotal", virustotal(&knowledge))
        .plays("abuseipdb", abuseipdb(&knowledge))
        .settings(move |settings| {
            settings.lists = loaded.lists;
            settings.trusted_relays = loaded.trusted_relays;
            for provider in settings.providers.values_mut() {
                provider.attempts = 1;
            }
        })
        .start()
        .await
}

fn messages(corpus: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = fs::read_dir(root().join("tests/corpora").join(corpus)).unwrap();
    folder
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

/// Counts the decisions of a corpus; `told` gets each message's name with its answer.
async fn decisions(
    app: &TestApp,
    corpus: &str,
    mut told: impl FnMut(&str, &Value),
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (name, message) in messages(corpus) {
        let alert = json!({"message_base64": STANDARD.encode(message)});
        let answer = app.post_json("/v1/alerts/score", &alert).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        let answer = answer.json();
        told(&name, &answer);
        *counts
            .entry(answer["decision"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    counts
}

fn row(corpus: &str, condition: &str, counts: &BTreeMap<String, usize>) -> String {
    let count = |decision: &str| counts.get(decision).copied().unwrap_or(0);
    let all: usize = counts.values().sum();
    format!(
        "| {corpus} | {condition} | {all} | {} | {} | {} | {} | {} |",
        count("exceeds"),
        count("below"),
        count("unknown"),
        count("undetermined"),
        count("unsupported"),
    )
}

/// Tells whether a vendor knows something bad of what the message holds, by its file's name.
fn is_known(name: &str) -> bool {
    name.starts_with("known-") || name.starts_with("from-")
}

/// Says what decided a message, for a failing test.
fn why(name: &str, answer: &Value) -> String {
    let of = |item: &Value| format!("{} {} {}", item["role"], item["indicator"], item["decision"]);
    let items: Vec<String> = answer["indicators"].as_array().unwrap().iter().map(of).collect();
    format!(
        "{name}: {}; {}; unreadable {}; sealed {}; causes {}",
        answer["decision"],
        items.join(", "),
        answer["unreadable"],
        answer["sealed"],
        answer["causes"]
    )
}

#[tokio::test]
async fn no_phishing_is_closed_and_most_legitimate_mail_is() {
    let conditions = [
        "every source",
        "VirusTotal is limited",
        "DNS is down",
        "DNS and Spamhaus are down",
    ];
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for condition in conditions {
        let app = company().await;
        match condition {
            "VirusTotal is limited" => {
                app.others["virustotal"].inject(Matcher::any(), Fault::too_many_requests(Some("3600")), None);
            }
            "DNS is down" | "DNS and Spamhaus are down" => {
                for name in ["dns", "spamhaus"]
                    .into_iter()
                    .take(condition.split(" and ").count())
                {
                    app.others[name].inject(Matcher::any(), Fault::Dns(DnsFault::Code(2)), None);
                }
            }
            _ => {}
        }
        for corpus in ["phishing", "legitimate"] {
            let everything = condition == "every source";
            let counts = decisions(&app, corpus, |name, answer| {
                let wrong = match (corpus, answer["decision"].as_str().unwrap()) {
                    ("phishing", "below") => true,
                    ("phishing", decision) => is_known(name) && everything && decision != "exceeds",
                    ("legitimate", "exceeds") => true,
                    _ => false,
                };
                if wrong {
                    faults.push(format!("{condition}: {}", why(name, answer)));
                }
                if std::env::var_os("PIVOTD_CORPORA").is_some() {
                    println!("{condition}: {}", why(name, answer));
                }
            })
            .await;
            rows.push(row(corpus, condition, &counts));
            let all: usize = counts.values().sum();
            assert!(all >= 60, "{corpus} has {all} messages");
            if corpus == "legitimate" && everything {
                let share = |decision: &str| 100 * counts.get(decision).copied().unwrap_or(0) / all;
                if share("undetermined") > 5 || share("below") < 60 {
                    faults.push(format!("legitimate mail with every source: {counts:?}"));
                }
            }
        }
        app.stop().await;
    }
    let table = rows.join("\n");
    assert!(faults.is_empty(), "{table}\n{}", faults.join("\n"));
    let documented = fs::read_to_string(root().join("docs/scores.md")).unwrap();
    assert!(
        documented.contains(&table),
        "docs/scores.md shows another table than this:\n{table}"
    );
}
