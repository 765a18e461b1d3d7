//! Tracked: what is known of one file.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Limits, Record, Standing};
use crate::receivers::file_log::file_system::Facts;
use crate::receivers::file_log::identity::{Anchor, Identity, Position, Stamp};
use crate::receivers::file_log::split::Flush;
use crate::receivers::file_log::window::{SENT_MAX, Span, Window};

/// How long the last line of a file that was rotated away may wait for its end.
const ROTATED_LINE_MAX: Duration = Duration::from_secs(1);

/// One file.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) stamp: Stamp,
    /// Nothing until its first turn.
    pub(super) identity: Option<Identity>,
    pub(super) path: Arc<Path>,
    /// The name that it had before.
    pub(super) former_path: Option<Arc<Path>>,
    /// Its path without symbolic links, when that is another one.
    pub(super) resolved: Option<Arc<Path>>,
    pub(super) seen: Seen,
    pub(super) phase: Phase,
    /// It may hold more than was read.
    pub(super) is_dirty: bool,
    /// What may be a copy of it waits to hear whether it was cut.
    pub(super) is_asked: bool,
    pub(super) is_open: bool,
    /// Another file needs its place.
    pub(super) is_released: bool,
    /// It was delivered whole, and is to be removed.
    pub(super) is_removing: bool,
    /// We removed it.
    pub(super) is_removed: bool,
    /// All of it that has ended was delivered.
    pub(super) is_whole: bool,
    /// Why it could not be read the last time.
    pub(super) failure: Option<Box<str>>,
    /// The number of the last listing that named it.
    pub(super) listed: u64,
    pub(super) epoch: u32,
    pub(super) cursor: Position,
    pub(super) committed: Position,
    pub(super) head: Anchor,
    /// What it was before it was cut; the last few times.
    pub(super) before_cuts: VecDeque<BeforeCut>,
    pub(super) held: Option<u64>,
    pub(super) is_partial: bool,
    /// What waited was passed on since the last byte came.
    pub(super) is_flushed: bool,
    pub(super) is_afresh: bool,
    pub(super) window: Window,
    /// Delivered already, though something before them is read again.
    pub(super) delivered: Arc<[Span]>,
    pub(super) standing: Standing,
    /// When its last answer came; when it was sent, if it is the first one.
    pub(super) answered_at: Instant,
    pub(super) chunk: usize,
    pub(super) quiet_since: Instant,
    pub(super) paused_until: Option<Instant>,
    pub(super) wake: Option<Instant>,
    pub(super) failures: u32,
    pub(super) failing_since: Option<Instant>,
    /// Why something of it was not accepted the last time.
    pub(super) objection: Option<Box<str>>,
    pub(super) delay: Option<Duration>,
    /// The number of its last turn, by which open files are closed.
    pub(super) turn: u64,
}

/// What a file was until it was cut. A copy that was made before takes over what is on its way.
#[derive(Debug)]
pub(super) struct BeforeCut {
    pub(super) epoch: u32,
    /// Its beginning.
    pub(super) head: Anchor,
    /// Where it was read to; what was held there is in nobody's hands.
    pub(super) at: Position,
    pub(super) committed: u64,
    pub(super) window: Window,
    pub(super) delivered: Arc<[Span]>,
    /// Bytes that were seen and not read, at least.
    pub(super) unread: u64,
    /// Since when only a copy can still give what failed or was not read.
    pub(super) owed_since: Option<Instant>,
}

impl BeforeCut {
    /// What was on its way when the earlier run ended is in nobody's hands.
    fn restored(epoch: u32, at: Position) -> Self {
        Self {
            epoch,
            head: Anchor::default(),
            at,
            committed: at.offset,
            window: Window::default(),
            delivered: Arc::default(),
            unread: 0,
            owed_since: None,
        }
    }

    /// Whether only a copy can still give something of it.
    pub(super) fn is_owed(&self) -> bool {
        0 < self.unread || self.window.has_failed()
    }

    /// Where a copy is to be read on when nothing else is known of it.
    fn resumed_at(&self) -> Position {
        Position { offset: self.committed, ..self.at }
    }
}

/// What was last seen of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) modified: u64,
    pub(super) links: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Idle,
    Queued,
    Busy,
}

impl Tracked {
    pub(super) fn record(&self) -> Option<Record> {
        let identity = self.identity.clone()?;
        let (path, is_whole) = (Arc::clone(&self.path), self.is_whole);
        let copies = self.before_cuts.iter().map(BeforeCut::resumed_at).collect();
        Some(Record { identity, path, position: self.committed, is_whole, copies })
    }

    /// Takes over from an earlier run where copies are to be read on, the newest first.
    pub(super) fn restore_cuts(&mut self, copies: &[Position]) {
        for copy in copies.iter().rev() {
            self.before_cuts.push_front(BeforeCut::restored(self.epoch, *copy));
            self.epoch += 1;
        }
    }

    /// Whether nothing more of it may be sent for now.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.window.is_full(match self.standing {
            Standing::Proven => SENT_MAX,
            Standing::Trial => limits.trial_max,
        })
    }

    /// Whether it is not to be read for now, however much it holds.
    pub(super) fn is_held_up(&self, limits: &Limits, now: Instant) -> bool {
        self.is_full(limits) || self.paused_until.is_some_and(|until| now < until)
    }

    /// It has to show that it is taken.
    pub(super) fn put_on_trial(&mut self, limits: &Limits) {
        (self.standing, self.chunk) = (Standing::Trial, limits.chunk_min);
    }

    /// The first byte that was read and is not in a payload yet.
    pub(super) fn first_held(&self) -> Option<u64> {
        Some(self.held?.clamp(self.committed.offset, self.cursor.offset))
    }

    /// Begins again with what was read and is in nobody's hands.
    pub(super) fn restart(&mut self) {
        self.cursor.offset = self.first_held().unwrap_or(self.cursor.offset);
        self.held = None;
        (self.is_partial, self.is_afresh, self.is_dirty) = (false, true, true);
    }

    /// When what waits for its end is to be passed on without.
    pub(super) fn flush_at(&self, limits: &Limits) -> Option<Instant> {
        let is_rotated = self.is_rotated();
        // Operators let go of what they hold in their own time, unless nothing can come any more.
        let is_waiting = self.is_partial || (is_rotated && self.held.is_some());
        if !is_waiting || self.is_flushed {
            return None;
        }
        let rotated = is_rotated.then_some(ROTATED_LINE_MAX);
        let after = [limits.flush_after, rotated].into_iter().flatten().max()?;
        Some(self.quiet_since + after)
    }

    pub(super) fn flush(&self) -> Flush {
        if self.is_rotated() { Flush::End } else { Flush::Quiet }
    }

    fn is_rotated(&self) -> bool {
        self.listed == 0 || self.seen.links == 0
    }

    pub(super) fn see(&mut self, facts: &Facts, now: Instant) {
        let seen = Seen { size: facts.size, modified: facts.modified, links: facts.links };
        if seen.size != self.seen.size {
            (self.quiet_since, self.is_flushed) = (now, false);
        }
        self.seen = seen;
    }
}
