//! Builds the processor: a road whose destination is the next stage.

use pipeline::factory::{Plans, ProcessorBlueprint};
use pipeline::{Built, Environment, Outlet, StartError};

use super::config::Plan;

impl Plans for Plan {
    fn answers_from_memory(&self) -> bool {
        self.settings.answers_from_memory()
    }
}

impl ProcessorBlueprint for Plan {
    fn build(&self, env: Environment, next: Outlet) -> Result<Built, StartError> {
        Ok(delivery::start_relay(&env, self.settings.clone(), next))
    }
}
