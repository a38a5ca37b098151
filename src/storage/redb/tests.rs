//! Tests the store on disks that fail.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use super::failing::FailingDisk;
use super::*;
use crate::storage::{
    AnswerStore as _, ChangeStore as _, Changed, Claimed, Lease, LeaseStore as _, LedgerStore as _, Line,
    RecordStore as _, Reserve, ReserveError, Row, Settlement, Table, Upkeep as _,
};

mod backup;
mod damage;
mod migration;

const NEVER: i64 = i64::MAX;
const MIN_FREE: u64 = 1 << 20;

fn open(folder: &Path, disk: &FailingDisk) -> Store {
    let opening = Opening {
        page_cache: 1 << 20,
        min_free: MIN_FREE,
        replaces_empty: false,
        disk: Arc::new(disk.clone()),
    };
    Store::open_as(folder, &opening).unwrap()
}

fn row(key: &str) -> Row {
    Row {
        table: Table::Decisions,
        key: key.to_owned(),
        until_us: NEVER,
        value: key.repeat(50).into_bytes(),
    }
}

fn is_kept(store: &Store, key: &str) -> bool {
    store.read_row(Table::Decisions, key, 0).unwrap() == Some(row(key))
}

fn line(amount: i64) -> Line {
    Line {
        key: "calls".to_owned(),
        amount,
        limit: Some(100),
        floor: 0,
    }
}

async fn reserve(store: &Store, id: u64, amount: i64) -> Result<(), ReserveError> {
    store
        .reserve(Reserve {
            id: Uuid::from_u128(id.into()),
            node: store.node(),
            lease: None,
            lines: vec![line(amount)],
            spend: serde_json::json!({"at_us": 7}),
            known: Some(7),
        })
        .await
}

fn settle(store: &Store, id: u64, amount: i64, spend: serde_json::Value) {
    store.settle(Settlement {
        id: Uuid::from_u128(id.into()),
        refunds: vec![("calls".to_owned(), amount)],
        spend,
        at: 7,
    });
}

async fn put_rows(store: &Store, rows: Vec<Row>) -> Result<(), StoreError> {
    store.swap_rows(rows, Vec::new()).await
}

fn rows(store: &Store) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    store.walk_rows(Table::Decisions, 0, |key, until_us, value| {
        rows.push(Row {
            table: Table::Decisions,
            key: key.to_owned(),
            until_us,
            value: value.to_vec(),
        });
    })?;
    Ok(rows)
}

#[tokio::test]
async fn a_full_disk_stops_writes_only_and_heals_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    put_rows(&store, vec![row("before")]).await.unwrap();
    disk.fill(true);
    for at in 0..3 {
        let error = put_rows(&store, vec![row("meanwhile")]).await.unwrap_err();
        assert!(matches!(error, StoreError::Down(_)), "{at}: {error}");
        assert!(is_kept(&store, "before"), "what is stored is read");
    }
    let unready = store.prove(Duration::ZERO).await.unwrap_err();
    assert!(
        unready.to_string().contains("opened again as soon as"),
        "{unready}"
    );
    let standing = store.standing().await;
    assert!(!standing.is_well);
    assert_eq!(standing.failed, 4);
    disk.fill(false);
    put_rows(&store, vec![row("after")]).await.unwrap();
    store.prove(Duration::ZERO).await.unwrap();
    assert!(store.standing().await.is_well);
    assert_eq!(store.standing().await.reopened, 1);
    assert!(is_kept(&store, "before") && is_kept(&store, "after"));
    drop(store);
    let again = open(folder.path(), &disk);
    assert!(is_kept(&again, "before") && is_kept(&again, "after"));
    assert!(!is_kept(&again, "meanwhile"));
}

#[tokio::test]
async fn a_settlement_that_a_full_disk_did_not_take_is_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    reserve(&store, 1, 30).await.unwrap();
    disk.fill(true);
    settle(&store, 1, 20, serde_json::json!({"settled": 1}));
    assert!(matches!(reserve(&store, 2, 5).await, Err(ReserveError::Store(_))));
    assert_eq!(store.spent("calls"), 30, "nothing was spent, nothing given back");
    disk.fill(false);
    store.prove(Duration::ZERO).await.unwrap();
    assert_eq!(store.spent("calls"), 10);
    let audit = store.audit(9).await.unwrap();
    assert_eq!(audit, [serde_json::json!({"settled": 1})]);
}

#[tokio::test]
async fn a_single_failure_is_felt_by_nobody_and_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    reserve(&store, 1, 30).await.unwrap();
    disk.fail_writing(1);
    reserve(&store, 2, 30).await.unwrap();
    assert_eq!(store.spent("calls"), 60);
    // Here the pages are in the file, and the disk says that they are not.
    disk.fail_syncing(1);
    reserve(&store, 3, 30).await.unwrap();
    assert_eq!(store.spent("calls"), 90);
    disk.fail_syncing(1);
    settle(&store, 3, 30, serde_json::json!({}));
    store.settled().await;
    assert_eq!(store.spent("calls"), 60, "given back once");
    assert!(matches!(
        reserve(&store, 4, 41).await,
        Err(ReserveError::Exhausted(0, 60))
    ));
    assert_eq!(store.standing().await.reopened, 3);
    assert_eq!(store.standing().await.failed, 0);
}

#[tokio::test]
async fn a_claim_that_a_single_failure_met_is_granted_and_outlasts_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    let claim = |until_us| store.claim("flight".to_owned(), store.node(), 0, until_us);
    // The claim is in the file when the disk says that it is not, and is written once more.
    disk.fail_syncing(1);
    let Claimed::Mine(fence) = claim(10).await.unwrap() else {
        panic!("it is its own");
    };
    let lease = Lease {
        name: "flight".to_owned(),
        fence,
    };
    disk.fail_writing(1);
    assert_eq!(claim(20).await, Ok(Claimed::Theirs(10)));
    assert_eq!(store.renew(lease.clone(), 30).await, Ok(true));
    assert_eq!(store.standing().await.reopened, 2);
    drop(store);
    let again = open(folder.path(), &disk);
    assert_eq!(again.renew(lease, 40).await, Ok(false), "it ended with its node");
}

#[tokio::test]
async fn a_store_that_was_opened_again_says_that_everything_may_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    let begin = store.version().await.unwrap();
    put_rows(&store, vec![row("one")]).await.unwrap();
    let one = Changed::Row(Table::Decisions, "one".to_owned());
    assert_eq!(store.changes(begin).await.unwrap().changed, Some(vec![one]));
    let before = store.version().await.unwrap();
    disk.fail_syncing(1);
    put_rows(&store, vec![row("two")]).await.unwrap();
    let changes = store.changes(before).await.unwrap();
    assert_eq!(
        changes.changed, None,
        "a commit that failed may have reached the disk"
    );
    drop(store);
    let again = open(folder.path(), &disk);
    assert_eq!(again.changes(changes.now).await.unwrap().changed, None);
}

#[tokio::test]
async fn a_writer_that_stops_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &FailingDisk::default());
    reserve(&store, 1, 30).await.unwrap();
    let error = store.write(|done| Job::Panic { done }).await.unwrap_err();
    assert!(error.to_string().contains("told to stop"), "{error}");
    put_rows(&store, vec![row("after")]).await.unwrap();
    reserve(&store, 2, 30).await.unwrap();
    assert_eq!(store.spent("calls"), 60);
    assert!(is_kept(&store, "after"));
    store.prove(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_proof_holds_for_a_second_and_no_longer_than_until_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    store.prove(Duration::from_secs(10)).await.unwrap();
    disk.fill(true);
    store.prove(Duration::from_millis(10_900)).await.unwrap();
    store.prove(Duration::from_secs(11)).await.unwrap_err();
    store.prove(Duration::from_secs(11)).await.unwrap_err();
    disk.fill(false);
    store.prove(Duration::from_secs(11)).await.unwrap();
    disk.fill(true);
    put_rows(&store, vec![row("any")]).await.unwrap_err();
    store.prove(Duration::from_secs(11)).await.unwrap_err();
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_takes_what_makes_room_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    reserve(&store, 1, 30).await.unwrap();
    put_rows(&store, vec![row("old")]).await.unwrap();
    disk.say_free(MIN_FREE - 1);
    let error = put_rows(&store, vec![row("new")]).await.unwrap_err();
    assert!(
        error.to_string().contains("store.min_free keeps 1 MiB"),
        "{error}"
    );
    assert!(matches!(reserve(&store, 2, 1).await, Err(ReserveError::Store(_))));
    assert!(matches!(
        store.prove(Duration::ZERO).await,
        Err(StoreError::Full { .. })
    ));
    settle(&store, 1, 20, serde_json::json!({}));
    store
        .swap_rows(Vec::new(), vec![(Table::Decisions, "old".to_owned())])
        .await
        .unwrap();
    // What was paid for is kept.
    store.put_answer_now("paid".to_owned(), vec![7]).await.unwrap();
    store.compact().await.unwrap();
    assert_eq!(store.spent("calls"), 10);
    assert!(!is_kept(&store, "old"));
    assert!(!store.standing().await.is_well);
    disk.say_free(MIN_FREE * 2);
    put_rows(&store, vec![row("new")]).await.unwrap();
    assert!(store.standing().await.is_well && is_kept(&store, "new"));
    assert_eq!(store.standing().await.reopened, 0, "the file was never in danger");
    disk.say_free(MIN_FREE - 1);
    put_rows(&store, vec![row("new")]).await.unwrap_err();
    store.keep_free(MIN_FREE / 2);
    put_rows(&store, vec![row("new")]).await.unwrap();
    store.keep_free(MIN_FREE);
    disk.say_free(MIN_FREE * 2);
    // What alone does not fit is refused alone.
    let mut large = row("large");
    large.value = vec![7; 1 << 20];
    put_rows(&store, vec![large]).await.unwrap_err();
    put_rows(&store, vec![row("small")]).await.unwrap();
    assert!(store.standing().await.is_well);
}

#[tokio::test]
async fn a_store_that_was_removed_is_written_anew_with_all_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let disk = FailingDisk::default();
    let store = open(&data, &disk);
    let path = data.join("pivotd.redb");
    put_rows(&store, vec![row("before")]).await.unwrap();
    for (at, removed) in [path.clone(), data.clone()].into_iter().enumerate() {
        // The file alone, then its folder with it.
        if removed.is_dir() {
            std::fs::remove_dir_all(&removed).unwrap();
        } else {
            std::fs::remove_file(&removed).unwrap();
        }
        put_rows(&store, vec![row(&format!("after-{at}"))]).await.unwrap();
        assert!(path.exists());
        assert!(is_kept(&store, "before"));
        let standing = store.standing().await;
        assert!(standing.is_well);
        assert_eq!(standing.written_anew, at as u64 + 1);
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&data)), (0o600, 0o700));
    drop(store);
    let again = open(&data, &disk);
    for key in ["before", "after-0", "after-1"] {
        assert!(is_kept(&again, key), "{key}");
    }
}

#[tokio::test]
async fn a_store_that_was_removed_and_cannot_be_written_anew_yet_is_down_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let disk = FailingDisk::default();
    let store = open(&data, &disk);
    put_rows(&store, vec![row("before")]).await.unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    // A file stands where the folder has to be.
    std::fs::write(&data, "").unwrap();
    let error = put_rows(&store, vec![row("meanwhile")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Down(_)), "{error}");
    std::fs::remove_file(&data).unwrap();
    put_rows(&store, vec![row("after")]).await.unwrap();
    assert!(is_kept(&store, "before") && is_kept(&store, "after"));
    assert_eq!(store.standing().await.written_anew, 1);
}

#[tokio::test]
async fn a_store_in_whose_place_another_file_lies_is_said_to_be_broken() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    let path = folder.path().join("pivotd.redb");
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let error = put_rows(&store, vec![row("any")]).await.unwrap_err();
    assert_eq!(error, StoreError::Replaced(path.clone()));
    assert_eq!(store.broken().await, error);
    put_rows(&store, vec![row("any")]).await.unwrap_err();
    store.close().await;
    assert_eq!(
        std::fs::read(&path).unwrap(),
        bytes,
        "what was put there is left alone"
    );
}

#[tokio::test]
async fn another_store_in_its_place_is_not_taken_for_it() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let disk = FailingDisk::default();
    let store = open(folder.path(), &disk);
    drop(open(other.path(), &disk));
    std::fs::rename(
        other.path().join("pivotd.redb"),
        folder.path().join("pivotd.redb"),
    )
    .unwrap();
    disk.fail_writing(1);
    put_rows(&store, vec![row("any")]).await.unwrap_err();
    let error = store.broken().await;
    assert!(error.to_string().contains("was replaced"), "{error}");
}

#[test]
fn an_empty_file_is_refused_unless_it_is_said_to_be_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pivotd.redb");
    std::fs::write(&path, b"").unwrap();
    let error = Store::open(folder.path(), 1 << 20).unwrap_err();
    assert_eq!(error, StoreError::Empty(path.clone()));
    assert!(error.to_string().contains("--new"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "it is left as it is");
    let opening = Opening {
        replaces_empty: true,
        ..Opening::default()
    };
    let secret = *Store::open_as(folder.path(), &opening).unwrap().secret();
    // A store that holds something is never replaced.
    assert_eq!(*Store::open_as(folder.path(), &opening).unwrap().secret(), secret);
}

#[test]
fn a_new_store_is_its_owners_alone_and_leaves_nothing_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), 1 << 20).unwrap());
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["pivotd.redb"]);
    let mode = std::fs::metadata(folder.path().join("pivotd.redb"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
