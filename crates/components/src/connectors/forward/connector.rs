//! The consumer behind the `forward` connector.

use std::sync::Arc;

use pipeline::factory::{ConnectorBlueprint, Plans};
use pipeline::{
    Built, Code, Consumer, Envelope, Environment, Need, Outlets, Refusal, Reservation, StartError,
    Status, Verdict,
};
use wire::Signal;

use super::config::Config;

impl Plans for Config {}

impl ConnectorBlueprint for Config {
    fn build(&self, _env: Environment, outlets: Outlets) -> Result<Built, StartError> {
        Ok(Built::stateless(Arc::new(Forward { outlets })))
    }
}

/// Passes every envelope to the outlet of its signal.
#[derive(Debug)]
struct Forward {
    outlets: Outlets,
}

impl Consumer for Forward {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        match self.outlets.of(need.signal) {
            Some(outlet) => outlet.reserve(need),
            None => Err(Refusal::never(not_taken(need.signal))),
        }
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        let signal = envelope.payload.signal();
        match self.outlets.of(signal) {
            Some(outlet) => outlet.commit(envelope, reservation),
            None => envelope.answer_all(&Verdict::Refused(not_taken(signal))),
        }
    }
}

fn not_taken(signal: Signal) -> Status {
    Status::new(Code::Unimplemented, format!("no pipeline takes {signal} from this connector"))
}
