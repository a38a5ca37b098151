//! What a SOAR route answers, and what is told of it in headers and in the log.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use crate::decisions::Reply;
use crate::http::principal::{self, Principal};
use crate::http::problem::Problem;
use crate::http::request::{Entry, RequestContext};
use crate::tokens::RateStanding;

pub(super) const JSON: &str = "application/json";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Is an answer with what the log wants to know.
pub struct Finished {
    pub(super) outcome: &'static str,
    pub(super) cache: &'static str,
    pub(super) provider_time: Duration,
    pub(super) client: Arc<str>,
    pub(super) asked: String,
    pub(super) rate: Option<RateStanding>,
    pub(super) reply: Reply,
    pub(super) replayed: bool,
    /// The id of the decision that the answer tells.
    pub(super) decision: Option<Arc<str>>,
}

impl Finished {
    /// Makes what is told of an answer that asked no source for a score.
    pub(super) fn local<T: Serialize>(
        principal: &Principal,
        outcome: &'static str,
        answer: &T,
    ) -> Result<Self, Problem> {
        Ok(Self {
            outcome,
            cache: "local",
            provider_time: Duration::ZERO,
            client: Arc::clone(&principal.client),
            asked: String::new(),
            rate: principal.rate(),
            reply: json(answer)?,
            replayed: false,
            decision: None,
        })
    }
}

/// Renders an answer as JSON.
pub(super) fn json<T: Serialize>(answer: &T) -> Result<Reply, Problem> {
    let mut body = Vec::with_capacity(4096);
    serde_json::to_writer(&mut body, answer).map_err(Problem::failed)?;
    Ok(Reply {
        content_type: JSON.to_owned(),
        body: String::from_utf8(body).map_err(Problem::failed)?,
    })
}

impl Responder for Finished {
    type Body = BoxBody;

    fn respond_to(self, http: &HttpRequest) -> HttpResponse {
        let context = RequestContext::of(http);
        context.tell(Entry {
            outcome: self.outcome,
            status: 200,
            cache: self.cache,
            provider_time: self.provider_time,
            client: self.client,
            operation: None,
            indicator: Some(self.asked.into()),
            decision: self.decision,
        });
        let mut response = HttpResponse::Ok();
        response
            .content_type(self.reply.content_type)
            .insert_header((REQUEST_ID, context.id().to_string()));
        principal::rate_headers(&mut response, self.rate);
        if self.replayed {
            response.insert_header(("idempotent-replayed", "true"));
        }
        response.body(self.reply.body)
    }
}
