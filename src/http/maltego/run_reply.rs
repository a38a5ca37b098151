//! Writes the reply to a run in the wire format of its path, and keeps it while all that it was made from stands.

use actix_web::web::Bytes;

use super::answered::Answered;
use crate::app::App;
use crate::ask::transform::{Body, Run, RunAnswers, RunResult};
use crate::engine::cache::{CachedReply, Rendered, RenderedKey};
use crate::maltego::codec::Codec;

/// Is the reply to a run, as it is kept.
#[derive(Debug)]
pub(super) struct RunReply {
    pub(super) body: Bytes,
    /// The outcome, for logs and metrics.
    pub(super) outcome: &'static str,
}

impl CachedReply for RunReply {
    fn weight(&self) -> usize {
        self.body.len()
    }
}

/// Maps, merges and writes what came.
pub(super) fn render(
    codec: &dyn Codec,
    answers: RunAnswers,
    run: &Run<'_>,
    now: jiff::Timestamp,
) -> (Bytes, RunResult) {
    let begun = codec.begin_xml();
    let (xml, mut result) = match begun {
        Some(mut xml) => {
            let result = answers.gather_xml(run, now, &mut xml);
            (Some(xml), result)
        }
        None => (None, answers.gather(run, now)),
    };
    let body = match (&mut result.body, xml) {
        (Body::Response(response), Some(xml)) => codec.finish_xml(xml, &response.messages),
        (Body::Response(response), None) => {
            let body = codec.encode(response);
            // They end here, so that freeing them holds up no other request.
            response.entities = Vec::new();
            body
        }
        (Body::Exception(exception), _) => codec.encode_error(exception),
    };
    (body.into(), result)
}

/// Keeps the bytes where everything they were made from is fresh.
pub(super) async fn finish(
    (app, tenant): (&App, &str),
    codec: &dyn Codec,
    key: RenderedKey,
    (body, result): (Bytes, RunResult),
    now: jiff::Timestamp,
) -> Answered {
    if let Some(depends) = result.depends
        && app.engine.cache().keeps(&key)
    {
        let savings = app.engine.savings(tenant, &depends.entries).await;
        let rendered = Rendered {
            reply: Box::new(RunReply {
                body: body.clone(),
                outcome: result.outcome,
            }),
            depends: depends.entries,
            marks: Some(depends.marks),
            savings,
            fresh_until: depends.fresh_until,
            retrieved_at: depends.retrieved_at,
        };
        app.engine.cache().put_rendered(key, rendered).await;
    }
    Answered {
        cache: result.cache,
        provider_time: result.provider_time,
        age: age(now, result.retrieved_at),
        ..Answered::local(codec, body, result.outcome)
    }
}

/// Returns the seconds since answers were retrieved.
pub(super) fn age(now: jiff::Timestamp, retrieved_at: Option<jiff::Timestamp>) -> Option<u64> {
    retrieved_at.map(|at| u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0))
}
