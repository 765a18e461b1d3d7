//! The configuration of the `pprof` extension.

use std::path::PathBuf;

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::extensions::endpoint;

/// What to profile and where to serve it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Host and port to listen on.
    pub endpoint: String,
    /// One in this many blocking events is profiled; 0 means none.
    pub block_profile_fraction: u32,
    /// One in this many contended locks is profiled; 0 means none.
    pub mutex_profile_fraction: u32,
    /// A file that the processor profile is saved to at the end.
    pub save_to_file: PathBuf,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub endpoint: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: "localhost:1777".to_owned(),
            block_profile_fraction: 0,
            mutex_profile_fraction: 0,
            save_to_file: PathBuf::new(),
        }
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
