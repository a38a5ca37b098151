//! Carries commands to whoever owns the store: a running server over its control socket, or the command itself.
//!
//! Both go through [`execute()`], so that a command does the same and spends the same budget either way.
//! The socket lies in the data directory with mode 0600: whoever can open it can read the store, too.

pub mod client;
mod execute;
mod lookup;
pub mod server;
pub mod state;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::reload::Reloaded;
use crate::ask::report::Report;
use crate::decisions::{ChosenDecisions, DecisionsOf};
use crate::engine::cache::CacheStats;
use crate::engine::known_time::ClockView;
use crate::tokens::{NewToken, Scope, TokenRecord};

pub use execute::execute;

/// The version that both ends must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns where the server of a data directory listens.
#[must_use]
pub fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Asks for something to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlRequest {
    /// Say who you are.
    Hello,
    /// Say how you stand.
    State,
    /// Run a transform.
    Run(RunRequest),
    /// Say which entity types a transform takes as they are.
    Inputs {
        /// The transform.
        transform: String,
    },
    /// Score indicators.
    Enrich {
        /// The indicators, of any kind that can be told by looking at it.
        indicators: Vec<String>,
        /// Scores over this exceed; the server's own threshold where it is left out.
        threshold: Option<u8>,
    },
    /// Test keys with the provider's account call.
    KeysTest {
        /// The provider; all of them where it is left out.
        provider: Option<String>,
    },
    /// Make a token.
    TokenCreate(NewToken),
    /// List tokens.
    TokenList,
    /// Revoke tokens.
    TokenRevoke {
        /// A name or an id.
        which: String,
    },
    /// Count what the cache holds.
    CacheStats,
    /// Show the stored answers about a value.
    CacheShow {
        /// The value, canonical or not.
        value: String,
    },
    /// Remove stored answers that match all that is given.
    CachePurge(Purge),
    /// Read the configuration again.
    Reload,
    /// Count the decisions that are kept, by client.
    DecisionStats,
    /// Remove decisions that match all that is given.
    DecisionRemove(ChosenDecisions),
    /// Say how the clock stands.
    Clock {
        /// Whether it is right, jump or not.
        confirm: bool,
    },
}

/// Describes a run of a transform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The transform.
    pub transform: String,
    /// The value.
    pub value: String,
    /// Properties of the entity, by id.
    #[serde(default)]
    pub properties: Vec<(String, String)>,
    /// The entity type, full or short; the first input that can read the value where it is left out.
    pub type_id: Option<String>,
    /// Settings by id; the provider's name may be left out.
    pub settings: Vec<(String, String)>,
    /// The slider.
    pub limit: Option<u32>,
}

/// Chooses stored answers; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purge {
    /// The provider.
    pub provider: Option<String>,
    /// The capability, by name.
    pub capability: Option<String>,
    /// The indicator, canonical or not.
    pub indicator: Option<String>,
}

/// Says what became of a [`ControlRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlReply {
    /// Who answers.
    Hello {
        /// Its version.
        version: String,
    },
    /// How the server stands.
    State(state::StateView),
    /// A run, however it ended.
    Ran {
        /// What it came to.
        report: Report,
        /// Whether everything is sample data.
        sample: bool,
    },
    /// Entity types, full ids.
    Inputs(Vec<String>),
    /// Scores: the answer of the enrichment face.
    Scored(serde_json::Value),
    /// Keys, tested.
    Keys(Vec<KeyView>),
    /// A token, shown this once.
    TokenCreated {
        /// The token itself.
        token: ShownOnce,
        /// What it is.
        record: TokenView,
    },
    /// Tokens.
    Tokens(Vec<TokenView>),
    /// The tokens that were revoked.
    Revoked(Vec<TokenView>),
    /// What the cache holds.
    Cache(CacheStats),
    /// Stored answers, newest first.
    Answers(Vec<AnswerView>),
    /// Answers were removed.
    Purged {
        /// How many.
        count: usize,
    },
    /// The configuration was read again.
    Reloaded(Reloaded),
    /// Decisions, by client.
    Decisions(Vec<DecisionsOf>),
    /// Decisions were removed.
    DecisionsRemoved {
        /// How many.
        count: usize,
    },
    /// How the clock stands.
    Clock(ClockView),
    /// It was not done.
    Refused {
        /// Why, with what to do.
        reason: String,
    },
}

/// Holds a secret on its way to the one time it is shown; debug output leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShownOnce(pub String);

impl std::fmt::Debug for ShownOnce {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ShownOnce(…)")
    }
}

/// Shows a token without anything that could stand for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Names it on the command line.
    pub id: String,
    /// Who it is for.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Requests a minute.
    pub per_minute: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

impl From<TokenRecord> for TokenView {
    fn from(record: TokenRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            tenant: record.tenant,
            scopes: record.scopes,
            per_minute: record.per_minute.map(std::num::NonZeroU32::get),
            created: record.created,
            expires: record.expires,
        }
    }
}

/// Shows a stored answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// The provider.
    pub provider: String,
    /// The product that answered.
    pub product: String,
    /// The capability.
    pub capability: String,
    /// Parameters that the vendor saw.
    pub params: Vec<(String, String)>,
    /// How many records are held.
    pub records: usize,
    /// How many there are in all, where the vendor says.
    pub total: Option<u64>,
    /// What was paid for it, where it was bought.
    pub bought: Option<String>,
    /// When it was retrieved.
    pub retrieved_at: Timestamp,
    /// Until when it is served without asking.
    pub fresh_until: Timestamp,
    /// Whether it is served without asking now.
    pub fresh: bool,
}

/// Shows a tested key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// The provider.
    pub provider: String,
    /// The provider's name for people.
    pub title: String,
    /// Why the key cannot be used; none where it can.
    pub failure: Option<String>,
    /// The account that the key belongs to, as the ledger names it.
    pub account: Option<String>,
    /// The key's fingerprint, as the log names it; none where there is no key.
    pub fingerprint: Option<String>,
    /// The products that the key is entitled to.
    pub products: Vec<ProductView>,
    /// The configured budgets.
    pub budgets: Vec<BudgetView>,
}

/// Shows a product of a key: the vendor's limits, and what both sides counted in calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductView {
    /// The vendor's product id.
    pub product: String,
    /// Calls a minute.
    pub per_minute: Option<u32>,
    /// Calls an hour.
    pub per_hour: Option<i64>,
    /// Calls a month.
    pub per_month: Option<i64>,
    /// Calls today, by the vendor's count.
    pub vendor_today: Option<i64>,
    /// Calls this month, by the vendor's count.
    pub vendor_month: Option<i64>,
    /// Calls today, by our count.
    pub our_today: i64,
    /// Calls this month, by our count.
    pub our_month: i64,
}

/// Shows a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// As it was written.
    pub label: String,
    /// What is used in the present window, hundredths where it counts money.
    pub used: i64,
    /// The currency, where it counts money.
    pub currency: Option<String>,
}
