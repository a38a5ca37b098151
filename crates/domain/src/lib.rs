//! Holds what all parts of pivotd share as data: indicators, capabilities, queries, records and outcomes.
//!
//! Everything here is data. Nothing here reads a clock, a file or a socket.

pub mod capability;
pub mod countries;
pub mod echo;
pub mod hex;
pub mod hints;
pub mod indicator;
pub mod links;
pub mod lists;
pub mod marking;
pub mod marks;
pub mod outcome;
pub mod party;
pub mod privacy;
pub mod query;
pub mod record;
pub mod schema;
pub mod schemas;
pub mod special;
pub mod words;

pub use capability::Capability;
pub use countries::Country;
pub use indicator::{Indicator, IndicatorError, IndicatorKind};
pub use lists::{Hit, ListClass, Lists, Purpose};
pub use marking::{Pap, Tlp};
pub use marks::{Mark, Marks, MarksByValue};
pub use outcome::{
    Answer, Denial, Failure, FailureKind, NextPage, OWN, OmittedRecords, Outcome, Price, Source,
};
pub use party::Party;
pub use query::Query;
pub use record::{Record, Value, push_day};
pub use schema::{Field, FieldId, Kind, Schema};
