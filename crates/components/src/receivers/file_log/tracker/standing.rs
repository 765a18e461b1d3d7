//! Standing: files whose payloads are delivered are kept apart from those of which nobody knows.
//!
//! A file is on trial until a payload of it was delivered, and again when one was not: it has one small
//! payload on its way at a time, and all such files together half of the memory. So however many targets
//! take nothing, the files of the others are read on. When memory is short all the same, payloads that
//! have no answer for long are withdrawn, so that everybody gets a turn.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::{Key, Token, Tracker};

/// How long a file may be without an answer before its payloads are withdrawn for others.
const SILENT_MAX: Duration = Duration::from_secs(5);

/// Whether what was read of a file last was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Standing {
    Proven,
    Trial,
}

/// Files of one standing that are to be read.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) ready: VecDeque<Key>,
    /// Those that wait until another file can be closed.
    pub(super) unopened: VecDeque<Key>,
}

impl Standing {
    pub(in super::super) const ALL: [Self; 2] = [Self::Proven, Self::Trial];
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.unopened.len()
    }

    pub(super) fn take(&mut self) -> impl Iterator<Item = Key> + use<> {
        let Self { ready, unopened } = std::mem::take(self);
        ready.into_iter().chain(unopened)
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.ready.retain(|other| *other != key);
        self.unopened.retain(|other| *other != key);
    }
}

impl Tracker {
    pub(super) fn line(&mut self, standing: Standing) -> &mut Line {
        &mut self.lines[standing as usize]
    }

    /// Puts a file at the end of its line.
    pub(super) fn queue(&mut self, key: Key) {
        let standing = self.files.get(&key).map_or(Standing::Trial, |file| file.standing);
        self.line(standing).ready.push_back(key);
    }

    /// How many bytes the next turn of a file of this standing reads at most; `None` without one.
    pub(in super::super) fn bytes_next(&self, standing: Standing) -> Option<usize> {
        let Line { ready, unopened } = &self.lines[standing as usize];
        let next = ready.front().into_iter().chain(unopened.front());
        next.filter_map(|key| self.files.get(key)).map(|file| file.chunk).max()
    }

    /// Payloads that are to be withdrawn, because files of this standing find no memory: of files that
    /// had no answer for long, the longest first, those behind the first one, or else the first.
    pub(in super::super) fn withdraw(&mut self, standing: Standing, now: Instant) -> Vec<Token> {
        let wanted = self.lines[standing as usize].len();
        let on_their_way: BTreeSet<Key> = self.sent.values().map(|(key, _)| *key).collect();
        let mut silent: Vec<(Instant, Key)> = Vec::new();
        for key in on_their_way {
            let Some(file) = self.files.get_mut(&key) else { continue };
            if file.standing == standing && file.answered_at + SILENT_MAX <= now {
                silent.push((file.answered_at, key));
            }
        }
        silent.sort_unstable();
        let mut withdrawn = Vec::new();
        for (_, key) in silent.into_iter().take(wanted) {
            let Some(file) = self.files.get_mut(&key) else { continue };
            let waiting = file.window.waiting();
            let behind = waiting.get(1..).filter(|behind| !behind.is_empty());
            withdrawn.extend(behind.unwrap_or(&waiting));
            file.put_on_trial(&self.limits);
        }
        withdrawn
    }
}
