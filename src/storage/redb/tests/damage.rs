//! Opens and uses files that are damaged: what cannot be read is said, and never made up.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};

use super::*;

const ROWS: usize = 400;

/// Makes a store of many rows; returns its file.
async fn filled(folder: &Path) -> std::path::PathBuf {
    let store = Store::open(folder, 1 << 20).unwrap();
    for at in 0..20 {
        let rows = (0..ROWS / 20).map(|n| wide(at * ROWS / 20 + n)).collect();
        put_rows(&store, rows).await.unwrap();
    }
    folder.join("pivotd.redb")
}

/// A row of several kilobytes that nothing else equals.
fn wide(at: usize) -> Row {
    let mut value = Vec::new();
    for part in 0..300u32 {
        value.extend_from_slice(&(at as u32 * 7919 + part * 104_729).to_le_bytes());
        value.extend_from_slice(b"some");
    }
    Row {
        table: Table::Decisions,
        key: format!("row-{at:04}"),
        until_us: NEVER,
        value,
    }
}

fn flip(path: &Path, offset: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&[byte[0] ^ 0x55]).unwrap();
}

/// Opens a damaged file: either it says so, or everything is there as it was.
fn whole_or_said(folder: &Path) -> bool {
    match Store::open(folder, 1 << 20) {
        Ok(store) => {
            let rows = rows(&store).unwrap();
            assert_eq!(rows.len(), ROWS);
            for (at, row) in rows.into_iter().enumerate() {
                assert_eq!(row, wide(at));
            }
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert!(
                matches!(error, StoreError::Damaged { .. } | StoreError::Empty(_)),
                "{said}"
            );
            assert!(said.contains("put a copy of the store back"), "{said}");
            false
        }
    }
}

#[tokio::test]
async fn a_file_that_was_cut_is_refused_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..20 {
        let len = bytes.len() * at / 20 + at * 13;
        std::fs::write(&path, &bytes[..len]).unwrap();
        assert!(!whole_or_said(folder.path()), "cut to {len} of {}", bytes.len());
    }
    std::fs::write(&path, &bytes).unwrap();
    assert!(whole_or_said(folder.path()));
}

#[tokio::test]
async fn a_file_with_a_flipped_byte_is_refused_or_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    let bytes = std::fs::read(&path).unwrap();
    let mut refused = 0;
    // The beginning, where redb says where everything lies, and places all over the file.
    let begin = (0..10).map(|at| at * 37);
    let rest = (1..20).map(|at| bytes.len() * at / 20 + at * 101);
    for offset in begin.chain(rest) {
        std::fs::write(&path, &bytes).unwrap();
        flip(&path, offset as u64);
        refused += usize::from(!whole_or_said(folder.path()));
    }
    assert!(refused > 5, "{refused}");
}

#[tokio::test]
async fn a_file_that_is_damaged_while_it_is_used_crashes_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    let bytes = std::fs::read(&path).unwrap();
    let len = bytes.len() as u64;
    for place in 1..=20 {
        std::fs::write(&path, &bytes).unwrap();
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        for near in 0..16 {
            flip(&path, (len * place / 21 + near * 4099) % len);
        }
        for at in 0..ROWS {
            // Whatever can be read is a row, or an error.
            drop(store.read_row(Table::Decisions, &wide(at).key, 0));
        }
        drop(rows(&store));
        drop(put_rows(&store, vec![row("new")]).await);
        drop(store.prove(Duration::ZERO).await);
        store.close().await;
    }
}
