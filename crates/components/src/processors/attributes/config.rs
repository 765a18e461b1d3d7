//! The configuration of the `attributes` processor.

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::processors::actions::{self, Action, ActionWords};
use crate::processors::matching::{MatchWords, Selection};

/// What to do to the attributes of which items.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The actions, in order; at least one.
    pub actions: Vec<ActionWords>,
    /// Only items that match are changed.
    pub include: Option<MatchWords>,
    /// Items that match are not changed.
    pub exclude: Option<MatchWords>,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) actions: Vec<Action>,
    pub(super) selection: Selection,
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let actions = actions::validate("actions", self.actions, &mut faults);
        let include = self.include.map(|words| faults.take("include", words.validate()));
        let exclude = self.exclude.map(|words| faults.take("exclude", words.validate()));
        let selection = Selection {
            include: include.flatten().into_iter().collect(),
            exclude: exclude.flatten().into_iter().collect(),
        };
        faults.or(|| Settings { actions, selection })
    }
}
