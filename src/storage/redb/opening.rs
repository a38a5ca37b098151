//! Opens the file of the store: makes it where there is none, refuses it where it is empty or damaged, and says which.

use std::any::Any;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTableMetadata as _};
use uuid::Uuid;

use super::Opening;
use super::disk::{Disk, Identity, StoreFile, SystemDisk};
use super::prepare::{StoreContents, prepare, random};
use super::tables::{LAYOUT, TOKENS};
use crate::owner;
use crate::storage::StoreError;

/// The name of the store's file.
pub(super) const FILE: &str = "pivotd.redb";

/// What is told of a page that redb stopped at.
const UNREADABLE: &str = "a page of it cannot be read";

/// Knows where the store lies and how it is opened.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) folder: PathBuf,
    pub(super) path: PathBuf,
    pub(super) page_cache: usize,
    pub(super) disk: Arc<dyn Disk>,
    /// Names this opening of the store.
    pub(super) node: Uuid,
}

/// Holds on to the file that was opened, wherever its name leads later.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: Arc<dyn redb::StorageBackend>,
    identity: Identity,
}

/// Says what lies at the store's path while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathState {
    /// The file that was opened.
    Same,
    /// Another file.
    Another,
    /// None: it was removed.
    Nothing,
}

/// So much of a file is copied at once.
const PIECE: usize = 1 << 20;

impl Location {
    pub(super) fn new(folder: &Path, opening: &Opening) -> Result<Self, StoreError> {
        let mut location = Self {
            folder: folder.to_path_buf(),
            path: folder.join(FILE),
            page_cache: opening.page_cache,
            disk: Arc::clone(&opening.disk),
            node: Uuid::nil(),
        };
        location.node = location.random()?;
        Ok(location)
    }

    /// Makes a random id.
    pub(super) fn random(&self) -> Result<Uuid, StoreError> {
        let bytes = random().map_err(|error| self.failed(&error))?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Makes the file where it is missing, or empty and `replaces_empty`. It is not seen before it is whole.
    pub(super) fn make(&self, replaces_empty: bool) -> Result<(), StoreError> {
        let len = match std::fs::metadata(&self.path) {
            Ok(found) => Some(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.failed(&error)),
        };
        match len {
            Some(0) if replaces_empty => {
                std::fs::remove_file(&self.path).map_err(|error| self.failed(&error))?;
            }
            Some(0) => return Err(StoreError::Empty(self.path.clone())),
            Some(_) => return Ok(()),
            None => {}
        }
        // With mode 0600 and under another name, so that a crash leaves no half of a store behind.
        let file = tempfile::Builder::new()
            .prefix(".pivotd-new-")
            .tempfile_in(&self.folder)
            .map_err(|error| self.failed(&error))?;
        // By its handle: another file could be put in the place of its name.
        let handle = file.as_file().try_clone().map_err(|error| self.failed(&error))?;
        let handle = FileBackend::new(handle).map_err(|error| self.refused(error))?;
        let made = Database::builder()
            .set_cache_size(self.page_cache)
            .create_with_backend(handle)
            .map_err(|error| self.refused(error))?;
        prepare(&made, self.node).map_err(|error| self.failed(&error))?;
        drop(made);
        owner::as_of_folder(file.as_file(), &self.folder).map_err(|error| self.failed(&error))?;
        match file.persist_noclobber(&self.path) {
            Ok(_) => self.sync_folder(),
            // Another process was quicker; whose store it is shows when it is opened.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.failed(&error.error)),
        }
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        std::fs::File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| self.failed(&error))
    }

    /// Opens the file that is there, with every checksum checked.
    pub(super) fn open(&self) -> Result<(Database, StoreContents, OpenFile), StoreError> {
        let opened = self.open_as(|file| Ok(StoreFile::new(file)))?;
        let before = opened.1.layout;
        if before < LAYOUT {
            tracing::info!(
                before,
                now = LAYOUT,
                "the store was brought to the layout of this version"
            );
        }
        Ok(opened)
    }

    /// Opens the file for reading: what redb writes to it stays in memory.
    pub(super) fn open_draft(&self) -> Result<Database, StoreError> {
        let (database, ..) = self.open_as(StoreFile::draft)?;
        Ok(database)
    }

    /// Says what would keep the store from being opened, and whether it holds a token, without changing anything; `None`
    /// where there is no store yet.
    pub(super) fn look(&self, replaces_empty: bool) -> Result<Option<bool>, StoreError> {
        match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if found.len() == 0 && replaces_empty => return Ok(None),
            // What else is wrong shows when it is opened.
            _ => {}
        }
        let database = self.open_draft()?;
        let tokens = self.guard(|| {
            let transaction = database.begin_read()?;
            Ok(transaction.open_table(TOKENS)?.is_empty()?)
        })?;
        tokens
            .map(|is_empty| Some(!is_empty))
            .map_err(|error| self.faulty(&error))
    }

    fn open_as(
        &self,
        medium: impl FnOnce(Arc<dyn redb::StorageBackend>) -> io::Result<StoreFile>,
    ) -> Result<(Database, StoreContents, OpenFile), StoreError> {
        let file = self.disk.open(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.damaged("the file is gone"),
            _ => self.failed(&owner::refused(&self.path, &error)),
        })?;
        let file: Arc<dyn redb::StorageBackend> = Arc::from(file);
        let identity = self.disk.identity(&self.path);
        let anchor = OpenFile {
            file: Arc::clone(&file),
            identity: identity.map_err(|error| self.failed(&error))?,
        };
        let medium = medium(file).map_err(|error| self.failed(&error))?;
        // An empty file would become a new store.
        match redb::StorageBackend::len(&medium) {
            Ok(0) => return Err(StoreError::Empty(self.path.clone())),
            Ok(_) => {}
            Err(error) => return Err(self.failed(&error)),
        }
        // A damaged file makes redb fail, or stop at what cannot be.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = Database::builder()
                .set_cache_size(self.page_cache)
                .set_check_integrity_on_open(true)
                .create_with_backend(medium)
                .map_err(|error| self.refused(error))?;
            let opened = prepare(&database, self.node).map_err(|error| self.faulty(&error))?;
            Ok((database, opened))
        }));
        let (database, opened) = opened.unwrap_or_else(|panic| Err(self.damaged(&said(&*panic))))?;
        if opened.layout > LAYOUT {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found: opened.layout,
                known: LAYOUT,
            });
        }
        Ok((database, opened, anchor))
    }

    /// Says what lies where the store was opened.
    pub(super) fn found(&self, anchor: &OpenFile) -> PathState {
        match self.disk.identity(&self.path) {
            Ok(identity) if identity == anchor.identity => PathState::Same,
            Ok(_) => PathState::Another,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                PathState::Nothing
            }
            // A disk that does not say is met again by the next write.
            Err(_) => PathState::Same,
        }
    }

    /// Writes a file that was removed anew, from what is still open of it, and its folder too. No reader sees it before it is
    /// whole. The caller has closed the database.
    pub(super) fn write_anew(&self, anchor: &OpenFile) -> Result<(), StoreError> {
        let copied = || -> io::Result<tempfile::NamedTempFile> {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.folder)?;
            let mut copy = tempfile::Builder::new()
                .prefix(".pivotd-new-")
                .tempfile_in(&self.folder)?;
            let len = anchor.file.len()?;
            let mut page = vec![0; PIECE];
            let mut at = 0;
            while at < len {
                let left = usize::try_from(len - at).unwrap_or(usize::MAX);
                let piece = page.get_mut(..left.min(PIECE)).unwrap_or_default();
                anchor.file.read(at, piece)?;
                copy.write_all(piece)?;
                at += piece.len() as u64;
            }
            copy.as_file().sync_all()?;
            owner::as_of_folder(copy.as_file(), &self.folder)?;
            Ok(copy)
        };
        let copy = copied().map_err(|error| self.failed(&error))?;
        match copy.persist_noclobber(&self.path) {
            Ok(_) => self.sync_folder(),
            Err(error) => Err(self.failed(&error.error)),
        }
    }

    pub(super) fn failed(&self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Failed {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    fn damaged(&self, reason: &str) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            reason: reason.to_owned(),
        }
    }

    fn refused(&self, error: DatabaseError) -> StoreError {
        match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::Locked(self.path.clone()),
            other => self.faulty(&other.into()),
        }
    }

    /// Tells a damaged file from a disk that fails.
    pub(super) fn faulty(&self, error: &redb::Error) -> StoreError {
        match error {
            redb::Error::Corrupted(reason) => self.damaged(reason),
            redb::Error::UpgradeRequired(version) => {
                self.damaged(&format!("its format is version {version}, which is not read"))
            }
            redb::Error::TableTypeMismatch { table, .. } => {
                self.damaged(&format!("its table {table} is another"))
            }
            // The file is shorter than it says, or is none of redb's.
            redb::Error::Io(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
                ) =>
            {
                self.damaged(&error.to_string())
            }
            other => self.failed(other),
        }
    }

    /// Calls redb, which stops at a page that cannot be right.
    pub(super) fn guard<T>(
        &self,
        call: impl FnOnce() -> Result<T, redb::Error>,
    ) -> Result<Result<T, redb::Error>, StoreError> {
        catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
            tracing::error!(reason = %said(&*panic), "the store's library stopped");
            self.damaged(UNREADABLE)
        })
    }
}

/// Returns what a panic said.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| UNREADABLE.to_owned())
}

/// Tells whether the database must be opened again before anything works.
pub(super) fn is_latched(error: &redb::Error) -> bool {
    matches!(
        error,
        redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::LockPoisoned(_)
    )
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            page_cache: 16 << 20,
            min_free: 0,
            replaces_empty: false,
            disk: Arc::new(SystemDisk),
        }
    }
}
