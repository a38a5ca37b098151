//! Creates runs of protocol v3, reads them to their ends and deletes them, as clients do, over kept connections.
//!
//! `v3_client URL TRANSFORM DOMAIN SECONDS [TOKEN]`; used by `benches/compare/v3`. `@@` in the domain is another number in each run.
//! Prints how many runs were complete, and how many entities the last one gave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const CONNECTIONS: usize = 16;

type Failed = Box<dyn std::error::Error + Send + Sync>;

struct Load {
    http: reqwest::Client,
    url: String,
    domain: String,
    token: Option<String>,
    next: AtomicU64,
    done: AtomicU64,
    entities: AtomicU64,
}

impl Load {
    fn with_token(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn json(&self, request: reqwest::RequestBuilder, status: u16) -> Result<Value, Failed> {
        let answer = self.with_token(request).send().await?;
        let is = answer.status().as_u16();
        let body = answer.bytes().await?;
        if is != status {
            return Err(format!("HTTP {is}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// Makes one run, from its creation to its end.
    async fn run(&self) -> Result<(), Failed> {
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let domain = self.domain.replace("@@", &number);
        let body = json!({
            "input": {
                "metadata": {
                    "entitiesTypesStat": {"maltego.Domain": 1}, "entitiesTotalCount": 1,
                    "linksTotalCount": 0, "rootEntitiesCount": 1
                },
                "graph": {
                    "entities": [{
                        "id": "e1", "type": "maltego.Domain", "valueRef": "fqdn", "weight": 100,
                        "properties": [{"name": "fqdn", "value": domain, "type": "STRING", "matchingRule": "strict"}],
                        "displayInformation": [], "bookmark": -1, "overlays": [], "note": "", "baseEntities": []
                    }],
                    "links": []
                }
            },
            "transformSettings": [],
            "limit": 256
        });
        let created = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .body(body.to_string());
        let created = self.json(created, 201).await?;
        let id = created["result"]["runId"].as_str().ok_or("no run")?;
        let run = format!("{}/{id}", self.url);
        let (mut pointer, mut entities) = (0, 0);
        loop {
            let page = self.http.get(format!("{run}/results?eventPointer={pointer}"));
            let page = self.json(page, 200).await?;
            let result = &page["result"];
            let events = result["events"].as_array().ok_or("no events")?;
            pointer += events.len() as u64;
            entities += events
                .iter()
                .filter(|event| event["data"]["inputType"] == "ENTITY")
                .count() as u64;
            let is_end = matches!(
                result["state"].as_str(),
                Some("COMPLETED" | "FAILED" | "CANCELED")
            );
            if is_end && Some(pointer) >= result["eventCount"].as_u64() {
                break;
            }
        }
        self.json(self.http.delete(&run), 200).await?;
        self.done.fetch_add(1, Ordering::Relaxed);
        self.entities.store(entities, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, transform, domain, seconds, token @ ..] = arguments.as_slice() else {
        return Err("usage: v3_client URL TRANSFORM DOMAIN SECONDS [TOKEN]".into());
    };
    let load = Arc::new(Load {
        // The other server does not pack its answers.
        http: reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .build()?,
        url: format!("{base}/transforms/{transform}/run"),
        domain: domain.clone(),
        token: token.first().cloned(),
        next: AtomicU64::new(std::process::id().into()),
        done: AtomicU64::new(0),
        entities: AtomicU64::new(0),
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark measures the machine's time"
    )]
    let until = Instant::now() + Duration::from_secs(seconds.parse()?);
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let load = Arc::clone(&load);
            tokio::spawn(async move {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a benchmark measures the machine's time"
                )]
                while Instant::now() < until {
                    load.run().await?;
                }
                Ok::<_, Failed>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    let text = format!(
        "{} runs, {} entities\n",
        load.done.load(Ordering::Relaxed),
        load.entities.load(Ordering::Relaxed)
    );
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}
