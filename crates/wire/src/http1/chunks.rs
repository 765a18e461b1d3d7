//! Chunks: tells the content of a chunked body from its framing (RFC 9112, section 7.1).
//!
//! Lines end with CR LF and nothing else: who reads them otherwise sees other chunks. Extensions and
//! trailers mean nothing here. Bounds: [`EXTRAS_BYTES_MAX`] of them in one body.

use super::Fault;

const EXTRAS_BYTES_MAX: usize = 16 << 10;
/// As many as the largest size has.
const DIGITS_MAX: u32 = 16;

/// How far a chunked body was read.
#[derive(Clone, Debug)]
pub struct Chunks {
    state: State,
    extras: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { size: u64, digits: u32 },
    Extension { size: u64 },
    SizeEnd { size: u64 },
    Content { left: u64 },
    ContentEnd,
    ContentEnded,
    TrailerBegin,
    Trailer,
    TrailerEnd,
    LastEnd,
    Over,
}

const NEXT_SIZE: State = State::Size { size: 0, digits: 0 };

impl Default for Chunks {
    fn default() -> Self {
        Self { state: NEXT_SIZE, extras: 0 }
    }
}

impl Chunks {
    /// How many bytes of content come next; none if framing does.
    #[must_use]
    pub fn content(&self) -> u64 {
        match self.state {
            State::Content { left } => left,
            _ => 0,
        }
    }

    /// Whether the body is complete.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// So many bytes of content were taken.
    pub fn take(&mut self, bytes: u64) {
        let left = self.content();
        assert!(bytes <= left, "no more is taken than there is");
        if 0 < bytes {
            self.state = match left - bytes {
                0 => State::ContentEnd,
                left => State::Content { left },
            };
        }
    }

    /// Reads framing, up to content, the end of the body or that of `input`; gives its size.
    pub fn read(&mut self, input: &[u8]) -> Result<usize, Fault> {
        for (at, byte) in input.iter().enumerate() {
            if matches!(self.state, State::Content { .. } | State::Over) {
                return Ok(at);
            }
            self.state = self.next(*byte)?;
        }
        Ok(input.len())
    }

    fn next(&mut self, byte: u8) -> Result<State, Fault> {
        Ok(match (self.state, byte) {
            (State::Size { size, digits }, _) => match hexadecimal(byte) {
                Some(digit) if digits < DIGITS_MAX => {
                    State::Size { size: size << 4 | digit, digits: digits + 1 }
                }
                None if 0 < digits => self.after_size(size, byte)?,
                _ => return Err(Fault::Malformed),
            },
            (State::Extension { size }, _) => self.after_size(size, byte)?,
            (State::SizeEnd { size: 0 }, b'\n') => State::TrailerBegin,
            (State::SizeEnd { size }, b'\n') => State::Content { left: size },
            (State::ContentEnd, b'\r') => State::ContentEnded,
            (State::ContentEnded, b'\n') => NEXT_SIZE,
            (State::TrailerBegin, b'\r') => State::LastEnd,
            (State::Trailer, b'\r') => State::TrailerEnd,
            (State::TrailerBegin | State::Trailer, _) => self.extra(byte, State::Trailer)?,
            (State::TrailerEnd, b'\n') => State::TrailerBegin,
            (State::LastEnd, b'\n') => State::Over,
            _ => return Err(Fault::Malformed),
        })
    }

    /// What follows the digits of a size.
    fn after_size(&mut self, size: u64, byte: u8) -> Result<State, Fault> {
        match (self.state, byte) {
            (_, b'\r') => Ok(State::SizeEnd { size }),
            (State::Extension { .. }, _) | (_, b';' | b' ' | b'\t') => {
                self.extra(byte, State::Extension { size })
            }
            _ => Err(Fault::Malformed),
        }
    }

    /// A byte of what means nothing here.
    fn extra(&mut self, byte: u8, state: State) -> Result<State, Fault> {
        self.extras += 1;
        match byte {
            b'\n' => Err(Fault::Malformed),
            _ if EXTRAS_BYTES_MAX < self.extras => Err(Fault::TooLarge),
            _ => Ok(state),
        }
    }
}

fn hexadecimal(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests;
