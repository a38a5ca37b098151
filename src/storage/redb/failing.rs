//! A disk that fails on command, for tests.

use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{BackendError, StorageBackend};

use super::disk::{Disk, SystemDisk};

/// Is the machine's disk, as long as nothing else was commanded. Clones share their commands.
#[derive(Debug, Clone)]
pub struct FailingDisk {
    commands: Arc<Commands>,
}

#[derive(Debug)]
struct Commands {
    is_full: AtomicBool,
    free: AtomicU64,
    fails_writing: AtomicU64,
    fails_syncing: AtomicU64,
    /// How many writes are left before a crash.
    left: AtomicU64,
}

impl Default for FailingDisk {
    fn default() -> Self {
        Self {
            commands: Arc::new(Commands {
                is_full: AtomicBool::new(false),
                free: AtomicU64::new(u64::MAX),
                fails_writing: AtomicU64::new(0),
                fails_syncing: AtomicU64::new(0),
                left: AtomicU64::new(u64::MAX),
            }),
        }
    }
}

impl FailingDisk {
    /// Takes no more writes, until told otherwise.
    pub fn fill(&self, is_full: bool) {
        self.commands.is_full.store(is_full, Ordering::SeqCst);
    }

    /// Says that so many bytes are free.
    pub fn say_free(&self, bytes: u64) {
        self.commands.free.store(bytes, Ordering::SeqCst);
    }

    /// Fails the next writes of pages.
    pub fn fail_writing(&self, times: u64) {
        self.commands.fails_writing.store(times, Ordering::SeqCst);
    }

    /// Takes so many more writes, lengths of files and times that pages are brought to the disk, and nothing after them: what
    /// the file has then is what a crash leaves.
    pub fn crash_after(&self, writes: u64) {
        self.commands.left.store(writes, Ordering::SeqCst);
    }

    /// Tells whether nothing more is taken.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.commands.left.load(Ordering::SeqCst) == 0
    }

    /// Fails the next times that pages are brought to the disk, after they were written.
    pub fn fail_syncing(&self, times: u64) {
        self.commands.fails_syncing.store(times, Ordering::SeqCst);
    }
}

impl Commands {
    /// Tells whether the crash is still to come, and counts a write.
    fn is_alive(&self) -> bool {
        let less = |left: u64| {
            if left == u64::MAX {
                Some(left)
            } else {
                left.checked_sub(1)
            }
        };
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok()
    }

    fn check(&self, left: &AtomicU64) -> io::Result<()> {
        let less = |times: u64| times.checked_sub(1);
        let fails = left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok();
        if !self.is_alive() || fails || self.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Disk for FailingDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(FailingFile {
            file: SystemDisk.open(path)?,
            commands: Arc::clone(&self.commands),
        }))
    }

    fn free(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.commands.free.load(Ordering::SeqCst))
    }

    fn try_writing(&self, _folder: &Path) -> io::Result<()> {
        self.commands.check(&AtomicU64::new(0))
    }
}

/// Is a file on such a disk.
#[derive(Debug)]
struct FailingFile {
    file: Box<dyn StorageBackend>,
    commands: Arc<Commands>,
}

impl StorageBackend for FailingFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.commands.check(&AtomicU64::new(0))?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.commands.check(&self.commands.fails_syncing)?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.commands.check(&self.commands.fails_writing)?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}
