//! What is known of the address that is a URL's host.

use serde_json::{Value, json};

use crate::support::Builder;

const ALERT: &str = "/v1/alerts/score";

/// The host's evidence of the domains on it: about what, and the probability.
fn hosted(item: &Value) -> Vec<(&Value, Option<f64>)> {
    let evidence = item["evidence"].as_array().unwrap().iter();
    evidence
        .filter(|one| {
            let measure = one["measure"].as_str();
            measure.is_some_and(|measure| measure.starts_with("hosted-domains"))
        })
        .map(|one| (&one["about"], one["probability"].as_f64()))
        .collect()
}

#[tokio::test]
async fn a_url_whose_host_is_an_address_has_the_evidence_of_the_address() {
    let app = Builder::new()
        .settings(|settings| settings.reputation.few_domains = 5)
        .start()
        .await;
    let score = async |alert: Value| {
        let answer = app.post_json(ALERT, &alert).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let address = score(json!({"ip": "192.0.2.44"})).await;
    let known = &address["indicators"][0];
    assert_eq!(hosted(known), [(&Value::Null, Some(0.622))], "{known}");
    for alert in [
        json!({"url": "http://192.0.2.44/"}),
        json!({"url": "https://192.0.2.44:8443/x?y=z"}),
        json!({"message": "From: a@sender.example\r\n\r\nSee http://192.0.2.44/x\r\n"}),
    ] {
        let answer = score(alert).await;
        let items = answer["indicators"].as_array().unwrap();
        let url = items.iter().find(|item| item["type"] == "url").unwrap();
        assert_eq!(hosted(url), [(&json!("192.0.2.44"), Some(0.622))], "{url}");
        assert_eq!(
            (&url["score"], &url["decision"]),
            (&known["score"], &known["decision"]),
            "{url}"
        );
        assert_eq!(answer["decision"], "exceeds", "{answer}");
    }
    // The list of the domains was asked for once.
    let asked = app
        .vendor
        .seen()
        .iter()
        .filter(|request| format!("{request:?}").contains("host-domains"))
        .count();
    assert_eq!(asked, 1);
}
