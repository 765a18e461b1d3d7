//! Stage: a processor that changes payloads on the way and holds nothing.

use pipeline::{Consumer, Envelope, Need, Outlet, Refusal, Reservation};

/// Changes envelopes; cheap enough to be done where they are handed over.
pub(super) trait Edit: Send + Sync + 'static {
    /// The changed envelope, or nothing when it was answered instead.
    fn edit(&self, envelope: Envelope) -> Option<Envelope>;
}

/// An edit in front of what comes next.
#[derive(Debug)]
pub(super) struct Stage<E> {
    pub(super) edit: E,
    pub(super) next: Outlet,
}

impl<E: Edit> Consumer for Stage<E> {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        self.next.reserve(need)
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        if let Some(envelope) = self.edit.edit(envelope) {
            self.next.commit(envelope, reservation);
        }
    }
}
