//! What holds of the model whatever is said: with lists, hazards, several sources demanded, and hostile words.

use proptest::prelude::*;

use super::properties::{any_absence, any_evidence};
use super::*;
use crate::decay::constant_until;

/// What sources and lists say, with words, raw numbers and hazards.
fn any_said() -> impl Strategy<Value = Evidence> {
    let word = prop::sample::select(vec!["", "risk 87", "on a list"]);
    let hazard = prop::option::weighted(0.2, prop::sample::select(vec!["cdn", "sinkhole"]));
    let raw = prop::option::of(-5..200_i64);
    (any_evidence(), any::<bool>(), word, hazard, raw).prop_map(|(evidence, local, word, hazard, raw)| {
        Evidence {
            local,
            reasons: Some(word.to_owned())
                .filter(|word| !word.is_empty())
                .into_iter()
                .collect(),
            hazard: hazard.map(str::to_owned),
            raw: raw.map(|value| RawScore {
                value: RawValue::Whole(value),
                scale: "0-100".to_owned(),
            }),
            ..evidence
        }
    })
}

fn any_list() -> impl Strategy<Value = Vec<Evidence>> {
    prop::collection::vec(any_said(), 0..8)
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (0..=100_u8, 1..5_u32, 0..=100_u8, 0..=100_u8).prop_map(|(threshold, sources, cap, suspicious)| {
        let rules = Rules {
            hard_cap: cap,
            suspicious,
            ..Rules::default()
        };
        Policy::of(rules)
            .with_threshold(threshold)
            .with_min_sources(sources)
    })
}

fn bytes(list: &[Evidence], policy: &Policy) -> Vec<u8> {
    serde_json::to_vec(&judge(list, policy)).unwrap()
}

fn id(list: &[Evidence], policy: &Policy) -> String {
    digest::decision(
        "default",
        policy,
        Fallbacks::default(),
        &[judge(list, policy)],
        digest::AnswerContext::default(),
    )
}

/// Changes one thing that was said.
fn changed(mut evidence: Evidence, field: u8) -> Evidence {
    match field {
        0 => evidence.source.push('x'),
        1 => evidence.family.push('x'),
        2 => {
            evidence.status = if evidence.status == EvidenceStatus::Timeout {
                EvidenceStatus::Limited
            } else {
                EvidenceStatus::Timeout
            }
        }
        3 => {
            evidence.raw = Some(RawScore {
                value: RawValue::Text("another".to_owned()),
                scale: String::new(),
            });
        }
        4 => evidence.measure.push('x'),
        5 => evidence.about = Some("elsewhere.example".to_owned()),
        6 => {
            evidence.polarity = if evidence.polarity == Polarity::Benign(BenignClass::Hard) {
                Polarity::Benign(BenignClass::Soft)
            } else {
                Polarity::Benign(BenignClass::Hard)
            }
        }
        7 => {
            let other = evidence
                .probability
                .map_or(7, |probability| probability.get().abs_diff(1));
            evidence.probability = Some(Millionths::new(other));
        }
        8 => {
            evidence.reliability = if evidence.reliability == Reliability::A {
                Reliability::B
            } else {
                Reliability::A
            }
        }
        9 => evidence.observed_at = Some(Timestamp::from_second(NOW + 1_000_000).unwrap()),
        10 => evidence.reasons.push(String::new()),
        11 => evidence.passthrough ^= true,
        12 => evidence.local ^= true,
        _ => evidence.hazard = Some("another".to_owned()),
    }
    evidence
}

/// Tells whether text between two marks is nothing but text in Markdown.
fn is_tame(text: &str) -> bool {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let own = ["[at]", "[:]", "[.]", "&lt;", "&gt;", "&amp;"];
        if let Some(known) = own.into_iter().find(|known| rest.starts_with(known)) {
            rest = rest.strip_prefix(known).unwrap_or_default();
            continue;
        }
        if let Some(escaped) = rest.strip_prefix('\\') {
            let Some(c) = escaped.chars().next().filter(char::is_ascii_punctuation) else {
                return false;
            };
            rest = escaped.strip_prefix(c).unwrap_or_default();
            continue;
        }
        if c.is_control() || "`*_{}[]()#+!|~<>&@".contains(c) {
            return false;
        }
        rest = rest.strip_prefix(c).unwrap_or_default();
    }
    !text.contains("://") && !text.contains("www.")
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_filter("marks", |text| !text.contains(['\u{e000}', '\u{e001}'])),
        "[a-z.@:/<>`*_|\\\\\\[\\]()#&\n\r\t!~{}+0-9-]{0,40}",
        prop::sample::select(vec![
            "](http://evil.example)".to_owned(),
            "<img src=x onerror=alert(1)>".to_owned(),
            "www.evil.example or evil.example/x".to_owned(),
            "\\](x) \\`a\\`".to_owned(),
            "a\u{2028}b\u{85}c".to_owned(),
            "192.0.2.44 and 50.1".to_owned(),
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn equal_evidence_in_any_order_is_the_same_decision(
        (sorted, shuffled) in any_list().prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
        policy in any_policy(),
    ) {
        prop_assert_eq!(bytes(&sorted, &policy), bytes(&shuffled, &policy));
        prop_assert_eq!(id(&sorted, &policy), id(&shuffled, &policy));
    }

    #[test]
    fn what_was_said_otherwise_is_another_decision(
        list in any_list(),
        one in any_said(),
        field in 0..14_u8,
        policy in any_policy(),
    ) {
        let other = changed(one.clone(), field);
        if field == 9 && one.passthrough {
            // A published risk is dated by its retrieval.
            prop_assert_eq!(digest::evidence(&one), digest::evidence(&other));
            return Ok(());
        }
        prop_assert_ne!(digest::evidence(&one), digest::evidence(&other), "field {}", field);
        let (mut before, mut after) = (list.clone(), list);
        before.push(one.clone());
        after.push(other);
        prop_assert_ne!(id(&before, &policy), id(&after, &policy), "field {}", field);
        // How old an answer is, and where it was kept, is no part of what was said.
        let held = Evidence { cached: !one.cached, age_s: Some(1), ..one.clone() };
        prop_assert_eq!(digest::evidence(&one), digest::evidence(&held));
    }

    #[test]
    fn a_score_stands_still_until_some_evidence_weighs_less(
        said in any_said(),
        dated in any::<bool>(),
        age in 0..100_000_i64,
        lifetime_s in 0..100_000_u64,
        later in 0.0..1.0_f64,
    ) {
        let now = now();
        let since = Timestamp::from_second(NOW - age).unwrap();
        let rules = Rules { lifetime_s, max_stale_s: u64::MAX, ..Rules::default() };
        let at = |now: Timestamp| Evidence {
            observed_at: dated.then_some(since),
            age_s: Some(u64::try_from(now.as_second() - since.as_second()).unwrap()),
            retrieved_at: Some(since),
            ..said.clone()
        };
        let until = constant_until(&at(now), &rules, now).unwrap();
        prop_assert!(until > now, "{}", until);
        let last = until.as_second().min(NOW + 1_000_000) - 1;
        let span = u32::try_from(last - NOW).unwrap();
        let then = NOW + (f64::from(span) * later) as i64;
        for then in [then, last] {
            let then = Timestamp::from_second(then).unwrap();
            let policy = Policy::of(rules.clone());
            let judged = |now| {
                let one = assess("domain", &indicator(), [at(now)], &policy, now);
                (one.score, one.confidence, one.explanation)
            };
            prop_assert_eq!(judged(now), judged(then));
        }
    }

    #[test]
    fn points_sum_to_the_score_with_every_cap(list in any_list(), policy in any_policy()) {
        let found = judge(&list, &policy);
        prop_assert_eq!(sum(&found), i32::from(found.score.unwrap_or(0)));
        prop_assert_eq!(found.exceeds_threshold, found.score.is_some_and(|score| score > policy.threshold));
        prop_assert_eq!(found.exceeds_threshold, found.decision == Decision::Exceeds);
        prop_assert_eq!(found.score.is_some(), found.score_known);
        prop_assert!(found.uncapped_score.is_none_or(|raw| Some(raw) > found.score));
        prop_assert!(found.safe_to_block == found.unsafe_because.is_empty());
        let blocks = found.recommend == Recommendation::Block;
        prop_assert!(!blocks || (found.safe_to_block && found.exceeds_threshold && !found.conflict));
    }

    #[test]
    fn absence_moves_no_score_and_completes_nothing(
        list in any_list(),
        source in 0..9_u8,
        status in any_absence(),
        policy in any_policy(),
    ) {
        let before = judge(&list, &policy);
        let mut more = list;
        more.push(Evidence::absent(&format!("s{source}"), status));
        let after = judge(&more, &policy);
        prop_assert_eq!(before.score, after.score);
        prop_assert_eq!(before.exceeds_threshold, after.exceeds_threshold);
        prop_assert!(before.complete || !after.complete);
        // A failure makes nothing clean that was not.
        prop_assert!(after.verdict != Verdict::Benign || before.verdict == Verdict::Benign);
        prop_assert!(after.decision != Decision::Below || before.decision == Decision::Below);
    }

    #[test]
    fn what_speaks_against_never_lowers(
        list in any_list(),
        mut more in any_said(),
        policy in any_policy(),
    ) {
        more.polarity = Polarity::Malicious;
        let before = judge(&list, &policy);
        let mut list = list;
        list.push(more);
        let after = judge(&list, &policy);
        prop_assert!(after.score >= before.score);
        prop_assert!(after.exceeds_threshold || !before.exceeds_threshold);
    }

    #[test]
    fn hard_knowledge_never_exceeds_and_needs_nobody(
        list in any_list(),
        local in any::<bool>(),
        policy in any_policy(),
    ) {
        let mut list = list;
        let own = Evidence::benign("allowed", BenignClass::Hard, "on our own list");
        list.push(Evidence { local, ..own });
        let found = judge(&list, &policy);
        prop_assert_eq!(found.decision, Decision::Below);
        prop_assert!(found.score <= Some(policy.rules.hard_cap.min(policy.threshold)));
    }

    #[test]
    fn clean_words_alone_never_exceed(
        list in any_list(),
        classes in prop::collection::vec(0..4_u8, 8),
        threshold in 0..=100_u8,
    ) {
        let mut list = list;
        for (item, class) in list.iter_mut().zip(classes) {
            item.polarity = match class {
                0 => Polarity::Benign(BenignClass::Hard),
                1 => Polarity::Benign(BenignClass::Soft),
                2 => Polarity::Benign(BenignClass::Context),
                _ => Polarity::Context,
            };
        }
        let found = judge(&list, &Policy::default().with_threshold(threshold));
        prop_assert!(found.score.is_none_or(|score| score == 0));
        prop_assert!(!found.exceeds_threshold && found.recommend != Recommendation::Block);
    }

    #[test]
    fn fewer_sources_than_demanded_never_exceed(list in any_list(), policy in any_policy()) {
        let found = judge(&list, &policy);
        let speak: std::collections::BTreeSet<&str> = found.evidence.iter()
            .filter(|item| item.polarity == Polarity::Malicious)
            .filter(|item| item.probability >= Some(Millionths::percent(50)))
            .map(|item| item.family.as_str())
            .collect();
        let enough = policy.min_sources <= 1 || speak.len() >= policy.min_sources as usize;
        let soft = found.evidence.iter().any(|item| item.polarity == Polarity::Benign(BenignClass::Soft));
        prop_assert!(enough || soft || !found.exceeds_threshold);
    }

    #[test]
    fn a_note_holds_hostile_words_as_words_only(texts in prop::collection::vec(hostile(), 5)) {
        let [reason, about, hazard, ignored, note] = texts.as_slice() else { unreachable!() };
        let marked = |text: &str| format!("\u{e000}{text}\u{e001}");
        let mut one = listed("somebody", 90, Reliability::A);
        one.reasons = vec![marked(reason)];
        one.about = Some(marked(about));
        one.hazard = Some(marked(hazard));
        let titles = BTreeMap::from([("somebody".to_owned(), marked(about))]);
        let policy = Policy::default();
        let request = Request {
            ignored: vec![Ignored::text("url", "http://a.example", &marked(ignored))],
            notes: vec![marked(note)],
            ..Request::new("r", "d", &titles)
        };
        let answer = combine(request, &policy, vec![judge(&[one], &policy)]);
        let pieces: Vec<&str> = answer.markdown.split('\u{e000}').skip(1)
            .filter_map(|piece| piece.split_once('\u{e001}').map(|(inside, _)| inside))
            .collect();
        prop_assert!(pieces.len() >= 5, "{}", answer.markdown);
        for piece in pieces {
            prop_assert!(is_tame(piece), "{piece:?} in {}", answer.markdown);
        }
    }
}

#[test]
fn a_note_links_to_no_name_that_a_reason_speaks_of() {
    let mut one = listed("somebody", 90, Reliability::A);
    one.about = Some("career-offers.example".to_owned());
    one.reasons = vec!["seen on 192.0.2.44, 50.5 points".to_owned()];
    let titles = BTreeMap::new();
    let policy = Policy::default();
    let found = judge(&[one], &policy);
    let note = combine(Request::new("r", "d", &titles), &policy, vec![found]).markdown;
    assert!(
        note.contains("career-offers[.]example: seen on 192[.]0[.]2[.]44, 50.5 points"),
        "{note}"
    );
}

#[test]
fn what_was_asked_in_vain_says_nothing_of_mail() {
    use pivotd_domain::Record;
    let words = |record: Record| -> Vec<String> {
        let says = mail::says(&record);
        says.iter()
            .map(|one| one.text("word").unwrap().into_owned())
            .collect()
    };
    let domain = || Record::new().with("domain", "career-offers.example");
    // Every look-up failed but one, in turn.
    assert!(words(domain()).is_empty());
    assert!(words(domain().with("null_mx", false).with("mx", Vec::<String>::new())).is_empty());
    assert!(words(domain().with("has_a", false)).is_empty());
    assert_eq!(words(domain().with("spf_all", "none")), ["no-spf"]);
    assert_eq!(words(domain().with("dmarc_policy", "missing")), ["no-dmarc"]);
    let silent = domain()
        .with("null_mx", false)
        .with("mx", Vec::<String>::new())
        .with("has_a", false)
        .with("spf_all", "none")
        .with("dmarc_policy", "missing");
    assert_eq!(words(silent), ["no-mx", "no-spf", "no-dmarc"]);
    // A policy that stands at another domain is one.
    assert!(words(domain().with("spf", "v=spf1 redirect=example.com")).is_empty());
}
