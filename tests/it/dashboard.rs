//! The dashboard in docs/deploy: it asks for metrics that there are.

use std::collections::BTreeSet;

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use serde_json::{Value, json};

use crate::support::{Builder, Entity, budget};

const DASHBOARD: &str = include_str!("../../docs/deploy/grafana-dashboard.json");

/// Returns the names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let own = words.filter(|word| word.starts_with("pivotd_"));
    own.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_there_are() {
    let app = Builder::new()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 1000, BudgetUnit::Calls, BudgetWindow::Day)];
        })
        .start()
        .await;
    app.run("domaintools.ip-history", Entity::domain("example.com"))
        .await;
    app.post_json("/v1/alerts/score", &json!({"domain": "career-offers.example"}))
        .await;
    let there = names(&app.get("/metrics").await.body);
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut asked = BTreeSet::new();
    for target in targets {
        let names = names(target["expr"].as_str().unwrap());
        assert!(!names.is_empty(), "{target}");
        asked.extend(names);
    }
    assert!(asked.len() > 20, "{asked:?}");
    let missing: Vec<_> = asked.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
