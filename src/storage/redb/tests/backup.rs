//! Tests copies of the store, and what is put in its place.

use std::path::PathBuf;

use redb::{ReadableDatabase as _, ReadableTable as _};

use super::super::restore::{RestoreRequest, Restored, restore, restore_by_steps};
use super::super::tables::{META, OPEN, SPENT};
use super::super::verify;
use super::*;
use crate::storage::{AuditEntry, Backup, BackupError, BackupTarget, Commit as _, WriteBatch};

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}

fn target(path: PathBuf) -> BackupTarget {
    BackupTarget {
        path,
        force: false,
        now: at(1_000_000),
    }
}

fn into(file: &Path, folder: &Path, force: bool) -> RestoreRequest {
    RestoreRequest {
        file: file.to_path_buf(),
        folder: folder.to_path_buf(),
        force,
        min_free: 0,
        now: at(2_000_000),
    }
}

/// Puts something into every table.
async fn fill(store: &Store) {
    let batch = WriteBatch {
        answers: (0..300)
            .map(|at| (format!("answer-{at}"), Some(vec![7; 40_000])))
            .collect(),
        rows: Table::ALL.map(|table| Row { table, ..row("kept") }).to_vec(),
        tokens: vec![
            ("one".to_owned(), Some(b"1".to_vec())),
            ("two".to_owned(), Some(b"2".to_vec())),
        ],
        audit: vec![AuditEntry {
            id: Uuid::from_u128(1),
            at: 1,
            row: serde_json::json!({"said": true}),
        }],
        ..WriteBatch::default()
    };
    store.commit(batch).await.unwrap();
    store
        .claim("lease".to_owned(), store.node(), 1, NEVER)
        .await
        .unwrap();
    reserve(store, 10, 3).await.unwrap();
}

async fn back_up(store: &Store, path: &Path) -> Backup {
    store.back_up(target(path.to_path_buf())).await.unwrap()
}

fn spent(restored: &Restored) -> Vec<(String, i64, i64)> {
    let rows = restored.spent.iter();
    rows.map(|row| (row.key.clone(), row.backup, row.restored))
        .collect()
}

#[tokio::test]
async fn a_copy_holds_every_table_and_becomes_a_store() {
    let [data, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let disk = FailingDisk::default();
    let store = open(data.path(), &disk);
    fill(&store).await;
    let file = other.path().join("copy");
    let backup = back_up(&store, &file).await;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(verify(&file), Ok(backup.clone()));
    let rows = |name: &str| {
        let mut tables = backup.contents.tables.iter();
        tables.find(|table| table.name == name).map(|table| table.rows)
    };
    for (name, expected) in [
        ("answers", 300),
        ("tokens", 2),
        ("audit", 1),
        ("open", 1),
        ("spent", 1),
        ("leases", 1),
        ("decisions", 1),
        ("feedback", 1),
        ("replies", 1),
    ] {
        assert_eq!(rows(name), Some(expected), "{name}");
    }
    let fresh = other.path().join("data");
    std::fs::create_dir(&fresh).unwrap();
    let restored = restore(&into(&file, &fresh, false)).unwrap();
    assert_eq!(spent(&restored), [("calls".to_owned(), 3, 3)]);
    let again = open(&fresh, &disk);
    assert_eq!(again.secret(), store.secret());
    assert!(is_kept(&again, "kept"));
    assert_eq!(again.read_tokens().unwrap().len(), 2);
    assert_eq!(again.read_answer("answer-299").unwrap(), Some(vec![7; 40_000]));
    // What was under way is charged.
    assert_eq!(again.spent("calls"), 3);
    let audit = again.audit(10).await.unwrap();
    let said = |text: &str| audit.iter().any(|row| row.to_string().contains(text));
    assert!(
        said("restored from a backup") && said("found open at start"),
        "{audit:?}"
    );
    let note = again.read_meta("restored").unwrap().unwrap();
    assert!(String::from_utf8(note).unwrap().contains("1970-01-12T13:46:40Z"));
    // What it says of itself is no part of the store: a copy of it is one like others.
    back_up(&again, &other.path().join("another")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_of_one_moment_while_writers_go_on() {
    let [data, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let disk = FailingDisk::default();
    let store = open(data.path(), &disk);
    fill(&store).await;
    let (made, stop) = (
        Arc::new(std::sync::atomic::AtomicI64::new(3)),
        Arc::new(std::sync::atomic::AtomicBool::new(false)),
    );
    let order = std::sync::atomic::Ordering::SeqCst;
    let writers = (1..=4_u64).map(|writer| {
        let (store, made, stop) = (store.clone(), Arc::clone(&made), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut count = 0;
            while !stop.load(order) {
                let line = Line {
                    limit: None,
                    ..line(1)
                };
                let reserve = Reserve {
                    id: Uuid::from_u64_pair(writer, count),
                    node: store.node(),
                    lease: None,
                    lines: vec![line],
                    spend: serde_json::json!({"at_us": 7}),
                    known: None,
                };
                store.reserve(reserve).await.unwrap();
                made.fetch_add(1, order);
                count += 1;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for copy in 0..3 {
        let before = made.load(order);
        // Others write meanwhile, and before the next copy.
        while made.load(order) < before + 20 {
            tokio::task::yield_now().await;
        }
        let least = made.load(order);
        let file = other.path().join(format!("copy-{copy}"));
        back_up(&store, &file).await;
        // Each writer has at most one reservation on disk that it was not told of.
        let most = made.load(order) + 4;
        let fresh = other.path().join(format!("data-{copy}"));
        std::fs::create_dir(&fresh).unwrap();
        restore(&into(&file, &fresh, false)).unwrap();
        let database = redb::Database::open(fresh.join("pivotd.redb")).unwrap();
        let read = database.begin_read().unwrap();
        let spent = read
            .open_table(SPENT)
            .unwrap()
            .get("calls")
            .unwrap()
            .unwrap()
            .value();
        assert!((least..=most).contains(&spent), "{spent} of {least} to {most}");
        // What the rows count is what the reservations in the same copy hold: that of three and those of one.
        let open = redb::ReadableTableMetadata::len(&read.open_table(OPEN).unwrap()).unwrap();
        assert_eq!(i64::try_from(open).unwrap() + 2, spent);
    }
    stop.store(true, order);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(
        store.spent("calls"),
        made.load(order),
        "the writers were not held up"
    );
}

#[tokio::test]
async fn a_file_that_is_there_stays_unless_it_may_go_and_the_store_stays_always() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path(), &FailingDisk::default());
    fill(&store).await;
    let file = data.path().join("copy");
    std::fs::write(&file, "mine").unwrap();
    let refused = store.back_up(target(file.clone())).await;
    assert_eq!(refused, Err(BackupError::Exists(file.clone())));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    let forced = |path: PathBuf| BackupTarget {
        force: true,
        ..target(path)
    };
    store.back_up(forced(file.clone())).await.unwrap();
    assert!(verify(&file).is_ok());
    let own = data.path().join("pivotd.redb");
    let refused = store.back_up(forced(own)).await.unwrap_err().to_string();
    assert!(refused.contains("it is the store itself"), "{refused}");
    let refused = store.back_up(target(data.path().join("none/copy"))).await;
    assert!(matches!(refused, Err(BackupError::Failed { .. })), "{refused:?}");
    assert!(is_kept(&store, "kept"));
}

#[tokio::test]
async fn a_disk_without_room_is_told_and_nothing_is_left_there() {
    let [data, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let disk = FailingDisk::default();
    let store = open(data.path(), &disk);
    fill(&store).await;
    disk.say_free(20 << 20);
    let refused = store.back_up(target(other.path().join("copy"))).await;
    assert!(matches!(refused, Err(BackupError::NoRoom { .. })), "{refused:?}");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
    disk.say_free(u64::MAX);
    back_up(&store, &other.path().join("copy")).await;
    // A store that is being closed copies nothing.
    store.close().await;
    let refused = store.back_up(target(other.path().join("late"))).await;
    assert_eq!(refused, Err(BackupError::Stopped));
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_damaged_cut_or_foreign_is_refused_with_what_is_wrong() {
    let [data, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let store = open(data.path(), &FailingDisk::default());
    fill(&store).await;
    let good = other.path().join("good");
    back_up(&store, &good).await;
    drop(store);
    let whole = std::fs::read(&good).unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let file = other.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let verified = verify(&file).unwrap_err();
        assert!(
            matches!(verified, BackupError::Unusable { .. }),
            "{name}: {verified}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{name}: it is only read");
        let restored = restore(&into(&file, data.path(), true)).unwrap_err();
        assert_eq!(restored, verified, "{name}");
        verified.to_string()
    };
    assert!(refused("empty", b"").contains("empty"));
    refused("text", &b"no backup".repeat(5000));
    refused("half", whole.get(..whole.len() / 2).unwrap());
    refused("head", whole.get(..100).unwrap());
    let store = std::fs::read(data.path().join("pivotd.redb")).unwrap();
    assert!(refused("a store", &store).contains("no backup that `pivotd backup` wrote"));
    // A bit that turned in what is used of the file.
    let places = whole
        .windows(16)
        .enumerate()
        .filter(|(_, bytes)| *bytes == [7; 16]);
    let (place, _) = places.max_by_key(|(place, _)| *place).unwrap();
    let mut turned = whole.clone();
    turned[place] ^= 1;
    refused("turned", &turned);
    // One of a later version, and one whose rows are others than it says.
    let change = |name: &str, from: &str, to: &str| {
        let file = other.path().join(name);
        std::fs::copy(&good, &file).unwrap();
        let database = redb::Database::create(&file).unwrap();
        let write = database.begin_write().unwrap();
        {
            let mut table = write.open_table(super::super::tables::BACKUP).unwrap();
            let said = table.get("contents").unwrap().unwrap().value().to_vec();
            let said = String::from_utf8(said).unwrap();
            assert!(said.contains(from), "{said}");
            table
                .insert("contents", said.replace(from, to).as_bytes())
                .unwrap();
        }
        write.commit().unwrap();
        drop(database);
        verify(&file).unwrap_err().to_string()
    };
    let newer = change("newer", "\"layout\":2", "\"layout\":99");
    assert!(
        newer.contains("layout 99") && newer.contains("use the newer pivotd"),
        "{newer}"
    );
    let other = change("other", "\"rows\":300", "\"rows\":301");
    assert!(
        other.contains("its table answers has 300 rows, and 301 were written"),
        "{other}"
    );
    assert!(is_kept(&open(data.path(), &FailingDisk::default()), "kept"));
}

#[tokio::test]
async fn a_store_that_lies_there_stays_unless_it_may_go_and_while_it_is_used() {
    let [data, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let store = open(data.path(), &FailingDisk::default());
    fill(&store).await;
    let file = other.path().join("copy");
    back_up(&store, &file).await;
    let path = data.path().join("pivotd.redb");
    let refused = restore(&into(&file, data.path(), true));
    assert_eq!(
        refused,
        Err(StoreError::Locked(path.clone()).into()),
        "it is in use"
    );
    drop(store);
    let refused = restore(&into(&file, data.path(), false));
    assert_eq!(refused, Err(BackupError::StoreExists(path)));
}

#[tokio::test]
async fn what_must_not_go_back_in_time_is_taken_from_the_store_that_lies_there() {
    let [data, other, foreign] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let disk = FailingDisk::default();
    let store = open(data.path(), &disk);
    fill(&store).await;
    let file = other.path().join("copy");
    back_up(&store, &file).await;
    reserve(&store, 11, 40).await.unwrap();
    store.put_token("two".to_owned(), None).await.unwrap();
    store
        .put_token("three".to_owned(), Some(b"3".to_vec()))
        .await
        .unwrap();
    store.note("latest", 9_i64.to_le_bytes().to_vec());
    store.settled().await;
    drop(store);
    let restored = restore(&into(&file, data.path(), true)).unwrap();
    assert_eq!(spent(&restored), [("calls".to_owned(), 3, 43)]);
    let former = restored.former.unwrap();
    assert_eq!((former.untaken, former.revoked), (None, vec!["two".to_owned()]));
    assert_eq!(
        former.kept,
        data.path().join("pivotd.redb.before-restore-19700124T033320Z")
    );
    let store = open(data.path(), &disk);
    assert_eq!(store.spent("calls"), 43);
    assert_eq!(store.read_tokens().unwrap(), [b"1"]);
    assert_eq!(
        store.read_meta("latest").unwrap(),
        Some(9_i64.to_le_bytes().to_vec())
    );
    drop(store);
    // The former one is whole.
    let kept = tempfile::tempdir().unwrap();
    std::fs::copy(former.kept, kept.path().join("pivotd.redb")).unwrap();
    let store = open(kept.path(), &disk);
    assert_eq!(
        (store.spent("calls"), store.read_tokens().unwrap().len()),
        (43, 2)
    );
    // Another store says nothing of this one, and neither does a damaged one.
    drop(open(foreign.path(), &disk));
    let restored = restore(&into(&file, foreign.path(), true)).unwrap();
    let untaken = restored.former.unwrap().untaken.unwrap();
    assert!(untaken.contains("not the store that was backed up"), "{untaken}");
    let damaged = tempfile::tempdir().unwrap();
    std::fs::write(damaged.path().join("pivotd.redb"), "damaged").unwrap();
    let restored = restore(&into(&file, damaged.path(), true)).unwrap();
    let untaken = restored.former.unwrap().untaken.unwrap();
    assert!(untaken.contains("cannot be read"), "{untaken}");
    assert_eq!(open(damaged.path(), &disk).spent("calls"), 3);
}

#[tokio::test]
async fn whenever_a_restore_is_killed_a_whole_store_lies_there() {
    let [data, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let disk = FailingDisk::default();
    let store = open(data.path(), &disk);
    fill(&store).await;
    let file = other.path().join("copy");
    back_up(&store, &file).await;
    // The restored store has one row less.
    put_rows(&store, vec![row("later")]).await.unwrap();
    drop(store);
    // What lies there before each step is what a process leaves that is killed then.
    let mut left = Vec::new();
    restore_by_steps(&into(&file, data.path(), true), &mut |step| {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(data.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        left.push((step, folder));
    })
    .unwrap();
    let steps: Vec<&str> = left.iter().map(|(step, _)| *step).collect();
    let expected = [
        "copy",
        "prepare",
        "keep the former store",
        "put the copy in its place",
        "sync",
    ];
    assert_eq!(steps, expected);
    for (step, folder) in left {
        let store = open(folder.path(), &disk);
        assert_eq!(
            (is_kept(&store, "kept"), store.spent("calls")),
            (true, 3),
            "{step}"
        );
        assert_eq!(is_kept(&store, "later"), step != "sync", "{step}");
        let restored = store.read(|read| Ok(read.open_table(META)?.get("restored")?.is_some()));
        assert_eq!(restored, Ok(step == "sync"), "{step}");
    }
}
