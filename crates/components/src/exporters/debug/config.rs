//! The configuration of the `debug` exporter.

use std::path::PathBuf;

use config::section::Words;
use config::{Faults, Gates};
use delivery::config::{QueueWords, RoadWords};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much to write, how often, and where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `basic` writes a line for each request, `normal` also one for each item, `detailed` every
    /// field.
    pub verbosity: Verbosity,
    /// How many requests of each signal are written at the start of each second.
    pub sampling_initial: u32,
    /// After those, every how many-th request of the second is written; 0 means none.
    pub sampling_thereafter: u32,
    /// Writes to standard error, where the collector's own logs go.
    pub use_internal_logger: bool,
    /// Without `use_internal_logger`: where to write, each `stdout`, `stderr` or the path of a file
    /// that is appended to.
    pub output_paths: Vec<String>,
    /// Holds requests while earlier ones are written.
    pub sending_queue: Option<QueueWords>,
}

/// How much is written about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    #[default]
    #[serde(alias = "Basic")]
    Basic,
    #[serde(alias = "Normal")]
    Normal,
    #[serde(alias = "Detailed")]
    Detailed,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub verbosity: Verbosity,
    pub sampling_initial: u32,
    pub sampling_thereafter: u32,
    pub outputs: Vec<Output>,
    pub(super) road: delivery::Settings,
}

/// Where text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Stdout,
    Stderr,
    File(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Basic,
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output_paths: vec!["stdout".to_owned()],
            sending_queue: None,
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        if self.output_paths.is_empty() && !self.use_internal_logger {
            faults.add("output_paths", "there must be an output without `use_internal_logger`");
        }
        let outputs = match self.use_internal_logger {
            true => vec![Output::Stderr],
            false => self.output_paths.iter().map(|path| Output::of(path)).collect(),
        };
        let road = RoadWords { sending_queue: self.sending_queue, ..RoadWords::default() };
        let road = faults.take("", road.validate(gates));
        let Some(road) = road else { return Err(faults) };
        faults.or(|| Settings {
            verbosity: self.verbosity,
            sampling_initial: self.sampling_initial,
            sampling_thereafter: self.sampling_thereafter,
            outputs,
            road: delivery::Settings { timeout: None, retry: None, ..road },
        })
    }
}

impl Output {
    fn of(path: &str) -> Self {
        match path {
            "stdout" => Self::Stdout,
            "stderr" => Self::Stderr,
            path => Self::File(path.into()),
        }
    }
}
