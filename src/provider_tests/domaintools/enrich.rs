//! Tests what Iris Enrich is asked about many names at once, and what is made of its rows.

use serde_json::json;

use super::*;

fn of_names(names: &[String]) -> Lookup {
    let names = names.iter();
    let queries = names.map(|name| question(Capability::Risk, IndicatorKind::Domain, name));
    Lookup::of(queries.collect(), "iris-enrich")
}

fn named(names: &[&str]) -> Lookup {
    of_names(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

fn row(name: &str, score: impl Into<serde_json::Value>) -> serde_json::Value {
    json!({"domain": name, "domain_risk": {"risk_score": score.into(), "components": []}})
}

fn response(rows: &[serde_json::Value], missing: &[&str]) -> Reply {
    let body = json!({"response": {
        "limit_exceeded": false,
        "results_count": rows.len(),
        "results": rows,
        "missing_domains": missing,
    }});
    reply(200, &body.to_string())
}

/// Names and scores of the answers; no score where nothing was found.
fn told(walked: &LookupTrace) -> Vec<(&str, Option<i64>)> {
    let score = |answer: &Answer| match answer.records.first()?.get("score") {
        Some(Value::Integer(score)) => Some(*score),
        _ => None,
    };
    let answers = walked.answers.iter();
    answers
        .map(|answer| (answer.query.indicator.value(), score(answer)))
        .collect()
}

#[test]
fn a_hundred_names_are_one_call_and_each_gets_its_own_row() {
    let names: Vec<String> = (0..100).map(|at| format!("name-{at}.example")).collect();
    let walked = walk(&of_names(&names), |call| {
        let domains = call.form.iter().find(|(name, _)| name == "domain").unwrap();
        assert_eq!(domains.1, names.join(","));
        // Every third is missing; rows come in another order.
        let known = (0..100).rev().filter(|at| at % 3 != 0);
        let rows: Vec<_> = known.map(|at| row(&names[at].to_uppercase(), at)).collect();
        let missing: Vec<&str> = names.iter().step_by(3).map(String::as_str).collect();
        response(&rows, &missing)
    })
    .unwrap();
    assert_eq!(walked.calls.len(), 1);
    assert_eq!(walked.charges, [Charge::Most], "one call is charged");
    let expected: Vec<(&str, Option<i64>)> = (0_i64..)
        .zip(&names)
        .map(|(at, name)| (name.as_str(), (at % 3 != 0).then_some(at)))
        .collect();
    assert_eq!(told(&walked), expected);
    let missing = walked.answers.iter().step_by(3);
    assert!(missing.into_iter().all(Answer::is_not_found));
}

#[test]
fn more_than_a_hundred_and_several_of_other_products_are_refused() {
    let refused = |lookup: &Lookup| {
        let error = DomainTools.start(lookup).unwrap_err();
        assert!(matches!(error, ProviderError::Unsupported(_)), "{error}");
    };
    let names: Vec<String> = (0..101).map(|at| format!("name-{at}.example")).collect();
    refused(&of_names(&names));
    refused(&of_names(&[]));
    for product in ["risk-evidence", "risk", "reputation"] {
        refused(&Lookup {
            product: product.into(),
            ..named(&["example.com", "example.net"])
        });
    }
    let mut mixed = named(&["example.com", "example.net"]);
    mixed.queries[1].capability = Capability::Whois;
    refused(&mixed);
    let mut history = mixed;
    history.product = "whois-history".into();
    history.queries[0].capability = Capability::Whois;
    refused(&history);
}

#[test]
fn a_row_that_cannot_be_read_spoils_no_other_and_is_no_not_found() {
    let names = [
        "good.example",
        "broken.example",
        "silent.example",
        "missed.example",
    ];
    let rows = [
        row("stranger.example", 99),
        row("broken.example", 4000),
        json!(null),
        json!({"domain": {"odd": true}}),
        row("good.example", 12),
    ];
    let walked = walk(&named(&names), |_| response(&rows, &["missed.example"])).unwrap();
    assert_eq!(
        told(&walked),
        [("good.example", Some(12)), ("missed.example", None)]
    );
    // Asked alone, it fails as ever.
    let alone = walk(&named(&["broken.example"]), |_| response(&rows, &[]));
    assert!(matches!(alone, Err(ProviderError::Malformed(_))));
}

#[test]
fn what_the_vendor_refused_to_look_at_is_left_out() {
    let names = ["good.example", "later.example"];
    let limited = json!({"response": {
        "limit_exceeded": true,
        "message": "Too many results.",
        "results": [row("good.example", 12)],
        "missing_domains": [],
    }});
    let walked = walk(&named(&names), |_| reply(200, &limited.to_string())).unwrap();
    assert_eq!(told(&walked), [("good.example", Some(12))]);
}

#[test]
fn nothing_known_of_any_is_not_found_for_each_and_an_error_fails_all() {
    let names = named(&["one.example", "two.example"]);
    let nothing = json!({"error": {"code": 404, "message": "Nothing is held."}}).to_string();
    let walked = walk(&names, |_| reply(404, &nothing)).unwrap();
    assert_eq!(walked.answers.len(), 2);
    assert!(walked.answers.iter().all(Answer::is_not_found));
    let refused = json!({"error": {"code": 400, "message": "No."}}).to_string();
    assert!(matches!(
        walk(&names, |_| reply(400, &refused)),
        Err(ProviderError::Failed(failure)) if failure.kind == FailureKind::Refused
    ));
}

#[test]
fn the_replayed_vendor_answers_any_subset() {
    let names = [
        "blocked.example",
        "nobody-knows-this.example",
        "unscored.example",
        "example.com",
    ];
    let walked = walk_fixtures(&named(&names)).unwrap();
    assert_eq!(
        told(&walked),
        [
            ("blocked.example", Some(100)),
            ("nobody-knows-this.example", None),
            ("unscored.example", None),
            ("example.com", Some(3)),
        ]
    );
    for name in names {
        let alone = walk_fixtures(&named(&[name])).unwrap();
        let together = walked.answers.iter();
        let mut same = together.filter(|answer| answer.query == alone.answer().query);
        assert_eq!(same.next(), Some(alone.answer()), "{name}");
    }
    let names = ["example.com", "badrequest.example"];
    let refused = walk_fixtures(&named(&names));
    assert!(
        matches!(refused, Err(ProviderError::Failed(_))),
        "one refused name refuses all"
    );
}
