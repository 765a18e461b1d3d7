//! `timeout`: how long one attempt may take.

use std::borrow::Cow;

use config::value::Duration;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// How long one attempt may take; 0 leaves it to the deadlines of the callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct TimeoutWords(Duration);

impl TimeoutWords {
    /// For exporters with another default than 5 s.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// The period; `None` when there is no limit.
    #[must_use]
    pub fn period(self) -> Option<std::time::Duration> {
        self.0.unless_zero()
    }
}

impl Default for TimeoutWords {
    fn default() -> Self {
        Self::from_secs(5)
    }
}

impl JsonSchema for TimeoutWords {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timeout".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Duration::json_schema(generator)
    }
}
