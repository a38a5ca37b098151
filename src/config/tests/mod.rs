//! Tests the configuration: faults with their places, the environment, secrets, and the file that is compiled in.

pub(crate) mod vendor;

mod environment;
mod extends;
mod faults;
mod issuers;
mod lists;
mod manual;
mod paths;
mod policy;
mod secrets;
mod tenants;
mod values;
