//! Batch: a list of (member, range) that is sent as one, joined only by the worker that takes it.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::MemberId;
use super::halving::HalfOf;

/// Consecutive items of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) member: MemberId,
    pub(super) range: Range<usize>,
    pub(super) weight: usize,
}

/// Why a pending batch was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The minimum, or the maximum, was reached.
    Size,
    Timer,
    /// A caller waits for this piece only.
    Tail,
    /// Nobody is left who could send company.
    Idle,
    /// The queue is full, or someone waits for room.
    Full,
    Shutdown,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) parts: Vec<Part>,
    pub(super) weight: usize,
    pub(super) cut: Option<Cut>,
    /// Attempts that were started.
    pub(super) attempts: u32,
    pub(super) first_attempt: Option<Instant>,
    /// The last wait between attempts, before jitter.
    pub(super) interval: Option<Duration>,
    pub(super) half_of: Option<HalfOf>,
}

impl Part {
    pub(super) fn items(&self) -> usize {
        self.range.len()
    }

    /// Cuts the first `items` off; the weight is shared in proportion.
    pub(super) fn take_front(&mut self, items: usize) -> Self {
        let weight = self.weight * items / self.items().max(1);
        let front =
            Self { member: self.member, range: self.range.start..self.range.start + items, weight };
        self.range.start += items;
        self.weight -= weight;
        front
    }
}

impl Batch {
    pub(super) fn push(&mut self, part: Part) {
        self.weight += part.weight;
        match self.parts.last_mut() {
            Some(last) if last.member == part.member && last.range.end == part.range.start => {
                last.range.end = part.range.end;
                last.weight += part.weight;
            }
            _ => self.parts.push(part),
        }
    }

    pub(super) fn items(&self) -> usize {
        self.parts.iter().map(Part::items).sum()
    }

    /// How many different members it has; parts of one member stand together.
    pub(super) fn members_len(&self) -> usize {
        let changes = self.parts.windows(2).filter(|pair| pair[0].member != pair[1].member);
        changes.count() + usize::from(!self.parts.is_empty())
    }

    /// Keeps the parts that pass; gives the others.
    pub(super) fn extract(&mut self, mut is_kept: impl FnMut(&Part) -> bool) -> Vec<Part> {
        let (kept, gone) = std::mem::take(&mut self.parts).into_iter().partition(|p| is_kept(p));
        self.parts = kept;
        self.weight = self.parts.iter().map(|part| part.weight).sum();
        gone
    }

    /// Two halves that inherit the clock: between members if there are several, else inside the
    /// only one.
    pub(super) fn halves(mut self) -> [Self; 2] {
        let half = self.items() / 2;
        let is_between_members = 1 < self.members_len();
        let clock = Self { parts: Vec::new(), weight: 0, half_of: None, ..self.clone() };
        let mut halves = [clock.clone(), clock];
        let count = self.parts.len();
        let last = self.parts.last().map(|part| part.member);
        for (index, mut part) in self.parts.drain(..).enumerate() {
            let taken = halves[0].items();
            if is_between_members {
                let must_be_second = index + 1 == count || Some(part.member) == last;
                let continues = halves[0].parts.last().is_some_and(|p| p.member == part.member);
                let is_first = index == 0 || continues || (taken + part.items() <= half);
                let is_first = is_first && halves[1].parts.is_empty() && !must_be_second;
                halves[usize::from(!is_first)].push(part);
            } else {
                let room = half.saturating_sub(taken).min(part.items());
                if 0 < room {
                    halves[0].push(part.take_front(room));
                }
                if 0 < part.items() {
                    halves[1].push(part);
                }
            }
        }
        halves
    }
}
