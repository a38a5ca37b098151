//! The way a question takes. Owns every socket, timer and budget.

pub mod breaker;
pub mod dispenser;
pub mod ledger;
pub mod store;
pub mod windows;
