//! Receiving: bytes become frames, and frames events.
//!
//! Payloads of bodies are passed on as they come; every other frame is read whole. Frames of streams
//! that are gone are passed over: the peer may not have known.

use bytes::{Buf, Bytes, BytesMut};

use super::control::PRIORITY_BYTES;
use super::{Connection, Departure, Event, Role, Why};
use crate::http2::frame::{
    ACK, END_HEADERS, END_STREAM, Fault, HEAD_BYTES, Head, Kind, PADDED, PAYLOAD_BYTES, PREFACE,
    PRIORITY, Reason, put,
};
use crate::http2::head::{self, Draft};
use crate::http2::hpack::Field;
use crate::http2::stream::{Receiving, Stream};

/// Header blocks as they come, against the size of the list that is allowed: a list that is too large
/// is answered, or cut, as long as it is not this much too large.
const BLOCK_BYTES_FACTOR: u32 = 4;
const BLOCK_FRAMES_MAX: u32 = 32;

/// Where the bytes that come next belong.
#[derive(Debug)]
pub(super) struct Reader {
    place: Place,
    /// The header block that is not complete.
    block: Option<Block>,
    /// The first frame has to be the settings.
    is_settled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Preface,
    Frame,
    /// Within the data of a frame, which is followed by its padding.
    Data {
        stream: u32,
        left: usize,
        padding: usize,
        is_end: bool,
    },
    /// Within what nobody wants.
    Passing(usize),
}

#[derive(Debug)]
struct Block {
    stream: u32,
    is_end: bool,
    bytes: BytesMut,
    frames: u32,
}

impl Reader {
    pub(super) fn new(has_preface: bool) -> Self {
        let place = if has_preface { Place::Preface } else { Place::Frame };
        Self { place, block: None, is_settled: false }
    }
}

impl Connection {
    /// Takes what the peer sent off `input`, but for a frame that is not complete. After a fault
    /// there is only output left.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<(), Fault> {
        while !self.has_failed {
            match self.step(input) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(fault) => {
                    self.fail(fault.reason, fault.what);
                    return Err(fault);
                }
            }
        }
        input.clear();
        Ok(())
    }

    /// Takes one more thing off; `false` if all of it is not there yet.
    fn step(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        if input.is_empty() {
            return Ok(false);
        }
        match self.reader.place {
            Place::Preface => self.preface(input),
            Place::Frame => self.frame(input),
            Place::Data { .. } => {
                self.data(input);
                Ok(true)
            }
            Place::Passing(left) => {
                let passed = left.min(input.len());
                input.advance(passed);
                self.pass(left - passed);
                Ok(true)
            }
        }
    }

    fn pass(&mut self, left: usize) {
        self.reader.place = if left == 0 { Place::Frame } else { Place::Passing(left) };
    }

    fn preface(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        let length = input.len().min(PREFACE.len());
        if input[..length] != PREFACE[..length] {
            return Err(Fault::protocol("the client does not speak HTTP/2"));
        }
        if length < PREFACE.len() {
            return Ok(false);
        }
        input.advance(length);
        self.reader.place = Place::Frame;
        Ok(true)
    }

    fn frame(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        let Some(head) = input.first_chunk::<HEAD_BYTES>() else { return Ok(false) };
        let head = Head::decode(head);
        self.check(&head)?;
        let whole = HEAD_BYTES
            + match head.kind {
                Kind::Data => usize::from(head.has(PADDED)),
                Kind::Unknown => 0,
                _ => head.length,
            };
        if input.len() < whole {
            return Ok(false);
        }
        let payload = input.split_to(whole).freeze().slice(HEAD_BYTES..);
        match head.kind {
            Kind::Data => self.data_begins(head, payload.first().copied())?,
            Kind::Headers => self.headers(head, payload)?,
            Kind::Continuation => self.continuation(head, &payload)?,
            Kind::ResetStream => self.reset_stream(head, &payload)?,
            Kind::Settings => self.settings(head, &payload)?,
            Kind::Ping => self.pinged(head, &payload)?,
            Kind::GoAway => self.go_away(head, &payload)?,
            Kind::WindowUpdate => self.window_update(head, &payload)?,
            Kind::Priority => self.priority(head)?,
            Kind::PushPromise => return Err(Fault::protocol("nothing may be pushed")),
            Kind::Unknown => self.pass(head.length),
        }
        Ok(true)
    }

    /// What must hold for every frame.
    fn check(&mut self, head: &Head) -> Result<(), Fault> {
        if (self.limits.frame_bytes_max as usize) < head.length {
            return Err(Fault::size("a frame is longer than allowed"));
        }
        let is_small = matches!(head.kind, Kind::Data | Kind::Unknown)
            || head.length <= self.block_bytes_max().max(PAYLOAD_BYTES as usize);
        if !is_small {
            return Err(Fault::calm("a frame that is no data is too long"));
        }
        if !self.reader.is_settled && (head.kind != Kind::Settings || head.has(ACK)) {
            return Err(Fault::protocol("the first frame is not the settings"));
        }
        self.reader.is_settled = true;
        let is_continuation = head.kind == Kind::Continuation;
        let is_next = match &self.reader.block {
            Some(block) => is_continuation && block.stream == head.stream,
            None => !is_continuation,
        };
        if !is_next {
            return Err(Fault::protocol("a header block is not continued by what follows it"));
        }
        let is_of_stream = match head.kind {
            Kind::Settings | Kind::Ping | Kind::GoAway => Some(false),
            Kind::WindowUpdate | Kind::Unknown => None,
            _ => Some(true),
        };
        if is_of_stream.is_some_and(|is_of_stream| is_of_stream != (head.stream != 0)) {
            return Err(Fault::protocol("a frame has a stream that it cannot have"));
        }
        let is_about_stream = matches!(head.kind, Kind::Data | Kind::ResetStream)
            || head.kind == Kind::WindowUpdate && head.stream != 0;
        if is_about_stream && self.is_idle(head.stream) {
            return Err(Fault::protocol("a frame of a stream that was never opened"));
        }
        Ok(())
    }

    pub(super) fn is_idle(&self, stream: u32) -> bool {
        let last = match self.role {
            Role::Client => self.next_stream.saturating_sub(2),
            Role::Server => self.last_stream,
        };
        last < stream || stream.is_multiple_of(2)
    }

    fn block_bytes_max(&self) -> usize {
        self.limits.header_bytes_max.saturating_mul(BLOCK_BYTES_FACTOR) as usize
    }

    fn data_begins(&mut self, head: Head, padding: Option<u8>) -> Result<(), Fault> {
        let (id, is_end) = (head.stream, head.has(END_STREAM));
        let overhead = padding.map_or(0, |bytes| usize::from(bytes) + 1);
        let Some(left) = head.length.checked_sub(overhead) else {
            return Err(Fault::protocol("padding is longer than its frame"));
        };
        let overflow = |_| Fault::new(Reason::FLOW_CONTROL_ERROR, "more data than allowed");
        self.receive_window.take(head.length).map_err(overflow)?;
        self.guard.got_data(left, is_end)?;
        let rest = head.length - usize::from(padding.is_some());
        let fault = match self.streams.get_mut(&id) {
            None => Some(None),
            Some(stream) => {
                let is_broken = if stream.receiving != Receiving::Body {
                    Some(Reason::STREAM_CLOSED)
                } else if stream.receive_window.take(head.length).is_err() {
                    Some(Reason::FLOW_CONTROL_ERROR)
                } else if !stream.keeps_its_word(left, is_end) {
                    Some(Reason::PROTOCOL_ERROR)
                } else {
                    None
                };
                is_broken.map(Some)
            }
        };
        if let Some(reason) = fault {
            self.receive_window.release(head.length);
            self.widen(None);
            self.pass(rest);
            return reason.map_or(Ok(()), |reason| self.break_stream(id, reason));
        }
        self.reader.place = Place::Data { stream: id, left, padding: rest - left, is_end };
        self.release(id, overhead);
        if left == 0 {
            self.piece(id, Bytes::new(), is_end);
            self.pass(rest);
        }
        Ok(())
    }

    /// Passes on as much of a frame's data as has come.
    fn data(&mut self, input: &mut BytesMut) {
        let Place::Data { stream, left, padding, is_end } = self.reader.place else { return };
        let bytes = input.split_to(left.min(input.len())).freeze();
        let left = left - bytes.len();
        if left == 0 {
            self.pass(padding);
        } else {
            self.reader.place = Place::Data { stream, left, padding, is_end };
        }
        if self.streams.contains_key(&stream) {
            self.piece(stream, bytes, is_end && left == 0);
        } else {
            self.release(stream, bytes.len());
        }
    }

    fn piece(&mut self, stream: u32, bytes: Bytes, is_end: bool) {
        if !bytes.is_empty() || is_end {
            self.events.push_back(Event::Data { stream, bytes, is_end });
        }
        if is_end {
            self.received_all(stream);
        }
    }

    /// The peer's end of a stream is over.
    fn received_all(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.receiving = Receiving::Nothing;
        if stream.is_over() {
            self.end(id);
        }
    }

    /// The peer broke the rules on one stream.
    pub(super) fn break_stream(&mut self, id: u32, reason: Reason) -> Result<(), Fault> {
        self.lose(id, Why::ByUs(reason));
        put(Kind::ResetStream, 0, id, &reason.0.to_be_bytes(), self.output.tail());
        self.guard.broke_stream()
    }

    fn headers(&mut self, head: Head, mut payload: Bytes) -> Result<(), Fault> {
        let too_short = || Fault::protocol("a header block is shorter than its frame says");
        if head.has(PADDED) {
            let padding = usize::from(payload.try_get_u8().map_err(|_| too_short())?);
            let rest = payload.len().checked_sub(padding).ok_or_else(too_short)?;
            payload.truncate(rest);
        }
        if head.has(PRIORITY) {
            if payload.len() < PRIORITY_BYTES {
                return Err(too_short());
            }
            payload.advance(PRIORITY_BYTES);
        }
        if self.role == Role::Server && head.stream.is_multiple_of(2) {
            return Err(Fault::protocol("a client opens a stream with an even number"));
        }
        let is_end = head.has(END_STREAM);
        if head.has(END_HEADERS) {
            return self.block(head.stream, is_end, payload);
        }
        let bytes = BytesMut::from(payload);
        self.reader.block = Some(Block { stream: head.stream, is_end, bytes, frames: 1 });
        Ok(())
    }

    fn continuation(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let bytes_max = self.block_bytes_max();
        let Some(block) = &mut self.reader.block else { return Ok(()) };
        block.frames += 1;
        block.bytes.extend_from_slice(payload);
        if bytes_max < block.bytes.len() || BLOCK_FRAMES_MAX < block.frames {
            return Err(Fault::calm("a header block is too long"));
        }
        match self.reader.block.take_if(|_| head.has(END_HEADERS)) {
            Some(block) => self.block(block.stream, block.is_end, block.bytes.freeze()),
            None => Ok(()),
        }
    }

    /// A header block is complete.
    fn block(&mut self, id: u32, is_end: bool, block: Bytes) -> Result<(), Fault> {
        let mut draft = Draft::new(self.limits.header_bytes_max);
        let read = self.decoder.decode(block, |field: Field| draft.add(field));
        read.map_err(|_| Fault::new(Reason::COMPRESSION_ERROR, "a broken header block"))?;
        match self.streams.get(&id).map(|stream| stream.receiving) {
            Some(Receiving::Nothing) => self.break_stream(id, Reason::STREAM_CLOSED),
            Some(Receiving::Body) => self.trailers(id, is_end, draft),
            Some(Receiving::Head) => self.response(id, is_end, draft),
            None if self.role == Role::Server && self.last_stream < id => {
                self.last_stream = id;
                self.request_begins(id, is_end, draft)
            }
            None if self.role == Role::Client && self.is_idle(id) => {
                Err(Fault::protocol("an answer that nothing was asked for"))
            }
            None => Ok(()),
        }
    }

    fn request_begins(&mut self, id: u32, is_end: bool, draft: Draft) -> Result<(), Fault> {
        if self.departure == Departure::Final {
            return Ok(());
        }
        if self.limits.streams_max as usize <= self.streams.len() {
            return self.break_stream(id, Reason::REFUSED_STREAM);
        }
        if draft.is_too_large() {
            self.refuse_head(id, is_end);
            return self.guard.broke_stream();
        }
        let read = draft.request().and_then(|head| Ok((head::declared(&head.headers)?, head)));
        let receiving = if is_end { Receiving::Nothing } else { Receiving::Body };
        let (receive, send) = (self.limits.stream_window, self.peer.stream_window);
        let mut stream = Stream::new(receiving, receive, send);
        match read {
            Ok((declared, head)) => {
                stream.declared = declared;
                if is_end && !stream.keeps_its_word(0, true) {
                    return self.break_stream(id, Reason::PROTOCOL_ERROR);
                }
                self.streams.insert(id, stream);
                let head = Box::new(head);
                self.events.push_back(Event::Request { stream: id, head, is_end });
                Ok(())
            }
            Err(_) => self.break_stream(id, Reason::PROTOCOL_ERROR),
        }
    }

    fn response(&mut self, id: u32, is_end: bool, draft: Draft) -> Result<(), Fault> {
        let read = draft.response().and_then(|head| Ok((head::declared(&head.headers)?, head)));
        let Ok((declared, head)) = read else {
            return self.break_stream(id, Reason::PROTOCOL_ERROR);
        };
        if head.status.is_informational() && !is_end {
            return Ok(());
        }
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        (stream.declared, stream.receiving) = (declared, Receiving::Body);
        if is_end && !stream.keeps_its_word(0, true) {
            return self.break_stream(id, Reason::PROTOCOL_ERROR);
        }
        let head = Box::new(head);
        self.events.push_back(Event::Response { stream: id, head, is_end });
        if is_end {
            self.received_all(id);
        }
        Ok(())
    }

    fn trailers(&mut self, id: u32, is_end: bool, draft: Draft) -> Result<(), Fault> {
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        let is_whole = is_end && stream.keeps_its_word(0, true);
        match draft.trailers() {
            Ok(trailers) if is_whole => {
                self.events.push_back(Event::Trailers { stream: id, trailers });
                self.received_all(id);
                Ok(())
            }
            _ => self.break_stream(id, Reason::PROTOCOL_ERROR),
        }
    }
}
