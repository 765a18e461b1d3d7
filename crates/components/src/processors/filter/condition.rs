//! Conditions: the part of the OpenTelemetry Transformation Language that says what to drop.
//!
//! A string becomes a [`Condition`] at start, with paths resolved against the schema of OTLP and
//! patterns compiled; all that is left for run time is reading fields and comparing them.

mod dictionary;
mod error;
mod evaluate;
mod lexer;
mod memory;
mod parser;
mod path;
mod reach;
mod subject;
mod types;
mod value;

use regex::Regex;

use crate::syntax::SyntaxError;

pub(crate) use dictionary::Dictionary;
pub(crate) use error::EvaluationError;
pub(crate) use memory::Memory;
pub(crate) use path::{Context, Path, PointKind};
pub(crate) use subject::Subject;

use reach::Reach;

/// What is said about one log record, span, span event, metric, data point or profile.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    term: Term,
    /// How many findings about what is around an item are kept for the next one.
    slots: usize,
}

/// A part of a condition that holds or does not.
#[derive(Clone, Debug)]
enum Term {
    Any(Vec<Term>),
    All(Vec<Term>),
    Not(Box<Term>),
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
    /// The list has an element that is equal to the item.
    Contains {
        list: Operand,
        item: Operand,
    },
    /// The metric has a data point with this attribute, and with this value if one is given.
    HasAttribute {
        key: String,
        value: Option<String>,
    },
    /// A term about what is around the item, which is found out once for all items in it.
    Kept {
        slot: usize,
        reach: Reach,
        term: Box<Term>,
    },
}

/// A part of a condition that has a value.
#[derive(Clone, Debug)]
enum Operand {
    Literal(Literal),
    List(Vec<Operand>),
    Path(Path),
    Arithmetic {
        left: Box<Operand>,
        operator: Operator,
        right: Box<Operand>,
    },
    Call {
        function: Function,
        argument: Box<Operand>,
    },
    /// A value that belongs to what is around the item, and is read once for all items in it.
    Kept {
        slot: usize,
        reach: Reach,
        operand: Box<Operand>,
    },
}

/// A value that is written in the condition.
#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Nil,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A function that makes a value of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Len,
    Int,
    Double,
    String,
    LowerCase,
    UpperCase,
}

/// A function that answers yes or no about one value.
#[derive(Clone, Debug)]
enum Test {
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

impl Condition {
    /// Reads a condition about items of `context`.
    pub(crate) fn parse(text: &str, context: Context) -> Result<Self, SyntaxError> {
        let (term, slots) = reach::settled(parser::parse(text, context)?, context);
        Ok(Self { term, slots })
    }

    /// Whether the condition holds for `subject`, an item of the context it was parsed for.
    pub(crate) fn holds(
        &self,
        subject: &Subject<'_>,
        memory: &mut Memory,
    ) -> Result<bool, EvaluationError> {
        memory.make_room(self.slots);
        self.term.holds(subject, memory)
    }
}

#[cfg(test)]
mod tests;
