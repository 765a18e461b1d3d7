//! Frames: what kinds of HTTP/2 frames pass by, read off the bytes below the library that speaks it.
//!
//! Pure. The library answers pings and obeys GOAWAY without a word to anybody, and some of what we
//! promise depends on them. Bounds: no byte of a payload is kept but the first eight of a GOAWAY.

/// The length of a frame's head, and of the preface of a client.
const HEAD_BYTES: usize = 9;
const PREFACE_BYTES: usize = 24;
/// What a GOAWAY begins with: the last stream and the reason.
const FAREWELL_BYTES: usize = 8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// A frame that somebody wants to know about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Headers or data of a stream.
    Content,
    /// A ping that asks for an answer.
    Ping,
    /// The peer takes no more requests; 0 means that nothing is wrong.
    Farewell { reason: u32 },
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    /// Bytes to pass over before the next head.
    skipped: usize,
    kept: [u8; HEAD_BYTES + FAREWELL_BYTES],
    filled: usize,
}

impl Frames {
    /// What a server sends.
    pub(crate) fn of_server() -> Self {
        Self { skipped: 0, kept: [0; HEAD_BYTES + FAREWELL_BYTES], filled: 0 }
    }

    /// What a client sends.
    pub(crate) fn of_client() -> Self {
        Self { skipped: PREFACE_BYTES, ..Self::of_server() }
    }

    /// Whether the last frame is complete.
    pub(crate) fn is_between(&self) -> bool {
        self.skipped == 0 && self.filled == 0
    }

    /// Takes the next bytes in and tells about each frame in them.
    pub(crate) fn pass(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            let passed = self.skipped.min(bytes.len());
            self.skipped -= passed;
            let taken = (self.wanted() - self.filled).min(bytes.len() - passed);
            let (used, rest) = bytes.split_at(passed + taken);
            self.kept[self.filled..self.filled + taken].copy_from_slice(&used[passed..]);
            self.filled += taken;
            bytes = rest;
            // What is wanted may be more now that the head is known.
            if self.skipped == 0 && self.filled == self.wanted() {
                self.skipped = self.length() + HEAD_BYTES - self.filled;
                self.filled = 0;
                self.frame().into_iter().for_each(&mut tell);
            }
        }
    }

    /// How many bytes of the current frame are kept, as far as is known.
    fn wanted(&self) -> usize {
        let is_farewell = HEAD_BYTES <= self.filled && self.kept[3] == GOAWAY;
        HEAD_BYTES + if is_farewell { self.length().min(FAREWELL_BYTES) } else { 0 }
    }

    fn length(&self) -> usize {
        usize::from(self.kept[0]) << 16 | usize::from(self.kept[1]) << 8 | usize::from(self.kept[2])
    }

    fn frame(&self) -> Option<Frame> {
        match (self.kept[3], self.kept[4]) {
            (DATA | HEADERS, _) => Some(Frame::Content),
            (PING, flags) if flags & ACK == 0 => Some(Frame::Ping),
            (GOAWAY, _) => {
                let reason =
                    self.kept.last_chunk::<4>().map_or(0, |code| u32::from_be_bytes(*code));
                Some(Frame::Farewell { reason })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
