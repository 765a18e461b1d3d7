//! The `scope_name_parser` operator, and the `scope_name` block of parsers.

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use super::route::{field, operator_words};
use super::{Transform, Work};
use crate::receivers::file_log::entry::{Entry, Field};

operator_words! {
    /// Reads the name of the instrumentation scope from a field.
    pub struct Words {
        /// The field to read. Needed.
        pub parse_from: Option<String>,
    }
}

/// Reads the name of the instrumentation scope.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScopeNameWords {
    /// The field to read. Needed.
    pub parse_from: Option<String>,
}

/// Reads the name of the instrumentation scope.
#[derive(Debug)]
pub(super) struct ScopeNameParser {
    from: Field,
}

impl Words {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let words = ScopeNameWords { parse_from: self.parse_from };
        Some(Work::Transform(Box::new(faults.take("", words.validate())?)))
    }
}

impl ScopeNameWords {
    pub(super) fn validate(self) -> Result<ScopeNameParser, Faults> {
        let mut faults = Faults::default();
        match field("parse_from", self.parse_from, &mut faults) {
            Some(from) => faults.or(|| ScopeNameParser { from }),
            None => Err(faults),
        }
    }
}

impl Transform for ScopeNameParser {
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let found = self.from.of(entry).ok_or_else(|| format!("there is no `{}`", self.from))?;
        let text = found.as_text();
        let text = text.ok_or_else(|| format!("`{}` is {}, not text", self.from, found.kind()))?;
        entry.scope_name = text.to_owned();
        Ok(())
    }
}
