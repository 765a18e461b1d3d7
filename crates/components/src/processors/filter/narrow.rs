//! Narrow: who is still owed an answer after items were dropped.

use std::ops::Range;

use pipeline::{Contributor, Verdict};

/// Narrows the contributors to the `kept` items; those without any are answered as delivered.
pub(super) fn contributors(all: Vec<Contributor>, kept: &[Range<usize>]) -> Vec<Contributor> {
    let mut start = 0;
    let mut remaining = Vec::with_capacity(all.len());
    for mut contributor in all {
        let items = contributor.receipt.items();
        let own = within(kept, start..start + items);
        start += items;
        match own.iter().map(Range::len).sum::<usize>() {
            0 => contributor.receipt.answer_all(Verdict::Delivered),
            all if all == items => remaining.push(contributor),
            _ => {
                contributor.receipt = contributor.receipt.narrow(&own);
                remaining.push(contributor);
            }
        }
    }
    remaining
}

/// The ranges of the first list that remain when only `inner` of what it keeps is kept.
pub(super) fn compose(outer: &[Range<usize>], inner: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut composed = Vec::new();
    for range in outer {
        let own = within(inner, start..start + range.len());
        composed.extend(own.iter().map(|own| range.start + own.start..range.start + own.end));
        start += range.len();
    }
    composed
}

/// The parts of `ranges` inside `window`, counted from its start. There may be as many ranges as
/// items, and as many windows: only those that overlap are looked at.
fn within(ranges: &[Range<usize>], window: Range<usize>) -> Vec<Range<usize>> {
    let first = ranges.partition_point(|range| range.end <= window.start);
    let overlapping = ranges[first..].iter().take_while(|range| range.start < window.end);
    let cut = overlapping.map(|range| {
        let (start, end) = (range.start.max(window.start), range.end.min(window.end));
        start - window.start..end - window.start
    });
    cut.filter(|range| !range.is_empty()).collect()
}
