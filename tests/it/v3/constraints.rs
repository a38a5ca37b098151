//! Transforms that say what their input has to be beside its type.

use std::sync::Arc;

use pivotd::maltego::constraint::{InputConstraint, Pattern, PropertyConstraint, PropertyPart};
use serde_json::{Value, json};

use super::{V3, domain, of, request, told};
use crate::support::{Builder, Entity, TestApp};

const TRANSFORM: &str = "domaintools.ip-history";

/// A server whose transform takes names below `.com` alone.
async fn constrained() -> TestApp {
    let pattern = Pattern::try_from(r"^[a-z.]+\.com$".to_owned()).unwrap();
    let constraint = InputConstraint::Property(PropertyConstraint::Regex {
        part: PropertyPart::Value,
        pattern,
    });
    let tweak = move |settings: &mut pivotd::config::Settings| {
        let all = settings.transforms.iter_mut();
        for spec in all.filter(|spec| spec.name == TRANSFORM) {
            Arc::make_mut(spec).constraint = Some(constraint.clone());
        }
    };
    Builder::new().settings(tweak).start().await
}

fn attempts(app: &TestApp) -> String {
    let metrics = app.app.engine.metrics().render();
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("pivotd_provider_attempts_total"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_constraint_is_listed_and_looked_at_again_before_anything_is_asked() {
    let app = constrained().await;
    let client = V3::new(&app);
    let listed = client.get(&format!("/transforms/{TRANSFORM}")).await.json();
    assert_eq!(listed["transformCapabilities"], json!(["inputConstraints"]));
    assert_eq!(
        listed["input"]["inputConstraint"]["type"],
        "property_satisfies_all"
    );
    let names = |listing: Value| -> Vec<String> {
        let all = listing["transforms"].as_array().unwrap().clone();
        all.iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let has = |names: &[String]| names.iter().any(|name| name == TRANSFORM);
    assert!(has(&names(client.get("/transforms").await.json())));
    let old = V3 {
        agent: "Maltego Desktop/4.9.0 (Maltego One Eval; Mac OS X; 14.3; 0)",
        ..V3::new(&app)
    };
    assert!(!has(&names(old.get("/transforms").await.json())));

    let (state, events) = client.run(TRANSFORM, &domain("a.example")).await;
    assert_eq!((state.as_str(), events.len()), ("FAILED", 1), "{events:?}");
    let (kind, text) = &told(&events)[0];
    assert_eq!(kind, "ERROR");
    assert!(
        text.starts_with("a.example: Transform '") && text.contains("' rejected input: "),
        "{text}"
    );
    assert_eq!(attempts(&app), "", "nothing was asked");
    // Of several, the others are asked about.
    let two = request("maltego.Domain", &["example.com", "a.example"], &[]);
    let (state, events) = client.run(TRANSFORM, &two).await;
    assert_eq!(state, "COMPLETED", "{events:?}");
    assert!(!of(&events, "ADD ENTITY").is_empty());
    let of_errors = |(kind, _): &&(String, String)| kind == "ERROR";
    assert_eq!(told(&events).iter().filter(of_errors).count(), 1);
}

#[tokio::test]
async fn classic_clients_are_told_by_an_exception() {
    let app = constrained().await;
    let refused = app.run(TRANSFORM, Entity::domain("a.example")).await;
    assert_eq!(refused.status, 200);
    assert!(
        refused.body.contains("MaltegoTransformExceptionMessage"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains("rejected input"), "{}", refused.body);
    assert_eq!(attempts(&app), "", "nothing was asked");
    let answered = app.run(TRANSFORM, Entity::domain("example.com")).await;
    assert!(!answered.entities().is_empty(), "{}", answered.body);
    // What the constraint looks at decides, also where the rest is the same and was answered before.
    let refused = app.run(TRANSFORM, Entity::domain("b.example")).await;
    assert!(refused.body.contains("rejected input"), "{}", refused.body);
}
