//! Flight: a group that was written and is being synced, while the next one is gathered and written.
//!
//! Invariant: groups land in the order in which they were written, and each is answered after a sync
//! that began behind its last byte. When a sync or a write fails, nothing behind it is synced either.

use super::group::Group;
use super::{Request, Store};
use crate::segment::Writer;

/// A group that is being synced.
pub(super) struct Flight {
    pub(super) group: Group,
    /// Where its frames end.
    end: u32,
}

impl Store {
    /// Writes all of `requests`; they are answered when [`Store::land`] finds them durable.
    pub(crate) fn stage(&mut self, requests: Vec<Request>) {
        self.is_resting &= requests.is_empty();
        for request in requests {
            match request {
                Request::Append(append) => self.stage_append(append),
                Request::Forget(forget) => self.stage_forget(forget),
                Request::End(stream) => self.stage_end(stream),
                Request::Close => {}
            }
        }
        self.stage_owed();
        self.launch();
    }

    /// Does all of `requests` and answers them.
    pub(crate) fn commit(&mut self, requests: Vec<Request>) {
        self.stage(requests);
        self.flush();
    }

    /// Whether a group is being synced.
    pub(crate) fn is_syncing(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether the next group was written in part or whole.
    pub(crate) fn is_ahead(&self) -> bool {
        !self.group.is_empty()
    }

    /// Whether [`Store::land`] would not wait.
    pub(crate) fn has_synced(&self) -> bool {
        self.flight.is_some() && self.syncer.has_ended()
    }

    /// Waits for the end of the sync under way, begins the next one, and answers.
    pub(crate) fn land(&mut self) {
        let Some(Flight { group, end }) = self.flight.take() else { return };
        match self.syncer.wait() {
            Ok(()) => {
                let writer = self.active.as_mut().expect("it is not left before its groups landed");
                writer.settle(end, true);
                #[cfg(mutants)]
                if self.mutant == Some(super::mutant::Mutant::AnsweredWithTheGroupBefore) {
                    let group = std::mem::take(&mut self.group);
                    self.settle(group);
                }
                self.take_off();
                self.settle(group);
            }
            Err(error) => {
                self.group.prepend(group);
                self.poison(&error);
            }
        }
    }

    /// Makes everything durable that was staged, and answers.
    pub(super) fn flush(&mut self) {
        self.launch();
        while self.is_syncing() {
            self.land();
            self.launch();
        }
    }

    /// Writes what was gathered, and sees to its sync.
    fn launch(&mut self) {
        if let Some(Err(error)) = self.active.as_mut().map(Writer::write) {
            self.land();
            return self.poison(&error);
        }
        self.take_off();
    }

    /// Begins to sync what was written, unless a sync is under way.
    fn take_off(&mut self) {
        if self.flight.is_some() {
            return;
        }
        if self.group.is_empty() {
            // Nothing is owed any more: who waited for that is told.
            let forgets = std::mem::take(&mut self.group.forgets);
            return forgets.into_iter().for_each(|done| done());
        }
        let is_synced = self.is_synced();
        let Some(writer) = self.active.as_mut().filter(|writer| writer.is_clean()) else { return };
        let (group, end) = (std::mem::take(&mut self.group), writer.end());
        self.counts.groups.add(1);
        if is_synced {
            self.syncer.begin(writer.file());
            self.flight = Some(Flight { group, end });
        } else {
            writer.settle(end, false);
            self.settle(group);
        }
    }

    fn is_synced(&self) -> bool {
        #[cfg(mutants)]
        if self.mutant == Some(super::mutant::Mutant::AnsweredBeforeSync) {
            return false;
        }
        self.settings.is_synced
    }
}
