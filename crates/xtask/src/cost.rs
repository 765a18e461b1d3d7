//! Cost: how long something took, and how much of the processors.
//!
//! As Linux counts it for processes that ended and were waited for; elsewhere only the time is known.

use std::time::{Duration, SystemTime};

/// What something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    wall: Duration,
    processor: Duration,
}

impl Cost {
    /// Does something and gives what it took.
    pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let (wall, processor) = (since_1970(), used_by_children());
        let done = work();
        let wall = since_1970().saturating_sub(wall);
        (done, Self { wall, processor: used_by_children().saturating_sub(processor) })
    }

    /// A line of a table.
    pub(crate) fn shown(&self, name: &str) -> String {
        let minutes = |time: Duration| time.as_secs_f64() / 60.0;
        let Self { wall, processor } = *self;
        format!(
            "{name:>10}: {:5.1} min, {:5.1} min of processor",
            minutes(wall),
            minutes(processor)
        )
    }
}

fn since_1970() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// The time that processes took which ended, in user and system mode.
fn used_by_children() -> Duration {
    /// What the kernel counts in, on every architecture.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process stands in parentheses and may contain anything.
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let children = behind_name.split_whitespace().skip(13).take(2);
    let ticks: u64 = children.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
