//! Turns: who waits for room for one more request, first come, first served.
//!
//! Bounds: one place for each caller that waits.

use std::collections::VecDeque;
use std::task::Waker;

#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: VecDeque<(u64, Waker)>,
    next: u64,
}

impl Turns {
    /// Whether it is the turn of `ticket`, or of somebody who has none yet.
    pub(super) fn is_next(&self, ticket: Option<u64>) -> bool {
        self.waiting.front().map(|(first, _)| *first) == ticket
    }

    /// Waits on; gives a ticket to who has none.
    pub(super) fn wait(&mut self, ticket: Option<u64>, waker: &Waker) -> u64 {
        if let Some(ticket) = ticket {
            let place = self.waiting.iter_mut().find(|(other, _)| *other == ticket);
            place.into_iter().for_each(|(_, old)| old.clone_from(waker));
            return ticket;
        }
        let ticket = self.next;
        self.next += 1;
        self.waiting.push_back((ticket, waker.clone()));
        ticket
    }

    pub(super) fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|(other, _)| *other != ticket);
    }

    /// There may be room.
    pub(super) fn wake_first(&self) {
        self.waiting.front().into_iter().for_each(|(_, waker)| waker.wake_by_ref());
    }

    /// There will be no more room.
    pub(super) fn wake_all(&self) {
        self.waiting.iter().for_each(|(_, waker)| waker.wake_by_ref());
    }
}
