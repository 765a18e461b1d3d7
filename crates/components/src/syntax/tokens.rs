//! Tokens: what a text consists of, and how far a parser has come in it.
//!
//! Each language says what its tokens are; stepping over them is the same for all.

use super::SyntaxError;

/// What tokens a language has.
pub(crate) trait Kind: PartialEq {
    /// The token behind the last one.
    const END: Self;

    /// The name or keyword, if it is one.
    fn word(&self) -> Option<&str>;

    /// The symbol, if it is one.
    fn symbol(&self) -> Option<&'static str>;
}

/// A token and the byte at which it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token<K> {
    pub(crate) start: usize,
    pub(crate) kind: K,
}

/// The tokens of a text, and the one that is read next. Behind the last one stands the end, however
/// far a parser steps.
#[derive(Debug)]
pub(crate) struct Tokens<K> {
    /// The last one is the end.
    all: Vec<Token<K>>,
    at: usize,
}

impl<K: Kind> Tokens<K> {
    /// Cuts a text into tokens: `next` reads the one at a place that is no white space, and steps
    /// behind it.
    pub(crate) fn read(
        text: &str,
        next: impl Fn(&str, &mut usize) -> Result<K, SyntaxError>,
    ) -> Result<Self, SyntaxError> {
        let mut at = 0;
        let mut all = Vec::new();
        loop {
            at = text.len() - text[at..].trim_start().len();
            let start = at;
            if start == text.len() {
                all.push(Token { start, kind: K::END });
                return Ok(Self { all, at: 0 });
            }
            all.push(Token { start, kind: next(text, &mut at)? });
        }
    }

    /// What is read next.
    pub(crate) fn kind(&self) -> &K {
        &self.token().kind
    }

    /// Where that starts, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.token().start
    }

    /// What comes behind that.
    pub(crate) fn second(&self) -> Option<&K> {
        self.all.get(self.at + 1).map(|token| &token.kind)
    }

    /// What is read next, and all behind it.
    pub(crate) fn rest(&self) -> &[Token<K>] {
        self.all.get(self.at..).unwrap_or_default()
    }

    /// How many tokens were read.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// What was read since that many were.
    pub(crate) fn since(&self, place: usize) -> &[Token<K>] {
        self.all.get(place..self.at).unwrap_or_default()
    }

    pub(crate) fn step(&mut self) {
        self.at += 1;
    }

    /// Reads this word, if it comes next.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let is_there = self.kind().word() == Some(word);
        self.at += usize::from(is_there);
        is_there
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind().symbol() == Some(symbol)
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
        let word = self.kind().word().map(str::to_owned);
        let word = word.ok_or_else(|| self.missing("a name"))?;
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

    fn token(&self) -> &Token<K> {
        &self.all[self.at.min(self.all.len() - 1)]
    }
}
