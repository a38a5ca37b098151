//! What numbers and words mean.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::calibrate::{Calibration, Origin, WordMeaning, check, from_record};
use super::*;
use pivotd_domain::Record;

const FRESH: Origin = Origin {
    retrieved_at: None,
    age_s: Some(5),
    cached: false,
    stale: false,
};

fn rules(measure: &str, calibration: Calibration) -> Rules {
    Rules {
        sources: BTreeMap::from([(
            "source".to_owned(),
            SourceRules {
                reliability: Some(Reliability::B),
                measures: BTreeMap::from([(measure.to_owned(), calibration)]),
                ..SourceRules::default()
            },
        )]),
        ..Rules::default()
    }
}

fn engines(percents: &[(i64, u8)]) -> Calibration {
    Calibration::Points(
        percents
            .iter()
            .map(|(at, percent)| (*at, Millionths::percent(*percent)))
            .collect(),
    )
}

#[test]
fn numbers_lie_on_the_line_between_points() {
    let rules = rules("engines", engines(&[(0, 0), (1, 20), (3, 45), (8, 75), (20, 95)]));
    let said = |number: i64| {
        let record = Record::new().with("measure", "engines").with("value", number);
        from_record("source", &record, &rules, &FRESH, now())
    };
    for (number, millionths) in [
        (-1, 0),
        (0, 0),
        (1, 200_000),
        (2, 325_000),
        (3, 450_000),
        (8, 750_000),
        (14, 850_000),
        (20, 950_000),
        (i64::MAX, 950_000),
    ] {
        let evidence = said(number);
        assert_eq!(evidence.probability.unwrap().get(), millionths, "{number}");
        assert_eq!(evidence.polarity, Polarity::Malicious);
    }
    assert_eq!(said(8).reliability, Reliability::B);
    assert_eq!(said(8).reasons, ["engines 8"]);
}

#[test]
fn a_published_risk_is_the_score_and_one_off_the_scale_is_a_failure() {
    let rules = rules("score", Calibration::Published);
    let policy = Policy::of(rules.clone());
    for number in 0..=100 {
        let record = Record::new().with("measure", "score").with("value", number);
        let evidence = from_record("source", &record, &rules, &FRESH, now());
        assert_eq!(judge(&[evidence], &policy).score, u8::try_from(number).ok());
    }
    for number in [-1, 101] {
        let record = Record::new().with("measure", "score").with("value", number);
        let found = judge(&[from_record("source", &record, &rules, &FRESH, now())], &policy);
        assert_eq!((found.score, found.decision), (None, Decision::Undetermined));
    }
}

#[test]
fn words_mean_what_the_policy_says_and_others_say_nothing() {
    let words = BTreeMap::from([
        (
            "malicious".to_owned(),
            WordMeaning::Malicious(Millionths::percent(80)),
        ),
        ("benign".to_owned(), WordMeaning::Benign(BenignClass::Soft)),
        ("riot".to_owned(), WordMeaning::Benign(BenignClass::Hard)),
    ]);
    let rules = rules("classification", Calibration::Words(words));
    let polarity = |word: &str| {
        let record = Record::new().with("measure", "classification").with("word", word);
        from_record("source", &record, &rules, &FRESH, now()).polarity
    };
    assert_eq!(polarity("malicious"), Polarity::Malicious);
    assert_eq!(polarity("benign"), Polarity::Benign(BenignClass::Soft));
    assert_eq!(polarity("riot"), Polarity::Benign(BenignClass::Hard));
    assert_eq!(polarity("unheard-of"), Polarity::Context);
    let other = Record::new().with("measure", "other").with("value", 99);
    let found = judge(
        &[from_record("source", &other, &rules, &FRESH, now())],
        &Policy::of(rules.clone()),
    );
    assert_eq!((found.score, found.decision), (None, Decision::Unknown));
}

#[test]
fn age_says_less_by_the_day_and_nothing_past_its_last_point() {
    let age = Calibration::Age(vec![
        (0, Millionths::percent(40)),
        (10, Millionths::percent(20)),
        (30, Millionths::ZERO),
    ]);
    let rules = rules("registered", age);
    let at = |days: i64| {
        let first = Timestamp::from_second(NOW - days * 86_400).unwrap();
        let record = Record::new()
            .with("measure", "registered")
            .with("first_seen", pivotd_domain::Value::Time(first));
        from_record("source", &record, &rules, &FRESH, now())
    };
    assert_eq!(at(0).probability, Some(Millionths::percent(40)));
    assert_eq!(at(5).probability, Some(Millionths::percent(30)));
    assert_eq!(at(20).probability, Some(Millionths::percent(10)));
    // A date of the future is of a clock that is wrong, not of an old domain.
    assert_eq!(at(-3).probability, Some(Millionths::percent(40)));
    let day = |days: i64| Some(Timestamp::from_second(NOW + days * 86_400).unwrap());
    assert_eq!((at(5).says_until, at(-3).says_until), (day(1), day(4)));
    let old = at(30);
    assert_eq!((old.probability, old.polarity), (None, Polarity::Context));
    // An old domain is no harmless domain.
    let found = judge(&[old], &Policy::of(rules.clone()));
    assert_eq!((found.score, found.decision), (None, Decision::Unknown));
}

#[test]
fn points_ascend() {
    assert!(check(&[]).is_err());
    assert!(check(&[(1, Millionths::ZERO), (1, Millionths::ONE)]).is_err());
    assert!(check(&[(-1, Millionths::ZERO), (1, Millionths::ONE)]).is_ok());
}

proptest! {
    #[test]
    fn more_never_means_less_where_points_ascend(
        mut percents in prop::collection::btree_map(-1000..1000_i64, 0..=100_u8, 1..8),
        a in -2000..2000_i64,
        b in -2000..2000_i64,
    ) {
        let mut highest = 0;
        for percent in percents.values_mut() {
            highest = highest.max(*percent);
            *percent = highest;
        }
        let points: Vec<(i64, u8)> = percents.into_iter().collect();
        let rules = rules("m", engines(&points));
        let said = |number: i64| {
            let record = Record::new().with("measure", "m").with("value", number);
            from_record("source", &record, &rules, &FRESH, now()).probability.unwrap()
        };
        prop_assert!(said(a.min(b)) <= said(a.max(b)));
    }
}
