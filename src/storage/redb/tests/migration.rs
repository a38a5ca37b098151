//! Opens the file of an older version: all that it holds comes through, wholly or not at all.

use super::*;

/// A store that version 0.1.0 wrote, and was killed while three reservations were open.
const LAYOUT_1: &[u8] = include_bytes!("layout-1.redb.zst");

/// The secret that it was made with.
const SECRET: [u8; 32] = [
    232, 84, 162, 83, 235, 198, 129, 74, 135, 232, 202, 243, 176, 35, 143, 173, 92, 134, 173, 25, 239, 132,
    33, 115, 185, 17, 192, 248, 118, 100, 117, 94,
];

const RESERVED: u64 = 60;
const SETTLED: u64 = 57;

fn restore(folder: &Path) {
    let bytes = zstd::decode_all(LAYOUT_1).unwrap();
    std::fs::write(folder.join("pivotd.redb"), bytes).unwrap();
}

fn key(account: &str, unit: &str) -> String {
    format!("soc|domaintools|{account}|reverse-whois|{unit}|month 2026-11-01T00:00:00")
}

/// What the file counted, with money in millionths.
fn counted() -> Vec<(RowKey, i64)> {
    let mut rows = Vec::new();
    for (at, account) in [(0, "team"), (1, "a|cents|b")] {
        let own = || (0..RESERVED).filter(move |n| n % 2 == at);
        let sum = |amount: fn(u64) -> i64| own().map(amount).sum::<i64>();
        rows.push((key(account, "calls"), sum(|_| 1)));
        rows.push((key(account, "records"), sum(|n| n as i64)));
        let cents = sum(|n| 1800 + n as i64 - if n < SETTLED { 7 } else { 0 });
        rows.push((key(account, "micros"), cents * 10_000));
    }
    rows.sort();
    rows
}

fn audit() -> Vec<serde_json::Value> {
    let row = |n: u64| {
        let at = 1_795_000_000_000_000 + n / 3 * 1_000_000;
        let mut row =
            serde_json::json!({"at_us": at, "client": "analyst", "question": format!("whois-reverse {n}")});
        if n < SETTLED {
            row["cost"] = serde_json::json!({"calls": 1, "records": n, "cents": 1793 + n});
            row["verdict"] = "good".into();
        } else {
            row["settled"] = "found open at start; charged in full".into();
        }
        row
    };
    (0..RESERVED).rev().map(row).collect()
}

async fn holds_everything(store: &Store) {
    assert_eq!(store.spent_under(""), counted());
    assert_eq!(store.audit(1000).await.unwrap(), audit());
    assert_eq!(store.tokens().await.unwrap(), [b"a token"]);
    for n in 0..RESERVED {
        assert!(is_kept(store, &format!("decision-{n}")), "{n}");
        let answer = store.answer(&format!("answer-{n}")).await.unwrap();
        assert_eq!(answer, Some(vec![n as u8; 100]), "{n}");
    }
    assert_eq!(store.meta("known").await.unwrap(), Some(vec![1, 2, 3]));
    let latest = 1_795_000_000_000_000_i64 + 19_000_000;
    let meta = store.meta("latest").await.unwrap();
    assert_eq!(meta, Some(latest.to_le_bytes().to_vec()));
    assert_eq!(store.meta("secret").await.unwrap(), Some(store.secret().to_vec()));
    assert_eq!(
        store.meta("layout").await.unwrap(),
        Some(vec![2, 0, 0, 0, 0, 0, 0, 0])
    );
}

#[tokio::test]
async fn the_store_of_version_0_1_0_comes_through_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    restore(folder.path());
    let opening = Opening::default();
    assert_eq!(Store::look(folder.path(), &opening), Ok(Some(true)));
    let before = std::fs::read(folder.path().join("pivotd.redb")).unwrap();
    assert_eq!(
        before,
        zstd::decode_all(LAYOUT_1).unwrap(),
        "looking changes nothing"
    );
    let mut secrets = Vec::new();
    for _ in 0..3 {
        // What was taken over is not taken over once more.
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        holds_everything(&store).await;
        secrets.push(*store.secret());
    }
    assert!(secrets.iter().all(|secret| *secret == SECRET), "{secrets:?}");
    let store = Store::open(folder.path(), 1 << 20).unwrap();
    let more = Line {
        key: key("team", "micros"),
        amount: 1,
        limit: Some(
            counted()
                .iter()
                .find(|(of, _)| *of == key("team", "micros"))
                .unwrap()
                .1
                + 1,
        ),
        floor: 0,
    };
    for (id, expected) in [(1, true), (2, false)] {
        let reserved = store.reserve(Reserve {
            id: Uuid::from_u128(id),
            node: store.node(),
            lease: None,
            lines: vec![more.clone()],
            spend: serde_json::json!({"at_us": 1_796_000_000_000_000_i64}),
            known: None,
        });
        assert_eq!(
            reserved.await.is_ok(),
            expected,
            "a reservation is counted in millionths"
        );
    }
}

#[tokio::test]
async fn a_crash_at_any_write_of_the_migration_loses_nothing_and_counts_nothing_twice() {
    let mut crashes = 0;
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        restore(folder.path());
        let disk = FailingDisk::default();
        disk.crash_after(writes);
        let opening = Opening {
            disk: Arc::new(disk.clone()),
            ..Opening::default()
        };
        let opened = Store::open_as(folder.path(), &opening);
        let is_whole = opened.is_ok() && !disk.has_crashed();
        drop(opened);
        crashes += u64::from(!is_whole);
        // What the crash left is opened by the next process.
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        holds_everything(&store).await;
        if is_whole {
            break;
        }
    }
    assert!(crashes > 10, "{crashes}");
}

#[test]
fn a_newer_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), 1 << 20).unwrap());
    let path = folder.path().join("pivotd.redb");
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(tables::META)
        .unwrap()
        .insert("layout", 3_u64.to_le_bytes().as_slice())
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Store::open(folder.path(), 1 << 20).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} has layout 3, this pivotd reads up to 2; use the newer pivotd",
            path.display()
        )
    );
}
