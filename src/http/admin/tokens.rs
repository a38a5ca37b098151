//! The tokens of clients: made, listed, changed, replaced, revoked.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use ipnet::IpNet;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::administrator::{Administrator, missing};
use super::change::{Change, REHEARSAL, check_revision, is_rehearsal, tag};
use super::refused;
use crate::admin::{Binding, Permission, Reach, TenantScope};
use crate::app::App;
use crate::config::values::{LONGEST_NAME, is_plain_name};
use crate::http::api_call::{ApiCall, json_call};
use crate::http::problem::Problem;
use crate::http::request::RequestContext;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::http::target::{in_path, query};
use crate::tokens::{LastUse, NewToken, Scope, TokenChange, TokenRecord, TokenState, Tokens};

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
    /// How it stands.
    pub state: TokenState,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The roles that it has, each with its tenant or `*`.
    #[serde(default)]
    pub roles: Vec<Binding>,
    /// Indicators a minute.
    pub per_minute: Option<u32>,
    /// From where it may be used; from everywhere where there is none.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// What its spend is counted under beside its name.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute, and from which network.
    #[serde(default)]
    pub last_used: Option<LastUse>,
    /// The id of the token that takes its place.
    #[serde(default)]
    pub replaced_by: Option<String>,
    /// When it was revoked.
    #[serde(default)]
    pub revoked: Option<Timestamp>,
    /// Who revoked it.
    #[serde(default)]
    pub revoked_by: Option<String>,
    /// Counts its changes; its entity tag.
    #[serde(default)]
    pub revision: u64,
}

impl TokenView {
    fn of(record: TokenRecord, tokens: &Tokens) -> Self {
        Self {
            state: record.state(tokens.now()),
            last_used: tokens.last_use(&record),
            id: record.id,
            name: record.name,
            tenant: record.tenant,
            scopes: record.scopes,
            roles: record.roles,
            per_minute: record.per_minute.map(std::num::NonZeroU32::get),
            networks: record.networks,
            owner: record.owner,
            tags: record.tags,
            created: record.created,
            created_by: record.created_by,
            expires: record.expires,
            replaced_by: record.replaced_by,
            revoked: record.revoked,
            revoked_by: record.revoked_by,
            revision: record.revision,
        }
    }
}

/// Writes a token for the audit: what names and bounds it.
fn told(record: &TokenRecord) -> Value {
    json!({
        "name": record.name, "tenant": record.tenant, "scopes": record.scopes, "roles": record.roles,
        "per_minute": record.per_minute, "networks": record.networks, "owner": record.owner, "tags": record.tags,
        "expires": record.expires, "replaced_by": record.replaced_by, "revoked": record.revoked,
    })
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

/// Lists tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListTokens {
    /// Those that were revoked, too.
    #[serde(default)]
    pub all: bool,
}

impl ApiCall for ListTokens {
    type Reply = Vec<TokenView>;
    const METHOD: &'static str = "GET";

    fn path(&self) -> String {
        format!("/v1/admin/tokens?all={}", self.all)
    }
}

json_call!(NewToken => POST "/v1/admin/tokens" -> CreatedToken, takes_long: false);

impl BodyKind for NewToken {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a token to make";
    const IN_QUERY: &'static [&'static str] = &[REHEARSAL];
}

/// Revokes tokens by a name, or one by its id.
#[derive(Debug, Clone)]
pub struct RevokeTokens(pub String);

fn path_of(which: &str) -> String {
    let which = percent_encoding::utf8_percent_encode(which, percent_encoding::NON_ALPHANUMERIC);
    format!("/v1/admin/tokens/{which}")
}

impl ApiCall for RevokeTokens {
    type Reply = Vec<TokenView>;
    const METHOD: &'static str = "DELETE";

    fn path(&self) -> String {
        path_of(&self.0)
    }
}

/// Asks for a token by its id.
#[derive(Debug, Clone)]
pub struct ShowToken(pub String);

impl ApiCall for ShowToken {
    type Reply = TokenView;
    const METHOD: &'static str = "GET";

    fn path(&self) -> String {
        path_of(&self.0)
    }
}

/// Changes a token as it was seen.
#[derive(Debug, Clone)]
pub struct ChangeToken {
    /// The token, by its id.
    pub id: String,
    /// The revision that was seen.
    pub revision: u64,
    /// What is changed.
    pub change: TokenChange,
}

impl ApiCall for ChangeToken {
    type Reply = TokenView;
    const METHOD: &'static str = "PATCH";

    fn path(&self) -> String {
        path_of(&self.id)
    }

    fn if_match(&self) -> Option<String> {
        Some(tag(self.revision))
    }

    fn body(&self) -> serde_json::Result<Option<Vec<u8>>> {
        serde_json::to_vec(&self.change).map(Some)
    }
}

/// Puts another token in the place of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateToken {
    /// The token, by its id.
    #[serde(skip)]
    pub id: String,
    /// For how many seconds the old one can be used beside the new one.
    pub overlap_s: u64,
}

impl ApiCall for RotateToken {
    type Reply = CreatedToken;
    const METHOD: &'static str = "POST";

    fn path(&self) -> String {
        format!("{}/rotate", path_of(&self.id))
    }

    fn body(&self) -> serde_json::Result<Option<Vec<u8>>> {
        serde_json::to_vec(self).map(Some)
    }
}

impl BodyKind for RotateToken {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "how a token is replaced";
    const IN_QUERY: &'static [&'static str] = &[REHEARSAL];
}

impl BodyKind for TokenChange {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a change of a token";
    const IN_QUERY: &'static [&'static str] = &[REHEARSAL];
}

/// The most networks, tags and roles of a token.
const MOST: usize = 64;

/// Checks what can be wrong with a token, whoever makes it.
fn check(name: &str, tenant: &str, new: &Bounds<'_>) -> Result<(), Problem> {
    let named = [("name", name), ("tenant", tenant)];
    let owner = new.owner.map(|owner| ("owner", owner));
    let tags = new.tags.iter().map(|tag| ("tag", tag.as_str()));
    for (what, name) in named.into_iter().chain(owner).chain(tags) {
        if !is_plain_name(name) {
            return Err(refused(format!(
                "the {what} of a token has up to {LONGEST_NAME} letters, digits, and -_.@ only, since ledger and log name it"
            )));
        }
    }
    if new.scopes.is_empty() && new.roles.is_empty() {
        let reason = "a token without a scope or a role may do nothing; give at least one";
        return Err(refused(reason.to_owned()));
    }
    for (what, count) in [
        ("networks", new.networks),
        ("tags", new.tags.len()),
        ("roles", new.roles.len()),
    ] {
        if count > MOST {
            return Err(refused(format!(
                "a token has at most {MOST} {what}, and {count} were given"
            )));
        }
    }
    Ok(())
}

/// Is what is checked of a token beside its name.
struct Bounds<'a> {
    scopes: &'a [Scope],
    roles: &'a [Binding],
    networks: usize,
    owner: Option<&'a str>,
    tags: &'a BTreeSet<String>,
}

/// Checks that nothing is given that the administrator does not have.
fn attenuated(administrator: &Administrator, tenant: &str, new: &NewToken) -> Result<(), Problem> {
    if !administrator.reach.holds(tenant) {
        return Err(not_held(&format!("making tokens of the tenant {tenant}")));
    }
    let own = administrator.grants();
    if !own.cover(&new.grants()) {
        return Err(not_held("all that these scopes and roles allow"));
    }
    let asks = own.with(Permission::Ask).holds(tenant);
    let principal = &administrator.principal;
    // Buying and the like is nothing that a role holds.
    let by_role = |scope: Scope| asks && matches!(scope, Scope::Transforms | Scope::Enrich | Scope::Feedback);
    let is_asking = |scope: &&Scope| scope.is_asking();
    let mut asking = new.scopes.iter().filter(is_asking);
    let beyond = asking.find(|scope| !by_role(**scope) && !principal.may(**scope));
    match beyond {
        Some(scope) => Err(not_held(&format!("the scope `{}` for this tenant", scope.name()))),
        None => Ok(()),
    }
}

/// Describes a token that may do what another one may.
fn like(record: &TokenRecord) -> NewToken {
    NewToken {
        name: record.name.clone(),
        tenant: record.tenant.clone(),
        scopes: record.scopes.clone(),
        roles: record.roles.clone(),
        ..NewToken::default()
    }
}

/// Tells whether a token is of a tenant that the administrator reaches, and may do nothing for others.
fn is_within(administrator: &Administrator, record: &TokenRecord) -> bool {
    let reach = &administrator.reach;
    let is_held = |tenant: &TenantScope| match tenant {
        TenantScope::All => *reach == Reach::All,
        TenantScope::One(tenant) => reach.holds(tenant),
    };
    reach.holds(&record.tenant) && like(record).grants().tenants().all(is_held)
}

fn changed_meanwhile() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "revision-differs",
        "It was changed meanwhile",
        "the token was changed or revoked meanwhile; look at it again",
    )
}

fn not_held(what: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "permission-missing",
        "The token may not do this",
        format!("a token gives no more than it has, and this one lacks the permission for {what}"),
    )
}

pub(super) async fn list(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<Vec<TokenView>>, Problem> {
    let ListTokens { all } = query(&http)?;
    let mut tokens = if all {
        app.tokens.list_all()
    } else {
        app.tokens.list()
    };
    tokens.retain(|record| administrator.reach.holds(&record.tenant));
    let shown = tokens
        .into_iter()
        .map(|record| TokenView::of(record, &app.tokens));
    Ok(Json(shown.collect()))
}

pub(super) async fn create(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    body: RequestBody<NewToken>,
) -> Result<HttpResponse, Problem> {
    let new = body.json()?;
    let bounds = Bounds {
        scopes: &new.scopes,
        roles: &new.roles,
        networks: new.networks.len(),
        owner: new.owner.as_deref(),
        tags: &new.tags,
    };
    check(&new.name, &new.tenant, &bounds)?;
    attenuated(&administrator, &new.tenant, &new)?;
    if is_rehearsal(&http)? {
        return Ok(HttpResponse::Ok().json(json!({"dry_run": true, "after": new})));
    }
    let change = Change::new("token.create", &administrator, &context, app.tokens.now());
    let entry = |record: &TokenRecord| {
        change.entry(("token", &record.id), &record.tenant, &Value::Null, &told(record))
    };
    let by = administrator.principal.client.to_string();
    let made = app.tokens.create_by(new, &by, entry).await;
    let (token, record) = made.map_err(|error| Problem::store(&error))?;
    Ok(HttpResponse::Ok().json(created(&app, &token, record)))
}

fn created(app: &App, token: &SecretString, record: TokenRecord) -> CreatedToken {
    CreatedToken {
        token: OneTimeSecret(token.expose_secret().to_owned()),
        record: TokenView::of(record, &app.tokens),
        base_url: app.configured.load().settings().server.own_url(),
    }
}

/// Finds a token by its id among those that the administrator reaches.
fn find(administrator: &Administrator, app: &App, http: &HttpRequest) -> Result<TokenRecord, Problem> {
    let id = in_path(http, "which")?;
    let found = app.tokens.list_all().into_iter().find(|record| record.id == id);
    let found = found.filter(|record| administrator.reach.holds(&record.tenant));
    found.ok_or_else(|| {
        missing("there is no token of this id; `pivotd tokens list` shows those that there are")
    })
}

pub(super) async fn show(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let record = find(&administrator, &app, &http)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, tag(record.revision)))
        .json(TokenView::of(record, &app.tokens)))
}

pub(super) async fn change(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    body: RequestBody<TokenChange>,
) -> Result<HttpResponse, Problem> {
    let wanted = body.json()?;
    let before = find(&administrator, &app, &http)?;
    check_revision(&http, before.revision)?;
    if before.revoked.is_some() {
        return Err(refused("the token was revoked; make another one".to_owned()));
    }
    let after = wanted.of(&before);
    let bounds = Bounds {
        scopes: &after.scopes,
        roles: &after.roles,
        networks: after.networks.len(),
        owner: after.owner.as_deref(),
        tags: &after.tags,
    };
    check(&after.name, &after.tenant, &bounds)?;
    // One that may do more is not changed either: its networks or its end would be taken away.
    for one in [&before, &after] {
        attenuated(&administrator, &one.tenant, &like(one))?;
    }
    let change = Change::new("token.change", &administrator, &context, app.tokens.now());
    let entry = change.entry(("token", &after.id), &after.tenant, &told(&before), &told(&after));
    if is_rehearsal(&http)? {
        let differs = json!({"dry_run": true, "before": entry.row["before"], "after": entry.row["after"]});
        return Ok(HttpResponse::Ok().json(differs));
    }
    let changed = app.tokens.change(&after, entry).await;
    if !changed.map_err(|error| Problem::store(&error))? {
        return Err(changed_meanwhile());
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, tag(after.revision)))
        .json(TokenView::of(after, &app.tokens)))
}

pub(super) async fn rotate(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
    body: RequestBody<RotateToken>,
) -> Result<HttpResponse, Problem> {
    let RotateToken { overlap_s, .. } = body.json()?;
    let before = find(&administrator, &app, &http)?;
    // The new one is shown to the administrator: it gives no more than they have.
    attenuated(&administrator, &before.tenant, &like(&before))?;
    if before.state(app.tokens.now()) != TokenState::Active {
        return Err(refused(format!(
            "the token is {}; only one that is active can be replaced",
            before.state(app.tokens.now()).name()
        )));
    }
    if is_rehearsal(&http)? {
        return Ok(HttpResponse::Ok()
            .json(json!({"dry_run": true, "replaced": told(&before), "overlap_s": overlap_s})));
    }
    let change = Change::new("token.rotate", &administrator, &context, app.tokens.now());
    let entry = |old: &TokenRecord, _: &TokenRecord| {
        change.entry(("token", &old.id), &old.tenant, &told(&before), &told(old))
    };
    let by = administrator.principal.client.to_string();
    let rotated = app
        .tokens
        .rotate(&before, Duration::from_secs(overlap_s), &by, entry)
        .await;
    let rotated = rotated.map_err(|error| Problem::store(&error))?;
    let (token, record) = rotated.ok_or_else(changed_meanwhile)?;
    Ok(HttpResponse::Ok().json(created(&app, &token, record)))
}

pub(super) async fn revoke(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
    context: RequestContext,
) -> Result<Json<Vec<TokenView>>, Problem> {
    let which = in_path(&http, "which")?;
    let by = administrator.principal.client.to_string();
    let may = |record: &TokenRecord| is_within(&administrator, record);
    if is_rehearsal(&http)? {
        let meant = app.tokens.list().into_iter().filter(may);
        let meant = meant.filter(|record| record.name == which || record.id == which);
        return Ok(Json(
            meant.map(|record| TokenView::of(record, &app.tokens)).collect(),
        ));
    }
    let change = Change::new("token.revoke", &administrator, &context, app.tokens.now());
    let entries = |gone: &[TokenRecord]| {
        let entry = |record: &TokenRecord| {
            let mut before = record.clone();
            before.revoked = None;
            change.entry(
                ("token", &record.id),
                &record.tenant,
                &told(&before),
                &told(record),
            )
        };
        gone.iter().map(entry).collect()
    };
    let gone = app.tokens.revoke_by(&which, &by, may, entries).await;
    let gone = gone.map_err(|error| Problem::store(&error))?;
    if gone.is_empty() {
        let reason = "there is no token of this name or id; `pivotd tokens list` shows those that there are";
        return Err(refused(reason.to_owned()));
    }
    Ok(Json(
        gone.into_iter()
            .map(|record| TokenView::of(record, &app.tokens))
            .collect(),
    ))
}
