//! The `regex_parser` operator.

use config::Faults;
use regex::{CaptureLocations, Regex};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Work;
use super::parsing::{Parse, parser_words};
use crate::receivers::file_log::entry::{Entry, Map, Value};
use crate::receivers::file_log::pattern::from_go;

parser_words! {
    /// Takes a text apart by the named groups of a pattern.
    pub struct Words {
        /// The pattern; it must have named groups: `(?P<name>...)`. Needed.
        pub regex: String,
        /// Accepted for compatibility: patterns are fast enough without.
        pub cache: Option<CacheWords>,
    }
}

/// Accepted for compatibility.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheWords {
    /// Accepted for compatibility.
    pub size: u64,
}

#[derive(Debug)]
struct RegexParser {
    regex: Regex,
    /// Numbers and names of the groups.
    groups: Vec<(usize, String)>,
}

impl Words {
    pub(super) fn build(mut self, faults: &mut Faults) -> Option<Work> {
        let parser = self.parser(faults);
        self.take_parsing().build(parser, faults)
    }

    fn parser(&self, faults: &mut Faults) -> Option<RegexParser> {
        if self.regex.is_empty() {
            faults.add("regex", "`regex` is needed");
            return None;
        }
        let regex = match Regex::new(&from_go(&self.regex)) {
            Ok(regex) => regex,
            Err(error) => {
                faults.add("regex", format!("not a regular expression: {error}"));
                return None;
            }
        };
        let names = regex.capture_names().enumerate();
        let groups: Vec<_> = names.filter_map(|(at, name)| Some((at, name?.to_owned()))).collect();
        if groups.is_empty() {
            let remedy = "name what is to be taken out: `(?P<name>...)`";
            faults.add_with_remedy("regex", "`regex` has no named groups", remedy);
        }
        Some(RegexParser { regex, groups })
    }
}

impl Parse for RegexParser {
    fn parse(&self, text: &str, _entry: &Entry) -> Result<Value, String> {
        let mut places: CaptureLocations = self.regex.capture_locations();
        if self.regex.captures_read(&mut places, text).is_none() {
            return Err("the pattern does not match".to_owned());
        }
        let mut map = Map::with_capacity(self.groups.len());
        for (at, name) in &self.groups {
            let part = places.get(*at).map_or("", |(from, to)| &text[from..to]);
            // Of groups with one name, the last that took part counts.
            map.insert(name.clone(), part.into());
        }
        Ok(Value::Map(map))
    }
}
