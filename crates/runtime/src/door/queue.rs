//! Queue: who waits at a door, and whose turn it is (deficit round robin over peers).
//!
//! Pure. Each round gives every waiting peer the same number of bytes to be admitted; what it does
//! not use stays with it as long as it waits. Within a peer the order is that of arrival.
//! Bounds: waiters in number and in bytes. Invariant: a peer is in the round if and only if it waits.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// One who waits.
pub(super) type Ticket = u64;

/// What one peer may be admitted a round.
const QUANTUM: usize = 64 << 10;

/// The waiters of one door.
#[derive(Debug)]
pub(super) struct Queue {
    waiters_max: usize,
    bytes_max: usize,
    waiters: usize,
    bytes: usize,
    next_ticket: Ticket,
    round: VecDeque<Arc<str>>,
    peers: HashMap<Arc<str>, Peer>,
    tickets: HashMap<Ticket, Arc<str>>,
}

#[derive(Debug, Default)]
struct Peer {
    /// Bytes that may be admitted before the turn passes on.
    deficit: usize,
    waiting: BTreeMap<Ticket, usize>,
}

impl Peer {
    fn first(&self) -> (Ticket, usize) {
        let (ticket, bytes) = self.waiting.first_key_value().expect("a peer in the round waits");
        (*ticket, *bytes)
    }
}

impl Queue {
    pub(super) fn new(waiters_max: usize, bytes_max: usize) -> Self {
        Self {
            waiters_max,
            bytes_max,
            waiters: 0,
            bytes: 0,
            next_ticket: 0,
            round: VecDeque::new(),
            peers: HashMap::new(),
            tickets: HashMap::new(),
        }
    }

    pub(super) fn waiters(&self) -> usize {
        self.waiters
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters == 0
    }

    /// Queues a request of `peer`; `None` when the queue is full.
    pub(super) fn push(&mut self, peer: &str, bytes: usize) -> Option<Ticket> {
        let has_room = bytes <= self.bytes_max.saturating_sub(self.bytes);
        if self.waiters_max <= self.waiters || !has_room {
            return None;
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiters += 1;
        self.bytes += bytes;
        let name = self.name(peer);
        self.peers.entry(Arc::clone(&name)).or_default().waiting.insert(ticket, bytes);
        self.tickets.insert(ticket, name);
        Some(ticket)
    }

    /// Whose turn it is, and for how many bytes. It stays so until that one is removed.
    pub(super) fn first(&mut self) -> Option<(Ticket, usize)> {
        if self.round.is_empty() {
            return None;
        }
        if let Some(found) = self.turn() {
            return Some(found);
        }
        // Nobody can go within two rounds: give at once what those up to the last would give.
        let rounds = self.rounds_needed();
        for peer in self.peers.values_mut() {
            peer.deficit += (rounds - 1) * QUANTUM;
        }
        self.turn()
    }

    /// Removes the one whose turn it was: it was admitted, which uses up its bytes.
    pub(super) fn admitted(&mut self, ticket: Ticket) {
        let Some(name) = self.tickets.get(&ticket).cloned() else { return };
        if let Some(bytes) = self.remove(ticket)
            && let Some(peer) = self.peers.get_mut(&name)
        {
            peer.deficit = peer.deficit.saturating_sub(bytes);
        }
    }

    /// Removes one who no longer waits.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<usize> {
        let name = self.tickets.remove(&ticket)?;
        let peer = self.peers.get_mut(&name).expect("a ticket belongs to a waiting peer");
        let bytes = peer.waiting.remove(&ticket).expect("a ticket stands in its peer's line");
        self.waiters -= 1;
        self.bytes -= bytes;
        if peer.waiting.is_empty() {
            self.peers.remove(&name);
            self.round.retain(|other| *other != name);
        }
        Some(bytes)
    }

    /// The shared name of `peer`, who joins the round if it does not wait yet.
    fn name(&mut self, peer: &str) -> Arc<str> {
        if let Some((name, _)) = self.peers.get_key_value(peer) {
            return Arc::clone(name);
        }
        let name: Arc<str> = Arc::from(peer);
        self.round.push_back(Arc::clone(&name));
        name
    }

    /// Passes the turn on, at most twice around, to a peer that may go.
    fn turn(&mut self) -> Option<(Ticket, usize)> {
        for _ in 0..2 * self.round.len() {
            let peer = self.round.front().and_then(|name| self.peers.get_mut(name))?;
            let (ticket, bytes) = peer.first();
            if bytes <= peer.deficit {
                return Some((ticket, bytes));
            }
            // The bytes of the next round are given at the end of the turn, so that asking again
            // gives nobody more.
            peer.deficit += QUANTUM;
            self.round.rotate_left(1);
        }
        None
    }

    /// How many more rounds it takes until the first peer may go.
    fn rounds_needed(&self) -> usize {
        let rounds = self.peers.values().map(|peer| {
            let (_, bytes) = peer.first();
            bytes.saturating_sub(peer.deficit).div_ceil(QUANTUM)
        });
        rounds.min().unwrap_or(1).max(1)
    }
}

#[cfg(test)]
mod tests;
