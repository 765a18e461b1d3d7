//! The `csv_parser` operator.

use config::Faults;

use super::Work;
use super::parsing::{Parse, parser_words};
use crate::receivers::file_log::entry::{Entry, Map, Value};

parser_words! {
    /// Takes a line of values apart, whose names are given.
    pub struct Words {
        /// The names of the values, with delimiters between them.
        pub header: Option<String>,
        /// The attribute in which the names are found, instead of `header`.
        pub header_attribute: Option<String>,
        /// What stands between values: one character. `,`, unless it is written.
        pub delimiter: Option<String>,
        /// What stands between names; `delimiter`, unless it is written.
        pub header_delimiter: Option<String>,
        /// Whether a quote may stand in a value without quotes, and a single one in a value with
        /// them.
        pub lazy_quotes: bool,
        /// Whether quotes have no meaning.
        pub ignore_quotes: bool,
    }
}

#[derive(Debug)]
struct CsvParser {
    names: Names,
    delimiter: char,
    quotes: Quotes,
}

#[derive(Debug)]
enum Names {
    Fixed(Vec<String>),
    Attribute { key: String, delimiter: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    Strict,
    Lazy,
    Ignored,
}

impl Words {
    pub(super) fn build(mut self, faults: &mut Faults) -> Option<Work> {
        let parser = self.parser(faults);
        self.take_parsing().build(parser, faults)
    }

    fn parser(&self, faults: &mut Faults) -> Option<CsvParser> {
        let written = self.delimiter.as_deref().unwrap_or(",");
        let mut characters = written.chars();
        let delimiter = characters.next().filter(|_| characters.next().is_none());
        let delimiter = delimiter.filter(|delimiter| !['\r', '\n', '"'].contains(delimiter));
        if delimiter.is_none() {
            let message = "the delimiter must be one character that is no quote and no line end";
            faults.add("delimiter", message);
        }
        let between = self.header_delimiter.as_deref().unwrap_or(written);
        let names = match (&self.header, &self.header_attribute) {
            (Some(header), None) if !header.is_empty() && !between.is_empty() => {
                Some(Names::Fixed(names(header, between)))
            }
            (None, Some(key)) if !key.is_empty() => {
                Some(Names::Attribute { key: key.clone(), delimiter: between.to_owned() })
            }
            _ => {
                faults.add("header", "exactly one of `header` and `header_attribute` is needed");
                None
            }
        };
        if self.lazy_quotes && self.ignore_quotes {
            faults.add("lazy_quotes", "quotes cannot be both lazy and ignored");
        }
        let quotes = match (self.lazy_quotes, self.ignore_quotes) {
            (_, true) => Quotes::Ignored,
            (true, _) => Quotes::Lazy,
            _ => Quotes::Strict,
        };
        Some(CsvParser { names: names?, delimiter: delimiter?, quotes })
    }
}

impl Parse for CsvParser {
    fn parse(&self, text: &str, entry: &Entry) -> Result<Value, String> {
        let values = match self.quotes {
            Quotes::Ignored => text.split(self.delimiter).map(str::to_owned).collect(),
            quotes => values(text, self.delimiter, quotes)?,
        };
        let names = match &self.names {
            Names::Fixed(names) => names,
            Names::Attribute { key, delimiter } => {
                let header = entry.attributes.get(key).and_then(Value::as_text);
                &names(header.ok_or_else(|| format!("there is no attribute `{key}`"))?, delimiter)
            }
        };
        if names.len() != values.len() {
            return Err(format!("{} values for {} names", values.len(), names.len()));
        }
        let pairs = names.iter().cloned().zip(values.into_iter().map(Value::Text));
        Ok(Value::Map(pairs.collect::<Map>()))
    }
}

fn names(header: &str, delimiter: &str) -> Vec<String> {
    header.split(delimiter).map(|name| name.trim().to_owned()).collect()
}

/// The values of one line; quoted ones may hold delimiters, line ends and doubled quotes.
fn values(text: &str, delimiter: char, quotes: Quotes) -> Result<Vec<String>, String> {
    let is_lazy = quotes == Quotes::Lazy;
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        let (value, after) = match rest.strip_prefix('"') {
            Some(inner) => quoted(inner, delimiter, is_lazy)?,
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                if plain.contains('"') && !is_lazy {
                    return Err("a quote stands in a value without quotes".to_owned());
                }
                (plain.to_owned(), after)
            }
        };
        values.push(value);
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None => return Ok(values),
        }
    }
}

/// A value whose first quote was read, and what follows its last one.
fn quoted(text: &str, delimiter: char, is_lazy: bool) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let Some((plain, after)) = rest.split_once('"') else {
            if !is_lazy {
                return Err("a quote is not closed".to_owned());
            }
            value.push_str(rest);
            return Ok((value, ""));
        };
        value.push_str(plain);
        if after.is_empty() || after.starts_with(delimiter) {
            return Ok((value, after));
        }
        rest = match after.strip_prefix('"') {
            Some(next) => next,
            None if is_lazy => after,
            None => return Err("text follows a closing quote".to_owned()),
        };
        value.push('"');
    }
}
