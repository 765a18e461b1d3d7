//! Error: what one pass of the reader found wrong, and at which node.

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use crate::nearest;
use crate::node::Node;

use super::Address;

/// Why a pass ended.
#[derive(Debug)]
pub(super) enum Error {
    /// All keys of one map that nobody knows.
    UnknownKeys(Vec<Flaw>),
    Flaw(Box<Flaw>),
}

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Flaw {
    /// The node, once it is known.
    pub(super) at: Option<Address>,
    /// Whether it is that very node, not something in it.
    pub(super) is_exact: bool,
    /// Whether it is the node's key that is wrong.
    pub(super) is_key: bool,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
    /// The key whose absence is the flaw.
    pub(super) missing: Option<String>,
}

impl Flaw {
    /// A flaw of which only the message is known.
    pub(super) fn new(message: String) -> Self {
        let (at, is_exact, is_key) = (None, false, false);
        Self { at, is_exact, is_key, message, remedy: None, missing: None }
    }
}

impl Error {
    /// Something wrong with `node` itself.
    pub(super) fn exactly(node: &Node, message: impl Into<String>) -> Self {
        let at = Some(Address::of(node));
        let message = message.into();
        Self::from(Flaw { at, is_exact: true, ..Flaw::new(message) })
    }

    /// The same with what to do about it.
    pub(super) fn remedied(mut self, remedy: impl Into<String>) -> Self {
        if let Self::Flaw(flaw) = &mut self {
            flaw.remedy = Some(remedy.into());
        }
        self
    }

    /// Places an error that has no place yet somewhere in `node`.
    pub(super) fn within(mut self, node: &Node) -> Self {
        if let Self::Flaw(flaw) = &mut self {
            flaw.at.get_or_insert(Address::of(node));
        }
        self
    }

    /// Places the error at `node`, wherever it was found.
    pub(super) fn moved_to(self, node: &Node) -> Self {
        match self {
            Self::Flaw(flaw) => {
                Self::from(Flaw { at: Some(Address::of(node)), is_exact: true, ..*flaw })
            }
            Self::UnknownKeys(mut flaws) => {
                flaws.iter_mut().for_each(|flaw| flaw.at = Some(Address::of(node)));
                Self::UnknownKeys(flaws)
            }
        }
    }
}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(Box::new(flaw))
    }
}

impl de::Error for Error {
    /// A second line `help: …` is the remedy.
    fn custom<T: Display>(text: T) -> Self {
        let text = text.to_string();
        let (message, remedy) = match text.split_once("\nhelp: ") {
            Some((message, remedy)) => (message.to_owned(), Some(remedy.to_owned())),
            None => (text, None),
        };
        Self::from(Flaw { remedy, ..Flaw::new(message) })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("{} expected, found {}", wish(expected), finding(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        let missing = Some(field.to_owned());
        let message = format!("`{field}` is required");
        Self::from(Flaw { is_exact: true, missing, ..Flaw::new(message) })
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let remedy = nearest::remedy(field, known);
        Self::from(Flaw { is_key: true, remedy, ..Flaw::new(unknown_key(field)) })
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let error = Self::custom(unknown_word(variant, known));
        match nearest(variant, known.iter().copied()) {
            Some(near) => error.remedied(format!("did you mean `{near}`?")),
            None => error,
        }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKeys(flaws) => f.write_str(flaws.first().map_or("", |flaw| &flaw.message)),
            Self::Flaw(flaw) => f.write_str(&flaw.message),
        }
    }
}

impl std::error::Error for Error {}

/// The message for a key that nobody knows.
pub(super) fn unknown_key(key: &str) -> String {
    format!("there is no key `{key}` here")
}

/// The message for a word that is not among those allowed.
pub(super) fn unknown_word(word: &str, known: &[&str]) -> String {
    // Of a word in two spellings, one tells enough.
    let is_other_spelling = |word: &str| {
        let lower = word.to_lowercase();
        lower != word && known.contains(&lower.as_str())
    };
    let plain = known.iter().filter(|word| !word.is_empty() && !is_other_spelling(word));
    let quoted: Vec<_> = plain.map(|word| format!("`{word}`")).collect();
    format!("`{}` is not known; valid are {}", shortened(word), quoted.join(", "))
}

/// The start of a text that may be long.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    const CHARS_MAX: usize = 60;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

fn finding(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(text) => format!("the text `{}`", shortened(text)),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map | Unexpected::StructVariant => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// Serde's words for what it wants, in the words of the configuration.
fn wish(expected: &dyn Expected) -> String {
    let wish = expected.to_string();
    match wish.as_str() {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, 0 or more,".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        _ if wish.starts_with("struct ") => "a map".to_owned(),
        _ => wish,
    }
}
