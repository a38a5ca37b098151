use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

pub(super) fn any_evidence() -> impl Strategy<Value = Evidence> {
    let statuses = prop_oneof![
        6 => Just(EvidenceStatus::Ok),
        1 => Just(EvidenceStatus::Stale),
        1 => any_absence(),
    ];
    let polarity = prop_oneof![
        6 => Just(Polarity::Malicious),
        1 => Just(Polarity::Benign(BenignClass::Hard)),
        1 => Just(Polarity::Benign(BenignClass::Soft)),
        1 => Just(Polarity::Benign(BenignClass::Context)),
        1 => Just(Polarity::Context),
    ];
    let grade = prop::sample::select(vec![
        Reliability::A,
        Reliability::B,
        Reliability::C,
        Reliability::D,
        Reliability::E,
        Reliability::F,
    ]);
    let probability = prop_oneof![
        0..=1_000_000_u32,
        (0..=100_u32).prop_map(|percent| percent * 10_000)
    ];
    let age = prop::option::of(0..20 * 86_400_u64);
    let observed = prop::option::of(-86_400..200 * 86_400_i64);
    let names = (0..6_u8, 0..4_u8);
    (
        names,
        statuses,
        polarity,
        grade,
        probability,
        age,
        observed,
        any::<bool>(),
    )
        .prop_map(
            |((source, family), status, polarity, reliability, probability, age_s, observed, passthrough)| {
                Evidence {
                    family: format!("f{family}"),
                    polarity,
                    reliability,
                    probability: Some(Millionths::new(probability)),
                    age_s,
                    observed_at: observed.map(|age| Timestamp::from_second(NOW - age).unwrap()),
                    passthrough,
                    ..Evidence::absent(&format!("s{source}"), status)
                }
            },
        )
}

pub(super) fn any_absence() -> impl Strategy<Value = EvidenceStatus> {
    prop::sample::select(vec![
        EvidenceStatus::NoData,
        EvidenceStatus::Unsupported,
        EvidenceStatus::Skipped,
        EvidenceStatus::Limited,
        EvidenceStatus::Timeout,
        EvidenceStatus::AuthError,
        EvidenceStatus::ProviderError,
    ])
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (0..=100_u8).prop_map(|threshold| Policy::default().with_threshold(threshold))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn order_does_not_matter(
        (sorted, shuffled) in prop::collection::vec(any_evidence(), 0..8)
            .prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
        policy in any_policy(),
    ) {
        let bytes = |list: &[Evidence]| serde_json::to_vec(&judge(list, &policy)).unwrap();
        prop_assert_eq!(bytes(&sorted), bytes(&shuffled));
    }

    #[test]
    fn scores_are_explained_and_agree_with_the_threshold(
        list in prop::collection::vec(any_evidence(), 0..8),
        policy in any_policy(),
    ) {
        let found = judge(&list, &policy);
        prop_assert_eq!(sum(&found), i32::from(found.score.unwrap_or(0)));
        prop_assert!(found.score.is_none_or(|score| score <= 100));
        prop_assert_eq!(found.exceeds_threshold, found.score.is_some_and(|score| score > policy.threshold));
        prop_assert_eq!(found.exceeds_threshold, found.decision == Decision::Exceeds);
        let Coverage { asked, answered, failed, skipped } = found.coverage;
        prop_assert_eq!(asked, answered + failed + skipped);
    }

    #[test]
    fn absence_changes_no_score_and_completes_nothing(
        list in prop::collection::vec(any_evidence(), 0..8),
        source in 0..9_u8,
        status in any_absence(),
    ) {
        let policy = Policy::default();
        let before = judge(&list, &policy);
        let mut more = list;
        more.push(Evidence::absent(&format!("s{source}"), status));
        let after = judge(&more, &policy);
        prop_assert_eq!(before.score, after.score);
        prop_assert!(before.complete || !after.complete);
    }

    #[test]
    fn malicious_evidence_never_lowers_a_score(
        list in prop::collection::vec(any_evidence(), 0..8),
        mut more in any_evidence(),
        policy in any_policy(),
    ) {
        more.polarity = Polarity::Malicious;
        let before = judge(&list, &policy).score;
        let mut list = list;
        list.push(more);
        prop_assert!(judge(&list, &policy).score >= before);
    }

    #[test]
    fn hard_benign_evidence_never_exceeds(
        list in prop::collection::vec(any_evidence(), 0..8),
        policy in any_policy(),
    ) {
        let mut list = list;
        list.push(Evidence::benign("allowed", BenignClass::Hard, "on our own list"));
        let found = judge(&list, &policy);
        prop_assert!(!found.exceeds_threshold);
        prop_assert_eq!(found.decision, Decision::Below);
    }
}
