//! Settings: how large a journal may be and how it treats the disk.

use std::time::Duration;

use crate::segment::Writer;
use crate::store::HEAD_BYTES_MAX;

/// How large a journal may be and how it treats the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What all files may have together.
    pub bytes_max: u64,
    /// What one segment has.
    pub segment_bytes: u32,
    /// Whether an append is answered after the disk has it, rather than the kernel.
    pub is_synced: bool,
    /// Live records, which take some 24 bytes of memory each.
    pub records_max: u64,
    pub streams_max: usize,
    /// Appends that wait for the disk, in bytes.
    pub waiting_bytes_max: usize,
    /// When a call of the disk is reported to hang.
    pub hangs_after: Duration,
    /// How fast records that nobody reads are verified.
    pub scrub_bytes_per_second: u64,
}

/// Why settings cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "a journal needs room for {SEGMENTS_MIN} segments of {segment_bytes} bytes, and has {bytes_max} bytes"
    )]
    TooSmall { bytes_max: u64, segment_bytes: u32 },
    #[error(
        "a segment has at least {SEGMENT_BYTES_MIN} and at most {SEGMENT_BYTES_MAX} bytes, not {segment_bytes}"
    )]
    SegmentSize { segment_bytes: u32 },
}

/// The segments that a journal has room for at least: the reserve, and one for data.
pub const SEGMENTS_MIN: u64 = RESERVED_SEGMENTS + 1;

/// The smallest segment.
pub const SEGMENT_BYTES_MIN: u32 = 1024;

/// The largest segment.
pub const SEGMENT_BYTES_MAX: u32 = 1 << 30;

/// Segments that data leaves free: for outcomes, for what compaction moves, for the next roll, and for
/// what the active one does not use yet.
pub(crate) const RESERVED_SEGMENTS: u64 = 4;

const SEGMENT_BYTES_USUAL: u64 = 64 << 20;

impl Settings {
    /// The usual settings for a journal of `bytes_max`.
    #[must_use]
    pub fn sized(bytes_max: u64) -> Self {
        let segment = (bytes_max / 16).clamp(SEGMENT_BYTES_MIN.into(), SEGMENT_BYTES_USUAL);
        Self {
            bytes_max,
            segment_bytes: u32::try_from(segment).unwrap_or(SEGMENT_BYTES_MAX),
            is_synced: true,
            records_max: 4 << 20,
            streams_max: 100_000,
            waiting_bytes_max: 256 << 20,
            hangs_after: Duration::from_secs(20),
            scrub_bytes_per_second: 4 << 20,
        }
    }

    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        let Self { bytes_max, segment_bytes, .. } = *self;
        if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&segment_bytes) {
            return Err(SettingsError::SegmentSize { segment_bytes });
        }
        if bytes_max < SEGMENTS_MIN * u64::from(segment_bytes) {
            return Err(SettingsError::TooSmall { bytes_max, segment_bytes });
        }
        Ok(())
    }

    /// The largest body of a record.
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        Writer::contents_max(self.segment_bytes, HEAD_BYTES_MAX) - HEAD_BYTES_MAX
    }

    /// The longest name of a stream.
    #[must_use]
    pub fn name_bytes_max(&self) -> usize {
        (self.segment_bytes as usize / 4).min(1 << 16)
    }

    /// What data may take.
    #[must_use]
    pub fn data_bytes_max(&self) -> u64 {
        self.bytes_max - RESERVED_SEGMENTS * u64::from(self.segment_bytes)
    }
}
