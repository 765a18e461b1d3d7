//! Meter: counts the items that are handed on, before and behind each processor.

use std::sync::Arc;

use config::ComponentId;
use runtime::metrics::{Counter, Registry};
use wire::Signal;

use crate::consumer::{Consumer, Need, Refusal, Reservation};
use crate::envelope::Envelope;

/// The upstream names of what goes into a processor and what comes out of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Incoming,
    Outgoing,
}

/// Counts on the way to a consumer.
#[derive(Debug)]
pub(super) struct Meter {
    inner: Arc<dyn Consumer>,
    items: Counter,
}

impl Meter {
    /// A meter on one side of processor `id` in a pipeline of `signal`.
    pub(super) fn before(
        inner: Arc<dyn Consumer>,
        side: Side,
        registry: &Registry,
        (id, signal): (&ComponentId, Signal),
    ) -> Arc<dyn Consumer> {
        let (name, about) = match side {
            Side::Incoming => {
                ("otelcol_processor_incoming_items", "Number of items passed to the processor.")
            }
            Side::Outgoing => {
                ("otelcol_processor_outgoing_items", "Number of items emitted from the processor.")
            }
        };
        let labels = vec![("processor", id.to_string()), ("otel_signal", signal.name().to_owned())];
        Arc::new(Self { inner, items: registry.counter(name, about, labels) })
    }
}

impl Consumer for Meter {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        self.inner.reserve(need)
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        self.items.add(envelope.payload.items() as u64);
        self.inner.commit(envelope, reservation);
    }
}
