//! Describes copies of a store.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::error::bytes;

/// Says where a copy is written.
#[derive(Debug, Clone)]
pub struct BackupTarget {
    /// Its path.
    pub path: PathBuf,
    /// Whether it takes the place of a file that is there.
    pub force: bool,
    /// When that is.
    pub now: Timestamp,
}

/// Says what a copy holds; the copy says the same of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupContents {
    /// The version of pivotd that wrote it.
    pub version: String,
    /// The layout of the store.
    pub layout: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its tables, but those without rows.
    pub tables: Vec<TableContents>,
}

/// Says what a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// The SHA-256 of its rows, in the order of their keys.
    pub sha256: String,
}

/// Is a copy of a store that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it holds.
    pub contents: BackupContents,
}

/// Says why a store was not copied, or a copy not put in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The store could not be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A file is there.
    #[error("{} is there already; give another name, or --force to write over it", .0.display())]
    Exists(PathBuf),
    /// A store is there.
    #[error(
        "{} holds a store already; --force puts the backup in its place and keeps that store beside it",
        .0.display()
    )]
    StoreExists(PathBuf),
    /// The disk has no room.
    #[error(
        "the disk of {} has {} free, and {} are needed: make room there, or choose another disk; nothing was written",
        folder.display(), bytes(*free), bytes(*needed)
    )]
    NoRoom {
        /// The folder.
        folder: PathBuf,
        /// Free bytes.
        free: u64,
        /// The bytes that are needed.
        needed: u64,
    },
    /// The file is no copy, or not whole.
    #[error("{} is no backup that can be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file could not be written or read.
    #[error("{}: {reason}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// Another copy is being written.
    #[error("another backup is being written; wait until it is done")]
    Busy,
    /// The server stops.
    #[error("the server is being stopped; no backup was written")]
    Stopped,
}
