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
        request_id: "r",
        decision_id: "d",
        cost: Cost { calls: 1, cached: 1 },
        titles: &titles,
    };
    let answer = combine(
        &request,
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
        "score": 87, "verdict": "malicious", "exceeds_threshold": true, "decision": "exceeds",
        "confidence": 0.8, "complete": true, "conflict": false,
        "coverage": {"asked": 2, "answered": 2, "failed": 0, "skipped": 0},
        "explanation": [
            {"source": "domaintools", "points": 87, "reason": "risk 87, threat profile: phishing"}],
        "evidence": [
            {"source": "domaintools", "status": "ok", "raw": {"value": 87, "scale": "0-100"},
             "polarity": "malicious", "probability": 0.87, "reliability": "A",
             "observed_at": "2023-11-14T22:13:20Z", "age_s": 120, "cached": true},
            {"source": "other", "status": "no_data", "raw": null, "polarity": "context",
             "probability": null, "reliability": "A", "observed_at": null, "age_s": null, "cached": false}]
    });
    assert_eq!(indicators.swap_remove(0), expected);
    let mut head = json.clone();
    head.as_object_mut().unwrap().remove("indicators");
    let expected = serde_json::json!({
        "request_id": "r", "decision_id": "d", "policy_version": policy.version(), "threshold": 50,
        "decision": "exceeds", "any_exceeds": true, "max_score": 87, "scores": {"domain": 87, "ip": null},
        "decisive": ["career-offers.example"], "undetermined": [], "unknown": ["192.0.2.44"],
        "unsupported": [],
        "summary": "career-offers.example scores 87 (over 50): DomainTools risk 87, threat profile phishing. \
                    Nothing is known of 192.0.2.44.",
        "cost": {"calls": 1, "cached": 1}
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
        value: RawValue::Decimal("1.5".to_owned()),
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
    let request = Request {
        request_id: "",
        decision_id: "",
        cost: Cost::default(),
        titles: &titles,
    };
    let answer = serde_json::to_value(combine(&request, &Policy::default(), vec![found])).unwrap();
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
        assert_eq!(declared, sent, "{name}");
        assert_eq!(required, sent, "{name}");
    }
    let scores = &api["components"]["schemas"]["AlertAnswer"]["properties"]["scores"];
    assert_eq!(scores["type"], "object");
}

#[test]
fn the_decision_of_an_alert_is_its_most_serious() {
    let policy = Policy::default();
    let titles = BTreeMap::new();
    let request = Request {
        request_id: "",
        decision_id: "",
        cost: Cost::default(),
        titles: &titles,
    };
    let decide = |items: &[&[Evidence]]| {
        combine(
            &request,
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
    assert_eq!(decide(&[&nothing, &low]).decision, Decision::Below);
    assert_eq!(decide(&[&unsupported, &nothing]).decision, Decision::Unknown);
    assert_eq!(decide(&[&unsupported]).decision, Decision::Unsupported);
    assert_eq!(decide(&[]).decision, Decision::Unknown);
    let answer = decide(&[&low, &failed]);
    assert_eq!(answer.scores, BTreeMap::from([("domain".to_owned(), Some(50))]));
    assert_eq!(
        answer.summary,
        "career-offers.example scores 50 (not over 50): domaintools risk 50. \
         career-offers.example could not be determined: a is limited."
    );
}
