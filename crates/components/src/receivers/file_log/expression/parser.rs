//! Parser: tokens to nodes, by precedence.
//!
//! Bounds: expressions nest at most [`DEPTH_MAX`] deep.

use regex::Regex;

use super::function::Function;
use super::lexer::{Token, TokenKind, tokens};
use super::{Node, Operator, SyntaxError, Value, Variable};
use crate::receivers::file_log::pattern::from_go;

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
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.choice()?;
    match parser.kind() {
        TokenKind::End => Ok(node),
        TokenKind::Symbol("|") => Err(parser.fault("pipes are not supported")),
        _ => Err(parser.fault("an operator or the end is expected")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn choice(&mut self) -> Result<Node, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(self.fault("the expression nests too deep"));
        }
        self.depth += 1;
        let condition = self.binary(0)?;
        let node = match self.take_symbol("?") {
            true => {
                let then = self.choice()?;
                self.expect(":")?;
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
            return Err(self.fault("the expression nests too deep"));
        }
        self.depth += 1;
        let mut left = self.unary()?;
        loop {
            let is_negated = tightness <= COMPARISON && self.is_negated_word();
            self.at += usize::from(is_negated);
            if tightness <= COMPARISON && self.take_word("matches") {
                left = negated(Node::Matches(Box::new(left), self.pattern()?), is_negated);
                continue;
            }
            let Some((own, operator)) = self.operator().filter(|(own, _)| tightness <= *own) else {
                break;
            };
            self.at += 1;
            let is_right = operator == Operator::Power;
            let right = self.binary(if is_right { own } else { own + 1 })?;
            left = negated(Node::Binary(operator, Box::new([left, right])), is_negated);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, SyntaxError> {
        if self.take_word("not") || self.take_symbol("!") {
            return Ok(Node::Not(Box::new(self.binary(NOT)?)));
        }
        if self.take_symbol("-") {
            return Ok(Node::Negative(Box::new(self.binary(SIGN)?)));
        }
        let mut node = self.primary()?;
        loop {
            let is_optional = self.take_symbol("?.");
            let key = if is_optional && self.is_symbol("[") || self.is_symbol("[") {
                self.at += 1;
                let key = self.choice()?;
                self.expect("]")?;
                key
            } else if is_optional || self.take_symbol(".") {
                Node::Literal(Value::Text(self.name()?))
            } else {
                return Ok(node);
            };
            if self.is_symbol("(") {
                return Err(self.fault("values have no methods"));
            }
            node = Node::Member { of: Box::new(node), key: Box::new(key), is_optional };
        }
    }

    fn primary(&mut self) -> Result<Node, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let literal = match self.tokens[start].kind.clone() {
            TokenKind::Text(text) => Value::Text(text),
            TokenKind::Int(value) => Value::Int(value),
            TokenKind::Double(value) => Value::Double(value),
            TokenKind::Word(word) => return self.word(start, &word),
            TokenKind::Symbol("(") => {
                let node = self.choice()?;
                self.expect(")")?;
                return Ok(node);
            }
            TokenKind::Symbol("[") => return self.list("]").map(Node::List),
            TokenKind::Symbol("{") => return Err(self.fault_at(start, "maps are not supported")),
            TokenKind::Symbol(_) | TokenKind::End => {
                return Err(self.fault_at(start, "a value is expected"));
            }
        };
        Ok(Node::Literal(literal))
    }

    fn word(&mut self, start: usize, word: &str) -> Result<Node, SyntaxError> {
        if self.take_symbol("(") {
            return self.call(start, word);
        }
        Ok(match word {
            "nil" => Node::Literal(Value::Nil),
            "true" => Node::Literal(Value::Bool(true)),
            "false" => Node::Literal(Value::Bool(false)),
            _ if WORDS.contains(&word) => {
                return Err(self.fault_at(start, "a value is expected"));
            }
            _ => match VARIABLES.iter().find(|(name, _)| *name == word) {
                Some((_, variable)) => Node::Variable(*variable),
                None => {
                    let known = VARIABLES.map(|(name, _)| format!("`{name}`")).join(", ");
                    let message = format!("there is no `{word}` here; there are {known}");
                    return Err(self.fault_at(start, &message));
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
                _ => Err(self.fault_at(start, "`env` takes the name of a variable in quotes")),
            };
        }
        let Some(function) = Function::named(name) else {
            let known = Function::names().map(|name| format!("`{name}`"));
            let known = known.collect::<Vec<_>>().join(", ");
            let message = format!("there is no function `{name}`; there are `env`, {known}");
            return Err(self.fault_at(start, &message));
        };
        let wanted = function.arguments();
        if wanted != arguments.len() {
            let message = format!("`{name}` takes {wanted} arguments, not {}", arguments.len());
            return Err(self.fault_at(start, &message));
        }
        Ok(Node::Call(function, arguments))
    }

    fn list(&mut self, end: &str) -> Result<Vec<Node>, SyntaxError> {
        let mut nodes = Vec::new();
        while !self.take_symbol(end) {
            if !nodes.is_empty() {
                self.expect(",")?;
            }
            nodes.push(self.choice()?);
        }
        Ok(nodes)
    }

    fn pattern(&mut self) -> Result<Regex, SyntaxError> {
        let start = self.at;
        let TokenKind::Text(pattern) = self.kind().clone() else {
            return Err(self.fault("`matches` needs a pattern in quotes"));
        };
        self.at += 1;
        let regex = Regex::new(&from_go(&pattern));
        regex.map_err(|error| self.fault_at(start, &format!("not a regular expression: {error}")))
    }

    fn operator(&self) -> Option<(u16, Operator)> {
        let name = match self.kind() {
            TokenKind::Word(word) => word.as_str(),
            TokenKind::Symbol(symbol) => symbol,
            _ => return None,
        };
        let found = OPERATORS.iter().find(|(own, _, _)| *own == name);
        found.map(|(_, tightness, operator)| (*tightness, *operator))
    }

    /// Whether `not in`, `not matches` and the like come next.
    fn is_negated_word(&self) -> bool {
        const NEGATED: [&str; 5] = ["in", "matches", "contains", "startsWith", "endsWith"];
        let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
        matches!(self.kind(), TokenKind::Word(word) if word == "not")
            && matches!(next, Some(TokenKind::Word(word)) if NEGATED.contains(&word.as_str()))
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        let TokenKind::Word(word) = self.kind().clone() else {
            return Err(self.fault("a name is expected"));
        };
        self.at += 1;
        Ok(word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.kind(), TokenKind::Word(found) if found == word);
        self.at += usize::from(is_there);
        is_there
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let is_there = self.is_symbol(symbol);
        self.at += usize::from(is_there);
        is_there
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.kind(), TokenKind::Symbol(found) if *found == symbol)
    }

    fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.fault(&format!("`{symbol}` is expected")))
    }

    /// The last token is the end, and whoever steps over it ends with an error.
    fn kind(&self) -> &TokenKind {
        &self.tokens[self.at.min(self.tokens.len() - 1)].kind
    }

    fn fault(&self, message: &str) -> SyntaxError {
        self.fault_at(self.at, message)
    }

    fn fault_at(&self, at: usize, message: &str) -> SyntaxError {
        SyntaxError::new(self.tokens[at.min(self.tokens.len() - 1)].start, message)
    }
}

fn negated(node: Node, is_negated: bool) -> Node {
    if is_negated { Node::Not(Box::new(node)) } else { node }
}
