//! The `key_value_parser` operator.

use config::Faults;

use super::Work;
use super::parsing::{Parse, parser_words};
use crate::receivers::file_log::entry::{Entry, Map, Value};

parser_words! {
    /// Takes a text like `a=1 b="two words"` apart.
    pub struct Words {
        /// What stands between key and value; `=`, unless it is written.
        pub delimiter: Option<String>,
        /// What stands between pairs; white space, unless it is written.
        pub pair_delimiter: Option<String>,
    }
}

#[derive(Debug)]
struct KeyValueParser {
    delimiter: String,
    /// White space, if there is none.
    pair_delimiter: Option<String>,
}

impl Words {
    pub(super) fn build(mut self, faults: &mut Faults) -> Option<Work> {
        let delimiter = self.delimiter.take().unwrap_or_else(|| "=".to_owned());
        let pair_delimiter = self.pair_delimiter.take().filter(|between| !between.is_empty());
        if delimiter.is_empty() {
            faults.add("delimiter", "the delimiter cannot be empty");
        }
        if pair_delimiter.as_deref() == Some(delimiter.as_str()) {
            faults.add("pair_delimiter", "both delimiters are the same");
        }
        let parser = KeyValueParser { delimiter, pair_delimiter };
        self.take_parsing().build(Some(parser), faults)
    }
}

impl Parse for KeyValueParser {
    fn parse(&self, text: &str, _entry: &Entry) -> Result<Value, String> {
        let mut map = Map::new();
        for pair in self.pairs(text)? {
            let pair = pair.trim();
            if pair.is_empty() {
                continue;
            }
            let Some((key, value)) = pair.split_once(self.delimiter.as_str()) else {
                return Err(format!("`{pair}` is no pair with `{}` in it", self.delimiter));
            };
            map.insert(unquoted(key).to_owned(), unquoted(value).into());
        }
        if map.is_empty() {
            return Err("there are no pairs".to_owned());
        }
        Ok(Value::Map(map))
    }
}

impl KeyValueParser {
    /// The pairs; delimiters in quotes part nothing.
    fn pairs<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, String> {
        let mut pairs = Vec::new();
        let mut start = 0;
        let mut quote = None;
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            let len = match quote {
                Some(open) => {
                    quote = (letter != open).then_some(open);
                    None
                }
                None if letter == '"' || letter == '\'' => {
                    quote = Some(letter);
                    None
                }
                None => self.pair_delimiter_len(&text[at..]),
            };
            if let Some(len) = len {
                pairs.push(&text[start..at]);
                start = at + len;
            }
            at += len.unwrap_or(letter.len_utf8());
        }
        if quote.is_some() {
            return Err("a quote is not closed".to_owned());
        }
        pairs.push(&text[start..]);
        Ok(pairs)
    }

    fn pair_delimiter_len(&self, text: &str) -> Option<usize> {
        match &self.pair_delimiter {
            Some(between) => text.starts_with(between.as_str()).then_some(between.len()),
            None => text.chars().next().filter(|letter| letter.is_whitespace()).map(char::len_utf8),
        }
    }
}

/// A key or value without the quotes around it.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
