//! The configuration of the `nop` exporter: nothing.

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

/// Takes no keys.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

impl Words for Config {
    type Settings = Self;

    fn validate(self, _gates: &Gates) -> Result<Self, Faults> {
        Ok(self)
    }
}
