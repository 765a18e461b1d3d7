//! Turned: what the report of a turn changes in what is known.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::removal::Removal;
use super::tracked::BeforeCut;
use super::{
    Event, Key, Limits, Phase, Position, Sibling, Span, Token, Tracked, Tracker, Truncated,
};
use crate::receivers::file_log::file_system::Facts;
use crate::receivers::file_log::identity::{Anchor, Identity};

/// How long a file that cannot be opened or read is left alone.
pub(super) const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// What came of a turn.
#[derive(Debug)]
pub(in super::super) enum Report {
    Identified {
        identity: Identity,
        facts: Facts,
        /// Where it was found, when that was not where it was looked for.
        path: Option<Arc<Path>>,
        /// The file it is a copy of: as its bytes, these were read already.
        copy_of: Option<Sibling>,
        /// It may be a copy of this one, if that is cut: look again a moment later.
        waits_for: Option<Sibling>,
    },
    Read(Reading),
    /// It was closed, unless it has more to give.
    Released {
        facts: Facts,
        is_closed: bool,
    },
    Removed {
        facts: Facts,
        removal: Removal,
    },
    /// It has no name here any more, and it was not open.
    Missing,
    Failed {
        message: String,
    },
    /// There was no memory for what was read.
    Dropped,
}

/// What was found when a file was read.
#[derive(Debug)]
pub(in super::super) struct Reading {
    pub facts: Facts,
    /// Where it was found, when that was not where it was looked for.
    pub path: Option<Arc<Path>>,
    /// A hash of its beginning.
    pub head: Anchor,
    pub taken: Taken,
}

/// What was taken from a file.
#[derive(Debug)]
pub(in super::super) enum Taken {
    /// The bytes before the cursor are not those that were read.
    Cut,
    /// They are, and nothing was to be read.
    Nothing,
    Bytes {
        cursor: Position,
        /// A span for each record that is to be sent.
        spans: Vec<Span>,
        held: Option<u64>,
        /// There are bytes behind the cursor that wait for their end.
        is_partial: bool,
        /// The end of the file was seen.
        is_at_end: bool,
        /// When operators let go of what they hold.
        deadline: Option<Instant>,
        is_flushed: bool,
    },
}

impl Tracker {
    /// A turn is over; gives the name of the payload to be sent, if there is one.
    pub(in super::super) fn turned(
        &mut self,
        key: Key,
        report: Report,
        now: Instant,
    ) -> Option<Token> {
        self.busy -= 1;
        self.opening.busy.remove(&key);
        let number = self.next_turn;
        self.next_turn += 1;
        let file = self.files.get_mut(&key)?;
        file.phase = Phase::Idle;
        file.is_asked &= matches!(report, Report::Released { .. } | Report::Removed { .. });
        let is_open = match report {
            Report::Identified { .. } | Report::Read(_) | Report::Removed { .. } => true,
            Report::Missing => false,
            Report::Released { is_closed, .. } => !is_closed,
            Report::Failed { .. } | Report::Dropped => file.is_open,
        };
        if file.is_open {
            self.open.remove(&(file.turn, key));
        }
        file.turn = number;
        file.is_open = is_open;
        if is_open {
            self.open.insert((number, key));
            file.failure = None;
        }
        match report {
            Report::Identified { identity, facts, path, copy_of, waits_for } => {
                self.see(key, &facts, now);
                if let Some(path) = &path {
                    self.rename(key, path);
                }
                match waits_for {
                    Some(original) => self.postpone(key, &original, now),
                    None => self.identified(key, identity, copy_of, now),
                }
            }
            Report::Read(reading) => return self.read(key, reading, now),
            Report::Released { facts, is_closed } => {
                let is_more = !is_closed && facts.length != Some(file.cursor.offset);
                self.see(key, &facts, now);
                if is_more {
                    self.stir(key, now);
                }
            }
            Report::Removed { facts, removal } => self.removed(key, &facts, removal, now),
            Report::Missing => self.missing(key),
            Report::Failed { message } => self.failed(key, message, now),
            Report::Dropped => {
                let file = self.files.get_mut(&key)?;
                file.chunk = (file.chunk / 2).max(self.limits.chunk_min);
                self.dropped(key, now);
            }
        }
        // What failed during the turn is gone back to now.
        self.settle(key, now);
        None
    }

    /// It is tried again, and told when something else is the matter.
    fn failed(&mut self, key: Key, message: String, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        if file.failure.as_deref() != Some(&message) {
            file.failure = Some(message.as_str().into());
            let path = Arc::clone(&file.path);
            self.tell(Event::Failed { path, message });
        }
        self.pause(key, FAILURE_PAUSE, now);
    }

    fn see(&mut self, key: Key, facts: &Facts, now: Instant) {
        if let Some(file) = self.files.get_mut(&key) {
            file.see(facts, now);
        }
    }

    /// Leaves a file alone for a while, and looks at it again then.
    pub(super) fn pause(&mut self, key: Key, pause: Duration, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        file.paused_until = Some(now + pause);
        self.stir(key, now);
    }

    /// It may be a copy: looks at it again a moment later, or when there is something in it.
    fn postpone(&mut self, key: Key, original: &Sibling, now: Instant) {
        let epoch = self.files.get(&original.key).map(|original| original.epoch);
        if epoch != Some(original.epoch) {
            // It was cut or forgotten while this file was looked at.
            return self.stir(key, now);
        }
        self.undecided.insert(key);
        self.ask(original.key);
        if self.files.get(&key).is_some_and(|file| 0 < file.seen.size) {
            self.pause(key, FAILURE_PAUSE, now);
        }
    }

    /// Looks again at what may be copies, as there is news of a file.
    fn decide(&mut self, now: Instant) {
        for key in std::mem::take(&mut self.undecided) {
            if let Some(file) = self.files.get_mut(&key) {
                file.paused_until = None;
            }
            self.stir(key, now);
        }
    }

    /// Decides where to begin.
    fn identified(&mut self, key: Key, identity: Identity, copy_of: Option<Sibling>, now: Instant) {
        let is_known_from_start = self.limits.starts_at_end && !self.has_memory;
        let is_first = is_known_from_start && self.listings == 1;
        let Some(file) = self.files.get_mut(&key) else { return };
        let end = file.seen.size;
        let at_end = Position { offset: end, anchor: Anchor { end, ..Anchor::default() } };
        let start = if is_first { at_end } else { Position::default() };
        let start = copy_of.as_ref().map_or(start, |original| original.at);
        file.stamp = identity.stamp;
        file.identity = Some(identity);
        self.undecided.remove(&key);
        (file.cursor, file.committed) = (start, start);
        self.unsaved.insert(key);
        let path = Arc::clone(&file.path);
        self.tell(Event::Found { path, offset: start.offset });
        if let Some(Sibling { key: original, epoch, whole_at: None, .. }) = copy_of {
            self.take_over(key, (original, epoch), now);
        }
        self.stir(key, now);
    }

    fn read(&mut self, key: Key, reading: Reading, now: Instant) -> Option<Token> {
        let Reading { facts, path, head, taken } = reading;
        if let Some(path) = &path {
            self.rename(key, path);
        }
        let file = self.files.get_mut(&key)?;
        let unread = file.seen.size.saturating_sub(file.cursor.offset);
        file.see(&facts, now);
        match taken {
            Taken::Cut => {
                self.cut(key, unread, now);
                None
            }
            Taken::Nothing => {
                file.is_dirty = true;
                self.settle(key, now);
                self.rest(key, now);
                None
            }
            Taken::Bytes { cursor, spans, held, is_partial, is_at_end, deadline, is_flushed } => {
                let is_moved = file.cursor.offset < cursor.offset;
                file.adapt(is_at_end, is_moved, &self.limits);
                let is_known_now = file.head.len == 0 && 0 < head.len;
                file.head = head;
                file.cursor = cursor;
                file.held = held;
                file.is_partial = is_partial;
                file.is_flushed |= is_flushed;
                file.is_dirty |= !is_at_end;
                let token = (!spans.is_empty()).then(|| {
                    let token = Token(self.next_token);
                    self.next_token += 1;
                    if file.window.is_empty() {
                        file.answered_at = now;
                    }
                    file.window.push(token, spans);
                    token
                });
                token.map(|token| self.sent.insert(token, (key, file.epoch)));
                if is_known_now {
                    self.decide(now);
                }
                self.settle(key, now);
                self.rest(key, now);
                if let Some(deadline) = deadline {
                    self.wake_by(key, deadline);
                }
                token
            }
        }
    }

    /// The file was cut: what it holds now is new.
    fn cut(&mut self, key: Key, unread: u64, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let path = Arc::clone(&file.path);
        // Nobody has what was held: in a copy, it is read on from there.
        let offset = file.first_held().unwrap_or(file.cursor.offset);
        let before = BeforeCut {
            epoch: file.epoch,
            head: file.head,
            at: Position { offset, ..file.cursor },
            committed: file.committed.offset,
            window: std::mem::take(&mut file.window),
            delivered: std::mem::take(&mut file.delivered),
            unread,
            owed_since: None,
        };
        file.before_cuts.push_front(before);
        file.epoch += 1;
        let end = file.seen.size;
        let start = match self.limits.truncated {
            Truncated::Whole => Position::default(),
            Truncated::NewOnly => {
                Position { offset: end, anchor: Anchor { end, ..Anchor::default() } }
            }
        };
        (file.cursor, file.committed) = (start, start);
        (file.held, file.is_partial, file.is_afresh) = (None, false, true);
        (file.head, file.is_whole) = (Anchor::default(), true);
        self.unsaved.insert(key);
        self.tell(Event::Truncated { path, unread });
        self.wait_for_copy(key, now);
        self.stir(key, now);
        self.decide(now);
    }

    fn missing(&mut self, key: Key) {
        let Some(file) = self.files.get_mut(&key) else { return };
        self.actions.push(super::Action::Close(key));
        file.is_dirty = false;
        if file.identity.is_none() {
            // It was gone before anybody knew what it was.
            return self.forget(key);
        }
        let unread = file.seen.size.saturating_sub(file.cursor.offset);
        let path = Arc::clone(&file.path);
        if file.listed == 0 {
            file.seen.size = file.cursor.offset;
            self.tell(Event::Lost { path, unread });
        } else {
            // Another file has its stamp and its name by now.
            self.replaced(key);
        }
    }

    /// A listing took another file for this one.
    fn replaced(&mut self, key: Key) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let (stamp, path, now) = (file.stamp, Arc::clone(&file.path), file.quiet_since);
        let number = file.listed;
        file.listed = 0;
        let new = self.insert(stamp, path, now);
        if let Some(file) = self.files.get_mut(&new) {
            file.listed = number;
        }
        self.forget(key);
        self.stir(new, now);
    }
}

impl Tracked {
    /// Reads more at a time from a file that is behind, and little from one that is not.
    fn adapt(&mut self, is_at_end: bool, is_moved: bool, limits: &Limits) {
        if !is_at_end {
            self.chunk = (2 * self.chunk).min(limits.chunk_max);
        } else if is_moved {
            self.chunk = limits.chunk_min;
        }
    }
}
