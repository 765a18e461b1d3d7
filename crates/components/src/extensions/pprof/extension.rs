//! The blueprint of the reserved `pprof` extension.

use std::sync::Arc;

use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Environment, Extension, StartError};

use super::config::Settings;
use crate::extensions::offer::Offer;

impl Plans for Settings {}

impl ExtensionBlueprint for Settings {
    fn build(&self, _env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        Ok(Arc::new(Offer::default()))
    }
}
