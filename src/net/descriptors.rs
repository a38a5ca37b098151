//! Keeps the connections below what the system lets the process open.

use super::connections::SPARE;

/// Connections that were accepted and are not counted yet, or have made room and are not closed yet.
pub(crate) const COME_AND_GO: usize = 64;
/// Descriptors that are no clients' connections: the store, the log, vendors, lists.
const OTHERS: usize = 256;

/// Raises the soft limit of descriptors as far as `wanted` connections need and the hard limit allows; returns how many
/// connections fit.
pub(crate) fn connections(wanted: usize) -> usize {
    let others = OTHERS + SPARE + COME_AND_GO;
    let needed = u64::try_from(wanted.saturating_add(others)).unwrap_or(u64::MAX);
    let allowed = raised(needed);
    let fits = usize::try_from(allowed)
        .unwrap_or(usize::MAX)
        .saturating_sub(others);
    let fits = fits.max(16);
    if fits < wanted {
        tracing::warn!(
            wanted,
            connections = fits,
            descriptors = allowed,
            "the limit of open files allows fewer connections than server.connections; raise it (LimitNOFILE of systemd, ulimits of compose)"
        );
        return fits;
    }
    wanted
}

#[cfg(unix)]
fn raised(needed: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let soft = limit.current.unwrap_or(u64::MAX);
    if soft >= needed {
        return soft;
    }
    let max = limit.maximum.unwrap_or(u64::MAX);
    let wanted = Rlimit {
        current: Some(needed.min(max)),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => needed.min(max),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            soft
        }
    }
}

#[cfg(not(unix))]
fn raised(needed: u64) -> u64 {
    needed
}
