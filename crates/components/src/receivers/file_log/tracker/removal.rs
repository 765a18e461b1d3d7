//! Removal: what is done, when the user wants it, with a file that was delivered whole.
//!
//! Invariant: a file is removed only when every byte of it was delivered, that is on disk, and nothing
//! was written to it for a while. What is still written to it then is read from the open file.

use std::sync::Arc;
use std::time::Instant;

use super::{Event, Key, Phase, Tracker};
use crate::receivers::file_log::file_system::Facts;
use crate::receivers::file_log::tracker::turned::FAILURE_PAUSE;

/// What became of a file that was to be removed.
#[derive(Debug)]
pub(in super::super) enum Removal {
    Done,
    /// It holds more than was read, or has another name.
    Premature,
    Failed(String),
}

impl Tracker {
    /// When the file may be removed, as far as is known now.
    pub(super) fn remove_at(&self, key: Key, now: Instant) -> Option<Instant> {
        let after = self.limits.removed_after?;
        let file = self.files.get(&key)?;
        let is_only_name = file.seen.links == 1 && file.resolved.is_none();
        let is_named = file.listed == self.listings && is_only_name;
        let is_delivered = file.is_whole && 0 < file.committed.offset && file.is_read();
        let is_wanted = is_named && is_delivered && !file.is_removed && !self.is_draining;
        let is_kept = !self.unsaved.contains(&key) && !self.saving.contains(&key);
        let soon = if is_kept { now } else { now + FAILURE_PAUSE };
        is_wanted.then(|| soon.max(file.quiet_since + after))
    }

    pub(super) fn remove(&mut self, key: Key) {
        if let Some(file) = self.files.get_mut(&key) {
            (file.is_removing, file.phase) = (true, Phase::Queued);
            self.queue(key);
        }
    }

    pub(super) fn removed(&mut self, key: Key, facts: &Facts, removal: Removal, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        file.see(facts, now);
        let path = Arc::clone(&file.path);
        match removal {
            Removal::Done => {
                (file.is_removed, file.quiet_since) = (true, now);
                self.tell(Event::Removed { path });
            }
            Removal::Premature => self.pause(key, FAILURE_PAUSE, now),
            Removal::Failed(message) => {
                // It is not tried again before the next start.
                file.is_removed = true;
                self.tell(Event::Failed { path, message });
            }
        }
    }
}
