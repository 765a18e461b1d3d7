//! Stream: one request and its answer (RFC 9113, section 5.1).
//!
//! Owner: its connection. A stream that is over at both ends is gone; none is kept as closed.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;

use super::window::{ReceiveWindow, SendWindow};

/// What the peer still has to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiving {
    /// The head of an answer.
    Head,
    Body,
    Nothing,
}

/// How what we send ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// It does not yet.
    Open,
    Plain,
    Trailers(HeaderMap),
    /// All of it was sent.
    Over,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) receiving: Receiving,
    /// What is left of the body that the peer declared.
    pub(super) declared: Option<u64>,
    pub(super) receive_window: ReceiveWindow,
    pub(super) send_window: SendWindow,
    queue: VecDeque<Bytes>,
    queued: usize,
    pub(super) ending: Ending,
    pub(super) standing: Standing,
}

/// Where a stream stands among those that send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has nothing to send.
    Resting,
    /// It waits for its turn.
    InLine,
    /// It waits for the peer to open its window.
    Stuck,
}

impl Stream {
    pub(super) fn new(receiving: Receiving, receive_window: u32, send_window: u32) -> Self {
        Self {
            receiving,
            declared: None,
            receive_window: ReceiveWindow::new(receive_window),
            send_window: SendWindow::new(send_window),
            queue: VecDeque::new(),
            queued: 0,
            ending: Ending::Open,
            standing: Standing::Resting,
        }
    }

    /// How many bytes wait to be sent.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    pub(super) fn enqueue(&mut self, payload: Bytes) {
        if !payload.is_empty() {
            self.queued += payload.len();
            self.queue.push_back(payload);
        }
    }

    /// Takes the next `bytes` off what waits, piece by piece.
    pub(super) fn dequeue(&mut self, mut bytes: usize, mut take: impl FnMut(Bytes)) {
        self.queued -= bytes;
        while 0 < bytes {
            let Some(piece) = self.queue.front_mut() else { return };
            if bytes < piece.len() {
                return take(piece.split_to(bytes));
            }
            bytes -= piece.len();
            self.queue.pop_front().into_iter().for_each(&mut take);
        }
    }

    /// Whether there is anything left to send now.
    pub(super) fn has_unsent(&self) -> bool {
        0 < self.queued || matches!(self.ending, Ending::Plain | Ending::Trailers(_))
    }

    /// Whether both ends are over.
    pub(super) fn is_over(&self) -> bool {
        self.receiving == Receiving::Nothing && matches!(self.ending, Ending::Over)
    }

    /// Counts `bytes` of the body that the peer declared, and its end.
    pub(super) fn keeps_its_word(&mut self, bytes: usize, is_end: bool) -> bool {
        match &mut self.declared {
            None => true,
            Some(left) => match left.checked_sub(bytes as u64) {
                Some(rest) => {
                    *left = rest;
                    !is_end || rest == 0
                }
                None => false,
            },
        }
    }
}
