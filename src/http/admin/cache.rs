//! The stored answers: counted, shown, removed.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::administrator::Administrator;
use super::decisions::Removed;
use super::{refused, to_its_end};
use crate::app::App;
use crate::domain::outcome::Price;
use crate::domain::{Capability, Indicator};
use crate::engine::cache::{CacheStats, Entry};
use crate::http::api_call::{ApiCall, json_call};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::http::target::query;

/// Shows a stored answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// The provider.
    pub provider: String,
    /// The product that answered.
    pub product: String,
    /// The capability.
    pub capability: String,
    /// Parameters that the vendor saw.
    pub params: Vec<(String, String)>,
    /// How many records are held.
    pub records: usize,
    /// How many there are in all, where the vendor says.
    pub total: Option<u64>,
    /// What was paid for it, where it was bought.
    pub bought: Option<String>,
    /// When it was retrieved.
    pub retrieved_at: Timestamp,
    /// Until when it is served without asking.
    pub fresh_until: Timestamp,
    /// Whether it is served without asking now.
    pub fresh: bool,
}

impl AnswerView {
    fn of(entry: &Entry, now: Timestamp) -> Self {
        let answer = &entry.answer;
        let params = answer.query.params.iter();
        let price = answer.price.as_ref().filter(|price| price.bought);
        Self {
            provider: answer.source.provider.clone(),
            product: answer.source.product.clone(),
            capability: answer.query.capability.name().to_owned(),
            params: params
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            records: answer.records.len(),
            total: answer.total,
            bought: price.map(Price::amount),
            retrieved_at: entry.retrieved_at,
            fresh_until: entry.fresh_until,
            fresh: entry.is_fresh(now),
        }
    }
}

/// Counts what the cache holds.
#[derive(Debug, Clone, Copy)]
pub struct CountAnswers;

impl ApiCall for CountAnswers {
    type Reply = CacheStats;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        "/v1/admin/cache".to_owned()
    }
}

/// Asks for the stored answers about a value, canonical or not, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowAnswers {
    /// The value.
    pub value: String,
}

impl ApiCall for ShowAnswers {
    type Reply = Vec<AnswerView>;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("value", &self.value).finish();
        format!("/v1/admin/cache/answers?{query}")
    }
}

/// Removes stored answers that match all that is given; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// The provider.
    pub provider: Option<String>,
    /// The capability, by name.
    pub capability: Option<String>,
    /// The indicator, canonical or not.
    pub indicator: Option<String>,
}

json_call!(Purge => POST "/v1/admin/cache/purge" -> Removed, takes_long: true);

impl BodyKind for Purge {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a choice of stored answers";
}

/// Returns what a value may be stored under: as it is, and canonical.
pub(super) fn spellings(value: &str) -> Vec<String> {
    let canonical = Indicator::guess(value)
        .ok()
        .map(|indicator| indicator.value().to_owned());
    let mut all = vec![value.to_owned()];
    all.extend(canonical.filter(|canonical| canonical != value));
    all
}

pub(super) async fn stats(
    _administrator: Administrator,
    app: Data<App>,
) -> Result<Json<CacheStats>, Problem> {
    let stats = app.engine.cache().stats(app.engine.clock().now()).await;
    stats.map(Json).map_err(|error| refused(error.to_string()))
}

pub(super) async fn show(
    _administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<Vec<AnswerView>>, Problem> {
    let wanted: ShowAnswers = query(&http)?;
    let now = app.engine.clock().now();
    let mut all = Vec::new();
    for spelling in spellings(&wanted.value) {
        let entries = app.engine.cache().about(&spelling).await;
        let entries = entries.map_err(|error| refused(error.to_string()))?;
        all.extend(entries.iter().map(|entry| AnswerView::of(entry, now)));
    }
    Ok(Json(all))
}

pub(super) async fn purge(
    _administrator: Administrator,
    app: Data<App>,
    body: RequestBody<Purge>,
) -> Result<Json<Removed>, Problem> {
    let chosen = body.json()?;
    to_its_end(async move {
        let values = chosen.indicator.as_deref().map(spellings);
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
        let count = app.engine.cache().purge(move |stored| {
            let capability = stored.capability.map(Capability::name);
            is(&chosen.provider, &stored.provider)
                && (chosen.capability.is_none() || capability == chosen.capability.as_deref())
                && values
                    .as_ref()
                    .is_none_or(|values| values.iter().any(|value| value == stored.value))
        });
        let count = count.await.map_err(|error| refused(error.to_string()))?;
        Ok(Json(Removed { count }))
    })
    .await
}
