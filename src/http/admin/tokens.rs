//! The tokens of clients: made, listed, revoked.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::refused;
use crate::app::App;
use crate::config::values::{LONGEST_NAME, is_plain_name};
use crate::http::api_call::{ApiCall, api_call, json_call};
use crate::http::principal::{Authorized, scope};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::http::target::in_path;
use crate::tokens::{NewToken, Scope, TokenRecord};

/// Holds a secret on its way to the one time it is shown; debug output leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OneTimeSecret(pub String);

impl std::fmt::Debug for OneTimeSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OneTimeSecret(…)")
    }
}

/// Shows a token without anything that could stand for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Names it on the command line.
    pub id: String,
    /// Who it is for.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Requests a minute.
    pub per_minute: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

impl From<TokenRecord> for TokenView {
    fn from(record: TokenRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            tenant: record.tenant,
            scopes: record.scopes,
            per_minute: record.per_minute.map(std::num::NonZeroU32::get),
            created: record.created,
            expires: record.expires,
        }
    }
}

/// Shows a token that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedToken {
    /// The token itself, this once.
    pub token: OneTimeSecret,
    /// What it is.
    pub record: TokenView,
    /// The URL under which clients reach the server; none where only its proxy knows.
    #[serde(default)]
    pub base_url: Option<String>,
}

api_call! {
    /// Lists tokens.
    ListTokens => GET "/v1/admin/tokens" -> Vec<TokenView>;
}

json_call!(NewToken => POST "/v1/admin/tokens" -> CreatedToken, takes_long: false);

impl BodyKind for NewToken {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a token to make";
}

/// Revokes tokens by a name, or one by its id.
#[derive(Debug, Clone)]
pub struct RevokeTokens(pub String);

impl ApiCall for RevokeTokens {
    type Reply = Vec<TokenView>;
    const METHOD: &'static str = "DELETE";

    fn path(&self) -> String {
        let which = percent_encoding::utf8_percent_encode(&self.0, percent_encoding::NON_ALPHANUMERIC);
        format!("/v1/admin/tokens/{which}")
    }
}

pub(super) async fn list(_operator: Authorized<scope::Admin>, app: Data<App>) -> Json<Vec<TokenView>> {
    Json(app.tokens.list().into_iter().map(Into::into).collect())
}

pub(super) async fn create(
    _operator: Authorized<scope::Admin>,
    app: Data<App>,
    body: RequestBody<NewToken>,
) -> Result<Json<CreatedToken>, Problem> {
    let new = body.json()?;
    for (what, name) in [("name", &new.name), ("tenant", &new.tenant)] {
        if !is_plain_name(name) {
            return Err(refused(format!(
                "the {what} of a token has up to {LONGEST_NAME} letters, digits, and -_.@ only, since ledger and log name it"
            )));
        }
    }
    if new.scopes.is_empty() {
        let reason = "a token without a scope may do nothing; give at least one";
        return Err(refused(reason.to_owned()));
    }
    let made = app.tokens.create(new).await;
    let (token, record) = made.map_err(|error| refused(error.to_string()))?;
    Ok(Json(CreatedToken {
        token: OneTimeSecret(token.expose_secret().to_owned()),
        record: record.into(),
        base_url: app.configured.load().settings().server.own_url(),
    }))
}

pub(super) async fn revoke(
    _operator: Authorized<scope::Admin>,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<Vec<TokenView>>, Problem> {
    let which = in_path(&http, "which")?;
    let gone = app.tokens.revoke(&which).await;
    let gone = gone.map_err(|error| refused(error.to_string()))?;
    if gone.is_empty() {
        let reason = "there is no token of this name or id; `pivotd tokens list` shows those that there are";
        return Err(refused(reason.to_owned()));
    }
    Ok(Json(gone.into_iter().map(TokenView::from).collect()))
}
