//! Scrub: verifies, slowly, the live records that nobody reads.
//!
//! Owner: the reading thread, between reads. Bounds: one step reads [`STEP_BYTES`] or one record.

use std::time::Duration;

use crate::StreamId;
use crate::reader::{Limits, Reader};

const STEP_BYTES: u64 = 256 << 10;

/// From the end of one round to the start of the next.
const ROUNDS_APART: Duration = Duration::from_secs(6 * 3600);

/// How far the round has come.
#[derive(Debug)]
pub(crate) struct Scrub {
    bytes_per_second: u64,
    next: Option<(StreamId, u64)>,
}

impl Scrub {
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, next: Some((StreamId(0), 0)) }
    }

    /// How long to wait before the next step.
    pub(crate) fn pause(&self) -> Duration {
        match self.next {
            Some(_) => Duration::from_secs(1)
                .mul_f64(STEP_BYTES as f64 / self.bytes_per_second.max(1) as f64),
            None => ROUNDS_APART,
        }
    }

    /// Verifies the next records; what is damaged is put on record by the reader.
    pub(crate) fn step(&mut self, reader: &mut Reader) {
        let from = self.next.unwrap_or((StreamId(0), 0));
        let limits = Limits { records_max: 1000, bytes_max: STEP_BYTES as usize };
        self.next = reader.verify_next(from, limits);
    }
}

#[cfg(test)]
mod tests;
