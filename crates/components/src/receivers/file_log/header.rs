//! Header: lines at the start of a file that say something about all others.
//!
//! Owner: whoever reads the file. Bounds: [`LINES_MAX`] lines are taken for a header.

use std::sync::Arc;

use config::Faults;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::assemble::Now;
use super::encoding::{Decoded, Encoding};
use super::entry::{Entry, FileKey, Map, Origin, Value};
use super::operators::{Chain, OperatorWords, Plan, Report};
use super::pattern::from_go;
use super::split::Token;

/// Lines at the start of a file that say something about all others.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderWords {
    /// A pattern that matches each line of the header, and not the one that follows. Needed.
    pub pattern: String,
    /// What is done with each line of the header; the attributes that it has then are given to all
    /// records of the file. Needed.
    pub metadata_operators: Vec<OperatorWords>,
}

/// How headers are recognized and read.
#[derive(Clone, Debug)]
pub struct HeaderSettings {
    pattern: Regex,
    plan: Arc<Plan>,
    encoding: Encoding,
}

/// Reads the header of one file.
#[derive(Debug)]
pub struct HeaderReader {
    settings: HeaderSettings,
    chain: Chain,
    attributes: Map,
    lines: usize,
}

/// A header of more lines is none.
const LINES_MAX: usize = 10_000;

impl HeaderWords {
    /// Checks and compiles everything.
    pub fn validate(self, encoding: Encoding) -> Result<HeaderSettings, Faults> {
        let mut faults = Faults::default();
        let pattern = match Regex::new(&from_go(&self.pattern)) {
            Ok(_) if self.pattern.is_empty() => {
                faults.add("pattern", "`pattern` is needed");
                None
            }
            Ok(pattern) => Some(pattern),
            Err(error) => {
                faults.add("pattern", format!("not a regular expression: {error}"));
                None
            }
        };
        if self.metadata_operators.is_empty() {
            let remedy = "add an operator that makes attributes, such as `regex_parser`";
            faults.add_with_remedy("metadata_operators", "at least one is needed", remedy);
        }
        if encoding == Encoding::Nop {
            faults.add("", "with `encoding: nop` there are no lines, and no header");
        }
        let plan = Plan::validate("metadata_operators", self.metadata_operators);
        match (pattern, faults.take("", plan)) {
            (Some(pattern), Some(plan)) => {
                faults.or(|| HeaderSettings { pattern, plan: Arc::new(plan), encoding })
            }
            _ => Err(faults),
        }
    }
}

impl HeaderReader {
    /// A reader that stands before the first line of a file.
    #[must_use]
    pub fn new(settings: HeaderSettings) -> Self {
        let chain = Chain::new(Arc::clone(&settings.plan));
        Self { settings, chain, attributes: Map::new(), lines: 0 }
    }

    /// Whether the token is a line of the header; the first one that is not ends it.
    pub fn take(&mut self, token: &Token<'_>, now: Now) -> bool {
        let is_start = token.range.start == 0;
        let decoded = self.settings.encoding.decode(token.bytes, is_start);
        let Decoded::Text { text, .. } = decoded else { return false };
        if !self.settings.pattern.is_match(&text) || self.lines == LINES_MAX {
            return false;
        }
        self.lines += 1;
        let origin = Origin { file: FileKey::default(), range: token.range.clone() };
        let mut left = Vec::new();
        let entry = Entry::new(Value::from(text.as_ref()), origin);
        self.chain.process(entry, now.instant, &mut left);
        left.into_iter().for_each(|entry| self.attributes.extend(entry.attributes));
        true
    }

    /// What the header says about all other lines.
    pub fn finish(mut self, now: Now) -> (Map, Vec<Report>) {
        let mut left = Vec::new();
        self.chain.end_of_file(FileKey::default(), now.instant, &mut left);
        left.into_iter().for_each(|entry| self.attributes.extend(entry.attributes));
        (self.attributes, self.chain.take_reports())
    }
}
