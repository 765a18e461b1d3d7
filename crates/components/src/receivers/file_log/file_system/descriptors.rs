//! Descriptors: how many files this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What connections, journals and the rest of the process may need.
const OTHERS: u64 = 256;

/// How many files may be followed at a time, `wanted` at most; the limit of the process is raised as
/// far as it may be. The second is the limit, where it is less than wanted.
pub(in super::super) fn grant(wanted: usize) -> (usize, Option<u64>) {
    within(wanted, raised_limit())
}

fn within(wanted: usize, limit: u64) -> (usize, Option<u64>) {
    // A process that may open little keeps half of it for the rest.
    let room = limit.saturating_sub(OTHERS).max(limit / 2).max(1);
    match usize::try_from(room) {
        Ok(room) if room < wanted => (room, Some(limit)),
        _ => (wanted, None),
    }
}

fn raised_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let is_raised = setrlimit(Resource::Nofile, raised).is_ok();
    let current = if is_raised { limit.maximum } else { limit.current };
    current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
