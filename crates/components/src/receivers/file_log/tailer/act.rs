//! Act: does what the tracker asks for, tells what happened, and writes positions.

use std::time::{Duration, Instant};

use super::{Event, LAST_SAVE, SAVE_PAUSE, SAVED_MAX, Saving, Tailer};
use crate::receivers::file_log::file_system::FileSystem;
use crate::receivers::file_log::offsets::Saved;
use crate::receivers::file_log::tracker::{Action, Event as Told};

/// How long after a failure positions are written again.
const SAVE_AGAIN: Duration = Duration::from_secs(1);

impl<F: FileSystem> Tailer<F> {
    pub(super) fn act(&mut self) {
        for action in self.tracker.take_actions() {
            match action {
                Action::Close(key) => {
                    self.open.remove(&key);
                }
                Action::Drop(key) => {
                    self.open.remove(&key);
                    self.streams.remove(&key);
                }
                Action::Forget(identity) => self.offsets.forget(&identity),
                Action::Tell(told) => self.tell(&told),
            }
        }
    }

    fn tell(&self, told: &Told) {
        self.house.tally.tell(told);
        let receiver = &self.house.tally.receiver;
        match told {
            Told::Found { path, offset } => {
                tracing::info!(%receiver, path = %path.display(), offset, "Following a file.");
            }
            Told::Truncated { path, unread } => {
                let path = path.display();
                tracing::info!(%receiver, %path, unread, "A file was cut; reading it anew.");
            }
            Told::Moved { from, to } => {
                let (from, to) = (from.display(), to.display());
                tracing::debug!(%receiver, %from, %to, "A file was renamed.");
            }
            Told::Lost { path, unread } if *unread == 0 => {
                tracing::debug!(%receiver, path = %path.display(), "A file is gone.");
            }
            Told::Lost { path, unread } => {
                let path = path.display();
                tracing::warn!(%receiver, %path, unread, "Bytes of a file are gone before they were read: it was removed, or cut without a copy.");
            }
            Told::Removed { path } => {
                tracing::info!(%receiver, path = %path.display(), "Removed a file that was delivered.");
            }
            Told::Failed { path, message } => {
                tracing::warn!(%receiver, path = %path.display(), error = message, "Cannot read or remove a file.");
            }
            _ => self.tell_records(told),
        }
    }

    fn tell_records(&self, told: &Told) {
        let receiver = &self.house.tally.receiver;
        match told {
            Told::Dropped { path, records } => {
                let path = path.display();
                tracing::error!(%receiver, %path, records, "Records were lost.");
            }
            Told::Again { path, records, delay, message, is_first: true } => {
                let path = path.display();
                tracing::warn!(
                    %receiver, %path, records, ?delay, error = message,
                    "Records were not accepted; they will be read again until they are."
                );
            }
            Told::Again { path, records, delay, message, is_first: false } => {
                let path = path.display();
                tracing::debug!(
                    %receiver, %path, records, ?delay, error = message,
                    "Records were not accepted again."
                );
            }
            Told::Accepted { path, after } => {
                let path = path.display();
                tracing::info!(%receiver, %path, ?after, "Records are accepted again.");
            }
            Told::Refused { path, records, message } => {
                let path = path.display();
                tracing::error!(%receiver, %path, records, error = message, "Records were refused.");
            }
            _ => {}
        }
    }

    pub(super) fn start_save(&mut self, now: Instant) {
        if self.saving.is_running || now < self.saving.at || !self.tracker.has_unsaved() {
            return;
        }
        self.saving = Saving { at: now + SAVE_PAUSE, is_running: true };
        let records = self.tracker.take_unsaved(SAVED_MAX);
        let post = self.post.clone();
        self.offsets.save(records, move |saved| post.signal(Event::Saved(saved)));
    }

    pub(super) fn saved(&mut self, saved: Saved, now: Instant) {
        self.saving.is_running = false;
        if let Some(error) = self.offsets.saved(&saved) {
            self.house.tally.save_failures.add(1);
            tracing::warn!(error, "Positions cannot be kept; after a crash, files are read again.");
            self.saving.at = now + SAVE_AGAIN;
        }
        self.tracker.saved(&saved.failed());
    }

    /// Writes what has ended, for the last time.
    pub(super) async fn end(mut self) {
        let deadline = self.drained_by.unwrap_or_else(|| self.house.clock.now() + LAST_SAVE);
        let left = self.tracker.in_flight();
        if 0 < left {
            tracing::warn!(payloads = left, "Not answered by the end; will be read again.");
        }
        while self.saving.is_running || self.tracker.has_unsaved() {
            let now = self.house.clock.now();
            self.saving.at = now;
            self.start_save(now);
            match self.house.clock.by(deadline, self.mailbox.recv()).await {
                Ok(runtime::mailbox::Mail::Signal(event)) => self.take(event),
                Ok(runtime::mailbox::Mail::Data(never)) => match never {},
                Err(_) => break,
            }
        }
        let (clock, pool) = (self.house.clock, self.house.pool.clone());
        let offsets = self.offsets;
        drop(clock.by(deadline, pool.run(move || offsets.close())).await);
    }
}
