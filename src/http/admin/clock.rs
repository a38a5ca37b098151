//! Whether the machine's clock is believed.

use actix_web::web::{Data, Json};

use super::administrator::Administrator;
use crate::app::App;
use crate::engine::known_time::ClockView;
use crate::http::api_call::api_call;

api_call! {
    /// Asks how the clock stands.
    GetClock => GET "/v1/admin/clock" -> ClockView;
    /// Says that the clock is right, jump or not.
    ConfirmClock => POST "/v1/admin/clock" -> ClockView;
}

pub(super) async fn show(_administrator: Administrator, app: Data<App>) -> Json<ClockView> {
    Json(app.engine.time().view())
}

pub(super) async fn confirm(_administrator: Administrator, app: Data<App>) -> Json<ClockView> {
    let view = app.engine.time().confirm();
    app.engine.store().settled().await;
    Json(view)
}
