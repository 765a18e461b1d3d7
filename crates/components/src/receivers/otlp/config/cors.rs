//! The words of `cors`.

use config::Faults;
use config::value::Duration;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::receivers::otlp::http::{Cors, CorsRules};

/// Which web pages may send.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CorsWords {
    /// Origins that may send, such as `https://app.example.com`; one `*` in each matches any text.
    pub allowed_origins: Vec<String>,
    /// Headers that they may send beside the usual ones; `*` means any.
    pub allowed_headers: Vec<String>,
    /// Headers of answers that they may read.
    pub exposed_headers: Vec<String>,
    /// How long browsers may remember the answer to a preflight request, in seconds; or a duration.
    pub max_age: MaxAge,
}

/// Seconds as a number, or a duration with its unit.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MaxAge {
    Seconds(u32),
    Period(Duration),
}

impl Default for MaxAge {
    fn default() -> Self {
        Self::Seconds(0)
    }
}

impl MaxAge {
    fn seconds(self) -> u64 {
        match self {
            Self::Seconds(seconds) => seconds.into(),
            Self::Period(period) => period.get().as_secs(),
        }
    }
}

impl CorsWords {
    /// The rules; none without origins, as then no page may send.
    pub(super) fn validate(self) -> Result<Option<Cors>, Faults> {
        let mut faults = Faults::default();
        if self.allowed_origins.is_empty() {
            let are_headers_set =
                !self.allowed_headers.is_empty() || !self.exposed_headers.is_empty();
            if are_headers_set {
                faults.add("allowed_origins", "without origins the other keys have no effect");
            }
            return faults.or(|| None);
        }
        for (index, origin) in self.allowed_origins.iter().enumerate() {
            if 1 < origin.matches('*').count() {
                faults.add(format!("allowed_origins[{index}]"), "may hold one `*` only");
            }
        }
        let cors = Cors::new(CorsRules {
            origins: self.allowed_origins,
            headers: self.allowed_headers,
            exposed: self.exposed_headers,
            max_age_seconds: self.max_age.seconds(),
        });
        match cors {
            Ok(cors) => faults.or(|| Some(cors)),
            Err(text) => {
                faults.add("", format!("`{text}` cannot stand in a header"));
                Err(faults)
            }
        }
    }
}
