//! Writes copies of the store, from one transaction that reads, and verifies them.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{
    Database, Key, ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError,
    TableHandle as _, Value,
};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::Store;
use super::disk::{Disk, StoreFile, SystemDisk};
use super::opening::said;
use super::tables::{BACKUP, EachTable, LAYOUT, each_table};
use crate::domain::hex::hex;
use crate::storage::backup::{BackupContents, TableContents};
use crate::storage::{Backup, BackupError, BackupTarget};

/// So many bytes of rows go into one transaction of the copy.
const PIECE: usize = 8 << 20;
/// redb's cache of a copy that is written or verified.
const CACHE: usize = 8 << 20;
/// What stays free of a disk on which the store does not lie.
const LEFT: u64 = 2 * PIECE as u64;
/// The row in which a copy says what it holds.
const CONTENTS: &str = "contents";
/// How names of copies begin that are not whole yet.
const UNFINISHED: &str = ".pivotd-backup-";

/// Says why copying stopped.
enum Stop {
    Redb(redb::Error),
    Told(BackupError),
}

impl<E: Into<redb::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl Store {
    /// Writes a copy, and verifies it before it gets its name.
    pub(super) fn write_backup(&self, to: &BackupTarget) -> Result<Backup, BackupError> {
        let Ok(_turn) = self.inner.backup.try_lock() else {
            return Err(BackupError::Busy);
        };
        let location = &self.inner.location;
        let failed = |reason: &dyn std::fmt::Display| failed(&to.path, reason);
        let Some(folder) = to.path.parent().filter(|_| to.path.file_name().is_some()) else {
            return Err(failed(&"expected the path of a file"));
        };
        match std::fs::symlink_metadata(&to.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&error)),
            Ok(_) if !to.force => return Err(BackupError::Exists(to.path.clone())),
            Ok(found) if !found.is_file() => return Err(failed(&"it is no file")),
            Ok(found) => {
                let store = std::fs::metadata(&location.path);
                if store.is_ok_and(|store| (store.dev(), store.ino()) == (found.dev(), found.ino())) {
                    return Err(failed(&"it is the store itself"));
                }
            }
        }
        let len = std::fs::metadata(&location.path).map_or(0, |store| store.len());
        let room = Room::of(self, folder).map_err(|error| failed(&error))?;
        room.holds(len)?;
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)
            .map_err(|error| failed(&error))?;
        let contents = self.copy_into(&file, to, &room)?;
        let backup = verify(file.path())?;
        if backup.contents != contents {
            return Err(failed(&"what was written cannot be read again"));
        }
        let persisted = if to.force {
            file.persist(&to.path)
        } else {
            file.persist_noclobber(&to.path)
        };
        persisted.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(to.path.clone()),
            _ => failed(&error.error),
        })?;
        sync_folder(folder).map_err(|error| failed(&error))?;
        Ok(Backup {
            path: to.path.clone(),
            ..backup
        })
    }

    fn copy_into(
        &self,
        file: &NamedTempFile,
        to: &BackupTarget,
        room: &Room<'_>,
    ) -> Result<BackupContents, BackupError> {
        let failed = |reason: &dyn std::fmt::Display| failed(&to.path, reason);
        let location = &self.inner.location;
        let handle = file.as_file().try_clone().map_err(|error| failed(&error))?;
        let handle = FileBackend::new(handle).map_err(|error| failed(&error))?;
        // A damaged store makes redb stop at what cannot be.
        let copied = catch_unwind(AssertUnwindSafe(|| -> Result<BackupContents, Stop> {
            let from = self.inner.held.begin_read()?;
            let mut copy = Database::builder()
                .set_cache_size(CACHE)
                .create_with_backend(handle)?;
            let mut copier = Copier {
                store: self,
                from: &from,
                to: &copy,
                room,
                tables: Vec::new(),
                stop: None,
            };
            if let Err(error) = each_table(&mut copier) {
                return Err(copier.stop.map_or(Stop::Redb(error), Stop::Told));
            }
            let contents = BackupContents {
                version: crate::VERSION.to_owned(),
                layout: LAYOUT,
                made_at: to.now,
                tables: copier.tables,
            };
            if let Some(unknown) = unknown_table(&from, &contents)? {
                let reason = format!("this pivotd does not know its table {unknown}");
                return Err(Stop::Told(failed(&reason)));
            }
            let json = serde_json::to_vec(&contents).unwrap_or_default();
            let write = copy.begin_write()?;
            write.open_table(BACKUP)?.insert(CONTENTS, json.as_slice())?;
            write.commit()?;
            copy.compact().map_err(|error| Stop::Told(failed(&error)))?;
            Ok(contents)
        }));
        let contents = match copied {
            Ok(Ok(contents)) => contents,
            Ok(Err(Stop::Told(error))) => return Err(error),
            Ok(Err(Stop::Redb(error))) => return Err(failed(&location.faulty(&error))),
            Err(panic) => return Err(failed(&said(&*panic))),
        };
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        Ok(contents)
    }
}

/// Returns a table of a store that is not among those that were copied.
fn unknown_table(from: &ReadTransaction, copied: &BackupContents) -> Result<Option<String>, redb::Error> {
    struct Names(Vec<String>);
    impl EachTable for Names {
        fn table<K: Key + 'static, V: Value + 'static>(
            &mut self,
            table: TableDefinition<'static, K, V>,
        ) -> Result<(), redb::Error> {
            self.0.push(table.name().to_owned());
            Ok(())
        }
    }
    let mut known = Names(vec![BACKUP.name().to_owned()]);
    each_table(&mut known)?;
    debug_assert!(copied.tables.iter().all(|table| known.0.contains(&table.name)));
    let mut tables = from.list_tables()?.map(|table| table.name().to_owned());
    Ok(tables.find(|name| !known.0.contains(name)))
}

/// Knows how much room a copy has.
struct Room<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    /// What stays free.
    left: u64,
}

impl<'a> Room<'a> {
    fn of(store: &'a Store, folder: &'a Path) -> io::Result<Self> {
        let location = &store.inner.location;
        let (own, other) = (std::fs::metadata(&location.folder)?, std::fs::metadata(folder)?);
        let min_free = store.inner.condition.min_free();
        Ok(Self {
            disk: location.disk.as_ref(),
            folder,
            left: if own.dev() == other.dev() {
                min_free.max(LEFT)
            } else {
                LEFT
            },
        })
    }

    /// Fails where so many bytes more do not fit.
    fn holds(&self, bytes: u64) -> Result<(), BackupError> {
        let needed = bytes.saturating_add(self.left);
        // A file system that does not say is met by the write.
        match self.disk.free(self.folder) {
            Ok(free) if free < needed => Err(BackupError::NoRoom {
                folder: self.folder.to_path_buf(),
                free,
                needed,
            }),
            _ => Ok(()),
        }
    }
}

/// Copies table by table.
struct Copier<'a> {
    store: &'a Store,
    from: &'a ReadTransaction,
    to: &'a Database,
    room: &'a Room<'a>,
    tables: Vec<TableContents>,
    /// Why it stopped, where that is no fault of either file.
    stop: Option<BackupError>,
}

impl EachTable for Copier<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), redb::Error> {
        let Some(from) = open(self.from, table)? else {
            return Ok(());
        };
        let mut digest = TableDigest::default();
        let mut rows = from.iter()?;
        loop {
            let stop = if self.store.inner.condition.is_closed() {
                Some(BackupError::Stopped)
            } else {
                self.room.holds(0).err()
            };
            if stop.is_some() {
                self.stop = stop;
                return Err(redb::Error::DatabaseClosed);
            }
            let write = self.to.begin_write()?;
            let mut bytes = 0;
            {
                let mut to = write.open_table(table)?;
                for row in rows.by_ref() {
                    let (key, value) = row?;
                    let (key, value) = (key.value(), value.value());
                    bytes += digest.add::<K, V>(&key, &value);
                    to.insert(key, value)?;
                    if bytes >= PIECE {
                        break;
                    }
                }
            }
            write.commit()?;
            if bytes < PIECE {
                break;
            }
        }
        self.tables.extend(digest.end(table.name()));
        Ok(())
    }
}

/// Opens a table; `None` where the file has none of its name.
fn open<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<Option<redb::ReadOnlyTable<K, V>>, redb::Error> {
    match from.open_table(table) {
        Ok(found) => Ok(Some(found)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Takes the digest of a table's rows.
#[derive(Default)]
struct TableDigest {
    rows: u64,
    hash: Sha256,
}

impl TableDigest {
    /// Adds a row; returns its bytes.
    fn add<K: Key, V: Value>(&mut self, key: &K::SelfType<'_>, value: &V::SelfType<'_>) -> usize {
        let (key, value) = (K::as_bytes(key), V::as_bytes(value));
        self.rows += 1;
        let mut bytes = 0;
        for part in [key.as_ref(), value.as_ref()] {
            self.hash.update((part.len() as u64).to_be_bytes());
            self.hash.update(part);
            bytes += part.len();
        }
        bytes
    }

    fn end(self, name: &str) -> Option<TableContents> {
        (self.rows > 0).then(|| TableContents {
            name: name.to_owned(),
            rows: self.rows,
            sha256: hex(&self.hash.finalize()),
        })
    }
}

/// Counts and digests what a file holds.
struct Counter<'a> {
    from: &'a ReadTransaction,
    tables: Vec<TableContents>,
}

impl EachTable for Counter<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), redb::Error> {
        let Some(from) = open(self.from, table)? else {
            return Ok(());
        };
        let mut digest = TableDigest::default();
        for row in from.iter()? {
            let (key, value) = row?;
            digest.add::<K, V>(&key.value(), &value.value());
        }
        self.tables.extend(digest.end(table.name()));
        Ok(())
    }
}

/// Verifies a copy without changing it: every checksum, and the count and the digest of each table.
///
/// # Errors
/// [`BackupError::Unusable`] where it is no copy, or not whole.
pub fn verify(path: &Path) -> Result<Backup, BackupError> {
    let unusable = |reason: String| BackupError::Unusable {
        path: path.to_path_buf(),
        reason,
    };
    let found = std::fs::metadata(path).map_err(|error| failed(path, &error))?;
    if !found.is_file() {
        return Err(unusable("it is no file".to_owned()));
    }
    if found.len() == 0 {
        return Err(unusable("it is empty (0 bytes)".to_owned()));
    }
    let file = SystemDisk.open(path).map_err(|error| failed(path, &error))?;
    let file = StoreFile::draft(Arc::from(file)).map_err(|error| failed(path, &error))?;
    // A damaged file makes redb fail, or stop at what cannot be.
    let read = catch_unwind(AssertUnwindSafe(|| -> Result<BackupContents, Stop> {
        let database = Database::builder()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(file)?;
        let from = database.begin_read()?;
        let told = |reason: String| Stop::Told(unusable(reason));
        let not_one = || "it is a file of redb, but no backup that `pivotd backup` wrote".to_owned();
        let table = open(&from, BACKUP)?.ok_or_else(|| told(not_one()))?;
        let row = table.get(CONTENTS)?.ok_or_else(|| told(not_one()))?;
        let contents: BackupContents =
            serde_json::from_slice(row.value()).map_err(|error| told(error.to_string()))?;
        if contents.layout > LAYOUT {
            return Err(told(format!(
                "it has layout {}, written by pivotd {}, and this pivotd reads up to {LAYOUT}; use the newer pivotd",
                contents.layout, contents.version
            )));
        }
        let mut counter = Counter {
            from: &from,
            tables: Vec::new(),
        };
        each_table(&mut counter)?;
        if let Some(difference) = difference(&contents.tables, &counter.tables) {
            return Err(told(difference));
        }
        Ok(contents)
    }));
    let contents = match read {
        Ok(Ok(contents)) => contents,
        Ok(Err(Stop::Told(error))) => return Err(error),
        Ok(Err(Stop::Redb(redb::Error::DatabaseAlreadyOpen))) => {
            return Err(unusable(
                "another process has it open: a store at work is copied by `pivotd backup`".to_owned(),
            ));
        }
        Ok(Err(Stop::Redb(error))) => return Err(unusable(error.to_string())),
        Err(panic) => return Err(unusable(said(&*panic))),
    };
    Ok(Backup {
        path: path.to_path_buf(),
        bytes: found.len(),
        contents,
    })
}

/// Says how tables differ from what they should be.
fn difference(said: &[TableContents], found: &[TableContents]) -> Option<String> {
    let of = |tables: &[TableContents], name: &str| {
        let table = tables.iter().find(|table| table.name == name);
        table.map_or((0, String::new()), |table| (table.rows, table.sha256.clone()))
    };
    let mut names = said.iter().chain(found).map(|table| &table.name);
    let name = names.find(|name| of(said, name) != of(found, name))?;
    let (wanted, has) = (of(said, name).0, of(found, name).0);
    Some(if wanted == has {
        format!("the rows of its table {name} are others than were written")
    } else {
        format!("its table {name} has {has} rows, and {wanted} were written")
    })
}

pub(super) fn failed(path: &Path, reason: &dyn std::fmt::Display) -> BackupError {
    BackupError::Failed {
        path: path.to_path_buf(),
        reason: reason.to_string(),
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}
