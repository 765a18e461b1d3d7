//! Path: the way from the root of a configuration to a part of it, `a.b[0].c`.

use std::fmt;

/// Keys and places in lists, from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    text: String,
    /// Where each step starts in `text`.
    starts: Vec<usize>,
}

impl Path {
    /// The path of the root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Steps down to `key` of a map.
    pub fn push_key(&mut self, key: &str) {
        self.starts.push(self.text.len());
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(key);
    }

    /// Steps down to an item of a list.
    pub fn push_index(&mut self, index: usize) {
        self.starts.push(self.text.len());
        self.text.push_str(&format!("[{index}]"));
    }

    /// Steps up again.
    pub fn pop(&mut self) {
        self.text.truncate(self.starts.pop().unwrap_or(0));
    }

    /// The path as written in messages.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
