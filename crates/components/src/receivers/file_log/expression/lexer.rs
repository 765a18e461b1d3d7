//! Lexer: cuts an expression into tokens with their places.

use super::Value;
use crate::syntax::{SyntaxError, Token, Tokens, quoted};

/// Longer ones first.
const SYMBOLS: [&str; 29] = [
    "&&", "||", "==", "!=", "<=", ">=", "??", "?.", "**", "(", ")", "[", "]", ".", ",", "?", ":",
    "+", "-", "*", "/", "%", "^", "<", ">", "!", "{", "}", "|",
];

/// The tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Tokens<Value>, SyntaxError> {
    Tokens::read(text, next_token)
}

fn next_token(text: &str, at: &mut usize) -> Result<Token<Value>, SyntaxError> {
    let rest = &text[*at..];
    let Some(first) = rest.chars().next() else { return Ok(Token::End) };
    match first {
        '"' | '\'' => return quoted(text, at, first).map(Value::Text).map(Token::Literal),
        '`' => {
            let raw = rest[1..].split_once('`').map(|(raw, _)| raw);
            let raw = raw.ok_or_else(|| SyntaxError::new(*at, "the string does not end"))?;
            *at += raw.len() + 2;
            return Ok(Token::Literal(Value::Text(raw.to_owned())));
        }
        '0'..='9' => return number(text, at).map(Token::Literal),
        '$' => {
            *at += 1;
            return Ok(Token::Word("$".to_owned()));
        }
        _ => {}
    }
    if first.is_alphabetic() || first == '_' {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        *at += end;
        return Ok(Token::Word(rest[..end].to_owned()));
    }
    let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
    let symbol = symbol.ok_or_else(|| {
        SyntaxError::new(*at, format!("an expression cannot contain `{first}` here"))
    })?;
    *at += symbol.len();
    Ok(Token::Symbol(symbol))
}

fn number(text: &str, at: &mut usize) -> Result<Value, SyntaxError> {
    let rest = &text[*at..];
    let start = *at;
    let mut end = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
    let digits = |from: usize| {
        let after = &rest[from..];
        after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())
    };
    let mut is_double = false;
    if rest[end..].starts_with('.') && 0 < digits(end + 1) {
        is_double = true;
        end += 1 + digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if 0 < exponent {
            is_double = true;
            end += 1 + sign + exponent;
        }
    }
    *at += end;
    let plain = rest[..end].replace('_', "");
    let parsed = match is_double {
        true => plain.parse().map(Value::Double).ok(),
        false => plain.parse().map(Value::Int).ok(),
    };
    parsed.ok_or_else(|| SyntaxError::new(start, format!("`{plain}` is not a 64-bit number")))
}
