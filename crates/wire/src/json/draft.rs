//! Draft: the protobuf that is being written while JSON is read, and where in the JSON we are.

use std::fmt::Write as _;

use super::JsonError;
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
    bytes_max: usize,
}

#[derive(Debug)]
enum Step {
    Field(&'static Field),
    Item(usize),
}

impl Draft {
    pub(super) fn new(capacity: usize, bytes_max: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), path: Vec::new(), depth: 0, bytes_max }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes_max < self.out.len()
    }

    /// Ends the reading as soon as there is more than the bound.
    pub(super) fn check_room<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.is_full() { Err(E::custom("the request is too large")) } else { Ok(()) }
    }

    /// What was written, in no more memory than it needs.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.shrink_to_fit();
        self.out
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
