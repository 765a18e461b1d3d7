//! Record: the fields of one log record, its attributes and values.

use std::hash::{Hash, Hasher};

use crate::payload::shape::number;
use crate::protobuf::{
    put_bytes_field, put_fixed32_field, put_fixed64_field, put_len_prefix, put_varint_field,
};
use crate::view::any_value::{ARRAY, BOOL, BYTES, DOUBLE, ENTRIES, INT, MAP, TEXT, VALUES};
use crate::{nest, schema};

/// How deep lists and maps nest at most, so that every reader of the request accepts it.
pub const VALUE_DEPTH_MAX: usize = 16;

const TIME: u32 = number(&schema::LOG_RECORD, "time_unix_nano");
pub(super) const OBSERVED_TIME: u32 = number(&schema::LOG_RECORD, "observed_time_unix_nano");
const SEVERITY_NUMBER: u32 = number(&schema::LOG_RECORD, "severity_number");
const SEVERITY_TEXT: u32 = number(&schema::LOG_RECORD, "severity_text");
const BODY: u32 = number(&schema::LOG_RECORD, "body");
const ATTRIBUTES: u32 = number(&schema::LOG_RECORD, "attributes");
const FLAGS: u32 = number(&schema::LOG_RECORD, "flags");
const TRACE_ID: u32 = number(&schema::LOG_RECORD, "trace_id");
const SPAN_ID: u32 = number(&schema::LOG_RECORD, "span_id");
const RESOURCE_ATTRIBUTES: u32 = 1;
const KEY: u32 = number(&schema::KEY_VALUE, "key");
const VALUE: u32 = number(&schema::KEY_VALUE, "value");

/// Attributes that were encoded once, to be used by many records or as a resource.
#[derive(Clone, Debug, Default)]
pub struct KeyValues {
    /// The same twice, as fields of a log record and of a resource.
    pub(super) of_record: Vec<u8>,
    pub(super) of_resource: Vec<u8>,
}

impl PartialEq for KeyValues {
    fn eq(&self, other: &Self) -> bool {
        self.of_resource == other.of_resource
    }
}

impl Eq for KeyValues {}

impl Hash for KeyValues {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of_resource.hash(state);
    }
}

impl KeyValues {
    /// Appends an attribute.
    pub fn push(&mut self, key: &str, value: impl FnOnce(ValueWriter<'_>)) {
        let start = self.of_resource.len();
        entry(&mut self.of_resource, RESOURCE_ATTRIBUTES, key, 0, value);
        let mut fields = crate::protobuf::Fields::of(&self.of_resource[start..]);
        if let Some(pair) = fields.next().and_then(|field| field.bytes()) {
            put_bytes_field(&mut self.of_record, ATTRIBUTES, pair);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of_resource.is_empty()
    }
}

/// Writes the fields of one record; each is written once, `attribute` as often as there are some.
#[derive(Debug)]
pub struct RecordWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> RecordWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// When it happened.
    pub fn time(&mut self, unix_nano: u64) {
        put_fixed64_field(self.out, TIME, unix_nano);
    }

    /// When it was seen.
    pub fn observed_time(&mut self, unix_nano: u64) {
        put_fixed64_field(self.out, OBSERVED_TIME, unix_nano);
    }

    /// How grave it is, from 1 to 24.
    pub fn severity_number(&mut self, number: u8) {
        put_varint_field(self.out, SEVERITY_NUMBER, number.into());
    }

    /// How grave it is, in the words of its source.
    pub fn severity_text(&mut self, text: &str) {
        put_bytes_field(self.out, SEVERITY_TEXT, text.as_bytes());
    }

    /// What it says.
    pub fn body(&mut self, value: impl FnOnce(ValueWriter<'_>)) {
        any(self.out, BODY, 0, value);
    }

    /// One more attribute.
    pub fn attribute(&mut self, key: &str, value: impl FnOnce(ValueWriter<'_>)) {
        entry(self.out, ATTRIBUTES, key, 0, value);
    }

    /// Attributes that were encoded before.
    pub fn attributes(&mut self, attributes: &KeyValues) {
        self.out.extend_from_slice(&attributes.of_record);
    }

    /// The trace it belongs to.
    pub fn trace_id(&mut self, id: &[u8; 16]) {
        put_bytes_field(self.out, TRACE_ID, id);
    }

    /// The span it belongs to.
    pub fn span_id(&mut self, id: &[u8; 8]) {
        put_bytes_field(self.out, SPAN_ID, id);
    }

    /// The flags of its trace.
    pub fn flags(&mut self, flags: u32) {
        put_fixed32_field(self.out, FLAGS, flags);
    }
}

/// Writes one value; a value that is not written is empty.
#[derive(Debug)]
pub struct ValueWriter<'a> {
    out: &'a mut Vec<u8>,
    depth: usize,
}

impl ValueWriter<'_> {
    /// A text.
    pub fn text(self, text: &str) {
        put_bytes_field(self.out, TEXT, text.as_bytes());
    }

    /// A truth value.
    pub fn bool(self, value: bool) {
        put_varint_field(self.out, BOOL, value.into());
    }

    /// A whole number.
    pub fn int(self, value: i64) {
        put_varint_field(self.out, INT, value.cast_unsigned());
    }

    /// A number.
    pub fn double(self, value: f64) {
        put_fixed64_field(self.out, DOUBLE, value.to_bits());
    }

    /// Bytes.
    pub fn bytes(self, bytes: &[u8]) {
        put_bytes_field(self.out, BYTES, bytes);
    }

    /// Whether a list or a map would be nested too deep; it is left out then.
    #[must_use]
    pub fn is_deepest(&self) -> bool {
        self.depth == VALUE_DEPTH_MAX
    }

    /// A list.
    pub fn list(self, write: impl FnOnce(&mut ListWriter<'_>)) {
        if self.is_deepest() {
            return;
        }
        let opened = nest::open(self.out, ARRAY);
        write(&mut ListWriter { out: self.out, depth: self.depth + 1 });
        nest::close(self.out, opened);
    }

    /// A map.
    pub fn map(self, write: impl FnOnce(&mut MapWriter<'_>)) {
        if self.is_deepest() {
            return;
        }
        let opened = nest::open(self.out, MAP);
        write(&mut MapWriter { out: self.out, depth: self.depth + 1 });
        nest::close(self.out, opened);
    }
}

/// Writes the values of a list.
#[derive(Debug)]
pub struct ListWriter<'a> {
    out: &'a mut Vec<u8>,
    depth: usize,
}

impl ListWriter<'_> {
    /// The next value.
    pub fn value(&mut self, write: impl FnOnce(ValueWriter<'_>)) {
        any(self.out, VALUES, self.depth, write);
    }
}

/// Writes the entries of a map.
#[derive(Debug)]
pub struct MapWriter<'a> {
    out: &'a mut Vec<u8>,
    depth: usize,
}

impl MapWriter<'_> {
    /// The next entry.
    pub fn entry(&mut self, key: &str, value: impl FnOnce(ValueWriter<'_>)) {
        entry(self.out, ENTRIES, key, self.depth, value);
    }
}

fn entry(
    out: &mut Vec<u8>,
    number: u32,
    key: &str,
    depth: usize,
    value: impl FnOnce(ValueWriter<'_>),
) {
    let opened = nest::open(out, number);
    put_len_prefix(out, KEY, key.len());
    out.extend_from_slice(key.as_bytes());
    any(out, VALUE, depth, value);
    nest::close(out, opened);
}

fn any(out: &mut Vec<u8>, number: u32, depth: usize, write: impl FnOnce(ValueWriter<'_>)) {
    let opened = nest::open(out, number);
    write(ValueWriter { out, depth });
    nest::close(out, opened);
}
