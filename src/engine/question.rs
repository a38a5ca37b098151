//! Holds a question with all that bears on it, and what its requester is told.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::cache::{AnswerKey, Entry};
use super::keyring::{DEFAULT_TENANT, Key};
use super::ledger::{Claims, Spend};
use super::memory_budget::MemoryPermit;
use super::waiters::Priority;
use crate::domain::{Answer, Failure, Outcome, Query};
use crate::spend::{RollupKey, Saving};

/// The name of the frontend and of the person at the terminal, in ledger, log and metrics.
pub const TERMINAL: &str = "terminal";

/// Says who asks.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The client token's name.
    pub client: String,
    /// The token's id; empty where no token asks.
    pub token: String,
    /// For whom the client says that it asks.
    pub claims: Claims,
    /// The tenant.
    pub tenant: String,
    /// The frontend.
    pub frontend: &'static str,
    /// The transform or route.
    pub operation: String,
    /// The request id.
    pub request_id: String,
    /// Who waits.
    pub priority: Priority,
    /// Whether the token may buy.
    pub may_buy: bool,
}

impl Requester {
    /// Is pivotd itself, for what it has to know before a client asks.
    pub(super) fn pivotd(operation: &str) -> Self {
        Self {
            client: "pivotd".to_owned(),
            token: String::new(),
            claims: Claims::default(),
            tenant: DEFAULT_TENANT.to_owned(),
            frontend: "start",
            operation: operation.to_owned(),
            request_id: String::new(),
            priority: Priority::Interactive,
            may_buy: false,
        }
    }

    /// Attributes what a question spends.
    pub(super) fn spend(&self, question: String) -> Spend {
        Spend {
            client: self.client.clone(),
            token: self.token.clone(),
            claims: self.claims.clone(),
            tenant: self.tenant.clone(),
            face: self.frontend.to_owned(),
            operation: self.operation.clone(),
            question,
            request_id: self.request_id.clone(),
        }
    }

    /// Says where what an answer from the cache saved is summed.
    pub(super) fn saved(&self, saving: &Saving) -> RollupKey {
        RollupKey {
            tenant: self.tenant.clone(),
            token: self.token.clone(),
            client: self.client.clone(),
            face: self.frontend.to_owned(),
            person: self.claims.person.clone(),
            provider: saving.provider.clone(),
            account: saving.account.clone(),
            product: saving.product.clone(),
            operation: self.operation.clone(),
            outcome: CACHED.to_owned(),
            currency: saving.currency.clone(),
        }
    }
}

/// Is the outcome, in sums, of what the cache answered.
const CACHED: &str = "cached";

/// Holds a question with all that bears on it.
#[derive(Debug, Clone)]
pub struct EngineRequest {
    /// The provider's name.
    pub provider: String,
    /// The question.
    pub query: Query,
    /// How many records are wanted; paged offers fetch no more than they must.
    pub wanted: usize,
    /// Whether a priced answer may be bought.
    pub buy: bool,
    /// The greatest age that is accepted; zero asks again.
    pub max_age: Option<Duration>,
    /// How long the answer is kept, where the transform says.
    pub ttl: Option<Duration>,
    /// Why no provider may be asked; then only what is held answers.
    pub blocked_reason: Option<String>,
    /// A user's own key, used instead of the tenant's and the server's.
    pub key: Option<Arc<Key>>,
    /// Until when the caller waits, on the clock's `elapsed`.
    pub deadline: Duration,
    /// Who asks.
    pub requester: Requester,
}

/// Says where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheState {
    /// From the cache, fresh.
    Hit,
    /// From the vendor.
    Miss,
    /// From the vendor, by a flight that was under way already.
    Joined,
    /// From the cache, past its time, because the vendor could not be asked.
    Stale,
    /// No provider was asked.
    Local,
}

impl CacheState {
    /// Returns the word used in logs, metrics and headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Joined => "joined",
            Self::Stale => "stale",
            Self::Local => "local",
        }
    }
}

/// Says what is left of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingBudget {
    /// The budget as it is configured.
    pub label: String,
    /// What is left, in its unit; hundredths where it counts money.
    pub left: i64,
    /// What it holds when it is whole.
    pub limit: i64,
    /// When it is whole again; `None` for one that never resets.
    pub resets_at: Option<Timestamp>,
}

/// Tells the caller what became of a question.
#[derive(Debug, Clone)]
pub struct EngineResponse {
    /// The outcome.
    pub outcome: Outcome,
    /// Where it came from.
    pub cache: CacheState,
    /// The kept entry, with its times; none after a failure.
    pub entry: Option<Arc<Entry>>,
    /// Its key.
    pub key: Option<AnswerKey>,
    /// Why a stale answer was served.
    pub stale: Option<Failure>,
    /// Attempts on the wire made for this question; a joined flight's are the first caller's, and those for several
    /// questions at once count for one of them.
    pub attempts: u32,
    /// The time that those attempts took.
    pub provider_time: Duration,
    /// What is left of the money budget, in hundredths; for answers with a price.
    pub money_left: Option<i64>,
    /// The most that may be paid for one report, in hundredths; `None` where nothing is bought here.
    pub max_price: Option<i64>,
    /// The room that a large answer takes, until it is done with; not to be held while others are waited for.
    pub place: Option<Arc<MemoryPermit>>,
}

impl EngineResponse {
    /// Tells an outcome for which no provider was asked and that is not kept.
    fn bare(outcome: Outcome, cache: CacheState) -> Self {
        Self {
            outcome,
            cache,
            entry: None,
            key: None,
            stale: None,
            attempts: 0,
            provider_time: Duration::ZERO,
            money_left: None,
            max_price: None,
            place: None,
        }
    }

    /// Tells a failure.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self::bare(Outcome::Failed(failure), CacheState::Miss)
    }

    /// Tells what pivotd knows itself.
    #[must_use]
    pub fn local(answer: Answer) -> Self {
        Self::bare(Outcome::of(Arc::new(answer)), CacheState::Local)
    }
}
