//! Listed: what a look at all folders changes in what is known.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Event, Key, Phase, Position, Seen, Sibling, Tracked, Tracker};
use crate::receivers::file_log::file_system::Facts;

/// How long a copy that no longer grows waits for its original to be cut.
const COPY_WAIT: Duration = Duration::from_secs(5);

/// The files that the configuration names, as they stand at one moment.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Listing {
    /// Those that are to be followed first come first.
    pub files: Vec<Candidate>,
}

/// A file that the configuration names.
#[derive(Clone, Debug)]
pub(in super::super) struct Candidate {
    pub path: Arc<Path>,
    /// Where it is without symbolic links, when that is another path.
    pub resolved: Option<Arc<Path>>,
    pub facts: Facts,
}

impl Tracker {
    /// Compares a listing with what is known.
    pub(in super::super) fn listed(&mut self, listing: &Listing, now: Instant) {
        if self.is_draining {
            return;
        }
        self.listings += 1;
        for candidate in &listing.files {
            self.note(candidate, now);
        }
        self.note_missing(now);
        self.expire(now);
    }

    fn note(&mut self, candidate: &Candidate, now: Instant) {
        let Candidate { path, resolved, facts } = candidate;
        let key = match self.by_stamp.get(&facts.stamp) {
            Some(key) => *key,
            None => self.insert(facts.stamp, Arc::clone(path), now),
        };
        let number = self.listings;
        let Some(file) = self.files.get_mut(&key) else { return };
        if file.listed == number {
            // The same file under a second name.
            return;
        }
        file.listed = number;
        let seen = Seen { size: facts.size, modified: facts.modified, links: facts.links };
        let is_changed = file.seen != seen || file.identity.is_none();
        if file.path != *path {
            self.rename(key, path);
        }
        self.by_path.insert(Arc::clone(path), key);
        if let Some(resolved) = resolved {
            self.by_path.insert(Arc::clone(resolved), key);
        }
        if let Some(file) = self.files.get_mut(&key) {
            file.resolved.clone_from(resolved);
        }
        if is_changed {
            self.stir(key, now);
        }
    }

    /// The file goes by another name now.
    pub(super) fn rename(&mut self, key: Key, path: &Arc<Path>) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let from = std::mem::replace(&mut file.path, Arc::clone(path));
        if self.by_path.get(&from) == Some(&key) {
            self.by_path.remove(&from);
        }
        self.by_path.insert(Arc::clone(path), key);
        let former = file.former_path.replace(Arc::clone(&from));
        self.forget_former_path(key, former.as_ref());
        self.by_former_path.insert(Arc::clone(&from), key);
        if self.files.get(&key).is_some_and(|file| file.identity.is_some()) {
            self.unsaved.insert(key);
        }
        self.tell(Event::Moved { from, to: Arc::clone(path) });
    }

    pub(super) fn forget_former_path(&mut self, key: Key, path: Option<&Arc<Path>>) {
        if let Some(path) = path.filter(|path| self.by_former_path.get(*path) == Some(&key)) {
            self.by_former_path.remove(path);
        }
    }

    /// Files that had a name in the listing before: they were renamed or removed.
    fn note_missing(&mut self, now: Instant) {
        let missing = self.files.iter_mut().filter(|(_, file)| {
            let was_listed = file.listed + 1 == self.listings && file.listed != 0;
            // What was left by an earlier run is looked for once.
            was_listed || (self.listings == 1 && file.listed == 0)
        });
        let mut keys = Vec::new();
        for (key, file) in missing {
            file.listed = 0;
            keys.push(*key);
        }
        keys.into_iter().for_each(|key| self.stir(key, now));
    }

    /// Forgets what has been nowhere for long.
    fn expire(&mut self, now: Instant) {
        let after = self.limits.forgotten_after;
        let expired = self.files.iter().filter(|(_, file)| {
            let is_idle = file.phase == Phase::Idle && file.window.is_empty();
            is_idle && file.listed == 0 && !file.is_open && file.quiet_since + after <= now
        });
        let keys: Vec<Key> = expired.map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.forget(key));
    }

    /// Files of the same folder that a new one may be a copy of, by their names: rotation appends
    /// to the name, or puts something before its last part.
    pub(super) fn siblings(&self, key: Key, now: Instant) -> Vec<Sibling> {
        let Some(file) = self.files.get(&key).filter(|file| file.identity.is_none()) else {
            return Vec::new();
        };
        let is_waited_for = file.listed == 0 || file.quiet_since + COPY_WAIT <= now;
        let names = original_names(&file.path).into_iter();
        let keys = names.flat_map(|name| {
            let maps = [&self.by_path, &self.by_former_path];
            maps.into_iter().filter_map(move |map| map.get(&*name).copied())
        });
        let originals = keys.filter(|original| *original != key);
        let originals = originals.filter_map(|key| Some((key, self.files.get(&key)?)));
        originals.flat_map(|(key, file)| file.siblings(key, is_waited_for)).collect()
    }
}

impl Tracked {
    /// What a new file may be a copy of: what this one was before it was cut, and what it is now, as it
    /// may be cut in a moment.
    fn siblings(&self, key: Key, is_waited_for: bool) -> Vec<Sibling> {
        let before = self.before_cuts.iter().map(|cut| Sibling {
            key,
            epoch: cut.epoch,
            head: cut.head,
            at: cut.at,
            is_unread: false,
            is_settled: true,
            whole_at: None,
        });
        let is_behind = self.is_dirty || self.phase != Phase::Idle;
        let now = Sibling {
            key,
            epoch: self.epoch,
            head: self.head,
            at: Position { offset: self.committed.offset, ..self.cursor },
            is_unread: is_behind && self.failure.is_none() && !is_waited_for,
            is_settled: is_waited_for && !self.is_asked,
            whole_at: self.identity.clone().map(|identity| (Arc::clone(&self.path), identity)),
        };
        before.chain([now]).collect()
    }
}

/// The names that a rotated copy at `path` may come from.
fn original_names(path: &Path) -> Vec<Box<Path>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let mut names = Vec::new();
    for (at, _) in name.match_indices(['.', '-', '_']).filter(|(at, _)| 0 < *at) {
        names.push(path.with_file_name(&name[..at]).into());
        if let Some((_, extension)) =
            name[at..].rsplit_once('.').filter(|(rest, _)| !rest.is_empty())
        {
            names.push(path.with_file_name(format!("{}.{extension}", &name[..at])).into());
        }
    }
    names
}
