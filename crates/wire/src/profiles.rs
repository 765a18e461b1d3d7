//! Profiles: requests whose items point into a dictionary beside them.
//!
//! Joining or cutting such bytes needs new indices: entries are copied when they are first referred
//! to, equal ones once, and each table begins with its zero value, which index 0 means.
//! Cost: every byte of the profiles and of the entries in use is copied once or twice; what nothing
//! refers to is left behind. Invariant: every index means the same value before and after.

use std::ops::Range;

use crate::rope::{Rope, Writer};
use crate::{Payload, Signal};

mod check;
mod dictionary;
mod reindex;

pub(crate) use check::check;
use dictionary::Dictionary;
use reindex::Merged;

/// Joins requests into one with one dictionary. They must have passed the scan and `check`.
#[must_use]
pub(crate) fn merge(requests: &[Rope]) -> Rope {
    let requests: Vec<_> = requests.iter().map(Rope::to_bytes).collect();
    let dictionaries: Vec<_> = requests.iter().map(|request| Dictionary::of(request)).collect();
    let mut merged = Merged::new();
    for (request, dictionary) in requests.iter().zip(&dictionaries) {
        merged.add(request, dictionary);
    }
    Rope::of(merged.finish().into())
}

/// How many bytes may be copied for each byte of a request that is cut.
///
/// Samples that all refer to one large entry would take it along into every piece.
const COPIES_MAX: usize = 32;
const COPIED_BYTES_MIN: usize = 8 << 20;

/// Cuts the profiles without their dictionary, and gives each piece the entries that it refers to.
///
/// Pieces beyond the bound on copies share the whole dictionary, where their indices still hold.
#[must_use]
pub(crate) fn take_apart(
    payload: &Payload,
    cut: impl FnOnce(&Payload) -> Vec<Payload>,
) -> Vec<Payload> {
    let request = payload.to_bytes();
    let dictionary = Dictionary::of(&request);
    let (profiles, whole) = dictionary::apart(&request);
    let mut room = copies_max(payload);
    let with_dictionary = |piece: Payload| {
        let rope = if 0 < room {
            let mut merged = Merged::new();
            merged.add(&piece.to_bytes(), &dictionary);
            Rope::of(merged.finish().into())
        } else {
            Writer::join(vec![piece.rope().clone(), whole.clone()])
        };
        room = room.saturating_sub(rope.bytes_len());
        Payload::trusted(Signal::Profiles, piece.items(), rope)
    };
    let bare = Payload::trusted(Signal::Profiles, payload.items(), profiles);
    cut(&bare).into_iter().map(with_dictionary).collect()
}

fn copies_max(payload: &Payload) -> usize {
    payload.bytes_len().saturating_mul(COPIES_MAX).max(COPIED_BYTES_MIN)
}

/// Ranges of items that, cut out, take at most `bytes_max` each; an item that alone takes more
/// stands alone. Items that cannot be parted within the bound on copies stay together.
///
/// How much of the dictionary a piece needs is known only when it is cut: halves are tried.
#[must_use]
pub(crate) fn ranges_by_bytes(payload: &Payload, bytes_max: usize) -> Vec<Range<usize>> {
    let mut room = copies_max(payload);
    let mut fitting = Vec::new();
    let mut open = vec![(payload.clone(), 0)];
    while let Some((piece, start)) = open.pop() {
        let items = piece.items();
        if piece.bytes_len() <= bytes_max || items < 2 || room == 0 {
            fitting.push(start..start + items);
            continue;
        }
        let half = items / 2;
        let halves = piece.cut(&[0..half, half..items]);
        let copied: usize = halves.iter().map(Payload::bytes_len).sum();
        room = room.saturating_sub(copied);
        // The first half is looked at first, so that ranges come in order.
        open.extend(halves.into_iter().zip([start, start + half]).rev());
    }
    fitting
}

#[cfg(test)]
mod tests;
