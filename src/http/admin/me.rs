//! Who asks, and what they may do.

use actix_web::web::Json;
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use crate::admin::{Permission, Reach};
use crate::http::api_call::api_call;

/// Says who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeView {
    /// The name of the client; `terminal` for the local operator.
    pub client: String,
    /// The tenant.
    pub tenant: String,
    /// The permissions, each with the tenants for which it is held: their names, or `*` alone.
    pub permissions: Vec<PermissionView>,
}

/// Says for which tenants a permission is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionView {
    /// The permission.
    pub permission: String,
    /// The tenants.
    pub tenants: Vec<String>,
}

api_call! {
    /// Asks who asks.
    GetMe => GET "/v1/admin/me" -> MeView;
}

pub(super) async fn show(administrator: Administrator) -> Json<MeView> {
    let grants = administrator.grants();
    let held = |permission: Permission| {
        let tenants: Vec<String> = match grants.with(permission) {
            Reach::All => vec!["*".to_owned()],
            Reach::Some(tenants) => tenants.into_iter().collect(),
        };
        let permission = permission.name().to_owned();
        (!tenants.is_empty()).then_some(PermissionView { permission, tenants })
    };
    let principal = &administrator.principal;
    Json(MeView {
        client: principal.client.to_string(),
        tenant: principal.tenant().to_owned(),
        permissions: Permission::ALL.into_iter().filter_map(held).collect(),
    })
}
