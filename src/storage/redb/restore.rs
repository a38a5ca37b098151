//! Puts a copy in the place of the store. At every moment a whole store lies there: the former one, or the one of the copy.
//!
//! What must not go back in time is taken from the former store, where that can be read and is the same store: what was spent
//! since, and which tokens were revoked.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use redb::{Database, ReadableDatabase as _, ReadableTable as _};
use tempfile::NamedTempFile;

use super::audit::AuditRow;
use super::backup::{failed, sync_folder, verify};
use super::disk::{Disk as _, StoreFile, SystemDisk};
use super::opening::{FILE, Location, said};
use super::prepare::random;
use super::tables::{AUDIT, BACKUP, META, SPENT, TOKENS};
use super::{Opening, StoreError};
use crate::owner;
use crate::storage::{Backup, BackupError, RowKey};

/// The row of the meta table that says when which copy was put in the place of the store, as JSON.
const RESTORED: &str = "restored";
/// The row of the meta table that holds the last known time.
const LATEST: &str = "latest";
/// So much of a copy is read at once.
const PIECE: usize = 1 << 20;
/// redb's cache.
const CACHE: usize = 8 << 20;

/// Says what is put where.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The copy.
    pub file: PathBuf,
    /// The data directory; it is there.
    pub folder: PathBuf,
    /// Whether a store that lies there is moved aside.
    pub force: bool,
    /// Bytes of the disk that stay free.
    pub min_free: u64,
    /// When that is.
    pub now: Timestamp,
}

/// Is a store that was made of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The copy.
    pub backup: Backup,
    /// The store.
    pub path: PathBuf,
    /// The store that lay there before.
    pub former: Option<FormerStore>,
    /// What the ledger counts in each row.
    pub spent: Vec<RestoredRow>,
}

/// Is the store that lay there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerStore {
    /// Where it is kept.
    pub kept: PathBuf,
    /// Why nothing was taken from it; none where it was.
    pub untaken: Option<String>,
    /// The ids of tokens that the copy holds and that were revoked since: they stay revoked.
    pub revoked: Vec<String>,
}

/// Is a row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredRow {
    /// The row.
    pub key: RowKey,
    /// What the copy counts.
    pub backup: i64,
    /// What is counted from now on.
    pub restored: i64,
}

/// Is what the former store tells.
#[derive(Default)]
struct FormerRows {
    secret: Vec<u8>,
    latest: Option<Vec<u8>>,
    spent: BTreeMap<RowKey, i64>,
    /// Tokens by their ids, as they are kept.
    tokens: BTreeMap<String, Vec<u8>>,
}

/// Keeps others from the former store while another takes its place: what has it open.
type FormerLock = Box<dyn Any>;

/// Puts a copy in the place of the store, once it is verified.
///
/// # Errors
/// [`BackupError`] where the copy cannot be used, a process uses the store that lies there, or the disk takes no more. The
/// former store then lies where it was.
pub fn restore(request: &RestoreRequest) -> Result<Restored, BackupError> {
    restore_by_steps(request, &mut |_| {})
}

/// Does the same, and says before each step that changes what lies on disk which one it is.
pub(super) fn restore_by_steps(
    request: &RestoreRequest,
    before: &mut dyn FnMut(&'static str),
) -> Result<Restored, BackupError> {
    let RestoreRequest {
        file,
        folder,
        force,
        min_free,
        now,
    } = request;
    let path = folder.join(FILE);
    let failed = |reason: &dyn std::fmt::Display| failed(&path, reason);
    let is_there = match std::fs::symlink_metadata(&path) {
        Ok(_) if !force => return Err(BackupError::StoreExists(path)),
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(&error)),
    };
    let backup = verify(file)?;
    let (lock, former) = if is_there {
        lock_former(folder)?
    } else {
        (None, Ok(FormerRows::default()))
    };
    let needed = backup.bytes.saturating_mul(2).saturating_add(*min_free);
    match SystemDisk.free(folder) {
        Ok(free) if free < needed => {
            return Err(BackupError::NoRoom {
                folder: folder.clone(),
                free,
                needed,
            });
        }
        _ => {}
    }
    before("copy");
    let copy = copied(file, folder).map_err(|error| failed(&error))?;
    // The disk may have written something else.
    let again = verify(copy.path())?;
    if again.contents != backup.contents {
        return Err(failed(&"what was copied cannot be read again"));
    }
    before("prepare");
    let prepared = prepare(copy.path(), &backup, *now, former.as_ref().ok());
    let (spent, revoked, is_same) = prepared.map_err(|reason| failed(&reason))?;
    copy.as_file().sync_all().map_err(|error| failed(&error))?;
    before("keep the former store");
    let kept = folder.join(format!(
        "{FILE}.before-restore-{}",
        now.strftime("%Y%m%dT%H%M%SZ")
    ));
    let mut is_moved = false;
    if is_there {
        // Both names lead to it, so that it lies in its place until the other takes it. Where links cannot be made, it is moved.
        let linked = std::fs::hard_link(&path, &kept);
        is_moved = linked.is_err();
        linked
            .or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Err(error),
                _ => std::fs::rename(&path, &kept),
            })
            .map_err(|error| failed(&error))?;
        sync_folder(folder).map_err(|error| failed(&error))?;
    }
    before("put the copy in its place");
    let placed = if is_there && !is_moved {
        copy.persist(&path)
    } else {
        copy.persist_noclobber(&path)
    };
    if let Err(error) = placed {
        if is_moved {
            drop(std::fs::rename(&kept, &path));
        }
        return Err(match error.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::StoreExists(path),
            _ => failed(&error.error),
        });
    }
    before("sync");
    sync_folder(folder).map_err(|error| failed(&error))?;
    drop(lock);
    let untaken = match &former {
        Err(reason) => Some(format!("it cannot be read ({reason})")),
        Ok(_) if !is_same => Some("it is not the store that was backed up".to_owned()),
        Ok(_) => None,
    };
    Ok(Restored {
        backup,
        path: path.clone(),
        former: is_there.then_some(FormerStore {
            kept,
            untaken,
            revoked,
        }),
        spent,
    })
}

/// Locks the store that lies there, and reads what must not go back in time; a reason where it cannot be read.
fn lock_former(folder: &Path) -> Result<(Option<FormerLock>, Result<FormerRows, String>), BackupError> {
    let location = Location::new(folder, &Opening::default())?;
    match location.open_draft() {
        Ok(database) => {
            let rows = location.guard(|| read_former(&database));
            let rows = match rows {
                Ok(Ok(rows)) => Ok(rows),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            Ok((Some(Box::new(database)), rows))
        }
        Err(error @ StoreError::Locked(_)) => Err(error.into()),
        // Whatever is wrong with it, another process may have it open.
        Err(error) => {
            let file = SystemDisk.open(&location.path);
            let file = file.map_err(|error| failed(&location.path, &error))?;
            match file.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
                Ok(false) => Err(StoreError::Locked(location.path).into()),
                _ => Ok((Some(Box::new(file)), Err(error.to_string()))),
            }
        }
    }
}

fn read_former(database: &Database) -> Result<FormerRows, redb::Error> {
    let from = database.begin_read()?;
    let meta = from.open_table(META)?;
    let value = |key| {
        meta.get(key)
            .map(|found| found.map(|value| value.value().to_vec()))
    };
    let mut rows = FormerRows {
        secret: value("secret")?.unwrap_or_default(),
        latest: value(LATEST)?,
        ..FormerRows::default()
    };
    for row in from.open_table(SPENT)?.iter()? {
        let (key, amount) = row?;
        rows.spent.insert(key.value().to_owned(), amount.value());
    }
    for row in from.open_table(TOKENS)?.iter()? {
        let (id, token) = row?;
        rows.tokens.insert(id.value().to_owned(), token.value().to_vec());
    }
    Ok(rows)
}

/// Tells whether a token is kept as one that was revoked.
fn is_revoked(token: &[u8]) -> bool {
    let read: Option<serde_json::Value> = serde_json::from_slice(token).ok();
    read.is_some_and(|token| token.get("revoked").is_some_and(|at| !at.is_null()))
}

/// Returns how often a token was changed.
fn revision(token: &[u8]) -> u64 {
    let read: Option<serde_json::Value> = serde_json::from_slice(token).ok();
    read.and_then(|token| token.get("revision")?.as_u64())
        .unwrap_or(0)
}

/// Copies the file into the data directory, under another name, with mode 0600 and the owner of the directory.
fn copied(file: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let mut copy = tempfile::Builder::new()
        .prefix(".pivotd-restore-")
        .tempfile_in(folder)?;
    let mut from = std::fs::File::open(file)?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            break;
        };
        copy.write_all(read)?;
    }
    copy.as_file().sync_all()?;
    owner::as_of_folder(copy.as_file(), folder)?;
    Ok(copy)
}

/// Makes a store of a copy: notes what happened, and brings over from the former store what must not go back in time. Returns what
/// the ledger counts, the tokens that stay revoked, and whether the former store is the same.
fn prepare(
    copy: &Path,
    backup: &Backup,
    now: Timestamp,
    former: Option<&FormerRows>,
) -> Result<(Vec<RestoredRow>, Vec<String>, bool), String> {
    let prepared = catch_unwind(AssertUnwindSafe(|| prepare_copy(copy, backup, now, former)));
    match prepared {
        Ok(prepared) => prepared.map_err(|error| error.to_string()),
        Err(panic) => Err(said(&*panic)),
    }
}

fn prepare_copy(
    copy: &Path,
    backup: &Backup,
    now: Timestamp,
    former: Option<&FormerRows>,
) -> Result<(Vec<RestoredRow>, Vec<String>, bool), redb::Error> {
    let file = StoreFile::new(Arc::from(SystemDisk.open(copy)?));
    let database = Database::builder()
        .set_cache_size(CACHE)
        .create_with_backend(file)?;
    let write = database.begin_write()?;
    write.delete_table(BACKUP)?;
    let mut spent = BTreeMap::new();
    let mut revoked = Vec::new();
    let is_same;
    {
        let mut meta = write.open_table(META)?;
        is_same = match former {
            Some(former) => meta
                .get("secret")?
                .is_some_and(|secret| secret.value() == former.secret),
            None => false,
        };
        let former = former.filter(|_| is_same);
        let mut rows = write.open_table(SPENT)?;
        for row in rows.iter()? {
            let (key, amount) = row?;
            let counted = (amount.value(), amount.value());
            spent.insert(key.value().to_owned(), counted);
        }
        for (key, amount) in former.iter().flat_map(|former| &former.spent) {
            let (_, counted) = spent.entry(key.clone()).or_insert((0, 0));
            if *amount > *counted {
                *counted = *amount;
                rows.insert(key.as_str(), *amount)?;
            }
        }
        if let Some(former) = former {
            let mut tokens = write.open_table(TOKENS)?;
            let mut changed = Vec::new();
            for row in tokens.iter()? {
                let (id, held) = row?;
                match former.tokens.get(id.value()) {
                    Some(now) if !is_revoked(now) && revision(now) > revision(held.value()) => {
                        changed.push(id.value().to_owned());
                    }
                    Some(now) if !is_revoked(now) || is_revoked(held.value()) => {}
                    _ => revoked.push(id.value().to_owned()),
                }
            }
            // What was taken from a token since stays taken.
            for id in &changed {
                if let Some(token) = former.tokens.get(id) {
                    tokens.insert(id.as_str(), token.as_slice())?;
                }
            }
            for id in &revoked {
                // One that was revoked keeps its name; older versions removed it.
                match former.tokens.get(id) {
                    Some(token) => drop(tokens.insert(id.as_str(), token.as_slice())?),
                    None => drop(tokens.remove(id.as_str())?),
                }
            }
            let held = meta.get(LATEST)?.map(|value| value.value().to_vec());
            if let Some(latest) = later(held, former.latest.clone()) {
                meta.insert(LATEST, latest.as_slice())?;
            }
        }
        let at = now.as_microsecond();
        let note = serde_json::json!({
            "at_us": at,
            "settled": "the store was restored from a backup",
            "restored_at": now,
            "backup_made_at": backup.contents.made_at,
            "backup_version": backup.contents.version,
            "counts_of_former_store": is_same,
            "tokens_kept_revoked": revoked.len(),
        })
        .to_string();
        meta.insert(RESTORED, note.as_bytes())?;
        let id: [u8; 16] = random()?;
        let stored = AuditRow::of(note.as_bytes()).stored();
        write.open_table(AUDIT)?.insert((at, &id), stored.as_slice())?;
    }
    write.commit()?;
    let spent = spent.into_iter().map(|(key, (backup, restored))| RestoredRow {
        key,
        backup,
        restored,
    });
    Ok((spent.collect(), revoked, is_same))
}

/// Returns the later of two times.
fn later(one: Option<Vec<u8>>, other: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let micros = |bytes: &Vec<u8>| bytes.as_slice().try_into().ok().map(i64::from_le_bytes);
    [one, other].into_iter().flatten().max_by_key(micros)
}
