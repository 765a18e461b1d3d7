//! Rest: what becomes of a file between its turns, and in the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    Action, DELIVERED_MAX, Event, Key, Phase, Position, REMOVED_GRACE, RENAMED_GRACE, Tracked,
    Tracker,
};

impl Tracker {
    /// Does what is due at `now`.
    pub(in super::super) fn wake(&mut self, now: Instant) {
        while let Some((at, key)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.wakes.remove(&(at, key));
            if let Some(file) = self.files.get_mut(&key) {
                file.wake = None;
            }
            self.give_up_cuts(key, now);
            if self.is_spent(key, now) {
                self.retire(key);
            } else if self.remove_at(key, now).is_some_and(|at| at <= now) {
                self.remove(key);
            } else {
                self.stir(key, now);
            }
        }
    }

    /// Notes how far a file has ended, and what has to be read again.
    pub(super) fn settle(&mut self, key: Key, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let (cursor, before) = (file.cursor, file.committed.offset);
        let offset = file.window.commit(before, cursor.offset, file.held);
        if offset != before {
            file.committed = Position { offset, anchor: cursor.anchor };
            self.unsaved.insert(key);
            if file.delivered.iter().all(|span| span.end <= offset) {
                file.delivered = Arc::default();
            }
        }
        if !file.window.has_failed() {
            if offset != before && file.window.is_empty() && cursor.offset == offset {
                (file.failures, file.delay) = (0, None);
                if let Some(since) = file.failing_since.take() {
                    let (path, after) = (Arc::clone(&file.path), now.duration_since(since));
                    self.tell(Event::Accepted { path, after });
                }
            }
        } else if !file.window.is_waiting() && file.phase != Phase::Busy {
            self.rewind(key, now);
        }
        self.consider(key, now);
        if let Some(at) = self.remove_at(key, now) {
            self.wake_by(key, at);
        }
    }

    /// Goes back to what failed.
    fn rewind(&mut self, key: Key, now: Instant) {
        let (retry, is_draining) = (self.limits.retry, self.is_draining);
        let Some(file) = self.files.get_mut(&key) else { return };
        let path = Arc::clone(&file.path);
        let since = *file.failing_since.get_or_insert(now);
        let records = file.window.open_items();
        let from = file.committed.offset;
        let mut done = file.window.take_done(from, DELIVERED_MAX);
        if retry.give_up.is_some_and(|give_up| give_up <= now.duration_since(since)) {
            (file.committed, file.is_whole) = (file.cursor, false);
            (file.failures, file.failing_since) = (0, None);
            self.unsaved.insert(key);
            self.tell(Event::Dropped { path, records });
            return;
        }
        // What was passed over this time is passed over again.
        done.extend(file.delivered.iter().filter(|span| from <= span.start));
        done.truncate(DELIVERED_MAX);
        file.delivered = done.into();
        file.cursor.offset = file.committed.offset;
        (file.held, file.is_partial, file.is_afresh, file.is_dirty) = (None, false, true, true);
        let ladder = retry.initial.saturating_mul(1 << file.failures.min(16)).min(retry.max);
        let delay = spread(file.delay.take().unwrap_or(ladder), key);
        // That a stop comes before an answer is no news of the file.
        let is_first = file.failures == 0 && !is_draining;
        file.failures += 1;
        file.paused_until = Some(now + delay);
        let message = file.objection.take().map(String::from).unwrap_or_default();
        self.tell(Event::Again { path, records, delay, message, is_first });
    }

    /// Sees to it that a file which waits for something is looked at in time.
    pub(super) fn rest(&mut self, key: Key, now: Instant) {
        let Some(file) = self.files.get(&key) else { return };
        let flush = file.flush_at(&self.limits).filter(|_| file.phase == Phase::Idle);
        let poll = (file.listed == 0).then(|| now + self.limits.poll_interval);
        if let Some(at) = flush.into_iter().chain(poll).min() {
            self.wake_by(key, at);
        }
    }

    /// Whether a file that was renamed or removed has nothing more to give.
    fn is_spent(&self, key: Key, now: Instant) -> bool {
        self.files.get(&key).is_some_and(|file| {
            let is_foreign = file.seen.links == 0 && !file.is_removed;
            let grace = if is_foreign { REMOVED_GRACE } else { RENAMED_GRACE };
            let is_gone = file.listed == 0 && file.is_open && 0 < self.listings;
            is_gone && file.is_read() && file.quiet_since + grace <= now
        })
    }

    fn retire(&mut self, key: Key) {
        match self.files.get(&key) {
            Some(file) if file.seen.links == 0 => self.forget(key),
            // It may come back under a name that the configuration has.
            _ => self.close(key),
        }
    }

    /// Ends all that is kept for a file.
    pub(super) fn forget(&mut self, key: Key) {
        let Some(file) = self.files.remove(&key) else { return };
        if self.by_stamp.get(&file.stamp) == Some(&key) {
            self.by_stamp.remove(&file.stamp);
        }
        for path in [Some(&file.path), file.resolved.as_ref()].into_iter().flatten() {
            if self.by_path.get(path) == Some(&key) {
                self.by_path.remove(path);
            }
        }
        self.forget_former_path(key, file.former_path.as_ref());
        self.open.remove(&(file.turn, key));
        self.unsaved.remove(&key);
        self.undecided.remove(&key);
        file.wake.map(|at| self.wakes.remove(&(at, key)));
        if file.phase == Phase::Queued {
            self.lines.each_mut().into_iter().for_each(|line| line.remove(key));
        }
        self.actions.push(Action::Drop(key));
        self.actions.extend(file.identity.map(Action::Forget));
    }
}

impl Tracked {
    /// Whether all of it was read and has ended.
    pub(super) fn is_read(&self) -> bool {
        let is_still = self.phase == Phase::Idle && !self.is_dirty && !self.is_partial;
        is_still && self.held.is_none() && self.window.is_empty()
    }
}

/// The delay, a quarter more or less, so that not all files come back at once.
fn spread(delay: Duration, key: Key) -> Duration {
    let part = key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
    let part = u32::try_from(part).unwrap_or_default();
    delay * 3 / 4 + delay * part / 512
}
