//! The configuration of the `zpages` extension.

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::extensions::endpoint;

/// Where the pages are to be served.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Host and port to listen on.
    pub endpoint: String,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub endpoint: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { endpoint: "localhost:55679".to_owned() }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        endpoint::check(&self.endpoint, &mut faults);
        faults.or(|| Settings { endpoint: self.endpoint })
    }
}
