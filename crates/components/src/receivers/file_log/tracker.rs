//! Tracker: knows every file, what of it is on its way, and which one is to be read next.
//!
//! Pure: listings, hints, reports of turns and outcomes go in, turns and [`Action`]s come out.
//! Owner: the tailer's task. Bounds: open files, payloads on their way a file; a file that does not
//! move costs an entry and no more. Invariant: a file has one turn at a time, and its committed
//! position never passes what has not ended.

mod cuts;
mod listed;
mod removal;
mod rest;
mod schedule;
mod standing;
mod tracked;
mod turned;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::Outcome;

use super::identity::{Anchor, Identity, Position, Stamp};
use super::split::Flush;
use super::window::{Ended, Span, Token, Window};

pub(super) use listed::{Candidate, Listing};
pub(super) use removal::Removal;
use schedule::Opening;
use standing::Line;
pub(super) use standing::Standing;
use tracked::{Phase, Seen, Tracked};
pub(super) use turned::{Reading, Report, Taken};

/// How long a renamed file is followed after its last byte.
const RENAMED_GRACE: Duration = Duration::from_secs(60);
/// How long a removed file is followed after its last byte.
const REMOVED_GRACE: Duration = Duration::from_secs(5);
/// How many delivered spans are remembered while a part before them is read again.
const DELIVERED_MAX: usize = 4096;
/// How long a file waits for memory at most, before it is tried again.
const MEMORY_PAUSE: Duration = Duration::from_millis(50);
/// How many open files are looked at to find one that can be closed.
const EVICTIONS_TRIED: usize = 64;

/// What the user decides.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub starts_at_end: bool,
    pub open_max: usize,
    /// How many times `open_max` files may be opened in one `poll_interval`.
    pub batches_max: Option<usize>,
    /// How often a file that no listing names is looked at, among other things.
    pub poll_interval: Duration,
    /// How long the last line may wait for its end.
    pub flush_after: Option<Duration>,
    pub chunk_min: usize,
    pub chunk_max: usize,
    /// How many payloads of a file may be on their way while none of it was delivered.
    pub trial_max: usize,
    pub retry: Retry,
    pub truncated: Truncated,
    /// How long after its last byte a file is removed that was delivered whole.
    pub removed_after: Option<Duration>,
    /// How long the position of a file that is nowhere is kept.
    pub forgotten_after: Duration,
}

/// When what was not accepted is read again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub initial: Duration,
    pub max: Duration,
    /// After that it is given up, and counted.
    pub give_up: Option<Duration>,
}

/// Where to read on in a file that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truncated {
    Whole,
    NewOnly,
}

/// Names a file for as long as the receiver runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub u64);

/// Where a file was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub identity: Identity,
    pub path: Arc<Path>,
    pub position: Position,
    /// Everything before the position was delivered, and nothing refused or given up.
    pub is_whole: bool,
    /// Where to read on in copies that were made before it was cut; the newest first.
    pub copies: Vec<Position>,
}

/// What the owner is to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Close the file; its entry stays.
    Close(Key),
    /// Close it and drop all that is kept for it.
    Drop(Key),
    /// The position of this file is of no use any more.
    Forget(Identity),
    Tell(Event),
}

/// What operators want to hear of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    Found {
        path: Arc<Path>,
        offset: u64,
    },
    /// `unread` bytes at least were not read yet, which a copy may give.
    Truncated {
        path: Arc<Path>,
        unread: u64,
    },
    Moved {
        from: Arc<Path>,
        to: Arc<Path>,
    },
    /// It is nowhere any more, or was cut and is in no copy, and `unread` bytes were not read.
    Lost {
        path: Arc<Path>,
        unread: u64,
    },
    Failed {
        path: Arc<Path>,
        message: String,
    },
    /// It was delivered whole, and is there no more.
    Removed {
        path: Arc<Path>,
    },
    /// What was sent failed after the file had been cut or given up.
    Dropped {
        path: Arc<Path>,
        records: u64,
    },
    Again {
        path: Arc<Path>,
        records: u64,
        delay: Duration,
        message: String,
        /// All of the file that had been sent before was accepted.
        is_first: bool,
    },
    /// All of it that had failed was accepted, so long after it failed first.
    Accepted {
        path: Arc<Path>,
        after: Duration,
    },
    Refused {
        path: Arc<Path>,
        records: u64,
        message: String,
    },
}

/// What to do with one file next.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub key: Key,
    pub path: Arc<Path>,
    pub goal: Goal,
    /// What was begun with earlier bytes is to be dropped before.
    pub is_afresh: bool,
}

/// What a turn is for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// Find out what it is.
    Identify { stamp: Stamp, siblings: Vec<Sibling> },
    Read {
        identity: Identity,
        at: Position,
        head: Anchor,
        bytes_max: usize,
        /// What waits for its end is to be passed on without.
        flush: Option<Flush>,
        /// Delivered already.
        skip: Arc<[Span]>,
    },
    /// Close it, if it still has a name, and the size up to which it was read.
    Release { size: Option<u64> },
    /// Remove it from where it is found, if it holds `length` bytes.
    Remove { identity: Identity, length: u64 },
}

/// A file that a new one may be a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sibling {
    pub key: Key,
    /// How often it was cut by then.
    pub epoch: u32,
    pub head: Anchor,
    /// Where to read on in a copy.
    pub at: Position,
    /// Nobody knows yet what it holds.
    pub is_unread: bool,
    /// It was cut since, or there is no use in waiting for that.
    pub is_settled: bool,
    /// Where its bytes are, unless it was cut.
    pub whole_at: Option<(Arc<Path>, Identity)>,
}

/// All files.
#[derive(Debug)]
pub(super) struct Tracker {
    limits: Limits,
    /// Boxed: nodes of a tree that grows at its end are half empty.
    files: BTreeMap<Key, Box<Tracked>>,
    by_stamp: HashMap<Stamp, Key>,
    by_path: HashMap<Arc<Path>, Key>,
    /// By the name that a file had before its last one.
    by_former_path: HashMap<Arc<Path>, Key>,
    /// By standing.
    lines: [Line; 2],
    wakes: BTreeSet<(Instant, Key)>,
    /// Open files by their last turn.
    open: BTreeSet<(u64, Key)>,
    opening: Opening,
    sent: HashMap<Token, (Key, u32)>,
    /// Files that may be copies of others, which may be cut.
    undecided: BTreeSet<Key>,
    unsaved: BTreeSet<Key>,
    /// Their positions are being written.
    saving: BTreeSet<Key>,
    actions: Vec<Action>,
    listings: u64,
    next_key: u64,
    next_token: u64,
    next_turn: u64,
    busy: usize,
    has_memory: bool,
    is_draining: bool,
}

impl Tracker {
    /// A tracker of files that were left at `records`.
    pub(super) fn new(limits: Limits, records: Vec<Record>, now: Instant) -> Self {
        let mut tracker = Self {
            limits,
            files: BTreeMap::new(),
            by_stamp: HashMap::new(),
            by_path: HashMap::new(),
            by_former_path: HashMap::new(),
            lines: [Line::default(), Line::default()],
            wakes: BTreeSet::new(),
            open: BTreeSet::new(),
            opening: Opening::new(now),
            sent: HashMap::new(),
            undecided: BTreeSet::new(),
            unsaved: BTreeSet::new(),
            saving: BTreeSet::new(),
            actions: Vec::new(),
            listings: 0,
            next_key: 0,
            next_token: 0,
            next_turn: 0,
            busy: 0,
            has_memory: !records.is_empty(),
            is_draining: false,
        };
        for record in records {
            let key = tracker.insert(record.identity.stamp, record.path, now);
            if let Some(file) = tracker.files.get_mut(&key) {
                file.identity = Some(record.identity);
                (file.cursor, file.committed) = (record.position, record.position);
                file.is_whole = record.is_whole;
                file.seen.size = record.position.offset;
                file.restore_cuts(&record.copies);
            }
        }
        tracker
    }

    /// The file at `path` may have changed. Says whether it is known.
    pub(super) fn changed(&mut self, path: &Path, now: Instant) -> bool {
        let Some(key) = self.by_path.get(path).copied() else { return false };
        self.stir(key, now);
        true
    }

    /// The next file of this standing to be read, which is busy from now on.
    pub(super) fn next_turn(&mut self, standing: Standing, now: Instant) -> Option<Turn> {
        let key = self.next_key(standing, now)?;
        let siblings = self.siblings(key, now);
        let (limits, file) = (&self.limits, self.files.get_mut(&key)?);
        file.phase = Phase::Busy;
        self.busy += 1;
        if std::mem::take(&mut file.is_released) {
            let size = (!file.is_dirty).then_some(file.cursor.offset);
            let (path, goal) = (Arc::clone(&file.path), Goal::Release { size });
            return Some(Turn { key, path, goal, is_afresh: false });
        }
        if std::mem::take(&mut file.is_removing) {
            let identity = file.identity.clone()?;
            let (path, length) = (Arc::clone(&file.path), file.cursor.offset);
            let goal = Goal::Remove { identity, length };
            return Some(Turn { key, path, goal, is_afresh: false });
        }
        file.is_dirty = false;
        // It is only to be known whether it was cut.
        let is_held_up = file.is_held_up(limits, now);
        let goal = match &file.identity {
            None => Goal::Identify { stamp: file.stamp, siblings },
            Some(identity) => Goal::Read {
                identity: identity.clone(),
                at: file.cursor,
                head: file.head,
                bytes_max: if is_held_up { 0 } else { file.chunk },
                flush: file.flush_at(limits).filter(|at| *at <= now).map(|_| file.flush()),
                skip: Arc::clone(&file.delivered),
            },
        };
        let is_afresh = std::mem::take(&mut file.is_afresh);
        Some(Turn { key, path: Arc::clone(&file.path), goal, is_afresh })
    }

    /// A payload ended.
    pub(super) fn answered(&mut self, token: Token, outcome: &Outcome, now: Instant) -> Ended {
        let Some((key, epoch)) = self.sent.remove(&token) else { return Ended::default() };
        let Some(file) = self.files.get_mut(&key).filter(|file| file.epoch == epoch) else {
            return self.answered_late((key, epoch), token, outcome, now);
        };
        let ended = file.window.answer(token, outcome);
        file.answered_at = now;
        if ended.again == 0 {
            file.standing = Standing::Proven;
        } else {
            file.put_on_trial(&self.limits);
        }
        file.delay = file.delay.max(ended.delay);
        let (path, message) = (Arc::clone(&file.path), ended.message.clone().unwrap_or_default());
        if 0 < ended.again {
            file.objection = Some(message.as_str().into());
        }
        if 0 < ended.refused {
            file.is_whole = false;
            let refused = Event::Refused { path, records: ended.refused, message };
            self.actions.push(Action::Tell(refused));
        }
        self.settle(key, now);
        ended
    }

    /// What was begun with the bytes of a file was dropped for want of memory.
    pub(super) fn dropped(&mut self, key: Key, now: Instant) {
        if let Some(file) = self.files.get_mut(&key) {
            file.restart();
        }
        self.pause(key, MEMORY_PAUSE, now);
    }

    /// Takes nothing new from now on.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
        for key in self.lines.each_mut().into_iter().flat_map(Line::take) {
            if let Some(file) = self.files.get_mut(&key) {
                (file.phase, file.is_released, file.is_removing) = (Phase::Idle, false, false);
            }
        }
    }

    /// Whether nothing is being read and nothing is on its way.
    pub(super) fn is_quiet(&self) -> bool {
        self.busy == 0 && self.sent.is_empty()
    }

    /// How many files are open.
    pub(super) fn open_files(&self) -> usize {
        self.open.len()
    }

    /// How many files are being read.
    pub(super) fn reading_files(&self) -> usize {
        self.busy
    }

    /// How many payloads are on their way.
    pub(super) fn in_flight(&self) -> usize {
        self.sent.len()
    }

    /// How many files are known.
    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    /// What is to be done, in order.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Positions that moved since they were last taken, at most `max`; they are being written until
    /// [`Tracker::saved`].
    pub(super) fn take_unsaved(&mut self, max: usize) -> Vec<Record> {
        let mut records = Vec::new();
        while records.len() < max {
            let Some(key) = self.unsaved.pop_first() else { break };
            records.extend(self.files.get(&key).and_then(|file| file.record()));
            self.saving.insert(key);
        }
        records
    }

    /// Positions were written, but for those of `identities`, which are to be written again.
    pub(super) fn saved(&mut self, identities: &[Identity]) {
        self.saving.clear();
        let keys = identities.iter().filter_map(|identity| self.by_stamp.get(&identity.stamp));
        let keys: Vec<Key> = keys.copied().collect();
        self.unsaved.extend(keys);
    }

    /// Whether a file could be read if there were room to open it.
    pub(super) fn is_waiting(&self) -> bool {
        self.lines.iter().any(|line| !line.unopened.is_empty())
    }

    /// Whether the file of this payload is not read on before something is answered.
    pub(super) fn is_blocked(&self, token: Token) -> bool {
        let file = self.sent.get(&token).and_then(|(key, _)| self.files.get(key));
        file.is_some_and(|file| file.is_full(&self.limits))
    }

    pub(super) fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// When [`Tracker::wake`] has something to do.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// A file that is read afresh, or known from earlier.
    fn insert(&mut self, stamp: Stamp, path: Arc<Path>, now: Instant) -> Key {
        let key = Key(self.next_key);
        self.next_key += 1;
        self.by_stamp.insert(stamp, key);
        self.by_path.insert(Arc::clone(&path), key);
        let file = Tracked {
            stamp,
            identity: None,
            path,
            former_path: None,
            resolved: None,
            seen: Seen { links: 1, ..Seen::default() },
            phase: Phase::Idle,
            is_dirty: true,
            is_asked: false,
            is_open: false,
            is_released: false,
            is_removing: false,
            is_removed: false,
            is_whole: true,
            failure: None,
            listed: 0,
            epoch: 0,
            cursor: Position::default(),
            committed: Position::default(),
            head: Anchor::default(),
            before_cuts: VecDeque::new(),
            held: None,
            is_partial: false,
            is_flushed: false,
            is_afresh: true,
            window: Window::default(),
            delivered: Arc::default(),
            standing: Standing::Trial,
            answered_at: now,
            chunk: self.limits.chunk_min,
            quiet_since: now,
            paused_until: None,
            wake: None,
            failures: 0,
            failing_since: None,
            objection: None,
            delay: None,
            turn: 0,
        };
        self.files.insert(key, Box::new(file));
        key
    }

    fn tell(&mut self, event: Event) {
        self.actions.push(Action::Tell(event));
    }
}
