//! Expression: what `if`, `expr` and `EXPR(...)` say about an entry.
//!
//! The part of the expr language that configurations use. It is read at start, with patterns
//! compiled and the environment looked up; all that is left for run time is looking at fields.

mod evaluate;
mod function;
mod lexer;
mod parser;
mod term;

use regex::Regex;

use super::entry::{Entry, Value};
use function::Function;
use term::Term;

pub(crate) use crate::syntax::SyntaxError;

/// A question about an entry, ready to be asked.
#[derive(Clone, Debug)]
pub struct Expression {
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Literal(Value),
    Variable(Variable),
    List(Vec<Node>),
    Member {
        of: Box<Node>,
        key: Box<Node>,
        /// Whether nothing has members that are nothing.
        is_optional: bool,
    },
    Not(Box<Node>),
    Negative(Box<Node>),
    Matches(Box<Node>, Regex),
    Binary(Operator, Box<[Node; 2]>),
    /// Condition, then, else.
    Choice(Box<[Node; 3]>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    Body,
    Attributes,
    Resource,
    SeverityText,
    SeverityNumber,
    /// Nanoseconds since 1970.
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Contains,
    StartsWith,
    EndsWith,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Coalesce,
}

impl Expression {
    /// Reads an expression; the error shows where it is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let node = parser::parse(text).map_err(|error| error.describe(text))?;
        Ok(Self { node })
    }

    /// Reads what stands in `EXPR(...)`, if that is what the text is.
    #[must_use]
    pub fn embedded(text: &str) -> Option<Result<Self, String>> {
        let inner = text.strip_prefix("EXPR(")?.strip_suffix(')')?;
        Some(Self::parse(inner))
    }

    /// Its value for an entry.
    pub fn value(&self, entry: &Entry) -> Result<Value, String> {
        self.node.evaluate(entry).map(Term::into_value)
    }

    /// Whether it holds for an entry.
    pub fn holds(&self, entry: &Entry) -> Result<bool, String> {
        self.node.evaluate(entry)?.into_bool()
    }
}

#[cfg(test)]
mod tests;
