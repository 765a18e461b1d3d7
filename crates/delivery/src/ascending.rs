//! Ascending: values under numbers that are given out in order and mostly end in order.
//!
//! Found by their place, without a search, and removed without moving others. What stays while many
//! come and go moves to a tree. Bounds: when one comes, four times as many places as there are values,
//! and [`PLACES_MIN`].
//! Invariant: what is in the tree has lower numbers than what has a place.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound;

/// Places that are kept however few values there are.
const PLACES_MIN: usize = 64;
/// Places for each value.
const PLACES_PER_VALUE: usize = 4;

/// A map that is fast for what is young.
#[derive(Clone)]
pub(crate) struct Ascending<K, V> {
    old: BTreeMap<K, V>,
    /// The number of the first place.
    first: u64,
    places: VecDeque<Option<(K, V)>>,
    /// Values that have a place.
    young: usize,
}

impl<K, V> Default for Ascending<K, V> {
    fn default() -> Self {
        Self { old: BTreeMap::new(), first: 0, places: VecDeque::new(), young: 0 }
    }
}

impl<K: Copy + Ord + Into<u64>, V> Ascending<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.place_of(key) {
            Some(place) => self.places.get(place)?.as_ref().map(|(_, value)| value),
            None => self.old.get(key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.place_of(key) {
            Some(place) => self.places.get_mut(place)?.as_mut().map(|(_, value)| value),
            None => self.old.get_mut(key),
        }
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Keeps a value; gives the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.places.is_empty() {
            self.first = self.first.max(key.into());
        }
        let Some(place) = self.place_of(&key) else { return self.old.insert(key, value) };
        if self.places.len() <= place {
            self.make_place(place);
        }
        // Places may have moved away from the front.
        let Some(place) = self.place_of(&key) else { return self.old.insert(key, value) };
        let before = self.places[place].replace((key, value));
        self.young += usize::from(before.is_none());
        before.map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let Some(place) = self.place_of(key) else { return self.old.remove(key) };
        let (_, value) = self.places.get_mut(place)?.take()?;
        self.young -= 1;
        while self.places.front().is_some_and(Option::is_none) {
            self.drop_first();
        }
        Some(value)
    }

    /// The value of `key`, made if there is none.
    pub(crate) fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        if !self.contains_key(&key) {
            self.insert(key, value());
        }
        self.get_mut(&key).expect("it was inserted")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.young == 0 && self.old.is_empty()
    }

    /// All, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let young = self.places.iter().flatten().map(|(key, value)| (*key, value));
        self.old.iter().map(|(key, value)| (*key, value)).chain(young)
    }

    /// Those with lower numbers than `key`, or all; the highest first.
    pub(crate) fn before(&self, key: Option<K>) -> impl Iterator<Item = (K, &V)> {
        let places = self.places.len();
        let end = key.map_or(places, |key| self.place_of(&key).unwrap_or(0).min(places));
        let young = self.places.range(..end).rev().flatten().map(|(key, value)| (*key, value));
        let old = self.old.range((Bound::Unbounded, key.map_or(Bound::Unbounded, Bound::Excluded)));
        young.chain(old.rev().map(|(key, value)| (*key, value)))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Where it stands, or would stand; `None` if it is older than the first place.
    fn place_of(&self, key: &K) -> Option<usize> {
        let number: u64 = (*key).into();
        let place = number.checked_sub(self.first)?;
        Some(usize::try_from(place).unwrap_or(usize::MAX))
    }

    /// Adds places up to `place`; what is far behind moves to the tree.
    fn make_place(&mut self, place: usize) {
        let places_max = PLACES_MIN.max((self.young + 1) * PLACES_PER_VALUE);
        let mut missing = place - self.places.len() + 1;
        while places_max < self.places.len() + missing && !self.places.is_empty() {
            self.drop_first();
        }
        if self.places.is_empty() {
            self.first += (missing - 1) as u64;
            missing = 1;
        }
        self.places.extend((0..missing).map(|_| None));
    }

    fn drop_first(&mut self) {
        if let Some(Some((key, value))) = self.places.pop_front() {
            self.old.insert(key, value);
            self.young -= 1;
        }
        self.first += 1;
        if self.places.is_empty() {
            self.places.shrink_to(PLACES_MIN);
        }
    }
}

impl<K: Copy + Ord + Into<u64> + fmt::Debug, V: fmt::Debug> fmt::Debug for Ascending<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
