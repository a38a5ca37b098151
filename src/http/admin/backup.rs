//! A copy of the store, written by the process that owns it.

use std::path::PathBuf;

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use super::{refused, to_its_end};
use crate::app::App;
use crate::http::api_call::json_call;
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::storage::{Backup, BackupTarget};

/// Asks for a copy of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteBackup {
    /// Where the server writes it: an absolute path.
    pub path: PathBuf,
    /// Whether it takes the place of a file that is there.
    #[serde(default)]
    pub force: bool,
}

json_call!(WriteBackup => POST "/v1/admin/backup" -> Backup, takes_long: true);

impl BodyKind for WriteBackup {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "where a backup is written";
}

pub(super) async fn write(
    // A path of this machine is for those who have its files anyway: for the local operator.
    _administrator: Administrator,
    app: Data<App>,
    body: RequestBody<WriteBackup>,
) -> Result<Json<Backup>, Problem> {
    let WriteBackup { path, force } = body.json()?;
    if !path.is_absolute() {
        return Err(refused("path: expected an absolute path".to_owned()));
    }
    to_its_end(async move {
        let now = app.engine.clock().now();
        let written = app
            .engine
            .store()
            .back_up(BackupTarget { path, force, now })
            .await;
        written.map(Json).map_err(|error| refused(error.to_string()))
    })
    .await
}
