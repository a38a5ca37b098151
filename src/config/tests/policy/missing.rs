//! What missing sources could have said, by the compiled-in policy: exactly as much as they can say.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::domain::lists::{Hit, Purpose};
use crate::domain::{Record, Value};
use crate::reputation::calibrate::{Calibration, Origin, from_record};
use crate::reputation::cause::CauseKind;

const FRESH: Origin = Origin {
    retrieved_at: None,
    age_s: Some(5),
    cached: false,
    stale: false,
};

pub(super) fn compiled_in() -> Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    let read = || {
        let descriptors = crate::providers::Providers::built_in();
        Policy::of(
            crate::config::load(None, &[], &descriptors)
                .unwrap()
                .settings
                .reputation,
        )
    };
    POLICY.get_or_init(read).clone()
}

/// Makes the evidence of a number or a word on a measure, or of an age of so many days.
pub(super) fn said(rules: &Rules, source: &str, measure: &str, value: &Said) -> Evidence {
    let record = Record::new().with("measure", measure);
    let record = match value {
        Said::Number(number) => record.with("value", *number),
        Said::Word(word) => record.with("word", word.clone()),
        Said::Days(days) => {
            let first = Timestamp::from_second(NOW - days * 86_400).unwrap();
            record.with("first_seen", Value::Time(first))
        }
    };
    from_record(source, &record, rules, &FRESH, now())
}

#[derive(Debug, Clone)]
pub(super) enum Said {
    Number(i64),
    Word(String),
    Days(i64),
}

/// Lists what a calibration distinguishes: its points and what lies between them, or its words.
fn values(calibration: &Calibration) -> Vec<Said> {
    match calibration {
        Calibration::Published => [0, 3, 49, 50, 51, 80, 100].map(Said::Number).to_vec(),
        Calibration::Points(points) => points
            .iter()
            .flat_map(|(at, _)| [Said::Number(*at), Said::Number(at + 1)])
            .collect(),
        Calibration::Age(points) => points.iter().map(|(at, _)| Said::Days(*at)).collect(),
        Calibration::Words(words) => words.keys().cloned().map(Said::Word).collect(),
    }
}

/// Lists every single thing that a source can say.
fn sayings(rules: &Rules, source: &str) -> Vec<Evidence> {
    let measures = &rules.sources[source].measures;
    let all = measures.iter().flat_map(|(measure, calibration)| {
        let values = values(calibration);
        values
            .into_iter()
            .map(|value| said(rules, source, measure, &value))
            .collect::<Vec<_>>()
    });
    all.collect()
}

const SOURCES: [&str; 6] = [
    "domaintools",
    "virustotal",
    "spamhaus",
    "rdap",
    "dns",
    "greynoise",
];

/// What became of a source.
#[derive(Debug, Clone)]
enum Source {
    /// It says these of its sayings, by place.
    Says(Vec<prop::sample::Index>),
    /// It is missing; perhaps an older answer stands in. Its answer now would be the second.
    Missing(
        EvidenceStatus,
        Option<prop::sample::Index>,
        Vec<prop::sample::Index>,
    ),
    NotAsked,
}

fn any_source() -> impl Strategy<Value = Source> {
    let places = || prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    let status = prop::sample::select(vec![
        EvidenceStatus::Limited,
        EvidenceStatus::Timeout,
        EvidenceStatus::Skipped,
        EvidenceStatus::AuthError,
        EvidenceStatus::ProviderError,
    ]);
    prop_oneof![
        2 => places().prop_map(Source::Says),
        3 => (status, prop::option::weighted(0.2, any::<prop::sample::Index>()), places())
            .prop_map(|(status, old, now)| Source::Missing(status, old, now)),
        1 => Just(Source::NotAsked),
    ]
}

fn any_list() -> impl Strategy<Value = Vec<Evidence>> {
    let lists = prop::sample::select(vec![
        None,
        None,
        Some(Purpose::Popular),
        Some(Purpose::Own),
        Some(Purpose::FreeMail),
        Some(Purpose::Disposable),
    ]);
    lists.prop_map(|purpose| purpose.map_or_else(Vec::new, |purpose| listing(&indicator(), purpose)))
}

pub(super) fn listing(indicator: &Indicator, purpose: Purpose) -> Vec<Evidence> {
    let hit = Hit {
        purpose,
        list: "a list".into(),
        entry: indicator.value().to_owned(),
    };
    lists::evidence(indicator, &[hit], &compiled_in().rules)
}

/// Makes the evidence as it is, with sources missing, and as it would be with their answers.
fn evidence(rules: &Rules, sources: &[Source]) -> (Vec<Evidence>, Vec<Evidence>) {
    let (mut now, mut full) = (Vec::new(), Vec::new());
    for (name, source) in SOURCES.iter().zip(sources) {
        let all = sayings(rules, name);
        let pick = |places: &[prop::sample::Index]| -> Vec<Evidence> {
            if places.is_empty() {
                return vec![Evidence::absent(name, EvidenceStatus::NoData)];
            }
            places.iter().map(|place| place.get(&all).clone()).collect()
        };
        match source {
            Source::NotAsked => {}
            Source::Says(places) => {
                now.extend(pick(places));
                full.extend(pick(places));
            }
            Source::Missing(status, old, answer) => {
                match old {
                    Some(old) => now.push(Evidence {
                        status: EvidenceStatus::Stale,
                        ..old.get(&all).clone()
                    }),
                    None => now.push(Evidence::absent(name, *status)),
                }
                full.extend(pick(answer));
            }
        }
    }
    (now, full)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_not_undetermined_exceeds_whatever_missing_sources_would_have_said_only_if_it_does_now(
        sources in prop::collection::vec(any_source(), SOURCES.len()),
        list in any_list(),
        threshold in prop::sample::select(vec![20_u8, 50, 50, 70, 85, 100]),
        agree in 1..3_u32,
    ) {
        let policy = compiled_in().with_threshold(threshold).with_min_sources(agree);
        let (mut now, mut full) = evidence(&policy.rules, &sources);
        now.extend(list.iter().cloned());
        full.extend(list);
        let found = judge(&now, &policy);
        let whole = judge(&full, &policy);
        prop_assert!(whole.causes.is_empty());
        if matches!(found.decision, Decision::Below | Decision::Unknown | Decision::Unsupported) {
            prop_assert_ne!(whole.decision, Decision::Exceeds, "{:?}\n{:?}", found, whole);
        }
        prop_assert_eq!(found.decision == Decision::Undetermined, !found.causes.is_empty());
    }

    #[test]
    fn what_is_undetermined_exceeds_where_missing_sources_say_their_worst(
        sources in prop::collection::vec(any_source(), SOURCES.len()),
        list in any_list(),
        threshold in prop::sample::select(vec![20_u8, 50, 50, 70, 85]),
        agree in 1..3_u32,
    ) {
        let policy = compiled_in().with_threshold(threshold).with_min_sources(agree);
        let (mut now, _) = evidence(&policy.rules, &sources);
        now.extend(list.iter().cloned());
        let found = judge(&now, &policy);
        if found.decision == Decision::Undetermined {
            let mut worst = list;
            for (name, source) in SOURCES.iter().zip(&sources) {
                let all = sayings(&policy.rules, name);
                match source {
                    Source::NotAsked => {}
                    Source::Says(places) => worst.extend(places.iter().map(|place| place.get(&all).clone())),
                    // Everything that it can say against the indicator, at once.
                    Source::Missing(..) => worst.extend(all.into_iter().filter(|one| one.polarity == Polarity::Malicious)),
                }
            }
            prop_assert_eq!(judge(&worst, &policy).decision, Decision::Exceeds);
        }
    }
}

fn timeout(source: &str) -> Evidence {
    Evidence::absent(source, EvidenceStatus::Timeout)
}

#[test]
fn a_gap_that_could_not_matter_leaves_the_decision_and_costs_confidence() {
    let policy = compiled_in();
    let whole = judge(&[risk(3)], &policy);
    let found = judge(&[risk(3), timeout("dns")], &policy);
    assert_eq!(
        (found.score, found.decision, found.verdict, found.complete),
        (Some(3), Decision::Below, Verdict::Benign, false)
    );
    assert!(found.causes.is_empty() && found.confidence < whole.confidence);
    let titles = BTreeMap::from([("dns".to_owned(), "DNS".to_owned())]);
    let answer = combine(Request::new("", "", &titles), &policy, vec![found]);
    let told = "DNS did not answer in time: that could not have taken a score over its threshold.";
    assert_eq!(answer.decision, Decision::Below);
    assert_eq!(answer.notes, [told]);
    assert!(answer.summary.ends_with(told), "{}", answer.summary);
    assert_eq!((answer.causes.len(), answer.retry_after_s), (0, None));
}

#[test]
fn gaps_count_together_with_each_other_and_with_what_is_there() {
    let policy = compiled_in();
    // DNS adds 27 at most: 1 - .68 x .73 is 50.4, rounded up.
    assert_eq!(
        judge(&[risk(31), timeout("dns")], &policy).decision,
        Decision::Below
    );
    let over = judge(&[risk(32), timeout("dns")], &policy);
    assert_eq!(over.decision, Decision::Undetermined);
    assert_eq!(over.causes.len(), 1);
    // Neither alone, both together.
    let at = |sources: &[&str]| {
        let mut evidence = vec![risk(3)];
        evidence.extend(sources.iter().map(|source| timeout(source)));
        judge(&evidence, &policy).decision
    };
    assert_eq!([at(&["dns"]), at(&["rdap"])], [Decision::Below; 2]);
    assert_eq!(at(&["dns", "rdap"]), Decision::Undetermined);
    // Of what no source knows, circumstances would be told alone.
    let nothing = Evidence::absent("domaintools", EvidenceStatus::NoData);
    let found = judge(&[nothing, timeout("dns"), timeout("rdap")], &policy);
    assert_eq!((found.score, found.decision), (None, Decision::Unknown));
}

#[test]
fn a_cap_holds_against_what_is_missing_as_far_as_it_would_hold() {
    let policy = compiled_in();
    let decide = |missing: &[&str], purpose| {
        let mut evidence = listing(&indicator(), purpose);
        evidence.push(risk(3));
        evidence.extend(missing.iter().map(|source| timeout(source)));
        judge(&evidence, &policy).decision
    };
    assert_eq!(decide(&["virustotal"], Purpose::Popular), Decision::Below);
    // Two reliable sources lift a soft cap, and none a hard one.
    assert_eq!(
        decide(&["virustotal", "spamhaus"], Purpose::Popular),
        Decision::Undetermined
    );
    assert_eq!(decide(&["virustotal", "spamhaus"], Purpose::Own), Decision::Below);
    // A good word that is old does not hold: what its source would say now is missing.
    let riot = Evidence {
        status: EvidenceStatus::Stale,
        ..said(&policy.rules, "greynoise", "riot", &Said::Word("riot".to_owned()))
    };
    assert_eq!(judge(&[riot], &policy).decision, Decision::Undetermined);
}

#[test]
fn an_older_answer_of_any_kind_leaves_open_what_the_source_could_say_now() {
    let policy = compiled_in().with_threshold(20);
    for source in SOURCES {
        let alone = judge(&[timeout(source)], &policy).decision;
        for said in sayings(&policy.rules, source) {
            let old = Evidence {
                status: EvidenceStatus::Stale,
                ..said
            };
            let found = judge(std::slice::from_ref(&old), &policy);
            if found.decision != Decision::Exceeds {
                assert_eq!(found.decision, alone, "{old:?}");
            }
        }
    }
}

#[test]
fn a_required_source_is_missed_whatever_it_could_add() {
    let mut rules = (*compiled_in().rules).clone();
    rules.required = BTreeMap::from([(Kind::Domain, ["dns".to_owned()].into())]);
    let policy = Policy::of(rules);
    let found = judge(&[risk(3), timeout("dns")], &policy);
    assert_eq!(found.decision, Decision::Undetermined);
    assert_eq!(found.causes[0].source.as_deref(), Some("dns"));
    let unasked = judge(&[risk(3)], &policy);
    assert_eq!(unasked.decision, Decision::Undetermined);
    assert!(unasked.causes[0].detail.contains("required"));
    let there = judge(
        &[risk(3), Evidence::absent("dns", EvidenceStatus::NoData)],
        &policy,
    );
    assert_eq!(there.decision, Decision::Below);
    assert_eq!(judge(&[risk(87)], &policy).decision, Decision::Exceeds);
    let own = judge(&listing(&indicator(), Purpose::Own), &policy);
    assert_eq!(
        own.decision,
        Decision::Below,
        "what is one's own needs nobody's answer"
    );
    let ip = Indicator::guess("192.0.2.44").unwrap();
    let other = assess("ip", &ip, [risk(3)], &policy, now());
    assert_eq!(other.decision, Decision::Below, "it is required for domains");
}

#[test]
fn a_cause_says_whether_asking_again_can_help_and_when() {
    let policy = compiled_in();
    let mut budget = Evidence::absent("virustotal", EvidenceStatus::Limited);
    budget.gap.is_own_limit = true;
    budget.gap.detail = "the budget of 500/day is used up (500 used)".to_owned();
    budget.gap.retry_at = Timestamp::from_second(NOW + 90).ok();
    let skipped = Evidence::absent("spamhaus", EvidenceStatus::Skipped);
    let refused = Evidence::absent("threatconnect", EvidenceStatus::AuthError);
    let found = judge(&[budget, skipped, refused, timeout("domaintools")], &policy);
    assert_eq!(found.decision, Decision::Undetermined);
    let told: Vec<_> = found
        .causes
        .iter()
        .map(|cause| {
            (
                cause.source.as_deref().unwrap(),
                cause.kind,
                cause.retry,
                cause.retry_after_s,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("domaintools", CauseKind::Source, true, None),
            ("spamhaus", CauseKind::Source, false, None),
            ("threatconnect", CauseKind::Source, false, None),
            ("virustotal", CauseKind::Budget, true, Some(90)),
        ]
    );
    assert!(
        found.causes[3].detail.contains("500/day"),
        "{:?}",
        found.causes[3]
    );
    let titles = BTreeMap::new();
    let answer = combine(Request::new("", "", &titles), &policy, vec![found.clone()]);
    assert_eq!(answer.retry_after_s, Some(90));
    assert_eq!(answer.causes, found.causes);
    assert!(answer.summary.contains("your own limit"), "{}", answer.summary);
    assert!(
        answer.summary.contains("Asking again in 90 s can help."),
        "{}",
        answer.summary
    );
}
