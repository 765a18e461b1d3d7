//! Text: the operators `regex_replace` and `unquote`.

use config::Faults;
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::route::{field, operator_words};
use super::{Transform, Work};
use crate::receivers::file_log::entry::{Entry, Field};
use crate::receivers::file_log::pattern::from_go;
use crate::syntax;

operator_words! {
    /// Replaces what a pattern matches in a text.
    pub struct ReplaceWords {
        /// The field that holds the text. Needed.
        pub field: Option<String>,
        /// The pattern. This or `regex_name` is needed.
        pub regex: Option<String>,
        /// A pattern that has a name: `ansi_control_sequences` (colours) or
        /// `console_control_sequences`.
        pub regex_name: Option<KnownPattern>,
        /// What takes its place; `${1}` stands for the first group. Nothing, unless it is written.
        pub replace_with: String,
    }
}

operator_words! {
    /// Takes the quotes off a text, and resolves its escapes.
    pub struct UnquoteWords {
        /// The field that holds the text. Needed.
        pub field: Option<String>,
    }
}

/// A pattern that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownPattern {
    AnsiControlSequences,
    ConsoleControlSequences,
}

#[derive(Debug)]
enum Text {
    Replace { field: Field, regex: Regex, with: String },
    Unquote(Field),
}

impl ReplaceWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let field = field("field", self.field, faults);
        let pattern = match (self.regex.as_deref(), self.regex_name) {
            (Some(regex), None) => from_go(regex),
            (None, Some(known)) => known.pattern().to_owned(),
            _ => {
                faults.add("regex", "exactly one of `regex` and `regex_name` is needed");
                return None;
            }
        };
        match Regex::new(&pattern) {
            Ok(regex) => {
                Some(Text::Replace { field: field?, regex, with: self.replace_with }.into())
            }
            Err(error) => {
                faults.add("regex", format!("not a regular expression: {error}"));
                None
            }
        }
    }
}

impl UnquoteWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        Some(Text::Unquote(field("field", self.field, faults)?).into())
    }
}

impl KnownPattern {
    fn pattern(self) -> &'static str {
        match self {
            Self::AnsiControlSequences => r"\x1b\[[0-?]*[ -/]*[@-~]",
            Self::ConsoleControlSequences => r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])",
        }
    }
}

impl From<Text> for Work {
    fn from(text: Text) -> Self {
        Self::Transform(Box::new(text))
    }
}

impl Transform for Text {
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let (Self::Replace { field, .. } | Self::Unquote(field)) = self;
        let found = field.of(entry).ok_or_else(|| format!("there is no `{field}`"))?;
        let text = found.as_text();
        let text = text.ok_or_else(|| format!("`{field}` is {}, not text", found.kind()))?;
        let changed = match self {
            Self::Replace { regex, with, .. } => {
                regex.replace_all(text, with.as_str()).into_owned()
            }
            Self::Unquote(_) => unquote(text)?,
        };
        field.set(entry, changed.into());
        Ok(())
    }
}

/// What a string literal of Go says.
fn unquote(text: &str) -> Result<String, String> {
    let fault = || "the text is not in quotes".to_owned();
    let quote = text.chars().next().ok_or_else(fault)?;
    if quote == '`' {
        let raw = text.get(1..text.len().max(2) - 1).filter(|_| 2 <= text.len());
        let raw = raw.filter(|raw| text.ends_with('`') && !raw.contains('`'));
        return raw.map(|raw| raw.replace('\r', "")).ok_or_else(fault);
    }
    if !['"', '\''].contains(&quote) {
        return Err(fault());
    }
    let mut at = 0;
    let inner = syntax::quoted(text, &mut at, quote).map_err(|error| error.message)?;
    let is_fitting = quote == '"' || inner.chars().count() == 1;
    if at == text.len() && is_fitting { Ok(inner) } else { Err(fault()) }
}
