//! Entry: one log record between a file and the wire.

use std::ops::Range;

pub mod field;
mod json;
pub mod value;

use wire::logs::RecordWriter;

pub use field::{Field, Root};
use value::map_bytes_len;
pub use value::{Map, Value};

/// Which file something comes from; the receiver gives them out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(pub u64);

/// The bytes of a file that an entry stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub file: FileKey,
    pub range: Range<u64>,
}

/// One log record in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub body: Value,
    pub attributes: Map,
    pub resource: Map,
    /// Nanoseconds since 1970; zero is unknown.
    pub time_unix_nano: u64,
    pub observed_time_unix_nano: u64,
    /// From 1 to 24; zero is unknown.
    pub severity_number: u8,
    pub severity_text: String,
    pub scope_name: String,
    pub trace_id: Option<[u8; 16]>,
    pub span_id: Option<[u8; 8]>,
    pub trace_flags: Option<u32>,
    pub origin: Origin,
    /// Where the rest comes from, when it was put together from parts of several files.
    pub other_origins: Vec<Origin>,
}

impl Entry {
    /// An entry that says `body` and nothing else.
    #[must_use]
    pub fn new(body: Value, origin: Origin) -> Self {
        Self {
            body,
            attributes: Map::new(),
            resource: Map::new(),
            time_unix_nano: 0,
            observed_time_unix_nano: 0,
            severity_number: 0,
            severity_text: String::new(),
            scope_name: String::new(),
            trace_id: None,
            span_id: None,
            trace_flags: None,
            origin,
            other_origins: Vec::new(),
        }
    }

    /// Memory that it takes, roughly.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        let texts = self.severity_text.len() + self.scope_name.len();
        let maps = map_bytes_len(&self.attributes) + map_bytes_len(&self.resource);
        size_of::<Self>() + self.body.bytes_len() + maps + texts
    }

    /// Writes it as OTLP, all but the resource and the scope.
    pub(crate) fn encode(&self, record: &mut RecordWriter<'_>) {
        if 0 < self.time_unix_nano {
            record.time(self.time_unix_nano);
        }
        record.observed_time(self.observed_time_unix_nano);
        if 0 < self.severity_number {
            record.severity_number(self.severity_number);
        }
        if !self.severity_text.is_empty() {
            record.severity_text(&self.severity_text);
        }
        if self.body != Value::Nil {
            record.body(|writer| self.body.encode(writer));
        }
        for (key, value) in &self.attributes {
            record.attribute(key, |writer| value.encode(writer));
        }
        self.trace_id.iter().for_each(|id| record.trace_id(id));
        self.span_id.iter().for_each(|id| record.span_id(id));
        self.trace_flags.iter().for_each(|flags| record.flags(*flags));
    }

    /// Everything it stands for.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.origin).chain(&self.other_origins)
    }

    /// Takes over what `origin` stands for.
    pub fn absorb(&mut self, origin: Origin) {
        let own = std::iter::once(&mut self.origin).chain(&mut self.other_origins);
        match own.into_iter().find(|own| own.file == origin.file) {
            Some(own) => {
                own.range.start = own.range.start.min(origin.range.start);
                own.range.end = own.range.end.max(origin.range.end);
            }
            None => self.other_origins.push(origin),
        }
    }
}
