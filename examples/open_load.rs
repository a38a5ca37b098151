//! Sends requests at a fixed rate, whether the ones before were answered or not, and tells how long the answers took: a
//! client that waits for its answers never asks more than a server can answer.
//!
//! ```text
//! open_load URL BODY_FILE CONTENT_TYPE RATE SECONDS
//! ```
//!
//! `@@` in the body is another number in each request. The token is read from `PIVOTD_TOKEN`. Writes one JSON object.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Requests under way beyond this are not sent: the client's own memory is bounded, too.
const MOST_UNDER_WAY: usize = 4_000;

/// Is what came of a request.
enum Came {
    Taken(Duration),
    Refused(Duration, bool),
    Failed(String),
}

fn main() -> anyhow::Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [url, file, content_type, rate, seconds] = given.as_slice() else {
        anyhow::bail!("expected URL BODY_FILE CONTENT_TYPE RATE SECONDS");
    };
    let body = std::fs::read_to_string(file).with_context(|| file.clone())?;
    let rate: f64 = rate.parse().context("RATE")?;
    let seconds: f64 = seconds.parse().context("SECONDS")?;
    let token = std::env::var("PIVOTD_TOKEN").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let told = runtime.block_on(load(url, &body, content_type, &token, rate, seconds))?;
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

async fn load(
    url: &str,
    body: &str,
    content_type: &str,
    token: &str,
    rate: f64,
    seconds: f64,
) -> anyhow::Result<serde_json::Value> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (sender, mut came) = mpsc::unbounded_channel();
    let under_way = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut sent: u32 = 0;
    let mut held_back: u32 = 0;
    loop {
        let due = Duration::from_secs_f64(f64::from(sent + held_back) / rate);
        if due.as_secs_f64() >= seconds {
            break;
        }
        sleep_until(began + due).await;
        if under_way.load(Ordering::Relaxed) >= MOST_UNDER_WAY {
            held_back += 1;
            continue;
        }
        let request = client
            .post(url)
            .bearer_auth(token)
            .header("Content-Type", content_type)
            .body(body.replace("@@", &sent.to_string()));
        sent += 1;
        under_way.fetch_add(1, Ordering::Relaxed);
        let (sender, under_way) = (sender.clone(), Arc::clone(&under_way));
        // Latency counts from when the request was due: a late client must not flatter the server.
        let due = began + due;
        tokio::spawn(async move {
            let one = answer(request, due).await;
            under_way.fetch_sub(1, Ordering::Relaxed);
            // The receiver lives until all have come.
            let _ = sender.send(one);
        });
    }
    drop(sender);
    let (mut taken, mut refused, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut without_time = 0;
    while let Some(one) = came.recv().await {
        match one {
            Came::Taken(took) => taken.push(took),
            Came::Refused(took, has_time) => {
                refused.push(took);
                without_time += i32::from(!has_time);
            }
            Came::Failed(error) => failed.push(error),
        }
    }
    Ok(serde_json::json!({
        "sent": sent, "held_back": held_back, "seconds": began.elapsed().as_secs_f64(),
        "taken": summary(taken), "refused": summary(refused), "without_retry_after": without_time,
        "failed": failed.len(), "failure": failed.first(),
    }))
}

async fn answer(request: reqwest::RequestBuilder, due: Instant) -> Came {
    let whole = async {
        let response = request.send().await?;
        let status = response.status();
        let has_time = response.headers().contains_key("retry-after");
        let body = response.bytes().await?;
        Ok::<_, reqwest::Error>((status, has_time, body))
    };
    match whole.await {
        Ok((status, _, _)) if status.is_success() => Came::Taken(due.elapsed()),
        Ok((status, has_time, _)) if matches!(status.as_u16(), 429 | 503) => {
            Came::Refused(due.elapsed(), has_time)
        }
        Ok((status, ..)) => Came::Failed(status.to_string()),
        Err(error) => Came::Failed(format!("{error:?}")),
    }
}

fn summary(mut took: Vec<Duration>) -> serde_json::Value {
    took.sort_unstable();
    let at = |share: usize| {
        let index = (took.len() * share / 1000).min(took.len().saturating_sub(1));
        took.get(index).map(|one| one.as_secs_f64() * 1000.0)
    };
    serde_json::json!({"count": took.len(), "p50": at(500), "p99": at(990), "p999": at(999), "most": at(1000)})
}
