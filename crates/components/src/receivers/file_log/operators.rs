//! Operators: what is done to entries between a file and the wire.
//!
//! The words of each operator stand beside it; `plan` joins them to a graph without cycles, and
//! `chain` moves entries through that.

mod any;
mod chain;
mod container;
mod csv_parser;
mod json_parser;
mod key_value_parser;
mod moving;
mod parsing;
mod plan;
mod recombine;
mod regex_parser;
mod route;
mod routing;
mod scope_name;
mod severity;
mod text;
mod timestamp;
mod trace;
mod uri_parser;

use std::fmt;

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::Entry;
pub use any::AnyWords;
pub use chain::{Chain, Report};
pub use plan::Plan;
pub use route::OnError;
use route::RouteWords;

/// Tests look at what was made of words; in the product nobody prints it.
#[cfg(test)]
use fmt::Debug as Shown;
#[cfg(not(test))]
trait Shown {}
#[cfg(not(test))]
impl<T> Shown for T {}

/// Changes an entry, or says why it cannot.
trait Transform: Shown + Send + Sync {
    fn apply(&self, entry: &mut Entry) -> Result<(), String>;
}

#[cfg(not(test))]
impl fmt::Debug for dyn Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transform")
    }
}

/// What an operator does.
#[derive(Debug)]
enum Work {
    Nothing,
    Transform(Box<dyn Transform>),
    Filter(routing::Filter),
    Router(routing::Router),
    Recombine(recombine::Recombine),
    Container(Box<container::Container>),
}

macro_rules! operators {
    ($($(#[$meta:meta])* $variant:ident($words:ty) = $name:literal,)*) => {
        /// One thing to do with each log record; operators are done in order.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(tag = "type")]
        pub enum OperatorWords {
            $($(#[$meta])* #[serde(rename = $name)] $variant($words),)*
        }

        impl OperatorWords {
            /// Its type, what it shares with all others, and what it does, if that is right.
            fn build(self, faults: &mut Faults) -> (&'static str, RouteWords, Option<Work>) {
                match self {
                    $(Self::$variant(mut words) => {
                        let route = words.take_route();
                        ($name, route, words.build(faults))
                    })*
                }
            }
        }
    };
}

operators! {
    Add(moving::AddWords) = "add",
    AssignKeys(moving::AssignKeysWords) = "assign_keys",
    Container(container::Words) = "container",
    Copy(moving::CopyWords) = "copy",
    CsvParser(csv_parser::Words) = "csv_parser",
    Filter(routing::FilterWords) = "filter",
    Flatten(moving::FlattenWords) = "flatten",
    JsonParser(json_parser::Words) = "json_parser",
    KeyValueParser(key_value_parser::Words) = "key_value_parser",
    Move(moving::MoveWords) = "move",
    Noop(routing::NoopWords) = "noop",
    Recombine(recombine::Words) = "recombine",
    RegexParser(regex_parser::Words) = "regex_parser",
    RegexReplace(text::ReplaceWords) = "regex_replace",
    Remove(moving::RemoveWords) = "remove",
    Retain(moving::RetainWords) = "retain",
    Router(routing::RouterWords) = "router",
    ScopeNameParser(scope_name::Words) = "scope_name_parser",
    #[serde(alias = "severity")]
    SeverityParser(severity::Words) = "severity_parser",
    #[serde(alias = "timestamp")]
    TimeParser(timestamp::Words) = "time_parser",
    #[serde(alias = "trace")]
    TraceParser(trace::Words) = "trace_parser",
    Unquote(text::UnquoteWords) = "unquote",
    UriParser(uri_parser::Words) = "uri_parser",
}

#[cfg(test)]
mod tests;
