//! Pieces hold the same items as the whole, each with all that was said about it.

use std::ops::Range;

use proptest::prelude::*;
use wire::{Payload, Signal};

use crate::random::Random;
use crate::requests;
use crate::scan::{request, signals};

fn items(payload: &Payload) -> Vec<String> {
    let items = requests::items(payload.signal(), &payload.to_bytes()).unwrap();
    assert_eq!(items.len(), payload.items());
    items
}

fn payload(signal: Signal, seed: u64, size: usize) -> Payload {
    Payload::parse(signal, request(signal, seed, size)).unwrap()
}

fn ranges(random: &mut Random, items: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at <= items {
        let start = at + random.below(3);
        let end = (start + random.below(6)).min(items);
        if start <= end {
            ranges.push(start..end);
        }
        at = end.max(start) + random.below(2) + usize::from(start == end);
    }
    ranges
}

proptest! {
    #[test]
    fn pieces_hold_the_items_of_their_ranges(signal in signals(), seed: u64, size in 1usize..9) {
        let whole = payload(signal, seed, size);
        let all = items(&whole);
        let ranges = ranges(&mut Random::new(!seed), whole.items());
        let pieces = whole.cut(&ranges);
        prop_assert_eq!(pieces.len(), ranges.len());
        for (piece, range) in pieces.iter().zip(&ranges) {
            prop_assert_eq!(&items(piece), &all[range.clone()]);
        }
        let selected: Vec<String> =
            ranges.iter().flat_map(|range| all[range.clone()].iter().cloned()).collect();
        prop_assert_eq!(items(&whole.select(&ranges)), selected);
    }

    #[test]
    fn split_then_merged_is_the_same(signal in signals(), seed: u64, items_max in 1usize..9) {
        let whole = payload(signal, seed, 8);
        let pieces = whole.split_by_items(items_max);
        prop_assert!(pieces.iter().all(|piece| piece.items() <= items_max));
        let merged = Payload::merge(pieces).unwrap();
        prop_assert_eq!(items(&merged), items(&whole));
        let again = merged.split_by_items(items_max);
        prop_assert_eq!(items(&Payload::merge(again).unwrap()), items(&whole));
    }

    #[test]
    fn pieces_keep_to_their_bytes(signal in signals(), seed: u64, bytes_max in 1usize..3000) {
        let whole = payload(signal, seed, 8);
        let cuts = whole.cuts_by_bytes(bytes_max);
        prop_assert_eq!(cuts.first().map(|cut| cut.start), Some(0));
        prop_assert_eq!(cuts.last().map(|cut| cut.end), Some(whole.items()));
        prop_assert!(cuts.windows(2).all(|pair| pair[0].end == pair[1].start));
        for (piece, range) in whole.cut(&cuts).iter().zip(&cuts) {
            prop_assert!(piece.bytes_len() <= bytes_max || range.len() <= 1);
        }
    }
}
