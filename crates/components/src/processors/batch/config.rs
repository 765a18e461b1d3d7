//! The configuration of the `batch` processor.

use config::gates::QUEUE_ALLOW_IN_MEMORY;
use config::section::Words;
use config::value::Duration;
use config::{Faults, Gates};
use delivery::config::distinct_keys;
use delivery::settings::{Batch, Halving, Lanes, LanesMax, Queue, Settings, Sizer};
use schemars::JsonSchema;
use serde::Deserialize;

/// How requests are merged. A batch is sent when it is large enough, when its time is over, or
/// earlier when nobody is left who could add to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// From this many items on a batch is sent at once; 0 sends every request at once.
    pub send_batch_size: usize,
    /// The longest that data waits for company; 0 sends every request at once.
    pub timeout: Duration,
    /// The largest batch that is sent, in items; 0 sets no limit.
    pub send_batch_max_size: usize,
    /// Requests are merged only if they agree in the values of these metadata keys, which are
    /// matched without case and travel on.
    pub metadata_keys: Vec<String>,
    /// How many combinations of metadata values are kept apart; data of a further one is refused.
    /// 0 sets no limit.
    pub metadata_cardinality_limit: usize,
    /// How many batches may be under way at once.
    pub concurrency_limit: usize,
    /// Answers callers when their data is taken over, not when it is delivered. Needs `in_memory`.
    pub early_return: bool,
    /// Accepts the loss of answered data when the process ends: needed for `early_return`.
    pub in_memory: bool,
}

/// What the processor is built from.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) settings: Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            send_batch_size: 8192,
            timeout: Duration::from_millis(200),
            send_batch_max_size: 0,
            metadata_keys: Vec::new(),
            metadata_cardinality_limit: 1000,
            concurrency_limit: 10,
            early_return: false,
            in_memory: false,
        }
    }
}

impl Words for Config {
    type Settings = Plan;

    fn validate(self, gates: &Gates) -> Result<Plan, Faults> {
        let mut faults = Faults::default();
        if 0 < self.send_batch_max_size && self.send_batch_max_size < self.send_batch_size {
            faults.add("send_batch_max_size", "must be greater than or equal to `send_batch_size`");
        }
        if self.concurrency_limit == 0 {
            faults.add("concurrency_limit", "must be positive");
        }
        if self.early_return && !self.in_memory && !gates.is_on(QUEUE_ALLOW_IN_MEMORY) {
            let message = "this processor answers before delivery and has no storage, so a \
                           restart loses what was acknowledged";
            let remedy = "remove `early_return: true` (callers wait for the destination), or \
                          write `in_memory: true` to accept the loss, or start with \
                          `--feature-gates queue.allowInMemory`";
            faults.add_with_remedy("early_return", message, remedy);
        }
        let keys = faults.take("metadata_keys", distinct_keys(&self.metadata_keys));
        faults.or(|| Plan { settings: self.settings(keys.unwrap_or_default()) })
    }
}

impl Config {
    fn settings(&self, metadata_keys: Vec<String>) -> Settings {
        let limit = self.metadata_cardinality_limit;
        let max = if limit == 0 { LanesMax::Unlimited } else { LanesMax::Refuse(limit) };
        let batch = Batch {
            flush_timeout: self.timeout.unless_zero(),
            min_size: self.send_batch_size,
            max_size: (0 < self.send_batch_max_size).then_some(self.send_batch_max_size),
            sizer: Sizer::Items,
        };
        let queue = Queue {
            num_consumers: self.concurrency_limit,
            wait_for_result: !self.early_return,
            block_on_overflow: false,
            sizer: Sizer::Requests,
            // Memory is the bound: the processor's share of it.
            queue_size: usize::MAX,
            batch: Some(batch),
            store: None,
        };
        let lanes = Lanes { metadata_keys, max, idle_timeout: None, is_ordered: false };
        Settings { timeout: None, retry: None, queue: Some(queue), halving: Halving::Off, lanes }
    }
}
