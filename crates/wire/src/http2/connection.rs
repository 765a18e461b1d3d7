//! Connection: one end of HTTP/2, as a state machine (RFC 9113).
//!
//! Pure: bytes go in and become events; commands go in and become output. Every command on a stream
//! that is gone does nothing, as the peer may have ended it at any time.
//! Bounds: streams, header lists and windows by [`Limits`]; what a peer may do for nothing by the
//! constants of `guard`. The user stops giving bytes in while [`Connection::is_congested`].

mod control;
mod guard;
mod receive;
mod send;

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, request, response};

use super::frame::{Kind, NUMBER_MAX, PREFACE, Reason, put};
use super::hpack::{Decoder, Encoder};
use super::output::Output;
use super::settings::{Limits, Peer, WINDOW_BYTES};
use super::stream::{Ending, Receiving, Stream};
use super::window::{ReceiveWindow, SendWindow};
use guard::Guard;
use receive::Reader;

/// Answers to a peer that does not take them are not hoarded beyond this.
const CONGESTED_BYTES: usize = 64 << 10;
/// Comes back when the peer has read that it should go.
const FAREWELL_PING: [u8; 8] = *b"farewell";

/// What a peer did.
#[derive(Debug)]
pub enum Event {
    /// A request began. To a server only.
    Request { stream: u32, head: Box<request::Parts>, is_end: bool },
    /// An answer began. To a client only.
    Response { stream: u32, head: Box<response::Parts>, is_end: bool },
    /// A piece of a body, which holds its windows until it is released.
    Data { stream: u32, bytes: Bytes, is_end: bool },
    /// The end of a body.
    Trailers { stream: u32, trailers: HeaderMap },
    /// The stream is gone before both of its ends were over, and what we sent perhaps before its end.
    Reset { stream: u32, why: Why, was_sent: bool },
    /// The peer asks for a sign of life, which it is given.
    Pinged,
}

/// Why a stream is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The peer took it back.
    ByPeer(Reason),
    /// The peer broke the rules on it.
    ByUs(Reason),
    /// The peer said that it will not look at it.
    Unprocessed,
}

/// Which end this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

/// How far we are with going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Departure {
    NotYet,
    /// The peer was told, but may have sent requests before it knew.
    Announced,
    /// Nothing new is taken.
    Final,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    limits: Limits,
    peer: Peer,
    reader: Reader,
    decoder: Decoder,
    encoder: Encoder,
    streams: BTreeMap<u32, Stream>,
    /// The next stream of a client.
    next_stream: u32,
    /// The last stream that the peer opened.
    last_stream: u32,
    /// Streams that have something to send and room in their own windows, in turn.
    line: VecDeque<u32>,
    /// How many streams wait for the peer to open their windows.
    stuck: usize,
    send_window: SendWindow,
    receive_window: ReceiveWindow,
    output: Output,
    /// How many bytes of heads and bodies were put into the output since it was taken.
    moved: usize,
    events: VecDeque<Event>,
    guard: Guard,
    departure: Departure,
    /// The peer takes nothing above this stream any more.
    dismissed: Option<(u32, Reason)>,
    has_failed: bool,
}

impl Connection {
    /// The end that answers.
    #[must_use]
    pub fn server(limits: Limits) -> Self {
        Self::new(Role::Server, limits)
    }

    /// The end that asks.
    #[must_use]
    pub fn client(limits: Limits) -> Self {
        Self::new(Role::Client, limits)
    }

    fn new(role: Role, limits: Limits) -> Self {
        assert!(WINDOW_BYTES <= limits.stream_window, "a peer may fill it before it is told");
        let mut connection = Self {
            role,
            limits,
            peer: Peer::default(),
            reader: Reader::new(role == Role::Server),
            decoder: Decoder::new(),
            encoder: Encoder::new(),
            streams: BTreeMap::new(),
            next_stream: 1,
            last_stream: 0,
            line: VecDeque::new(),
            stuck: 0,
            send_window: SendWindow::new(WINDOW_BYTES),
            receive_window: ReceiveWindow::of_connection(limits.connection_window),
            output: Output::default(),
            moved: 0,
            events: VecDeque::new(),
            guard: Guard::default(),
            departure: Departure::NotYet,
            dismissed: None,
            has_failed: false,
        };
        if role == Role::Client {
            connection.output.tail().extend_from_slice(PREFACE);
        }
        limits.encode(role == Role::Client, connection.output.tail());
        connection.widen(None);
        connection
    }

    /// The next thing that the peer did.
    pub fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() {
            self.events = VecDeque::new();
            self.guard.all_seen(self.last_stream);
        }
        event
    }

    /// Takes the next request to the peer, which [`Connection::has_room`] was asked for before.
    pub fn request(&mut self, head: &request::Parts, is_end: bool) -> u32 {
        assert!(self.role == Role::Client && self.has_room(), "there is room for a request");
        let id = self.next_stream;
        self.next_stream += 2;
        let (receive, send) = (self.limits.stream_window, self.peer.stream_window);
        self.streams.insert(id, Stream::new(Receiving::Head, receive, send));
        self.put_request(id, head, is_end);
        id
    }

    /// Begins an answer.
    pub fn respond(&mut self, stream: u32, head: &response::Parts, is_end: bool) {
        if self.streams.contains_key(&stream) {
            self.put_response(stream, head, is_end);
        }
    }

    /// Whether the peer takes one more request now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.is_taking() && self.streams.len() < self.peer.streams_max as usize
    }

    /// Whether the peer may take requests, sooner or later.
    #[must_use]
    pub fn is_taking(&self) -> bool {
        self.dismissed.is_none() && !self.has_failed && !self.is_spent()
    }

    /// So much of the bodies that came was dealt with.
    pub fn release(&mut self, stream: u32, bytes: usize) {
        self.receive_window.release(bytes);
        if let Some(open) = self.streams.get_mut(&stream) {
            open.receive_window.release(bytes);
        }
        self.widen(Some(stream));
    }

    /// Ends a stream before it is over.
    pub fn reset(&mut self, stream: u32, reason: Reason) {
        if self.remove(stream).is_some() {
            put(Kind::ResetStream, 0, stream, &reason.0.to_be_bytes(), self.output.tail());
        }
    }

    /// Asks for a sign of life.
    pub fn ping(&mut self) {
        put(Kind::Ping, 0, 0, b"are you?", self.output.tail());
    }

    /// Asks the peer to go, and takes what it sent until it has heard that.
    pub fn ask_to_go(&mut self) {
        if self.departure == Departure::NotYet && !self.has_failed {
            self.departure = Departure::Announced;
            self.put_go_away(NUMBER_MAX, Reason::NO_ERROR, b"");
            put(Kind::Ping, 0, 0, &FAREWELL_PING, self.output.tail());
        }
    }

    /// Ends the connection, and tells the peer why.
    pub fn fail(&mut self, reason: Reason, what: &'static str) {
        if !self.has_failed {
            self.has_failed = true;
            self.put_go_away(self.last_stream, reason, what.as_bytes());
        }
    }

    /// Whether there will be nothing more to read or to write.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let is_going = self.departure == Departure::Final || self.dismissed.is_some();
        let is_ending = is_going || self.is_spent();
        let is_done = self.has_failed || is_ending && self.streams.is_empty();
        is_done && self.output.bytes() == 0
    }

    /// Why the peer sent us away, if it did.
    #[must_use]
    pub fn dismissal(&self) -> Option<Reason> {
        self.dismissed.map(|(_, reason)| reason)
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether the peer has to take some of the output before it may send more.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        CONGESTED_BYTES < self.output.bytes()
    }

    /// Whether a client has no number left for one more stream.
    fn is_spent(&self) -> bool {
        NUMBER_MAX <= self.next_stream
    }

    /// Tells the user that a stream is gone, if it was there.
    fn lose(&mut self, id: u32, why: Why) {
        if let Some(stream) = self.remove(id) {
            let was_sent = matches!(stream.ending, Ending::Over);
            self.events.push_back(Event::Reset { stream: id, why, was_sent });
        }
    }

    /// Takes a stream off all lists.
    fn remove(&mut self, id: u32) -> Option<Stream> {
        let stream = self.streams.remove(&id)?;
        self.leave_line(id, stream.standing);
        Some(stream)
    }

    /// Tells the peer what it may send now, where that is worth it.
    fn widen(&mut self, stream: Option<u32>) {
        let tail = self.output.tail();
        if let Some(bytes) = self.receive_window.give() {
            put(Kind::WindowUpdate, 0, 0, &bytes.to_be_bytes(), tail);
        }
        let Some(id) = stream else { return };
        let open = self.streams.get_mut(&id).filter(|open| open.receiving != Receiving::Nothing);
        if let Some(bytes) = open.and_then(|open| open.receive_window.give()) {
            put(Kind::WindowUpdate, 0, id, &bytes.to_be_bytes(), tail);
        }
    }

    fn put_go_away(&mut self, last_stream: u32, reason: Reason, what: &[u8]) {
        let mut payload = BytesMut::with_capacity(8 + what.len());
        payload.extend_from_slice(&last_stream.to_be_bytes());
        payload.extend_from_slice(&reason.0.to_be_bytes());
        payload.extend_from_slice(what);
        put(Kind::GoAway, 0, 0, &payload, self.output.tail());
    }
}

#[cfg(test)]
mod tests;
