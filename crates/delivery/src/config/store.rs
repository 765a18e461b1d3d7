//! `sending_queue.storage` and what belongs to it: how a queue is kept on disk.

use config::{ComponentId, Faults};

use super::queue::QueueWords;
use crate::settings::{Exhausted, RefusedStore, Store};

/// Parts of metadata keys whose values are secrets.
const SECRETS: &[&str] =
    &["authorization", "cookie", "api-key", "apikey", "token", "secret", "password", "credential"];

impl QueueWords {
    pub(super) fn store_settings(&self, faults: &mut Faults) -> Option<Store> {
        let Some(storage) = &self.storage else {
            self.check_unused(faults);
            return None;
        };
        self.check_secrets(faults);
        let storage = id("storage", storage, faults);
        let refused = self.refused.as_ref().and_then(|words| {
            if words.max_size.as_usize() == 0 {
                faults.add("refused.max_size", "must be positive");
            }
            let storage = id("refused.storage", &words.storage, faults)?;
            Some(RefusedStore { storage, bytes_max: words.max_size.as_usize() as u64 })
        });
        Some(Store {
            storage: storage?,
            on_exhausted: self.on_exhausted,
            expire_after: self.expire_after.unless_zero(),
            refused,
        })
    }

    /// Keys that have an effect on stored data only.
    fn check_unused(&self, faults: &mut Faults) {
        let written = [
            ("on_exhausted", self.on_exhausted != Exhausted::Keep),
            ("expire_after", self.expire_after.unless_zero().is_some()),
            ("refused", self.refused.is_some()),
        ];
        for (key, _) in written.into_iter().filter(|(_, is_written)| *is_written) {
            let remedy = "name a `storage` extension, or remove the key";
            faults.add_with_remedy(key, "has an effect only together with `storage`", remedy);
        }
    }

    /// What is stored can be read by who can read the disk.
    fn check_secrets(&self, faults: &mut Faults) {
        let Some(batch) = self.batch.as_ref().filter(|batch| batch.enabled) else { return };
        for key in &batch.partition.metadata_keys {
            let lower = key.to_ascii_lowercase();
            if SECRETS.iter().any(|secret| lower.contains(secret)) {
                let message = format!("`{key}` is a secret, which must not be stored with data");
                let remedy = "remove it, or remove `storage`";
                faults.add_with_remedy("batch.partition.metadata_keys", message, remedy);
            }
        }
    }
}

fn id(key: &str, text: &str, faults: &mut Faults) -> Option<ComponentId> {
    let parsed = text.parse::<ComponentId>();
    parsed.map_err(|error| faults.add(key, error.to_string())).ok()
}
