//! Demands of every provider the cases that tell whether it can be trusted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::testing::{lookup, question, reply, walk};
use crate::domain::{Capability, Denial, FailureKind, IndicatorKind};
use crate::providers::{Descriptor, Lookup, Origin, Provider, ProviderError, Providers, Reply, ReplyClass};
use crate::replay::Rrset;

pub(super) fn folder(descriptor: &Descriptor) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(descriptor.name.as_str())
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
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

/// Reads the answer of a case: its status line, the headers that are read of it, and the body; or what DNS answers.
pub(super) fn case(descriptor: &Descriptor, path: &Path) -> Reply {
    let text = std::fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|end| end == "dns") {
        let answer = Rrset::parse("case", &text).unwrap().answer().clone();
        return Reply::of_dns(answer.code, &answer.records);
    }
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
        headers: descriptor
            .reply_headers
            .iter()
            .filter_map(|name| Some((name.clone(), header(name)?)))
            .collect(),
        ..reply(status, body)
    }
}

/// Returns an example of a kind.
pub(super) fn value(kind: IndicatorKind) -> &'static str {
    match kind {
        IndicatorKind::Domain => "example.com",
        IndicatorKind::Hostname => "www.example.com",
        IndicatorKind::Ipv4 => "192.0.2.44",
        IndicatorKind::Ipv6 => "2001:db8::44",
        IndicatorKind::Netblock => "192.0.2.0/24",
        IndicatorKind::Asn => "AS64500",
        IndicatorKind::Url => "http://example.com/x",
        IndicatorKind::Email => "office@example.com",
        IndicatorKind::Hash => "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        IndicatorKind::Certificate => "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f",
        IndicatorKind::Phone => "+1 555 0100",
        IndicatorKind::Person | IndicatorKind::Organization => "Anton Kranz",
        IndicatorKind::Phrase | IndicatorKind::Community => "Common Community",
        IndicatorKind::Incident => "1184230",
    }
}

/// Asks everything that a provider offers, by the first product that can be asked it.
fn questions(provider: &dyn Provider) -> Vec<Lookup> {
    let mut all = Vec::new();
    for offer in &provider.descriptor().offers {
        for kind in &offer.inputs {
            let mut query = question(offer.capability, *kind, value(*kind));
            for param in &offer.params {
                query = query.with(&param.name, &param.values.default());
            }
            let products = offer.products.iter();
            let mut asked = products.map(|product| lookup(provider, query.clone(), &product.id));
            all.extend(asked.find(|asked| provider.start(asked).is_ok()));
        }
    }
    all
}

/// Says how a look-up ends whose every call is answered so: `found` or `not found`, else by the kind of its failure.
fn end(provider: &dyn Provider, lookup: &Lookup, reply: &Reply) -> String {
    let failed = |kind: FailureKind| match kind {
        FailureKind::Limited => "limited".to_owned(),
        FailureKind::Denied(Denial::ServerKey) => "badkey".to_owned(),
        FailureKind::Malformed => "malformed".to_owned(),
        other => format!("{other:?}"),
    };
    match walk(provider, lookup, |_| reply.clone()) {
        Ok(walked) if walked.answer().is_not_found() => "notfound".to_owned(),
        Ok(_) => "found".to_owned(),
        Err(ProviderError::Failed(failure)) => failed(failure.kind),
        Err(ProviderError::Malformed(_)) => failed(FailureKind::Malformed),
        Err(other) => format!("{other:?}"),
    }
}

/// Classifies the call that buys a session, where a case is about that.
fn is_refused_session(provider: &dyn Provider, reply: &Reply) -> bool {
    let classified = provider
        .session()
        .map(|call| provider.classify(&call, reply).class);
    matches!(classified, Some(ReplyClass::KeyRefused(_)))
}

#[test]
fn every_provider_has_a_case_of_each_kind_and_ends_its_look_ups_so() {
    for provider in &Providers::built_in() {
        let descriptor = provider.descriptor();
        let questions = questions(provider.as_ref());
        let (mut seen, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        let folder = folder(descriptor);
        let over_dns = descriptor.origins.iter().any(Origin::is_dns);
        let default = folder.join(if over_dns { "_default.dns" } else { "_default.http" });
        let cases = files(&folder.join("_cases")).into_iter().chain([default]);
        for path in cases {
            let name = path.file_stem().unwrap().to_string_lossy().replace('-', "");
            // What a vendor says by default is what it says of what it does not know.
            let name = name.replace("_default", "notfound");
            let kinds = ["notfound", "limited", "badkey", "malformed"];
            let Some(kind) = kinds.into_iter().find(|kind| name.starts_with(kind)) else {
                continue;
            };
            seen.insert(kind);
            let reply = case(descriptor, &path);
            let ends: Vec<(Capability, String)> = questions
                .iter()
                .map(|asked| (asked.queries[0].capability, end(provider.as_ref(), asked, &reply)))
                .collect();
            let not_found = ends.iter().filter(|(_, end)| end == "notfound");
            unknown.extend(not_found.map(|(capability, _)| capability.name()));
            // What a vendor says of one list need be no answer of another; but of nothing it makes a record.
            let fits = |end: &str| end == kind || (kind == "notfound" && end == "malformed");
            let all = ends.iter().all(|(_, end)| fits(end)) && ends.iter().any(|(_, end)| end == kind);
            let refused = kind == "badkey" && is_refused_session(provider.as_ref(), &reply);
            assert!(all || refused, "{}: {ends:?}", path.display());
        }
        // An account is never unknown.
        let offers = descriptor.offers.iter();
        for offer in offers.filter(|offer| offer.capability != Capability::Account) {
            assert!(
                unknown.contains(offer.capability.name()),
                "{} has no case in which {} finds nothing",
                descriptor.name,
                offer.capability
            );
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

/// Returns the tests of a provider, as they are written.
fn sources(descriptor: &Descriptor) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider_tests");
    let folder = tests.join(descriptor.name.as_str());
    let paths = if folder.is_dir() {
        files(&folder)
    } else {
        vec![folder.with_extension("rs")]
    };
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn every_capability_of_every_provider_has_a_found_case() {
    for provider in &Providers::built_in() {
        let descriptor = provider.descriptor();
        let mut found: BTreeSet<String> = BTreeSet::new();
        let (folder, sources) = (folder(descriptor), sources(descriptor));
        for path in files(&folder) {
            let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(".expect.json") else {
                continue;
            };
            // What no test compares says nothing.
            assert!(
                sources.contains(&format!("\"{name}\"")),
                "no test of {} names {name}",
                descriptor.name
            );
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
        for offer in &descriptor.offers {
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
    for provider in &Providers::built_in() {
        let query = question(Capability::Parts, IndicatorKind::Phrase, "x");
        let lookup = super::testing::lookup(provider.as_ref(), query, "none");
        assert!(provider.start(&lookup).is_err(), "{}", provider.descriptor().name);
    }
}
