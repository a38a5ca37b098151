//! Administration over HTTP: who may give which command, for which tenants, and what becomes of tokens.

use std::time::Duration;

use pivotd::admin::{AdminCommand, Binding, Grants};
use pivotd::http::admin::tokens::{ListTokens, RevokeTokens};
use pivotd::tokens::{NewToken, Scope};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, TestApp, rate};

/// Makes a token with roles, for a tenant.
async fn token(app: &TestApp, name: &str, tenant: &str, roles: &[&str]) -> String {
    let new = NewToken {
        tenant: tenant.to_owned(),
        scopes: Vec::new(),
        roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        ..NewToken::for_everyday(name)
    };
    let (text, _) = app.app.tokens.create(new).await.unwrap();
    text.expose_secret().to_owned()
}

async fn send(app: &TestApp, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = app.http.request(method, format!("{}{path}", app.base));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    Answer::of(request.send().await.unwrap()).await
}

/// A path of a command whose objects are of no tenant.
fn path(command: AdminCommand) -> String {
    command
        .spec()
        .path
        .replace("{which}", "nothing")
        .replace("{decision}", "nothing")
}

#[tokio::test]
async fn each_command_is_refused_to_who_may_not_give_it() {
    let builder = Builder::new().settings(|settings| settings.server.wrong_tokens = rate(100_000, 60));
    let app = builder.start().await;
    let roles = [
        "viewer@*",
        "analyst@*",
        "operator@*",
        "admin@*",
        "auditor@*",
        "viewer@b",
        "operator@b",
        "admin@b",
        "auditor@b",
    ];
    let mut tokens = Vec::new();
    for role in roles {
        let name = role.replace('@', "-").replace('*', "all");
        let mut grants = Grants::default();
        grants.bind(&role.parse::<Binding>().unwrap());
        tokens.push((role, token(&app, &name, "b", &[role]).await, grants));
    }
    let everyday = app
        .app
        .tokens
        .create(NewToken::for_everyday("anna"))
        .await
        .unwrap();
    tokens.push((
        "no role",
        everyday.0.expose_secret().to_owned(),
        Grants::default(),
    ));
    let (expired, _) = {
        let new = NewToken {
            lifetime_s: Some(0),
            roles: vec!["admin@*".parse().unwrap()],
            ..NewToken::for_everyday("late")
        };
        app.app.tokens.create(new).await.unwrap()
    };
    let revoked = token(&app, "gone", "default", &["admin@*"]).await;
    app.app.tokens.revoke("gone").await.unwrap();
    for command in AdminCommand::ALL {
        let method = command.spec().method;
        let path = path(*command);
        for wrong in [
            None,
            Some("pvta_wrong"),
            Some(expired.expose_secret()),
            Some(revoked.as_str()),
        ] {
            let answer = send(&app, method, &path, wrong, None).await;
            assert_eq!(answer.status, 401, "{command:?} {wrong:?}: {}", answer.body);
        }
        let below = send(&app, method, &format!("/t/{}{path}", tokens[3].1), None, None).await;
        assert_eq!(below.status, 404, "{command:?}: no token in a path administers");
        for (role, token, grants) in &tokens {
            let answer = send(&app, method, &path, Some(token), None).await;
            let expected = grants.reach(*command);
            match expected {
                Err(denied) => {
                    assert_eq!(answer.status, 403, "{command:?} by {role}: {}", answer.body);
                    assert_eq!(answer.json()["type"], "urn:pivotd:problem:permission-missing");
                    assert!(
                        answer.body.contains(&denied.text().replace('"', "\\\"")),
                        "{}",
                        answer.body
                    );
                }
                Ok(_) => assert!(
                    !matches!(answer.status, 401 | 403 | 405 | 500),
                    "{command:?} by {role}: {} {}",
                    answer.status,
                    answer.body
                ),
            }
        }
    }
}

#[tokio::test]
async fn no_tenant_sees_or_changes_the_tokens_of_another() {
    let app = TestApp::start().await;
    let tenants = ["default", "b", "c"];
    let mut admins = Vec::new();
    for tenant in tenants {
        let name = format!("admin-{tenant}");
        admins.push((
            tenant,
            token(&app, &name, tenant, &[&format!("admin@{tenant}")]).await,
        ));
    }
    let all = app.app.tokens.list();
    for (own, admin) in &admins {
        let listed = send(&app, "GET", "/v1/admin/tokens", Some(admin), None)
            .await
            .json();
        let listed: Vec<&str> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["tenant"].as_str().unwrap())
            .collect();
        assert!(
            !listed.is_empty() && listed.iter().all(|tenant| tenant == own),
            "{own}: {listed:?}"
        );
        for record in &all {
            let path = format!("/v1/admin/tokens/{}", record.id);
            let shown = send(&app, "GET", &path, Some(admin), None).await;
            let is_own = record.tenant == *own;
            assert_eq!(
                shown.status,
                if is_own { 200 } else { 404 },
                "{own} {}",
                record.name
            );
            if !is_own {
                let changed = send(&app, "PATCH", &path, Some(admin), Some(&json!({"owner": "eve"}))).await;
                assert_eq!(changed.status, 404);
                let rotated = send(
                    &app,
                    "POST",
                    &format!("{path}/rotate"),
                    Some(admin),
                    Some(&json!({"overlap_s": 0})),
                )
                .await;
                assert_eq!(rotated.status, 404);
                let gone = send(&app, "DELETE", &path, Some(admin), None).await;
                assert_eq!(gone.status, 400, "as one that is not there: {}", gone.body);
            }
        }
        for tenant in tenants {
            let new = json!({"name": "new", "tenant": tenant, "scopes": ["enrich"]});
            let made = send(
                &app,
                "POST",
                "/v1/admin/tokens?dry_run=true",
                Some(admin),
                Some(&new),
            )
            .await;
            assert_eq!(
                made.status,
                if tenant == *own { 200 } else { 403 },
                "{own} for {tenant}: {}",
                made.body
            );
        }
    }
    assert_eq!(app.app.tokens.list(), all, "nothing was changed");
}

#[tokio::test]
async fn a_token_gives_no_more_than_it_has() {
    let app = TestApp::start().await;
    let admin = token(&app, "admin-b", "b", &["admin@b"]).await;
    for (new, status) in [
        (
            json!({"name": "x", "tenant": "b", "scopes": ["enrich", "transforms"]}),
            200,
        ),
        (
            json!({"name": "x", "tenant": "b", "roles": [{"role": "operator", "tenant": "b"}]}),
            200,
        ),
        (
            json!({"name": "x", "tenant": "b", "roles": [{"role": "viewer", "tenant": "c"}]}),
            403,
        ),
        (
            json!({"name": "x", "tenant": "b", "roles": [{"role": "viewer", "tenant": "*"}]}),
            403,
        ),
        (json!({"name": "x", "tenant": "b", "scopes": ["admin"]}), 403),
        (json!({"name": "x", "tenant": "b", "scopes": ["metrics"]}), 403),
        (json!({"name": "x", "tenant": "b", "scopes": ["audit.read"]}), 200),
        (json!({"name": "x", "tenant": "b", "scopes": []}), 400),
        (json!({"name": "a b", "tenant": "b", "scopes": ["enrich"]}), 400),
        (
            json!({"name": "x", "tenant": "b", "scopes": ["enrich"], "rate": 5}),
            400,
        ),
    ] {
        let made = send(
            &app,
            "POST",
            "/v1/admin/tokens?dry_run=true",
            Some(&admin),
            Some(&new),
        )
        .await;
        assert_eq!(made.status, status, "{new}: {}", made.body);
    }
    let writer = NewToken {
        scopes: vec![Scope::AdminWrite],
        tenant: "b".to_owned(),
        ..NewToken::for_everyday("writer")
    };
    let (writer, _) = app.app.tokens.create(writer).await.unwrap();
    let new = json!({"name": "x", "tenant": "b", "scopes": ["enrich"]});
    let made = send(
        &app,
        "POST",
        "/v1/admin/tokens",
        Some(writer.expose_secret()),
        Some(&new),
    )
    .await;
    assert_eq!(made.status, 403, "it may not ask itself: {}", made.body);
}

#[tokio::test]
async fn a_token_that_may_do_more_is_not_replaced_changed_or_revoked_by_one_that_may_do_less() {
    let app = TestApp::start().await;
    let (admin, operator) = (
        token(&app, "admin-b", "b", &["admin@b"]).await,
        token(&app, "operator-b", "b", &["operator@b"]).await,
    );
    for (name, roles, is_of_tenant) in [
        ("root", &["admin@*"][..], false),
        ("both", &["viewer@b", "viewer@c"], false),
        ("auditor", &["auditor@b"], true),
    ] {
        token(&app, name, "b", roles).await;
        let all = app.app.tokens.list();
        let id = &all.iter().find(|record| record.name == name).unwrap().id;
        let path = format!("/v1/admin/tokens/{id}");
        let rotate = json!({"overlap_s": 0});
        let rotated = send(
            &app,
            "POST",
            &format!("{path}/rotate?dry_run=true"),
            Some(&admin),
            Some(&rotate),
        )
        .await;
        assert_eq!(
            rotated.status,
            if is_of_tenant { 200 } else { 403 },
            "{name}: {}",
            rotated.body
        );
        let change = json!({"roles": [{"role": "viewer", "tenant": "b"}]});
        let request = app
            .http
            .patch(format!("{}{path}?dry_run=true", app.base))
            .bearer_auth(&admin);
        let request = request
            .header("if-match", "*")
            .header("content-type", "application/json");
        let changed = request.body(change.to_string()).send().await.unwrap();
        assert_eq!(changed.status(), if is_of_tenant { 200 } else { 403 }, "{name}");
        for weaker in [&operator, &admin] {
            let gone = send(
                &app,
                "DELETE",
                &format!("{path}?dry_run=true"),
                Some(weaker),
                None,
            )
            .await;
            let gone = gone.json();
            assert_eq!(
                gone.as_array().map(Vec::len),
                Some(usize::from(is_of_tenant)),
                "{name}: {gone}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_is_changed_as_it_was_seen_replaced_with_an_overlap_and_revoked_with_its_name() {
    let app = Builder::new().manual_clock().start().await;
    let admin = token(&app, "root", "default", &["admin@*"]).await;
    let new = json!({
        "name": "soar", "tenant": "b", "scopes": ["enrich"], "owner": "team-b", "tags": ["cases"], "lifetime_s": 864_000
    });
    let made = send(&app, "POST", "/v1/admin/tokens", Some(&admin), Some(&new))
        .await
        .json();
    let (old, id) = (
        made["token"].as_str().unwrap().to_owned(),
        made["record"]["id"].as_str().unwrap().to_owned(),
    );
    assert!(old.starts_with("pvtd_"), "a client's");
    assert_eq!(made["record"]["created_by"], "root");
    let path = format!("/v1/admin/tokens/{id}");
    let seen = send(&app, "GET", &path, Some(&admin), None).await;
    assert_eq!(seen.header("etag"), "\"1\"");
    assert_eq!(seen.json()["last_used"], Value::Null);

    let change = json!({"networks": ["10.0.0.0/8", "127.0.0.0/8"], "owner": null});
    let patch = |tag: Option<&'static str>, query: &'static str| {
        let request = app
            .http
            .patch(format!("{}{path}{query}", app.base))
            .bearer_auth(&admin);
        let request = request
            .header("content-type", "application/json")
            .body(change.to_string());
        match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        }
    };
    for (tag, query, status) in [
        (None, "", 428),
        (Some("\"9\""), "", 412),
        (Some("\"1\""), "?dry_run=true", 200),
        (Some("\"1\""), "?dry_run=yes", 400),
        (Some("\"1\""), "", 200),
        (Some("\"1\""), "", 412),
    ] {
        let answer = Answer::of(patch(tag, query).send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{tag:?} {query}: {}", answer.body);
    }
    let seen = send(&app, "GET", &path, Some(&admin), None).await.json();
    assert_eq!((&seen["revision"], &seen["owner"]), (&json!(2), &Value::Null));

    let reputation = "/v1/domain/example.com/reputation";
    assert_eq!(send(&app, "GET", reputation, Some(&old), None).await.status, 200);
    let used = send(&app, "GET", &path, Some(&admin), None).await.json();
    assert_eq!(used["last_used"]["network"], "127.0.0.0/24");

    let rotate = json!({"overlap_s": 3600});
    let rotated = send(
        &app,
        "POST",
        &format!("{path}/rotate"),
        Some(&admin),
        Some(&rotate),
    )
    .await
    .json();
    let young = rotated["token"].as_str().unwrap().to_owned();
    for token in [&old, &young] {
        assert_eq!(send(&app, "GET", reputation, Some(token), None).await.status, 200);
    }
    let shown = send(&app, "GET", &path, Some(&admin), None).await.json();
    assert_eq!(
        (&shown["state"], &shown["replaced_by"]),
        (&json!("rotating"), &rotated["record"]["id"])
    );
    let again = send(
        &app,
        "POST",
        &format!("{path}/rotate"),
        Some(&admin),
        Some(&rotate),
    )
    .await;
    assert_eq!(again.status, 400, "{}", again.body);
    app.clock().advance(Duration::from_secs(3600));
    assert_eq!(send(&app, "GET", reputation, Some(&old), None).await.status, 401);
    assert_eq!(
        send(&app, "GET", reputation, Some(&young), None).await.status,
        200
    );

    // Uses, ends and names outlive a restart.
    app.app.tokens.keep_uses().await.unwrap();
    app.operator(&RevokeTokens("soar".to_owned())).await.unwrap();
    let app = Builder::new().after(app.stop().await).start().await;
    let all = app.operator(&ListTokens { all: true }).await.unwrap();
    let soar: Vec<_> = all.iter().filter(|one| one.name == "soar").collect();
    assert_eq!(soar.len(), 2);
    assert!(
        soar.iter()
            .all(|one| one.last_used.is_some() && one.revoked_by.as_deref() == Some("terminal"))
    );
    assert!(
        app.operator(&ListTokens::default())
            .await
            .unwrap()
            .iter()
            .all(|one| one.name != "soar")
    );
    let refused = send(&app, "GET", reputation, Some(&young), None).await;
    assert_eq!(refused.status, 401);
    assert!(
        app.log()
            .lines()
            .any(|line| line.contains("client=\"soar\"") && line.contains("status=401")),
        "{}",
        app.log()
    );
    let audit = app.app.engine.store().audit(100).await.unwrap();
    let told: Vec<&str> = audit.iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["token.create", "token.change", "token.rotate", "token.revoke"] {
        assert!(told.contains(&action), "{action}: {told:?}");
    }
    let changed = audit.iter().find(|row| row["action"] == "token.change").unwrap();
    assert_eq!(
        (&changed["before"]["owner"], &changed["after"]["owner"]),
        (&json!("team-b"), &Value::Null)
    );
    assert_eq!(changed["before"].get("scopes"), None, "only what was changed");
    assert!(
        !audit
            .iter()
            .any(|row| row.to_string().contains(&young) || row.to_string().contains(&old))
    );
}

#[tokio::test]
async fn a_token_is_good_from_its_networks_alone() {
    let app = TestApp::start().await;
    for (network, status) in [("127.0.0.0/8", 200), ("10.0.0.0/8", 401)] {
        let new = NewToken {
            networks: vec![network.parse().unwrap()],
            ..NewToken::for_everyday("soar")
        };
        let (text, _) = app.app.tokens.create(new).await.unwrap();
        let answer = send(
            &app,
            "GET",
            "/v1/domain/example.com/reputation",
            Some(text.expose_secret()),
            None,
        )
        .await;
        assert_eq!(answer.status, status, "{network}: {}", answer.body);
        assert!(
            status == 200 || answer.body.contains("may not be used from this network"),
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn who_asks_is_told_what_they_may_do() {
    let app = TestApp::start().await;
    let auditor = token(&app, "carol", "b", &["auditor@b", "viewer@*"]).await;
    let me = send(&app, "GET", "/v1/admin/me", Some(&auditor), None)
        .await
        .json();
    assert_eq!((&me["client"], &me["tenant"]), (&json!("carol"), &json!("b")));
    assert_eq!(
        me["permissions"],
        json!([
            {"permission": "state", "tenants": ["*"]},
            {"permission": "spend", "tenants": ["b"]},
            {"permission": "audit", "tenants": ["b"]},
        ])
    );
    let metrics = send(&app, "GET", "/metrics", Some(&auditor), None).await;
    assert_eq!(metrics.status, 403);
    let scraper = NewToken {
        scopes: vec![Scope::Metrics],
        ..NewToken::for_everyday("scraper")
    };
    let (scraper, _) = app.app.tokens.create(scraper).await.unwrap();
    assert_eq!(
        send(&app, "GET", "/metrics", Some(scraper.expose_secret()), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn changes_at_once_undo_none_of_each_other_and_no_revocation() {
    let app = TestApp::start().await;
    let admin = token(&app, "root", "default", &["admin@*"]).await;
    let own = token(&app, "own", "b", &["admin@b"]).await;
    let all = app.app.tokens.list();
    let id = all.iter().find(|record| record.name == "own").unwrap().id.clone();
    let path = format!("{}/v1/admin/tokens/{id}", app.base);
    let patch = |tag: &'static str, tags: Value| {
        let request = app.http.patch(&path).bearer_auth(&own).header("if-match", tag);
        let request = request.header("content-type", "application/json");
        request.body(json!({ "tags": tags }).to_string()).send()
    };
    let at_once =
        futures_util::future::join_all((0..8).map(|at| patch("\"1\"", json!([format!("t{at}")])))).await;
    let taken = at_once
        .iter()
        .filter(|answer| answer.as_ref().unwrap().status() == 200)
        .count();
    assert_eq!(taken, 1);
    let changes = futures_util::future::join_all((0..16).map(|_| patch("*", json!(["again"]))));
    let revoked = app.http.delete(&path).bearer_auth(&admin).send();
    let (_, revoked) = futures_util::join!(changes, revoked);
    assert_eq!(revoked.unwrap().status(), 200);
    assert_eq!(patch("*", json!([])).await.unwrap().status(), 401);
    let kept = app
        .app
        .tokens
        .list_all()
        .into_iter()
        .find(|record| record.id == id)
        .unwrap();
    assert!(kept.revoked.is_some());
}

#[tokio::test]
async fn no_token_has_a_configuration_read_that_names_files_of_the_machine() {
    let app = TestApp::start().await;
    let admin = token(&app, "root", "default", &["admin@*"]).await;
    let body = json!({"configuration": "[lists]\nown = [\"/etc/hostname\"]\n"});
    let answer = send(
        &app,
        "POST",
        "/v1/admin/decisions/replay",
        Some(&admin),
        Some(&body),
    )
    .await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let plain = send(
        &app,
        "POST",
        "/v1/admin/decisions/replay",
        Some(&admin),
        Some(&json!({})),
    )
    .await;
    assert_eq!(plain.status, 200, "{}", plain.body);
}
