//! The running server: its version, its configuration.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use super::refused;
use crate::app::App;
use crate::app::reload::Reloaded;
use crate::app::state::StateView;
use crate::http::api_call::api_call;
use crate::http::problem::Problem;

/// The version of this program.
pub use crate::VERSION;

/// Shows which program serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Its version.
    pub version: String,
}

api_call! {
    /// Asks which program serves.
    GetVersion => GET "/v1/admin/server" -> VersionView;
    /// Asks how the server stands.
    GetState => GET "/v1/admin/state" -> StateView;
    /// Lets the server read its configuration again.
    Reload => POST "/v1/admin/reload" -> Reloaded;
}

pub(super) async fn version(_administrator: Administrator) -> Json<VersionView> {
    Json(VersionView {
        version: VERSION.to_owned(),
    })
}

pub(super) async fn state(_administrator: Administrator, app: Data<App>) -> Json<StateView> {
    Json(app.state())
}

pub(super) async fn reload(_administrator: Administrator, app: Data<App>) -> Result<Json<Reloaded>, Problem> {
    app.reload_source().map(Json).map_err(refused)
}
