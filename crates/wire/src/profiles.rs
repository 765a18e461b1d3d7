//! Profiles: requests whose items point into a dictionary beside them.
//!
//! Joining or cutting such bytes needs new indices: entries are copied when they are first referred
//! to, equal ones once, and each table begins with its zero value, which index 0 means.
//! Cost: every byte of the profiles and of the entries in use is copied once or twice; what nothing
//! refers to is left behind. Invariant: every index means the same value before and after.

use std::ops::Range;

use crate::rope::Rope;
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

/// Cuts the profiles without their dictionary, and gives each piece the entries that it refers to.
#[must_use]
pub(crate) fn take_apart(
    payload: &Payload,
    cut: impl FnOnce(&Payload) -> Vec<Payload>,
) -> Vec<Payload> {
    let request = payload.to_bytes();
    let dictionary = Dictionary::of(&request);
    let bare =
        Payload::trusted(Signal::Profiles, payload.items(), dictionary::left_out_of(&request));
    let with_dictionary = |piece: Payload| {
        let mut merged = Merged::new();
        merged.add(&piece.to_bytes(), &dictionary);
        Payload::trusted(Signal::Profiles, piece.items(), Rope::of(merged.finish().into()))
    };
    cut(&bare).into_iter().map(with_dictionary).collect()
}

/// How many bytes may be copied to find where to cut, for each byte of the request.
///
/// Samples that all refer to one large entry would take it along into every piece.
const COPIES_MAX: usize = 32;
const COPIED_BYTES_MIN: usize = 8 << 20;

/// Ranges of items that, cut out, take at most `bytes_max` each; an item that alone takes more
/// stands alone, and so do items that cannot be parted for less than `COPIES_MAX`.
///
/// How much of the dictionary a piece needs is known only when it is cut: halves are tried.
#[must_use]
pub(crate) fn ranges_by_bytes(payload: &Payload, bytes_max: usize) -> Vec<Range<usize>> {
    let mut room = payload.bytes_len().saturating_mul(COPIES_MAX).max(COPIED_BYTES_MIN);
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
