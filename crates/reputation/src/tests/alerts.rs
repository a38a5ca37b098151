use std::collections::BTreeMap;

use super::*;

#[test]
fn the_answer_of_an_alert_has_the_documented_shape() {
    let policy = Policy::default();
    let threats = ["phishing".to_owned()];
    let evidence = [
        from_risk(
            "domaintools",
            Some(87),
            &threats,
            &[],
            false,
            Some(now()),
            Some(120),
            true,
        ),
        Evidence::absent("other", EvidenceStatus::NoData),
    ];
    let ip = Indicator::guess("192.0.2.44").unwrap();
    let nothing = [Evidence::absent("other", EvidenceStatus::NoData)];
    let titles = BTreeMap::from([("domaintools".to_owned(), "DomainTools".to_owned())]);
    let request = Request {
        cost: Cost { calls: 1, cached: 1 },
        ..Request::new("r", "d", &titles)
    };
    let answer = combine(
        request,
        &policy,
        vec![
            judge(&evidence, &policy),
            assess("ip", &ip, &nothing, &policy, now()),
        ],
    );
    let json = serde_json::to_value(&answer).unwrap();
    let mut indicators = json["indicators"].as_array().unwrap().clone();
    let expected = serde_json::json!({
        "role": "domain", "type": "domain", "indicator": "career-offers.example",
        "score": 87, "score_known": true, "threshold": 50, "recommend": "block", "safe_to_block": true,
        "verdict": "malicious", "exceeds_threshold": true, "decision": "exceeds",
        "confidence": 0.8, "complete": true, "conflict": false, "causes": [],
        "coverage": {"asked": 2, "answered": 2, "failed": 0, "skipped": 0},
        "explanation": [
            {"source": "domaintools", "points": 87, "reason": "risk 87, threat profile: phishing"}],
        "evidence": [
            {"source": "domaintools", "status": "ok", "raw": {"value": 87, "scale": "0-100"},
             "polarity": "malicious", "probability": 0.87, "reliability": "A",
             "observed_at": "2023-11-14T22:13:20Z", "age_s": 120, "cached": true,
             "reasons": ["risk 87", "threat profile: phishing"]},
            {"source": "other", "status": "no_data", "raw": null, "polarity": "context",
             "probability": null, "reliability": "A", "observed_at": null, "age_s": null, "cached": false}]
    });
    assert_eq!(indicators.swap_remove(0), expected);
    let mut head = json.clone();
    head.as_object_mut().unwrap().remove("indicators");
    let note = head.as_object_mut().unwrap().remove("markdown").unwrap();
    assert_eq!(
        note,
        "**Exceeds: the highest score is 87.**\n\n\
         | Indicator | Score | Verdict | Decision | Recommended |\n|---|---:|---|---|---|\n\
         | `career-offers[.]example` (domain) | 87 | malicious | exceeds | block |\n\
         | `192[.]0[.]2[.]44` (ip) | – | unknown | unknown | – |\n\n\
         `career-offers[.]example`\n\n* +87 DomainTools: risk 87, threat profile: phishing\n\n\
         Decision d, policy "
            .to_owned()
            + policy.version()
            + ", threshold 50.\n"
    );
    let expected = serde_json::json!({
        "request_id": "r", "decision_id": "d", "policy_version": policy.version(), "threshold": 50,
        "decision": "exceeds", "decided_by": "scores", "any_exceeds": true, "max_score": 87, "max_score_known": true,
        "budget": [], "scores": {"domain": 87, "ip": null},
        "decisive": ["career-offers.example"], "undetermined": [], "unknown": ["192.0.2.44"],
        "unsupported": [],
        "summary": "career-offers.example scores 87 (over 50): DomainTools risk 87, threat profile phishing. \
                    Nothing is known of 192.0.2.44.",
        "cost": {"calls": 1, "cached": 1},
        "causes": [], "ignored": [], "unreadable": [], "sealed": [], "excess": [], "notes": []
    });
    assert_eq!(head, expected);
}

#[test]
fn the_schema_names_the_fields_of_the_answer() {
    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(AlertAnswer)))]
    struct Api;
    let api = serde_json::to_value(<Api as utoipa::OpenApi>::openapi()).unwrap();
    let raw = RawScore {
        value: RawValue::Text("1.5".to_owned()),
        scale: "0-10".to_owned(),
    };
    let found = judge(
        &[Evidence {
            raw: Some(raw),
            ..risk(1)
        }],
        &Policy::default(),
    );
    let titles = BTreeMap::new();
    let answer = serde_json::to_value(combine(
        Request::new("", "", &titles),
        &Policy::default(),
        vec![found],
    ))
    .unwrap();
    let assessment = &answer["indicators"][0];
    let parts = [
        ("AlertAnswer", &answer),
        ("Cost", &answer["cost"]),
        ("Assessment", assessment),
        ("Coverage", &assessment["coverage"]),
        ("Explanation", &assessment["explanation"][0]),
        ("Evidence", &assessment["evidence"][0]),
        ("RawScore", &assessment["evidence"][0]["raw"]),
    ];
    for (name, value) in parts {
        let schema = &api["components"]["schemas"][name];
        let mut declared: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let mut required: Vec<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field.as_str().unwrap())
            .collect();
        let mut sent: Vec<&String> = value.as_object().unwrap().keys().collect();
        declared.sort();
        required.sort_unstable();
        sent.sort();
        // What may stay away is declared, and not required.
        assert!(
            sent.iter().all(|field| declared.contains(field)),
            "{name}: {sent:?}"
        );
        assert!(
            required.iter().all(|field| sent.iter().any(|sent| sent == field)),
            "{name}: {required:?}"
        );
    }
    let scores = &api["components"]["schemas"]["AlertAnswer"]["properties"]["scores"];
    assert_eq!(scores["type"], "object");
}

#[test]
fn the_decision_of_an_alert_is_its_most_serious() {
    let policy = Policy::default();
    let titles = BTreeMap::new();
    let decide = |items: &[&[Evidence]]| {
        combine(
            Request::new("", "", &titles),
            &policy,
            items.iter().map(|evidence| judge(evidence, &policy)).collect(),
        )
    };
    let (high, low) = ([risk(51)], [risk(50)]);
    let failed = [Evidence::absent("a", EvidenceStatus::Limited)];
    let nothing = [Evidence::absent("a", EvidenceStatus::NoData)];
    let unsupported = [Evidence::absent("a", EvidenceStatus::Unsupported)];
    assert_eq!(decide(&[&low, &failed, &high]).decision, Decision::Exceeds);
    assert_eq!(
        decide(&[&low, &failed, &nothing]).decision,
        Decision::Undetermined
    );
    assert_eq!(decide(&[&low]).decision, Decision::Below);
    // One that is known does not close the alert for another that is not.
    assert_eq!(decide(&[&nothing, &low]).decision, Decision::Unknown);
    assert_eq!(decide(&[&unsupported, &nothing]).decision, Decision::Unknown);
    assert_eq!(decide(&[&unsupported]).decision, Decision::Unsupported);
    assert_eq!(decide(&[]).decision, Decision::Unknown);
    let answer = decide(&[&low, &failed]);
    assert_eq!(answer.scores, BTreeMap::from([("domain".to_owned(), Some(50))]));
    assert_eq!(
        answer.summary,
        "career-offers.example scores 50 (not over 50): domaintools risk 50. \
         career-offers.example could not be determined: a is limited. Asking again can help."
    );
}

#[test]
fn a_caller_chooses_what_an_open_alert_comes_to_and_no_score_changes() {
    let policy = Policy::default();
    let titles = BTreeMap::new();
    let decide = |evidence: &[Evidence], on_undetermined, on_unknown| {
        let request = Request {
            fallbacks: Fallbacks {
                undetermined: on_undetermined,
                unknown: on_unknown,
                ..Fallbacks::default()
            },
            ..Request::new("", "", &titles)
        };
        combine(request, &policy, vec![judge(evidence, &policy)])
    };
    let mut failed = [Evidence::absent("a", EvidenceStatus::Limited)];
    failed[0].gap.retry_at = Timestamp::from_second(NOW + 30).ok();
    let nothing = [Evidence::absent("a", EvidenceStatus::NoData)];
    let (keep, over, under) = (Fallback::Keep, Fallback::Exceeds, Fallback::Below);
    let kept = decide(&failed, keep, over);
    assert_eq!(
        (kept.decision, kept.decided_by),
        (Decision::Undetermined, DecidedBy::Scores)
    );
    assert_eq!(kept.retry_after_s, Some(30));
    let treated = decide(&failed, over, keep);
    assert_eq!(
        (treated.decision, treated.decided_by),
        (Decision::Exceeds, DecidedBy::OnUndetermined)
    );
    assert_eq!((treated.any_exceeds, treated.max_score), (false, None));
    let treated = decide(&nothing, over, under);
    assert_eq!(
        (treated.decision, treated.decided_by),
        (Decision::Below, DecidedBy::OnUnknown)
    );
    assert_eq!(treated.retry_after_s, None, "nothing is missing");
    let scored = decide(&[risk(51)], under, under);
    assert_eq!(
        (scored.decision, scored.decided_by),
        (Decision::Exceeds, DecidedBy::Scores)
    );
}

#[test]
fn a_note_holds_nothing_that_a_provider_could_steer_with() {
    let policy = Policy::default();
    let evil = "](https://evil.example) <img src=x> **bold** | cell `code` @here\n# head";
    let evidence = Evidence {
        reasons: vec![evil.to_owned()],
        ..risk(87)
    };
    let titles = BTreeMap::from([("domaintools".to_owned(), "Domain|Tools".to_owned())]);
    let request = Request {
        ignored: vec![Ignored::text("sender", "a|b@corp.example`", "own <b>")],
        ..Request::new("", "d", &titles)
    };
    let note = combine(request, &policy, vec![judge(&[evidence], &policy)]).markdown;
    for forbidden in [
        "https://", "<img", "<b>", "](", " **bold", " | cell", " `code`", "@here", "\n# head",
    ] {
        assert!(!note.contains(forbidden), "{forbidden} in {note}");
    }
    assert!(note.contains("Domain\\|Tools"), "{note}");
}
