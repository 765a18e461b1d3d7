//! Lexer: cuts a condition into tokens with their places.

use super::{Literal, SyntaxError};
use crate::syntax::{Token, Tokens, quoted};

const SYMBOLS: [&str; 18] =
    ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ".", ",", "=", "+", "-", "*", "/", "{"];

/// The tokens of a condition.
pub(super) fn tokens(text: &str) -> Result<Tokens<Literal>, SyntaxError> {
    Tokens::read(text, |text, at| {
        let mut lexer = Lexer { text, at: *at };
        let token = lexer.next_token()?;
        *at = lexer.at;
        Ok(token)
    })
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next_token(&mut self) -> Result<Token<Literal>, SyntaxError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if first == '"' {
            return quoted(self.text, &mut self.at, '"').map(Literal::Text).map(Token::Literal);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
            return Ok(Token::Word(word.to_owned()));
        }
        let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number().map(Token::Literal);
        }
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let symbol = symbol.ok_or_else(|| {
            SyntaxError::new(self.at, format!("a condition cannot contain `{first}` here"))
        })?;
        self.at += symbol.len();
        Ok(Token::Symbol(symbol))
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn number(&mut self) -> Result<Literal, SyntaxError> {
        let start = self.at;
        let rest = self.rest();
        if let Some(digits) = rest.strip_prefix("0x") {
            self.at += 2;
            self.take(|c| c.is_ascii_hexdigit());
            return hex(&digits[..self.at - start - 2])
                .map(Literal::Bytes)
                .ok_or_else(|| SyntaxError::new(start, "bytes need pairs of hex digits"));
        }
        self.at += usize::from(rest.starts_with(['+', '-']));
        self.take(|c| c.is_ascii_digit() || c == '.');
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            self.at += usize::from(self.rest().starts_with(['+', '-']));
            self.take(|c| c.is_ascii_digit());
        }
        let number = &self.text[start..self.at];
        let parsed = match number.contains(['.', 'e', 'E']) {
            true => number.parse().map(Literal::Double).ok(),
            false => number.parse().map(Literal::Int).ok(),
        };
        parsed.ok_or_else(|| SyntaxError::new(start, format!("`{number}` is not a 64-bit number")))
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let is_even = !digits.is_empty() && digits.len().is_multiple_of(2);
    let pairs = (0..digits.len()).step_by(2);
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    is_even.then(|| pairs.map(byte).collect()).flatten()
}
