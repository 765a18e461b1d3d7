//! Content: the words that say how the bytes of files become log records.

use std::sync::Arc;

use config::Faults;
use config::value::ByteSize;
use schemars::JsonSchema;
use serde::Deserialize;

use super::assemble::{AssembleSettings, Trim};
use super::encoding::Encoding;
use super::header::{HeaderSettings, HeaderWords};
use super::operators::{OperatorWords, Plan};
use super::split::{Boundary, OnOversize, Pattern, SplitSettings};

/// The words of the receiver that are about content.
#[derive(Clone, Debug, Default)]
pub struct ContentWords {
    pub encoding: Option<String>,
    pub multiline: Option<MultilineWords>,
    pub max_log_size: Option<ByteSize>,
    pub on_oversize: OnOversize,
    pub preserve_leading_whitespaces: bool,
    pub preserve_trailing_whitespaces: bool,
    pub header: Option<HeaderWords>,
    pub operators: Vec<OperatorWords>,
}

/// Records of several lines. Exactly one of both patterns is needed; a match lies in one line.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultilineWords {
    /// A pattern that matches where a record begins.
    pub line_start_pattern: Option<String>,
    /// A pattern that matches where a record ends.
    pub line_end_pattern: Option<String>,
    /// Whether what the pattern matches is left out of the record.
    pub omit_pattern: bool,
}

/// How the bytes of files become log records.
#[derive(Clone, Debug)]
pub struct ContentSettings {
    pub split: Arc<SplitSettings>,
    pub assemble: AssembleSettings,
    pub header: Option<HeaderSettings>,
}

/// A record cannot be limited to less: a character would not fit.
const RECORD_BYTES_MIN: usize = 16;

impl ContentWords {
    /// Checks everything at once; faults name the keys as they stand in the receiver's section.
    pub fn validate(self) -> Result<ContentSettings, Faults> {
        let mut faults = Faults::default();
        let encoding = encoding(self.encoding.as_deref(), &mut faults);
        let multiline = self.multiline.map(|words| words.validate(encoding));
        let boundary = match multiline {
            Some(checked) => faults.take("multiline", checked),
            None if encoding == Encoding::Nop => Some(Boundary::Size),
            None => Some(Boundary::Newline),
        };
        let bytes_max = self.max_log_size.map_or(1 << 20, ByteSize::as_usize);
        if bytes_max < RECORD_BYTES_MIN {
            let message = format!("`max_log_size` must be at least {RECORD_BYTES_MIN} bytes");
            faults.add("max_log_size", message);
        }
        let header = self.header.map(|words| words.validate(encoding));
        let header = header.and_then(|checked| faults.take("header", checked));
        let plan = faults.take("", Plan::validate("operators", self.operators));
        let (Some(boundary), Some(plan)) = (boundary, plan) else { return Err(faults) };
        let on_oversize = self.on_oversize;
        let split = SplitSettings { boundary, encoding, token_bytes_max: bytes_max, on_oversize };
        let assemble = AssembleSettings {
            encoding,
            trim: Trim {
                leading: !self.preserve_leading_whitespaces,
                trailing: !self.preserve_trailing_whitespaces,
            },
            body_bytes_max: bytes_max,
            on_oversize,
            plan: Arc::new(plan),
        };
        faults.or(|| ContentSettings { split: Arc::new(split), assemble, header })
    }
}

impl MultilineWords {
    fn validate(self, encoding: Encoding) -> Result<Boundary, Faults> {
        let mut faults = Faults::default();
        let (key, pattern, boundary): (_, _, fn(Pattern) -> Boundary) =
            match (self.line_start_pattern, self.line_end_pattern) {
                (Some(pattern), None) => ("line_start_pattern", pattern, Boundary::Start),
                (None, Some(pattern)) => ("line_end_pattern", pattern, Boundary::End),
                _ => {
                    let message =
                        "exactly one of `line_start_pattern` and `line_end_pattern` is needed";
                    faults.add("", message);
                    return Err(faults);
                }
            };
        if pattern.is_empty() {
            faults.add(key, "an empty pattern matches everywhere");
        }
        match Pattern::new(&pattern, encoding, self.omit_pattern) {
            Ok(pattern) => faults.or(|| boundary(pattern)),
            Err(error) => {
                faults.add(key, format!("not a regular expression: {error}"));
                Err(faults)
            }
        }
    }
}

fn encoding(name: Option<&str>, faults: &mut Faults) -> Encoding {
    let name = name.filter(|name| !name.is_empty()).unwrap_or("utf-8");
    Encoding::named(name).unwrap_or_else(|| {
        let remedy = "write `utf-8`, `utf-8-raw`, `utf-16le`, `utf-16be`, `ascii`, `big5`, `nop`, or \
                      another name that IANA knows";
        faults.add_with_remedy("encoding", format!("there is no encoding `{name}`"), remedy);
        Encoding::Utf8
    })
}

#[cfg(test)]
mod tests;
