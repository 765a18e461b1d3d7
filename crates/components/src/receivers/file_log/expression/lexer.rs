//! Lexer: cuts an expression into tokens with their places.

use crate::syntax::{Kind, SyntaxError, Tokens, quoted};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Word(String),
    Text(String),
    Int(i64),
    Double(f64),
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 29] = [
    "&&", "||", "==", "!=", "<=", ">=", "??", "?.", "**", "(", ")", "[", "]", ".", ",", "?", ":",
    "+", "-", "*", "/", "%", "^", "<", ">", "!", "{", "}", "|",
];

/// The tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Tokens<TokenKind>, SyntaxError> {
    Tokens::read(text, next_kind)
}

impl Kind for TokenKind {
    const END: Self = Self::End;

    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    fn symbol(&self) -> Option<&'static str> {
        match self {
            Self::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }
}

fn next_kind(text: &str, at: &mut usize) -> Result<TokenKind, SyntaxError> {
    let rest = &text[*at..];
    let Some(first) = rest.chars().next() else { return Ok(TokenKind::End) };
    match first {
        '"' | '\'' => return quoted(text, at, first).map(TokenKind::Text),
        '`' => {
            let raw = rest[1..].split_once('`').map(|(raw, _)| raw);
            let raw = raw.ok_or_else(|| SyntaxError::new(*at, "the string does not end"))?;
            *at += raw.len() + 2;
            return Ok(TokenKind::Text(raw.to_owned()));
        }
        '0'..='9' => return number(text, at),
        '$' => {
            *at += 1;
            return Ok(TokenKind::Word("$".to_owned()));
        }
        _ => {}
    }
    if first.is_alphabetic() || first == '_' {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        *at += end;
        return Ok(TokenKind::Word(rest[..end].to_owned()));
    }
    let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
    let symbol = symbol.ok_or_else(|| {
        SyntaxError::new(*at, format!("an expression cannot contain `{first}` here"))
    })?;
    *at += symbol.len();
    Ok(TokenKind::Symbol(symbol))
}

fn number(text: &str, at: &mut usize) -> Result<TokenKind, SyntaxError> {
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
        true => plain.parse().map(TokenKind::Double).ok(),
        false => plain.parse().map(TokenKind::Int).ok(),
    };
    parsed.ok_or_else(|| SyntaxError::new(start, format!("`{plain}` is not a 64-bit number")))
}
