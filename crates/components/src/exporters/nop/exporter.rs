//! The consumer behind the `nop` exporter.

use std::sync::Arc;

use pipeline::factory::{ExporterBlueprint, Plans};
use pipeline::{
    Built, Consumer, Envelope, Environment, Need, Refusal, Reservation, StartError, Verdict,
};

use super::config::Config;

impl Plans for Config {}

impl ExporterBlueprint for Config {
    fn build(&self, _env: Environment) -> Result<Built, StartError> {
        Ok(Built::stateless(Arc::new(Discard)))
    }
}

#[derive(Debug)]
struct Discard;

impl Consumer for Discard {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        envelope.answer_all(&Verdict::Delivered);
    }
}
