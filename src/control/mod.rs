//! Carries the calls of commands to the process that owns the store: a running server over its Unix socket, or the command itself.
//! Of a server elsewhere, commands are clients like others (`remote.rs`).
//!
//! Both serve the same routes, so that a command does the same and spends the same budget either way. The socket lies in the
//! data directory with mode 0600: a user who can open it can read the store, too.

pub mod client;
pub mod in_process;
pub mod remote;
pub mod server;
mod service;

use std::path::{Path, PathBuf};

/// Returns where the server of a data directory listens.
#[must_use]
pub fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}
