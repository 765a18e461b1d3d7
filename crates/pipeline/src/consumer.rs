//! Consumer: takes envelopes over. Nothing here waits.
//!
//! Handing over is two steps, so that a fan-out hands over to all branches or to none:
//! `reserve` may refuse, `commit` cannot fail.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use runtime::budget::Permit;
use wire::Signal;

use crate::context::Context;
use crate::envelope::Envelope;
use crate::outcome::{Code, Status, Verdict};

/// Takes envelopes over.
pub trait Consumer: Send + Sync {
    /// Sets room aside for an envelope, in this consumer and in all that come after it.
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal>;

    /// Takes the envelope over. Its receipts are answered later, by whoever holds it then.
    fn commit(&self, envelope: Envelope, reservation: Reservation);
}

/// What an envelope needs on its way.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    pub signal: Signal,
    /// Memory that the envelope is charged for.
    pub bytes: usize,
    /// Encoded size of the payload.
    pub bytes_encoded: usize,
    pub items: usize,
    /// The latest deadline of its contributors.
    pub deadline: Instant,
    pub context: &'a Context,
    /// Others are to have the same data: who cannot take it for now refuses it, before they have it.
    pub is_shared: bool,
}

/// Room that was set aside; dropped, it is free again.
#[must_use = "dropping a reservation frees its room"]
pub enum Reservation {
    /// The consumer needs no room of its own.
    Nothing,
    /// Memory of the consumer's share.
    Memory(Permit),
    /// One reservation for each branch of a fan-out, in order.
    Branches(Vec<Reservation>),
    /// The room that the consumer an outlet led to set aside; the envelope must go to that one.
    Ahead(Arc<dyn Consumer>, Box<Reservation>),
    /// Whatever else a consumer sets aside, such as room in a journal.
    Other(Box<dyn Any + Send>),
}

/// Why no room was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub verdict: Verdict,
}

impl Refusal {
    /// There is no room now; try again after `delay`.
    #[must_use]
    pub fn busy(delay: Duration, message: impl Into<Arc<str>>) -> Self {
        let status = Status::new(Code::Unavailable, message);
        Self { verdict: Verdict::RetryAfter { delay: Some(delay), status } }
    }

    /// It can never be taken.
    #[must_use]
    pub fn never(status: Status) -> Self {
        Self { verdict: Verdict::Refused(status) }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Memory(permit) => permit.fmt(f),
            Self::Branches(branches) => f.debug_list().entries(branches).finish(),
            Self::Ahead(_, reservation) => reservation.fmt(f),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

/// Hands an envelope over, or answers it with the refusal. Empty envelopes are answered at once.
pub fn consume(consumer: &dyn Consumer, envelope: Envelope) {
    if envelope.payload.is_empty() {
        return envelope.answer_all(&Verdict::Delivered);
    }
    let Some(deadline) = envelope.deadline() else { return };
    let bytes = envelope.contributors.iter().map(|one| one.charge.bytes()).sum::<usize>();
    let need = Need {
        signal: envelope.payload.signal(),
        bytes: bytes.max(envelope.payload.bytes_len()),
        bytes_encoded: envelope.payload.bytes_len(),
        items: envelope.payload.items(),
        deadline,
        context: &envelope.context,
        is_shared: false,
    };
    match consumer.reserve(&need) {
        Ok(reservation) => consumer.commit(envelope, reservation),
        Err(refusal) => envelope.answer_all(&refusal.verdict),
    }
}

/// Where a component's output goes. It is connected by the graph, and again at each reload;
/// clones are the same outlet.
#[derive(Clone, Debug)]
pub struct Outlet {
    next: Arc<ArcSwap<Arc<dyn Consumer>>>,
}

impl Outlet {
    /// An outlet that leads nowhere yet.
    #[must_use]
    pub fn unconnected() -> Self {
        let nowhere: Arc<dyn Consumer> = Arc::new(Nowhere);
        Self { next: Arc::new(ArcSwap::from_pointee(nowhere)) }
    }

    /// An outlet that leads to `consumer`.
    #[must_use]
    pub fn to(consumer: Arc<dyn Consumer>) -> Self {
        Self { next: Arc::new(ArcSwap::from_pointee(consumer)) }
    }

    /// Leads the outlet to `consumer` from now on.
    pub fn connect(&self, consumer: Arc<dyn Consumer>) {
        self.next.store(Arc::new(consumer));
    }

    /// The consumer it leads to now. A reservation and its commit must use the same one.
    #[must_use]
    pub fn consumer(&self) -> Arc<dyn Consumer> {
        Arc::clone(&self.next.load())
    }

    /// Hands an envelope over; see [`consume`].
    pub fn consume(&self, envelope: Envelope) {
        consume(self.consumer().as_ref(), envelope);
    }
}

/// So that a stage in the middle can pass on what it is asked, whatever it leads to by then.
impl Consumer for Outlet {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        let consumer = self.consumer();
        let reservation = consumer.reserve(need)?;
        Ok(Reservation::Ahead(consumer, Box::new(reservation)))
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        match reservation {
            Reservation::Ahead(consumer, reservation) => consumer.commit(envelope, *reservation),
            _ => unreachable!("an outlet reserves ahead"),
        }
    }
}

/// Where an unconnected outlet leads.
#[derive(Debug)]
struct Nowhere;

impl Consumer for Nowhere {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Err(Refusal::busy(Duration::from_secs(1), "the pipeline is not running"))
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        let status = Status::new(Code::Unavailable, "the pipeline is not running");
        envelope.answer_all(&Verdict::RetryAfter { delay: Some(Duration::from_secs(1)), status });
    }
}
