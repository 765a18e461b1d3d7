//! Gate: stands before a component and tells when nobody can reach it any more.
//!
//! Outlets, fan-outs and hand-overs under way hold the gate; the graph lets go of it when it leads
//! the outlets elsewhere. When the last one lets go, nothing can be handed over any more, so the
//! component can end without turning anything away.

use std::sync::Arc;
use std::time::Instant;

use runtime::channel::{self, Ends, LatestReceiver, LatestSender};
use runtime::clock::Clock;

use crate::component::{Built, Component};
use crate::consumer::{Consumer, Need, Refusal, Reservation};
use crate::envelope::Envelope;

/// A component behind its gate.
#[derive(Clone, Debug)]
pub(super) struct Gated {
    pub(super) component: Arc<dyn Component>,
    pub(super) gate: Arc<dyn Consumer>,
    unreachable: LatestReceiver<()>,
}

/// The way into a component.
#[derive(Debug)]
struct Gate {
    inner: Arc<dyn Consumer>,
    /// Dropped with the gate, which is what [`Gated::retire`] waits for.
    _held: LatestSender<()>,
}

impl From<Built> for Gated {
    fn from(built: Built) -> Self {
        let (held, unreachable) = channel::latest(Ends { from: "outlets", to: "graph" }, ());
        let gate = Arc::new(Gate { inner: built.consumer, _held: held });
        Self { component: built.component, gate, unreachable }
    }
}

impl Gated {
    /// Ends the component once nobody can reach it any more, or else at `deadline`.
    pub(super) async fn retire(self, clock: Clock, deadline: Instant) {
        let Self { component, gate, mut unreachable } = self;
        drop(gate);
        let let_go = async { while unreachable.changed().await.is_some() {} };
        // At the deadline it ends all the same; what still comes is told to come again.
        clock.by(deadline, let_go).await.ok();
        component.drain(deadline);
        component.close(deadline).await;
    }
}

impl Consumer for Gate {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        self.inner.reserve(need)
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        self.inner.commit(envelope, reservation);
    }
}
