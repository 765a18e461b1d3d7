//! Cut: takes a payload apart at item borders without decoding it.
//!
//! Only the headers of containers that are cut through are written anew; all else is slices.
//! Cost: lengths of containers are walked once per level, some 10 ns an item; a piece below a
//! quarter of the buffers that it would pin is copied out of them.
//! Invariant: an item lands in exactly one piece, under all that was said about it.

use std::ops::Range;

use crate::{Payload, Signal, profiles};

mod assemble;
mod layers;
mod plan;
mod walk;

use assemble::Assembler;
use plan::Planner;

/// One payload for each of `ranges`.
pub(crate) fn pieces(payload: &Payload, ranges: &[Range<usize>]) -> Vec<Payload> {
    check_ranges(ranges);
    take_apart(payload, |payload| assemble(payload, ranges, false))
}

/// One payload with the items of all `ranges`.
pub(crate) fn selection(payload: &Payload, ranges: &[Range<usize>]) -> Payload {
    check_ranges(ranges);
    if ranges.iter().map(Range::len).sum::<usize>() == payload.items() {
        return payload.clone();
    }
    let made = take_apart(payload, |payload| assemble(payload, ranges, true)).pop();
    made.unwrap_or_else(|| Payload::empty(payload.signal()))
}

/// The longest ranges whose pieces take at most `bytes_max`; a larger item stands alone.
pub(crate) fn ranges_by_bytes(payload: &Payload, bytes_max: usize) -> Vec<Range<usize>> {
    if payload.bytes_len() <= bytes_max || payload.items() < 2 {
        return std::iter::once(0..payload.items()).collect();
    }
    if payload.signal() == Signal::Profiles {
        return profiles::ranges_by_bytes(payload, bytes_max);
    }
    let mut planner = Planner::new(bytes_max);
    walk::walk(payload.signal(), &payload.blocks(), &mut planner);
    planner.finish()
}

/// Applies `cut`; each piece of profiles gets a dictionary of its own.
fn take_apart(payload: &Payload, cut: impl FnOnce(&Payload) -> Vec<Payload>) -> Vec<Payload> {
    match payload.signal() {
        Signal::Profiles => profiles::take_apart(payload, cut),
        _ => cut(payload),
    }
}

fn assemble(payload: &Payload, ranges: &[Range<usize>], is_joining: bool) -> Vec<Payload> {
    let blocks = payload.blocks();
    let mut assembler = match is_joining {
        true => Assembler::joining(payload.signal(), &blocks, ranges),
        false => Assembler::new(payload.signal(), &blocks, ranges),
    };
    walk::walk(payload.signal(), &blocks, &mut assembler);
    assembler.finish()
}

fn check_ranges(ranges: &[Range<usize>]) {
    let is_ascending = ranges.windows(2).all(|pair| pair[0].end <= pair[1].start);
    assert!(is_ascending && ranges.iter().all(|range| range.start <= range.end));
}

#[cfg(test)]
mod tests;
