//! Every transform of the catalogue, run once.

use std::collections::HashSet;

use serde_json::json;

use super::{V3, found, of, request, told};
use crate::support::{Builder, providers};

#[tokio::test]
async fn every_transform_is_listed_and_runs() {
    let providers = providers();
    let names: Vec<String> = providers.descriptors().map(|one| one.name.to_string()).collect();
    let app = Builder::new().demo().with(&names).start().await;
    let client = V3 {
        // A client without prompts is told what it would be asked.
        agent: "Maltego Desktop/4.5.0 (Maltego One Eval; Mac OS X; 14.3; 0)",
        token: None,
        ..V3::new(&app)
    };
    let listing = client.get("/transforms").await.json();
    let listed: Vec<_> = listing["transforms"].as_array().unwrap().iter().collect();
    let configured = app.app.configured.load();
    let specs = configured.catalogue.transforms();
    assert_eq!(listed.len(), configured.listing.offered().count());
    assert!(listed.len() > 50);
    let known: HashSet<&str> = pivotd::maltego::types::all().map(|one| one.id).collect();
    for one in listed {
        let id = one["name"].as_str().unwrap();
        let name = id.strip_prefix("pivotd.").filter(|rest| !rest.contains('.'));
        let spec = specs
            .iter()
            .find(|spec| spec.name == id || name == Some(&*spec.name))
            .unwrap();
        let input = &spec.inputs[0];
        assert!(
            one["input"]["typeIds"]
                .as_array()
                .unwrap()
                .contains(&json!(input.type_id))
        );
        let mut body = request(&input.type_id, &[&spec.example], &[]);
        if let Some(query) = &input.query {
            let entity = &mut body["input"]["graph"]["entities"][0];
            let property = json!({"name": query, "value": spec.example, "type": "STRING"});
            entity["properties"].as_array_mut().unwrap().push(property);
        }
        let (state, events) = client.run(id, &body).await;
        let told = told(&events);
        assert_eq!(state, "COMPLETED", "{id} of {}: {told:?}", spec.example);
        assert!(!events.is_empty(), "{id} says nothing");
        // In the demo everything says that it is sample data.
        assert!(
            told.iter().any(|(_, text)| text.contains("sample data")),
            "{id}: {told:?}"
        );
        for (type_id, value) in found(&events) {
            assert!(
                known.contains(&*type_id) && !value.is_empty(),
                "{id}: {type_id} {value}"
            );
            let outputs = one["output"]["typeIds"].as_array().unwrap();
            assert!(
                outputs.contains(&json!(type_id)),
                "{id}: {type_id} is not among {outputs:?}"
            );
        }
        assert_eq!(
            of(&events, "ADD ENTITY").len(),
            of(&events, "ADD LINK").len(),
            "{id}"
        );
    }
    assert!(app.app.runs.is_empty());
    // A page of another site reaches none of it, but for the browser client's own.
    let page = |origin: &'static str| {
        let request = app
            .http
            .get(format!("{}/transforms", app.base))
            .header("origin", origin);
        async move {
            request
                .header("sec-fetch-site", "cross-site")
                .send()
                .await
                .unwrap()
        }
    };
    let refused = page("https://evil.example").await;
    assert_eq!(refused.status(), 403);
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
    let allowed = page("https://app.maltego.com").await;
    assert_eq!(allowed.status(), 200);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://app.maltego.com"
    );
}
