//! Keeps what a run found of one input while all that it was made from stands, so that the next run copies it.

use super::execution::Execution;
use crate::ask::transform::ReplyDependencies;
use crate::engine::cache::{CachedReply, Rendered, RenderedKey};
use crate::http::maltego::{Asker, rendered_key, reply_key};
use crate::maltego::json::finding::WrittenFinding;
use crate::maltego::{Entity, TransformRequest, UiMessage};

/// Keeps answers of this protocol apart from those of others, whose keys begin with their paths.
const FORMAT: &[u8] = b"v3";

/// Is what a run found of one input.
#[derive(Debug, Clone)]
pub(super) struct KeptFindings {
    pub(super) findings: Vec<WrittenFinding>,
    pub(super) messages: Vec<UiMessage>,
    /// The outcome, for logs and metrics.
    pub(super) outcome: &'static str,
}

impl CachedReply for KeptFindings {
    fn weight(&self) -> usize {
        let messages = self.messages.iter().map(|message| message.text.len());
        let findings = self.findings.iter().map(WrittenFinding::weight);
        size_of::<Self>() + findings.chain(messages).sum::<usize>()
    }
}

impl KeptFindings {
    /// Writes what was found; `None` where it cannot be copied.
    pub(super) fn new(entities: &[Entity], messages: &[UiMessage], outcome: &'static str) -> Option<Self> {
        Some(Self {
            findings: entities.iter().map(WrittenFinding::new).collect::<Option<_>>()?,
            messages: messages.to_vec(),
            outcome,
        })
    }
}

impl Execution {
    /// Gathers all that an answer about an input depends on.
    pub(super) fn key(&self, request: &TransformRequest) -> RenderedKey {
        let asker = Asker {
            tenant: &self.context.requester.tenant,
            may_buy: self.context.requester.may_buy,
            may_refresh: self.context.may_refresh,
        };
        let key = reply_key(FORMAT, &self.configured, &self.spec, &asker, 512);
        rendered_key(key, &self.spec, request)
    }

    /// Keeps what was found, with all that it depends on.
    pub(super) async fn keep(&self, key: RenderedKey, kept: KeptFindings, depends: ReplyDependencies) {
        let tenant = &self.context.requester.tenant;
        let savings = self.app.engine.savings(tenant, &depends.entries).await;
        let rendered = Rendered {
            savings,
            reply: Box::new(kept),
            depends: depends.entries,
            marks: Some(depends.marks),
            fresh_until: depends.fresh_until,
            retrieved_at: depends.retrieved_at,
        };
        self.app.engine.cache().put_rendered(key, rendered).await;
    }
}
