//! Administration: which commands there are, what each needs, who may give it, and for which tenants.
//!
//! Everything here is pure. REST, the Unix socket and the terminal give the same [`AdminCommand`]s, and [`Grants::reach`] decides
//! for all of them.

mod command;
mod grants;
mod role;

pub use command::{AdminCommand, CommandSpec};
pub use grants::{Denied, Grants, Reach};
pub use role::{Binding, Permission, Role, TenantScope};

#[cfg(test)]
mod tests;
