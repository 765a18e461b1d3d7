//! Conditions: the part of the OpenTelemetry Transformation Language that says what to drop.
//!
//! A string becomes a [`Condition`] at start, with paths resolved against the schema of OTLP and
//! patterns compiled; all that is left for run time is reading fields and comparing them.

mod evaluate;
mod lexer;
mod parser;
mod path;
mod value;

use std::fmt;

use regex::Regex;

pub(crate) use evaluate::{EvaluationError, Subject};
pub(crate) use path::{Context, Path};

/// What is said about one log record, span, span event, metric, data point or profile.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Constant(bool),
    Compare {
        left: Operand,
        comparison: Comparison,
        right: Operand,
    },
    Test {
        target: Operand,
        test: Test,
    },
    /// The metric has a data point with this attribute, and with this value if one is given.
    HasAttribute {
        key: String,
        value: Option<String>,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Literal(Literal),
    Path(Path),
}

/// A value that is written in the condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Nil,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A function that answers yes or no about one value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Matches(Regex),
    StartsWith(String),
    EndsWith(String),
    IsText,
    IsBool,
    IsInt,
    IsDouble,
    IsMap,
    IsList,
}

/// Why a string is not a condition, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// In bytes from the start of the string.
    pub offset: usize,
    pub message: String,
}

impl Condition {
    /// Reads a condition about items of `context`.
    pub(crate) fn parse(text: &str, context: Context) -> Result<Self, SyntaxError> {
        parser::parse(text, context)
    }
}

impl SyntaxError {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }

    /// The message, the condition, and a caret below the place.
    pub(crate) fn describe(&self, text: &str) -> String {
        let before = text.get(..self.offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let column = before[line_start..].chars().count();
        format!("{} at column {}\n  {line}\n  {:column$}^", self.message, column + 1, "")
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests;
