//! Demands of every provider the cases that tell whether it can be trusted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::testing::{question, reply};
use super::{Call, Descriptor, Provider, Reply, Verdict, registry};
use crate::domain::{Capability, IndicatorKind};

fn folder(descriptor: &Descriptor) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(descriptor.name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// Reads the answer of a case: its status line, the content type, and the body.
fn case(path: &Path) -> Reply {
    let text = std::fs::read_to_string(path).unwrap();
    let (_, answer) = text.split_once("\nHTTP/1.1 ").unwrap();
    let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
    let status = head.split_whitespace().next().unwrap().parse().unwrap();
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    Reply {
        content_type: header("content-type").unwrap_or_default().to_lowercase(),
        retry_after: header("retry-after"),
        ..reply(status, body)
    }
}

/// Makes a call of every product, and the one that buys a session.
fn calls(provider: &'static dyn Provider) -> Vec<Call> {
    let descriptor = provider.descriptor();
    let products: BTreeSet<&'static str> = descriptor
        .offers
        .iter()
        .flat_map(|offer| offer.products)
        .map(|product| product.id)
        .collect();
    let origin = descriptor.origins[0].name;
    let calls = products
        .into_iter()
        .map(|product| Call::get(origin, product, "/"));
    calls.chain(provider.session()).collect()
}

#[test]
fn every_provider_has_a_case_of_each_kind_and_judges_it_so() {
    for provider in registry::all() {
        let descriptor = provider.descriptor();
        let mut seen = BTreeSet::new();
        for path in files(&folder(descriptor).join("_cases")) {
            let name = path.file_stem().unwrap().to_string_lossy().replace('-', "");
            let kinds = ["notfound", "limited", "badkey", "malformed"];
            let Some(kind) = kinds.into_iter().find(|kind| name.starts_with(kind)) else {
                continue;
            };
            seen.insert(kind);
            let reply = case(&path);
            let verdicts: Vec<Verdict> = calls(*provider)
                .iter()
                .map(|call| provider.judge(call, &reply).verdict)
                .collect();
            let is_so = |verdict: &Verdict| match kind {
                // Some say it with an empty list, which is good.
                "notfound" => matches!(verdict, Verdict::NotFound | Verdict::Good),
                "limited" => matches!(verdict, Verdict::Limited { .. }),
                "badkey" => matches!(verdict, Verdict::KeyRefused(_) | Verdict::SessionEnded(_)),
                // What is JSON of another shape is met by the machine.
                _ => matches!(verdict, Verdict::Malformed(_) | Verdict::Good),
            };
            assert!(verdicts.iter().any(is_so), "{}: {verdicts:?}", path.display());
        }
        let mut wanted = BTreeSet::from(["notfound", "limited", "malformed"]);
        if descriptor.credentials.iter().any(|field| !field.optional) {
            wanted.insert("badkey");
        }
        assert!(
            seen.is_superset(&wanted),
            "{} has only cases of {seen:?}",
            descriptor.name
        );
    }
}

#[test]
fn every_capability_of_every_provider_has_a_found_case() {
    for provider in registry::all() {
        let descriptor = provider.descriptor();
        let mut found: BTreeSet<String> = BTreeSet::new();
        for path in files(&folder(descriptor)) {
            if !path.to_string_lossy().ends_with(".expect.json") {
                continue;
            }
            let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for answer in expected["answers"].as_array().unwrap() {
                if answer["records"]
                    .as_array()
                    .is_some_and(|records| !records.is_empty())
                {
                    found.extend(answer["capability"].as_str().map(str::to_owned));
                }
            }
        }
        for offer in descriptor.offers {
            assert!(
                found.contains(offer.capability.name()),
                "{} has no fixture of {} with its records beside it",
                descriptor.name,
                offer.capability
            );
        }
    }
}

#[test]
fn every_provider_refuses_what_it_does_not_offer() {
    for provider in registry::all() {
        let query = question(Capability::Parts, IndicatorKind::Phrase, "x");
        let lookup = super::testing::lookup(*provider, query, "none");
        assert!(provider.start(&lookup).is_err(), "{}", provider.descriptor().name);
    }
}
