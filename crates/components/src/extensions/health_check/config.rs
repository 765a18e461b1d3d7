//! The configuration of the `health_check` extension.

use config::section::Words;
use config::value::Duration;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::extensions::endpoint;

/// Where to answer, and what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Host and port to listen on.
    pub endpoint: String,
    /// The path of the answers; `/` answers every path.
    pub path: String,
    /// What to answer instead of the JSON status.
    pub response_body: Option<Bodies>,
    /// Accepted for compatibility: it has no effect, as upstream.
    pub check_collector_pipeline: Option<CheckPipeline>,
}

/// What to answer instead of the JSON status.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bodies {
    /// The body while the collector takes data.
    pub healthy: String,
    /// The body while it does not.
    pub unhealthy: String,
}

/// Accepted for compatibility.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckPipeline {
    /// Whether failures of exporters would count.
    pub enabled: bool,
    /// The period in which they would be counted.
    pub interval: Duration,
    /// How many of them would be too many.
    pub exporter_failure_threshold: u32,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub endpoint: String,
    pub path: String,
    pub bodies: Option<Bodies>,
    pub checks_pipeline: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: "localhost:13133".to_owned(),
            path: "/".to_owned(),
            response_body: None,
            check_collector_pipeline: None,
        }
    }
}

impl Default for CheckPipeline {
    fn default() -> Self {
        let interval = Duration::from_secs(300);
        Self { enabled: false, interval, exporter_failure_threshold: 5 }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        endpoint::check(&self.endpoint, &mut faults);
        if !self.path.starts_with('/') {
            faults.add("path", "`path` must start with `/`");
        }
        let check = self.check_collector_pipeline;
        if let Some(check) = &check
            && check.enabled
        {
            if check.interval.is_zero() {
                let message = "`interval` must be greater than zero";
                faults.add("check_collector_pipeline.interval", message);
            }
            if check.exporter_failure_threshold == 0 {
                let message = "`exporter_failure_threshold` must be greater than zero";
                faults.add("check_collector_pipeline.exporter_failure_threshold", message);
            }
        }
        faults.or(|| Settings {
            endpoint: self.endpoint,
            path: self.path,
            bodies: self.response_body,
            checks_pipeline: check.is_some_and(|check| check.enabled),
        })
    }
}
