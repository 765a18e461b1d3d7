//! Draft: the protobuf that is being written while JSON is read, and where in the JSON we are.

use std::fmt::Write as _;

use super::JsonError;
use crate::protobuf;
use crate::schema::Field;

/// The longest description of an error: it may quote the text.
const WHAT_BYTES_MAX: usize = 200;

/// Protobuf in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) out: Vec<u8>,
    path: Vec<Step>,
    /// Messages around the current one.
    pub(super) depth: usize,
}

#[derive(Debug)]
enum Step {
    Field(&'static Field),
    Item(usize),
}

/// Where the content of a message began whose length is not known yet.
#[derive(Debug)]
pub(super) struct Opened {
    record_start: usize,
    content_start: usize,
}

impl Draft {
    pub(super) fn new(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), path: Vec::new(), depth: 0 }
    }

    /// Begins a length-delimited record.
    pub(super) fn open(&mut self, number: u32) -> Opened {
        let record_start = self.out.len();
        protobuf::put_tag(&mut self.out, number, protobuf::LEN);
        // Most records are shorter than 128 bytes: one byte holds their length.
        self.out.push(0);
        Opened { record_start, content_start: self.out.len() }
    }

    /// Ends a record, now that its length is known.
    pub(super) fn close(&mut self, opened: Opened) {
        let start = opened.content_start;
        let len = self.out.len() - start;
        let more = protobuf::varint_len(len as u64) - 1;
        if 0 < more {
            self.out.resize(start + len + more, 0);
            self.out.copy_within(start..start + len, start + more);
        }
        let mut rest = len;
        for byte in &mut self.out[start - 1..start - 1 + more] {
            *byte = rest as u8 | 0x80;
            rest >>= 7;
        }
        self.out[start - 1 + more] = rest as u8;
    }

    /// Ends a record, or takes it back when nothing was written into it.
    pub(super) fn close_unless_empty(&mut self, opened: Opened) {
        if self.out.len() == opened.content_start {
            self.out.truncate(opened.record_start);
        } else {
            self.close(opened);
        }
    }

    pub(super) fn enter_field(&mut self, field: &'static Field) {
        self.path.push(Step::Field(field));
    }

    pub(super) fn enter_item(&mut self, at: usize) {
        self.path.push(Step::Item(at));
    }

    /// Leaves what was entered last; after an error nothing is left, which is how the path is known.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Says what went wrong at the place where reading stopped.
    pub(super) fn explain(&self, error: &serde_json::Error) -> JsonError {
        let (line, column) = (error.line(), error.column());
        let mut what = error.to_string();
        if let Some(end) = what.rfind(&format!(" at line {line} column {column}")) {
            what.truncate(end);
        }
        what.truncate(what.floor_char_boundary(WHAT_BYTES_MAX));
        JsonError { line, column, path: self.path(), what }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Field(field) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(field.json_name);
                }
                Step::Item(at) => {
                    let written = write!(path, "[{at}]");
                    debug_assert!(written.is_ok(), "a string takes everything");
                }
            }
        }
        path
    }
}
