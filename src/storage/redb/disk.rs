//! Reaches the file of the store and the disk that it lies on. Tests put a disk in between that fails on command.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Opens the file of the store, and says how much room its disk has.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file that is there.
    ///
    /// # Errors
    /// Where it is missing, or may not be read and written.
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>>;

    /// Says which file lies at a path, so that it can be told from another that takes its place.
    ///
    /// # Errors
    /// Where there is none, or it may not be looked at.
    fn identity(&self, path: &Path) -> io::Result<Identity> {
        let found = std::fs::metadata(path)?;
        Ok(Identity {
            device: found.dev(),
            inode: found.ino(),
        })
    }

    /// Returns how many bytes an unprivileged process can still write into a folder.
    ///
    /// # Errors
    /// Where the file system does not say.
    fn free(&self, folder: &Path) -> io::Result<u64>;

    /// Writes a small file into a folder, and leaves nothing there.
    ///
    /// # Errors
    /// Where the disk takes no more.
    fn try_writing(&self, folder: &Path) -> io::Result<()>;
}

/// Tells a file from every other that is there at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

/// Is the disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

/// So much is written to see whether a disk takes writes again.
const TRIED: usize = 256 << 10;

impl Disk for SystemDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }

    fn free(&self, folder: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn try_writing(&self, folder: &Path) -> io::Result<()> {
        // It has no name, so that nothing is left of it.
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&vec![0; TRIED])?;
        file.sync_data()
    }
}

/// Is a file as redb sees it. With a draft, what is written stays in memory: a file whose disk takes no writes can then
/// still be read, after a repair that the disk never sees.
#[derive(Debug)]
pub(super) struct StoreFile {
    file: Arc<dyn StorageBackend>,
    draft: Option<Mutex<PendingPages>>,
}

/// The unit in which a draft holds what was written.
const PAGE: u64 = 4096;

/// Holds what was written, by page, and how long the file would be.
#[derive(Debug)]
struct PendingPages {
    pages: BTreeMap<u64, Vec<u8>>,
    len: u64,
}

impl StoreFile {
    /// Reads and writes a file.
    pub(super) fn new(file: Arc<dyn StorageBackend>) -> Self {
        Self { file, draft: None }
    }

    /// Reads a file, and keeps what is written in memory.
    pub(super) fn draft(file: Arc<dyn StorageBackend>) -> io::Result<Self> {
        let draft = PendingPages {
            pages: BTreeMap::new(),
            len: file.len()?,
        };
        Ok(Self {
            file,
            draft: Some(Mutex::new(draft)),
        })
    }

    /// Reads from the file alone; what lies beyond its end is zero.
    fn read_file(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let within = self.file.len()?.saturating_sub(offset);
        let within = usize::try_from(within).unwrap_or(usize::MAX).min(out.len());
        let (held, beyond) = out.split_at_mut(within);
        beyond.fill(0);
        if held.is_empty() {
            return Ok(());
        }
        self.file.read(offset, held)
    }
}

/// Says which page an offset lies in, where in the page, and how much of `left` the page holds from there.
fn place(offset: u64, left: usize) -> (u64, usize, usize) {
    let page = offset / PAGE;
    let at = usize::try_from(offset % PAGE).unwrap_or(0);
    let room = usize::try_from(PAGE).unwrap_or(usize::MAX) - at;
    (page, at, room.min(left))
}

impl StorageBackend for StoreFile {
    fn len(&self) -> io::Result<u64> {
        match &self.draft {
            None => self.file.len(),
            Some(draft) => Ok(draft.lock().unwrap_or_else(PoisonError::into_inner).len),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let Some(draft) = &self.draft else {
            return self.file.read(offset, out);
        };
        let draft = draft.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.saturating_add(out.len() as u64) > draft.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(offset, out)?;
        let mut rest = out;
        let mut from = offset;
        while !rest.is_empty() {
            let (page, at, taken) = place(from, rest.len());
            let (part, after) = rest.split_at_mut(taken);
            if let Some(held) = draft.pages.get(&page).and_then(|held| held.get(at..at + taken)) {
                part.copy_from_slice(held);
            }
            from += taken as u64;
            rest = after;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.draft {
            None => self.file.set_len(len),
            Some(draft) => {
                draft.lock().unwrap_or_else(PoisonError::into_inner).len = len;
                Ok(())
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        match &self.draft {
            None => self.file.sync_data(),
            Some(_) => Ok(()),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let Some(draft) = &self.draft else {
            return self.file.write(offset, data);
        };
        let mut draft = draft.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = data;
        let mut from = offset;
        while !rest.is_empty() {
            let (page, at, taken) = place(from, rest.len());
            let (part, after) = rest.split_at(taken);
            let mut held = match draft.pages.remove(&page) {
                Some(held) => held,
                None => {
                    let mut held = vec![0; usize::try_from(PAGE).unwrap_or(0)];
                    self.read_file(page * PAGE, &mut held)?;
                    held
                }
            };
            if let Some(place) = held.get_mut(at..at + taken) {
                place.copy_from_slice(part);
            }
            draft.pages.insert(page, held);
            from += taken as u64;
            rest = after;
        }
        draft.len = draft.len.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
