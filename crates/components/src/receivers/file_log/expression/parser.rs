//! Parser: tokens to nodes, by precedence.
//!
//! Bounds: expressions nest at most [`DEPTH_MAX`] deep.

use regex::Regex;

use super::function::Function;
use super::lexer::tokens;
use super::{Node, Operator, SyntaxError, Value, Variable};
use crate::receivers::file_log::pattern::from_go;
use crate::syntax::{Token, Tokens};

const DEPTH_MAX: usize = 64;
/// How tightly `not` and the sign bind.
const NOT: u16 = 50;
const SIGN: u16 = 90;
const COMPARISON: u16 = 20;

/// Operators, how tightly they bind, as words or symbols.
const OPERATORS: [(&str, u16, Operator); 22] = [
    ("or", 10, Operator::Or),
    ("||", 10, Operator::Or),
    ("and", 15, Operator::And),
    ("&&", 15, Operator::And),
    ("==", COMPARISON, Operator::Equal),
    ("!=", COMPARISON, Operator::NotEqual),
    ("<=", COMPARISON, Operator::LessOrEqual),
    (">=", COMPARISON, Operator::GreaterOrEqual),
    ("<", COMPARISON, Operator::Less),
    (">", COMPARISON, Operator::Greater),
    ("in", COMPARISON, Operator::In),
    ("contains", COMPARISON, Operator::Contains),
    ("startsWith", COMPARISON, Operator::StartsWith),
    ("endsWith", COMPARISON, Operator::EndsWith),
    ("+", 30, Operator::Add),
    ("-", 30, Operator::Subtract),
    ("*", 60, Operator::Multiply),
    ("/", 60, Operator::Divide),
    ("%", 60, Operator::Modulo),
    ("**", 100, Operator::Power),
    ("^", 100, Operator::Power),
    ("??", 500, Operator::Coalesce),
];

const VARIABLES: [(&str, Variable); 7] = [
    ("body", Variable::Body),
    ("$", Variable::Body),
    ("attributes", Variable::Attributes),
    ("resource", Variable::Resource),
    ("severity_text", Variable::SeverityText),
    ("severity_number", Variable::SeverityNumber),
    ("timestamp", Variable::Timestamp),
];

const WORDS: [&str; 9] =
    ["or", "and", "not", "in", "matches", "contains", "startsWith", "endsWith", "let"];

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, depth: 0 };
    let node = parser.choice()?;
    match parser.tokens.first() {
        Token::End => Ok(node),
        Token::Symbol("|") => Err(parser.tokens.fault("pipes are not supported")),
        _ => Err(parser.tokens.fault("an operator or the end is expected")),
    }
}

struct Parser {
    tokens: Tokens<Value>,
    depth: usize,
}

impl Parser {
    fn choice(&mut self) -> Result<Node, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(self.tokens.fault("the expression nests too deep"));
        }
        self.depth += 1;
        let condition = self.binary(0)?;
        let node = match self.tokens.take_symbol("?") {
            true => {
                let then = self.choice()?;
                self.tokens.expect(":")?;
                Node::Choice(Box::new([condition, then, self.choice()?]))
            }
            false => condition,
        };
        self.depth -= 1;
        Ok(node)
    }

    /// Operands joined by operators that bind at least as tightly as `tightness`.
    fn binary(&mut self, tightness: u16) -> Result<Node, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(self.tokens.fault("the expression nests too deep"));
        }
        self.depth += 1;
        let mut left = self.unary()?;
        loop {
            let is_negated = tightness <= COMPARISON && self.is_negated_word();
            if is_negated {
                self.tokens.step();
            }
            if tightness <= COMPARISON && self.tokens.take_word("matches") {
                left = negated(Node::Matches(Box::new(left), self.pattern()?), is_negated);
                continue;
            }
            let Some((own, operator)) = self.operator().filter(|(own, _)| tightness <= *own) else {
                break;
            };
            self.tokens.step();
            let is_right = operator == Operator::Power;
            let right = self.binary(if is_right { own } else { own + 1 })?;
            left = negated(Node::Binary(operator, Box::new([left, right])), is_negated);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, SyntaxError> {
        if self.tokens.take_word("not") || self.tokens.take_symbol("!") {
            return Ok(Node::Not(Box::new(self.binary(NOT)?)));
        }
        if self.tokens.take_symbol("-") {
            return Ok(Node::Negative(Box::new(self.binary(SIGN)?)));
        }
        let mut node = self.primary()?;
        loop {
            let is_optional = self.tokens.take_symbol("?.");
            let key = if is_optional && self.tokens.is_symbol("[") || self.tokens.is_symbol("[") {
                self.tokens.step();
                let key = self.choice()?;
                self.tokens.expect("]")?;
                key
            } else if is_optional || self.tokens.take_symbol(".") {
                Node::Literal(Value::Text(self.tokens.word()?))
            } else {
                return Ok(node);
            };
            if self.tokens.is_symbol("(") {
                return Err(self.tokens.fault("values have no methods"));
            }
            node = Node::Member { of: Box::new(node), key: Box::new(key), is_optional };
        }
    }

    fn primary(&mut self) -> Result<Node, SyntaxError> {
        let start = self.tokens.start();
        let first = self.tokens.first().clone();
        self.tokens.step();
        match first {
            Token::Literal(value) => Ok(Node::Literal(value)),
            Token::Word(word) => self.word(start, &word),
            Token::Symbol("(") => {
                let node = self.choice()?;
                self.tokens.expect(")")?;
                Ok(node)
            }
            Token::Symbol("[") => self.list("]").map(Node::List),
            Token::Symbol("{") => Err(SyntaxError::new(start, "maps are not supported")),
            Token::Symbol(_) | Token::End => Err(SyntaxError::new(start, "a value is expected")),
        }
    }

    fn word(&mut self, start: usize, word: &str) -> Result<Node, SyntaxError> {
        if self.tokens.take_symbol("(") {
            return self.call(start, word);
        }
        Ok(match word {
            "nil" => Node::Literal(Value::Nil),
            "true" => Node::Literal(Value::Bool(true)),
            "false" => Node::Literal(Value::Bool(false)),
            _ if WORDS.contains(&word) => {
                return Err(SyntaxError::new(start, "a value is expected"));
            }
            _ => match VARIABLES.iter().find(|(name, _)| *name == word) {
                Some((_, variable)) => Node::Variable(*variable),
                None => {
                    let known = VARIABLES.map(|(name, _)| format!("`{name}`")).join(", ");
                    let message = format!("there is no `{word}` here; there are {known}");
                    return Err(SyntaxError::new(start, message));
                }
            },
        })
    }

    fn call(&mut self, start: usize, name: &str) -> Result<Node, SyntaxError> {
        let arguments = self.list(")")?;
        if ["env", "os_env_func"].contains(&name) {
            return match arguments.as_slice() {
                [Node::Literal(Value::Text(name))] => {
                    let value = std::env::var(name).unwrap_or_default();
                    Ok(Node::Literal(Value::Text(value)))
                }
                _ => Err(SyntaxError::new(start, "`env` takes the name of a variable in quotes")),
            };
        }
        let Some(function) = Function::named(name) else {
            let known = Function::names().map(|name| format!("`{name}`"));
            let known = known.collect::<Vec<_>>().join(", ");
            let message = format!("there is no function `{name}`; there are `env`, {known}");
            return Err(SyntaxError::new(start, message));
        };
        let wanted = function.arguments();
        if wanted != arguments.len() {
            let message = format!("`{name}` takes {wanted} arguments, not {}", arguments.len());
            return Err(SyntaxError::new(start, message));
        }
        Ok(Node::Call(function, arguments))
    }

    fn list(&mut self, end: &str) -> Result<Vec<Node>, SyntaxError> {
        let mut nodes = Vec::new();
        while !self.tokens.take_symbol(end) {
            if !nodes.is_empty() {
                self.tokens.expect(",")?;
            }
            nodes.push(self.choice()?);
        }
        Ok(nodes)
    }

    fn pattern(&mut self) -> Result<Regex, SyntaxError> {
        let start = self.tokens.start();
        let Token::Literal(Value::Text(pattern)) = self.tokens.first().clone() else {
            return Err(self.tokens.fault("`matches` needs a pattern in quotes"));
        };
        self.tokens.step();
        let regex = Regex::new(&from_go(&pattern));
        regex.map_err(|error| SyntaxError::new(start, format!("not a regular expression: {error}")))
    }

    fn operator(&self) -> Option<(u16, Operator)> {
        let name = match self.tokens.first() {
            Token::Word(word) => word.as_str(),
            Token::Symbol(symbol) => symbol,
            _ => return None,
        };
        let found = OPERATORS.iter().find(|(own, _, _)| *own == name);
        found.map(|(_, tightness, operator)| (*tightness, *operator))
    }

    /// Whether `not in`, `not matches` and the like come next.
    fn is_negated_word(&self) -> bool {
        const NEGATED: [&str; 5] = ["in", "matches", "contains", "startsWith", "endsWith"];
        let next = self.tokens.second();
        matches!(self.tokens.first(), Token::Word(word) if word == "not")
            && matches!(next, Some(Token::Word(word)) if NEGATED.contains(&word.as_str()))
    }
}

fn negated(node: Node, is_negated: bool) -> Node {
    if is_negated { Node::Not(Box::new(node)) } else { node }
}
