//! The `json_parser` operator.

use config::Faults;

use super::Work;
use super::parsing::{Parse, parser_words};
use crate::receivers::file_log::entry::{Entry, Value};

parser_words! {
    /// Reads a JSON object.
    pub struct Words {
        /// Whether whole numbers stay whole; they become doubles otherwise. `false`, unless it is
        /// written.
        pub parse_ints: bool,
    }
}

#[derive(Debug)]
struct JsonParser {
    has_ints: bool,
}

impl Words {
    pub(super) fn build(mut self, faults: &mut Faults) -> Option<Work> {
        let parser = JsonParser { has_ints: self.parse_ints };
        self.take_parsing().build(Some(parser), faults)
    }
}

impl Parse for JsonParser {
    fn parse(&self, text: &str, _entry: &Entry) -> Result<Value, String> {
        match Value::from_json(text, self.has_ints) {
            Ok(value @ Value::Map(_)) => Ok(value),
            Ok(other) => Err(format!("the JSON is {}, not an object", other.kind())),
            Err(error) => Err(format!("not JSON: {error}")),
        }
    }
}
