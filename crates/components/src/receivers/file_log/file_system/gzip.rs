//! Gzip: reads a compressed file at offsets of what it holds.
//!
//! Members may follow each other, so that a file can be appended to. Owner of the decoder: the open
//! file. Going back begins at the start again; going on where it stopped costs nothing.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::MultiGzDecoder;

use super::real::read_plain;

/// Compressed bytes that are read at a time.
const READ_BYTES: usize = 64 << 10;

/// A compressed file.
pub(super) struct Gzip {
    file: Arc<File>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    decoder: Option<MultiGzDecoder<BufReader<Source>>>,
    /// Bytes that came out so far.
    at: u64,
    /// How long it was when its end was seen, and how many bytes it held.
    whole: Option<(u64, u64)>,
}

/// The compressed bytes, from the start.
struct Source {
    file: Arc<File>,
    at: u64,
}

impl Gzip {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, state: Mutex::default() }
    }

    /// How many bytes it holds, if that is known for a file of this size.
    pub(super) fn length(&self, size: u64) -> Option<u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.whole.filter(|(known, _)| *known == size).map(|(_, length)| length)
    }

    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if offset < state.at {
            *state = State { whole: state.whole, ..State::default() };
        }
        let result = state.read_at(&self.file, offset, buffer);
        if !matches!(result, Ok(read) if read == buffer.len()) {
            // It may be appended to: the decoder does not go on after an end.
            (state.decoder, state.at) = (None, 0);
        }
        result
    }
}

impl State {
    fn read_at(&mut self, file: &Arc<File>, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let source = || Source { file: Arc::clone(file), at: 0 };
        let decoder = self.decoder.get_or_insert_with(|| {
            MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, source()))
        });
        let mut skipped = io::sink();
        let ahead = offset - self.at;
        self.at += io::copy(&mut decoder.by_ref().take(ahead), &mut skipped)?;
        let mut filled = 0;
        while self.at == offset + filled as u64 && filled < buffer.len() {
            match decoder.read(&mut buffer[filled..]) {
                Ok(0) => {
                    self.whole = Some((file.metadata()?.len(), self.at));
                    break;
                }
                Ok(read) => {
                    filled += read;
                    self.at += read as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The rest is not written yet; what came so far is good.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_plain(&self.file, self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gzip")
    }
}
