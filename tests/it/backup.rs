//! The store, backed up while clients are served: what was acknowledged before is in the copy.

use std::os::unix::fs::PermissionsExt;

use futures_util::future::join_all;
use pivotd::clock::Clock as _;
use pivotd::control::client::ControlError;
use pivotd::http::admin::backup::WriteBackup;
use pivotd::storage::Backup;
use pivotd::storage::redb::restore::{RestoreRequest, restore};
use pivotd::storage::redb::verify;
use serde_json::json;

use crate::support::{Builder, Entity, TestApp};

const TRANSFORM: &str = "domaintools.ip-history";

async fn back_up(app: &TestApp, path: &std::path::Path) -> Result<Backup, ControlError> {
    let path = path.to_path_buf();
    app.operator(&WriteBackup { path, force: false }).await
}

fn rows(backup: &Backup, name: &str) -> u64 {
    let mut tables = backup.contents.tables.iter();
    tables
        .find(|table| table.name == name)
        .map_or(0, |table| table.rows)
}

#[tokio::test]
async fn a_backup_under_load_holds_what_was_answered_before_and_no_more_than_was_asked() {
    let app = Builder::new().manual_clock().start().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("pivotd.backup");
    let decision = app
        .post_json("/v1/alerts/score", &json!({"domain": "career-offers.example"}))
        .await;
    let decision = decision.json()["decision_id"].as_str().unwrap().to_owned();
    let names: Vec<String> = (0..40).map(|at| format!("host-{at}.example")).collect();
    let run = |name: &String| {
        let name = name.clone();
        let app = &app;
        async move { app.run(TRANSFORM, Entity::domain(&name)).await }
    };
    join_all(names.iter().take(20).map(run)).await;
    let least = app.vendor.attempts();
    let (backup, _) =
        futures_util::future::join(back_up(&app, &file), join_all(names.iter().skip(20).map(run))).await;
    let backup = backup.unwrap();
    let most = app.vendor.attempts();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(verify(&file).unwrap().contents, backup.contents);
    assert_eq!(backup.contents.made_at, app.clock().now());
    // What is under way is charged, what is done is in the audit: together, what was asked by that moment.
    let spent = rows(&backup, "audit") + rows(&backup, "open");
    assert!((least..=most).contains(&spent), "{spent} of {least} to {most}");
    assert_eq!((rows(&backup, "decisions"), rows(&backup, "tokens")), (1, 1));
    // A server goes on with it: the token is known, the decision is found, and what was answered costs nothing again.
    let token = app.token.clone();
    let stopped = app.stop().await;
    let data = stopped.folder.path().join("data");
    let restored = restore(&RestoreRequest {
        file,
        folder: data,
        force: true,
        min_free: 0,
        now: backup.contents.made_at,
    })
    .unwrap();
    assert_eq!(restored.former.unwrap().untaken, None);
    // What was spent after the backup is counted.
    assert!(restored.spent.iter().all(|row| row.restored >= row.backup));
    let mut app = Builder::new().manual_clock().after(stopped).start().await;
    app.token = token;
    let found = app.get(&format!("/v1/decisions/{decision}")).await;
    assert_eq!(found.status, 200, "{}", found.body);
    let before = app.vendor.attempts();
    let held = app.run(TRANSFORM, Entity::domain(&names[0])).await;
    assert_eq!(held.status, 200, "{}", held.body);
    assert_eq!(app.vendor.attempts(), before);
}

#[tokio::test]
async fn a_backup_is_refused_with_the_reason() {
    let app = TestApp::start().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("pivotd.backup");
    std::fs::write(&file, "mine").unwrap();
    let refused = back_up(&app, &file).await.unwrap_err().to_string();
    assert!(refused.contains("--force to write over it"), "{refused}");
    let refused = back_up(&app, std::path::Path::new("pivotd.backup")).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("expected an absolute path"), "{refused}");
    // No token gives it: a path of the machine is its operator's.
    let answer = app
        .post_json("/v1/admin/backup", &json!({"path": "/tmp/backup"}))
        .await;
    assert_eq!(answer.status, 403, "{}", answer.body);
}
