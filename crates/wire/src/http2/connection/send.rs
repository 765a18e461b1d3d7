//! Sending: heads at once, bodies as the windows of the peer allow.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, request, response};

use super::{Connection, Role};
use crate::http2::frame::{END_HEADERS, END_STREAM, HEAD_BYTES, Head, Kind, Reason, put};
use crate::http2::head;
use crate::http2::hpack::Field;
use crate::http2::stream::{Ending, Standing};

/// A large frame keeps those of other streams waiting.
const FRAME_BYTES_MAX: usize = 256 << 10;

impl Connection {
    /// Sends a piece of a body, when the windows allow it.
    pub fn send(&mut self, stream: u32, bytes: Bytes) {
        if let Some(open) = self.streams.get_mut(&stream) {
            debug_assert!(matches!(open.ending, Ending::Open), "nothing follows the end");
            open.enqueue(bytes);
            self.stand_in_line(stream);
        }
    }

    /// Ends a body, with trailers or without.
    pub fn finish(&mut self, stream: u32, trailers: Option<HeaderMap>) {
        if let Some(open) = self.streams.get_mut(&stream) {
            debug_assert!(matches!(open.ending, Ending::Open), "a body ends once");
            open.ending = trailers.map_or(Ending::Plain, Ending::Trailers);
            self.stand_in_line(stream);
        }
    }

    /// How many bytes of a stream wait for the peer; `None` if all is sent, or the stream is gone.
    #[must_use]
    pub fn unsent(&self, stream: u32) -> Option<usize> {
        let open = self.streams.get(&stream)?;
        open.has_unsent().then(|| open.queued())
    }

    /// Whether a body waits for the peer to open a window.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        0 < self.stuck || !self.line.is_empty() && self.send_window.available() == 0
    }

    /// Appends what is to be written to `pieces`: what is ready, and of bodies what the windows allow
    /// until there are `bytes_max` or a frame more. Returns how much of it is of streams.
    pub fn take_output(&mut self, bytes_max: usize, pieces: &mut VecDeque<Bytes>) -> usize {
        while self.output.bytes() < bytes_max {
            let Some(id) = self.line.pop_front() else { break };
            if !self.send_next(id) {
                self.line.push_front(id);
                break;
            }
        }
        self.output.take(pieces);
        std::mem::take(&mut self.moved)
    }

    /// Whether anything is ready to be written.
    #[must_use]
    pub fn has_output(&self) -> bool {
        0 < self.output.bytes() || !self.line.is_empty()
    }

    pub(super) fn put_request(&mut self, id: u32, head: &request::Parts, is_end: bool) {
        self.put_head(id, is_end, head::of_request(head));
    }

    pub(super) fn put_response(&mut self, id: u32, head: &response::Parts, is_end: bool) {
        self.put_head(id, is_end, head::of_response(head));
    }

    /// Answers a request whose head is too large to be looked at.
    pub(super) fn refuse_head(&mut self, id: u32, is_end: bool) {
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        self.put_block(id, true, head::of_response(&head));
        if !is_end {
            put(Kind::ResetStream, 0, id, &Reason::NO_ERROR.0.to_be_bytes(), self.output.tail());
        }
    }

    fn put_head(&mut self, id: u32, is_end: bool, fields: impl Iterator<Item = Field>) {
        self.put_block(id, is_end, fields);
        if is_end {
            self.sent_all(id);
        }
    }

    /// Sends one frame of a stream, or its trailers, unless the connection's window is used up.
    fn send_next(&mut self, id: u32) -> bool {
        let stream = self.streams.get_mut(&id).expect("who stands in line is open");
        let frame_max = FRAME_BYTES_MAX.min(self.peer.frame_bytes_max as usize);
        let window = stream.send_window.available();
        let wanted = stream.queued().min(window).min(frame_max);
        let length = wanted.min(self.send_window.available());
        if 0 < wanted && length == 0 {
            return false;
        }
        stream.standing = Standing::Resting;
        if length == 0 && 0 < stream.queued() {
            stream.standing = Standing::Stuck;
            self.stuck += 1;
            return true;
        }
        let is_last = length == stream.queued();
        let is_end = is_last && matches!(stream.ending, Ending::Plain);
        if 0 < length || is_end {
            let flags = if is_end { END_STREAM } else { 0 };
            let head = Head { length, kind: Kind::Data, flags, stream: id };
            let output = &mut self.output;
            output.tail().extend_from_slice(&head.encode());
            stream.dequeue(length, |piece| output.push(piece));
            stream.send_window.take(length);
            self.send_window.take(length);
            self.moved += HEAD_BYTES + length;
        }
        if is_end {
            self.sent_all(id);
        } else if is_last {
            self.put_trailers(id);
        } else {
            self.stand_in_line(id);
        }
        true
    }

    fn put_trailers(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Ending::Trailers(trailers) = &mut stream.ending {
            let trailers = std::mem::take(trailers);
            self.put_block(id, true, head::of_headers(&trailers));
            self.sent_all(id);
        }
    }

    /// A stream has something to send.
    pub(super) fn stand_in_line(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.standing == Standing::Resting && stream.has_unsent() {
            stream.standing = Standing::InLine;
            self.line.push_back(id);
        }
    }

    /// The window of a stream has changed.
    pub(super) fn window_moved(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.standing == Standing::Stuck && 0 < stream.send_window.available() {
            stream.standing = Standing::Resting;
            self.stuck -= 1;
            self.stand_in_line(id);
        }
    }

    pub(super) fn leave_line(&mut self, id: u32, standing: Standing) {
        match standing {
            Standing::Resting => {}
            Standing::InLine => self.line.retain(|other| *other != id),
            Standing::Stuck => self.stuck -= 1,
        }
    }

    /// Our end of a stream is over. A server that is done wants nothing more of the request.
    fn sent_all(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.ending = Ending::Over;
        if stream.is_over() {
            self.end(id);
        } else if self.role == Role::Server {
            self.guard.ended_well();
            self.reset(id, Reason::NO_ERROR);
        }
    }

    /// Both ends of a stream are over.
    pub(super) fn end(&mut self, id: u32) {
        self.guard.ended_well();
        self.remove(id);
    }

    /// Appends a header block, in as many frames as it needs.
    fn put_block(&mut self, id: u32, is_end: bool, fields: impl Iterator<Item = Field>) {
        let tail = self.output.tail();
        let at = tail.len();
        tail.extend_from_slice(&[0; HEAD_BYTES]);
        self.encoder.encode(fields, tail);
        let end = if is_end { END_STREAM } else { 0 };
        let payload_max = self.peer.frame_bytes_max as usize;
        let length = tail.len() - at - HEAD_BYTES;
        self.moved += length;
        if length <= payload_max {
            let head = Head { length, kind: Kind::Headers, flags: end | END_HEADERS, stream: id };
            return tail[at..at + HEAD_BYTES].copy_from_slice(&head.encode());
        }
        let block = tail.split_off(at + HEAD_BYTES);
        tail.truncate(at);
        let pieces = block.len().div_ceil(payload_max);
        for (index, piece) in block.chunks(payload_max).enumerate() {
            let (kind, first) =
                if index == 0 { (Kind::Headers, end) } else { (Kind::Continuation, 0) };
            let last = if index + 1 == pieces { END_HEADERS } else { 0 };
            put(kind, first | last, id, piece, tail);
        }
    }
}
