//! Decisions that are made again from what is kept of them.

use std::collections::BTreeMap;

use pivotd_domain::Record;
use proptest::prelude::*;

use super::properties::any_evidence;
use super::*;
use crate::alert::{Request, combine};
use crate::calibrate::{Calibration, Origin, from_record};
use crate::policy::SourceRules;
use crate::replay::{DecisionInputs, changes, replay};

/// Decides, and returns what is kept of it: as it is read from disk.
fn kept(evidence: &[Evidence], policy: &Policy) -> (serde_json::Value, DecisionInputs) {
    let titles = BTreeMap::new();
    let answer = combine(
        Request::new("r", "d", &titles),
        policy,
        vec![judge(evidence, policy)],
    );
    let inputs = serde_json::to_vec(&DecisionInputs::of(&answer)).unwrap();
    (
        serde_json::to_value(&answer).unwrap(),
        serde_json::from_slice(&inputs).unwrap(),
    )
}

/// Says what a source's words and numbers mean.
fn rules(percent: u8) -> Rules {
    let points = vec![(0, Millionths::ZERO), (100, Millionths::percent(percent))];
    let own = SourceRules {
        measures: BTreeMap::from([("engines".to_owned(), Calibration::Points(points))]),
        ..SourceRules::default()
    };
    Rules {
        sources: BTreeMap::from([("s".to_owned(), own)]),
        ..Rules::default()
    }
}

fn counted(rules: &Rules, number: i64) -> Evidence {
    let record = Record::new().with("measure", "engines").with("value", number);
    from_record("s", &record, rules, &Origin::HERE, now())
}

proptest! {
    #[test]
    fn a_replay_under_the_same_policy_changes_nothing(
        evidence in prop::collection::vec(any_evidence(), 0..8),
        number in 0..=100_i64,
        threshold in prop::option::of(0..=100_u8),
    ) {
        let rules = rules(90);
        let mut policy = Policy::of(rules.clone());
        if let Some(threshold) = threshold {
            policy = policy.with_threshold(threshold);
        }
        let mut evidence = evidence;
        evidence.push(counted(&rules, number));
        let (answer, inputs) = kept(&evidence, &policy);
        let again = replay(&answer, Some(&inputs), &Policy::of(rules), None).unwrap();
        prop_assert_eq!(changes(&answer, &again), []);
        let again = serde_json::to_value(&again).unwrap();
        for member in ["indicators", "decision", "decided_by", "max_score", "causes", "summary"] {
            prop_assert_eq!(&again[member], &answer[member], "{}", member);
        }
    }
}

#[test]
fn other_rules_read_what_a_source_said_and_say_why_it_comes_out_otherwise() {
    let (then, today) = (rules(100), rules(20));
    let (answer, inputs) = kept(&[counted(&then, 90)], &Policy::of(then));
    assert_eq!(answer["decision"], "exceeds");
    let again = replay(&answer, Some(&inputs), &Policy::of(today), None).unwrap();
    let changes = changes(&answer, &again);
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes.iter().all(crate::replay::Change::is_decision));
    let because = &changes[1].because;
    assert!(
        because[0].starts_with("s: ") && because[0].contains("points then"),
        "{because:?}"
    );
}

#[test]
fn the_threshold_that_a_client_asked_for_holds_in_a_replay_too() {
    let policy = Policy::default();
    let (answer, inputs) = kept(&[risk(80)], &policy.with_threshold(90));
    assert_eq!(answer["decision"], "below");
    let again = replay(&answer, Some(&inputs), &policy, None).unwrap();
    assert_eq!(changes(&answer, &again), []);
    // One that the rules have moves with them.
    let (answer, inputs) = kept(&[risk(80)], &policy);
    let mut rules = Rules::default();
    rules.thresholds.all = Some(90);
    let again = replay(&answer, Some(&inputs), &Policy::of(rules), None).unwrap();
    let changes = changes(&answer, &again);
    assert!(
        changes[0]
            .because
            .iter()
            .any(|why| why.starts_with("threshold: ")),
        "{changes:?}"
    );
}

#[test]
fn without_a_source_it_is_decided_by_the_others_and_without_inputs_not_at_all() {
    let policy = Policy::default();
    let (answer, inputs) = kept(&[risk(80), listed("other", 1, Reliability::A)], &policy);
    let again = replay(&answer, Some(&inputs), &policy, Some("domaintools")).unwrap();
    assert_ne!(answer["decision"], serde_json::to_value(again.decision).unwrap());
    let reason = replay(&answer, None, &policy, None).unwrap_err();
    assert!(
        reason.contains("did not keep all that a replay needs"),
        "{reason}"
    );
}
