//! Window: what of one file is on its way, and up to where everything has ended.
//!
//! Pure. Owner: the file's entry in the tracker. Bounds: `SENT_MAX` payloads at a time.
//! Invariant: the committed position never passes a byte whose record was neither delivered nor
//! refused for good.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use pipeline::{Outcome, Verdict};

/// How many payloads of one file may be on their way.
pub(super) const SENT_MAX: usize = 8;

/// The bytes of a file that one record was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub start: u64,
    pub end: u64,
}

/// Names a payload that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Token(pub u64);

/// The payloads of one file that are on their way, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Window {
    sent: VecDeque<Sent>,
}

#[derive(Debug)]
struct Sent {
    token: Token,
    spans: Vec<Span>,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    /// Which of the items ended; all of them when there is no list.
    Answered {
        is_done: Option<Vec<bool>>,
    },
}

/// What an outcome means for a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub delivered: u64,
    pub refused: u64,
    /// To be read again.
    pub again: u64,
    /// Of those, the ones that may have been delivered.
    pub unknown: u64,
    pub delay: Option<Duration>,
    /// What was said about what did not go well.
    pub message: Option<String>,
}

impl Window {
    /// Notes that a payload with a record for each of `spans` is on its way.
    pub(super) fn push(&mut self, token: Token, spans: Vec<Span>) {
        self.sent.push_back(Sent { token, spans, state: State::Waiting });
    }

    /// Notes how the items of a payload ended.
    pub(super) fn answer(&mut self, token: Token, outcome: &Outcome) -> Ended {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.token == token) else {
            return Ended::default();
        };
        let mut is_done = vec![false; sent.spans.len()];
        let ended = judge(outcome, &mut is_done);
        // A record may end for several reasons at once: what no verdict names is not done.
        let is_done = is_done.contains(&false).then_some(is_done);
        sent.state = State::Answered { is_done };
        ended
    }

    /// Whether no more may be sent for now, when `sent_max` payloads may be on their way.
    pub(super) fn is_full(&self, sent_max: usize) -> bool {
        sent_max <= self.sent.len() || self.has_failed()
    }

    /// The payloads that have no answer yet.
    pub(super) fn waiting(&self) -> Vec<Token> {
        let waiting = self.sent.iter().filter(|sent| matches!(sent.state, State::Waiting));
        waiting.map(|sent| sent.token).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Whether something is to be read again.
    pub(super) fn has_failed(&self) -> bool {
        self.sent.iter().any(|sent| matches!(sent.state, State::Answered { is_done: Some(_) }))
    }

    /// Whether a payload has no answer yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.sent.iter().any(|sent| matches!(sent.state, State::Waiting))
    }

    /// The offset up to which everything has ended, when the file was read up to `cursor`, and `held`
    /// is the first byte that is still in somebody's hands. `committed` is the last answer.
    pub(super) fn commit(&mut self, committed: u64, cursor: u64, held: Option<u64>) -> u64 {
        while self.sent.pop_front_if(|sent| sent.is_done()).is_some() {}
        let open = self.sent.iter().filter_map(Sent::first_open);
        open.chain(held).fold(cursor, u64::min).max(committed)
    }

    /// Ends the window: gives the spans at `from` or later that ended, in order, at most `spans_max`.
    pub(super) fn take_done(&mut self, from: u64, spans_max: usize) -> Vec<Span> {
        let sent = std::mem::take(&mut self.sent);
        // Several records may come of the same bytes: those are done when all of them are.
        let open: HashSet<Span> = sent.iter().flat_map(Sent::open).collect();
        let done = sent.iter().flat_map(Sent::done);
        let done = done.filter(|span| from <= span.start && !open.contains(span));
        let mut done: Vec<Span> = done.take(spans_max).collect();
        done.sort_unstable();
        done.dedup();
        done
    }

    /// How many records have not ended.
    pub(super) fn open_items(&self) -> u64 {
        self.sent.iter().map(|sent| sent.open().count() as u64).sum()
    }

    /// Forgets the payloads of which something failed; gives how many records that are.
    pub(super) fn take_failed(&mut self) -> u64 {
        let is_failed = |sent: &Sent| matches!(sent.state, State::Answered { is_done: Some(_) });
        let failed = self.sent.iter().filter(|sent| is_failed(sent));
        let items = failed.map(|sent| sent.open().count() as u64).sum();
        self.sent.retain(|sent| !is_failed(sent));
        items
    }
}

impl Sent {
    fn is_done(&self) -> bool {
        matches!(self.state, State::Answered { is_done: None })
    }

    fn is_item_done(&self, item: usize) -> bool {
        match &self.state {
            State::Waiting => false,
            State::Answered { is_done: None } => true,
            State::Answered { is_done: Some(is_done) } => is_done.get(item).copied() == Some(true),
        }
    }

    fn done(&self) -> impl Iterator<Item = Span> {
        let items = self.spans.iter().enumerate();
        items.filter(|(item, _)| self.is_item_done(*item)).map(|(_, span)| *span)
    }

    fn open(&self) -> impl Iterator<Item = Span> {
        let items = self.spans.iter().enumerate();
        items.filter(|(item, _)| !self.is_item_done(*item)).map(|(_, span)| *span)
    }

    /// The first byte of what has not ended.
    fn first_open(&self) -> Option<u64> {
        self.open().map(|span| span.start).min()
    }
}

/// Marks the items that ended, and sums up the outcome.
fn judge(outcome: &Outcome, is_done: &mut [bool]) -> Ended {
    let mut ended = Ended { refused: outcome.rejected, ..Ended::default() };
    // The worst verdict on an item counts: branches answer for the same items.
    let mut worst = vec![0u8; is_done.len()];
    for (range, verdict) in &outcome.parts {
        let rank = match verdict {
            Verdict::Delivered => 1,
            Verdict::Refused(status) => {
                ended.message.get_or_insert_with(|| status.to_string());
                2
            }
            Verdict::Unknown(status) => {
                ended.message = Some(status.to_string());
                3
            }
            Verdict::RetryAfter { delay, status } => {
                ended.delay = ended.delay.max(*delay);
                ended.message = Some(status.to_string());
                4
            }
        };
        for item in worst.get_mut(range.clone()).unwrap_or_default() {
            *item = (*item).max(rank);
        }
    }
    for (is_done, worst) in is_done.iter_mut().zip(worst) {
        *is_done = matches!(worst, 1 | 2);
        match worst {
            1 => ended.delivered += 1,
            2 => ended.refused += 1,
            _ => ended.again += 1,
        }
        ended.unknown += u64::from(worst == 3);
    }
    ended.delivered = ended.delivered.saturating_sub(outcome.rejected);
    ended
}

#[cfg(test)]
mod tests;
