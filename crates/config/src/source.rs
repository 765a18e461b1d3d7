//! Source: where configuration comes from, and the texts it was read from.
//!
//! This crate does no I/O: variables and files are asked of an [`Outside`].

use std::io;
use std::str::FromStr;
use std::sync::Arc;

use crate::Position;

/// The process around the configuration: its environment and its files.
pub trait Outside {
    /// The value of an environment variable, if it is set.
    fn variable(&self, name: &str) -> Option<String>;

    /// What a file holds; longer than `bytes_max` is an error.
    fn file(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>>;
}

/// Where a text comes from, as named in `--config` and in `${…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `file:path`, or only a path in `--config`.
    File(String),
    /// `env:NAME`, `env:NAME:-default`.
    Variable { name: String, default: Option<String> },
    /// `yaml:` and the text itself.
    Yaml(String),
}

/// The text does not name a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    #[error("configuration over `{0}:` is not supported")]
    Remote(String),
    #[error("`{0}:` is not a source of configuration")]
    UnknownScheme(String),
    #[error("`{0}` is not the name of an environment variable")]
    InvalidName(String),
    #[error("the name of the source is missing")]
    Empty,
}

impl InvalidSource {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Remote(_) => "download it to a file first",
            Self::UnknownScheme(_) => "known are `file:`, `env:` and `yaml:`",
            Self::InvalidName(_) => "a name has letters, digits and `_`, and no digit first",
            Self::Empty => "write `file:path`, `env:NAME` or `yaml:text`",
        }
    }
}

impl Source {
    /// What a `${…}` names; without a scheme it is an environment variable.
    pub fn from_expansion(text: &str) -> Result<Self, InvalidSource> {
        let name = text.split(":-").next().unwrap_or(text);
        match text.is_empty() {
            true => Err(InvalidSource::Empty),
            // A default may hold colons itself.
            false if !name.contains(':') => variable(text),
            false => text.parse(),
        }
    }

    /// What `--config` names; without a scheme it is a file.
    pub fn from_argument(text: &str) -> Result<Self, InvalidSource> {
        if text.is_empty() {
            return Err(InvalidSource::Empty);
        }
        if scheme_of(text).is_none() { Ok(Self::File(text.to_owned())) } else { text.parse() }
    }
}

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        match scheme_of(text) {
            Some(("file", "")) => Err(InvalidSource::Empty),
            Some(("file", path)) => Ok(Self::File(path.to_owned())),
            Some(("env", name)) => variable(name),
            Some(("yaml", text)) => Ok(Self::Yaml(text.to_owned())),
            Some((scheme @ ("http" | "https"), _)) => Err(InvalidSource::Remote(scheme.to_owned())),
            Some((scheme, _)) => Err(InvalidSource::UnknownScheme(scheme.to_owned())),
            None => Err(InvalidSource::UnknownScheme(text.to_owned())),
        }
    }
}

/// A scheme has two letters at least, so that `C:\file` is a path.
fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = 2 <= scheme.len()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
    is_scheme.then_some((scheme, rest))
}

fn variable(text: &str) -> Result<Source, InvalidSource> {
    let (name, default) = match text.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (text, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match is_name {
        true => Ok(Source::Variable { name: name.to_owned(), default }),
        false => Err(InvalidSource::InvalidName(name.to_owned())),
    }
}

/// The texts that a configuration was read from, to show the lines that problems are about.
#[derive(Clone, Default)]
pub struct Texts(Vec<(Arc<str>, Arc<str>)>);

impl Texts {
    /// Keeps a text under its name; a name that is taken by another text gets a number.
    pub(crate) fn keep(&mut self, name: &str, bytes: &[u8]) -> Arc<str> {
        let text = String::from_utf8_lossy(bytes);
        let mut candidate = name.to_owned();
        let mut number = 1;
        while let Some((known, other)) = self.0.iter().find(|(known, _)| **known == *candidate) {
            if **other == *text {
                return known.clone();
            }
            number += 1;
            candidate = format!("{name}#{number}");
        }
        let name: Arc<str> = candidate.into();
        self.0.push((name.clone(), text.into()));
        name
    }

    /// The line that a position is in.
    pub(crate) fn line(&self, position: &Position) -> Option<&str> {
        self.text(&position.source)?.lines().nth(position.line.checked_sub(1)?)
    }

    /// Where `needle` stands for the `nth` time after a position, counted from zero.
    pub(crate) fn find_after(&self, from: &Position, needle: &str, nth: usize) -> Option<Position> {
        let text = self.text(&from.source)?;
        let lines = text.lines().enumerate().skip(from.line.checked_sub(1)?);
        let mut places = lines.flat_map(|(number, line)| {
            let is_first = number + 1 == from.line;
            let chars_before = if is_first { from.column.saturating_sub(1) } else { 0 };
            let skipped: usize = line.chars().take(chars_before).map(char::len_utf8).sum();
            let matches = line[skipped..].match_indices(needle);
            matches.map(move |(at, _)| (number + 1, line[..skipped + at].chars().count() + 1))
        });
        let (line, column) = places.nth(nth)?;
        Some(Position { source: from.source.clone(), line, column })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, text)| &**text)
    }
}

// The texts hold secrets; what is printed by accident must not show them.
impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests;
