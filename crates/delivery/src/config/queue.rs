//! `sending_queue`: how much is held at once, how it is merged, and what callers see of it.

use config::gates::QUEUE_ALLOW_IN_MEMORY;
use config::value::{ByteSize, Duration};
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::{Batch, Exhausted, Lanes, LanesMax, Queue, Sizer};

/// How much is held at once, and what callers see of it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueWords {
    /// Whether there is a queue; without one there is no batching either.
    pub enabled: bool,
    /// How many exports may be under way at once.
    pub num_consumers: usize,
    /// Whether callers wait for the destination's answer. If not, they are answered when their
    /// data is taken into the queue.
    pub wait_for_result: bool,
    /// Whether callers wait for room when the queue is full, until their deadlines. If not, they
    /// are refused with a delay after which to try again.
    pub block_on_overflow: bool,
    /// Accepts the loss of answered data when the process ends: needed for `wait_for_result:
    /// false`, because this queue is in memory only.
    pub in_memory: bool,
    /// The unit of `queue_size`: `requests`, `items` or `bytes`. Default: `requests`.
    pub sizer: Option<Sizer>,
    /// How much is held at once, all that is not answered yet counted.
    pub queue_size: usize,
    /// The storage extension that keeps the queue, such as `file_storage`. What is in the queue is
    /// then on disk before anybody is answered, and survives a crash.
    pub storage: Option<String>,
    /// What happens to stored data when its retries are exhausted: `keep` (it stays in the queue and
    /// is tried again every `max_interval`) or `drop`.
    pub on_exhausted: Exhausted,
    /// When stored data that could not be delivered is given up, counted from its arrival; 0 keeps
    /// it.
    pub expire_after: Duration,
    /// Records what was refused for good, so that it can be looked at and sent again
    /// (`tidegate journal`).
    pub refused: Option<RefusedWords>,
    /// Merges requests before they are sent, and cuts them; off until the key is written.
    pub batch: Option<BatchWords>,
}

/// Where what was refused for good is recorded.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefusedWords {
    /// The storage extension.
    pub storage: String,
    /// How much is recorded; the oldest makes room for the newest.
    pub max_size: ByteSize,
}

/// How requests are merged and cut.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchWords {
    /// Whether requests are merged.
    pub enabled: bool,
    /// The longest that data waits for company.
    pub flush_timeout: Duration,
    /// From which size on a batch is sent at once.
    pub min_size: usize,
    /// The largest size that is sent; 0 sets no limit.
    pub max_size: usize,
    /// The unit of `min_size` and `max_size`: `items` or `bytes`. Default: the queue's `sizer`
    /// if that is written out and is one of these, else `items`.
    pub sizer: Option<Sizer>,
    /// How data is kept apart by metadata of its requests.
    pub partition: PartitionWords,
    /// How many partitions are kept; the one that was idle longest makes room.
    pub cache_size: usize,
}

/// How data is kept apart by metadata of its requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionWords {
    /// Requests are merged only if they agree in the values of these keys, which are matched
    /// without case and travel on.
    pub metadata_keys: Vec<String>,
    /// When a partition without data is forgotten; 0 means the default.
    pub idle_timeout: Duration,
}

const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// What a queue does, and how the data in it is kept apart.
type Validated = (Option<Queue>, Lanes);

impl Default for QueueWords {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            wait_for_result: false,
            block_on_overflow: false,
            in_memory: false,
            sizer: None,
            queue_size: 1000,
            storage: None,
            on_exhausted: Exhausted::Keep,
            expire_after: Duration::default(),
            refused: None,
            batch: None,
        }
    }
}

impl Default for RefusedWords {
    fn default() -> Self {
        Self { storage: String::new(), max_size: ByteSize::from_bytes(256 << 20) }
    }
}

impl Default for BatchWords {
    fn default() -> Self {
        Self {
            enabled: true,
            flush_timeout: Duration::from_millis(200),
            min_size: 8192,
            max_size: 0,
            sizer: None,
            partition: PartitionWords::default(),
            cache_size: 10_000,
        }
    }
}

impl Default for PartitionWords {
    fn default() -> Self {
        Self { metadata_keys: Vec::new(), idle_timeout: IDLE_TIMEOUT }
    }
}

impl QueueWords {
    /// No queue when it is off.
    pub(super) fn validate(self, gates: &Gates) -> Result<Validated, Faults> {
        if !self.enabled {
            return Ok((None, Lanes::default()));
        }
        let mut faults = Faults::default();
        if self.num_consumers == 0 {
            faults.add("num_consumers", "must be positive");
        }
        if self.queue_size == 0 {
            faults.add("queue_size", "must be positive");
        }
        self.check_promise(gates, &mut faults);
        let (batch, lanes) = self.batch_settings(&mut faults).unzip();
        let store = self.store_settings(&mut faults);
        faults.or(|| {
            let queue = Queue {
                num_consumers: self.num_consumers,
                wait_for_result: self.wait_for_result,
                block_on_overflow: self.block_on_overflow,
                sizer: self.sizer.unwrap_or_default(),
                queue_size: self.queue_size,
                batch,
                store,
            };
            (Some(queue), lanes.unwrap_or_default())
        })
    }

    /// An answer before delivery is a promise that memory cannot keep, unless the operator says
    /// that it need not.
    fn check_promise(&self, gates: &Gates, faults: &mut Faults) {
        if self.storage.is_some() {
            if self.in_memory {
                let message = "a queue with `storage` is not in memory only";
                faults.add_with_remedy("in_memory", message, "remove one of the two");
            }
            return;
        }
        let is_accepted = self.in_memory || gates.is_on(QUEUE_ALLOW_IN_MEMORY);
        if !self.wait_for_result && !is_accepted {
            let message = "this queue answers before delivery and has no storage, so a restart \
                           loses what was acknowledged";
            let remedy = "write `wait_for_result: true` (callers wait for the destination), or \
                          name a `storage` extension, or write `in_memory: true` to accept the loss, or start with `--feature-gates \
                          queue.allowInMemory`";
            faults.add_with_remedy("wait_for_result", message, remedy);
        }
    }

    fn batch_settings(&self, faults: &mut Faults) -> Option<(Batch, Lanes)> {
        let words = self.batch.as_ref().filter(|words| words.enabled)?;
        let (batch, lanes) = faults.take("batch", words.validate(self.sizer))?;
        let is_same_unit = batch.sizer == self.sizer.unwrap_or_default();
        if is_same_unit && self.queue_size < batch.min_size {
            faults.add("batch.min_size", "must not be greater than `queue_size`");
        }
        Some((batch, lanes))
    }
}

impl BatchWords {
    fn validate(&self, queue_sizer: Option<Sizer>) -> Result<(Batch, Lanes), Faults> {
        let mut faults = Faults::default();
        if self.flush_timeout.unless_zero().is_none() {
            faults.add("flush_timeout", "must be positive");
        }
        if 0 < self.max_size && self.max_size < self.min_size {
            faults.add("max_size", "must not be less than `min_size`");
        }
        if self.sizer == Some(Sizer::Requests) {
            faults.add("sizer", "must be `items` or `bytes`");
        }
        if self.cache_size == 0 {
            faults.add("cache_size", "must be positive");
        }
        let keys =
            faults.take("partition.metadata_keys", distinct_keys(&self.partition.metadata_keys));
        let batch = Batch {
            flush_timeout: self.flush_timeout.unless_zero(),
            min_size: self.min_size,
            max_size: (0 < self.max_size).then_some(self.max_size),
            sizer: self.effective_sizer(queue_sizer),
        };
        faults.or(|| {
            let lanes = Lanes {
                metadata_keys: keys.unwrap_or_default(),
                max: LanesMax::Evict(self.cache_size),
                idle_timeout: Some(
                    self.partition.idle_timeout.unless_zero().unwrap_or(IDLE_TIMEOUT.get()),
                ),
                is_ordered: false,
            };
            (batch, lanes)
        })
    }

    /// The queue's unit counts only when it is written out and the section is not empty, as
    /// upstream.
    fn effective_sizer(&self, queue_sizer: Option<Sizer>) -> Sizer {
        let inherited = queue_sizer.filter(|_| *self != Self::default());
        let inherited = inherited.filter(|sizer| *sizer != Sizer::Requests);
        self.sizer.or(inherited).unwrap_or(Sizer::Items)
    }
}

/// Metadata keys in lower case and sorted; a key that stands there twice is a fault.
pub fn distinct_keys(keys: &[String]) -> Result<Vec<String>, Faults> {
    let mut faults = Faults::default();
    let mut lower: Vec<String> = keys.iter().map(|key| key.to_ascii_lowercase()).collect();
    lower.sort();
    for pair in lower.windows(2).filter(|pair| pair[0] == pair[1]) {
        faults.add("", format!("duplicate entry (case-insensitive): `{}`", pair[0]));
    }
    faults.or(|| lower)
}
