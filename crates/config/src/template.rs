//! Template: a text with expansions, `a-${env:NAME}-${file:${env:PATH}}`, and its escape `$$`.
//!
//! Bounds: [`DEPTH_MAX`] expansions within each other.

/// How many expansions may stand within each other.
const DEPTH_MAX: usize = 20;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// `${…}`, with expansions inside.
    Expansion {
        inner: Vec<Piece>,
        /// Which `${` of the whole text it is, counted from zero.
        number: usize,
    },
}

/// A text that is not a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTemplate {
    #[error("`${{` has no `}}`")]
    Unclosed { number: usize },
    #[error("expansions stand within each other over 20 deep")]
    TooDeep { number: usize },
}

impl InvalidTemplate {
    /// Which `${` of the text is meant, counted from zero.
    pub(crate) fn number(self) -> usize {
        match self {
            Self::Unclosed { number } | Self::TooDeep { number } => number,
        }
    }
}

/// The pieces of `text`.
pub(crate) fn parse(text: &str) -> Result<Vec<Piece>, InvalidTemplate> {
    Parser { text, at: 0, openings: 0 }.pieces(0)
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes read so far.
    at: usize,
    /// How many `${` were read so far.
    openings: usize,
}

impl Parser<'_> {
    /// Reads up to the end of the text or, within an expansion, up to its `}`.
    fn pieces(&mut self, depth: usize) -> Result<Vec<Piece>, InvalidTemplate> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.text[self.at..].chars().next() {
            let rest = &self.text[self.at..];
            if rest.starts_with("$$") {
                // `$${` is no opening, yet it holds the letters of one.
                self.openings += usize::from(rest.starts_with("$${"));
                self.at += 2;
                text.push('$');
            } else if rest.starts_with("${") {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(self.expansion(depth + 1)?);
            } else if c == '}' && 0 < depth {
                break;
            } else {
                self.at += c.len_utf8();
                text.push(c);
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(pieces)
    }

    /// Reads an expansion, from `${` to `}`.
    fn expansion(&mut self, depth: usize) -> Result<Piece, InvalidTemplate> {
        let number = self.openings;
        if DEPTH_MAX < depth {
            return Err(InvalidTemplate::TooDeep { number });
        }
        self.at += 2;
        self.openings += 1;
        let inner = self.pieces(depth)?;
        if !self.text[self.at..].starts_with('}') {
            return Err(InvalidTemplate::Unclosed { number });
        }
        self.at += 1;
        Ok(Piece::Expansion { inner, number })
    }
}

#[cfg(test)]
mod tests;
