//! `retry_on_failure`: when to send again what was not accepted.

use config::Faults;
use config::value::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::{Halving, Retry};

/// When to send again what was not accepted.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryWords {
    /// Whether to send again at all.
    pub enabled: bool,
    /// The wait after the first failure.
    pub initial_interval: Duration,
    /// How far a wait is spread at random around its length: 0.5 gives half to one and a half.
    pub randomization_factor: f64,
    /// How much longer each wait is than the one before.
    pub multiplier: f64,
    /// The longest wait. A delay that the destination asks for may be longer.
    pub max_interval: Duration,
    /// When to give up, counted from the first attempt; 0 goes on until the deadlines of the
    /// callers.
    pub max_elapsed_time: Duration,
    /// Whether a batch of several callers that is refused for its content is halved until the
    /// caller whose data it was stands alone.
    pub halve_refused: bool,
}

impl Default for RetryWords {
    fn default() -> Self {
        let Retry { randomization_factor, multiplier, .. } = Retry::default();
        Self {
            enabled: true,
            initial_interval: Duration::from_secs(5),
            randomization_factor,
            multiplier,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Duration::from_secs(300),
            halve_refused: true,
        }
    }
}

impl RetryWords {
    pub(super) fn halving(&self) -> Halving {
        if self.halve_refused { Halving::Callers } else { Halving::Off }
    }

    /// Bad numbers are faults even when retry is off, as upstream; `None` when it is off.
    pub(super) fn validate(self) -> Result<Option<Retry>, Faults> {
        let mut faults = Faults::default();
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            faults.add("randomization_factor", "must be between 0 and 1");
        }
        if !self.multiplier.is_finite() || self.multiplier < 0.0 {
            faults.add("multiplier", "must not be negative");
        }
        if let Some(elapsed) = self.max_elapsed_time.unless_zero() {
            if elapsed < self.initial_interval.get() {
                faults.add("max_elapsed_time", "must not be less than `initial_interval`");
            }
            if elapsed < self.max_interval.get() {
                faults.add("max_elapsed_time", "must not be less than `max_interval`");
            }
        }
        faults.or(|| self.enabled.then(|| self.complete()))
    }

    fn complete(&self) -> Retry {
        Retry {
            initial_interval: self.initial_interval.get(),
            randomization_factor: self.randomization_factor,
            multiplier: self.multiplier,
            max_interval: self.max_interval.get(),
            max_elapsed_time: self.max_elapsed_time.unless_zero(),
            is_expiry_final: false,
        }
    }
}
