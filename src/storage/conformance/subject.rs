//! The implementations under test, each with its nodes.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::storage::memory::{Memory, Shared};
use crate::storage::redb::Store;
use crate::storage::{Storage, Upkeep as _};

/// Is an implementation under test, with so many nodes.
pub(super) trait Subject {
    fn node(&self, at: usize) -> Arc<dyn Storage>;
    /// Ends a node in order, or as a crash does, and starts it again. Returns the nodes that ended.
    fn restart(&mut self, at: usize, crash: bool) -> Vec<usize>;
    fn nodes(&self) -> usize;
}

/// Is the embedded store; all its nodes are one process.
pub(super) struct Embedded {
    store: Option<Store>,
    folder: TempDir,
    handles: usize,
}

impl Embedded {
    pub(super) fn new(handles: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: Some(Store::open(folder.path(), 1 << 20).unwrap()),
            folder,
            handles,
        }
    }
}

impl Subject for Embedded {
    fn node(&self, _at: usize) -> Arc<dyn Storage> {
        Arc::new(self.store.clone().unwrap())
    }

    fn restart(&mut self, _at: usize, crash: bool) -> Vec<usize> {
        if crash {
            // What the file has while it is open is what a process leaves that is killed.
            let copy = tempfile::tempdir().unwrap();
            let file = |folder: &TempDir| folder.path().join("pivotd.redb");
            std::fs::copy(file(&self.folder), file(&copy)).unwrap();
            self.folder = copy;
        }
        self.store = None;
        self.store = Some(Store::open(self.folder.path(), 1 << 20).unwrap());
        (0..self.handles).collect()
    }

    fn nodes(&self) -> usize {
        self.handles
    }
}

/// Is the store in memory; each node can end alone.
pub(super) struct Nodes {
    nodes: Vec<Arc<Memory>>,
    shared: Arc<Mutex<Shared>>,
}

impl Nodes {
    pub(super) fn new(nodes: usize) -> Self {
        let shared = Arc::default();
        let start = |_| Arc::new(Memory::start(None, Arc::clone(&shared)));
        Self {
            nodes: (0..nodes).map(start).collect(),
            shared: Arc::clone(&shared),
        }
    }
}

impl Subject for Nodes {
    fn node(&self, at: usize) -> Arc<dyn Storage> {
        Arc::clone(&self.nodes[at]) as Arc<dyn Storage>
    }

    fn restart(&mut self, at: usize, _crash: bool) -> Vec<usize> {
        let ended = Some(self.nodes[at].node());
        self.nodes[at] = Arc::new(Memory::start(ended, Arc::clone(&self.shared)));
        vec![at]
    }

    fn nodes(&self) -> usize {
        self.nodes.len()
    }
}
