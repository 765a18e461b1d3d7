//! Settings: what one engine was told to do, validated and complete.

use std::time::Duration;

use config::ComponentId;
use pipeline::StorageUse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one road out works.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long one attempt may take; `None` leaves it to the callers' deadlines.
    pub timeout: Option<Duration>,
    pub retry: Option<Retry>,
    pub queue: Option<Queue>,
    pub halving: Halving,
    pub lanes: Lanes,
}

/// How far a batch is cut that was refused for its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Halving {
    /// It is refused as a whole.
    Off,
    /// Until the caller whose data it was stands alone.
    #[default]
    Callers,
    /// Until the item that it was about stands alone.
    Items,
}

/// How data is kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Requests are merged only if they agree in these; in lower case, sorted.
    pub metadata_keys: Vec<String>,
    /// How many lanes are kept, and what happens to the next.
    pub max: LanesMax,
    /// When a lane without data is forgotten.
    pub idle_timeout: Option<Duration>,
    /// One batch at a time leaves a lane, waits between its attempts and its halves included; the
    /// next leaves when it has ended.
    pub is_ordered: bool,
}

/// When to send again what was not accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    pub initial_interval: Duration,
    pub randomization_factor: f64,
    pub multiplier: f64,
    pub max_interval: Duration,
    /// Counted from the first attempt; `None` retries until the callers' deadlines.
    pub max_elapsed_time: Option<Duration>,
    /// Whether what was not accepted in `max_elapsed_time` is refused for good, because its caller
    /// (a file) would send it again for ever. If not, callers are told to try later.
    pub is_expiry_final: bool,
}

/// How much is held at once, and what callers see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub num_consumers: usize,
    pub wait_for_result: bool,
    pub block_on_overflow: bool,
    pub sizer: Sizer,
    pub queue_size: usize,
    pub batch: Option<Batch>,
    /// Keeps what is in the queue on disk.
    pub store: Option<Store>,
}

/// How a queue is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The extension that offers the folder.
    pub storage: ComponentId,
    pub on_exhausted: Exhausted,
    /// When what could not be delivered is given up; `None` keeps it.
    pub expire_after: Option<Duration>,
    /// Where what was refused is recorded.
    pub refused: Option<RefusedStore>,
}

/// What happens to stored data when its retries are exhausted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exhausted {
    /// It stays in the queue and is tried again at `max_interval`.
    #[default]
    Keep,
    /// It is removed; recorded, if `refused.storage` is set.
    Drop,
}

/// A journal of what was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedStore {
    pub storage: ComponentId,
    /// The oldest records make room for new ones.
    pub bytes_max: u64,
}

/// How requests are merged and cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The longest that data waits for company; `None` means that it never waits for a timer.
    pub flush_timeout: Option<Duration>,
    pub min_size: usize,
    pub max_size: Option<usize>,
    /// Items or bytes.
    pub sizer: Sizer,
}

/// The bound on the number of lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanesMax {
    /// The lane that was idle longest makes room.
    Evict(usize),
    /// Data of a further lane is refused for good.
    Refuse(usize),
    Unlimited,
}

/// The unit of a size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sizer {
    /// Requests as callers sent them.
    #[default]
    Requests,
    /// Log records, spans, data points or profile samples.
    Items,
    /// Bytes of the encoded requests.
    Bytes,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            metadata_keys: Vec::new(),
            max: LanesMax::Evict(10_000),
            idle_timeout: Some(Duration::from_secs(90)),
            is_ordered: false,
        }
    }
}

impl Settings {
    /// Whether callers are told "delivered" of what is in memory only.
    #[must_use]
    pub fn answers_from_memory(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| !queue.wait_for_result && queue.store.is_none())
    }

    /// What is kept on disk, by the keys of the exporter.
    #[must_use]
    pub fn stores(&self) -> Vec<StorageUse> {
        let Some(store) = self.queue.as_ref().and_then(|queue| queue.store.as_ref()) else {
            return Vec::new();
        };
        let queue = (&store.storage, "sending_queue.storage");
        let refused = store.refused.as_ref();
        let refused = refused.map(|refused| (&refused.storage, "sending_queue.refused.storage"));
        let uses =
            [Some(queue), refused].into_iter().flatten().map(|(extension, key)| StorageUse {
                extension: extension.clone(),
                key: key.to_owned(),
                metadata_keys: Some(self.lanes.metadata_keys.clone()),
            });
        uses.collect()
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial_interval: Duration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Some(Duration::from_mins(5)),
            is_expiry_final: false,
        }
    }
}
