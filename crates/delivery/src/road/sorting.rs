//! Sorting: takes an envelope apart by target, at the edge, so that each piece has its own lane.
//!
//! Receipts are split before any piece starts; the answer of a caller is that of all its pieces.

use std::ops::Range;

use pipeline::{Context, Contributor, Envelope, Outcome};
use wire::Payload;

use crate::{Destination, Target, Targets};

/// Says where items go.
pub(super) trait Sorter: Send + Sync {
    fn targets(&self, payload: &Payload, context: &Context) -> Targets;
}

impl<D: Destination> Sorter for D {
    fn targets(&self, payload: &Payload, context: &Context) -> Targets {
        Destination::targets(self, payload, context)
    }
}

/// One piece for each target that has items.
pub(super) fn sorted(
    envelope: Envelope,
    targets: Vec<(Target, Vec<Range<usize>>)>,
) -> Vec<(Target, Envelope)> {
    let Envelope { payload, context, contributors } = envelope;
    let (targets, ranges): (Vec<_>, Vec<_>) = targets.into_iter().unzip();
    let mut contributors_of: Vec<Vec<Contributor>> = targets.iter().map(|_| Vec::new()).collect();
    let shares = shares(&ranges, &contributors);
    for (contributor, share) in contributors.into_iter().zip(shares) {
        let Contributor { receipt, deadline, waiting, trace, charge } = contributor;
        let (of, ranges): (Vec<_>, Vec<_>) = share.into_iter().unzip();
        if of.is_empty() {
            receipt.answer(Outcome::default());
            continue;
        }
        for (target, receipt) in of.into_iter().zip(receipt.sort(&ranges)) {
            let charge = charge.of_part();
            let piece = Contributor { receipt, deadline, waiting, trace, charge };
            contributors_of[target].push(piece);
        }
    }
    let pieces = targets.into_iter().zip(ranges).zip(contributors_of);
    let pieces = pieces.filter(|(_, contributors)| !contributors.is_empty());
    let pieces = pieces.map(|((target, ranges), contributors)| {
        let payload = payload.select(&ranges);
        (target, Envelope { payload, context: context.clone(), contributors })
    });
    pieces.collect()
}

/// What each contributor has in each target: the number of the target, and the items counted from
/// the contributor's first.
type Share = Vec<(usize, Vec<Range<usize>>)>;

fn shares(ranges: &[Vec<Range<usize>>], contributors: &[Contributor]) -> Vec<Share> {
    let mut starts = vec![0];
    for contributor in contributors {
        starts.push(starts[starts.len() - 1] + contributor.receipt.items());
    }
    let mut shares: Vec<Share> = contributors.iter().map(|_| Vec::new()).collect();
    for (target, ranges) in ranges.iter().enumerate() {
        for range in ranges {
            let first = starts.partition_point(|start| *start <= range.start).saturating_sub(1);
            let bounds = starts.windows(2).map(|pair| pair[0]..pair[1]).enumerate();
            let met = bounds.skip(first).take_while(|(_, own)| own.start < range.end);
            for (contributor, own) in met {
                let part = range.start.max(own.start)..range.end.min(own.end);
                if part.is_empty() {
                    continue;
                }
                let part = part.start - own.start..part.end - own.start;
                let share = &mut shares[contributor];
                match share.last_mut() {
                    Some((last, parts)) if *last == target => parts.push(part),
                    _ => share.push((target, vec![part])),
                }
            }
        }
    }
    shares
}
