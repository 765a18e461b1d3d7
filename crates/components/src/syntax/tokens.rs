//! Tokens: what a text consists of, and how far a parser has come in it.
//!
//! Each language says what its literals are and how a token is read; all else is the same for all.

use super::SyntaxError;

/// One token of a language with such literals.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<L> {
    /// A name or a keyword.
    Word(String),
    /// Punctuation and operators.
    Symbol(&'static str),
    Literal(L),
    /// What stands behind the last one.
    End,
}

/// The tokens of a text, and the one that is read next. Behind the last one stands the end, however
/// far a parser steps.
#[derive(Debug)]
pub(crate) struct Tokens<L> {
    /// The last one is the end.
    all: Vec<Token<L>>,
    /// The byte at which each starts.
    starts: Vec<usize>,
    at: usize,
}

impl<L> Tokens<L> {
    /// Cuts a text into tokens: `next` reads the one at a place that is no white space, and steps
    /// behind it.
    pub(crate) fn read(
        text: &str,
        next: impl Fn(&str, &mut usize) -> Result<Token<L>, SyntaxError>,
    ) -> Result<Self, SyntaxError> {
        let mut at = 0;
        let (mut all, mut starts) = (Vec::new(), Vec::new());
        loop {
            at = text.len() - text[at..].trim_start().len();
            starts.push(at);
            if at == text.len() {
                all.push(Token::End);
                return Ok(Self { all, starts, at: 0 });
            }
            all.push(next(text, &mut at)?);
        }
    }

    /// What is read next.
    pub(crate) fn first(&self) -> &Token<L> {
        &self.all[self.at.min(self.all.len() - 1)]
    }

    /// Where that starts, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.starts[self.at.min(self.starts.len() - 1)]
    }

    /// What comes behind that.
    pub(crate) fn second(&self) -> Option<&Token<L>> {
        self.all.get(self.at + 1)
    }

    /// What is read next, and all behind it.
    pub(crate) fn rest(&self) -> &[Token<L>] {
        self.all.get(self.at..).unwrap_or_default()
    }

    /// How many tokens were read.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// What was read since that many were.
    pub(crate) fn since(&self, place: usize) -> &[Token<L>] {
        self.all.get(place..self.at).unwrap_or_default()
    }

    pub(crate) fn step(&mut self) {
        self.at += 1;
    }

    /// Reads this word, if it comes next.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.first(), Token::Word(next) if next == word);
        self.at += usize::from(is_there);
        is_there
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.first(), Token::Symbol(next) if *next == symbol)
    }

    /// Reads this symbol, if it comes next.
    pub(crate) fn take_symbol(&mut self, symbol: &str) -> bool {
        let is_there = self.is_symbol(symbol);
        self.at += usize::from(is_there);
        is_there
    }

    /// Reads this symbol, which must come next.
    pub(crate) fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.missing(&format!("`{symbol}`")))
    }

    /// Reads a name or keyword, which must come next.
    pub(crate) fn word(&mut self) -> Result<String, SyntaxError> {
        let Token::Word(word) = self.first() else { return Err(self.missing("a name")) };
        let word = word.clone();
        self.at += 1;
        Ok(word)
    }

    /// What is wrong at the place that is read next.
    pub(crate) fn fault(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.start(), message)
    }

    /// Something else must stand at the place that is read next.
    pub(crate) fn missing(&self, expected: &str) -> SyntaxError {
        self.fault(format!("{expected} is expected"))
    }
}
