//! Logs: a request written record by record, where log records come from something else than OTLP.
//!
//! Cost: a record is copied once, into the block of its resource and scope.
//! Invariant: what is written is well-formed and counted, so that nothing is scanned again.

use std::collections::HashMap;

use crate::payload::shape::number;
use crate::protobuf::{
    len_field_len, put_bytes_field, put_fixed64_field, put_len_prefix, varint_len,
};
use crate::rope::Writer as RopeWriter;
use crate::{Payload, Signal, nest, schema};

mod record;

pub use record::{KeyValues, ListWriter, MapWriter, RecordWriter, VALUE_DEPTH_MAX, ValueWriter};

const RESOURCE_LOGS: u32 = number(schema::request(Signal::Logs), "resource_logs");
const RESOURCE: u32 = number(&schema::RESOURCE_LOGS, "resource");
const SCOPE_LOGS: u32 = number(&schema::RESOURCE_LOGS, "scope_logs");
const SCOPE: u32 = number(&schema::SCOPE_LOGS, "scope");
const RECORDS: u32 = number(&schema::SCOPE_LOGS, "log_records");
const SCOPE_NAME: u32 = number(&schema::INSTRUMENTATION_SCOPE, "name");
const BODY: u32 = number(&schema::LOG_RECORD, "body");
const TEXT: u32 = number(&schema::ANY_VALUE, "string_value");

/// A request in the making; records of one resource and scope stand together.
#[derive(Debug, Default)]
pub struct LogsWriter {
    blocks: Vec<Block>,
    by_header: HashMap<(KeyValues, String), usize>,
}

/// The block of one resource and scope in a [`LogsWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(usize);

/// A record of which all but the text is known to many.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub observed_time_unix_nano: u64,
    pub body: &'a str,
    pub attributes: &'a KeyValues,
}

#[derive(Debug)]
struct Block {
    resource: KeyValues,
    scope_name: String,
    records: Vec<u8>,
    items: usize,
}

impl LogsWriter {
    /// The block for records of this resource and scope.
    pub fn block(&mut self, resource: &KeyValues, scope_name: &str) -> BlockId {
        let is_it = |block: &Block| block.resource == *resource && block.scope_name == scope_name;
        if let Some(last) = self.blocks.len().checked_sub(1).filter(|at| is_it(&self.blocks[*at])) {
            return BlockId(last);
        }
        let key = (resource.clone(), scope_name.to_owned());
        let at = *self.by_header.entry(key).or_insert_with(|| {
            let (resource, scope_name) = (resource.clone(), scope_name.to_owned());
            self.blocks.push(Block { resource, scope_name, records: Vec::new(), items: 0 });
            self.blocks.len() - 1
        });
        BlockId(at)
    }

    /// Appends a record; returns which one of its block it is.
    pub fn record(&mut self, block: BlockId, write: impl FnOnce(&mut RecordWriter<'_>)) -> usize {
        let block = &mut self.blocks[block.0];
        let opened = nest::open(&mut block.records, RECORDS);
        write(&mut RecordWriter::new(&mut block.records));
        nest::close(&mut block.records, opened);
        block.items += 1;
        block.items - 1
    }

    /// The same where the length is known before it is written: nothing is moved.
    pub fn line(&mut self, block: BlockId, line: Line<'_>) -> usize {
        let block = &mut self.blocks[block.0];
        let out = &mut block.records;
        let any_len = len_field_len(TEXT, line.body.len());
        let len = 9 + len_field_len(BODY, any_len) + line.attributes.of_record.len();
        out.reserve(len + 1 + varint_len(len as u64));
        put_len_prefix(out, RECORDS, len);
        put_fixed64_field(out, record::OBSERVED_TIME, line.observed_time_unix_nano);
        put_len_prefix(out, BODY, any_len);
        put_bytes_field(out, TEXT, line.body.as_bytes());
        out.extend_from_slice(&line.attributes.of_record);
        block.items += 1;
        block.items - 1
    }

    /// How many records were written.
    #[must_use]
    pub fn items(&self) -> usize {
        self.blocks.iter().map(|block| block.items).sum()
    }

    /// The size of the records in bytes; headers come on top.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.blocks.iter().map(|block| block.records.len()).sum()
    }

    /// The request: blocks in the order in which they were asked for, empty ones left out.
    #[must_use]
    pub fn finish(self) -> Payload {
        let items = self.items();
        let mut rope = RopeWriter::default();
        for block in self.blocks.into_iter().filter(|block| 0 < block.items) {
            rope.begin_field();
            rope.copy(&block.header());
            let records = bytes::Bytes::from(block.records);
            rope.share_part(&records, 0..records.len());
        }
        Payload::trusted(Signal::Logs, items, rope.finish())
    }
}

impl BlockId {
    /// Its place among the blocks of the request.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

impl Block {
    /// Everything of the block's `ResourceLogs` before the first record.
    fn header(&self) -> Vec<u8> {
        let mut scope = Vec::new();
        if !self.scope_name.is_empty() {
            let name = self.scope_name.as_bytes();
            put_len_prefix(&mut scope, SCOPE, len_field_len(SCOPE_NAME, name.len()));
            put_bytes_field(&mut scope, SCOPE_NAME, name);
        }
        let mut header = Vec::new();
        let scope_logs_len = scope.len() + self.records.len();
        let mut resource = Vec::new();
        if !self.resource.is_empty() {
            put_bytes_field(&mut resource, RESOURCE, &self.resource.of_resource);
        }
        let len = resource.len() + len_field_len(SCOPE_LOGS, scope_logs_len);
        put_len_prefix(&mut header, RESOURCE_LOGS, len);
        header.extend_from_slice(&resource);
        put_len_prefix(&mut header, SCOPE_LOGS, scope_logs_len);
        header.extend_from_slice(&scope);
        header
    }
}

#[cfg(test)]
mod tests;
