//! Turns evidence into a score from 0 to 100, a verdict and the reasons. Pure, and the same on every machine.

pub mod alert;
pub mod calibrate;
pub mod cases;
pub mod cause;
pub mod decay;
mod decide;
pub mod digest;
pub mod evidence;
mod explain;
pub mod kind;
pub mod lists;
pub mod mail;
mod markdown;
mod missing;
pub mod policy;
pub mod replay;
pub mod score;
pub mod segments;
mod sum;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use alert::{AlertAnswer, BudgetLeft, Cost, DecidedBy, Fallback, Fallbacks, Ignored, Request, combine};
pub use cause::{Cause, CauseKind};
pub use evidence::{
    BenignClass, Direction, Evidence, EvidenceStatus, Gap, Knowledge, Millionths, Polarity, Potential,
    RawScore, RawValue, Reliability, from_risk,
};
pub use kind::Kind;
pub use policy::{Policy, Rules};
pub use score::{Assessment, Coverage, Decision, Explanation, Verdict, assess};
