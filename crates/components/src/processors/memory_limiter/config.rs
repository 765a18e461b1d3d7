//! The configuration of the `memory_limiter` processor.

use std::time::Duration;

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

const MIB: usize = 1 << 20;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(30);

/// How much memory data may hold. One of `limit_mib` and `limit_percentage` is needed; with both,
/// `limit_mib` counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// After this long, a client that was turned away is asked to come back. The limits themselves
    /// are compared with every request. Required.
    pub check_interval: config::value::Duration,
    /// Memory that data may hold, in MiB.
    pub limit_mib: u32,
    /// The part of `limit_mib` that stays free for data on its way in, in MiB; 0 means a fifth.
    pub spike_limit_mib: u32,
    /// Memory that data may hold, in percent of what the machine or the cgroup allows.
    pub limit_percentage: u32,
    /// The part of it that stays free for data on its way in, in percent of all memory; 0 means a
    /// fifth of the limit.
    pub spike_limit_percentage: u32,
    /// Accepted for compatibility: there is no garbage collector here.
    pub min_gc_interval_when_soft_limited: config::value::Duration,
    /// Accepted for compatibility: there is no garbage collector here.
    pub min_gc_interval_when_hard_limited: config::value::Duration,
}

/// Checked limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub limit: Limit,
    /// When to come back.
    pub retry_delay: Duration,
}

/// What data may hold, and how much of that stays free for what is on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Bytes { limit: usize, spike: usize },
    Percent { limit: u32, spike: u32 },
}

/// Limits of this machine, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What data may hold at all.
    pub hard_bytes: usize,
    /// What data may hold before more is turned away.
    pub soft_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            check_interval: Duration::ZERO.into(),
            limit_mib: 0,
            spike_limit_mib: 0,
            limit_percentage: 0,
            spike_limit_percentage: 0,
            min_gc_interval_when_soft_limited: Duration::from_secs(10).into(),
            min_gc_interval_when_hard_limited: Duration::ZERO.into(),
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        self.check_intervals(&mut faults);
        self.check_limits(&mut faults);
        let retry_delay = Duration::from(self.check_interval);
        let retry_delay = retry_delay.clamp(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
        faults.or(|| Settings { limit: self.limit(), retry_delay })
    }
}

impl Config {
    fn check_intervals(&self, faults: &mut Faults) {
        if Duration::from(self.check_interval).is_zero() {
            let message = "`check_interval` must be greater than zero";
            faults.add_with_remedy("check_interval", message, "set it to `1s`");
        }
        let soft = Duration::from(self.min_gc_interval_when_soft_limited);
        if soft < Duration::from(self.min_gc_interval_when_hard_limited) {
            let message = "`min_gc_interval_when_soft_limited` must not be smaller than \
                           `min_gc_interval_when_hard_limited`";
            faults.add("min_gc_interval_when_soft_limited", message);
        }
    }

    fn check_limits(&self, faults: &mut Faults) {
        if self.limit_mib == 0 && self.limit_percentage == 0 {
            let message = "one of `limit_mib` and `limit_percentage` must be greater than zero";
            faults.add_with_remedy("", message, "set `limit_percentage: 40`");
        }
        for (key, percentage) in [
            ("limit_percentage", self.limit_percentage),
            ("spike_limit_percentage", self.spike_limit_percentage),
        ] {
            if 100 < percentage {
                faults.add(key, format!("`{key}` must not be greater than 100"));
            }
        }
        if 0 < self.limit_mib && self.limit_mib <= self.spike_limit_mib {
            faults.add("spike_limit_mib", "`spike_limit_mib` must be smaller than `limit_mib`");
        }
        if 0 < self.limit_percentage && self.limit_percentage <= self.spike_limit_percentage {
            let message = "`spike_limit_percentage` must be smaller than `limit_percentage`";
            faults.add("spike_limit_percentage", message);
        }
    }

    fn limit(&self) -> Limit {
        let bytes = |mib: u32| usize::try_from(mib).unwrap_or(usize::MAX).saturating_mul(MIB);
        match self.limit_mib {
            0 => {
                Limit::Percent { limit: self.limit_percentage, spike: self.spike_limit_percentage }
            }
            mib => Limit::Bytes { limit: bytes(mib), spike: bytes(self.spike_limit_mib) },
        }
    }
}

impl Limit {
    /// The limits on a machine, or in a cgroup, of `memory_bytes`.
    #[must_use]
    pub fn of(self, memory_bytes: usize) -> Limits {
        let percent = |part: u32| memory_bytes / 100 * usize::try_from(part).unwrap_or(100);
        let (hard_bytes, spike) = match self {
            Self::Bytes { limit, spike } => (limit, spike),
            Self::Percent { limit, spike } => (percent(limit), percent(spike)),
        };
        let spike = if spike == 0 { hard_bytes / 5 } else { spike };
        Limits { hard_bytes, soft_bytes: hard_bytes.saturating_sub(spike) }
    }
}
