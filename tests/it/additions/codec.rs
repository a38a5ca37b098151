//! A second wire format of Maltego clients: JSON, read and written through the same seam as TRX.

use std::borrow::Cow;
use std::sync::Arc;

use pivotd::app::run_routes::RunRoute;
use pivotd::maltego::codec::Codec;
use pivotd::maltego::{Entity, InputEntity, TransformException, TransformRequest, TransformResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Builder, Entity as Asked, TestApp};

/// Reads and writes runs as JSON.
#[derive(Debug)]
struct Json;

/// Writes the number of entities alone, under the same media type.
#[derive(Debug)]
struct Count;

impl Codec for Count {
    fn content_type(&self) -> &'static str {
        Json.content_type()
    }

    fn decode(&self, body: &[u8]) -> Result<TransformRequest, String> {
        Json.decode(body)
    }

    fn encode(&self, response: &TransformResponse) -> Vec<u8> {
        json!({ "count": response.entities.len() })
            .to_string()
            .into_bytes()
    }

    fn encode_error(&self, exception: &TransformException) -> Vec<u8> {
        Json.encode_error(exception)
    }
}

/// Is a run as a client sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    r#type: String,
    value: String,
    #[serde(default)]
    settings: std::collections::BTreeMap<String, String>,
    limit: Option<u32>,
}

impl Codec for Json {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn decode(&self, body: &[u8]) -> Result<TransformRequest, String> {
        let run: Run =
            serde_json::from_slice(body).map_err(|error| format!("the run cannot be read: {error}"))?;
        Ok(TransformRequest {
            entities: vec![InputEntity {
                ancestors: vec![run.r#type.clone()],
                declared_type: run.r#type.clone(),
                type_id: run.r#type,
                value: run.value,
                ..InputEntity::default()
            }],
            settings: run.settings.into_iter().collect(),
            soft_limit: run.limit,
            hard_limit: run.limit,
        })
    }

    fn encode(&self, response: &TransformResponse) -> Vec<u8> {
        let messages = response.messages.iter();
        let messages: Vec<Value> = messages
            .map(|message| json!({ "kind": message.kind.as_str(), "text": message.text }))
            .collect();
        let entities: Vec<Value> = response.entities.iter().map(entity).collect();
        json!({ "entities": entities, "messages": messages })
            .to_string()
            .into_bytes()
    }

    fn encode_error(&self, exception: &TransformException) -> Vec<u8> {
        json!({ "error": exception.text, "code": exception.code })
            .to_string()
            .into_bytes()
    }
}

fn entity(entity: &Entity) -> Value {
    let properties = entity.properties.iter();
    let properties: serde_json::Map<String, Value> = properties
        .map(|property| (property.name.to_string(), property.value.as_str().into()))
        .collect();
    json!({ "type": entity.type_id.as_str(), "value": entity.value.as_str(), "properties": properties })
}

async fn start() -> TestApp {
    let route = |prefix: &'static str, codec: Arc<dyn Codec>| RunRoute {
        prefix: Cow::Borrowed(prefix),
        codec,
    };
    Builder::new()
        .manual_clock()
        .runs(route("/api/json/run/", Arc::new(Json)))
        .runs(route("/api/count/run/", Arc::new(Count)))
        .start()
        .await
}

const TRANSFORM: &str = "domaintools.ip-history";

async fn posted(app: &TestApp, path: &str, token: Option<&str>, body: &Value) -> (u16, String, Value) {
    let mut request = app
        .http
        .post(format!("{}{path}", app.base))
        .body(body.to_string());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (status, kind, response.json().await.unwrap())
}

#[tokio::test]
async fn the_same_transforms_answer_in_another_wire_format_at_one_price() {
    let app = start().await;
    let domain = "tendrit.example";
    let xml = app.run(TRANSFORM, Asked::domain(domain)).await;
    let attempts = app.vendor.attempts();
    let path = format!("/api/json/run/{TRANSFORM}");
    let run = json!({ "type": "maltego.Domain", "value": domain });
    for _ in 0..3 {
        let (status, kind, answer) = posted(&app, &path, Some(&app.token), &run).await;
        assert_eq!((status, kind.as_str()), (200, "application/json"));
        let found: Vec<(String, String)> = answer["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap().to_owned();
                assert!(one["properties"]["domaintools.source"].is_string(), "{one}");
                (text("type"), text("value"))
            })
            .collect();
        assert!(!found.is_empty());
        assert_eq!(found, xml.entities());
    }
    assert_eq!(app.vendor.attempts(), attempts, "what XML paid for is held");
    // And the other way round: neither is sent the other's bytes.
    let again = app.run(TRANSFORM, Asked::domain(domain)).await;
    assert_eq!(again.entities(), xml.entities());
    let one = json!({ "type": "maltego.Domain", "value": domain, "limit": 1 });
    let (_, _, answer) = posted(&app, &path, Some(&app.token), &one).await;
    assert_eq!(answer["entities"].as_array().unwrap().len(), 1);
    assert!(
        answer["messages"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with(domain)
    );
}

/// What is sent again is of the path that is asked, not of another one in which the same words mean the same.
#[tokio::test]
async fn formats_of_one_media_type_are_told_apart_by_their_paths() {
    let app = start().await;
    let run = json!({ "type": "maltego.Domain", "value": "tendrit.example" });
    for _ in 0..3 {
        for (format, member) in [("json", "entities"), ("count", "count")] {
            let path = format!("/api/{format}/run/{TRANSFORM}");
            let (_, _, answer) = posted(&app, &path, Some(&app.token), &run).await;
            assert!(!answer[member].is_null(), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_told_in_the_format_of_its_path() {
    let app = start().await;
    let run = json!({ "type": "maltego.Domain", "value": "tendrit.example" });
    let path = format!("/api/json/run/{TRANSFORM}");
    let (status, kind, answer) = posted(&app, "/api/json/run/none.such", Some(&app.token), &run).await;
    assert_eq!((status, kind.as_str()), (404, "application/json"));
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("no transform none.such"),
        "{answer}"
    );
    let (status, _, answer) = posted(&app, &path, Some(&app.token), &json!({ "kind": 1 })).await;
    assert_eq!(status, 200);
    let error = answer["error"].as_str().unwrap();
    assert!(
        error.contains("unknown field") && error.ends_with("nothing was looked up"),
        "{error}"
    );
    let (_, kind, answer) = posted(&app, &path, None, &run).await;
    assert_eq!(
        (kind.as_str(), &answer["code"]),
        ("application/json", &json!(600)),
        "{answer}"
    );
    let (_, kind, answer) = posted(&app, &path, Some("pvtd_no"), &run).await;
    assert_eq!(kind, "application/json");
    assert_eq!(answer["messages"][0]["kind"], "FatalError", "{answer}");
    // The token may stand in the path there, too.
    let in_path = format!("/t/{}{path}", app.token);
    let (status, _, answer) = posted(&app, &in_path, None, &run).await;
    assert_eq!(status, 200);
    assert!(
        answer["entities"]
            .as_array()
            .is_some_and(|found| !found.is_empty()),
        "{answer}"
    );
    let probe = app.get(&path).await;
    assert!(
        probe.status == 200 && probe.body.starts_with(TRANSFORM),
        "{}",
        probe.body
    );
}
