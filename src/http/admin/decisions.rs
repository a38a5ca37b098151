//! The decisions that are kept: how many of each client, and which are removed.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use super::{refused, to_its_end};
use crate::app::App;
use crate::decisions::{ChosenDecisions, DecisionsOf};
use crate::http::api_call::{api_call, json_call};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};

/// Counts what was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// How many.
    pub count: usize,
}

api_call! {
    /// Counts the decisions that are kept, by client.
    CountDecisions => GET "/v1/admin/decisions" -> Vec<DecisionsOf>;
}

json_call!(ChosenDecisions => POST "/v1/admin/decisions/remove" -> Removed, takes_long: true);

impl BodyKind for ChosenDecisions {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a choice of decisions";
}

pub(super) async fn stats(_administrator: Administrator, app: Data<App>) -> Json<Vec<DecisionsOf>> {
    Json(app.decisions.clients())
}

pub(super) async fn remove(
    _administrator: Administrator,
    app: Data<App>,
    body: RequestBody<ChosenDecisions>,
) -> Result<Json<Removed>, Problem> {
    let chosen = body.json()?;
    to_its_end(async move {
        let count = app.decisions.remove(&chosen).await;
        let count = count.map_err(|error| refused(error.to_string()))?;
        // The room is the disk's again where that needs it.
        let compacted = app.engine.store().compact().await;
        compacted.map_err(|error| refused(error.to_string()))?;
        Ok(Json(Removed { count }))
    })
    .await
}
