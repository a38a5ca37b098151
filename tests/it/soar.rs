//! The SOAR face.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn an_alert_without_an_indicator_is_a_problem() {
    let app = TestApp::start().await;
    let answer = app.post_json("/v1/alerts/score", &json!({})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.json()["detail"].as_str().unwrap().contains("at least one of"), "{}", answer.body);
}
