//! Transform runs that outlive their requests (Maltego's protocol v3): who may read which, how many there are, and when one that
//! its client forgot is ended and removed. They live in the memory of this process alone.

mod memory;
mod run;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use self::memory::Memory;
use crate::clock::SharedClock;
use crate::maltego::json::run::State;

pub use run::{PromptOutcome, Run, RunPage};

/// A run ends once nothing happened in it and no client asked for it for so long; one that ended is removed after twice as long.
pub const IDLE: Duration = Duration::from_secs(60);
/// The most runs of all clients together.
const MOST_RUNS: usize = 4_000;
/// The most runs of one client.
const MOST_OF_CLIENT: usize = 200;
/// The states in which runs are counted, also where there is none.
const STATES: [State; 6] = [
    State::Initialized,
    State::Running,
    State::Completed,
    State::Failed,
    State::Canceled,
    State::TimedOut,
];
/// Forgotten runs are looked for at least as often: another run may be due before those that were known.
const LOOKED_FOR: Duration = Duration::from_secs(10);
/// After this time, a run that ended and was not read is gone.
pub const ROOM_AFTER: Duration = Duration::from_secs(2 * IDLE.as_secs());

/// Says why there is no room for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The client has so many that it did not read to their ends.
    OfClient(usize),
    /// The client's runs hold as much as they may.
    BytesOfClient,
    /// All clients together have as many as there may be.
    OfAll,
}

impl NoRoom {
    /// Says it to people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::OfClient(max) => format!(
                "this client has {max} runs that it did not read to their ends; read, cancel or delete some of them, or try \
                 again in {} s",
                ROOM_AFTER.as_secs()
            ),
            Self::BytesOfClient => format!(
                "this client's runs hold as much as they may; read, cancel or delete some of them, or try again in {} s",
                ROOM_AFTER.as_secs()
            ),
            Self::OfAll => format!(
                "the server holds as many runs as it may; nothing was looked up, so try again in {} s",
                ROOM_AFTER.as_secs()
            ),
        }
    }
}

/// Says whose a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Whose runs it is counted among.
    pub client: Arc<str>,
    /// Who alone may read it. `None` where the client is named by the body of its request, which no later request has: there,
    /// the id of the run is the secret.
    pub bound_to: Option<Arc<str>>,
}

/// Holds all runs.
#[derive(Debug, Clone)]
pub struct Runs(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    table: Mutex<Table>,
    memory: Memory,
    is_sweeping: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    runs: HashMap<Uuid, Arc<Run>>,
    of_client: HashMap<Arc<str>, OfClient>,
}

/// Is what a client has.
#[derive(Debug)]
struct OfClient {
    runs: usize,
    memory: Memory,
}

impl Table {
    fn remove(&mut self, id: &Uuid) -> Option<Arc<Run>> {
        let run = self.runs.remove(id)?;
        if let Some(own) = self.of_client.get_mut(&run.owner.client) {
            own.runs -= 1;
            if own.runs == 0 {
                self.of_client.remove(&run.owner.client);
            }
        }
        Some(run)
    }

    /// Says why a client may not have another run.
    fn is_full_of(&self, client: &str) -> Option<NoRoom> {
        let own = self.of_client.get(client)?;
        // As with the memory, a client has no more than what is left, so that others can begin.
        let left = MOST_RUNS.saturating_sub(self.runs.len());
        if own.runs >= MOST_OF_CLIENT.min(left) {
            return Some(NoRoom::OfClient(own.runs));
        }
        own.memory.is_full().then_some(NoRoom::BytesOfClient)
    }

    /// Removes the oldest run, of this client or of all, that was read to its end.
    fn make_room(&mut self, client: Option<&str>) -> bool {
        let ended = self
            .runs
            .values()
            .filter(|run| client.is_none_or(|client| *run.owner.client == *client) && run.is_read());
        let oldest = ended.min_by_key(|run| run.created).map(|run| run.id);
        oldest.is_some_and(|id| self.remove(&id).is_some())
    }
}

impl Runs {
    /// Holds none yet.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self(Arc::new(Shared {
            clock,
            table: Mutex::default(),
            memory: Memory::default(),
            is_sweeping: AtomicBool::new(false),
        }))
    }

    /// Counts the runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.table().runs.len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts the runs of each state that there is, by the state's name.
    #[must_use]
    pub fn by_state(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::from(STATES.map(|state| (state.as_str(), 0)));
        let runs: Vec<Arc<Run>> = self.0.table().runs.values().cloned().collect();
        for run in runs {
            *counts.entry(run.state().as_str()).or_default() += 1;
        }
        counts
    }

    /// Counts the bytes of all events.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.memory.all()
    }

    /// Creates a run. Must be called within a tokio runtime, in which forgotten runs are looked for from then on.
    ///
    /// # Errors
    /// [`NoRoom`] where the client, or all together, have as many as they may.
    pub fn create(&self, id: Uuid, transform: &Arc<str>, owner: Owner) -> Result<Arc<Run>, NoRoom> {
        let shared = &self.0;
        let run = {
            let mut table = shared.table();
            while let Some(full) = table.is_full_of(&owner.client) {
                if !table.make_room(Some(&owner.client)) {
                    return Err(full);
                }
            }
            let is_full = |table: &Table| table.runs.len() >= MOST_RUNS || shared.memory.is_full_of_all();
            while is_full(&table) {
                if !table.make_room(None) {
                    return Err(NoRoom::OfAll);
                }
            }
            let own = table.of_client.entry(Arc::clone(&owner.client));
            let own = own.or_insert_with(|| OfClient {
                runs: 0,
                memory: shared.memory.of_client(),
            });
            own.runs += 1;
            let memory = own.memory.clone();
            let run = Run::new(id, Arc::clone(transform), owner, &shared.clock, memory);
            let run = Arc::new(run);
            table.runs.insert(id, Arc::clone(&run));
            run
        };
        if !shared.is_sweeping.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep(Arc::clone(shared)));
        }
        Ok(run)
    }

    /// Finds a run of a transform for the client that may read it.
    #[must_use]
    pub fn find(&self, id: &Uuid, transform: &str, client: Option<&str>) -> Option<Arc<Run>> {
        let run = self.0.table().runs.get(id).cloned()?;
        let bound_to = run.owner.bound_to.as_deref();
        let may_read = bound_to.is_none_or(|owner| client == Some(owner));
        (may_read && *run.transform == *transform).then_some(run)
    }

    /// Removes a run.
    pub fn remove(&self, id: &Uuid) {
        self.0.table().remove(id);
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends and removes runs that were forgotten; returns when the next one is due, if there is any.
    fn sweep(&self, now: Duration) -> Option<Duration> {
        let mut forgotten = Vec::new();
        let next = {
            let mut table = self.table();
            let mut next: Option<Duration> = None;
            let mut gone = Vec::new();
            for run in table.runs.values() {
                let due = run.due();
                if due <= now {
                    if run.is_ended() {
                        gone.push(run.id);
                        continue;
                    }
                    forgotten.push(Arc::clone(run));
                }
                next = Some(next.map_or(due, |next| next.min(due)));
            }
            for id in gone {
                table.remove(&id);
            }
            next
        };
        // Outside of the table's lock: a run that ends drops what it waits for.
        for run in forgotten {
            run.time_out(&format!(
                "Transform execution timed out after being inactive for {}s.",
                IDLE.as_secs()
            ));
        }
        next
    }
}

/// Says that runs are looked for while it lives.
struct Sweeping(Arc<Shared>);

impl Drop for Sweeping {
    /// Lets the next run look for runs again, also where the runtime of this task ended.
    fn drop(&mut self) {
        self.0.is_sweeping.store(false, Ordering::Release);
    }
}

/// Looks for forgotten runs as long as there are runs.
async fn sweep(shared: Arc<Shared>) {
    loop {
        let sweeping = Sweeping(Arc::clone(&shared));
        loop {
            let now = shared.clock.elapsed();
            // No more often than once a second, however many are due.
            let Some(due) = shared.sweep(now) else { break };
            let due = due.clamp(now + Duration::from_secs(1), now + LOOKED_FOR);
            shared.clock.sleep_until(due).await;
        }
        drop(sweeping);
        // One that was created in between relied on this task.
        let is_empty = shared.table().runs.is_empty();
        if is_empty || shared.is_sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
