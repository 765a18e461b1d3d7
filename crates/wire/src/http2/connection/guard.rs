//! Guard: counts what a peer may do to make us work for nothing.

use crate::http2::frame::Fault;

/// Requests that were taken back before anybody looked at them (CVE-2023-44487).
const UNSEEN_RESETS_MAX: u32 = 20;
/// Streams that we had to reset, beyond those that ended well (CVE-2025-8671).
const FAULTY_STREAMS_MAX: u32 = 1_000;
/// Frames of data without data, one after the other.
const EMPTY_FRAMES_MAX: u32 = 100;

#[derive(Debug, Default)]
pub(super) struct Guard {
    /// The last stream that the user knows of.
    last_seen: u32,
    unseen_resets: u32,
    faulty_streams: u32,
    empty_frames: u32,
}

impl Guard {
    /// The user took all events; `last_stream` is the last that was opened.
    pub(super) fn all_seen(&mut self, last_stream: u32) {
        self.last_seen = last_stream;
        self.unseen_resets = 0;
    }

    /// The peer took a stream back.
    pub(super) fn was_reset(&mut self, stream: u32) -> Result<(), Fault> {
        if self.last_seen < stream {
            self.unseen_resets += 1;
        }
        if UNSEEN_RESETS_MAX < self.unseen_resets {
            return Err(Fault::calm("too many requests were taken back at once"));
        }
        Ok(())
    }

    /// The peer broke the rules on a stream.
    pub(super) fn broke_stream(&mut self) -> Result<(), Fault> {
        self.faulty_streams += 1;
        if FAULTY_STREAMS_MAX < self.faulty_streams {
            return Err(Fault::calm("too many streams had to be reset"));
        }
        Ok(())
    }

    /// A stream was over at both ends.
    pub(super) fn ended_well(&mut self) {
        self.faulty_streams = self.faulty_streams.saturating_sub(1);
    }

    /// A frame brought so much data.
    pub(super) fn got_data(&mut self, bytes: usize, is_end: bool) -> Result<(), Fault> {
        self.empty_frames = if 0 < bytes || is_end { 0 } else { self.empty_frames + 1 };
        if EMPTY_FRAMES_MAX < self.empty_frames {
            return Err(Fault::calm("too many frames without data"));
        }
        Ok(())
    }
}
