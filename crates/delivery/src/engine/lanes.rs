//! Lanes: which exist. What the use of one costs does not depend on how many there are.
//!
//! Found by number and by key without a search, put in order of age only when one has to go.
//! Bounds: see `eviction`; one word for each of the most that ever were.
//! Invariant: the number of a lane that went finds nothing; whatever lane holds something is stirred.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;

use super::LaneKey;
use super::lane::Lane;

/// The number of a lane, and where it stands. Lower numbers are of older lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneId {
    number: u64,
    place: usize,
}

#[derive(Clone)]
pub(super) struct Lanes {
    places: Vec<Option<Box<Lane>>>,
    /// Places without a lane.
    free: Vec<usize>,
    by_key: HashMap<Arc<LaneKey>, LaneId, Seeded>,
    /// By the time they were last used, or an earlier one.
    by_age: BTreeSet<(Instant, LaneId)>,
    /// Places of lanes that were changed since they were last seen at rest, a bit each.
    stirred: Vec<u64>,
    next: u64,
}

impl Lanes {
    /// No lanes. Nobody who does not know `seed` can choose keys that are slow to find.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::with_hasher(Seeded(seed)),
            by_age: BTreeSet::new(),
            stirred: Vec::new(),
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn get(&self, id: &LaneId) -> Option<&Lane> {
        self.places.get(id.place)?.as_deref().filter(|lane| lane.id == *id)
    }

    pub(super) fn get_mut(&mut self, id: &LaneId) -> Option<&mut Lane> {
        let lane = self.places.get_mut(id.place)?.as_deref_mut().filter(|lane| lane.id == *id)?;
        self.stirred[id.place / BITS] |= bit(id.place);
        Some(lane)
    }

    /// The lane that takes what has this key.
    pub(super) fn find(&self, key: &LaneKey) -> Option<LaneId> {
        self.by_key.get(key).copied()
    }

    /// A new lane, which takes what has this key.
    pub(super) fn open(&mut self, key: LaneKey, now: Instant) -> LaneId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.stirred.resize(self.places.len().div_ceil(BITS), 0);
        let id = LaneId { number: self.next, place };
        self.next += 1;
        let key = Arc::new(key);
        self.by_key.insert(Arc::clone(&key), id);
        self.by_age.insert((now, id));
        self.places[place] = Some(Box::new(Lane::new(id, key, now)));
        id
    }

    /// The lane is used at `now`.
    pub(super) fn touch(&mut self, id: LaneId, now: Instant) {
        if let Some(lane) = self.get_mut(&id) {
            lane.last_used = now;
        }
    }

    /// The lane that was not used for longest, and when it was.
    pub(super) fn oldest(&mut self) -> Option<(Instant, LaneId)> {
        loop {
            let (listed_at, id) = self.by_age.first().copied()?;
            let last_used = self.get(&id).map_or(listed_at, |lane| lane.last_used);
            if last_used == listed_at {
                return Some((last_used, id));
            }
            self.relist(id, last_used);
        }
    }

    /// No lane was last used before.
    pub(super) fn used_since(&self) -> Option<Instant> {
        self.by_age.first().map(|(listed_at, _)| *listed_at)
    }

    /// The lane takes nothing more, and does not age.
    pub(super) fn retire(&mut self, id: LaneId) {
        let Some(lane) = self.places.get(id.place).and_then(Option::as_deref) else { return };
        self.by_age.remove(&(lane.listed_at, id));
        if self.by_key.get(&lane.key) == Some(&id) {
            self.by_key.remove(&lane.key);
        }
    }

    /// The lane goes.
    pub(super) fn close(&mut self, id: LaneId) -> Option<Box<Lane>> {
        self.get(&id)?;
        self.retire(id);
        self.free.push(id.place);
        self.stirred[id.place / BITS] &= !bit(id.place);
        self.places[id.place].take()
    }

    /// All numbers, in order.
    pub(super) fn ids(&self) -> Vec<LaneId> {
        let mut ids: Vec<_> = self.places.iter().flatten().map(|lane| lane.id).collect();
        ids.sort_unstable();
        ids
    }

    /// All lanes, to put them at rest.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
        self.places.iter_mut().flatten().map(Box::as_mut)
    }

    /// Those that are not at rest, in any order.
    pub(super) fn busy(&mut self) -> Vec<LaneId> {
        let places = &self.places;
        let mut busy = Vec::new();
        for (word, bits) in self.stirred.iter_mut().enumerate() {
            let mut left = *bits;
            while left != 0 {
                let place = word * BITS + left.trailing_zeros() as usize;
                left &= left - 1;
                let lane = places.get(place).and_then(Option::as_deref);
                match lane.filter(|lane| !lane.is_at_rest()) {
                    Some(lane) => busy.push(lane.id),
                    None => *bits &= !bit(place),
                }
            }
        }
        busy
    }

    fn relist(&mut self, id: LaneId, at: Instant) {
        let Some(lane) = self.places.get_mut(id.place).and_then(Option::as_deref_mut) else {
            return;
        };
        self.by_age.remove(&(lane.listed_at, id));
        self.by_age.insert((at, id));
        lane.listed_at = at;
    }
}

impl fmt::Debug for Lanes {
    /// Shows the lanes and not where they stand, which is nobody's concern.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lanes = self.ids().into_iter().filter_map(|id| self.get(&id));
        f.debug_list().entries(lanes).finish()
    }
}

const BITS: usize = u64::BITS as usize;

fn bit(place: usize) -> u64 {
    1 << (place % BITS)
}

/// Hashes keys, which clients choose, in a way that depends on a secret.
#[derive(Clone, Debug)]
struct Seeded(u64);

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}

#[cfg(test)]
mod tests;
