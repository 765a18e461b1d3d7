//! Parser: tokens to a [`Condition`], by recursive descent.
//!
//! `or` binds weakest, then `and`, then `not`. Bounds: parentheses nest at most `DEPTH_MAX` deep.

use regex::Regex;

use super::lexer::{Token, TokenKind, tokens};
use super::path::{Context, Key, Path, ValueType};
use super::{Comparison, Condition, Literal, Operand, SyntaxError, Test};

const DEPTH_MAX: usize = 64;
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// Reads a whole condition.
pub(super) fn parse(text: &str, context: Context) -> Result<Condition, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, context };
    let condition = parser.any()?;
    match parser.kind() {
        TokenKind::End => Ok(condition),
        _ => Err(parser.unexpected("`and`, `or` or the end")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    context: Context,
}

impl Parser {
    fn any(&mut self) -> Result<Condition, SyntaxError> {
        let mut conditions = vec![self.all()?];
        while self.take_word("or") {
            conditions.push(self.all()?);
        }
        Ok(one_or(conditions, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, SyntaxError> {
        let mut conditions = vec![self.negated()?];
        while self.take_word("and") {
            conditions.push(self.negated()?);
        }
        Ok(one_or(conditions, Condition::All))
    }

    fn negated(&mut self) -> Result<Condition, SyntaxError> {
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.single()?)));
        }
        self.single()
    }

    fn single(&mut self) -> Result<Condition, SyntaxError> {
        if self.is_symbol("(") {
            return self.parenthesized();
        }
        if self.is_call() && !self.is_bytes_call() {
            return self.call();
        }
        let start = self.start();
        let left = self.operand()?;
        let Some(comparison) = self.take_comparison() else {
            return match left {
                Operand::Literal(Literal::Bool(value)) => Ok(Condition::Constant(value)),
                _ => Err(self.unexpected("a comparison such as `==`")),
            };
        };
        let right = self.operand()?;
        check_types(&left, comparison, &right)
            .map_err(|message| SyntaxError::new(start, message))?;
        Ok(Condition::Compare { left, comparison, right })
    }

    fn parenthesized(&mut self) -> Result<Condition, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(SyntaxError::new(self.start(), "parentheses nest too deep"));
        }
        self.depth += 1;
        self.at += 1;
        let condition = self.any()?;
        self.expect(")")?;
        self.depth -= 1;
        Ok(condition)
    }

    fn operand(&mut self) -> Result<Operand, SyntaxError> {
        let start = self.start();
        if self.is_call() {
            return self.bytes_call();
        }
        let literal = match self.kind().clone() {
            TokenKind::Text(text) => Literal::Text(text),
            TokenKind::Int(value) => Literal::Int(value),
            TokenKind::Double(value) => Literal::Double(value),
            TokenKind::Bytes(bytes) => Literal::Bytes(bytes),
            TokenKind::Word(word) => match word.as_str() {
                "nil" => Literal::Nil,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "and" | "or" | "not" => return Err(self.unexpected("a value or a path")),
                _ if word.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    let number = super::value::enum_number(&word);
                    number.map(Literal::Int).ok_or_else(|| {
                        SyntaxError::new(start, format!("`{word}` is not the name of an enum"))
                    })?
                }
                _ => return self.path().map(Operand::Path),
            },
            TokenKind::Symbol(_) | TokenKind::End => {
                return Err(self.unexpected("a value or a path"));
            }
        };
        self.at += 1;
        Ok(Operand::Literal(literal))
    }

    fn path(&mut self) -> Result<Path, SyntaxError> {
        let start = self.start();
        let mut words = vec![self.word()?];
        while self.take_symbol(".") {
            words.push(self.word()?);
        }
        let mut keys = Vec::new();
        while self.take_symbol("[") {
            let key = match self.kind().clone() {
                TokenKind::Text(name) => Key::Name(name),
                TokenKind::Int(index) => {
                    let index = usize::try_from(index);
                    let negative = |_| SyntaxError::new(self.start(), "an index is not negative");
                    Key::Index(index.map_err(negative)?)
                }
                _ => return Err(self.unexpected("a key such as `\"name\"`")),
            };
            self.at += 1;
            self.expect("]")?;
            keys.push(key);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Path::resolve(self.context, &words, keys)
            .map_err(|message| SyntaxError::new(start, message))
    }

    fn call(&mut self) -> Result<Condition, SyntaxError> {
        let start = self.start();
        let name = self.word()?;
        self.expect("(")?;
        let condition = match name.as_str() {
            "HasAttrKeyOnDatapoint" => self.has_attribute(start, false)?,
            "HasAttrOnDatapoint" => self.has_attribute(start, true)?,
            _ => self.test(start, &name)?,
        };
        self.expect(")")?;
        Ok(condition)
    }

    fn test(&mut self, start: usize, name: &str) -> Result<Condition, SyntaxError> {
        let is_known = ["IsMatch", "HasPrefix", "HasSuffix", "IsString", "IsBool", "IsInt"]
            .into_iter()
            .chain(["IsDouble", "IsMap", "IsList"])
            .any(|known| known == name);
        if !is_known {
            return Err(SyntaxError::new(start, format!("there is no function `{name}` here")));
        }
        let target = self.operand()?;
        let test = match name {
            "IsMatch" => {
                let (start, pattern) = self.text_argument()?;
                let regex = Regex::new(&pattern).map_err(|error| {
                    SyntaxError::new(start, format!("not a regular expression: {error}"))
                });
                Test::Matches(regex?)
            }
            "HasPrefix" => Test::StartsWith(self.text_argument()?.1),
            "HasSuffix" => Test::EndsWith(self.text_argument()?.1),
            "IsString" => Test::IsText,
            "IsBool" => Test::IsBool,
            "IsInt" => Test::IsInt,
            "IsDouble" => Test::IsDouble,
            "IsMap" => Test::IsMap,
            _ => Test::IsList,
        };
        Ok(Condition::Test { target, test })
    }

    fn has_attribute(&mut self, start: usize, has_value: bool) -> Result<Condition, SyntaxError> {
        if self.context != Context::Metric {
            let message = "the function exists only in conditions about metrics";
            return Err(SyntaxError::new(start, message));
        }
        let (_, key) = self.text()?;
        let value = if has_value { Some(self.text_argument()?.1) } else { None };
        Ok(Condition::HasAttribute { key, value })
    }

    fn bytes_call(&mut self) -> Result<Operand, SyntaxError> {
        let start = self.start();
        let name = self.word()?;
        let len = match name.as_str() {
            "TraceID" | "ProfileID" => 16,
            "SpanID" => 8,
            _ => {
                let message = format!("there is no function `{name}` here");
                return Err(SyntaxError::new(start, message));
            }
        };
        self.expect("(")?;
        let start = self.start();
        let bytes = match self.kind().clone() {
            TokenKind::Bytes(bytes) if bytes.len() == len => bytes,
            _ => return Err(SyntaxError::new(start, format!("{len} bytes `0x...` are expected"))),
        };
        self.at += 1;
        self.expect(")")?;
        Ok(Operand::Literal(Literal::Bytes(bytes)))
    }

    fn text_argument(&mut self) -> Result<(usize, String), SyntaxError> {
        self.expect(",")?;
        self.text()
    }

    fn text(&mut self) -> Result<(usize, String), SyntaxError> {
        let start = self.start();
        let TokenKind::Text(text) = self.kind().clone() else {
            return Err(self.unexpected("a string in double quotes"));
        };
        self.at += 1;
        Ok((start, text))
    }

    fn word(&mut self) -> Result<String, SyntaxError> {
        let TokenKind::Word(word) = self.kind().clone() else {
            return Err(self.unexpected("a name"));
        };
        self.at += 1;
        Ok(word)
    }

    fn is_call(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
        matches!(self.kind(), TokenKind::Word(word) if !matches!(word.as_str(), "and" | "or" | "not"))
            && next == Some(&TokenKind::Symbol("("))
    }

    fn is_bytes_call(&self) -> bool {
        matches!(self.kind(), TokenKind::Word(word) if word.ends_with("ID"))
    }

    fn take_comparison(&mut self) -> Option<Comparison> {
        COMPARISONS
            .into_iter()
            .find(|(symbol, _)| self.take_symbol(symbol))
            .map(|(_, comparison)| comparison)
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
        Err(self.unexpected(&format!("`{symbol}`")))
    }

    /// The last token is the end, and nothing steps over it.
    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn start(&self) -> usize {
        self.token().start
    }

    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        SyntaxError::new(self.start(), format!("{expected} is expected"))
    }
}

fn one_or(mut all: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    if all.len() == 1 { all.remove(0) } else { join(all) }
}

/// Refuses comparisons that can never hold.
fn check_types(left: &Operand, comparison: Comparison, right: &Operand) -> Result<(), String> {
    let (Some(left), Some(right)) = (type_of(left), type_of(right)) else {
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        return match is_equality {
            true => Ok(()),
            false => Err("`nil` is neither less nor greater than anything".to_owned()),
        };
    };
    if left == right || left == ValueType::Any || right == ValueType::Any {
        return Ok(());
    }
    let words = |of: ValueType| match of {
        ValueType::Any => "anything",
        ValueType::Bool => "a boolean",
        ValueType::Number => "a number",
        ValueType::Text => "a string",
        ValueType::Bytes => "bytes",
    };
    Err(format!("{} is compared with {}", words(left), words(right)))
}

/// `None` is `nil`.
fn type_of(operand: &Operand) -> Option<ValueType> {
    Some(match operand {
        Operand::Path(path) if path.keys.is_empty() => path.value_type(),
        Operand::Path(_) => ValueType::Any,
        Operand::Literal(Literal::Nil) => return None,
        Operand::Literal(Literal::Bool(_)) => ValueType::Bool,
        Operand::Literal(Literal::Int(_) | Literal::Double(_)) => ValueType::Number,
        Operand::Literal(Literal::Text(_)) => ValueType::Text,
        Operand::Literal(Literal::Bytes(_)) => ValueType::Bytes,
    })
}
