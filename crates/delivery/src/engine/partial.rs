//! Partial: what a destination says about single items of an attempt.
//!
//! Invariant: items that have ended leave the batch, so that no later attempt has them.

use std::ops::Range;
use std::sync::Arc;

use pipeline::Verdict;

use super::batch::{Batch, Part};
use super::{Ending, Engine, Note};

impl Engine {
    /// Ends the items that a reply names; what it says besides is about those left in `batch`.
    pub(super) fn settle_done(&mut self, batch: &mut Batch, ending: Ending) -> Ending {
        let Ending::Reply(mut reply) = ending else { return ending };
        let mut refused = 0;
        let mut why: Option<Arc<str>> = None;
        for (part, verdict) in take(batch, std::mem::take(&mut reply.done)) {
            if let Verdict::Refused(status) = &verdict {
                refused += part.items() as u64;
                why.get_or_insert_with(|| Arc::clone(&status.message));
            }
            self.settle(part.member, part.range, verdict);
        }
        if let Some(warning) = why {
            self.note(Note::PartialSuccess { rejected: refused, warning });
        }
        if batch.parts.is_empty() {
            // Nothing is left that the verdict could be about.
            reply.verdict = Verdict::Delivered;
        }
        Ending::Reply(reply)
    }
}

/// Takes ranges of the items of `batch` out of it, each with its verdict.
fn take(batch: &mut Batch, done: Vec<(Range<usize>, Verdict)>) -> Vec<(Part, Verdict)> {
    if done.is_empty() {
        return Vec::new();
    }
    let mut taken = Vec::new();
    let mut left = Vec::new();
    let mut done = done.into_iter().peekable();
    let mut start = 0;
    for mut part in std::mem::take(&mut batch.parts) {
        while 0 < part.items() {
            while done.next_if(|(range, _)| range.end <= start).is_some() {}
            let end = start + part.items();
            let next = done.peek().filter(|(range, _)| range.start < end);
            let (items, verdict) = match next {
                Some((range, _)) if start < range.start => (range.start - start, None),
                Some((range, verdict)) => (range.end.min(end) - start, Some(verdict.clone())),
                None => (part.items(), None),
            };
            let front = part.take_front(items);
            start += items;
            match verdict {
                Some(verdict) => taken.push((front, verdict)),
                None => left.push(front),
            }
        }
    }
    for part in left {
        batch.parts.push(part);
    }
    batch.weight = batch.parts.iter().map(|part| part.weight).sum();
    taken
}

#[cfg(test)]
mod tests {
    use pipeline::{Code, Status};

    use super::super::MemberId;
    use super::*;

    fn part(member: u64, range: Range<usize>) -> Part {
        let weight = range.len() * 10;
        Part { member: MemberId(member), range, weight }
    }

    #[test]
    fn items_that_ended_leave_the_batch_and_the_others_keep_their_place() {
        let mut batch = Batch::default();
        for part in [part(1, 3..8), part(2, 0..4)] {
            batch.push(part);
        }
        let refused = Verdict::Refused(Status::new(Code::OutOfRange, "too old"));
        let done = vec![(0..2, Verdict::Delivered), (4..6, refused.clone())];
        let taken = take(&mut batch, done);
        let expected = vec![
            (part(1, 3..5), Verdict::Delivered),
            (part(1, 7..8), refused.clone()),
            (part(2, 0..1), refused),
        ];
        assert_eq!(taken, expected);
        assert_eq!(batch.parts, [part(1, 5..7), part(2, 1..4)]);
        assert_eq!(batch.weight, 50);
    }

    #[test]
    fn ranges_beyond_the_batch_are_nobodys() {
        let mut batch = Batch::default();
        batch.push(part(1, 0..2));
        assert_eq!(take(&mut batch, vec![(1..9, Verdict::Delivered)]).len(), 1);
        assert_eq!(batch.parts, [part(1, 0..1)]);
    }
}
