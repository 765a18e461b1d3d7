//! Group: what one write and one sync make durable, and who waits for it.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;

use super::{AppendDone, ForgetDone, Store, refused};
use crate::frame::Kind;
use crate::positions::Place;
use crate::record::Record;
use crate::{Position, StreamId};

/// What one write and one sync make durable.
#[derive(Default)]
pub(crate) struct Group {
    appends: Vec<Staged>,
    declared: Vec<(StreamId, u64)>,
    outcomes: Vec<(u32, Record<'static>, usize)>,
    moves: Vec<Move>,
    pub(super) forgets: Vec<ForgetDone>,
}

struct Staged {
    stream: StreamId,
    position: Position,
    place: Place,
    done: AppendDone,
}

/// A record that gets another place.
struct Move {
    stream: StreamId,
    position: Position,
    from: Place,
    to: Place,
}

impl Group {
    pub(super) fn moved(
        &mut self,
        stream: StreamId,
        position: Position,
        (from, to): (Place, Place),
    ) {
        self.moves.push(Move { stream, position, from, to });
    }

    pub(super) fn appends(&self) -> u64 {
        self.appends.len() as u64
    }

    pub(super) fn declares(&self, stream: StreamId) -> bool {
        self.declared.iter().any(|(declared, _)| *declared == stream)
    }

    /// Whether nothing of it is in the segment.
    pub(super) fn is_empty(&self) -> bool {
        let Self { appends, declared, outcomes, moves, forgets: _ } = self;
        appends.is_empty() && declared.is_empty() && outcomes.is_empty() && moves.is_empty()
    }

    /// Puts what was written before in front.
    pub(super) fn prepend(&mut self, earlier: Self) {
        let later = std::mem::replace(self, earlier);
        self.appends.extend(later.appends);
        self.declared.extend(later.declared);
        self.outcomes.extend(later.outcomes);
        self.moves.extend(later.moves);
        self.forgets.extend(later.forgets);
    }
}

impl Store {
    pub(super) fn push_data(&mut self, record: Record<'_>, body: Vec<Bytes>, done: AppendDone) {
        let Record::Data { stream, position, weight } = record else { return };
        let head = record.encoded();
        let bytes = head.len() + body.iter().map(Bytes::len).sum::<usize>();
        let bytes = u32::try_from(bytes).expect("it was admitted");
        let writer = self.active.as_mut().expect("room was ensured");
        let offset = writer.push(Kind::Data, &head, body);
        let place = Place { segment: writer.number(), offset, bytes, weight };
        self.group.appends.push(Staged { stream, position, place, done });
    }

    pub(super) fn push_declaration(&mut self, stream: StreamId) {
        let index = self.index();
        let Some(known) = index.streams.get(&stream) else { return };
        let (next, name) = (known.next, known.name.clone().unwrap_or_default());
        drop(index);
        let body = Record::Declare { stream, next: Position(next), name: &name }.encoded();
        let writer = self.active.as_mut().expect("room was ensured");
        writer.push(Kind::Declare, &[], vec![body.into()]);
        self.group.declared.push((stream, next));
    }

    pub(super) fn push_outcome(&mut self, target: u32, record: Record<'static>) {
        let body = record.encoded();
        let bytes = body.len();
        let writer = self.active.as_mut().expect("room was ensured");
        writer.push(record.kind(), &[], vec![body.into()]);
        self.group.outcomes.push((target, record, bytes));
    }

    /// Answers for a group that is durable.
    pub(super) fn settle(&mut self, group: Group) {
        let Group { appends, declared, outcomes, forgets, moves } = group;
        let active = self.active.as_ref().expect("it was written");
        let (segment, bytes) = (active.number(), active.bytes_used());
        let index = Arc::clone(&self.index);
        let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(segment) = index.segments.get_mut(&segment) {
            segment.bytes = bytes;
        }
        for (stream, next) in declared {
            if let Some(known) = index.streams.get_mut(&stream) {
                known.declared_in.insert(segment);
                if known.next == next {
                    known.proven_in = segment;
                }
            }
        }
        for staged in &appends {
            index.insert(staged.stream, staged.position, staged.place);
        }
        for (target, _, bytes) in outcomes {
            index.add_outcome(segment, target, bytes);
        }
        for Move { stream, position, from, to } in moves {
            // Who was forgotten meanwhile is forgotten in the new place, too.
            let is_alive = index.place(stream, position) == Some(from);
            let dead = if is_alive { index.insert(stream, position, to) } else { Some(to) };
            if let Some(dead) = dead {
                self.owed.forget(dead.segment, stream, position);
            }
        }
        drop(index);
        if self.group.is_empty() && !self.is_syncing() {
            self.nexts.clear();
        }
        self.counts.appended.add(appends.len() as u64);
        for staged in appends {
            (staged.done)(Ok(staged.position));
        }
        forgets.into_iter().for_each(|done| done());
    }

    /// Gives a segment up that the disk failed to take a group of; who waited for that or for what
    /// stands behind it is told to retry.
    pub(super) fn poison(&mut self, error: &std::io::Error) {
        debug_assert!(!self.is_syncing(), "a sync under way is waited for");
        if !self.abandon_active() {
            return;
        }
        self.nexts.clear();
        self.counts.poisoned.add(1);
        let Group { appends, outcomes, forgets, .. } = std::mem::take(&mut self.group);
        for (_, record, _) in &outcomes {
            self.owed.restore(record);
        }
        self.waiting_forgets.extend(forgets);
        tracing::error!(
            volume = self.volume.name(),
            %error,
            refused = appends.len(),
            "A segment of the journal could not be written; a new one is opened.",
        );
        self.counts.refused.add(appends.len() as u64);
        for staged in appends {
            (staged.done)(Err(refused(error)));
        }
    }
}
