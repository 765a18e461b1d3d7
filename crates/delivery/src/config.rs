//! The words that exporters embed: `timeout`, `retry_on_failure` and `sending_queue`.
//!
//! Keys, defaults and checks are those of the OpenTelemetry Collector's exporter helper; where
//! Tidegate asks for more (an answer before delivery needs storage or a clear word), it says so.

mod queue;
mod retry;
mod store;

use config::value::Duration;
use config::{Faults, Gates};

use crate::settings::Settings;

pub use queue::{BatchWords, PartitionWords, QueueWords, RefusedWords, distinct_keys};
pub use retry::RetryWords;

/// What `timeout` is for most exporters.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// What an exporter says about its road out.
#[derive(Clone, Debug)]
pub struct RoadWords {
    /// How long one attempt may take; 0 leaves it to the deadlines of the callers.
    pub timeout: Duration,
    pub retry_on_failure: RetryWords,
    pub sending_queue: Option<QueueWords>,
}

impl Default for RoadWords {
    fn default() -> Self {
        Self { timeout: TIMEOUT, retry_on_failure: RetryWords::default(), sending_queue: None }
    }
}

impl RoadWords {
    /// Checks everything at once; faults are named by the keys of the exporter.
    pub fn validate(self, gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let halving = self.retry_on_failure.halving();
        let timeout = self.timeout.unless_zero();
        let retry = faults.take("retry_on_failure", self.retry_on_failure.validate());
        let queue = self.sending_queue.map(|words| words.validate(gates));
        let queue = queue.and_then(|validated| faults.take("sending_queue", validated));
        let (queue, lanes) = queue.unwrap_or_default();
        faults.or(|| Settings { timeout, retry: retry.flatten(), queue, halving, lanes })
    }
}

#[cfg(test)]
mod tests;
