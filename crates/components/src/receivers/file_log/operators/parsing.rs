//! Parsing: what parsers have in common: where they read, where they write, what they do then.

#[cfg(not(test))]
use std::fmt;

use config::Faults;

use super::route::{field, field_or};
use super::scope_name::{ScopeNameParser, ScopeNameWords};
use super::severity::{SeverityParser, SeverityWords};
use super::timestamp::{TimeParser, TimeWords};
use super::trace::{TraceParser, TraceWords};
use super::{Shown, Transform, Work};
use crate::receivers::file_log::entry::{Entry, Field, Value};

/// Makes a value of a text.
pub(super) trait Parse: Shown + Send + Sync {
    fn parse(&self, text: &str, entry: &Entry) -> Result<Value, String>;
}

#[cfg(not(test))]
impl fmt::Debug for dyn Parse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parse")
    }
}

/// The words that all parsers share.
#[derive(Debug)]
pub(super) struct ParsingWords {
    pub(super) parse_from: Option<String>,
    pub(super) parse_to: Option<String>,
    pub(super) body: Option<String>,
    pub(super) timestamp: Option<TimeWords>,
    pub(super) severity: Option<SeverityWords>,
    pub(super) trace: Option<TraceWords>,
    pub(super) scope_name: Option<ScopeNameWords>,
}

/// Declares the words of a parser, with those that all parsers share.
macro_rules! parser_words {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $crate::receivers::file_log::operators::route::operator_words! {
            $(#[$about])*
            pub struct $name {
                /// The field to read; `body`, unless it is written.
                pub parse_from: Option<String>,
                /// Where the result goes; `attributes`, unless it is written.
                pub parse_to: Option<String>,
                /// A field of the result that becomes the body.
                pub body: Option<String>,
                /// Reads the time of the entry from a field of the result.
                pub timestamp: Option<$crate::receivers::file_log::operators::timestamp::TimeWords>,
                /// Reads the severity from a field of the result.
                pub severity: Option<$crate::receivers::file_log::operators::severity::SeverityWords>,
                /// Reads trace and span from fields of the result.
                pub trace: Option<$crate::receivers::file_log::operators::trace::TraceWords>,
                /// Reads the name of the scope from a field of the result.
                pub scope_name:
                    Option<$crate::receivers::file_log::operators::scope_name::ScopeNameWords>,
                $($(#[$doc])* pub $field: $type,)*
            }
        }

        impl $name {
            fn take_parsing(
                &mut self,
            ) -> $crate::receivers::file_log::operators::parsing::ParsingWords {
                $crate::receivers::file_log::operators::parsing::ParsingWords {
                    parse_from: self.parse_from.take(),
                    parse_to: self.parse_to.take(),
                    body: self.body.take(),
                    timestamp: self.timestamp.take(),
                    severity: self.severity.take(),
                    trace: self.trace.take(),
                    scope_name: self.scope_name.take(),
                }
            }
        }
    };
}
pub(super) use parser_words;

/// A parser with all that surrounds it.
#[derive(Debug)]
struct Parsing {
    from: Field,
    to: Field,
    body: Option<Field>,
    parse: Box<dyn Parse>,
    after: After,
}

/// What is read from the result of a parser.
#[derive(Debug)]
pub(super) struct After {
    time: Option<TimeParser>,
    severity: Option<SeverityParser>,
    trace: Option<TraceParser>,
    scope_name: Option<ScopeNameParser>,
}

impl ParsingWords {
    /// The work of a parser; `parse` is nothing if its own words are wrong.
    pub(super) fn build(
        mut self,
        parse: Option<impl Parse + 'static>,
        faults: &mut Faults,
    ) -> Option<Work> {
        let from = field_or("parse_from", self.parse_from.take(), Field::body(), faults);
        let to = field_or("parse_to", self.parse_to.take(), Field::attributes(), faults);
        let body = self.body.take().map(|body| field("body", Some(body), faults));
        let after = self.after(faults);
        let parsing = Parsing {
            from: from?,
            to: to?,
            body: body.map_or(Some(None), |body| body.map(Some))?,
            parse: Box::new(parse?),
            after,
        };
        Some(Work::Transform(Box::new(parsing)))
    }

    /// What is read from the result.
    pub(super) fn after(&mut self, faults: &mut Faults) -> After {
        let time = self.timestamp.take().map(TimeWords::validate);
        let severity = self.severity.take().map(SeverityWords::validate);
        let trace = self.trace.take().map(TraceWords::validate);
        let scope_name = self.scope_name.take().map(ScopeNameWords::validate);
        After {
            time: time.and_then(|part| faults.take("timestamp", part)),
            severity: severity.and_then(|part| faults.take("severity", part)),
            trace: trace.and_then(|part| faults.take("trace", part)),
            scope_name: scope_name.and_then(|part| faults.take("scope_name", part)),
        }
    }
}

impl Transform for Parsing {
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let found = self.from.of(entry).ok_or_else(|| format!("there is no `{}`", self.from))?;
        let text = found.as_text();
        let text = text.ok_or_else(|| format!("`{}` is {}, not text", self.from, found.kind()))?;
        let value = self.parse.parse(text, entry)?;
        if !self.to.takes(&value) {
            return Err(format!("the result is {}, which `{}` cannot be", value.kind(), self.to));
        }
        self.to.set(entry, value);
        if let Some(found) = self.body.as_ref().and_then(|body| body.of(entry)) {
            entry.body = found.to_value();
        }
        self.after.apply(entry)
    }
}

impl Transform for After {
    /// Reads all that can be read, and tells of the first that cannot.
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let time = self.time.as_ref().map(|part| part.apply(entry));
        let severity = self.severity.as_ref().map(|part| part.apply(entry));
        let trace = self.trace.as_ref().map(|part| part.apply(entry));
        let scope_name = self.scope_name.as_ref().map(|part| part.apply(entry));
        [time, severity, trace, scope_name].into_iter().flatten().collect()
    }
}
