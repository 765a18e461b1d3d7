//! Split: the bytes of one file become tokens, each with the range of bytes it stands for.
//!
//! Cost: a line that lies whole in what was fed is not copied; patterns look at each byte once.
//! Bounds: at most twice `token_bytes_max`, and what was fed, is held; time is linear.
//! Invariant: ranges follow each other without a gap, and do not depend on how bytes are fed.

use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::encoding::Encoding;

mod lines;
mod patterns;
mod units;

pub use patterns::Pattern;

use lines::Lines;
use patterns::Records;

/// How a file is taken apart.
#[derive(Clone, Debug)]
pub struct SplitSettings {
    pub boundary: Boundary,
    pub encoding: Encoding,
    /// A longer token is cut.
    pub token_bytes_max: usize,
    pub on_oversize: OnOversize,
}

/// What ends a token.
#[derive(Clone, Debug)]
pub enum Boundary {
    Newline,
    /// A match begins the next one.
    Start(Pattern),
    /// A match ends this one.
    End(Pattern),
    /// Only its size, or the end of the file.
    Size,
}

/// What becomes of a token that is too long: `split` makes several of it, `truncate` leaves out what
/// is too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnOversize {
    #[default]
    Split,
    Truncate,
}

/// One line, or what patterns take for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Where it stands in the file, with its line end and all that was left out.
    pub range: Range<u64>,
    pub bytes: &'a [u8],
    /// Whether something was left out for being too much.
    pub is_truncated: bool,
}

/// Why what is pending must end now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Nothing was written for a while; more may come.
    Quiet,
    /// The file is over.
    End,
}

/// Takes the bytes of one file apart.
#[derive(Debug)]
pub struct Splitter {
    settings: Arc<SplitSettings>,
    state: State,
}

#[derive(Debug)]
enum State {
    Lines(Lines),
    Records(Records),
}

impl Splitter {
    /// A splitter for the bytes from `offset` on.
    #[must_use]
    pub fn new(settings: Arc<SplitSettings>, offset: u64) -> Self {
        let state = match settings.boundary {
            Boundary::Newline | Boundary::Size => State::Lines(Lines::new(offset)),
            Boundary::Start(_) | Boundary::End(_) => State::Records(Records::new(offset)),
        };
        Self { settings, state }
    }

    /// Takes the bytes that follow those before.
    pub fn feed(&mut self, bytes: &[u8], mut sink: impl FnMut(Token<'_>)) {
        match &mut self.state {
            State::Lines(lines) => lines.feed(bytes, &self.settings, &mut sink),
            State::Records(records) => records.feed(bytes, &self.settings, &mut sink),
        }
    }

    /// Ends what is pending.
    pub fn flush(&mut self, why: Flush, mut sink: impl FnMut(Token<'_>)) {
        match &mut self.state {
            State::Lines(lines) => lines.flush(why, &self.settings, &mut sink),
            State::Records(records) => records.flush(why, &self.settings, &mut sink),
        }
    }

    /// Where the first token begins that was not handed out: from here on, a file must be read
    /// again by a new splitter.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        match &self.state {
            State::Lines(lines) => lines.consumed(),
            State::Records(records) => records.consumed(),
        }
    }

    /// Whether something waits for its end.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        match &self.state {
            State::Lines(lines) => lines.is_pending(),
            State::Records(records) => records.is_pending(),
        }
    }

    /// Memory that is held, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match &self.state {
            State::Lines(lines) => lines.held_bytes(),
            State::Records(records) => records.held_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
