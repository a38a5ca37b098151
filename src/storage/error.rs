//! Says why the store could not be used.

use std::path::PathBuf;

/// Says why the store could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the file.
    #[error("{} is in use by another pivotd; stop it, or let it answer through its control socket", .0.display())]
    Locked(PathBuf),
    /// The file was made by a newer pivotd.
    #[error("{} has layout {found}, this pivotd reads up to {known}; use the newer pivotd", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u64,
        /// The newest layout that this pivotd reads.
        known: u64,
    },
    /// The file is there and holds nothing.
    #[error(
        "{} is empty (0 bytes): it holds no ledger, no tokens and no decisions, and a new store would forget them; put a \
         copy of the store back, or let `pivotd serve --new` begin a new one",
        .0.display()
    )]
    Empty(PathBuf),
    /// The file is damaged.
    #[error(
        "{} is damaged ({reason}); put a copy of the store back, or move the file away to begin a new one, without ledger, \
         tokens and decisions",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk is nearly full.
    #[error(
        "the disk of {} has {} free, and store.min_free keeps {} free: make room there, or lower it",
        path.display(), bytes(*free), bytes(*least)
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// Free bytes.
        free: u64,
        /// What must stay free.
        least: u64,
    },
    /// Another file lies where the store was.
    #[error(
        "{} was replaced while the server ran, and another file is not mixed with what the server knows; stop the server \
         before a store is put back, and start it again",
        .0.display()
    )]
    Replaced(PathBuf),
    /// The file cannot be written for now.
    #[error("{0}; it is opened again as soon as its disk takes writes")]
    Down(Box<StoreError>),
    /// The file could not be read or written.
    #[error("the store at {}: {reason}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The writer is gone.
    #[error("the store is closed")]
    Closed,
}

/// Writes a number of bytes for people.
pub(super) fn bytes(bytes: u64) -> String {
    let mib = bytes >> 20;
    if mib > 0 {
        format!("{mib} MiB")
    } else {
        format!("{} KiB", bytes >> 10)
    }
}
