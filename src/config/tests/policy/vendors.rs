//! What the compiled-in rules make of each source alone: the number from which a vendor says to look, and the one from which
//! it says to act, lie where the rules have their thresholds, after the source's grade.

use super::*;
use crate::domain::Record;
use crate::reputation::calibrate::{Calibration, Origin, from_record};

const DOCUMENT: &str = include_str!("../../../../docs/scores.md");
const FRESH: Origin = Origin {
    retrieved_at: None,
    age_s: Some(0),
    cached: false,
    stale: false,
};

/// Reads the rules of a file over the compiled-in one; what it says of `[reputation]` only.
fn policy(lines: &str) -> Policy {
    let descriptors = crate::providers::Providers::built_in();
    let loaded = crate::config::read("own", lines, false, &[], &descriptors).unwrap();
    Policy::of(loaded.settings.reputation)
}

fn default_policy() -> Policy {
    policy(crate::config::DEFAULT_FILE)
}

/// Assesses what one source says, where no other says anything. A date of long ago shows what does not decay.
fn alone(policy: &Policy, source: &str, measure: &str, said: &str, days: i64) -> Assessment {
    let record = Record::new()
        .with("measure", measure)
        .with("reasons", vec![said.to_owned()]);
    let seen = Timestamp::from_second(NOW - days * 86_400).unwrap();
    let record = match said.parse::<i64>() {
        Ok(number) => record.with("value", number),
        Err(_) => record.with("word", said),
    };
    let record = if measure == "registered" {
        record.with(
            "first_seen",
            Timestamp::from_second(NOW - said.parse::<i64>().unwrap() * 86_400).unwrap(),
        )
    } else {
        record.with("last_seen", seen)
    };
    let evidence = from_record(source, &record, &policy.rules, &FRESH, now());
    assess("x", &indicator(), vec![evidence], policy, now())
}

/// Says in a word what a playbook and a person see.
fn outcome(found: &Assessment) -> &'static str {
    match (found.decision, found.verdict) {
        (Decision::Exceeds, Verdict::Malicious) => "exceeds",
        (Decision::Exceeds, _) => "exceeds without being malicious",
        _ if found.recommend == Recommendation::Review => "review",
        _ => "below",
    }
}

/// For each measure on a vendor's scale: the number from which it is looked at, and from which it exceeds.
const SCALES: [(&str, &str, i64, Option<i64>); 11] = [
    ("ipqs", "fraud-score", 75, Some(90)),
    ("abuseipdb", "abuse-confidence", 25, Some(75)),
    ("threatgrid", "threat-score", 85, Some(95)),
    ("threatgrid", "seen-in-samples", 85, None),
    ("threatconnect", "threat-assess", 201, Some(501)),
    ("threatconnect", "rating", 60, Some(80)),
    ("virustotal", "engines", 2, Some(6)),
    ("virustotal", "suspicious-engines", 5, None),
    ("domaintools", "hosted-domains", 32, Some(67)),
    ("domaintools", "registered-domains", 42, Some(64)),
    ("spamhaus", "zrd", i64::MAX, None),
];

#[test]
fn each_number_from_which_a_vendor_says_to_act_is_where_the_threshold_is_crossed() {
    // Grades weigh less or more than the default; the vendor's numbers stay where they are.
    let grades = |grade: &str| {
        let mut lines = "[providers.domaintools]\n".to_owned();
        for source in ["ipqs", "abuseipdb", "threatgrid", "threatconnect"] {
            lines.push_str(&format!(
                "[reputation.sources.{source}]\nreliability = \"{grade}\"\n"
            ));
        }
        policy(&lines)
    };
    for (source, measure, review, exceeds) in SCALES {
        let mut policies = vec![default_policy()];
        let is_vendors = default_policy().rules.sources[source].alone.contains_key(measure);
        if is_vendors {
            policies.extend(["A", "B", "C"].map(grades));
        }
        for policy in policies {
            let says = |number: i64| outcome(&alone(&policy, source, measure, &number.to_string(), 0));
            if review == i64::MAX {
                continue;
            }
            let cases = [(review - 1, "below"), (review, "review"), (review + 1, "review")];
            for (number, expected) in cases {
                assert_eq!(says(number), expected, "{source} {measure} {number}");
            }
            match exceeds {
                Some(exceeds) => {
                    let cases = [
                        (exceeds - 1, "review"),
                        (exceeds, "exceeds"),
                        (exceeds + 1, "exceeds"),
                    ];
                    for (number, expected) in cases {
                        assert_eq!(says(number), expected, "{source} {measure} {number}");
                    }
                }
                None => assert_eq!(says(100_000), "review", "{source} {measure} never exceeds alone"),
            }
        }
    }
}

#[test]
fn below_the_number_from_which_a_vendor_says_to_look_nothing_is_suspicious() {
    let policy = default_policy();
    for (source, measure, review, _) in SCALES {
        if !policy.rules.sources[source].alone.contains_key(measure) {
            continue;
        }
        for (number, verdict) in [
            (1, Verdict::Benign),
            (review - 1, Verdict::Benign),
            (review, Verdict::Suspicious),
        ] {
            let found = alone(&policy, source, measure, &number.to_string(), 0);
            assert_eq!(found.verdict, verdict, "{source} {measure} {number}");
        }
    }
}

#[test]
fn a_score_never_falls_while_a_vendors_number_grows() {
    let policy = default_policy();
    for (source, measure, review, _) in SCALES {
        if review == i64::MAX {
            continue;
        }
        let max = if measure == "threat-assess" { 1000 } else { 100 };
        let scores: Vec<u8> = (0..=max)
            .map(|number| {
                alone(&policy, source, measure, &number.to_string(), 0)
                    .score
                    .unwrap()
            })
            .collect();
        let rises = scores.windows(2).all(|pair| pair[0] <= pair[1]);
        assert!(rises, "{source} {measure}: {scores:?}");
    }
}

#[test]
fn the_vendors_word_governs_where_it_classifies() {
    let policy = default_policy();
    for (source, measure, word, expected) in [
        ("defender", "score", "malicious", "exceeds"),
        ("defender", "score", "suspicious", "review"),
        ("defender", "score", "neutral", "below"),
        ("passivetotal", "score", "malicious", "exceeds"),
        ("passivetotal", "score", "suspicious", "review"),
        ("greynoise", "classification", "malicious", "exceeds"),
        ("greynoise", "classification", "suspicious", "review"),
        ("greynoise", "classification", "unknown", "below"),
        ("emailrep", "flag", "blacklisted", "exceeds"),
        ("emailrep", "flag", "suspicious", "review"),
        ("emailrep", "reputation", "low", "review"),
    ] {
        assert_eq!(
            outcome(&alone(&policy, source, measure, word, 0)),
            expected,
            "{source} {word}"
        );
    }
    // Whatever number stands beside it, and the number is told with the word.
    for number in [0, 40, 60, 100] {
        for (word, expected) in [
            ("malicious", "exceeds"),
            ("suspicious", "review"),
            ("neutral", "below"),
            ("unknown", "below"),
        ] {
            for source in ["defender", "passivetotal"] {
                let record = Record::new()
                    .with("measure", "score")
                    .with("value", number)
                    .with("word", word);
                let evidence = from_record(source, &record, &policy.rules, &FRESH, now());
                assert_eq!(evidence.reasons[0], format!("score {number}, {word}"));
                assert_eq!(evidence.raw.clone().unwrap().value, RawValue::Whole(number));
                assert_eq!(
                    outcome(&judge(&[evidence], &policy)),
                    expected,
                    "{source} {word} {number}"
                );
            }
        }
    }
}

#[test]
fn noise_without_a_class_is_told_and_is_no_score() {
    let found = alone(&default_policy(), "greynoise", "classification", "unknown", 0);
    assert_eq!(
        (found.score, found.evidence[0].status),
        (None, EvidenceStatus::Ok)
    );
    assert_eq!(found.evidence[0].polarity, Polarity::Benign(BenignClass::Context));
    assert!(found.evidence[0].raw.is_some());
    let titles = BTreeMap::new();
    let answer = combine(Request::new("", "", &titles), &default_policy(), vec![found]);
    assert_eq!(answer.decision, Decision::Unknown);
    assert!(answer.summary.contains("greynoise"), "{}", answer.summary);
    assert!(!answer.summary.contains("othing is known"), "{}", answer.summary);
}

#[test]
fn what_a_vendor_keeps_up_to_date_does_not_decay() {
    let policy = default_policy();
    for (source, measure, number) in [
        ("abuseipdb", "abuse-confidence", 75),
        ("threatgrid", "threat-score", 95),
        ("threatconnect", "threat-assess", 501),
    ] {
        let old = alone(&policy, source, measure, &number.to_string(), 80);
        assert_eq!(outcome(&old), "exceeds", "{source}");
    }
    // A rating is of its day.
    assert_eq!(
        outcome(&alone(&policy, "threatconnect", "rating", "80", 80)),
        "below"
    );
}

#[test]
fn no_flag_of_ipqs_exceeds_alone() {
    let policy = default_policy();
    for flag in [
        "honeypot",
        "frequent_complainer",
        "recent_abuse",
        "leaked",
        "disposable",
        "suspect",
        "spam_trap_high",
        "invalid",
    ] {
        let found = alone(&policy, "ipqs", "flag", flag, 0);
        assert_ne!(found.decision, Decision::Exceeds, "{flag}");
    }
}

#[test]
fn a_grade_that_weighs_less_than_a_score_caps_it_and_is_told() {
    let lines = "[providers.domaintools]\n[reputation.sources.ipqs]\nreliability = \"E\"\n";
    let descriptors = crate::providers::Providers::built_in();
    let loaded = crate::config::read("own", lines, false, &[], &descriptors).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    let told =
        "sources.ipqs.fraud-score: grade E lets the source come to 15 alone, and the measure says up to 85";
    assert!(
        warnings.iter().any(|warning| warning.contains(told)),
        "{warnings:?}"
    );
    let policy = Policy::of(loaded.settings.reputation);
    assert_eq!(alone(&policy, "ipqs", "fraud-score", "100", 0).score, Some(15));
}

#[test]
fn the_domain_of_free_mail_is_never_blocked() {
    let rules = Rules {
        never_block: Vec::new(),
        ..Rules::clone(&default_policy().rules)
    };
    let policy = Policy::of(rules);
    let lists = crate::domain::Lists::built_in();
    for name in ["gmail.com", "outlook.com", "web.de"] {
        let domain = Indicator::name(name).unwrap();
        let mut evidence = lists::evidence(&domain, &lists.hits(&domain), &policy.rules);
        evidence.extend([
            risk(99),
            listed("one", 99, Reliability::A),
            listed("two", 99, Reliability::A),
        ]);
        let found = assess("domain", &domain, evidence, &policy, now());
        assert_ne!(found.recommend, Recommendation::Block, "{name}");
        assert!(!found.safe_to_block, "{name}");
    }
}

#[test]
fn every_compiled_in_measure_says_who_says_so() {
    let rules = default_policy().rules;
    for (name, source) in &rules.sources {
        for measure in source.measures.keys() {
            let by = source.by.get(measure).map(String::as_str).unwrap_or_default();
            assert!(by.len() >= 8, "{name} {measure}: {by:?}");
        }
    }
}

/// Is a row of the document's table: source, measure, number or word, the vendor's word, score, and what follows.
fn rows() -> Vec<Vec<String>> {
    let table = DOCUMENT
        .split("| source | measure | number or word |")
        .nth(1)
        .unwrap();
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn the_documents_table_is_what_the_rules_come_to() {
    let policy = default_policy();
    let rows = rows();
    assert!(rows.len() > 60, "{}", rows.len());
    for row in &rows {
        let [source, measure, said, _, score, follows, by] = row.as_slice() else {
            panic!("{row:?}");
        };
        let found = alone(&policy, source, measure, said, 0);
        let shown = match found.evidence[0].polarity {
            Polarity::Benign(BenignClass::Hard) => "hard".to_owned(),
            Polarity::Benign(BenignClass::Soft) => "soft".to_owned(),
            _ => found
                .score
                .map_or_else(|| "-".to_owned(), |score| score.to_string()),
        };
        assert_eq!((&shown, outcome(&found)), (score, follows.as_str()), "{row:?}");
        assert_eq!(Some(by), policy.rules.sources[source].by.get(measure), "{row:?}");
    }
    // Every measure stands there, and every word.
    for (name, source) in &policy.rules.sources {
        for (measure, calibration) in &source.measures {
            let stands = |said: Option<&str>| {
                rows.iter().any(|row| {
                    row[0] == *name && row[1] == *measure && said.is_none_or(|said| row[2] == said)
                })
            };
            match calibration {
                Calibration::Words(words) => {
                    assert!(words.keys().all(|word| stands(Some(word))), "{name} {measure}");
                }
                _ => assert!(stands(None), "{name} {measure}"),
            }
        }
    }
}
