//! Cuts: what of a file is on its way when it is cut.
//!
//! The bytes are in the file no more, but a copy that was made before has them (`copytruncate`): it takes
//! over what is on its way, and is read again from what fails. What fails without a copy is lost, and
//! counted. Bounds: [`CUTS_MAX`] times a file.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::Outcome;

use super::{Event, Key, Position, Token, Tracker, Window};
use crate::receivers::file_log::window::{Ended, Span};

/// How many cuts of a file are remembered, for copies that are seen late.
const CUTS_MAX: usize = 8;
/// How long after a failure a copy may be found that has what failed: longer than from look to look.
const COPY_MAX: Duration = Duration::from_secs(20);

impl Tracker {
    /// A payload of bytes that were in the file before it was cut.
    pub(super) fn answered_late(
        &mut self,
        (key, epoch): (Key, u32),
        token: Token,
        outcome: &Outcome,
        now: Instant,
    ) -> Ended {
        let cuts = self.files.get_mut(&key).map(|file| &mut file.before_cuts);
        let cut = cuts.and_then(|cuts| cuts.iter_mut().find(|cut| cut.epoch == epoch));
        let Some(cut) = cut else { return self.answered_too_late(key, outcome) };
        let ended = cut.window.answer(token, outcome);
        cut.committed = cut.window.commit(cut.committed, cut.at.offset, None);
        self.unsaved.insert(key);
        self.wait_for_copy(key, now);
        ended
    }

    /// A copy may still come for what failed, or was not read, before a cut.
    pub(super) fn wait_for_copy(&mut self, key: Key, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        for cut in file.before_cuts.iter_mut().filter(|cut| cut.is_owed()) {
            cut.owed_since.get_or_insert(now);
        }
        self.give_up_cuts(key, now);
    }

    /// The file at `key` has what another one had before it was cut.
    pub(super) fn take_over(&mut self, key: Key, (original, epoch): (Key, u32), now: Instant) {
        let cuts = self.files.get_mut(&original).map(|file| &mut file.before_cuts);
        let cut = cuts.and_then(|cuts| cuts.iter_mut().find(|cut| cut.epoch == epoch));
        let Some(cut) = cut else { return };
        (cut.owed_since, cut.unread) = (None, 0);
        let window = std::mem::take(&mut cut.window);
        let delivered = std::mem::take(&mut cut.delivered);
        // It stays what it is: until the position of the copy is on disk, that is where to begin again.
        let committed = cut.committed;
        let Some(file) = self.files.get_mut(&key) else { return };
        for token in window.waiting() {
            self.sent.insert(token, (key, file.epoch));
        }
        file.committed = Position { offset: committed, ..file.cursor };
        (file.window, file.delivered) = (window, delivered);
        self.settle(key, now);
    }

    /// Counts what failed and is in no copy, and what was cut too often to be remembered.
    pub(super) fn give_up_cuts(&mut self, key: Key, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let (mut lost, mut unread) = (0, 0);
        for (number, cut) in file.before_cuts.iter_mut().enumerate() {
            let is_late = cut.owed_since.is_some_and(|at| at + COPY_MAX <= now);
            if is_late || (CUTS_MAX <= number && cut.is_owed()) {
                lost += cut.window.take_failed();
                unread += std::mem::take(&mut cut.unread);
                (cut.owed_since, cut.committed) = (None, cut.at.offset);
            }
        }
        file.before_cuts.truncate(CUTS_MAX);
        let next = file.before_cuts.iter().filter_map(|cut| cut.owed_since).min();
        let path = Arc::clone(&file.path);
        if let Some(since) = next {
            self.wake_by(key, since + COPY_MAX);
        }
        if 0 < unread {
            self.tell(Event::Lost { path: Arc::clone(&path), unread });
        }
        if 0 < lost {
            self.tell(Event::Dropped { path, records: lost });
        }
    }

    /// A payload of bytes that nobody has any more.
    fn answered_too_late(&mut self, key: Key, outcome: &Outcome) -> Ended {
        let mut window = Window::default();
        let items = outcome.parts.iter().map(|(range, _)| range.end).max().unwrap_or(0);
        window.push(Token(0), vec![Span { start: 0, end: 0 }; items]);
        let ended = window.answer(Token(0), outcome);
        if 0 < ended.again {
            let path = self.files.get(&key).map(|file| Arc::clone(&file.path));
            let path = path.unwrap_or_else(|| Arc::from(Path::new("")));
            self.tell(Event::Dropped { path, records: ended.again });
        }
        ended
    }
}
