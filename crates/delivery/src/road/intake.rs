//! Intake: takes envelopes over from the edges, or refuses them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{Code, Consumer, Envelope, Need, Refusal, Reservation, Status, Verdict};
use runtime::random::Random;
use wire::Payload;

use super::room::{NoRoom, Room, Slot};
use super::sorting::{self, Sorter};
use super::telemetry::Telemetry;
use super::{Signal, ToOwner};
use crate::engine::Slice;
use crate::settings::{Settings, Sizer};
use crate::{Target, Targets};

/// What a caller is told to wait when there is no room.
const DELAY: Duration = Duration::from_secs(1);

/// An envelope that was handed over, and its room.
pub(super) struct Handed {
    pub(super) envelope: Envelope,
    /// Where all of it goes.
    pub(super) target: Target,
    pub(super) slot: Slot,
    /// The slices of each contributor.
    pub(super) slices: Vec<Vec<Slice>>,
}

pub(super) struct Intake {
    room: Arc<Room>,
    post: ToOwner,
    telemetry: Telemetry,
    random: Random,
    slicing: Slicing,
    /// `None` when everything goes to one target.
    sorter: Option<Arc<dyn Sorter>>,
}

impl Intake {
    pub(super) fn new(
        settings: &Settings,
        room: Arc<Room>,
        post: ToOwner,
        telemetry: Telemetry,
    ) -> Self {
        let slicing = Slicing::new(settings);
        Self { room, post, telemetry, random: Random::entropy(), slicing, sorter: None }
    }

    /// The same, for a destination of several targets.
    pub(super) fn sorting_by(self, sorter: Option<Arc<dyn Sorter>>) -> Self {
        Self { sorter, ..self }
    }

    fn refusal(&self, reason: NoRoom) -> Refusal {
        let delay = self.random.jittered(DELAY, 0.25);
        match reason {
            NoRoom::Closed => Refusal::busy(delay, "the collector is shutting down"),
            NoRoom::QueueFull => Refusal::busy(delay, "sending queue is full"),
            NoRoom::JournalFull => Refusal::busy(delay, "the journal of the queue is full"),
            NoRoom::MemoryFull => {
                Refusal::busy(delay, "the exporter's share of the memory is full")
            }
            NoRoom::TooLarge { size, capacity } => {
                let message = format!(
                    "a request of size {size} is larger than the whole sending queue ({capacity})"
                );
                Refusal::never(Status::new(Code::ResourceExhausted, message))
            }
        }
    }

    /// Hands each target's items over, each with its part of the room.
    fn hand_over_sorted(&self, pieces: Vec<(Target, Envelope)>, mut slot: Slot) {
        let last = pieces.len().saturating_sub(1);
        for (index, (target, piece)) in pieces.into_iter().enumerate() {
            if index == last {
                return self.hand_over(piece, slot, target);
            }
            let (items, bytes) = (piece.payload.items(), piece.payload.bytes_len());
            match slot.try_split(items, bytes) {
                Some(part) => self.hand_over(piece, part, target),
                None => piece.answer_all(&self.refusal(NoRoom::MemoryFull).verdict),
            }
        }
    }

    fn hand_over(&self, envelope: Envelope, slot: Slot, target: Target) {
        let sizes = envelope.contributors.iter().map(|contributor| contributor.receipt.items());
        let slices = self.slicing.of_all(&envelope.payload, sizes);
        if let Err(handed) = self.post.data(Handed { envelope, target, slot, slices }) {
            handed.envelope.answer_all(&self.refusal(NoRoom::Closed).verdict);
        }
    }
}

/// How data is taken apart for batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slicing {
    /// The largest batch, when batches are measured in bytes.
    bytes_max: Option<usize>,
}

impl Slicing {
    pub(super) fn new(settings: &Settings) -> Self {
        let batch = settings.queue.as_ref().and_then(|queue| queue.batch.as_ref());
        let batch = batch.filter(|batch| batch.sizer == Sizer::Bytes);
        Self { bytes_max: batch.map(|batch| batch.max_size.unwrap_or(usize::MAX)) }
    }

    /// The slices of each contributor, who have `sizes` items, in order.
    pub(super) fn of_all(
        self,
        payload: &Payload,
        sizes: impl Iterator<Item = usize>,
    ) -> Vec<Vec<Slice>> {
        let mut start = 0;
        let slices = sizes.map(|items| {
            let range = start..start + items;
            start = range.end;
            self.of(payload, range)
        });
        slices.collect()
    }

    /// The slices of the items of `range`.
    fn of(self, payload: &Payload, range: Range<usize>) -> Vec<Slice> {
        let items = range.len();
        let Some(bytes_max) = self.bytes_max else {
            return vec![Slice { items, weight: items }];
        };
        let own = payload.select(std::slice::from_ref(&range));
        if own.bytes_len() <= bytes_max {
            return vec![Slice { items, weight: own.bytes_len() }];
        }
        let pieces = own.cut(&own.cuts_by_bytes(bytes_max)).into_iter();
        pieces.map(|piece| Slice { items: piece.items(), weight: piece.bytes_len() }).collect()
    }
}

impl Consumer for Intake {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        match self.room.reserve(need) {
            Ok(slot) => Ok(Reservation::Other(Box::new(slot))),
            Err(reason) => {
                self.telemetry.enqueue_failed(need.signal, need.items);
                if reason != NoRoom::Closed && self.room.note_crowded() {
                    self.post.signal(Signal::Crowded);
                }
                Err(self.refusal(reason))
            }
        }
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        let Reservation::Other(slot) = reservation else {
            unreachable!("the intake reserves a slot")
        };
        let slot = *slot.downcast::<Slot>().expect("the intake reserves a slot");
        self.telemetry.enqueued(&envelope.payload);
        let sorter = self.sorter.as_ref();
        match sorter.map(|sorter| sorter.targets(&envelope.payload, &envelope.context)) {
            Some(Targets::Several(targets)) => {
                self.hand_over_sorted(sorting::sorted(envelope, targets), slot);
            }
            Some(Targets::One(target)) => self.hand_over(envelope, slot, target),
            None => self.hand_over(envelope, slot, Target::default()),
        }
    }
}

/// The verdict on what comes too late to be sent.
pub(super) fn closed() -> Verdict {
    Refusal::busy(DELAY, "the collector is shutting down").verdict
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Intake({:?})", self.post)
    }
}
