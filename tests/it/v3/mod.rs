//! Maltego's protocol v3: discovery, and runs from their creation to their end.

mod bounds;
mod catalogue;
mod constraints;
mod discovery;
mod issuers;
mod life;
mod load;
mod prompts;
mod refusals;
mod streaming;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// A client of protocol v3.
struct V3<'a> {
    app: &'a TestApp,
    /// What stands before all paths.
    prefix: String,
    token: Option<String>,
    agent: &'a str,
}

const DESKTOP: &str = "Maltego Desktop/4.10.0 (Maltego One Eval; Mac OS X; 14.3; 0)";

impl<'a> V3<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self::of(app, &app.token)
    }

    fn of(app: &'a TestApp, token: &str) -> Self {
        Self {
            app,
            prefix: "/api/v3".to_owned(),
            token: Some(token.to_owned()),
            agent: DESKTOP,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let url = format!("{}{}{path}", self.app.base, self.prefix);
        let mut request = self
            .app
            .http
            .request(method, url)
            .header("user-agent", self.agent);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        Answer::of(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Creates a run and returns its path.
    async fn create(&self, transform: &str, body: &Value) -> String {
        let path = format!("/transforms/{transform}/run");
        let created = self.send(Method::POST, &path, Some(body)).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let created = created.json();
        assert_eq!(created["result"]["events"], json!([]));
        assert_eq!(created["status"], json!({"uiMessages": [], "code": 200}));
        format!("{path}/{}", created["result"]["runId"].as_str().unwrap())
    }

    /// Returns a page of events.
    async fn page(&self, run: &str, pointer: usize) -> Answer {
        let page = self.get(&format!("{run}/results?eventPointer={pointer}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }

    /// Reads a run until these events satisfy a condition, or it has ended and all were read.
    async fn read_until(
        &self,
        run: &str,
        events: &mut Vec<Value>,
        enough: impl Fn(&[Value]) -> bool,
    ) -> String {
        loop {
            let page = self.page(run, events.len()).await;
            let state = page.header("maltego-run-state").to_owned();
            let result = page.json()["result"].clone();
            events.extend(result["events"].as_array().unwrap().iter().cloned());
            let is_end = !matches!(state.as_str(), "INITIALIZED" | "RUNNING");
            let has_all = events.len() as u64 >= result["eventCount"].as_u64().unwrap();
            if enough(events) || is_end && has_all {
                return state;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Runs a transform to its end; returns how it ended and all events.
    async fn run(&self, transform: &str, body: &Value) -> (String, Vec<Value>) {
        let run = self.create(transform, body).await;
        let mut events = Vec::new();
        let state = self.read_until(&run, &mut events, |_| false).await;
        let deleted = self.send(Method::DELETE, &run, None).await;
        assert_eq!(deleted.status, 200, "{}", deleted.body);
        (state, events)
    }
}

/// A run on entities of a type, by their values, with settings.
fn request(type_id: &str, values: &[&str], settings: &[(&str, Value)]) -> Value {
    let property = pivotd::maltego::types::value_property(type_id).unwrap_or("value");
    let entities: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            json!({
                "id": format!("e{at}"), "type": type_id, "valueRef": property, "weight": 100,
                "properties": [{"name": property, "value": value, "type": "STRING", "matchingRule": "strict"}],
                "displayInformation": [], "bookmark": -1, "overlays": [], "note": "", "baseEntities": []
            })
        })
        .collect();
    let settings: Vec<Value> = settings
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    json!({
        "input": {
            "metadata": {
                "entitiesTypesStat": {type_id: entities.len()}, "entitiesTotalCount": entities.len(),
                "linksTotalCount": 0, "rootEntitiesCount": entities.len()
            },
            "graph": {"entities": entities, "links": []}
        },
        "transformSettings": settings,
        "limit": 256
    })
}

fn domain(value: &str) -> Value {
    request("maltego.Domain", &[value], &[])
}

/// The value on which a transform is tried.
fn example(app: &TestApp, transform: &str) -> String {
    let configured = app.app.configured.load();
    configured.catalogue.find(transform).unwrap().example.clone()
}

/// The events of a kind: `ADD ENTITY`, `UPDATE LINK`.
fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let is = |event: &&Value| {
        let data = &event["data"];
        kind == format!(
            "{} {}",
            data["eventType"].as_str().unwrap(),
            data["inputType"].as_str().unwrap()
        )
    };
    events.iter().filter(is).map(|event| &event["data"]).collect()
}

/// Types and values of the entities that were added.
fn found(events: &[Value]) -> Vec<(String, String)> {
    let added = of(events, "ADD ENTITY").into_iter();
    added
        .map(|data| {
            let entity = &data["entity"];
            let properties = entity["properties"].as_array().unwrap();
            let value = properties
                .iter()
                .find(|one| one["name"] == entity["valueRef"])
                .unwrap();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (text(&entity["type"]), text(&value["value"]))
        })
        .collect()
}

/// The texts of all messages, with their types.
fn told(events: &[Value]) -> Vec<(String, String)> {
    let messages = of(events, "ADD STATUS_MESSAGE").into_iter();
    messages
        .map(|data| {
            let message = &data["statusMessage"];
            (
                message["type"].as_str().unwrap().to_owned(),
                message["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}
