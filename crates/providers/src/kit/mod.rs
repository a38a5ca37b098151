//! Holds what providers are built of: single steps, tolerant reading of vendors' answers, lists, pages, dates, DNS.
//!
//! Nothing here knows a vendor. A provider outside of this program is built of the same pieces.

pub mod classified;
pub mod cof;
pub mod common;
pub mod contact;
pub mod dates;
pub mod errors;
pub mod facts;
pub mod json;
pub mod lenient;
pub mod pages;
pub mod rdata;
pub mod reach;
pub mod resource;
pub mod rows;
pub mod tolerant;
pub mod whois_text;
