//! The configuration of the `resource` processor.

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::processors::actions::{self, Action, ActionWords};

/// What to do to the attributes of each resource.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The actions, in order; at least one.
    pub attributes: Vec<ActionWords>,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) actions: Vec<Action>,
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let actions = actions::validate("attributes", self.attributes, &mut faults);
        faults.or(|| Settings { actions })
    }
}
