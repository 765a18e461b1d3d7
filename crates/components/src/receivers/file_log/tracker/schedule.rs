//! Schedule: which file is read next, which are open, and which are looked at again when.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{Action, EVICTIONS_TRIED, Key, Limits, Phase, Standing, Tracker};

/// Which files are being opened, and how many were in this interval.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) busy: BTreeSet<Key>,
    ends_at: Instant,
    count: usize,
}

impl Opening {
    pub(super) fn new(now: Instant) -> Self {
        Self { busy: BTreeSet::new(), ends_at: now, count: 0 }
    }

    /// How many were opened in the interval of `now`.
    fn count(&mut self, now: Instant, interval: Duration) -> usize {
        if self.ends_at <= now {
            (self.ends_at, self.count) = (now + interval, 0);
        }
        self.count
    }

    fn start(&mut self, key: Key) {
        self.busy.insert(key);
        self.count += 1;
    }
}

impl Tracker {
    /// The next file to be read; those that would have to be opened wait apart, so that they hold up
    /// none of the open ones, which may be closed then.
    pub(super) fn next_key(&mut self, standing: Standing, now: Instant) -> Option<Key> {
        if !self.line(standing).unopened.is_empty() && self.has_room_to_open(now) {
            let key = self.line(standing).unopened.pop_front();
            key.into_iter().for_each(|key| self.opening.start(key));
            return key;
        }
        while let Some(key) = self.line(standing).ready.pop_front() {
            if self.files.get(&key)?.is_open {
                return Some(key);
            }
            if self.has_room_to_open(now) {
                self.opening.start(key);
                return Some(key);
            }
            self.line(standing).unopened.push_back(key);
        }
        None
    }

    /// Whether one more file may be open; if not, sees to it that one will be closed.
    fn has_room_to_open(&mut self, now: Instant) -> bool {
        let Limits { batches_max, open_max, poll_interval, .. } = self.limits;
        let opened_max = batches_max.map(|max| max.saturating_mul(open_max));
        if opened_max.is_some_and(|max| max <= self.opening.count(now, poll_interval)) {
            return false;
        }
        if self.open.len() + self.opening.busy.len() < open_max {
            return true;
        }
        let tried = self.open.iter().take(EVICTIONS_TRIED);
        let idle = tried.map(|(_, key)| *key).find(|key| self.is_closable(*key));
        if let Some((key, file)) = idle.and_then(|key| Some((key, self.files.get_mut(&key)?))) {
            file.is_released = true;
            file.phase = Phase::Queued;
            self.line(Standing::Proven).ready.push_front(key);
        }
        false
    }

    /// Whether the file is at rest, or held up, and can be found again by its name.
    fn is_closable(&self, key: Key) -> bool {
        self.files.get(&key).is_some_and(|file| {
            let is_named = file.listed == self.listings && 0 < file.seen.links;
            let is_held_up = file.is_full(&self.limits) || file.paused_until.is_some();
            is_named && file.phase == Phase::Idle && (!file.is_dirty || is_held_up)
        })
    }

    pub(super) fn close(&mut self, key: Key) {
        let Some(file) = self.files.get_mut(&key).filter(|file| file.is_open) else { return };
        file.is_open = false;
        self.open.remove(&(file.turn, key));
        self.actions.push(Action::Close(key));
    }

    /// Marks a file as one that may hold more, and queues it if it can be read.
    pub(super) fn stir(&mut self, key: Key, now: Instant) {
        if let Some(file) = self.files.get_mut(&key) {
            file.is_dirty = true;
        }
        self.consider(key, now);
    }

    /// Has a file looked at, be it held up or not: it may have been cut.
    pub(super) fn ask(&mut self, key: Key) {
        let Some(file) = self.files.get_mut(&key) else { return };
        file.is_asked = true;
        if file.phase == Phase::Idle && !self.is_draining {
            file.phase = Phase::Queued;
            self.queue(key);
        }
    }

    pub(super) fn consider(&mut self, key: Key, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let is_wanted = file.is_dirty && file.phase == Phase::Idle && !self.is_draining;
        if !is_wanted || file.is_full(&self.limits) {
            return;
        }
        match file.paused_until {
            Some(until) if now < until => self.wake_by(key, until),
            _ => {
                file.paused_until = None;
                file.phase = Phase::Queued;
                self.queue(key);
            }
        }
    }

    pub(super) fn wake_by(&mut self, key: Key, at: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        if file.wake.is_none_or(|earlier| at < earlier) {
            if let Some(later) = file.wake.replace(at) {
                self.wakes.remove(&(later, key));
            }
            self.wakes.insert((at, key));
        }
    }
}
