//! What is malformed, and what is not there: the statuses that clients of this protocol know.

use reqwest::Method;
use serde_json::{Value, json};

use super::{DESKTOP, V3, domain, found, request, told};
use crate::support::{Answer, TestApp};

const PATH: &str = "/transforms/domaintools.whois/run";

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = domain("tendrit.example");
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn malformed_bodies_have_the_statuses_that_clients_know() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let entity = "/input/graph/entities/0";
    for (name, body, status) in [
        ("no members", json!({"input": {}}), 422),
        ("a list", json!([]), 422),
        (
            "settings that are none",
            changed("/transformSettings", json!("x")),
            422,
        ),
        (
            "an id that is a number",
            changed(&format!("{entity}/id"), json!(5)),
            422,
        ),
        (
            "an id that is null",
            changed(&format!("{entity}/id"), json!(null)),
            422,
        ),
        (
            "an unknown bookmark",
            changed(&format!("{entity}/bookmark"), json!(9)),
            422,
        ),
        ("a limit in words", changed("/limit", json!("abc")), 422),
        ("no entity", changed("/input/graph/entities", json!([])), 400),
        (
            "ids twice",
            changed("/input/graph/entities", json!([{"id": "a"}, {"id": "a"}])),
            400,
        ),
        (
            "a link to nothing",
            changed(
                "/input/graph/links",
                json!([{"id": "l", "sourceId": "e0", "targetId": "x"}]),
            ),
            400,
        ),
        ("an empty id", changed(&format!("{entity}/id"), json!("")), 201),
        ("a limit of zero", changed("/limit", json!(0)), 201),
    ] {
        let answer = client.send(Method::POST, PATH, Some(&body)).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json");
        if status != 201 {
            assert!(!answer.json()["detail"].is_null(), "{name}");
        }
    }
    let whole = domain("tendrit.example").to_string();
    for (kind, body, status) in [
        (None, whole.as_str(), 422),
        (Some("text/plain"), whole.as_str(), 422),
        (Some("text/xml"), "<MaltegoMessage/>", 422),
        (Some("application/json"), "", 422),
        (Some("application/json"), "{\"input\": ", 422),
        (Some("application/vnd.maltego+json"), whole.as_str(), 201),
        (Some("Application/JSON; charset=utf-8"), whole.as_str(), 201),
    ] {
        let mut request = app
            .http
            .post(format!("{}{PATH}", app.base))
            .bearer_auth(&app.token);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = Answer::of(request.body(body.to_owned()).send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{kind:?} {body}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_as_clients_know_it() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let no_run = format!("{PATH}/00000000-0000-0000-0000-000000000000");
    let answer = json!({"reason": "COMPLETED", "result": {}});
    for (method, path, body, status, state, detail) in [
        (
            Method::GET,
            "/transforms/nope".to_owned(),
            None,
            404,
            "",
            "Transform with id nope not found",
        ),
        (
            Method::POST,
            "/transforms/nope/run".to_owned(),
            None,
            404,
            "",
            "Transform with id nope not found",
        ),
        (
            Method::GET,
            format!("{no_run}/results"),
            None,
            404,
            "TIMED_OUT",
            "Transform run not found",
        ),
        (
            Method::GET,
            format!("{PATH}/not-an-id/results"),
            None,
            404,
            "TIMED_OUT",
            "Transform run not found",
        ),
        (
            Method::DELETE,
            no_run.clone(),
            None,
            404,
            "FAILED",
            "Transform run not found",
        ),
        (
            Method::POST,
            format!("{no_run}/cancel"),
            None,
            404,
            "FAILED",
            "Could not find transform run with id 00000000-0000-0000-0000-000000000000",
        ),
        (
            Method::POST,
            format!("{no_run}/prompts/p"),
            Some(&answer),
            404,
            "FAILED",
            "Resource not found.",
        ),
        (Method::GET, "/nope".to_owned(), None, 404, "", "Not Found"),
        (
            Method::PUT,
            "/transforms".to_owned(),
            None,
            405,
            "",
            "Method Not Allowed",
        ),
        (Method::GET, PATH.to_owned(), None, 405, "", "Method Not Allowed"),
    ] {
        let refused = client.send(method.clone(), &path, body).await;
        let told = (
            refused.status,
            refused.header("maltego-run-state"),
            refused.json(),
        );
        assert_eq!(
            told,
            (status, state, json!({"detail": detail})),
            "{method} {path}"
        );
        assert_eq!(status == 405, !refused.header("allow").is_empty());
    }
    let run = client
        .create("domaintools.whois", &domain("tendrit.example"))
        .await;
    let refused = client.get(&format!("{run}/results?eventPointer=abc")).await;
    assert_eq!(
        (refused.status, refused.json()["detail"][0]["loc"].clone()),
        (422, json!(["query", "eventPointer"]))
    );
    let wrong = json!({"reason": "LATER", "result": {}});
    assert_eq!(
        client
            .send(Method::POST, &format!("{run}/prompts/p"), Some(&wrong))
            .await
            .status,
        422
    );
    // An answer to a prompt that is not open changes nothing.
    assert_eq!(
        client
            .send(Method::POST, &format!("{run}/prompts/p"), Some(&answer))
            .await
            .status,
        204
    );
    client.read_until(&run, &mut Vec::new(), |_| false).await;
}

#[tokio::test]
async fn a_request_that_contradicts_itself_fails_as_a_run() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let metadata = "/input/metadata";
    for (pointer, value, expected) in [
        (
            "entitiesTypesStat",
            json!({"maltego.Domain": 2}),
            "Mismatch between request metadata and actual content",
        ),
        (
            "entitiesTotalCount",
            json!(2),
            "Mismatch between number of entities in request and number of entities in metadata",
        ),
        ("entitiesTotalCount", json!(null), "Malformed request body"),
    ] {
        let (state, events) = client
            .run(
                "domaintools.whois",
                &changed(&format!("{metadata}/{pointer}"), value),
            )
            .await;
        assert_eq!(state, "FAILED");
        assert!(
            told(&events)
                .iter()
                .any(|(kind, text)| kind == "ERROR" && text == expected),
            "{events:?}"
        );
    }
    assert_eq!(app.vendor.attempts(), 0);
}

/// A client that knows which types it may send is refused at once; another one learns what is wrong with each entity.
#[tokio::test]
async fn types_that_do_not_fit_are_refused_or_told() {
    let app = TestApp::start().await;
    let hash = request("maltego.Hash", &["d41d8cd98f00b204e9800998ecf8427e"], &[]);
    let client = V3::new(&app);
    let refused = client.send(Method::POST, PATH, Some(&hash)).await;
    let detail = json!({"detail": "No input entity matches the transforms signature"});
    assert_eq!((refused.status, refused.json()), (400, detail), "{DESKTOP}");
    let other = V3 {
        agent: "Mozilla/5.0",
        ..V3::new(&app)
    };
    let (state, events) = other.run("domaintools.whois", &hash).await;
    assert_eq!((state.as_str(), found(&events).len()), ("FAILED", 0));
    assert!(
        told(&events)[0]
            .1
            .contains("cannot be asked about a maltego.Hash"),
        "{events:?}"
    );
}
