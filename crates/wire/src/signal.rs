//! The four signals of OTLP.

use std::fmt;

/// What a payload tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    Logs,
    Traces,
    Metrics,
    Profiles,
}

impl Signal {
    /// All signals, in the order of OTLP's documentation.
    pub const ALL: [Self; 4] = [Self::Logs, Self::Traces, Self::Metrics, Self::Profiles];

    /// The name in `service.pipelines` and in metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Profiles => "profiles",
        }
    }

    /// What one item is called in metric names: `log_records`, `spans`, ...
    #[must_use]
    pub const fn items_name(self) -> &'static str {
        match self {
            Self::Logs => "log_records",
            Self::Traces => "spans",
            Self::Metrics => "metric_points",
            Self::Profiles => "profile_samples",
        }
    }

    /// The signal of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
