//! Windows: how much each end may send (RFC 9113, section 5.2).

use super::frame::NUMBER_MAX;
use super::settings::WINDOW_BYTES;

/// More than a window can hold was sent, or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// What we may send. Below zero after the peer has made its windows smaller.
#[derive(Clone, Copy, Debug)]
pub(super) struct SendWindow(i64);

impl SendWindow {
    pub(super) fn new(bytes: u32) -> Self {
        Self(i64::from(bytes))
    }

    pub(super) fn available(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.available());
        self.0 -= bytes as i64;
    }

    pub(super) fn grow(&mut self, bytes: i64) -> Result<(), Overflow> {
        self.0 += bytes;
        if i64::from(NUMBER_MAX) < self.0 { Err(Overflow) } else { Ok(()) }
    }
}

/// What the peer may send. It is given more when half of the window was released.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReceiveWindow {
    bytes_max: u32,
    available: u32,
    released: u32,
}

impl ReceiveWindow {
    pub(super) fn new(bytes_max: u32) -> Self {
        Self { bytes_max, available: bytes_max, released: 0 }
    }

    /// That of a connection, which begins with what everybody has; the rest has to be given.
    pub(super) fn of_connection(bytes_max: u32) -> Self {
        let bytes_max = bytes_max.max(WINDOW_BYTES);
        Self { bytes_max, available: WINDOW_BYTES, released: bytes_max - WINDOW_BYTES }
    }

    /// The peer sent so much.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Overflow> {
        let bytes = u32::try_from(bytes).map_err(|_| Overflow)?;
        self.available = self.available.checked_sub(bytes).ok_or(Overflow)?;
        Ok(())
    }

    /// So much of it was dealt with.
    pub(super) fn release(&mut self, bytes: usize) {
        let held = self.bytes_max - self.available - self.released;
        debug_assert!(bytes <= held as usize, "nothing is released twice");
        self.released += held.min(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// What to tell the peer that it may send, if that is worth a frame.
    pub(super) fn give(&mut self) -> Option<u32> {
        let bytes = self.released;
        if bytes < (self.bytes_max / 2).max(1) {
            return None;
        }
        self.available += bytes;
        self.released = 0;
        Some(bytes)
    }
}
