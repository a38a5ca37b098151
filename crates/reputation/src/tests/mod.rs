use std::collections::BTreeMap;

use jiff::Timestamp;
use pivotd_domain::indicator::Indicator;

use super::calibrate::{Calibration, WordMeaning};
use super::policy::{SourceRules, Thresholds};
use super::score::Recommendation;
use super::testing::{NOW, indicator, judge, listed, now, risk, sum};
use super::*;

mod alerts;
mod calibration;
mod model;
mod properties;
mod replayed;

#[test]
fn a_published_risk_passes_through_for_every_number() {
    for threshold in [0, 50, 100] {
        for n in 0..=100_u8 {
            let policy = Policy::default().with_threshold(threshold);
            let absent = Evidence::absent("other", EvidenceStatus::NoData);
            let found = judge(&[risk(i64::from(n)), absent], &policy);
            assert_eq!(found.score, Some(n));
            assert_eq!(found.exceeds_threshold, n > threshold);
            assert_eq!(
                found.decision,
                if n > threshold {
                    Decision::Exceeds
                } else {
                    Decision::Below
                }
            );
            assert_eq!(sum(&found), i32::from(n));
        }
    }
}

#[test]
fn a_published_risk_keeps_its_weight_whatever_its_age_and_grade() {
    let mut old = risk(63);
    old.observed_at = Some(Timestamp::from_second(NOW - 300 * 86_400).unwrap());
    old.reliability = Reliability::F;
    assert_eq!(judge(&[old], &Policy::default()).score, Some(63));
}

#[test]
fn a_zero_listing_is_benign_and_a_missing_score_is_nothing() {
    let zero = from_risk("domaintools", Some(0), &[], &[], true, None, None, false);
    let found = judge(&[zero], &Policy::default());
    assert_eq!(
        (found.score, found.verdict, found.decision),
        (Some(0), Verdict::Benign, Decision::Below)
    );
    assert_eq!(found.explanation.len(), 1);

    let none = from_risk("domaintools", None, &[], &[], false, None, None, false);
    let found = judge(&[none], &Policy::default());
    assert_eq!(
        (found.score, found.verdict, found.decision),
        (None, Verdict::Unknown, Decision::Unknown)
    );
    assert!(found.complete && !found.exceeds_threshold);

    for off in [-1, 101, i64::MAX] {
        let found = judge(
            &[from_risk(
                "domaintools",
                Some(off),
                &[],
                &[],
                false,
                None,
                None,
                false,
            )],
            &Policy::default(),
        );
        assert_eq!(
            (found.score, found.decision),
            (None, Decision::Undetermined),
            "{off}"
        );
    }
}

#[test]
fn reasons_of_a_risk_are_named_and_printable() {
    let threats = ["phishing\u{1b}[2J".to_owned(), "spam".to_owned()];
    let named = from_risk("domaintools", Some(87), &threats, &[], false, None, None, false);
    assert_eq!(named.reasons, ["risk 87", "threat profile: phishing[2J, spam"]);
    let parts = [
        ("proximity".to_owned(), 12),
        ("malware".to_owned(), 40),
        ("age".to_owned(), 40),
    ];
    let named = from_risk("domaintools", Some(40), &[], &parts, false, None, None, false);
    assert_eq!(named.reasons, ["risk 40", "highest component: age 40"]);
}

#[test]
fn independent_families_add_up_and_one_family_counts_once() {
    let policy = Policy::default();
    let a = listed("a", 50, Reliability::A);
    let b = listed("b", 50, Reliability::A);
    // 1 - .5 x .5
    assert_eq!(judge(&[a.clone(), b.clone()], &policy).score, Some(75));
    let resold = Evidence {
        family: "a".to_owned(),
        ..b
    };
    assert_eq!(judge(&[a.clone(), resold], &policy).score, Some(50));
    let doubtful = Policy::of(Rules {
        sources: BTreeMap::from([(
            "a".to_owned(),
            SourceRules {
                reliability: Some(Reliability::C),
                ..SourceRules::default()
            },
        )]),
        ..Rules::default()
    });
    // .6 x .5
    assert_eq!(judge(&[a], &doubtful).score, Some(30));
    // .85 x .61 = .5185: rounded up, so that it is seen to exceed.
    let over = judge(&[listed("b", 61, Reliability::B)], &doubtful.with_threshold(51));
    assert_eq!((over.score, over.decision), (Some(52), Decision::Exceeds));
}

#[test]
fn evidence_fades_and_ends_with_its_lifetime() {
    let rules = Rules {
        lifetime_s: 1_000,
        ..Rules::default()
    };
    let policy = Policy::of(rules.clone());
    let at = |age: i64| {
        let observed_at = Some(Timestamp::from_second(NOW - age).unwrap());
        judge(
            &[Evidence {
                observed_at,
                ..listed("a", 80, Reliability::A)
            }],
            &policy,
        )
    };
    assert_eq!(at(-5).score, Some(80));
    assert_eq!(at(0).score, Some(80));
    // .8 x (1 - .5^3)
    assert_eq!(at(500).score, Some(70));
    let ended = at(1_000);
    assert_eq!((ended.score, ended.decision), (None, Decision::Unknown));
    assert_eq!(
        ended.explanation.first().unwrap().reason,
        "on the list of a (too old to count)"
    );
    let forever = Policy::of(Rules {
        sources: BTreeMap::from([(
            "a".to_owned(),
            SourceRules {
                lifetime_s: Some(0),
                ..SourceRules::default()
            },
        )]),
        ..rules
    });
    let old = Evidence {
        observed_at: Some(Timestamp::UNIX_EPOCH),
        ..listed("a", 80, Reliability::A)
    };
    assert_eq!(judge(&[old], &forever).score, Some(80));
}

#[test]
fn what_is_known_here_holds_until_its_end() {
    let said = Evidence {
        local: true,
        observed_at: Some(Timestamp::UNIX_EPOCH),
        ..listed("feedback", 95, Reliability::A)
    };
    assert_eq!(judge(&[said], &Policy::default()).score, Some(95));
}

#[test]
fn an_old_answer_counts_for_what_it_says_and_completes_nothing() {
    let old = |item: Evidence| Evidence {
        status: EvidenceStatus::Stale,
        ..item
    };
    let bad = judge(&[old(listed("a", 80, Reliability::A))], &Policy::default());
    assert_eq!(
        (bad.score, bad.decision, bad.complete),
        (Some(80), Decision::Exceeds, false)
    );
    let good = judge(&[old(risk(3))], &Policy::default());
    assert_eq!((good.score, good.decision), (Some(3), Decision::Undetermined));
    assert_ne!(good.verdict, Verdict::Benign);
    assert_eq!((good.coverage.answered, good.coverage.failed), (0, 1));
}

#[test]
fn a_missing_source_that_could_have_spoken_for_it_calls_for_a_person() {
    let words = BTreeMap::from([("riot".to_owned(), WordMeaning::Benign(BenignClass::Hard))]);
    let rules = |source: &str| Rules {
        sources: BTreeMap::from([(
            source.to_owned(),
            SourceRules {
                measures: BTreeMap::from([("list".to_owned(), Calibration::Words(words.clone()))]),
                ..SourceRules::default()
            },
        )]),
        ..Rules::default()
    };
    let missing = Evidence::absent("b", EvidenceStatus::Limited);
    let judged = |source| {
        judge(
            &[listed("a", 90, Reliability::A), missing.clone()],
            &Policy::of(rules(source)),
        )
    };
    assert_eq!(judged("c").recommend, Recommendation::Block);
    let unheard = judged("b");
    assert_eq!(
        (unheard.decision, unheard.recommend),
        (Decision::Exceeds, Recommendation::Review)
    );
}

#[test]
fn evidence_that_was_retrieved_too_long_ago_counts_as_a_failure() {
    let policy = Policy::of(Rules {
        max_stale_s: 100,
        ..Rules::default()
    });
    let stale = |age| Evidence {
        age_s: Some(age),
        status: EvidenceStatus::Stale,
        ..risk(87)
    };
    assert_eq!(judge(&[stale(100)], &policy).score, Some(87));
    let found = judge(&[stale(101)], &policy);
    assert_eq!(
        (found.score, found.decision, found.complete),
        (None, Decision::Undetermined, false)
    );
    assert_eq!(
        found.coverage,
        Coverage {
            asked: 1,
            answered: 0,
            failed: 1,
            skipped: 0
        }
    );
}

#[test]
fn benign_evidence_acts_by_its_class() {
    let policy = Policy::default();
    let benign = |class| Evidence::benign("list", class, "on the list");
    let hard = judge(&[risk(87), benign(BenignClass::Hard)], &policy);
    assert_eq!(
        (hard.score, hard.verdict, hard.conflict),
        (Some(20), Verdict::Benign, true)
    );
    let lines: Vec<(i32, &str)> = hard
        .explanation
        .iter()
        .map(|line| (line.points, line.reason.as_str()))
        .collect();
    assert_eq!(
        lines,
        [(87, "risk 87"), (-67, "on the list: caps the score at 20")]
    );

    let soft = judge(&[risk(87), benign(BenignClass::Soft)], &policy);
    assert_eq!(
        (soft.score, soft.decision, soft.conflict),
        (Some(50), Decision::Below, true)
    );
    assert_eq!(sum(&soft), 50);
    let agreed = judge(
        &[
            risk(87),
            listed("b", 90, Reliability::B),
            benign(BenignClass::Soft),
        ],
        &policy,
    );
    assert_eq!((agreed.decision, agreed.conflict), (Decision::Exceeds, true));
    let popular = judge(&[benign(BenignClass::Soft)], &policy);
    assert_eq!((popular.score, popular.decision), (None, Decision::Unknown));

    let tagged = judge(&[risk(87), benign(BenignClass::Context)], &policy);
    assert_eq!((tagged.score, tagged.conflict), (Some(87), false));
    assert!(
        tagged
            .explanation
            .iter()
            .any(|line| line.points == 0 && line.reason == "on the list")
    );
}

#[test]
fn what_nobody_could_tell_is_never_a_number() {
    let policy = Policy::default();
    let absent = |source, status| Evidence::absent(source, status);
    let cases = [
        (vec![], Decision::Unsupported),
        (
            vec![absent("a", EvidenceStatus::Unsupported)],
            Decision::Unsupported,
        ),
        (vec![absent("a", EvidenceStatus::NoData)], Decision::Unknown),
        (
            vec![
                absent("a", EvidenceStatus::NoData),
                absent("b", EvidenceStatus::Unsupported),
            ],
            Decision::Unknown,
        ),
        (
            vec![
                absent("a", EvidenceStatus::NoData),
                absent("b", EvidenceStatus::Limited),
            ],
            Decision::Undetermined,
        ),
        (vec![absent("a", EvidenceStatus::Timeout)], Decision::Undetermined),
        (
            vec![absent("a", EvidenceStatus::AuthError)],
            Decision::Undetermined,
        ),
        (
            vec![absent("a", EvidenceStatus::ProviderError)],
            Decision::Undetermined,
        ),
        (vec![absent("a", EvidenceStatus::Skipped)], Decision::Undetermined),
    ];
    for (evidence, decision) in cases {
        let found = judge(&evidence, &policy);
        assert_eq!(
            (found.score, found.decision, found.verdict),
            (None, decision, Verdict::Unknown)
        );
        assert!(!found.exceeds_threshold && found.explanation.is_empty());
    }
    let low = judge(&[risk(3), absent("b", EvidenceStatus::Timeout)], &policy);
    assert_eq!(
        (low.score, low.decision, low.verdict),
        (Some(3), Decision::Undetermined, Verdict::Unknown)
    );
    let high = judge(&[risk(87), absent("b", EvidenceStatus::Timeout)], &policy);
    assert_eq!((high.decision, high.complete), (Decision::Exceeds, false));
    assert_eq!(
        judge(&[listed("a", 10, Reliability::F)], &policy).verdict,
        Verdict::Suspicious
    );
    assert_eq!(judge(&[risk(3)], &policy).verdict, Verdict::Benign);
    assert_eq!(judge(&[risk(40)], &policy).verdict, Verdict::Suspicious);
}

#[test]
fn a_version_is_the_rules_name_and_content() {
    let policy = Policy::default();
    let (name, digest) = policy.version().rsplit_once('-').unwrap();
    assert_eq!((name, digest.len()), ("unnamed", 12));
    assert_eq!(policy.version(), Policy::default().version());
    // The threshold of one question is told beside it.
    assert_eq!(policy.version(), policy.with_threshold(51).version());
    let stricter = Policy::of(Rules {
        suspicious: 24,
        ..Rules::default()
    });
    assert_ne!(policy.version(), stricter.version());
}

#[test]
fn thresholds_are_the_kind_s_the_client_s_and_the_caller_s() {
    let rules = Rules {
        thresholds: Thresholds {
            all: Some(50),
            by_kind: BTreeMap::from([(Kind::Domain, 60)]),
        },
        clients: BTreeMap::from([
            (
                "soar".to_owned(),
                Thresholds {
                    all: Some(70),
                    by_kind: BTreeMap::from([(Kind::Email, 80)]),
                },
            ),
            (
                "desk".to_owned(),
                Thresholds {
                    all: None,
                    by_kind: BTreeMap::from([(Kind::Ip, 40)]),
                },
            ),
        ]),
        ..Rules::default()
    };
    let policy = Policy::of(rules);
    let of = |policy: &Policy| Kind::ALL.map(|kind| policy.threshold_of(Some(kind)));
    // domain, ip, email, url, hash
    assert_eq!(of(&policy), [60, 50, 50, 50, 50]);
    assert_eq!(of(&policy.of_client("soar")), [70, 70, 80, 70, 70]);
    assert_eq!(of(&policy.of_client("desk")), [60, 40, 50, 50, 50]);
    assert_eq!(of(&policy.of_client("soar").with_threshold(10)), [10; 5]);
    let found = judge(&[risk(60)], &policy);
    assert_eq!((found.threshold, found.decision), (60, Decision::Below));
}

#[test]
fn so_many_sources_must_agree_before_anything_exceeds() {
    let policy = Policy::default().with_min_sources(2);
    let alone = judge(&[risk(87)], &policy);
    assert_eq!(
        (alone.score, alone.uncapped_score, alone.decision),
        (Some(50), Some(87), Decision::Below)
    );
    assert_eq!(sum(&alone), 50);
    assert!(
        alone
            .explanation
            .iter()
            .any(|line| line.source == "policy" && line.reason.starts_with("1 of 2 sources")),
        "{:?}",
        alone.explanation
    );
    let agreed = judge(&[risk(87), listed("b", 60, Reliability::B)], &policy);
    assert_eq!(agreed.decision, Decision::Exceeds);
    // One that was not sure is no second source, and one that failed might have been.
    let unsure = judge(&[risk(87), listed("b", 40, Reliability::B)], &policy);
    assert_eq!(unsure.score, Some(50));
    let failed = judge(
        &[risk(87), Evidence::absent("b", EvidenceStatus::Timeout)],
        &policy,
    );
    assert_eq!(
        (failed.score, failed.decision),
        (Some(50), Decision::Undetermined)
    );
}

#[test]
fn what_is_not_safe_to_block_is_for_a_person_to_look_at() {
    let policy = Policy::default();
    let shared = Evidence {
        local: true,
        hazard: Some("shared hosting".to_owned()),
        ..Evidence::benign("lists", BenignClass::Context, "shared hosting")
    };
    let block = judge(&[risk(87)], &policy);
    assert_eq!(
        (block.recommend, block.safe_to_block),
        (Recommendation::Block, true)
    );
    let review = judge(&[risk(87), shared], &policy);
    assert_eq!(
        (review.recommend, review.safe_to_block, review.score),
        (Recommendation::Review, false, Some(87))
    );
    assert_eq!(review.unsafe_because, ["shared hosting"]);
    assert_eq!(review.coverage.asked, 1, "a list is nobody who was asked");
    let careful = Policy::of(Rules {
        block: Some(90),
        ..Rules::default()
    });
    assert_eq!(judge(&[risk(87)], &careful).recommend, Recommendation::Review);
    assert_eq!(judge(&[risk(91)], &careful).recommend, Recommendation::Block);
    assert_eq!(judge(&[risk(3)], &policy).recommend, Recommendation::None);
    let missing = [Evidence::absent("a", EvidenceStatus::Timeout)];
    assert_eq!(judge(&missing, &policy).recommend, Recommendation::Review);
}
