//! What a request's line in the log says of who asked, and what was decided.

use serde_json::{Value, json};

use crate::support::{Builder, Entity, TestApp};

async fn server() -> TestApp {
    let json = |settings: &mut pivotd::config::Settings| {
        settings.log.format = pivotd::config::settings::LogFormat::Json;
    };
    Builder::new().settings(json).start().await
}

fn last(app: &TestApp) -> Value {
    let log = app.log();
    serde_json::from_str(log.lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn a_line_names_the_decision_as_the_answer_does() {
    let app = server().await;
    // Asked, asked again, and sent again.
    for _ in 0..2 {
        let answer = app
            .get("/v1/domain/career-offers.example/reputation")
            .await
            .json();
        assert_eq!(last(&app)["fields"]["decision_id"], answer["decision_id"]);
    }
    let alert = json!({ "domain": "career-offers.example" }).to_string();
    for _ in 0..2 {
        let answer = app
            .post_named("/v1/alerts/score", "one", alert.clone())
            .await
            .json();
        assert!(answer["decision_id"].is_string(), "{answer}");
        assert_eq!(last(&app)["fields"]["decision_id"], answer["decision_id"]);
    }
}

#[tokio::test]
async fn a_refusal_names_the_client_whose_token_was_revoked_or_may_not_do_this() {
    let app = server().await;
    let new = pivotd::tokens::NewToken {
        scopes: vec![pivotd::tokens::Scope::Transforms],
        ..pivotd::tokens::NewToken::for_everyday("ben")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let status = async |path: &str| {
        let request = app.http.get(format!("{}{path}", app.base)).bearer_auth(&token);
        request.send().await.unwrap().status().as_u16()
    };
    let score = "/v1/domain/example.com/reputation";
    assert_eq!(status(score).await, 403);
    assert_eq!(last(&app)["fields"]["client"], "ben");
    app.app.tokens.revoke("ben").await.unwrap();
    assert_eq!(status(score).await, 401);
    assert_eq!(
        (&last(&app)["fields"]["client"], &last(&app)["fields"]["status"]),
        (&json!("ben"), &json!(401))
    );
    let run = app
        .http
        .post(format!("{}/run/domaintools.ip-history", app.base))
        .bearer_auth(&token)
        .body(Entity::domain("example.com").request());
    assert_eq!(run.send().await.unwrap().status().as_u16(), 200);
    let line = last(&app);
    assert_eq!(
        (&line["fields"]["client"], &line["fields"]["outcome"]),
        (&json!("ben"), &json!("denied"))
    );
}
