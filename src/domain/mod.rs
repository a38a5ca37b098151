//! The things everybody talks about.

pub mod indicator;
