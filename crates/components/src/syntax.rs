//! Syntax: what the small languages of components share.

mod tokens;

use std::fmt;

pub(crate) use tokens::{Token, Tokens};

/// Why a string is not of a language, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// In bytes from the start of the string.
    pub offset: usize,
    pub message: String,
}

impl SyntaxError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }

    /// The message, the string, and a caret below the place.
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

/// Reads a string literal of Go that begins at `at` with `quote`, and steps behind it.
pub(crate) fn quoted(text: &str, at: &mut usize, quote: char) -> Result<String, SyntaxError> {
    let start = *at;
    *at += quote.len_utf8();
    let mut bytes = Vec::new();
    loop {
        let rest = &text[*at..];
        let plain = rest.find([quote, '\\']).unwrap_or(rest.len());
        bytes.extend_from_slice(&rest.as_bytes()[..plain]);
        *at += plain;
        let rest = &text[*at..];
        if rest.starts_with(quote) {
            *at += quote.len_utf8();
            break;
        }
        if rest.is_empty() {
            return Err(SyntaxError::new(start, "the string does not end"));
        }
        escape(text, at, quote, &mut bytes)?;
    }
    String::from_utf8(bytes).map_err(|_| SyntaxError::new(start, "the string is not UTF-8"))
}

/// Reads one escape, whose backslash stands at `at`.
fn escape(text: &str, at: &mut usize, quote: char, out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let start = *at;
    *at += 1;
    let Some(letter) = text[*at..].chars().next() else {
        return Err(SyntaxError::new(start, "the string ends inside an escape"));
    };
    *at += letter.len_utf8();
    let mut code = |digits, radix| code(text, at, start, (digits, radix));
    let byte = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        _ if letter == quote && quote.is_ascii() => letter as u8,
        'x' => code(2, 16)? as u8,
        'u' => return code(4, 16).and_then(|code| put_char(start, code, out)),
        'U' => return code(8, 16).and_then(|code| put_char(start, code, out)),
        '0'..='3' => {
            *at -= 1;
            self::code(text, at, start, (3, 8))? as u8
        }
        _ => {
            let message = format!("`\\{letter}` is not an escape; a backslash is written `\\\\`");
            return Err(SyntaxError::new(start, message));
        }
    };
    out.push(byte);
    Ok(())
}

/// A number of so many digits in that base.
fn code(
    text: &str,
    at: &mut usize,
    start: usize,
    (digits, radix): (usize, u32),
) -> Result<u32, SyntaxError> {
    let code = text[*at..].get(..digits).filter(|text| !text.starts_with('+'));
    let code = code.and_then(|text| u32::from_str_radix(text, radix).ok());
    let code =
        code.ok_or_else(|| SyntaxError::new(start, format!("the escape needs {digits} digits")))?;
    *at += digits;
    Ok(code)
}

fn put_char(start: usize, code: u32, out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let letter = char::from_u32(code);
    let letter = letter.ok_or_else(|| SyntaxError::new(start, "no such character"))?;
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}
