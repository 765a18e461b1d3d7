//! Parser: tokens to a [`Term`], by recursive descent.
//!
//! `or` binds weakest, then `and`, then `not`; then `+` and `-`, then `*` and `/`. Bounds: parentheses nest at most `DEPTH_MAX` deep.

use regex::Regex;

use super::lexer::tokens;
use super::path::{Context, Key, Path, ValueType, needs_key};
use super::types::{check_types, type_of};
use super::{Comparison, Function, Literal, Operand, Operator, SyntaxError, Term, Test};
use crate::syntax::{Token, Tokens};

const DEPTH_MAX: usize = 64;
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

const OPERATORS: [(&str, Operator); 4] = [
    ("+", Operator::Add),
    ("-", Operator::Subtract),
    ("*", Operator::Multiply),
    ("/", Operator::Divide),
];
/// The functions that answer yes or no.
const TESTS: [&str; 13] = [
    "IsMatch",
    "HasPrefix",
    "HasSuffix",
    "IsString",
    "IsBool",
    "IsInt",
    "IsDouble",
    "IsMap",
    "IsList",
    "IsRootSpan",
    "ContainsValue",
    "HasAttrKeyOnDatapoint",
    "HasAttrOnDatapoint",
];
const TRACE_ID_LEN: usize = 16;
const SPAN_ID_LEN: usize = 8;

/// Reads a whole condition.
pub(super) fn parse(text: &str, context: Context) -> Result<Term, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, depth: 0, context };
    let term = parser.any()?;
    match parser.tokens.first() {
        Token::End => Ok(term),
        _ => Err(parser.tokens.missing("`and`, `or` or the end")),
    }
}

struct Parser {
    tokens: Tokens<Literal>,
    depth: usize,
    context: Context,
}

impl Parser {
    fn any(&mut self) -> Result<Term, SyntaxError> {
        let mut terms = vec![self.all()?];
        while self.tokens.take_word("or") {
            terms.push(self.all()?);
        }
        Ok(one_or(terms, Term::Any))
    }

    fn all(&mut self) -> Result<Term, SyntaxError> {
        let mut terms = vec![self.negated()?];
        while self.tokens.take_word("and") {
            terms.push(self.negated()?);
        }
        Ok(one_or(terms, Term::All))
    }

    fn negated(&mut self) -> Result<Term, SyntaxError> {
        if self.tokens.take_word("not") {
            return Ok(Term::Not(Box::new(self.single()?)));
        }
        self.single()
    }

    fn single(&mut self) -> Result<Term, SyntaxError> {
        if self.tokens.is_symbol("(") && !self.is_value_in_parentheses() {
            return self.parenthesized();
        }
        if self.is_test() {
            let term = self.call()?;
            return self.compared_with_truth(term);
        }
        let start = self.tokens.start();
        let left = self.operand()?;
        let Some(comparison) = self.take_comparison() else {
            return match left {
                Operand::Literal(Literal::Bool(value)) => Ok(Term::Constant(value)),
                _ => Err(self.tokens.missing("a comparison such as `==`")),
            };
        };
        let right = self.operand()?;
        check_types(&left, comparison, &right)
            .map_err(|message| SyntaxError::new(start, message))?;
        Ok(Term::Compare { left, comparison, right })
    }

    /// Reads the `== true` that some write behind a function that answers yes or no.
    fn compared_with_truth(&mut self, term: Term) -> Result<Term, SyntaxError> {
        let start = self.tokens.start();
        let Some(comparison) = self.take_comparison() else { return Ok(term) };
        let is_equal = match comparison {
            Comparison::Equal => true,
            Comparison::NotEqual => false,
            _ => return Err(SyntaxError::new(start, "`==` or `!=` is expected")),
        };
        let Token::Word(word) = self.tokens.first().clone() else {
            return Err(self.tokens.missing("`true` or `false`"));
        };
        let expected = match word.as_str() {
            "true" => is_equal,
            "false" => !is_equal,
            _ => return Err(self.tokens.missing("`true` or `false`")),
        };
        self.tokens.step();
        Ok(if expected { term } else { Term::Not(Box::new(term)) })
    }

    fn parenthesized(&mut self) -> Result<Term, SyntaxError> {
        self.nested(Self::any)
    }

    /// Reads something between parentheses.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(SyntaxError::new(self.tokens.start(), "parentheses nest too deep"));
        }
        self.depth += 1;
        self.tokens.expect("(")?;
        let read = read(self)?;
        self.tokens.expect(")")?;
        self.depth -= 1;
        Ok(read)
    }

    /// Whether what stands in the parentheses is a value: then it is compared or reckoned with.
    fn is_value_in_parentheses(&self) -> bool {
        let mut depth = 0;
        let rest = self.tokens.rest();
        for (at, token) in rest.iter().enumerate() {
            match token {
                Token::Symbol("(") => depth += 1,
                Token::Symbol(")") => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let next = rest.get(at + 1);
                let Some(Token::Symbol(symbol)) = next else { return false };
                let compares = COMPARISONS.iter().any(|(known, _)| known == symbol);
                return compares || OPERATORS.iter().any(|(known, _)| known == symbol);
            }
        }
        false
    }

    fn operand(&mut self) -> Result<Operand, SyntaxError> {
        self.arithmetic(&OPERATORS[..2], |parser| parser.arithmetic(&OPERATORS[2..], Self::value))
    }

    /// Reads values that are joined by one of `operators`, which bind from left to right.
    fn arithmetic(
        &mut self,
        operators: &[(&str, Operator)],
        read: impl Fn(&mut Self) -> Result<Operand, SyntaxError>,
    ) -> Result<Operand, SyntaxError> {
        let start = self.tokens.start();
        let mut left = read(self)?;
        while let Some((_, operator)) =
            operators.iter().find(|(symbol, _)| self.tokens.take_symbol(symbol))
        {
            let right = read(self)?;
            for operand in [&left, &right] {
                if !matches!(type_of(operand), Some(ValueType::Number | ValueType::Any)) {
                    return Err(SyntaxError::new(start, "only numbers can be reckoned with"));
                }
            }
            left = Operand::Arithmetic {
                left: Box::new(left),
                operator: *operator,
                right: Box::new(right),
            };
        }
        Ok(left)
    }

    /// Reads a value of which not all attributes at once are meant.
    fn value(&mut self) -> Result<Operand, SyntaxError> {
        let (place, start) = (self.tokens.place(), self.tokens.start());
        let operand = self.argument()?;
        match &operand {
            Operand::Path(path) if path.is_whole_list() => {
                let words = self.tokens.since(place).iter().map(|token| match token {
                    Token::Word(word) => word.as_str(),
                    _ => ".",
                });
                let message = needs_key(&words.collect::<String>());
                Err(SyntaxError::new(start, message))
            }
            _ => Ok(operand),
        }
    }

    /// Reads a value that a function is asked about.
    fn argument(&mut self) -> Result<Operand, SyntaxError> {
        let start = self.tokens.start();
        if self.tokens.is_symbol("(") {
            return self.nested(Self::operand);
        }
        if self.is_call() {
            return self.value_call();
        }
        let literal = match self.tokens.first().clone() {
            Token::Literal(literal) => literal,
            Token::Word(word) => match word.as_str() {
                "nil" => Literal::Nil,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "and" | "or" | "not" => return Err(self.tokens.missing("a value or a path")),
                _ if word.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    let number = super::value::enum_number(&word);
                    number.map(Literal::Int).ok_or_else(|| {
                        SyntaxError::new(start, format!("`{word}` is not the name of an enum"))
                    })?
                }
                _ => return self.path().map(Operand::Path),
            },
            Token::Symbol(_) | Token::End => {
                return Err(self.tokens.missing("a value or a path"));
            }
        };
        self.tokens.step();
        Ok(Operand::Literal(literal))
    }

    fn path(&mut self) -> Result<Path, SyntaxError> {
        let start = self.tokens.start();
        let mut words = vec![self.tokens.word()?];
        while self.tokens.take_symbol(".") {
            words.push(self.tokens.word()?);
        }
        let mut keys = Vec::new();
        while self.tokens.take_symbol("[") {
            let key = match self.tokens.first().clone() {
                Token::Literal(Literal::Text(name)) => Key::Name(name),
                Token::Literal(Literal::Int(index)) => {
                    let index = usize::try_from(index);
                    let negative =
                        |_| SyntaxError::new(self.tokens.start(), "an index is not negative");
                    Key::Index(index.map_err(negative)?)
                }
                _ => return Err(self.tokens.missing("a key such as `\"name\"`")),
            };
            self.tokens.step();
            self.tokens.expect("]")?;
            keys.push(key);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Path::resolve(self.context, &words, keys)
            .map_err(|message| SyntaxError::new(start, message))
    }

    fn call(&mut self) -> Result<Term, SyntaxError> {
        let start = self.tokens.start();
        let name = self.tokens.word()?;
        self.tokens.expect("(")?;
        let term = match name.as_str() {
            "HasAttrKeyOnDatapoint" => self.has_attribute(start, false)?,
            "HasAttrOnDatapoint" => self.has_attribute(start, true)?,
            "IsRootSpan" => self.is_root_span(start)?,
            "ContainsValue" => {
                let list = if self.tokens.is_symbol("[") { self.list()? } else { self.argument()? };
                self.tokens.expect(",")?;
                Term::Contains { list, item: self.operand()? }
            }
            _ => Term::Test { target: self.argument()?, test: self.test(&name)? },
        };
        self.tokens.expect(")")?;
        Ok(term)
    }

    /// Reads the rest of a call that asks about one value.
    fn test(&mut self, name: &str) -> Result<Test, SyntaxError> {
        Ok(match name {
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
        })
    }

    fn list(&mut self) -> Result<Operand, SyntaxError> {
        self.tokens.expect("[")?;
        let mut elements = Vec::new();
        while !self.tokens.take_symbol("]") {
            if !elements.is_empty() {
                self.tokens.expect(",")?;
            }
            elements.push(self.operand()?);
        }
        Ok(Operand::List(elements))
    }

    fn is_root_span(&mut self, start: usize) -> Result<Term, SyntaxError> {
        if self.context != Context::Span {
            let message = "the function exists only in conditions about spans";
            return Err(SyntaxError::new(start, message));
        }
        let path = Path::resolve(self.context, &["parent_span_id"], Vec::new());
        let left = Operand::Path(path.map_err(|message| SyntaxError::new(start, message))?);
        let right = Operand::Literal(Literal::Bytes(vec![0; SPAN_ID_LEN]));
        Ok(Term::Compare { left, comparison: Comparison::Equal, right })
    }

    fn has_attribute(&mut self, start: usize, has_value: bool) -> Result<Term, SyntaxError> {
        if self.context != Context::Metric {
            let message = "the function exists only in conditions about metrics";
            return Err(SyntaxError::new(start, message));
        }
        let (_, key) = self.text()?;
        let value = if has_value { Some(self.text_argument()?.1) } else { None };
        Ok(Term::HasAttribute { key, value })
    }

    /// Reads a call that makes a value.
    fn value_call(&mut self) -> Result<Operand, SyntaxError> {
        let start = self.tokens.start();
        let name = self.tokens.word()?;
        let function = match name.as_str() {
            "TraceID" | "ProfileID" => return self.id(TRACE_ID_LEN),
            "SpanID" => return self.id(SPAN_ID_LEN),
            "Len" => Function::Len,
            "Int" => Function::Int,
            "Double" => Function::Double,
            "String" => Function::String,
            "ToLowerCase" => Function::LowerCase,
            "ToUpperCase" => Function::UpperCase,
            "ConvertCase" => return self.convert_case(),
            _ => {
                let message = format!("there is no function `{name}` here");
                return Err(SyntaxError::new(start, message));
            }
        };
        let argument = Box::new(self.nested(Self::argument)?);
        Ok(Operand::Call { function, argument })
    }

    fn convert_case(&mut self) -> Result<Operand, SyntaxError> {
        self.nested(|parser| {
            let argument = Box::new(parser.argument()?);
            let (start, case) = parser.text_argument()?;
            let function = match case.as_str() {
                "lower" => Function::LowerCase,
                "upper" => Function::UpperCase,
                _ => return Err(SyntaxError::new(start, "`lower` or `upper` is expected")),
            };
            Ok(Operand::Call { function, argument })
        })
    }

    fn id(&mut self, len: usize) -> Result<Operand, SyntaxError> {
        self.nested(|parser| {
            let start = parser.tokens.start();
            let bytes = match parser.tokens.first().clone() {
                Token::Literal(Literal::Bytes(bytes)) if bytes.len() == len => bytes,
                _ => {
                    let message = format!("{len} bytes `0x...` are expected");
                    return Err(SyntaxError::new(start, message));
                }
            };
            parser.tokens.step();
            Ok(Operand::Literal(Literal::Bytes(bytes)))
        })
    }

    fn text_argument(&mut self) -> Result<(usize, String), SyntaxError> {
        self.tokens.expect(",")?;
        self.text()
    }

    fn text(&mut self) -> Result<(usize, String), SyntaxError> {
        let start = self.tokens.start();
        let Token::Literal(Literal::Text(text)) = self.tokens.first().clone() else {
            return Err(self.tokens.missing("a string in double quotes"));
        };
        self.tokens.step();
        Ok((start, text))
    }

    fn is_call(&self) -> bool {
        let next = self.tokens.second();
        matches!(self.tokens.first(), Token::Word(word) if !matches!(word.as_str(), "and" | "or" | "not"))
            && next == Some(&Token::Symbol("("))
    }

    /// Whether a function is called that answers yes or no.
    fn is_test(&self) -> bool {
        self.is_call()
            && matches!(self.tokens.first(), Token::Word(word) if TESTS.contains(&word.as_str()))
    }

    fn take_comparison(&mut self) -> Option<Comparison> {
        COMPARISONS
            .into_iter()
            .find(|(symbol, _)| self.tokens.take_symbol(symbol))
            .map(|(_, comparison)| comparison)
    }
}

fn one_or(mut all: Vec<Term>, join: fn(Vec<Term>) -> Term) -> Term {
    if all.len() == 1 { all.remove(0) } else { join(all) }
}
